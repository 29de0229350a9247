"""A gradebook for Canvas, read back as its importer reads one."""

from __future__ import annotations

import csv
import io

import pytest

from grader.errors import UsageError
from grader.gradebook.exports import Export, gradebook_csv
from tests.gradebook.exports.marks_to_export import HOSTILE_NAMES, mark, ungraded_mark

EXPORTED = """\
Student,ID,SIS User ID,SIS Login ID,Section,Essay (99),torchgrade (1234),Assignments Current Score,Final Grade
,,,,,,Manual Posting,,
    Points Possible,,,,,10.00,100.00,(read only),(read only)
"Doe, Jane",501,S-1,jane@example.edu,"Lab 1, and Lab 2",9,,12,A
"Li, Xiaolong",502,S-2,li,Lab 1,EX,88.5,12,A
"O'Hara, Ann",503,,ann,Lab 1,,EX,12,A
"Roe, Bob",504,S-4,bob,Lab 1,3,N/A,12,A
"Student, Test",999,,4bd2f,Lab 1,,,,
"""
JANE = ["Doe, Jane", "501", "S-1", "jane@example.edu", "Lab 1, and Lab 2"]


def read(export: Export, delimiter: str = ",") -> list[list[str]]:
    text = export.data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    assert len({len(row) for row in rows}) == 1
    assert "Student" in rows[0][0] or rows[0][:2] == ["LastName", "FirstName"]
    assert "Section" in rows[0][-2]
    assert rows[1][0] == "    Points Possible"
    return rows


def test_marks_stand_in_the_assignments_column_and_nothing_else_is_there() -> None:
    export = gradebook_csv(
        EXPORTED.encode(), [mark("501", canvas_user="501", score=3.5)], "torchgrade (1234)"
    )
    rows = read(export)
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "torchgrade (1234)"]
    assert rows[1] == ["    Points Possible", "", "", "", "", "100.00"]
    assert rows[2] == [*JANE, "50"]
    assert [row[-1] for row in rows[3:]] == ["88.5", "EX", "N/A", ""]
    assert export.written == 1
    assert export.without_mark == ("Li, Xiaolong", "O'Hara, Ann", "Roe, Bob")
    assert "points are scaled from 7 to 100" in export.notes


@pytest.mark.parametrize("name", ["torchgrade (1234)", "1234", "torchgrade", "TorchGrade", "renamed (1234)"])
def test_the_assignment_is_found_by_number_or_title(name: str) -> None:
    assert read(gradebook_csv(EXPORTED.encode(), [], name))[0][-1] == "torchgrade (1234)"


def test_a_new_assignment_has_the_courses_points() -> None:
    export = gradebook_csv(EXPORTED.encode(), [mark("501", canvas_user="501")], "PyTorch week 2")
    rows = read(export)
    assert [row[-1] for row in rows[:3]] == ["PyTorch week 2", "7", "2"]
    assert any("new assignment" in note for note in export.notes)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("torchgrade (77)", "no assignment 'torchgrade \\(77\\)'"),
        ("77", "no assignment '77'"),
        ("My Final Score", "passes over"),
        ("Section", "passes over"),
        ("", "passes over"),
    ],
)
def test_an_assignment_that_would_not_arrive_is_refused(name: str, match: str) -> None:
    with pytest.raises(UsageError, match=match):
        gradebook_csv(EXPORTED.encode(), [], name)


def test_two_assignments_of_one_title_are_told_apart_by_number() -> None:
    text = EXPORTED.replace("Essay (99)", "torchgrade (99)")
    with pytest.raises(UsageError, match="several assignments"):
        gradebook_csv(text.encode(), [], "torchgrade")
    assert read(gradebook_csv(text.encode(), [], "99"))[0][-1] == "torchgrade (99)"


def test_students_are_found_by_what_is_known_of_them_and_no_mark_is_lost() -> None:
    marks = [
        mark("jane@example.edu"),
        mark("x7", sid="S-2"),
        mark("504", canvas_user="504"),
        mark("503", canvas_user="503"),
        mark("999999", canvas_user="999999", name="Jane Doe"),
        ungraded_mark("501"),
    ]
    export = gradebook_csv(EXPORTED.encode(), marks, "1234")
    assert [row[-1] for row in read(export)[2:]] == ["28.57", "28.57", "EX", "N/A", ""]
    assert export.written == 2
    why = {left.mark.student.id: left.why for left in export.left_out}
    assert why["999999"] == "is not in the platform's file"
    assert "excused" in why["503"]
    assert "does not have this assignment" in why["504"]
    assert "could not grade" in why["501"]
    assert len(why) + export.written == len(marks)
    assert any("999999 (Jane Doe)" in line for line in export.lines())


def test_a_name_is_enough_where_it_is_one_students_and_is_told_of() -> None:
    export = gradebook_csv(EXPORTED.encode(), [mark("Jane Doe")], "1234")
    assert export.written == 1
    assert any("by name alone" in note for note in export.notes)
    twice = EXPORTED + '"Doe, Jane",505,S-5,jd,Lab 1,,,,\n'
    export = gradebook_csv(twice.encode(), [mark("Doe, Jane")], "1234")
    assert export.written == 0
    assert export.left_out[0].why == "fits 2 lines of the platform's file"


def test_two_marks_for_one_line_are_both_left_out() -> None:
    export = gradebook_csv(EXPORTED.encode(), [mark("501", canvas_user="501"), mark("a", sid="S-1")], "1234")
    assert export.written == 0
    assert len(export.left_out) == 2


@pytest.mark.parametrize("bom", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_semicolons_commas_in_numbers_and_bom_come_back(bom: str, end: str) -> None:
    text = bom + end.join(
        [
            "Student;ID;SIS Login ID;Section;torchgrade (1234)",
            "    Points Possible;;;;14,00",
            'Doe, Jane;501;jane;"Lab; 1";1,5',
            "Roe, Bob;502;bob;Lab;",
        ]
    )
    export = gradebook_csv(text.encode(), [mark("502", canvas_user="502")], "1234")
    assert export.data.startswith(b"\xef\xbb\xbf") == bool(bom)
    rows = read(export, ";")
    assert rows[1][-1] == "14,00"
    assert rows[2:] == [["Doe, Jane", "501", "jane", "Lab; 1", "1,5"], ["Roe, Bob", "502", "bob", "Lab", "4"]]


def test_first_and_last_names_have_no_bom_before_them() -> None:
    text = "\ufeffLastName,FirstName,ID,SIS Login ID,Section,t (1)\n    Points Possible,,,,,7\nDoe,Jane,5,j,Lab,\n"
    export = gradebook_csv(text.encode(), [mark("5", canvas_user="5")], "1")
    assert export.data.startswith(b"LastName,")
    assert read(export)[2][-1] == "2"


@pytest.mark.parametrize(
    "name", [name for name in HOSTILE_NAMES if "\0" not in name and "\ud83d" not in name], ids=ascii
)
def test_a_name_is_no_formula_where_canvas_has_the_number(name: str) -> None:
    roster = io.StringIO()
    csv.writer(roster).writerows(
        [
            ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "t (1)"],
            ["    Points Possible", "", "", "", "", "7"],
            [name, "5", name, name, "Lab", ""],
            [name, "", "", name, "Lab", ""],
        ]
    )
    export = gradebook_csv(roster.getvalue().encode(), [mark("5", canvas_user="5")], "1")
    rows = read(export)
    assert rows[2][1] == "5"
    assert rows[2][-1] == "2"
    assert not any(cell.lstrip()[:1] in set("=+-@\uff1d") for cell in rows[2] if cell)
    # Canvas must find these again, and has nothing else to find them by.
    assert rows[3] == [name, "", "", name, "Lab", ""]


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "no columns Student"),
        (b"Name,Grade\nx,1\n", "begins with 'Name', 'Grade'"),
        (b'Student,ID,Section,t (1)\n"x,1,', "never closed"),
        (b"Student,ID,Section\n\xe4,1,x\n", "no text in utf-8"),
        (b"PK\x03\x04\0\0", "no CSV"),
    ],
)
def test_another_file_is_refused_in_one_line(data: bytes, match: str) -> None:
    with pytest.raises(UsageError, match=match) as caught:
        gradebook_csv(data, [], "1")
    assert "\n" not in caught.value.message


def test_other_encodings_come_back_as_they_were() -> None:
    text = EXPORTED.replace("Doe, Jane", "李, 小龙")
    for encoding in ("gb18030", "utf-16"):
        export = gradebook_csv(text.encode(encoding), [], "1234", encoding="gb18030")
        assert "李, 小龙" in export.data.decode(encoding)


def test_a_class_of_thousands_takes_no_time_to_speak_of() -> None:
    rows = "".join(f'"N{n}, A",{n},S{n},l{n},Lab,\n' for n in range(3000))
    text = "Student,ID,SIS User ID,SIS Login ID,Section,t (1)\n    Points Possible,,,,,7\n" + rows
    export = gradebook_csv(text.encode(), [mark(str(n), canvas_user=str(n)) for n in range(3000)], "1")
    assert export.written == 3000
