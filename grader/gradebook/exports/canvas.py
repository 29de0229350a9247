"""Canvas: a gradebook file for import, with one assignment, made from the gradebook that an instructor downloaded.

Canvas finds a student by `ID`, then by the SIS columns, then by name; an assignment by the number in its header,
then by its title, and else offers to make a new one. Assignments that are not in the file stay as they are, so only
one is. An empty cell would take a score away: where there is no mark, the cell stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.errors import UsageError, did_you_mean
from grader.gradebook.exports.matching import Key, Line, folded, match, name_key
from grader.gradebook.exports.numbers import OutOf, is_whole, read_points, scaled, target, written
from grader.gradebook.exports.outcome import NOT_WHOLE, Export, LeftOut
from grader.gradebook.exports.sheet import Sheet, quoted
from grader.gradebook.marks import Mark
from grader.submission.shown import for_csv_cell

__all__ = ["gradebook_csv"]

_IDENTITY: Final = (
    "Student",
    "LastName",
    "FirstName",
    "ID",
    "SIS User ID",
    "SIS Login ID",
    "Integration ID",
    "Root Account",
    "Section",
)
_NAMES: Final = ("Student", "LastName", "FirstName")
_POINTS_POSSIBLE: Final = "Points Possible"
_POSTING: Final = re.compile(r"\s*(?:Muted|Manual Posting.*)?\s*\Z", re.IGNORECASE | re.DOTALL)
_WITH_ID: Final = re.compile(r"(?P<title>.*?)\s*\((?P<id>\d+)\)\Z", re.DOTALL)
_COMPUTED: Final = re.compile(
    r"(?:Current|Final) (?:Score|Points|Grade)|Override (?:Score|Grade|Status)", re.IGNORECASE
)
"""Canvas passes over a column with any of these in its header."""

_TEST_STUDENT: Final = "student, test"


@dataclass(frozen=True, slots=True)
class _Target:
    """The column that is filled in: its header, where it stands in the instructor's file, and its maximum."""

    header: str
    at: int | None
    possible: float | None


def gradebook_csv(
    gradebook: bytes,
    marks: Iterable[Mark],
    assignment: str,
    *,
    out_of: OutOf = "platform",
    encoding: str | None = None,
) -> Export:
    """A file that Canvas imports as it is.

    Args:
        gradebook: the file that Canvas exported.
        marks: one for each student.
        assignment: an assignment of the file, by its title, its number, or both as in "torchgrade (1234)"; or a
            title that no assignment has, for a new one.
        out_of: what full marks are worth; by default the points possible that the file tells, and for a new
            assignment the course's own points.
        encoding: of the file, where it is not UTF-8.

    Raises:
        UsageError: the file is no gradebook of Canvas, or the assignment is not clear.
    """
    sheet = Sheet.read(gradebook, encoding=encoding, shown_as="the gradebook")
    places = _identity_columns(sheet)
    header, *rest = [[cell.value for cell in row] for row in sheet.rows]
    possible = next((row for row in rest if _POINTS_POSSIBLE in row[0]), [])
    students = [row for row in rest if _POINTS_POSSIBLE not in row[0] and not all(map(_POSTING.match, row))]
    column = _target(header, max(places.values()) + 1, possible, assignment)

    def said(row: Sequence[str], at: int | None) -> str:
        return row[at] if at is not None and at < len(row) else ""

    lines = [
        Line(
            at,
            {name: said(row, place) for name, place in places.items()}
            | {"name": name_key(_name(row, places))},
        )
        for at, row in enumerate(students)
    ]
    all_marks = list(marks)
    left_out = [LeftOut(mark, NOT_WHOLE) for mark in all_marks if not is_whole(mark)]
    matches = match([mark for mark in all_marks if is_whole(mark)], lines, _KEYS)
    left_out += matches.left_out
    full = target(out_of, column.possible or None)
    written_possible = said(possible, column.at)
    if column.at is None:
        most = max((mark.max_score for mark in all_marks), default=0.0)
        written_possible = written(full if full is not None else most)
    rows: list[list[str]] = []
    unmarked: list[str] = []
    count = 0
    for at, row in enumerate(students):
        before = said(row, column.at)
        mark = matches.marks.get(at)
        why = _refused(before) if mark is not None else ""
        if mark is not None and not why:
            score = written(scaled(mark.score, mark.max_score, full))
            count += 1
        else:
            score = before
        if mark is not None and why:
            left_out.append(LeftOut(mark, why))
        if mark is None and folded(_name(row, places)) != _TEST_STUDENT:
            unmarked.append(_name(row, places) or said(row, places["ID"]))
        rows.append([*_identity(row, places), score])
    top = [*places, column.header]
    second = [f"    {_POINTS_POSSIBLE}", *[""] * (len(places) - 1), written_possible]
    text = "".join(
        sheet.delimiter.join(quoted(cell, sheet.delimiter) for cell in row) + "\r\n"
        for row in (top, second, *rows)
    )
    # Canvas takes a byte order mark for a part of the first header, which must be `LastName` to the letter.
    plain = Sheet(text, b"" if "LastName" in places else sheet.bom, sheet.encoding, sheet.delimiter, ())
    notes = [*matches.notes, *_notes(column, all_marks, full)]
    return Export(plain.encoded(text), count, tuple(left_out), tuple(unmarked), tuple(notes))


_KEYS: Final = (
    Key(lambda mark: mark.student.number("canvas_user"), ("ID",)),
    Key(lambda mark: mark.student.number("sid"), ("SIS User ID",)),
    Key(
        lambda mark: "" if mark.student.number("canvas_user") else mark.student.id,
        ("SIS User ID", "SIS Login ID", "ID"),
    ),
    Key(lambda mark: mark.student.email, ("SIS Login ID",)),
    Key(
        lambda mark: (
            "" if mark.student.number("canvas_user") else name_key(mark.student.name or mark.student.id)
        ),
        ("name",),
        is_exact=False,
    ),
)


def _identity_columns(sheet: Sheet) -> dict[str, int]:
    """The columns that say who a student is, in Canvas's own order, which is the file's."""
    header = [cell.value.strip() for cell in sheet.rows[0]] if sheet.rows else []
    places = {name: header.index(name) for name in _IDENTITY if name in header}
    named = "Student" in places or {"LastName", "FirstName"} <= places.keys()
    if not (named and "ID" in places and "Section" in places):
        seen = ", ".join(repr(name[:40]) for name in header[:8]) or "nothing"
        raise UsageError(
            f"the gradebook has no columns Student, ID and Section: it begins with {seen}; export it from Canvas "
            "(Gradebook, Export) and name that file"
        )
    return dict(sorted(places.items(), key=lambda place: place[1]))


def _target(header: Sequence[str], first: int, possible: Sequence[str], wanted: str) -> _Target:
    """The assignment that is meant.

    Raises:
        UsageError: several are meant; or none, and a new one cannot be called so.
    """
    wanted = wanted.strip()
    known = {
        at: name
        for at, name in enumerate(header)
        if at >= first and name.strip() and not _COMPUTED.search(name) and not _is_read_only(possible, at)
    }
    asked = _WITH_ID.match(wanted)
    found = [at for at, name in known.items() if name.strip() == wanted]
    if not found:
        number = asked["id"] if asked else wanted
        found = [at for at, name in known.items() if (has := _WITH_ID.match(name)) and has["id"] == number]
    if not found and not asked:
        found = [at for at, name in known.items() if folded(_title(name)) == folded(wanted)]
    if len(found) > 1:
        several = ", ".join(repr(known[at]) for at in found)
        raise UsageError(f"several assignments are called {wanted!r}: {several}; name one by its number")
    if found:
        (at,) = found
        return _Target(known[at], at, read_points(possible[at]) if at < len(possible) else None)
    if asked or wanted.isdecimal():
        raise UsageError(
            f"the gradebook has no assignment {wanted!r}: {did_you_mean(wanted, list(known.values()))}; a new one is "
            "named without a number"
        )
    if not wanted or _COMPUTED.search(wanted) or wanted in _IDENTITY:
        raise UsageError(f"Canvas passes over a column called {wanted!r}: name the assignment otherwise")
    return _Target(for_csv_cell(wanted), None, None)


def _is_read_only(possible: Sequence[str], at: int) -> bool:
    return at < len(possible) and "read only" in possible[at]


def _title(header: str) -> str:
    has = _WITH_ID.match(header)
    return has["title"] if has else header


def _name(row: Sequence[str], places: Mapping[str, int]) -> str:
    parts = [row[places[name]].strip() for name in _NAMES if name in places and places[name] < len(row)]
    name = ", ".join(part for part in parts if part)
    # So Canvas writes a name that begins with a sign of equality.
    return name[2:-1] if name.startswith('="') and name.endswith('"') else name


def _identity(row: Sequence[str], places: Mapping[str, int]) -> list[str]:
    """Who a student is, for Canvas to read.

    Where `ID` is there, Canvas looks at nothing else: then names, which students may choose themselves, are made
    fit for a spreadsheet. Where it is not, they stay as they are, since Canvas must find them again.
    """
    cells = [row[at] if at < len(row) else "" for at in places.values()]
    has_id = bool(cells[list(places).index("ID")].strip())
    return [
        for_csv_cell(cell) if has_id and name != "ID" else cell
        for name, cell in zip(places, cells, strict=True)
    ]


def _refused(before: str) -> str:
    """Why a score is not filled in."""
    if before.strip().casefold() == "ex":
        return "is excused in Canvas, and stays so"
    if before.strip().casefold() == "n/a":
        return "does not have this assignment in Canvas: assign it to her"
    return ""


def _notes(column: _Target, marks: Sequence[Mark], full: float | None) -> list[str]:
    notes = []
    if column.at is None:
        notes.append(f"{column.header} is a new assignment: Canvas asks for it when the file is uploaded")
    for most in sorted({mark.max_score for mark in marks}):
        if full is not None and most != full:
            notes.append(f"points are scaled from {written(most)} to {written(full)}")
    return notes
