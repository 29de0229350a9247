"""Whose line in a platform's file a mark belongs to. What is not certain is not guessed."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from grader.gradebook.exports.outcome import LeftOut
from grader.gradebook.marks import Mark

__all__ = ["Key", "Line", "Matches", "folded", "match", "name_key", "same_name"]


@dataclass(frozen=True, slots=True)
class Line:
    """A student's line in a platform's file: what each kind of key is there, and her name."""

    index: int
    keys: Mapping[str, str]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """One way to find a line: what a mark says, in which of the line's keys. The stronger ways come first.

    `is_exact` is false for what can be the same by chance, a name say: then the match is told of.
    """

    of: Callable[[Mark], str]
    among: tuple[str, ...]
    is_exact: bool = True


@dataclass(frozen=True, slots=True)
class Matches:
    """Marks by the index of their line; what fits no line, or several; and what to look at."""

    marks: Mapping[int, Mark]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def match(
    marks: Iterable[Mark],
    lines: Sequence[Line],
    keys: Sequence[Key],
    contradicts: Callable[[Mark, Line], str] = lambda mark, line: "",
) -> Matches:
    """Find each mark's line.

    Args:
        marks: one for each student.
        lines: of the platform's file.
        keys: tried in turn, until one finds a line.
        contradicts: why a line that was found cannot be hers after all; empty if it can.
    """
    index: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        for kind, value in line.keys.items():
            if folded(value):
                index[kind, folded(value)].append(line)
    left_out: list[LeftOut] = []
    found: dict[int, list[tuple[Mark, bool]]] = defaultdict(list)
    for mark in marks:
        hers, why, is_exact = _line_of(mark, index, keys)
        why = why or (contradicts(mark, hers) if hers is not None else "")
        if hers is None or why:
            left_out.append(LeftOut(mark, why or "is not in the platform's file"))
        else:
            found[hers.index].append((mark, is_exact))
    by_line: dict[int, Mark] = {}
    notes: list[str] = []
    for at, claims in found.items():
        if len(claims) > 1:
            others = "two or more marks are for one line of the platform's file"
            left_out.extend(LeftOut(mark, others) for mark, _ in claims)
            continue
        ((mark, is_exact),) = claims
        by_line[at] = mark
        if not is_exact:
            notes.append(f"{LeftOut(mark, 'was found by name alone: look whether it is the right line')}")
    return Matches(by_line, tuple(left_out), tuple(notes))


def _line_of(
    mark: Mark, index: Mapping[tuple[str, str], list[Line]], keys: Sequence[Key]
) -> tuple[Line | None, str, bool]:
    for key in keys:
        value = folded(key.of(mark))
        if not value:
            continue
        lines = {line.index: line for kind in key.among for line in index.get((kind, value), ())}
        if len(lines) == 1:
            return next(iter(lines.values())), "", key.is_exact
        if lines:
            return None, f"fits {len(lines)} lines of the platform's file", key.is_exact
    return None, "", False


def folded(text: str) -> str:
    """The text without what does not tell two apart: case, width, spaces around it."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def name_key(name: str) -> str:
    """A name to find a line by: `Doe, Jane` is `Jane Doe`."""
    return " ".join(sorted(_words(name)))


def same_name(one: str, other: str) -> bool:
    """Whether two may be one name, as far as an archive's file names keep it.

    They have lost marks such as the one in `O'Hara`, and a group's name may stand before them. Where one of the
    two is not told, they may.
    """
    first, second = _words(one), _words(other)
    if not first or not second or set(first) <= set(second) or set(second) <= set(first):
        return True
    joined, other_joined = "".join(first), "".join(second)
    return joined.endswith(other_joined) or other_joined.endswith(joined)


def _words(name: str) -> list[str]:
    kept = (c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in folded(name))
    return "".join(kept).split()
