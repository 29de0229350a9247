"""The warm parent of all workers: imports torch once, then forks.

It runs inside the outer wall, knows nothing of courses and never reads a byte that a student wrote.
Orders come over one SOCK_SEQPACKET descriptor, a JSON object each; a worker's own descriptor travels with
the order to spawn it.
"""

from __future__ import annotations

import gc
import json
import os
import random
import resource
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from grader.worker.forking import fork

if TYPE_CHECKING:
    from grader.worker.walls import Walls

_ORDER_BYTES = 1 << 16


def main(descriptor: int) -> None:
    """Serve until the examiner's end of the control socket closes."""
    control = socket.socket(fileno=_alone(descriptor))
    setup = json.loads(control.recv(_ORDER_BYTES))
    try:
        server = _Forkserver(control, setup)
    except Exception as error:
        control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode())
        raise
    server.serve()


class _Forkserver:
    def __init__(self, control: socket.socket, setup: dict[str, Any]) -> None:
        import torch

        from grader.wire import WireLimits
        from grader.worker.replay import warm_replay
        from grader.worker.warm import fill_holes, warm

        self.control = control
        self.setup = setup
        torch.set_num_threads(1)
        warm(setup["warm"])
        warm_replay(WireLimits())
        # Behind the walls they could not be read.
        from grader.worker import probes, service

        del probes, service
        # Nothing of the examiner's environment is left to be found; torch has read its part.
        os.environ.clear()
        self.walls = None if setup["walls"] is None else _prepare(setup)
        self.spawned = 0
        # Where our own modules were found is no place for a student's import to look.
        sys.path[:] = [entry for entry in sys.path if entry != setup["import_root"]]
        # What is alive now lives as long as the process: children that collect need not copy its pages.
        gc.collect()
        gc.freeze()
        fill_holes()
        # Until here stderr told the examiner why a start failed; workers have none.
        os.dup2(1, 2)
        self.say({"ready": True, "torch": torch.__version__})

    def say(self, reply: dict[str, Any], descriptors: list[int] | None = None) -> None:
        message = json.dumps(reply).encode()
        if descriptors:
            socket.send_fds(self.control, [message], descriptors)
        else:
            self.control.send(message)

    def serve(self) -> None:
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.control, _ORDER_BYTES, 1)
            if not message:
                # The examiner is gone: so are the workers, by their parent's death.
                os._exit(0)
            order = json.loads(message)
            if "spawn" in order:
                self.spawn(order["spawn"], descriptors[0])
            else:
                self.reap(order["reap"])

    def spawn(self, options: dict[str, Any], descriptor: int) -> None:
        self.spawned += 1
        parent = os.getpid()
        pid = fork()
        if pid == 0:
            try:
                self.control.close()
                work(descriptor, parent, self.walls, self.spawned, self.setup, options)
            except BaseException as error:
                # Not the student's doing: hers is caught further in. The examiner reads it as a lost worker.
                os.write(descriptor, _last_words(error))
            finally:
                os._exit(0)
        os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self.say({"pid": pid}, [pidfd])
        os.close(pidfd)

    def reap(self, pid: int) -> None:
        """The worker is dead or dying: the examiner has seen its end, or sent SIGKILL."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        self.say(
            {
                "status": status,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_kib": usage.ru_maxrss,
                "page_faults": usage.ru_minflt,
            }
        )


def work(
    descriptor: int,
    parent: int,
    walls: Walls | None,
    number: int,
    setup: dict[str, Any],
    options: dict[str, Any],
) -> None:
    """The life of a worker: put up the walls, then answer until the descriptor closes."""
    from grader.wire import Frames, PeerGone, WireLimits, encode
    from grader.worker.replay import ReplayService
    from grader.worker.service import Service

    standing: list[str] = []
    if walls is not None:
        standing = walls.enter(
            number=number, descriptor=descriptor, parent=parent, limits=options.get("limits")
        )
    else:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Children share their parent's random state; torch's is seeded anew with each call.
    random.seed(number)
    wire = {**setup["wire"], **options.get("wire", {})}
    bounds = WireLimits(message_bytes=wire["message_mb"] << 20)
    frames = Frames(descriptor, message_bytes=bounds.message_bytes, blocking=True)
    service = Service(bounds, max_handles=wire["handles"], device=setup["device"])
    frames.send(encode(("ready",)))
    probe = options.get("probe")
    if probe:
        from grader.worker.probes import run_probes

        found = [list(row) for row in run_probes(descriptor=descriptor, **probe)]
        missing = {} if walls is None else dict(walls.missing)
        frames.send(service.encode(("probed", standing, missing, found)))
        return
    # One that runs recorded programs never loads a student's code, and one that does answers to nothing else.
    serving = ReplayService(bounds) if options.get("replay") else service
    while True:
        try:
            request = frames.receive()
        except PeerGone:
            return
        frames.send(serving.answer(request))


def _last_words(error: BaseException) -> bytes:
    from grader.wire import encode
    from grader.wire.frame import frame

    return frame(encode(("failed", f"{type(error).__name__}: {error}"[:500])))


def _prepare(setup: dict[str, Any]) -> Walls:
    from grader.worker.limits import ResourceLimits
    from grader.worker.walls import not_dumpable, prepare

    wanted = setup["walls"]
    cuda = setup["device"].startswith("cuda")
    made = prepare(
        wanted["readable"],
        ResourceLimits(cpu_seconds=wanted["cpu_seconds"], memory_mb=wanted["memory_mb"]),
        profile="cuda" if cuda else "cpu",
        devices=wanted["devices"],
    )
    # A worker may share our user: then this keeps it from reading what we hold.
    not_dumpable()
    return made


def _alone(descriptor: int) -> int:
    """Close all that was inherited except the control socket and stderr; the socket becomes number 3."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    if descriptor != 3:
        os.dup2(descriptor, 3)
    os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    return 3
