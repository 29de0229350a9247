"""Workers without a forkserver, where a process that holds torch cannot safely be forked (macOS).

Each is a new interpreter that imports torch itself, which takes a second or two, and no walls stand: isolation
level 0, for a learner's own code.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import WorkerStartError
from grader.worker.launch import THREAD_ENVIRONMENT, Exit, Isolation, LaunchOptions, await_first_word

if TYPE_CHECKING:
    from grader.wire import Frames

_ROOT = str(Path(__file__).resolve().parent.parent.parent)
_START = (
    "import sys; sys.path.insert(0, {root!r}); from grader.worker.spawner import main; main({fd}, {setup!r})"
)


class SpawnedWorker:
    """One worker in an interpreter of its own."""

    def __init__(self, process: subprocess.Popen[bytes], frames: Frames) -> None:
        self.frames = frames
        self._process = process
        self._exit: Exit | None = None

    def end(self) -> Exit:
        """Kill the worker if it lives, reap it, and say how it ended."""
        if self._exit is None:
            os.close(self.frames.descriptor)
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            _, status, usage = os.wait4(self._process.pid, 0)
            self._process.returncode = os.waitstatus_to_exitcode(status)
            self._exit = Exit(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, usage.ru_minflt)
        return self._exit


class Spawner:
    """What `Forkserver` is elsewhere: opens workers, one process each."""

    bubblewrapped = False
    bubblewrap_missing: str | None = "walls stand on Linux only"

    def __init__(self, options: LaunchOptions) -> None:
        self.options = options

    def __enter__(self) -> Spawner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self) -> None:
        """Nothing runs before a worker is asked for."""

    def ready(self, seconds: float = 120.0) -> None:
        """Whether workers can be had at all.

        Raises:
            WorkerStartError: not on this system.
        """
        del seconds
        if os.name != "posix":
            raise WorkerStartError(
                "code is run on Linux and macOS: on Windows, use the Linux subsystem (WSL)"
            )
        if self.options.walls:
            raise WorkerStartError(
                "walls stand on Linux only: grade for marks there; `grade check` works here"
            )

    def spawn(self, **options: Any) -> SpawnedWorker:
        """Start a worker.

        Raises:
            WorkerStartError: it cannot be started.
        """
        from grader.wire import Frames

        # The kernel holds no limits here.
        self.ready()
        limits = self.options.limits
        wire = {"message_mb": limits.message_mb, "handles": limits.handles, **options.get("wire", {})}
        setup: dict[str, Any] = {
            "warm": [],
            "walls": None,
            "device": self.options.device,
            "wire": wire,
        }
        ours, theirs = socket.socketpair()
        with theirs:
            start = _START.format(root=_ROOT, fd=theirs.fileno(), setup=json.dumps(setup))
            process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-B", "-c", start],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **THREAD_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        frames = Frames(ours.detach(), message_bytes=wire["message_mb"] << 20)
        worker = SpawnedWorker(process, frames)
        # Importing torch takes it a while: that time is not the student's.
        await_first_word(worker)
        return worker

    def probe(self, memory_mb: int | None = None) -> Isolation:
        """No wall stands."""
        del memory_mb
        return Isolation(0, (), (), {"all": "walls stand on Linux only"}, self.bubblewrap_missing)

    def close(self) -> None:
        """Nothing runs without a worker."""


def main(descriptor: int, setup: str) -> None:
    """The life of a spawned worker."""
    import torch

    from grader.worker.forkserver import work

    torch.set_num_threads(1)
    work(descriptor, os.getppid(), None, 1, json.loads(setup), {})
