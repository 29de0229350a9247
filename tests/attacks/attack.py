"""What an attack is, and what it must not achieve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grader.course
from grader.result import Verdict

RIGHT_ANSWERS = Path(__file__).resolve().parents[2] / "examples" / "all_right"


@dataclass(frozen=True)
class Attack:
    """A submission that tries something.

    Args:
        name: in a few words, snake_case: it becomes the test's id.
        files: what is handed in, by path; right answers to other exercises are put beside it.
        make: instead of `files`: writes into an empty folder, and returns what of it is to be handed in.
        full_marks: exercises that `make` answers rightly, in whatever wrapping: they must score full, and all
            others must earn nothing.
        deserves: the points that honest tests give it all the same, by exercise; nothing for all others in
            `files`.
        verdicts: what may come of the exercises attacked with; any that is no pass where empty.
        findings: kinds of findings that must be reported.
        exit_code: what the command has to end with: 1, or 2 where the submission cannot be read at all.
        never_shown: texts that may be in nothing that the command prints or writes.
        patient: it takes seconds, for it has to run into a limit.
        known_limit: why it succeeds all the same; the README's list of known limits says so, too.
    """

    name: str
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    make: Callable[[Path], Path] | None = None
    full_marks: frozenset[str] = frozenset()
    deserves: Mapping[str, float] = field(default_factory=dict)
    verdicts: frozenset[Verdict] = frozenset()
    findings: frozenset[str] = frozenset()
    exit_code: int = 1
    never_shown: tuple[str, ...] = ()
    patient: bool = False
    known_limit: str = ""

    @property
    def attacked(self) -> frozenset[str]:
        """The exercises for which it hands something in."""
        return frozenset(Path(name).stem for name in self.files)

    def hand_in(self, folder: Path) -> Path:
        """Write it, with right answers to two other exercises beside, and return what is to be submitted."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.make is not None:
            return self.make(folder)
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        for exercise in NEIGHBOURS - self.attacked:
            (folder / f"{exercise}.py").write_text(right_answer(exercise), encoding="utf-8")
        return folder


NEIGHBOURS = frozenset({"conv_output_size", "perplexity"})
"""Exercises that are answered rightly beside the attack: one before, one after `softmax` in the course."""


def right_answer(exercise: str) -> str:
    """A right answer to an exercise, as source."""
    (found,) = RIGHT_ANSWERS.rglob(f"{exercise}.py")
    return found.read_text(encoding="utf-8")


def course_root() -> Path:
    """The shipped course."""
    return grader.course.load_course(None).root
