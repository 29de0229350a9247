"""Which known misconception does this code have? Found by behaviour, never by reading the source.

Each wrong answer is run on the very inputs on which the submission failed, with the same seeds. Whoever
answers all of it alike, gradients included, has the same misconception.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from grader.course.load import Exercise
from grader.course.wrong_answers import WrongAnswer
from grader.examiner.bench import converse_locally
from grader.examiner.conversation import same_reply
from grader.examiner.session import Run, Session
from grader.wire import WireLimits


@dataclass
class Diagnostician:
    """Runs wrong answers, and remembers what they answered: the inputs are the same for a whole run."""

    session: Session
    limits: WireLimits = field(default_factory=WireLimits)
    _known: dict[tuple[str, str, int], dict[str, Run]] = field(default_factory=dict)

    def forget(self) -> None:
        """Let go of what is remembered: other inputs come."""
        self._known.clear()

    def diagnose(self, exercise: Exercise, runs: list[Run]) -> WrongAnswer | None:
        """The wrong answer that behaves as these runs do, if one does so more than any other.

        It has to account for at least half of the tests that failed: who has this misconception may have made
        another mistake besides.
        """
        failed = [run for run in runs if run.error is not None]
        alike = [self._alike(exercise, n, failed) for n in range(len(exercise.wrong_answers))]
        most = max(alike, default=0)
        if not most or 2 * most < len(failed):
            return None
        candidates = [n for n, count in enumerate(alike) if count == most]
        if len(candidates) > 1:
            # Alike where both fail: the tests that passed may tell them apart.
            counts = {n: self._alike(exercise, n, runs) for n in candidates}
            most = max(counts.values())
            candidates = [n for n, count in counts.items() if count == most]
        return exercise.wrong_answers[candidates[0]] if len(candidates) == 1 else None

    def _alike(self, exercise: Exercise, number: int, runs: list[Run]) -> int:
        """On how many of the tests a wrong answer does the same as the submission."""
        return sum(self._same(self._run_of(exercise, number, run.name), run) for run in runs)

    def _same(self, theirs: Run, ours: Run) -> bool:
        return (
            (theirs.error is None) == (ours.error is None)
            and len(theirs.transcript) == len(ours.transcript)
            and all(
                same_reply(a, b, self.limits) for a, b in zip(theirs.transcript, ours.transcript, strict=True)
            )
        )

    def _run_of(self, exercise: Exercise, number: int, test: str) -> Run:
        known = self._known.setdefault((self.session.bench.secret, exercise.id, number), {})
        if test not in known:
            candidate = converse_locally(exercise, exercise.wrong_answers[number].source)
            (known[test],) = self.session.run(exercise, candidate, only=lambda name: name == test)
        return known[test]
