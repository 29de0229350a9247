"""Moodle: the offline grading worksheet comes back with grades and feedback filled in.

Moodle finds a line by the number at the end of its identifier, and its columns by their headers in the language of
whoever uploads the file; it takes decimals with a point in every language. A line that is not filled in is not
changed. All else in the instructor's file stays as it was, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

from grader.course.model import Language
from grader.errors import UsageError
from grader.gradebook.exports.feedback_text import feedback_html
from grader.gradebook.exports.matching import Key, Line, folded, match, name_key, same_name
from grader.gradebook.exports.numbers import OutOf, is_whole, read_points, scaled, target, written
from grader.gradebook.exports.outcome import NOT_WHOLE, Export, LeftOut
from grader.gradebook.exports.sheet import Cell, Sheet
from grader.gradebook.marks import Mark

__all__ = ["Column", "fill_worksheet"]

Column = Literal[
    "identifier", "name", "email", "id_number", "grade", "max_grade", "scale", "changeable", "feedback"
]

_HEADERS: Final[Mapping[Column, frozenset[str]]] = {
    "identifier": frozenset({"identifier", "id", "标识符", "識別碼", "識別符"}),
    "name": frozenset({"full name", "vollständiger name", "全名", "姓名", "名字"}),
    "email": frozenset(
        {
            "email address",
            "e-mail-adresse",
            "email地址",
            "email 地址",
            "电子邮件地址",
            "电子邮件",
            "電子郵件信箱",
        }
    ),
    "id_number": frozenset({"id number", "id-nummer", "matrikelnummer", "学号", "id号", "學號", "身份证号"}),
    "grade": frozenset({"grade", "bewertung", "成绩", "成績", "分数", "分數"}),
    "max_grade": frozenset(
        {"maximum grade", "bestwertung", "höchstbewertung", "最高分", "最高成绩", "最高分數"}
    ),
    "scale": frozenset({"scale", "skala", "量表", "等级"}),
    "changeable": frozenset(
        {
            "grade can be changed",
            "bewertung kann geändert werden",
            "允许更改成绩",
            "成绩可以更改",
            "成績可以更改",
        }
    ),
    "feedback": frozenset(
        {
            "feedback comments",
            "feedback als kommentar",
            "反馈评论",
            "反馈意见",
            "反馈评语",
            "回饋評論",
            "評語",
            "评语",
        }
    ),
}
"""In English, German, and Chinese of both scripts; another language's are named by the instructor."""

_NEEDED: Final[tuple[Column, ...]] = ("identifier", "grade")
_NO: Final = frozenset({"no", "nein", "否"})
_NUMBER: Final = re.compile(r"\d+\Z")


def fill_worksheet(
    worksheet: bytes,
    marks: Iterable[Mark],
    *,
    titles: Mapping[str, str] | None = None,
    language: Language = "en",
    out_of: OutOf = "platform",
    feedback: bool = True,
    columns: Mapping[Column, str] | None = None,
    encoding: str | None = None,
) -> Export:
    """Fill in the worksheet that Moodle gave.

    Args:
        worksheet: the file as it was downloaded.
        marks: one for each student, as they are to be shown.
        titles: the exercises' by id.
        language: of the feedback.
        out_of: what full marks are worth; by default what the worksheet says of each line.
        feedback: whether comments are filled in; what stood there is then replaced.
        columns: headers by what they mean, where Moodle speaks another language.
        encoding: of the file, where it is not UTF-8.

    Raises:
        UsageError: the file is no worksheet, or is graded in words.
    """
    sheet = Sheet.read(worksheet, encoding=encoding, shown_as="the worksheet")
    found = _columns(sheet, columns or {})
    rows = sheet.rows[1:]

    def said(row: Sequence[Cell], column: Column) -> str:
        at = found.get(column)
        return row[at].value if at is not None and at < len(row) else ""

    lines = []
    for index, row in enumerate(rows):
        number = _NUMBER.search(said(row, "identifier").strip())
        keys = {
            "participant": number[0] if number else "",
            "email": said(row, "email"),
            "id_number": said(row, "id_number"),
            "name": name_key(said(row, "name")),
        }
        lines.append(Line(index, keys, said(row, "name")))
    all_marks = list(marks)
    left_out = [LeftOut(mark, NOT_WHOLE) for mark in all_marks if not is_whole(mark)]
    matches = match([mark for mark in all_marks if is_whole(mark)], lines, _KEYS, _contradicts)
    left_out += matches.left_out
    notes = list(matches.notes)
    filled: dict[Cell, str] = {}
    count = 0
    scales: set[tuple[float, float]] = set()
    for index, mark in sorted(matches.marks.items()):
        row = rows[index]
        most = read_points(said(row, "max_grade"))
        full = target(out_of, most or None)
        grade = scaled(mark.score, mark.max_score, full)
        why = _refused(row, found, said(row, "changeable"), grade, most)
        if why:
            left_out.append(LeftOut(mark, why))
            continue
        filled[row[found["grade"]]] = written(grade)
        if full is not None and full != mark.max_score:
            scales.add((mark.max_score, full))
        if feedback and "feedback" in found:
            filled[row[found["feedback"]]] = feedback_html(mark, titles or {}, language)
        count += 1
    if feedback and "feedback" not in found:
        notes.append(
            "the worksheet has no column for feedback: switch on feedback comments in the assignment's settings to "
            "have it"
        )
    notes += [
        f"points are scaled from {written(points)} to {written(full)}" for points, full in sorted(scales)
    ]
    unmarked = tuple(_called(lines[at]) for at in range(len(rows)) if at not in matches.marks)
    return Export(sheet.filled(filled), count, tuple(left_out), unmarked, tuple(notes))


_KEYS: Final = (
    Key(lambda mark: mark.student.number("moodle_participant"), ("participant",)),
    Key(lambda mark: mark.student.number("sid"), ("id_number",)),
    Key(lambda mark: mark.student.email, ("email",)),
    # Where Moodle numbered her, her id is that number, which may be another student's number elsewhere.
    Key(
        lambda mark: "" if mark.student.number("moodle_participant") else mark.student.id,
        ("id_number", "email"),
    ),
    Key(
        lambda mark: (
            ""
            if mark.student.number("moodle_participant")
            else name_key(mark.student.name or mark.student.id)
        ),
        ("name",),
        is_exact=False,
    ),
)


def _contradicts(mark: Mark, line: Line) -> str:
    """Moodle numbers participants for each assignment anew: a worksheet of another one has other people's numbers."""
    student = mark.student
    if not student.number("moodle_participant") or same_name(student.name, line.name):
        return ""
    return f"the worksheet calls this participant {line.name}: is it the worksheet of another assignment?"


def _refused(
    row: Sequence[Cell], found: Mapping[Column, int], changeable: str, grade: float, most: float | None
) -> str:
    """Why a grade cannot be filled in; Moodle would pass over it and say nothing."""
    if max(found["grade"], found.get("feedback", 0)) >= len(row):
        return "its line in the worksheet is too short"
    if folded(changeable) in _NO:
        return "Moodle has locked its grade: unlock it in the gradebook"
    if most is not None and grade > most:
        return f"{written(grade)} points are more than the {written(most)} that the worksheet allows"
    return ""


def _columns(sheet: Sheet, named: Mapping[Column, str]) -> dict[Column, int]:
    headers = [folded(cell.value) for cell in sheet.rows[0]] if sheet.rows else []
    found: dict[Column, int] = {}
    for column, known in _HEADERS.items():
        wanted = {folded(named[column])} if column in named else known
        places = [at for at, header in enumerate(headers) if header in wanted]
        if places:
            found[column] = places[0]
        elif column in named:
            raise UsageError(f"the worksheet has no column {named[column]!r}: it has {_listed(sheet)}")
    if "identifier" not in found and headers and _are_identifiers(sheet):
        found["identifier"] = 0
    missing = [column for column in _NEEDED if column not in found]
    if missing:
        raise UsageError(
            f"the worksheet has no column for the {' and the '.join(missing)}: it has {_listed(sheet)}; download it "
            "with Moodle in English, German or Chinese, or name its columns"
        )
    if "scale" in found and "max_grade" not in found:
        raise UsageError(
            "the assignment is graded in words, not points: set its grade type to Point in Moodle"
        )
    return found


def _are_identifiers(sheet: Sheet) -> bool:
    """Whether the first column looks like `Participant 4242`, whatever that is called."""
    return len(sheet.rows) > 1 and all(
        re.fullmatch(r"\D{2,40}\d+", row[0].value.strip()) for row in sheet.rows[1:]
    )


def _listed(sheet: Sheet) -> str:
    return ", ".join(repr(cell.value[:40]) for cell in sheet.rows[0][:20]) if sheet.rows else "nothing in it"


def _called(line: Line) -> str:
    return line.name or line.keys["participant"] or f"line {line.index + 2}"
