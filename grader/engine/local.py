"""Gradings on this machine: one forkserver, one pytest session, submission after submission."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from grader.course.load import Course, Exercise
from grader.course.model import Language
from grader.engine.summary import Summary, not_graded, not_handed_in
from grader.errors import GraderError, IsolationError, UngradedError, WorkerStartError
from grader.result import ExerciseResult, GradingResult
from grader.worker.advice import refusal
from grader.worker.launch import LaunchOptions, WorkerLimits, open_workers

if TYPE_CHECKING:
    from grader.examiner.cases import Case
    from grader.examiner.conversation import Clock, Port
    from grader.examiner.grading import Grading
    from grader.submission.intake import Submission

_Result = TypeVar("_Result")

# For one list of ops, on two small sets of inputs; the last for all of them together.
_REPLAY_SECONDS = 2.0
_REPLAY_MEMORY_MB = 128
_REPLAYS_CPU_SECONDS = 3600.0


@dataclass(frozen=True)
class Setting:
    """How gradings are to be done."""

    device: str = "cpu"
    seed: str = "practice"
    language: Language = "en"
    walls: bool = True
    bubblewrap: bool = True
    fork: bool = sys.platform == "linux"


class LocalEngine:
    """Grades on this machine. Use `run`, which holds the worker process and the suites open.

    The forkserver is started first and imports torch while this process does the same.
    """

    def __init__(self, course: Course, exercises: Sequence[Exercise], setting: Setting) -> None:
        self.course = course
        self.exercises = tuple(exercises)
        self.setting = setting
        self.isolation = 0
        self._close_replay: Callable[[], None] = lambda: None
        limits = course.manifest.limits
        self.limits = WorkerLimits(
            call_seconds=limits.call_seconds,
            exercise_seconds=limits.exercise_seconds,
            memory_mb=limits.memory_mb,
            message_mb=limits.message_mb,
            handles=limits.handles,
        )
        self.forkserver = open_workers(
            LaunchOptions(
                walls=setting.walls,
                bubblewrap=setting.bubblewrap,
                fork=setting.fork,
                warm=tuple(sorted({kind for exercise in exercises for kind in exercise.manifest.warm})),
                packages=course.manifest.course.packages,
                device=setting.device,
                limits=self.limits,
                hidden=course.hidden,
            )
        )

    def run(self, body: Callable[[OpenEngine], _Result]) -> _Result:
        """Start everything, call `body`, and take everything down.

        Raises:
            IsolationError: fewer walls stand than the course asks for.
            WorkerStartError, SuiteError: the grader cannot work.
        """
        # What is imported from here on stays: the collector would walk it over and over, and find nothing.
        gc.disable()
        with self.forkserver:
            # torch is imported from here on, while the worker process imports its own.
            from grader.examiner.bench import Bench
            from grader.examiner.grading import Grading
            from grader.examiner.session import Session, with_suites

            bench = Bench(secret=self.setting.seed, device=self.setting.device)

            def graded(session: Session) -> _Result:
                self.forkserver.ready()
                if self.setting.walls:
                    isolation = self.forkserver.probe()
                    self.isolation = isolation.level
                    minimum = self.course.manifest.course.minimum_isolation
                    if self.isolation < minimum:
                        raise IsolationError(refusal(isolation, minimum))
                grading = Grading(
                    session,
                    self.open_worker,
                    language=self.setting.language,
                    message_bytes=self.limits.message_mb << 20,
                    for_marks=self.setting.walls and self.course.manifest.course.feedback != "full",
                    open_replay=self.open_replay
                    if self.setting.walls and self.setting.device == "cpu"
                    else None,
                )
                self._close_replay = grading.close_replay
                try:
                    return body(OpenEngine(self, grading))
                finally:
                    grading.close_replay()

            return with_suites(self.exercises, bench, graded)

    def open_worker(self, exercise: Exercise, clock: Clock) -> Port:
        """A fresh worker for an exercise."""
        from grader.examiner.conversation import WorkerPort

        limits = replace(
            self.limits,
            call_seconds=exercise.limits.call_seconds,
            exercise_seconds=exercise.limits.exercise_seconds,
            memory_mb=exercise.limits.memory_mb,
            message_mb=exercise.limits.message_mb,
            handles=exercise.limits.handles,
        )
        kernel = {"memory_mb": limits.memory_mb, "cpu_seconds": limits.exercise_seconds}
        wire = {"message_mb": limits.message_mb, "handles": limits.handles}
        try:
            worker = self.forkserver.spawn(limits=kernel, wire=wire)
        except WorkerStartError:
            # The forkserver died, which no student's code can bring about: once more with a new one.
            self._close_replay()
            self.forkserver.close()
            worker = self.forkserver.spawn(limits=kernel, wire=wire)
        return WorkerPort(worker, limits, clock)

    def open_replay(self) -> Port:
        """A walled worker that runs what other workers recorded; one serves for many submissions."""
        from grader.examiner.conversation import Clock, WorkerPort

        limits = replace(self.limits, call_seconds=_REPLAY_SECONDS, memory_mb=_REPLAY_MEMORY_MB)
        kernel = {"memory_mb": limits.memory_mb, "cpu_seconds": _REPLAYS_CPU_SECONDS}
        try:
            worker = self.forkserver.spawn(limits=kernel, replay=True)
        except WorkerStartError:
            self.forkserver.close()
            worker = self.forkserver.spawn(limits=kernel, replay=True)
        return WorkerPort(worker, limits, Clock(math.inf))


class OpenEngine:
    """An engine with its suites collected and its worker process ready."""

    def __init__(self, engine: LocalEngine, grading: Grading) -> None:
        self.engine = engine
        self.grading = grading
        self.summary = Summary(engine.course, engine.setting.device)

    def grade_exercise(self, exercise: Exercise, submission: Submission) -> ExerciseResult:
        """Grade one exercise of a submission. One that the grader stumbles over is not graded, and costs no other."""
        try:
            return self._grade_exercise(exercise, submission)
        except UngradedError as error:
            return not_graded(exercise, error.message)
        except GraderError:
            raise
        except Exception as error:
            # Its text is not for the student's eyes: hidden inputs may be in it.
            return not_graded(
                exercise, f"the grader stumbled ({type(error).__name__}): this is a fault of torchgrade"
            )

    def _grade_exercise(self, exercise: Exercise, submission: Submission) -> ExerciseResult:
        from grader.submission.scan import scan

        answer = submission.answers.get(exercise.id)
        source = None if answer is None else answer.source
        return self.grading.grade(
            exercise,
            source,
            findings=() if source is None else scan(source, exercise),
            unreadable=None if answer is None else answer.unreadable,
            refuse=self.engine.course.manifest.course.forbidden == "refuse",
        )

    def grade(
        self,
        submission: Submission,
        student: str,
        graded: Callable[[ExerciseResult], None] = lambda _: None,
    ) -> GradingResult:
        """Grade a whole submission: every exercise of the course, handed in or not.

        Args:
            submission: what was handed in.
            student: whose it is.
            graded: called with each exercise's result as it comes.
        """
        engine = self.engine
        results = []
        for exercise in engine.course.exercises:
            if exercise in engine.exercises:
                result = self.grade_exercise(exercise, submission)
            else:
                result = not_handed_in(exercise)
            graded(result)
            results.append(result)
        return self.summary.of(
            results,
            student=student,
            digest=submission.digest,
            seed=self.grading.session.bench.secret,
            isolation=engine.isolation,
        )

    def cases(self, exercise: Exercise, source: str) -> Iterator[Case]:
        """The hidden tests that an answer fails, made again: what was called, what came, what was expected."""
        from grader.examiner.cases import cases

        return cases(self.grading.session, exercise, self.grading.candidate(exercise, source))

    def reseed(self, secret: str) -> None:
        """Draw the hidden inputs of what is graded from here on from another secret."""
        self.grading.reseed(secret)
