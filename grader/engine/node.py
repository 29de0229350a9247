"""A process that grades: an examiner with its forkserver, which takes one task after another.

Both ends are the grader's own. They exchange JSON, a record a line, over a socket of their own: what a hidden
suite prints goes to stderr, and nobody reads it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grader.errors
from grader.engine.tasks import Done, EngineSetting, Task, done_from, submission_of, task_from
from grader.errors import GraderError, UngradedError

if TYPE_CHECKING:
    from grader.engine.local import OpenEngine

__all__ = ["Node", "NodeLost"]

_MAIN = "import sys; from grader.engine.node import serve; serve(int(sys.argv[1]))"


class NodeLost(Exception):
    """The process is gone before it answered."""


class Node:
    """The handle on one such process. Starting it returns at once; the first answer is that it is ready."""

    def __init__(self, setting: EngineSetting) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # -P: in the current folder there may be a class, and in that a student's torch.py.
                [sys.executable, "-P", "-c", _MAIN, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is for the command, which then ends its nodes.
                start_new_session=True,
            )
        self._socket = ours
        # Neither side may wait for the other to read while that one waits as well.
        ours.setblocking(False)
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self.isolation: int | None = None
        """The level of the walls, once it is ready."""
        self._send(setting.to_record())

    def fileno(self) -> int:
        """Readable when there is an answer."""
        return self._socket.fileno()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    @property
    def is_writing(self) -> bool:
        """Whether something waits to be sent: then `flush` wants to be called when the socket takes more."""
        return bool(self._outgoing)

    def send(self, task: Task) -> None:
        """Hand over a task. Does not wait.

        Raises:
            NodeLost: the process is gone.
        """
        self._send(task.to_record())

    def flush(self) -> None:
        """Send on what waits.

        Raises:
            NodeLost: the process is gone.
        """
        try:
            while self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            raise NodeLost from None

    def receive(self) -> list[Done]:
        """What has been answered. Does not wait; to be called when the socket is readable.

        Raises:
            NodeLost: the process is gone.
            GraderError: it cannot grade at all, and said why.
        """
        try:
            received = self._socket.recv(1 << 20)
        except BlockingIOError:
            return []
        except OSError:
            received = b""
        if not received:
            raise NodeLost
        self._incoming += received
        *lines, rest = self._incoming.split(b"\n")
        self._incoming = rest
        answers = (self._read(json.loads(line)) for line in lines)
        return [answer for answer in answers if answer is not None]

    def _read(self, record: dict[str, Any]) -> Done | None:
        if "failed" in record:
            kind = getattr(grader.errors, record["failed"], UngradedError)
            error: GraderError = kind.__new__(kind)
            GraderError.__init__(error, record["message"])
            raise error
        if "ready" in record:
            self.isolation = record["ready"]
            return None
        return done_from(record)

    def close(self) -> None:
        """End the process; what it is grading is lost."""
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _send(self, record: dict[str, Any]) -> None:
        self._outgoing += _line(record)
        self.flush()


def serve(descriptor: int) -> None:
    """The life of such a process: the setting, then task after task, until the other end closes."""
    from grader.worker.parent import die_with_parent

    die_with_parent()
    channel = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)
    lines = _lines(channel)
    setting = EngineSetting(**json.loads(next(lines)))
    # Who asked may be gone when the answer comes.
    with suppress(BrokenPipeError, ConnectionResetError):
        try:
            _grade_all(setting, channel, lines)
        except GraderError as error:
            channel.sendall(_line({"failed": type(error).__name__, "message": error.message}))
        except Exception as error:
            message = f"{type(error).__name__}: {error}: this is a fault of torchgrade"
            channel.sendall(_line({"failed": "UngradedError", "message": message}))


def _grade_all(setting: EngineSetting, channel: socket.socket, lines: Iterator[bytes]) -> None:
    from grader.course import load_course
    from grader.engine.local import LocalEngine, Setting

    course = load_course(Path(setting.course))
    local = Setting(device=setting.device, language=setting.language)

    def body(engine: OpenEngine) -> None:
        channel.sendall(_line({"ready": engine.engine.isolation}))
        for line in lines:
            channel.sendall(_line(_grade(engine, task_from(json.loads(line))).to_record()))

    LocalEngine(course, course.exercises, local).run(body)


def _grade(engine: OpenEngine, task: Task) -> Done:
    engine.reseed(task.seed)
    submission = submission_of(task)
    results = tuple(
        engine.grade_exercise(engine.engine.course.exercise(answer.exercise), submission)
        for answer in task.answers
    )
    return Done(task.number, results, engine.engine.isolation)


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


def _lines(channel: socket.socket) -> Iterator[bytes]:
    kept = bytearray()
    while True:
        end = kept.find(b"\n")
        while end < 0:
            received = channel.recv(1 << 16)
            if not received:
                return
            start = len(kept)
            kept += received
            end = kept.find(b"\n", start)
        line = bytes(kept[:end])
        del kept[: end + 1]
        yield line
