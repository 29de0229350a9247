"""The trusted side's hold on the workers: start the forkserver, spawn, kill, reap."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from grader.errors import WireError, WorkerStartError
from grader.worker import bubblewrap, libraries
from grader.worker.probes import Probe, attributed, level
from grader.worker.walls import WallError, refuse_covering

if TYPE_CHECKING:
    from grader.wire import Frames
    from grader.worker.spawner import Spawner

_REPLY_BYTES = 1 << 20
_ORDER_SECONDS = 60.0
"""A fork takes milliseconds. What takes longer than this is stopped, or dead."""
_PACKAGE = Path(__file__).resolve().parent.parent
_START = "import sys; sys.path.insert(0, {root!r}); from grader.worker.forkserver import main; main({fd})"


_MALLOC = ":".join(
    (
        # Huge pages for the heap: a fork has fewer page-table entries to copy.
        "glibc.malloc.hugetlb=1",
        # What was freed stays at hand. Given back, as pieces of this size are by default, its pages are to be had
        # and cleared again with each call.
        "glibc.malloc.mmap_threshold=33554432",
        "glibc.malloc.trim_threshold=67108864",
    )
)

# Fork and autograd agree only where the parent never ran a multi-threaded op.
THREAD_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Or torch.set_num_threads(2) in a worker ends it: libgomp exits where no thread is to be had.
    "OMP_THREAD_LIMIT": "1",
}


@dataclass(frozen=True)
class WorkerLimits:
    """What one worker may use. `course.toml` sets them for all, `exercise.toml` for one exercise."""

    call_seconds: float = 5.0
    """Wall clock for one answer."""
    exercise_seconds: float = 20.0
    """Wall clock for one exercise of one submission, all its workers together; CPU seconds for each."""
    memory_mb: int = 1024
    """MiB above what the warm process takes."""
    message_mb: int = 32
    """MiB of one message."""
    handles: int = 256
    """Objects that the examiner holds in the worker at once."""


@dataclass(frozen=True)
class LaunchOptions:
    """How the forkserver is to be started."""

    walls: bool = True
    """False: isolation level 0, for a learner's own code on her own machine."""
    bubblewrap: bool = True
    """Use bubblewrap where it works."""
    warm: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    """Further importable packages that a worker may read."""
    device: str = "cpu"
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    fork: bool = sys.platform == "linux"
    """Fork workers from a warm process. Elsewhere each is started anew, without walls."""
    hidden: tuple[str, ...] = ()
    """Folders that no worker may read: the course."""


@dataclass(frozen=True)
class Exit:
    """How a worker ended, as its parent saw it."""

    status: int
    cpu_seconds: float
    peak_kib: int
    page_faults: int

    @property
    def signal(self) -> int | None:
        """The signal that ended it, if one did."""
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else None


@dataclass(frozen=True)
class Isolation:
    """Which walls stand, by what they held back."""

    level: int
    probes: tuple[Probe, ...]
    standing: tuple[str, ...]
    missing: Mapping[str, str]
    """Walls that cannot stand on this machine, and why."""
    bubblewrap_missing: str | None
    """Why there is no bubblewrap around; None if there is."""


class AnyWorker(Protocol):
    """A process that runs one student's code."""

    frames: Frames

    def end(self) -> Exit:
        """Kill it if it lives, reap it, and say how it ended."""
        ...


class Worker:
    """One forked worker: its private descriptor, and a pidfd to end it with."""

    def __init__(self, server: Forkserver, frames: Frames, pid: int, pidfd: int) -> None:
        self.server = server
        self.frames = frames
        self.inner_pid = pid
        """As the forkserver's namespace counts."""
        self._pidfd = pidfd
        self._killed = False
        self._exit: Exit | None = None

    def end(self) -> Exit:
        """Kill the worker if it lives, reap it, and say how it ended."""
        if self._exit is None:
            if not self._killed:
                # Once: should the forkserver be gone, these numbers may be another's by the next call.
                self._killed = True
                os.close(self.frames.descriptor)
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
                os.close(self._pidfd)
            reply, _ = self.server.ask({"reap": self.inner_pid})
            self._exit = Exit(reply["status"], reply["cpu_seconds"], reply["peak_kib"], reply["page_faults"])
        return self._exit


class Forkserver:
    """A warm process that forks workers. Starting it imports torch and takes a second or two.

    `begin()` returns at once, so that the examiner can import torch at the same time; `ready()` waits.
    """

    def __init__(self, options: LaunchOptions) -> None:
        self.options = options
        self.bubblewrapped = False
        self.bubblewrap_missing: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False

    def __enter__(self) -> Forkserver:
        self.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Start the process without waiting for it."""
        if self._process is not None:
            return
        options = self.options
        readable = self._readable()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command, root, environment = self._command(theirs.fileno(), readable)
        self._process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd="/",
        )
        theirs.close()
        self._control = ours
        limits = options.limits
        walls = {
            "readable": readable,
            "devices": libraries.cuda_devices() if self._cuda else [],
            "cpu_seconds": limits.exercise_seconds,
            "memory_mb": limits.memory_mb,
        }
        setup = {
            # A process's first optimizer wants a temporary folder, which there is none of behind the walls.
            "warm": sorted({*options.warm, "optim"}) if options.walls else list(options.warm),
            "walls": walls if options.walls else None,
            "device": options.device,
            "wire": {"message_mb": limits.message_mb, "handles": limits.handles},
            "import_root": root,
        }
        ours.send(json.dumps(setup).encode())

    @property
    def _cuda(self) -> bool:
        return self.options.device.startswith("cuda")

    def _readable(self) -> list[str]:
        """What workers may read; without walls, nothing holds them back.

        Raises:
            WorkerStartError: the course lies below one of these folders.
        """
        if not self.options.walls:
            return []
        readable = libraries.readable_paths(self.options.packages, cuda=self._cuda)
        try:
            refuse_covering(readable, self.options.hidden)
        except WallError as error:
            raise WorkerStartError(str(error)) from None
        return readable

    def _command(self, descriptor: int, readable: list[str]) -> tuple[list[str], str, dict[str, str]]:
        environment = {
            **THREAD_ENVIRONMENT,
            "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
            "LANG": "C.UTF-8",
            "GLIBC_TUNABLES": _MALLOC,
            # Python's own arenas are no part of that heap.
            "PYTHONMALLOC": "malloc",
            # A set of strings is walked in the same order everywhere, or marks could differ between two runs.
            "PYTHONHASHSEED": "0",
        }
        if self._cuda and "CUDA_VISIBLE_DEVICES" in os.environ:
            # Which of the machine's GPUs is ours: a scheduler says so.
            environment["CUDA_VISIBLE_DEVICES"] = os.environ["CUDA_VISIBLE_DEVICES"]
        root = str(_PACKAGE.parent)
        inner = [sys.executable, "-s", "-P", "-B", "-c"]
        self.bubblewrap_missing = "left out, as asked"
        if self.options.walls and self.options.bubblewrap:
            self.bubblewrap_missing = bubblewrap.available()
            if self.bubblewrap_missing is None:
                self.bubblewrapped = True
                root = bubblewrap.IMPORT_ROOT
                start = _START.format(root=root, fd=descriptor)
                command = bubblewrap.command(
                    [*inner, start],
                    readable=readable,
                    environment=environment,
                    device=self.options.device.partition(":")[0],
                )
                return command, root, {}
        return [*inner, _START.format(root=root, fd=descriptor)], root, environment

    def ready(self, seconds: float = 120.0) -> None:
        """Wait until workers can be spawned.

        Raises:
            WorkerStartError: it did not come up; says why.
        """
        if self._ready:
            return
        self.begin()
        assert self._control is not None
        self._control.settimeout(seconds)
        try:
            message = self._control.recv(_REPLY_BYTES)
        except TimeoutError:
            raise WorkerStartError(f"the worker process did not start within {seconds:.0f} seconds") from None
        except OSError:
            message = b""
        reply = json.loads(message) if message else {}
        if "ready" not in reply:
            raise WorkerStartError(
                f"the worker process did not start: {reply.get('failed') or self._last_words()}"
            )
        self._control.settimeout(_ORDER_SECONDS)
        self._ready = True

    def _last_words(self) -> str:
        assert self._process is not None
        assert self._process.stderr is not None
        try:
            self._process.wait(5)
            lines = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        except subprocess.TimeoutExpired:
            lines = []
        return lines[-1] if lines else "it ended without a word"

    def spawn(self, **options: Any) -> Worker:
        """Fork a worker.

        Args:
            options: in which it differs from the others: `limits`, fields of `ResourceLimits`, and `wire`,
                `message_mb` and `handles`; or what else it is to do than to run a student's code.

        Raises:
            WorkerStartError: the forkserver is gone.
        """
        # The wire imports torch: not before the forkserver is at it as well.
        from grader.wire import Frames

        self.ready()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            reply, descriptors = self.ask({"spawn": options}, [theirs.fileno()])
        message_mb = options.get("wire", {}).get("message_mb", self.options.limits.message_mb)
        frames = Frames(ours.detach(), message_bytes=message_mb << 20)
        worker = Worker(self, frames, reply["pid"], descriptors[0])
        await_first_word(worker)
        return worker

    def probe(self, memory_mb: int | None = None) -> Isolation:
        """Try the walls from inside a worker, with a second one as its neighbour.

        Raises:
            WorkerStartError: the prober did not answer.
        """
        from grader.wire import PeerGone, PeerSilent, decode

        wanted = self.options.limits.memory_mb if memory_mb is None else memory_mb
        sibling = self.spawn()
        prober = self.spawn(
            probe={"hidden": list(self.options.hidden), "siblings": [sibling.inner_pid], "memory_mb": wanted}
        )
        try:
            reply = decode(prober.frames.receive(30.0))
            standing, missing, rows = reply[1:4]  # type: ignore[index]  # our own code's answer
            around = ("bubblewrap",) if self.bubblewrapped else ()
            found = tuple(attributed((Probe(*row) for row in rows), (*standing, *around)))
        except (PeerGone, PeerSilent, WireError, ValueError, TypeError) as error:
            raise WorkerStartError(f"the walls could not be tried: {type(error).__name__}") from None
        finally:
            prober.end()
            sibling.end()
        if not self.options.walls:
            return Isolation(0, found, tuple(standing), missing, self.bubblewrap_missing)
        device = self.options.device.partition(":")[0]
        return Isolation(
            level(found, bubblewrap=self.bubblewrapped, device=device),
            found,
            tuple(standing),
            missing,
            self.bubblewrap_missing,
        )

    def ask(
        self, order: Mapping[str, Any], descriptors: list[int] | None = None
    ) -> tuple[dict[str, Any], list[int]]:
        """One order to the forkserver, and its answer with the descriptors that came along.

        Raises:
            WorkerStartError: the forkserver is gone.
        """
        assert self._control is not None
        try:
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors or [])
            message, received, _, _ = socket.recv_fds(self._control, _REPLY_BYTES, 1)
        except OSError as error:
            reason = error.strerror or "it does not answer"
            raise WorkerStartError(f"the worker process is gone: {reason}") from None
        if not message:
            raise WorkerStartError("the worker process is gone")
        return json.loads(message), received

    def close(self) -> None:
        """End the forkserver; its workers die with it."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stderr is not None:
                self._process.stderr.close()
            self._process = None
        self._ready = False


def await_first_word(worker: AnyWorker) -> None:
    """Wait until a worker stands behind its walls; no line of the student's has run before it says so.

    Raises:
        WorkerStartError: it could not go there. This is never the student's doing.
    """
    from grader.wire import PeerGone, PeerSilent, decode

    try:
        word = decode(worker.frames.receive(120.0))
    except (PeerGone, PeerSilent, WireError) as error:
        worker.end()
        raise WorkerStartError(f"a worker did not start: {type(error).__name__}") from None
    if word != ("ready",):
        worker.end()
        reason = word[1] if isinstance(word, tuple) and len(word) == 2 else "no reason given"
        raise WorkerStartError(f"a worker cannot go behind its walls: {reason}")


def open_workers(options: LaunchOptions) -> Forkserver | Spawner:
    """Where workers come from on this system."""
    if options.fork:
        return Forkserver(options)
    from grader.worker.spawner import Spawner

    return Spawner(options)
