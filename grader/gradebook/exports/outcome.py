"""What an export comes back with: the file, and who is not in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.gradebook.marks import Mark
from grader.submission.shown import for_name

__all__ = ["NOT_WHOLE", "Export", "LeftOut"]

NOT_WHOLE = "the grader could not grade all of it: grade it again before its mark is passed on"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A mark that is not in the file, and why."""

    mark: Mark
    why: str

    def __str__(self) -> str:
        student = self.mark.student
        named = f"{student.id} ({student.name})" if student.name else student.id
        return f"{for_name(named)}: {self.why}"


@dataclass(frozen=True, slots=True)
class Export:
    """A file to upload. Nothing is lost silently: what is not in it stands beside it.

    `data` is the file's bytes; `written` counts the marks in it. `left_out` are marks that are not;
    `without_mark` names the students of the platform's file for whom there is none, whose lines are as they were;
    `notes` are for whoever uploads it.
    """

    data: bytes
    written: int
    left_out: tuple[LeftOut, ...] = ()
    without_mark: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def lines(self, most: int = 20) -> list[str]:
        """All of it for a terminal, a line each; of the two lists of students `most` at most."""
        lines = [f"{self.written} mark{'' if self.written == 1 else 's'} written"]
        if self.left_out:
            lines.append(f"{len(self.left_out)} not written:")
            lines.extend(_listed([str(left) for left in self.left_out], most))
        if self.without_mark:
            lines.append(
                f"{len(self.without_mark)} in the platform's file without a mark, left as they were:"
            )
            lines.extend(_listed([for_name(name) for name in self.without_mark], most))
        return [*lines, *self.notes]


def _listed(items: Sequence[str], most: int) -> list[str]:
    more = [f"  and {len(items) - most} more"] if len(items) > most else []
    return [f"  {item}" for item in items[:most]] + more
