"""One talk with one candidate: requests go out, replies come back, and what was said is kept.

The candidate is behind a `Port`: a walled worker for a student, or this very process for code that is
trusted (the reference, the known wrong answers). Nothing above this module knows which.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from grader.errors import UngradedError
from grader.examiner.student_errors import lacks_memory, rebuild
from grader.wire import Handle, PeerGone, PeerSilent, TensorRecord, WireError, WireLimits, decode, encode
from grader.worker.launch import AnyWorker, Exit, WorkerLimits
from grader.worker.recording import MAX_NAMES, NAME_CHARACTERS
from grader.worker.service import Service

# Transcripts are kept until the exercise is done. Of what is larger, a digest tells as much: the same or not.
_LARGE = 1 << 20


class WorkerLost(Exception):
    """The worker ended, or was ended, before it answered. Costs the test that asked."""

    def __init__(self, cause: str, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.cause = cause
        """"timeout", "memory" or "crashed"."""
        self.killed = killed
        """By the system or an operator: it may not have been the student's doing."""


class Port(Protocol):
    """Where requests go."""

    def ask(self, message: bytes) -> bytes:
        """One request, one reply.

        Raises:
            WorkerLost: there is no answer.
        """
        ...

    def close(self) -> None:
        """End what is behind the port."""
        ...


class LocalPort:
    """Runs trusted code in this process, through the same service and the same wire as a worker."""

    def __init__(self, limits: WireLimits | None = None) -> None:
        self.service = Service(limits or WireLimits(), max_handles=4096)

    def ask(self, message: bytes) -> bytes:
        """Answer here and now."""
        return self.service.answer(message)

    def close(self) -> None:
        """Nothing is to be ended."""


@dataclass
class Clock:
    """What an exercise of a submission has left, for all its workers together."""

    left: float
    """Wall-clock seconds of waiting for answers."""
    bytes_left: float = math.inf
    """Of answers: the examiner holds on to what a test was told until the exercise is done."""


class WorkerPort:
    """A walled worker, with a deadline for each answer."""

    def __init__(self, worker: AnyWorker, limits: WorkerLimits, clock: Clock) -> None:
        self.worker = worker
        self.limits = limits
        self.clock = clock
        self._ended = False

    def ask(self, message: bytes) -> bytes:
        """Send the request to the worker and wait for its reply, but not for ever."""
        seconds = min(self.limits.call_seconds, self.clock.left)
        started = time.monotonic()
        try:
            if seconds <= 0:
                raise PeerSilent
            self.worker.frames.send(message, seconds)
            reply = self.worker.frames.receive(seconds - (time.monotonic() - started))
        except PeerSilent:
            self.close()
            if self.clock.left <= self.limits.call_seconds:
                raise WorkerLost(
                    "timeout",
                    f"your code used up the {self.limits.exercise_seconds:g} seconds that all the tests of "
                    "this exercise have together",
                ) from None
            raise WorkerLost(
                "timeout",
                f"your code did not answer within {self.limits.call_seconds:g} seconds: is there a loop "
                "that never ends?",
            ) from None
        except PeerGone:
            raise self._death(self._end()) from None
        except WireError as error:
            self.close()
            raise WorkerLost("crashed", f"your code's process sent something unreadable: {error}") from None
        finally:
            self.clock.left -= time.monotonic() - started
        self.clock.bytes_left -= len(reply)
        if self.clock.bytes_left < 0:
            self.close()
            raise WorkerLost("memory", "what your code returned in all the tests together is too large")
        return reply

    def _death(self, exit: Exit) -> WorkerLost:
        signal = exit.signal
        limit = self.limits.memory_mb
        # Who ignores the signal that comes first is killed a second later.
        if signal == 24 or (signal == 9 and exit.cpu_seconds >= math.ceil(self.limits.exercise_seconds)):
            return WorkerLost("timeout", "your code used up its processor time: is there an endless loop?")
        if signal == 9:
            return WorkerLost(
                "crashed", "your code's process was killed by the system, likely for memory", killed=True
            )
        if signal == 6:
            return WorkerLost(
                "memory", f"your code's process gave up, likely because it needs more than {limit} MiB"
            )
        if signal == 11:
            return WorkerLost(
                "crashed",
                "your code's process crashed (segmentation fault): endless recursion, or memory read where "
                "there is none",
            )
        if signal is not None:
            return WorkerLost("crashed", f"your code's process was ended by signal {signal}")
        return WorkerLost("crashed", "your code ended its process before it answered: does it call exit?")

    def close(self) -> None:
        """Kill the worker."""
        # Where its parent is gone, it is gone as well.
        with suppress(UngradedError):
            if not self._ended:
                self._end()

    def _end(self) -> Exit:
        """Kill the worker, and see how it ended.

        Raises:
            WorkerStartError: that cannot be told, for the forkserver is gone.
        """
        self._ended = True
        return self.worker.end()


class CallRecording(Protocol):
    """Picks calls whose ops are to be recorded; see `grader.examiner.replay`."""

    def wants(self, test: int, target: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the call that is about to be made in the n-th test is to be recorded."""
        ...

    def keep(self, test: int, value: object, program: object, reply: bytes) -> None:
        """That call returned `value`, and the worker says that it ran `program`, if it was asked."""
        ...


@dataclass
class Conversation:
    """Requests and replies of one candidate in one test after another."""

    open_port: Callable[[], Port]
    source: str
    name: str
    props: str | None
    limits: WireLimits = field(default_factory=WireLimits)
    port: Port | None = None
    names: dict[str, str] = field(default_factory=dict)
    seed: int = 0
    calls: int = 0
    traced: TraceCounts | None = None
    prefetch: list[torch.Tensor | None] | None = None
    transcript: list[bytes] = field(default_factory=list)
    released_calls: list[int] = field(default_factory=list)
    released_handles: list[int] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    lost: WorkerLost | UngradedError | None = None
    killed: bool = False
    """A worker of it was killed, and not by us."""
    watch: bool = False
    """Have the worker say which ops the candidate calls; they are then in `ops`."""
    ops: set[str] = field(default_factory=set)
    """What the worker says: evidence, no proof."""
    recording: CallRecording | None = None
    tests: int = 0
    """How many tests were begun."""
    loaded: bytes = b""
    """What the module answered when it was loaded last."""
    _program: object = None
    _reply: bytes = b""

    def begin_test(self, seed: int) -> None:
        """A new test: its own seed, an empty transcript, a fresh worker if the last one died."""
        self.seed = seed
        self.tests += 1
        self.calls = 0
        self.transcript = []
        self.printed = []
        self.traced = None
        self.prefetch = None
        self.lost = None
        if self.port is None:
            self.load()

    def load(self) -> None:
        """Open a port and load the module there.

        Raises:
            WorkerLost, or what the module's code raised.
        """
        # New lists: what still hangs on the old ones speaks of numbers in a worker that is gone.
        self.released_calls = []
        self.released_handles = []
        self.port = self.open_port()
        try:
            (kinds,) = self._ask(("load", self.source, self.name, self.props, self.watch), "loaded", 1)
        except BaseException:
            # A module that failed half-way is not asked anything; the next test starts anew.
            self.close()
            raise
        if not isinstance(kinds, dict):
            raise self.unreadable()
        self.names = {str(key): str(kind) for key, kind in kinds.items()}

    def call(
        self, target: object, arguments: tuple[object, ...], keywords: dict[str, object], grad: bool
    ) -> tuple[Any, ...]:
        """One call. Returns value, number, connected, changes, gradients."""
        self.calls += 1
        seed = int.from_bytes(hashlib.blake2b(f"{self.seed}/{self.calls}".encode(), digest_size=6).digest())
        recorded = self.recording is not None and self.recording.wants(
            self.tests, target, arguments, keywords
        )
        request = (
            "call",
            target,
            arguments,
            keywords,
            grad,
            seed,
            self.traced is not None,
            self.prefetch,
            self.released_calls,
            self.released_handles,
            recorded,
        )
        self.prefetch = None
        message = encode(request, views=True, limits=self.limits)
        self.released_calls.clear()
        self.released_handles.clear()
        value, number, connected, changes, gradients, counts = self._ask_raw(message, "returned", 6)
        if self.traced is not None and isinstance(counts, dict):
            self.traced.add(counts)
        if self.recording is not None:
            self.recording.keep(self.tests, value, self._program, self._reply)
        return value, number, connected, changes, gradients

    def vjp(self, number: int, cotangents: list[torch.Tensor | None]) -> list[Any]:
        """The gradients of a call's arguments for the cotangents of its outputs."""
        (gradients,) = self._ask(("vjp", number, cotangents), "gradients", 1)
        if not isinstance(gradients, list):
            raise self.unreadable()
        return gradients

    def facts(self, number: int, index: int) -> tuple[Any, ...]:
        """What the worker says of an output of a call."""
        return self._ask(("facts", number, index), "facts", 6)

    def _ask(self, request: tuple[object, ...], expected: str, parts: int) -> tuple[Any, ...]:
        return self._ask_raw(encode(request, views=True, limits=self.limits), expected, parts)

    def _ask_raw(self, message: bytes, expected: str, parts: int) -> tuple[Any, ...]:
        if self.lost is not None:
            # The worker died earlier in this test: what it held is gone.
            raise self.lost
        assert self.port is not None
        try:
            raw = self.port.ask(message)
        except (WorkerLost, UngradedError) as lost:
            self.port, self.lost = None, lost
            self.killed |= isinstance(lost, WorkerLost) and lost.killed
            raise
        if expected == "loaded":
            self.loaded = raw
        else:
            # Whether a test had to load the module says nothing about the code.
            self._reply = raw
            self.transcript.append(raw if len(raw) <= _LARGE else hashlib.blake2b(raw).digest())
        try:
            reply = decode(raw, self.limits, views=False)
        except WireError as error:
            self.close()
            self.lost = WorkerLost("crashed", f"your code's process sent something unreadable: {error}")
            raise self.lost from None
        if not isinstance(reply, tuple) or len(reply) < 2:
            raise self.unreadable()
        self._note(reply[-1])
        if reply[0] == "raised" and len(reply) == 6:
            raise rebuild(reply[1:5])
        if reply[0] == "failed" and isinstance(reply[-1], str) and lacks_memory(reply[-1]):
            self.close()
            self.lost = WorkerLost("memory", "your code's process had no memory left to answer")
            raise self.lost
        if reply[0] != expected or len(reply) != parts + 2:
            raise self.unreadable()
        return reply[1:-1]

    def _note(self, end: object) -> None:
        """The end of a reply: what was printed, and, where there is more to say, what was seen of torch's ops.

        Raises:
            WorkerLost: it is neither.
        """
        self._program = None
        printed: object = end
        names: list[object] = []
        if isinstance(end, tuple) and len(end) == 3 and isinstance(end[1], list):
            printed, names, self._program = end
        if not isinstance(printed, str):
            raise self.unreadable()
        if printed:
            self.printed.append(printed)
        for name in names:
            if isinstance(name, str) and len(name) <= NAME_CHARACTERS and len(self.ops) < MAX_NAMES:
                self.ops.add(name)

    def unreadable(self) -> WorkerLost:
        """The reply has the right frame and the wrong content: only tampering does that."""
        self.close()
        self.lost = WorkerLost("crashed", "your code's process sent something unreadable")
        return self.lost

    def close(self) -> None:
        """End the worker; the next test begins with a new one."""
        if self.port is not None:
            self.port.close()
            self.port = None


class TraceCounts:
    """ATen ops of the calls inside one `with student.trace()`. What the worker says: evidence, no proof."""

    def __init__(self) -> None:
        self.ops: dict[str, int] = {}

    @property
    def op_count(self) -> int:
        """How many ops were run."""
        return sum(self.ops.values())

    def add(self, counts: dict[object, object]) -> None:
        """Count a call's ops as well; what is no count is passed over."""
        for name, count in counts.items():
            if isinstance(name, str) and isinstance(count, int):
                self.ops[name] = self.ops.get(name, 0) + count


def same_reply(ours: bytes, theirs: bytes, limits: WireLimits) -> bool:
    """Whether two candidates answered the same, within the tolerance of each dtype."""
    if ours == theirs:
        return True
    try:
        a, b = decode(ours, limits, views=False), decode(theirs, limits, views=False)
    except WireError:
        return False
    if isinstance(a, tuple) and isinstance(b, tuple) and a and b and a[0] == b[0] == "raised":
        # Texts and lines differ between two files that make the same mistake.
        return a[1:3] == b[1:3]
    if isinstance(a, tuple) and isinstance(b, tuple):
        a, b = a[:-1], b[:-1]  # what was printed
        if len(a) > 2 and len(b) > 2 and a[0] == b[0] == "returned":
            a, b = (*a[:2], *a[3:]), (*b[:2], *b[3:])  # the call's number
    return _same_value(a, b)


def _same_value(a: object, b: object) -> bool:
    if isinstance(a, TensorRecord) and isinstance(b, TensorRecord):
        x, y = a.tensor, b.tensor
        if x.shape != y.shape or x.dtype != y.dtype or a.requires_grad != b.requires_grad:
            return False
        if not _same_value(a.grad, b.grad):
            return False
        try:
            torch.testing.assert_close(x, y, equal_nan=True)
        except AssertionError:
            return False
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and isinstance(b, float):
        return a == b or (a != a and b != b) or abs(a - b) <= 1e-6 * max(abs(a), abs(b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(_same_value(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_same_value(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Handle) and isinstance(b, Handle):
        return a.type_name == b.type_name
    return a == b
