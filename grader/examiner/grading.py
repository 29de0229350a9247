"""An exercise's answer in, its result out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grader.course.load import Exercise
from grader.course.model import Language
from grader.course.stub import is_unedited
from grader.errors import UngradedError
from grader.examiner.bench import converse_locally
from grader.examiner.conversation import Clock, Conversation, Port
from grader.examiner.diagnosis import Diagnostician
from grader.examiner.feedback import Feedback, explain, quote
from grader.examiner.session import Run, Session
from grader.examiner.student import MissingName
from grader.examiner.student_errors import trace_of
from grader.result import Diagnosis, ExerciseResult, Finding, Outcome, TestResult, Verdict
from grader.wire import WireLimits

OpenWorker = Callable[[Exercise, Clock], Port]
"""A fresh walled worker for an exercise; its waiting is taken off the clock."""

# What a test's outcome makes of the exercise, the gravest first.
_GRAVE: Mapping[Outcome, Verdict] = {
    "ungraded": "ungraded",
    "memory": "memory",
    "timeout": "timeout",
    "crashed": "crashed",
}


@dataclass
class Grading:
    """Grades exercise after exercise with the suites of one session."""

    session: Session
    open_worker: OpenWorker
    language: Language = "en"
    message_bytes: int = 32 << 20
    for_marks: bool = True
    """False for a learner's own eyes: then what her code said is shown as it is, hidden inputs and all."""
    diagnostician: Diagnostician = field(init=False)

    def __post_init__(self) -> None:
        self.diagnostician = Diagnostician(self.session)

    def reseed(self, secret: str) -> None:
        """Draw the hidden inputs from another secret; what is remembered of the last one's goes."""
        if secret != self.session.bench.secret:
            self.session.bench.secret = secret
            self.diagnostician.forget()

    def grade(
        self,
        exercise: Exercise,
        source: str | None,
        findings: tuple[Finding, ...] = (),
        unreadable: str | None = None,
        refuse: bool = False,
    ) -> ExerciseResult:
        """Grade one answer.

        Args:
            exercise: what it is an answer to.
            source: the student's module; None where nothing was handed in.
            findings: what the scan of the source saw.
            unreadable: why the file could not be read as text at all.
            refuse: a forbidden call costs the exercise.
        """
        if unreadable is not None:
            return self._all_alike(exercise, "error", Feedback("error", unreadable), findings)
        if source is None or is_unedited(source, exercise.stub_source):
            return _result(exercise, "not_attempted", (), findings)
        forbidden = [finding for finding in findings if finding.kind == "forbidden_call"]
        if refuse and forbidden:
            where = "" if forbidden[0].line is None else f" (line {forbidden[0].line})"
            return self._all_alike(
                exercise, "forbidden", Feedback("failed", f"{forbidden[0].message}{where}"), findings
            )
        try:
            runs = self._runs(exercise, source)
        except UngradedError as error:
            return self._all_alike(exercise, "ungraded", Feedback("ungraded", error.message), findings)
        except Exception as error:
            said = self._explain(error, exercise, source)
            verdict = _GRAVE.get(said.outcome, "error")
            message = f"your file could not be run, so no test was: {said.message}"
            return self._all_alike(exercise, verdict, Feedback(said.outcome, message), findings)
        return self._judge(exercise, source, runs, findings)

    def _runs(self, exercise: Exercise, source: str) -> list[Run]:
        """What became of each test. Where the grader stumbled, all of it is done once more.

        Raises:
            UngradedError, or what came of loading the student's file.
        """
        try:
            return self._runs_once(exercise, source)
        except UngradedError:
            return self._runs_once(exercise, source)

    def _runs_once(self, exercise: Exercise, source: str) -> list[Run]:
        candidate = self._candidate(exercise, source)
        try:
            candidate.load()
            return self.session.run(exercise, candidate)
        finally:
            candidate.close()

    def _explain(self, error: BaseException, exercise: Exercise, source: str) -> Feedback:
        return explain(error, source, exercise.filename, exercise.limits.memory_mb, for_marks=self.for_marks)

    def _candidate(self, exercise: Exercise, source: str) -> Conversation:
        clock = Clock(exercise.limits.exercise_seconds)
        return Conversation(
            lambda: self.open_worker(exercise, clock),
            source,
            exercise.id,
            exercise.props_source,
            limits=WireLimits(message_bytes=self.message_bytes),
        )

    def _judge(
        self, exercise: Exercise, source: str, runs: list[Run], findings: tuple[Finding, ...]
    ) -> ExerciseResult:
        total = sum(run.weight for run in runs)
        if not total:
            said = Feedback("ungraded", "no test of this exercise can be run on this machine")
            return self._all_alike(exercise, "ungraded", said, findings)
        if all(_is_not_written(run.error, source) for run in runs):
            return _result(exercise, "not_attempted", (), findings)
        tests = []
        for run in runs:
            points = _rounded(exercise.points * run.weight / total)
            if run.error is None:
                tests.append(TestResult(name=run.name, points=points, earned=points, outcome="passed"))
                continue
            said = self._explain(run.error, exercise, source)
            if not said.students_fault and not self._reference_passes(exercise, run.name):
                said = Feedback(
                    "ungraded", f"this test fails on the reference as well ({type(run.error).__name__})"
                )
            tests.append(
                TestResult(
                    name=run.name, points=points, earned=0.0, outcome=said.outcome, message=said.message
                )
            )
        failed = any(test.outcome in ("failed", "error") for test in tests)
        diagnosis = self._diagnosis(exercise, runs) if failed else None
        verdict = _verdict(tests)
        if all(isinstance(run.error, MissingName) for run in runs):
            verdict = "error"
        return _result(exercise, verdict, tuple(tests), findings, diagnosis)

    def _diagnosis(self, exercise: Exercise, runs: list[Run]) -> Diagnosis | None:
        found = self.diagnostician.diagnose(exercise, runs)
        if found is None:
            return None
        if self.language == "zh":
            return Diagnosis(misconception=found.zh, hint=found.hint_zh)
        return Diagnosis(misconception=found.misconception, hint=found.hint)

    def _reference_passes(self, exercise: Exercise, test: str) -> bool:
        candidate = converse_locally(exercise, exercise.reference_source)
        return all(
            run.error is None for run in self.session.run(exercise, candidate, lambda name: name == test)
        )

    def _all_alike(
        self, exercise: Exercise, verdict: Verdict, said: Feedback, findings: tuple[Finding, ...]
    ) -> ExerciseResult:
        """A result in which one thing befell all tests."""
        listed = self.session.tests(exercise)
        total = sum(weight for _, weight in listed)
        tests = tuple(
            TestResult(
                name=name,
                points=_rounded(exercise.points * weight / total),
                earned=0.0,
                outcome=said.outcome,
                message=said.message,
            )
            for name, weight in listed
        )
        return _result(exercise, verdict, tests, findings)


def _is_not_written(error: BaseException | None, source: str) -> bool:
    """Whether a stub's own line raised: torch raises the same error, for a misspelt `forward` say."""
    trace = None if error is None else trace_of(error)
    return (
        trace is not None
        and trace.type_name == "NotImplementedError"
        and trace.type_name in quote(source, trace.line)
    )


def _verdict(tests: list[TestResult]) -> Verdict:
    outcomes = {test.outcome for test in tests}
    for outcome, verdict in _GRAVE.items():
        if outcome in outcomes:
            return verdict
    if outcomes <= {"passed"}:
        return "passed"
    return "partial" if "passed" in outcomes else "failed"


def _result(
    exercise: Exercise,
    verdict: Verdict,
    tests: tuple[TestResult, ...],
    findings: tuple[Finding, ...],
    diagnosis: Diagnosis | None = None,
) -> ExerciseResult:
    # All passed is the whole worth, whatever rounding did to its parts.
    earned = _rounded(sum(test.earned for test in tests))
    score = exercise.points if verdict == "passed" else min(earned, exercise.points)
    return ExerciseResult(
        id=exercise.id,
        topic=exercise.topic,
        score=score,
        max_score=exercise.points,
        verdict=verdict,
        tests=tests,
        diagnosis=diagnosis,
        findings=findings,
    )


def _rounded(points: float) -> float:
    return round(points, 6)
