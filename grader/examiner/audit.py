"""Is a suite worth its name? The reference scores full, the stub nothing, wrong answers and mutants fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from grader.course.load import Exercise
from grader.course.mutants import Mutant, mutants_of
from grader.examiner.conversation import Clock, Conversation
from grader.examiner.grading import Grading


@dataclass(frozen=True)
class Audit:
    """What became of one exercise's suite."""

    exercise: str
    tests: int
    reference: str
    """The reference's verdict; it should be "passed"."""
    stub: str
    """The stub's verdict; it should be "not_attempted"."""
    wrong_answers: int
    passing: tuple[str, ...]
    """Misconceptions that the suite lets through."""
    misdiagnosed: tuple[tuple[str, str], ...]
    """Misconceptions that were not recognised as themselves, and what was said instead."""
    mutants: int
    survivors: tuple[str, ...]
    """Mutants that pass the suite and are not listed as equivalent."""
    equivalent: int
    stale: tuple[str, ...]
    """Mutants listed as equivalent that are none, or that the suite kills."""

    @property
    def good(self) -> bool:
        """Whether there is nothing to mend."""
        return (
            self.reference == "passed"
            and self.stub == "not_attempted"
            and not (self.passing or self.misdiagnosed or self.survivors or self.stale)
        )

    @property
    def killed(self) -> int:
        """How many mutants fail the suite, the equivalent ones left out."""
        return self.mutants - self.equivalent - len(self.survivors)


# A mutant that loops for ever is as dead as one that fails: no need to wait long for it.
_MUTANT_CALL_SECONDS = 2.0


def audit(
    grading: Grading,
    exercise: Exercise,
    *,
    mutants: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Audit:
    """Audit one exercise's suite.

    Args:
        grading: with the exercise's suite collected.
        exercise: what to audit.
        mutants: False leaves the mutants out, which take most of the time.
        progress: told what is being tried.
    """
    progress("reference and stub")
    reference = grading.grade(exercise, exercise.reference_source)
    stub = grading.grade(exercise, exercise.stub_source)
    passing, misdiagnosed = [], []
    for wrong in exercise.wrong_answers:
        progress(wrong.misconception)
        result = grading.grade(exercise, wrong.source)
        said = "nothing" if result.diagnosis is None else result.diagnosis.misconception
        if result.verdict == "passed":
            passing.append(wrong.misconception)
        elif said not in (wrong.misconception, wrong.zh):
            misdiagnosed.append((wrong.misconception, said))
    tried: tuple[Mutant, ...] = mutants_of(exercise.reference_source) if mutants else ()
    alive = []
    for n, mutant in enumerate(tried):
        progress(f"mutant {n + 1} of {len(tried)}")
        if survives(grading, exercise, mutant.source):
            alive.append(mutant.key)
    listed = {entry.mutant for entry in exercise.manifest.equivalent}
    return Audit(
        exercise=exercise.id,
        tests=len(grading.session.tests(exercise)),
        reference=reference.verdict,
        stub=stub.verdict,
        wrong_answers=len(exercise.wrong_answers),
        passing=tuple(passing),
        misdiagnosed=tuple(misdiagnosed),
        mutants=len(tried),
        survivors=tuple(key for key in alive if key not in listed),
        equivalent=len(listed & set(alive)),
        stale=tuple(sorted(listed - set(alive))) if mutants else (),
    )


def survives(grading: Grading, exercise: Exercise, source: str) -> bool:
    """Whether a changed reference passes every test. It runs in a worker: it may loop or crash."""
    seconds = min(exercise.limits.call_seconds, _MUTANT_CALL_SECONDS)
    short = replace(
        exercise,
        limits=exercise.limits.model_copy(update={"call_seconds": seconds, "exercise_seconds": 2 * seconds}),
    )
    clock = Clock(2 * seconds)
    candidate = Conversation(
        lambda: grading.open_worker(short, clock), source, exercise.id, exercise.props_source
    )
    try:
        candidate.load()
    except Exception:
        return False
    try:
        runs = grading.session.run(exercise, candidate, until_failure=True)
    finally:
        candidate.close()
    return all(run.error is None for run in runs)
