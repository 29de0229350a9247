"""Gradings on all cores of this machine: as many processes that grade as there are jobs."""

from __future__ import annotations

import os
import selectors
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from grader.engine.node import Node, NodeLost
from grader.engine.tasks import Done, EngineSetting, Task
from grader.errors import UngradedError

__all__ = ["Pool", "cores"]

_AHEAD = 2
"""Tasks that a process has in hand: the next one lies ready when it is done with one."""
_TRIALS = 2
"""A task that has cost so many processes their life is not tried again."""
_LOOK_SECONDS = 10.0
"""So often it looks whether a process has fallen silent."""
_STARTS_IN_A_ROW = 3
"""So many processes that die before they are ready are no accident."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Seat:
    """A place for a process that grades, and what lies before it."""

    node: Node
    in_hand: deque[Task] = field(default_factory=deque)
    heard: float = field(default_factory=time.monotonic)
    """When it last said something, or was given work for want of any."""


class Pool:
    """Grades on this machine with `jobs` processes, each an examiner with workers of its own.

    A process that says nothing for `patience` seconds counts as lost. No student can bring that about, but a stopped
    process or an endless suite can.
    """

    def __init__(self, setting: EngineSetting, jobs: int, patience: float = 3600.0) -> None:
        self.setting = setting
        self.jobs = jobs
        self.patience = patience

    def grade(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """See `Engine.grade`."""
        with _Running(self.setting, self.jobs, self.patience, iter(tasks)) as running:
            yield from running


class _Running:
    def __init__(self, setting: EngineSetting, jobs: int, patience: float, tasks: Iterator[Task]) -> None:
        self.setting = setting
        self.jobs = jobs
        self.patience = patience
        self.tasks = tasks
        self.again: deque[Task] = deque()
        self.trials: dict[int, int] = {}
        self.failed_starts = 0
        self.seats: list[_Seat] = []
        self.selector = selectors.DefaultSelector()

    def __enter__(self) -> _Running:
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self.seats:
            seat.node.close()
        self.selector.close()

    def __iter__(self) -> Iterator[Done]:
        # A process is started for a task only: a class that is graded already starts none.
        while len(self.seats) < self.jobs and (task := self._next()) is not None:
            self._seat([task])
        while any(seat.in_hand for seat in self.seats):
            for key, events in self.selector.select(min(self.patience, _LOOK_SECONDS)):
                seat = key.data
                if events & selectors.EVENT_WRITE:
                    with suppress(NodeLost):
                        seat.node.flush()
                if events & selectors.EVENT_READ:
                    yield from self._hear(seat)
                if seat in self.seats:
                    self._listen(seat)
            for seat in [seat for seat in self.seats if self._is_silent(seat)]:
                yield from self._replace(seat)

    def _is_silent(self, seat: _Seat) -> bool:
        return bool(seat.in_hand) and time.monotonic() - seat.heard > self.patience

    def _next(self) -> Task | None:
        return self.again.popleft() if self.again else next(self.tasks, None)

    def _seat(self, tasks: Iterable[Task]) -> None:
        seat = _Seat(Node(self.setting))
        self.seats.append(seat)
        self.selector.register(seat.node, selectors.EVENT_READ, seat)
        for task in tasks:
            self._give(seat, task)

    def _give(self, seat: _Seat, task: Task) -> None:
        if not seat.in_hand:
            seat.heard = time.monotonic()
        seat.in_hand.append(task)
        # Should it be gone, its end is heard, and what lies before it is handed out again.
        with suppress(NodeLost):
            seat.node.send(task)
        self._listen(seat)

    def _listen(self, seat: _Seat) -> None:
        writing = selectors.EVENT_WRITE if seat.node.is_writing else 0
        self.selector.modify(seat.node, selectors.EVENT_READ | writing, seat)

    def _hear(self, seat: _Seat) -> Iterator[Done]:
        seat.heard = time.monotonic()
        try:
            answers = seat.node.receive()
        except NodeLost:
            yield from self._replace(seat)
            return
        for done in answers:
            assert seat.in_hand
            assert seat.in_hand[0].number == done.number
            seat.in_hand.popleft()
            self.trials.pop(done.number, None)
        if seat.node.isolation is not None:
            self.failed_starts = 0
            while len(seat.in_hand) < _AHEAD and (task := self._next()) is not None:
                self._give(seat, task)
        yield from answers

    def _replace(self, seat: _Seat) -> Iterator[Done]:
        """The process died: the first task in its hand may be the cause, the others are not."""
        ready = seat.node.isolation is not None
        self.selector.unregister(seat.node)
        seat.node.close()
        self.seats.remove(seat)
        if not ready:
            self.failed_starts += 1
            if self.failed_starts >= _STARTS_IN_A_ROW:
                raise UngradedError(
                    "the process that grades ends before it is ready, time and again: try `grade doctor`"
                )
        elif seat.in_hand:
            first = seat.in_hand[0]
            self.trials[first.number] = self.trials.get(first.number, 0) + 1
            if self.trials[first.number] >= _TRIALS:
                seat.in_hand.popleft()
                del self.trials[first.number]
                reason = "the process that grades it was ended twice while it did"
                yield Done(first.number, (), 0, reason)
        self.again.extend(seat.in_hand)
        if (task := self._next()) is not None:
            self._seat([task])
