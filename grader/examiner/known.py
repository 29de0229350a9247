"""Answers that were judged before: who sends the same bytes gets the same verdict.

A hidden test is a function of the replies that it gets: its inputs come from the secret, and nothing else differs
from one student to the next. So the replies of a grading are kept as a path, request and reply in turn. The next
student's code is asked the first request; as long as its replies are those of a known path, byte for byte, the next
request is known, and at the path's end the verdict is, too: no test has to be run. Where a reply differs, the tests
are run, on the replies that are there already, and go on asking from there.

Nothing is asked ahead of its turn: a request can hold what tells the answer to an earlier one.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from grader.examiner.conversation import Port, WorkerLost

__all__ = ["KnownPaths", "Stale", "WalkingPort"]

_BYTES = 32 << 20
"""What is kept of one exercise at most; then it begins anew."""

Verdict = TypeVar("Verdict")


class Stale(BaseException):
    """A test asked otherwise than it did before: it does not depend on the replies alone.

    No suite is meant to catch it, not even one that expects an exception.
    """


@dataclass(slots=True)
class _Place(Generic[Verdict]):
    """Where replies have led to: a further request, or a verdict."""

    request: bytes = b""
    onward: dict[bytes, _Place[Verdict]] = field(default_factory=dict)
    verdict: Verdict | None = None


class WalkingPort:
    """A port that remembers what was said, and can say again what was said before.

    `walk` asks along the known paths; afterwards `ask` gives the replies that came of it before it asks anew.
    """

    def __init__(self, port: Port) -> None:
        self.port = port
        self.said: list[tuple[bytes, bytes]] = []
        """Requests and replies since the module was loaded."""
        self._heard: deque[tuple[bytes, bytes | WorkerLost]] = deque()
        self.whole = True
        """All that was said is in `said`."""
        self.stale = False
        """Somebody asked for something else than the known paths have."""

    def ask(self, message: bytes) -> bytes:
        """One request, one reply.

        Raises:
            Stale: it is not the request that the known paths have here.
            WorkerLost: there is no answer.
        """
        if self._heard:
            request, reply = self._heard.popleft()
            if request != message:
                self.stale = True
                raise Stale
            if isinstance(reply, WorkerLost):
                raise reply
            return reply
        try:
            reply = self.port.ask(message)
        except BaseException:
            # How a worker ends is no part of a path.
            self.whole = False
            raise
        self.said.append((message, reply))
        return reply

    def walk(self, place: _Place[Verdict]) -> Verdict | None:
        """Ask along the known paths; the verdict at the end of one, or None where they do not go on."""
        while place.request:
            try:
                reply = self.port.ask(place.request)
            except WorkerLost as lost:
                # Told when a test asks for it.
                self.whole = False
                self._heard.append((place.request, lost))
                return None
            self.said.append((place.request, reply))
            self._heard.append((place.request, reply))
            following = place.onward.get(_digest(reply))
            if following is None:
                return None
            place = following
        return place.verdict

    def close(self) -> None:
        """End what is behind the port."""
        self.port.close()


class KnownPaths(Generic[Verdict]):
    """The known paths of each exercise under one secret."""

    def __init__(self) -> None:
        self._roots: dict[str, dict[bytes, _Place[Verdict]]] = {}
        self._bytes: dict[str, int] = {}

    def forget(self) -> None:
        """Let go of all of them: another secret, other inputs."""
        self._roots.clear()
        self._bytes.clear()

    def begin(self, exercise: str, loaded: bytes) -> _Place[Verdict]:
        """Where the paths begin of those whose module answered so when it was loaded."""
        return self._roots.setdefault(exercise, {}).setdefault(_digest(loaded), _Place())

    def keep(self, exercise: str, loaded: bytes, said: list[tuple[bytes, bytes]], verdict: Verdict) -> None:
        """Remember a path and what came of it."""
        # The verdict holds the replies; of the requests many are there already.
        size = sum(len(request) + len(reply) for request, reply in said)
        if size > _BYTES:
            return
        if self._bytes.get(exercise, 0) + size > _BYTES:
            self._roots.pop(exercise, None)
            self._bytes[exercise] = 0
        self._bytes[exercise] = self._bytes.get(exercise, 0) + size
        place = self.begin(exercise, loaded)
        for request, reply in said:
            if not place.request:
                place.request = request
            elif place.request != request:
                # Not the same twice: such a path leads nowhere.
                return
            place = place.onward.setdefault(_digest(reply), _Place())
        if not place.request:
            place.verdict = verdict


def _digest(reply: bytes) -> bytes:
    return hashlib.blake2b(reply, digest_size=16).digest()
