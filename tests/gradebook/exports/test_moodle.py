"""Moodle's grading worksheet: filled in, and all else byte for byte as it was."""

from __future__ import annotations

import csv
import io

import pytest

from grader.errors import UsageError
from grader.gradebook.exports import Export, fill_worksheet
from tests.gradebook.exports.marks_to_export import HOSTILE_NAMES, mark, softmax, ungraded_mark

ENGLISH = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Last modified (grade)","Feedback comments"\r\n'
    '"Participant 41","Jane Doe",jane@example.edu,"Submitted for grading - ",,100.00,Yes,"Friday, 31 January 2025, '
    '7:13 AM",-,\r\n'
    '"Participant 42","李小龙",li@example.edu,"Submitted for grading - ",12.5,100.00,Yes,-,-,"Old ""words""\nhere"\r\n'
    '"Participant 43","Ann O\'Hara",ann@example.edu,"No submission - ",,100.00,No,-,-,\r\n'
)
GERMAN = (
    'ID,"Vollständiger Name",E-Mail-Adresse,Status,Bewertung,Bestwertung,"Bewertung kann geändert werden",'
    '"Zuletzt geändert (Abgabe)","Zuletzt geändert (Bewertung)","Feedback als Kommentar"\n'
    'Teilnehmer/in41,"Jörg Müller",j@example.de,"Zur Bewertung abgegeben",,"14,00",Ja,-,-,\n'
)
CHINESE = (
    "标识符,全名,电子邮件地址,状态,成绩,最高分,允许更改成绩,上次修改（评分）,反馈评论\n"
    "参与人41,李小龙,li@example.cn,已提交,,50.00,是,-,\n"
)


def read(export: Export, encoding: str = "utf-8-sig", delimiter: str = ",") -> list[list[str]]:
    rows = list(
        csv.reader(io.StringIO(export.data.decode(encoding), newline=""), delimiter=delimiter, strict=True)
    )
    assert len({len(row) for row in rows}) == 1
    return rows


def test_only_grade_and_feedback_change() -> None:
    export = fill_worksheet(ENGLISH.encode(), [mark("41", "Jane Doe", moodle_participant="41", score=3.5)])
    rows, before = read(export), list(csv.reader(io.StringIO(ENGLISH, newline="")))
    assert rows[1][4] == "50"
    assert rows[1][9].startswith("<p><strong>2 of 7 points</strong></p>")
    assert rows[1][:4] + rows[1][5:9] == before[1][:4] + before[1][5:9]
    lines = ENGLISH.encode().split(b"\r\n")
    assert export.data.startswith(lines[0] + b"\r\n" + b'"Participant 41","Jane Doe",jane@example.edu,')
    assert export.data.endswith(b"\r\n".join(lines[2:]))
    assert export.without_mark == ("李小龙", "Ann O'Hara")
    assert "points are scaled from 7 to 100" in export.notes


def test_a_worksheet_without_marks_comes_back_byte_for_byte() -> None:
    for text in (ENGLISH, "\ufeff" + GERMAN, CHINESE, ENGLISH.rstrip("\r\n"), ENGLISH + "\r\n\r\n"):
        assert fill_worksheet(text.encode(), []).data == text.encode()


@pytest.mark.parametrize(("text", "grade"), [(GERMAN, "4"), (CHINESE, "14.29"), ("\ufeff" + GERMAN, "4")])
def test_german_and_chinese_worksheets(text: str, grade: str) -> None:
    export = fill_worksheet(text.encode(), [mark("41", moodle_participant="41", score=2.0)], language="zh")
    rows = read(export)
    assert rows[1][4] == {"4": "4", "14.29": "14.29"}[grade]
    assert "2 分（满分 7 分）" in rows[1][-1]
    assert export.data.startswith(b"\xef\xbb\xbf") == text.startswith("\ufeff")


def test_semicolons_and_other_encodings_come_back() -> None:
    text = GERMAN.replace(",", ";").replace('"14;00"', "14,00")
    export = fill_worksheet(text.encode("cp1252"), [mark("41", moodle_participant="41")], encoding="cp1252")
    rows = read(export, "cp1252", ";")
    assert rows[1][4] == "4"
    assert rows[1][1] == "Jörg Müller"
    with pytest.raises(UsageError, match="no text in utf-8"):
        fill_worksheet(text.encode("cp1252"), [])
    with pytest.raises(UsageError, match="no letters for"):
        fill_worksheet(
            text.encode("cp1252"), [mark("41", moodle_participant="41")], encoding="cp1252", language="zh"
        )


def test_headers_of_another_language_are_named() -> None:
    text = GERMAN.replace("Bewertung,", "Évaluation,").replace("ID,", "Identifiant,")
    with pytest.raises(UsageError, match=r"no column for the grade: it has 'Identifiant'"):
        fill_worksheet(text.encode(), [])
    export = fill_worksheet(
        text.encode(), [mark("41", moodle_participant="41")], columns={"grade": "évaluation"}
    )
    assert read(export)[1][4] == "4"
    with pytest.raises(UsageError, match="no column 'Note'"):
        fill_worksheet(text.encode(), [], columns={"grade": "Note"})


def test_the_worksheet_of_another_assignment_gives_nobody_anothers_mark() -> None:
    export = fill_worksheet(ENGLISH.encode(), [mark("42", "Jane Doe", moodle_participant="42")])
    assert export.written == 0
    assert "another assignment" in export.left_out[0].why
    group = fill_worksheet(ENGLISH.encode(), [mark("41", "Group A-Jane Doe", moodle_participant="41")])
    assert group.written == 1


def test_no_mark_is_lost() -> None:
    marks = [
        mark("x", email="JANE@example.edu"),
        mark("43", "Ann OHara", moodle_participant="43"),
        mark("77", moodle_participant="77"),
        ungraded_mark("42", moodle_participant="42"),
        mark("nobody"),
    ]
    export = fill_worksheet(ENGLISH.encode(), marks)
    why = {left.mark.student.id: left.why for left in export.left_out}
    assert export.written == 1
    assert "locked" in why["43"]
    assert "could not grade" in why["42"]
    assert why["77"] == why["nobody"] == "is not in the platform's file"
    assert read(export)[2][4] == "12.5"


def test_more_points_than_moodle_takes_are_not_written() -> None:
    text = ENGLISH.replace("100.00", "1.00")
    assert fill_worksheet(text.encode(), [mark("41", moodle_participant="41")]).written == 1
    export = fill_worksheet(text.encode(), [mark("41", moodle_participant="41")], out_of="points")
    assert export.written == 0
    assert "2 points are more than the 1" in export.left_out[0].why


def test_a_scale_of_words_is_refused() -> None:
    text = 'ID,Bewertung,Skala,Zuletzt geändert (Bewertung)\nTeilnehmer/in41,,"nicht bestanden\nbestanden",\n'
    with pytest.raises(UsageError, match="graded in words"):
        fill_worksheet(text.encode(), [])


def test_without_a_column_for_feedback_the_grade_is_filled_in_and_it_is_said() -> None:
    text = "Identifier,Grade,Maximum Grade,Last modified (grade)\nParticipant 41,,7.00,-\n"
    export = fill_worksheet(text.encode(), [mark("41", moodle_participant="41")])
    assert export.data == text.replace("41,,", "41,2,").encode()
    assert any("feedback" in note for note in export.notes)


@pytest.mark.parametrize("text", HOSTILE_NAMES, ids=ascii)
def test_hostile_feedback_is_text_in_the_html_and_one_cell(text: str) -> None:
    marks = [mark("41", exercises=(softmax(message=text),), moodle_participant="41")]
    export = fill_worksheet(ENGLISH.encode(), marks, titles={"softmax": text})
    rows = read(export)
    assert len(rows) == 4
    cell = rows[1][9]
    assert cell.startswith("<p>")
    assert "\n" not in cell
    assert "<script" not in cell
    assert len(cell) < 32_767


def test_feedback_fits_a_cell() -> None:
    many = tuple(softmax(message="&" * 1500).model_copy(update={"id": f"e{n}"}) for n in range(60))
    export = fill_worksheet(ENGLISH.encode(), [mark("41", exercises=many, moodle_participant="41")])
    cell = read(export)[1][9]
    assert len(cell) < 32_767
    assert "more exercises" in cell
