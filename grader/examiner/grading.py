"""An exercise's answer in, its result out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from grader.course.load import Exercise
from grader.course.model import Language
from grader.course.stub import is_unedited
from grader.course.wrong_answers import WrongAnswer
from grader.errors import UngradedError, one_line
from grader.examiner.bench import converse_locally
from grader.examiner.context import seed_of
from grader.examiner.conversation import Clock, Conversation, Port, WorkerLost
from grader.examiner.diagnosis import Diagnostician
from grader.examiner.feedback import Feedback, context_of, explain, quote
from grader.examiner.known import KnownPaths, WalkingPort
from grader.examiner.ops import forbidden_ops, names_in_program
from grader.examiner.replay import DISAGREES, Recorded, Recording, Replayer
from grader.examiner.session import Run, Session
from grader.examiner.student import MissingName
from grader.examiner.student_errors import trace_of
from grader.result import Diagnosis, ExerciseResult, Finding, Outcome, TestResult, Verdict
from grader.submission.families import forbidden_names
from grader.wire import WireLimits
from grader.worker.recording import STOPPED

OpenWorker = Callable[[Exercise, Clock], Port]
"""A fresh walled worker for an exercise; its waiting is taken off the clock."""

# What was seen of the run that costs as much as a forbidden call in the source.
_COSTLY = ("forbidden_op", DISAGREES)

# As much as so many of the largest messages may be handed over in an exercise.
_MESSAGES = 8

# What a test's outcome makes of the exercise, the gravest first.
_GRAVE: Mapping[Outcome, Verdict] = {
    "ungraded": "ungraded",
    "memory": "memory",
    "timeout": "timeout",
    "crashed": "crashed",
}


@dataclass
class _Ran:
    """What became of each test of an answer, and what was made of that; kept for who answers the same."""

    runs: list[Run]
    candidate: Conversation
    seen: tuple[Finding, ...] | None = None
    diagnosed: bool = False
    wrong_answer: WrongAnswer | None = None


@dataclass
class Grading:
    """Grades exercise after exercise with the suites of one session."""

    session: Session
    open_worker: OpenWorker
    language: Language = "en"
    message_bytes: int = 32 << 20
    for_marks: bool = True
    """False for a learner's own eyes: then what her code said is shown as it is, hidden inputs and all."""
    open_replay: Callable[[], Port] | None = None
    """A walled worker that runs recorded ops; without it none are."""
    diagnostician: Diagnostician = field(init=False)
    replayer: Replayer | None = field(init=False, default=None)
    known: KnownPaths[_Ran] = field(init=False, default_factory=KnownPaths)
    _ops_of_references: dict[str, set[str]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.diagnostician = Diagnostician(self.session)
        if self.open_replay is not None:
            self.replayer = Replayer(self.open_replay, WireLimits(message_bytes=self.message_bytes))

    def reseed(self, secret: str) -> None:
        """Draw the hidden inputs from another secret; what is remembered of the last one's goes."""
        if secret != self.session.bench.secret:
            self.session.bench.secret = secret
            self.diagnostician.forget()
            self.known.forget()

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
            ran = self._run(exercise, source)
            if ran.seen is None:
                ran.seen = self._seen(exercise, ran.candidate, ran.runs)
        except UngradedError as error:
            return self._all_alike(exercise, "ungraded", Feedback("ungraded", error.message), findings)
        except Exception as error:
            said = self._explain(error, exercise, source, loading=True)
            verdict = _GRAVE.get(said.outcome, "error")
            message = f"your file could not be run, so no test was: {said.message}"
            return self._all_alike(exercise, verdict, Feedback(said.outcome, message), findings)
        findings += ran.seen
        costly = [finding for finding in ran.seen if finding.kind in _COSTLY]
        if refuse and costly:
            said = Feedback("failed", f"{costly[0].message} (seen in what it did, not in the source)")
            return self._all_alike(exercise, "forbidden", said, findings)
        return self._judge(exercise, source, ran, findings)

    def close_replay(self) -> None:
        """End the worker that runs recorded ops, if there is one; another comes when it is wanted again."""
        if self.replayer is not None:
            self.replayer.close()

    def _run(self, exercise: Exercise, source: str) -> _Ran:
        """Run the tests, unless it is known what becomes of them.

        Where the grader stumbled, or the system killed a worker, it is all done once more.

        Raises:
            UngradedError, or what came of loading the student's file.
        """
        watch = bool(exercise.forbidden)
        ran = self._run_undisturbed(exercise, source, watch) or self._run_once(exercise, source, watch)
        if watch and ran.seen is None and any(self._lacked_memory(run, exercise, source) for run in ran.runs):
            # The record of its ops takes memory, too, some kilobytes for each: that is not the student's doing.
            ops = ran.candidate.ops
            ran = self._run_once(exercise, source, watch=False)
            ran.candidate.ops |= ops
        return ran

    def _run_undisturbed(self, exercise: Exercise, source: str, watch: bool) -> _Ran | None:
        """The same; None where something came between that is not the student's doing."""
        try:
            ran = self._run_along_known_paths(exercise, source, watch)
        except UngradedError:
            return None
        except WorkerLost as lost:
            if lost.killed:
                return None
            raise
        return None if ran is None or ran.candidate.killed else ran

    def _run_along_known_paths(self, exercise: Exercise, source: str, watch: bool) -> _Ran | None:
        """Ask what was asked before, for as long as the answers are those of before; None where that fails."""
        candidate = self._watched(exercise, source, watch)
        try:
            candidate.load()
            assert candidate.port is not None
            candidate.port = port = WalkingPort(candidate.port)
            known = port.walk(self.known.begin(exercise.id, candidate.loaded))
            if known is not None:
                return known
            ran = _Ran(self.session.run(exercise, candidate), candidate)
            # Where a reply could not be read another worker has answered since, and what it said is no part of this.
            unbroken = candidate.port is port
        finally:
            candidate.close()
        if port.stale:
            return None
        if port.whole and unbroken:
            self.known.keep(exercise.id, candidate.loaded, port.said, ran)
        return ran

    def _run_once(self, exercise: Exercise, source: str, watch: bool) -> _Ran:
        candidate = self._watched(exercise, source, watch)
        try:
            candidate.load()
            return _Ran(self.session.run(exercise, candidate), candidate)
        finally:
            candidate.close()

    def _watched(self, exercise: Exercise, source: str, watch: bool) -> Conversation:
        candidate = self.candidate(exercise, source)
        candidate.watch = watch
        if self.replayer is not None and exercise.manifest.replay:
            candidate.recording = Recording(len(self.session.tests(exercise)), self._replay_seed(exercise))
        return candidate

    def _lacked_memory(self, run: Run, exercise: Exercise, source: str) -> bool:
        return run.error is not None and self._explain(run.error, exercise, source).outcome == "memory"

    def _replay_seed(self, exercise: Exercise) -> int:
        return seed_of(self.session.bench.secret, exercise.id, "replay")

    def _seen(self, exercise: Exercise, candidate: Conversation, runs: list[Run]) -> tuple[Finding, ...]:
        """What the ops of the run tell.

        Raises:
            UngradedError: there is no worker to run them again.
        """
        forbidden = forbidden_names(exercise.forbidden)
        recording, ops = candidate.recording, set(candidate.ops)
        if STOPPED in ops and isinstance(recording, Recording):
            # The other record has the parts of each op as well; but then it has itself to blame.
            ops.update(*(names_in_program(call.program) for call in recording.calls))
        found = forbidden_ops(ops, forbidden, frozenset())
        if found:
            # Rather an op that helps a cheat than one that no right answer can do without.
            found = forbidden_ops(ops, forbidden, self._ops_of_reference(exercise))
        decided = any(finding.kind == "forbidden_op" for finding in found)
        if decided or self.replayer is None or not isinstance(recording, Recording):
            return found
        replayed = self.replayer.finding(
            [call for call in recording.calls if _in_a_passed_test(call, runs)],
            self.session.bench.reference(exercise),
            self._replay_seed(exercise),
            forbidden,
            all_passed=all(run.error is None for run in runs),
        )
        return found if replayed is None else (*found, replayed)

    def _ops_of_reference(self, exercise: Exercise) -> set[str]:
        """What the reference, and what the suite has the worker do, run."""
        ops = self._ops_of_references.get(exercise.id)
        if ops is None:
            candidate = converse_locally(exercise, exercise.reference_source)
            candidate.watch = True
            self.session.run(exercise, candidate)
            ops = self._ops_of_references[exercise.id] = candidate.ops
        return ops

    def _explain(
        self, error: BaseException, exercise: Exercise, source: str, loading: bool = False
    ) -> Feedback:
        return explain(
            error,
            source,
            exercise.filename,
            exercise.limits.memory_mb,
            for_marks=self.for_marks,
            context=context_of(exercise),
            loading=loading,
        )

    def candidate(self, exercise: Exercise, source: str) -> Conversation:
        """A conversation with a student's answer, not begun yet, in walled workers."""
        message_bytes = exercise.limits.message_mb << 20
        clock = Clock(exercise.limits.exercise_seconds, _MESSAGES * message_bytes)
        return Conversation(
            lambda: self.open_worker(exercise, clock),
            source,
            exercise.id,
            exercise.props_source,
            limits=WireLimits(message_bytes=message_bytes),
        )

    def _judge(
        self, exercise: Exercise, source: str, ran: _Ran, findings: tuple[Finding, ...]
    ) -> ExerciseResult:
        runs = ran.runs
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
            message = said.message
            if not self.for_marks and run.printed.strip():
                message = f"{message} | it printed: {one_line(run.printed)}"
            tests.append(
                TestResult(name=run.name, points=points, earned=0.0, outcome=said.outcome, message=message)
            )
        failed = any(test.outcome in ("failed", "error") for test in tests)
        diagnosis = self._diagnosis(exercise, ran) if failed else None
        verdict = _verdict(tests)
        if all(isinstance(run.error, MissingName) for run in runs):
            verdict = "error"
        return _result(exercise, verdict, tuple(tests), findings, diagnosis)

    def _diagnosis(self, exercise: Exercise, ran: _Ran) -> Diagnosis | None:
        if not ran.diagnosed:
            ran.wrong_answer = self.diagnostician.diagnose(exercise, ran.runs)
            ran.diagnosed = True
        found = ran.wrong_answer
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


def _in_a_passed_test(call: Recorded, runs: list[Run]) -> bool:
    return any(run.error is None and any(reply is call.reply for reply in run.transcript) for run in runs)


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
