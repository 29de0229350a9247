"""A whole class, graded: each submission once, whatever happens in between.

The gradebook is the one truth. A submission counts as graded when its transaction is through; `results.jsonl`
is written from what the gradebook holds, so it can be lost, or half-written, and comes back with the next run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Protocol

from grader.course.load import Course, Exercise
from grader.course.model import Language
from grader.engine.keys import Keys, attempt_seed
from grader.engine.summary import Summary, not_graded, not_handed_in
from grader.engine.tasks import Done, Engine, Task
from grader.errors import SubmissionError
from grader.gradebook.store import Attempt, Gradebook, Known, Stored
from grader.result import GradingResult
from grader.submission.identity import Identity
from grader.submission.intake import Submission

__all__ = ["Batch", "Change", "Outcome"]


@dataclass(frozen=True, slots=True)
class Change:
    """An exercise that was graded before, and comes out otherwise now."""

    exercise: str
    before: float
    after: float
    was: str
    """The verdict before."""
    now: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one submission.

    Either `result` is there, or `problem` says why not; or both, where some exercises could not be graded.
    """

    student: Identity
    result: GradingResult | None
    line: str = ""
    """The result's bytes, without the end of the line."""
    problem: str = ""
    ungraded: bool = False
    """The problem is the grader's own."""
    notes: tuple[str, ...] = ()
    fresh: int = 0
    """Exercises that were graded now; the others' results were there."""
    changes: tuple[Change, ...] = ()


class Entry(Protocol):
    """What one student handed in."""

    @property
    def student(self) -> Identity:
        """Whose it is."""
        ...

    @property
    def submitted(self) -> datetime | None:
        """When it came, where that is known."""
        ...

    def read(self, exercises: Sequence[Exercise]) -> Submission:
        """Read it.

        Raises:
            SubmissionError: it cannot be read.
        """
        ...


@dataclass(frozen=True)
class _Pending:
    attempt: Attempt
    seed: str
    key: str
    keys: dict[str, str]
    known: dict[str, Known]
    before: Stored | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ready:
    """An outcome that waits to be told: there may be as many as students, so the result stays in the gradebook."""

    student: Identity
    attempt: Attempt | None = None
    notes: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    problem: str = ""

    def __call__(self, book: Gradebook) -> Outcome:
        stored = None if self.attempt is None else book.graded(self.attempt)
        if stored is None:
            return Outcome(self.student, None, problem=self.problem)
        return Outcome(self.student, stored.result, stored.line, notes=self.notes, changes=self.changes)


@dataclass
class Batch:
    """Grades the entries of a class."""

    course: Course
    gradebook: Gradebook
    engine: Engine
    secret: str
    device: str = "cpu"
    language: Language = "en"
    _pending: dict[int, _Pending] = field(default_factory=dict)
    _ready: deque[_Ready] = field(default_factory=deque)
    _previous: Attempt | None = None

    def __post_init__(self) -> None:
        self._keys = Keys(self.course, self.device, self.language)
        self._summary = Summary(self.course, self.device)
        self._minimum = self.course.manifest.course.minimum_isolation

    def run(self, entries: Iterable[Entry]) -> Iterator[Outcome]:
        """Grade what is not graded yet, and yield what became of each entry, as it comes.

        Raises:
            GraderError: nothing can be graded, or the gradebook cannot be written. What came before is kept.
        """
        tasks = self._tasks(entries)
        # What is known already is told at once, however much of it comes before the first thing to grade.
        for task in tasks:
            yield from self._take_ready()
            if task is not None:
                yield from self._grade(chain((task,), (later for later in tasks if later is not None)))
        yield from self._take_ready()

    def _grade(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        for done in self.engine.grade(tasks):
            yield from self._take_ready()
            yield self._finish(self._pending.pop(done.number), done)

    def _take_ready(self) -> Iterator[Outcome]:
        while self._ready:
            yield self._ready.popleft()(self.gradebook)

    def _tasks(self, entries: Iterable[Entry]) -> Iterator[Task | None]:
        for number, entry in enumerate(entries):
            yield self._task(number, entry)

    def _task(self, number: int, entry: Entry) -> Task | None:
        """What is to be graded of an entry; None where that is nothing."""
        try:
            submission = entry.read(self.course.exercises)
        except SubmissionError as error:
            attempt = Attempt(self.course.manifest.course.id, entry.student, "", entry.submitted)
            self._keep_in_order(attempt)
            self.gradebook.record_problem(attempt, error.message)
            self._ready.append(_Ready(entry.student, problem=error.message))
            return None
        answers = tuple(submission.answers.values())
        attempt = Attempt(
            self.course.manifest.course.id, entry.student, submission.digest, entry.submitted, answers
        )
        self._keep_in_order(attempt)
        seed = self._seed(attempt)
        key = self._keys.of_submission(answers, seed)
        before = self.gradebook.graded(attempt)
        if before is not None and before.key == key and before.result.isolation >= self._minimum:
            if before.problem:
                # It could not be graded again for a while; what counts is good once more.
                self.gradebook.record(attempt, key, before.result)
            self._ready.append(_Ready(entry.student, replace(attempt, answers=()), notes=submission.notes))
            return None
        keys = {answer.exercise: self._keys.of_answer(answer, seed) for answer in answers}
        found = self.gradebook.known(keys.values())
        known = {
            exercise: found[key]
            for exercise, key in keys.items()
            if key in found and found[key].isolation >= self._minimum
        }
        pending = _Pending(attempt, seed, key, keys, known, before, submission.notes)
        rest = tuple(answer for answer in answers if answer.exercise not in known)
        if not rest:
            made = self._finish(pending, Done(number, (), self._minimum))
            self._ready.append(_Ready(entry.student, replace(attempt, answers=()), made.notes, made.changes))
            return None
        self._pending[number] = pending
        return Task(number, seed, rest)

    def _keep_in_order(self, attempt: Attempt) -> None:
        """Several attempts of one student count in the order in which they come, whichever is graded first."""
        before, self._previous = self._previous, attempt
        if before is not None and before.student.id == attempt.student.id:
            self.gradebook.receive(before)

    def _seed(self, attempt: Attempt) -> str:
        if self.course.manifest.course.seed == "run":
            return self.secret
        return attempt_seed(self.secret, attempt.student.id, attempt.submission)

    def _finish(self, pending: _Pending, done: Done) -> Outcome:
        """Put the results together and let the gradebook have them."""
        attempt = pending.attempt
        fresh = {result.id: result for result in done.results}
        graded = {exercise: entry.result for exercise, entry in pending.known.items()} | fresh
        if done.failure:
            missing = (answer.exercise for answer in attempt.answers if answer.exercise not in graded)
            graded |= {
                exercise: not_graded(self.course.exercise(exercise), done.failure) for exercise in missing
            }
        results = [graded.get(exercise.id) or not_handed_in(exercise) for exercise in self.course.exercises]
        levels = [entry.isolation for entry in pending.known.values()]
        if fresh:
            levels.append(done.isolation)
        result = self._summary.of(
            results,
            student=attempt.student.id,
            digest=attempt.submission,
            seed=pending.seed,
            isolation=min(levels, default=self._minimum),
        )
        good = {
            pending.keys[exercise]: Known(found, done.isolation)
            for exercise, found in fresh.items()
            if not found.is_ungraded
        }
        changes = tuple(_changes(pending.before, result))
        if result.exit_code == 3:
            problem = "; ".join(_reasons(result))
            self.gradebook.record_problem(attempt, problem, good)
            return Outcome(
                attempt.student, result, result.to_json(), problem, True, pending.notes, len(fresh), changes
            )
        self.gradebook.record(attempt, pending.key, result, good)
        return Outcome(
            attempt.student,
            result,
            result.to_json(),
            notes=pending.notes,
            fresh=len(fresh),
            changes=changes,
        )


def _changes(before: Stored | None, now: GradingResult) -> Iterator[Change]:
    if before is None:
        return
    was = {exercise.id: exercise for exercise in before.result.exercises}
    for exercise in now.exercises:
        old = was.get(exercise.id)
        if old is not None and (old.score, old.verdict) != (exercise.score, exercise.verdict):
            yield Change(exercise.id, old.score, exercise.score, old.verdict, exercise.verdict)


def _reasons(result: GradingResult) -> Iterator[str]:
    for exercise in result.exercises:
        if exercise.is_ungraded:
            said = [test.message for test in exercise.tests if test.outcome == "ungraded"]
            said += [finding.message for finding in exercise.findings if finding.kind == "ungraded"]
            yield f"{exercise.id}: {said[0] if said else 'could not be graded'}"
