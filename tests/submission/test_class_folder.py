"""A class's folder, as instructors lay one out and as Gradescope, Canvas and Moodle hand it out."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.load import Exercise
from grader.errors import SubmissionError, UsageError
from grader.submission.class_archive import ClassCaps
from grader.submission.class_folder import ClassFolder, open_class
from grader.submission.student_ids import as_id
from tests.submission.conftest import SOFTMAX

CODE = SOFTMAX.replace("    # solution begins\n", "").replace("    # solution ends\n", "")
Tree = Callable[[dict[str, str | bytes]], Path]

METADATA = """\
---
submission_101:
  :submitters:
  - :name: Jane Doe
    :sid: '0012345'
    :email: jane@example.edu
  :created_at: 2025-01-31 07:13:47.644186000 Z
  :score: 12.0
  :history:
  - :id: 7
    :created_at: 2025-01-30 07:13:47.644186000 Z
submission_102:
  :submitters:
  - :name: 李小龙
    :sid: 00777
    :email: li@example.edu
  - :name: Ann "Nan" O'Hara
    :sid:
    :email: ann@example.edu
  :created_at: 2025-02-01T10:00:00+08:00
submission_103:
  :submitters:
  - :name: Gone Away
    :sid: '3'
  :created_at: 2025-02-01 10:00:00 -0500
"""


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Files below a folder; a name that ends in a stroke is an empty folder."""
    root = tmp_path / "class"
    root.mkdir()

    def write(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    return write


def packed(root: Path, to: Path, wrapper: str = "") -> Path:
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, wrapper + path.relative_to(root).as_posix())
    return to


def zip_of(files: dict[str, str], to: Path) -> bytes:
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return to.read_bytes()


def ids(found: ClassFolder) -> list[str]:
    return [entry.student.id for entry in found.entries]


def left_out(found: ClassFolder) -> dict[str, str]:
    return {left.name: left.why for left in found.left_out}


# Plain


def test_each_folder_zip_notebook_and_file_is_a_students(
    tree: Tree, tmp_path: Path, exercises: tuple[Exercise, ...]
) -> None:
    notebook = (
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": %s}]}'
    )
    import json

    found = open_class(
        tree(
            {
                "s001/losses/softmax.py": CODE,
                "s002.zip": zip_of({"softmax.py": CODE}, tmp_path / "inner.zip"),
                "s003.ipynb": notebook % json.dumps(CODE),
                "s004.py": CODE,
                "李小龙/softmax.py": CODE,
            }
        )
    )
    assert found.layout == "plain"
    assert ids(found) == ["s001", "s002", "s003", "s004", "李小龙"]
    assert [list(entry.read(exercises).answers) for entry in found.entries] == [["softmax"]] * 5
    assert not found.left_out
    assert not found.notes


def test_what_is_no_submission_is_listed_and_junk_is_not(tree: Tree) -> None:
    found = open_class(
        tree(
            {
                "s001/softmax.py": CODE,
                "roster.csv": "x",
                ".git/config": "x",
                ".DS_Store": b"\0",
                "__MACOSX/a": "x",
            }
        )
    )
    assert ids(found) == ["s001"]
    assert left_out(found) == {
        "roster.csv": "is no folder, zip, notebook or Python file",
        ".git": "is hidden",
    }
    assert any("roster.csv" in note for note in found.notes)


def test_links_are_not_followed(tree: Tree, tmp_path: Path, exercises: tuple[Exercise, ...]) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "softmax.py").write_text(CODE)
    root = tree({"s001/note.txt": "x", "s003/softmax.py": CODE})
    (root / "s002").symlink_to(outside)
    (root / "s001" / "softmax.py").symlink_to(outside / "softmax.py")
    found = open_class(root)
    assert ids(found) == ["s001", "s003"]
    assert left_out(found) == {"s002": "is a link"}
    with pytest.raises(SubmissionError):
        found.entries[0].read(exercises)


def test_a_folder_that_holds_a_zip_is_read_through(
    tree: Tree, tmp_path: Path, exercises: tuple[Exercise, ...]
) -> None:
    found = open_class(
        tree({"s001/hw.zip": zip_of({"hw/softmax.py": CODE}, tmp_path / "i.zip"), "s001/report.pdf": b"%PDF"})
    )
    assert list(found.entries[0].read(exercises).answers) == ["softmax"]


def test_two_that_claim_one_student_are_both_there_and_said(tree: Tree, tmp_path: Path) -> None:
    found = open_class(
        tree({"s001/softmax.py": CODE, "s001.zip": zip_of({"softmax.py": CODE}, tmp_path / "i.zip")})
    )
    assert ids(found) == ["s001", "s001"]
    assert [note for note in found.notes if note.startswith("s001: handed in 2 times")]


def test_one_students_folder_is_not_taken_for_a_class(tree: Tree) -> None:
    root = tree({"softmax.py": CODE, "cross_entropy.py": CODE})
    with pytest.raises(UsageError, match="grade submit"):
        open_class(root, exercises=["softmax", "cross_entropy", "iou"])


@pytest.mark.parametrize("files", [{}, {"roster.csv": "x"}])
def test_a_class_of_nobody_is_refused(tree: Tree, files: dict[str, str | bytes]) -> None:
    with pytest.raises(UsageError, match="nobody handed in"):
        open_class(tree(files))


def test_a_path_that_is_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        open_class(tmp_path / "none")
    (tmp_path / "a.csv").write_text("x")
    with pytest.raises(UsageError, match="neither a folder nor a zip"):
        open_class(tmp_path / "a.csv")


# Gradescope


def test_gradescope_names_students_by_its_metadata(tree: Tree, exercises: tuple[Exercise, ...]) -> None:
    found = open_class(
        tree(
            {
                "submission_metadata.yml": METADATA,
                "submission_101/softmax.py": CODE,
                "submission_102/softmax.py": CODE,
                "submission_104/softmax.py": CODE,
                "stray.txt": "x",
            }
        )
    )
    assert found.layout == "gradescope"
    by_id = {entry.student.id: entry for entry in found.entries}
    assert sorted(by_id) == ["0012345", "00777", "ann@example.edu", "submission_104"]
    jane = by_id["0012345"]
    assert (jane.student.name, jane.student.email) == ("Jane Doe", "jane@example.edu")
    assert jane.student.number("gradescope_submission") == "101"
    assert jane.student.number("sid") == "0012345"
    assert jane.submitted == datetime(2025, 1, 31, 7, 13, 47, 644186, UTC)
    assert by_id["00777"].submitted == datetime(2025, 2, 1, 2, tzinfo=UTC)
    assert by_id["00777"].handed_in == by_id["ann@example.edu"].handed_in
    assert list(jane.read(exercises).answers) == ["softmax"]
    together = by_id["00777"].read(exercises).notes
    assert any("Ann" in note for note in together)
    assert "Gone Away" in left_out(found)["submission_103"]
    assert "stray.txt" in left_out(found)
    assert "nobody is named" in by_id["submission_104"].notes[0]


def test_two_gradescope_submissions_of_one_student_stand_in_the_order_of_time(tree: Tree) -> None:
    record = "submission_{}:\n  :submitters:\n  - :sid: s1\n  :created_at: 2025-01-0{} 00:00:00 Z\n"
    found = open_class(
        tree(
            {
                "submission_metadata.yml": record.format(1, 2) + record.format(2, 1),
                "submission_1/softmax.py": CODE,
                "submission_2/softmax.py": CODE,
            }
        )
    )
    assert [entry.student.number("gradescope_submission") for entry in found.entries] == ["2", "1"]
    assert not any("not known" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a: b: c",
        "- 1\n- 2",
        "\xff\xfe",
        "a: !!python/object/apply:os.system ['true']\n  - x: [",
        "x: *y",
    ],
)
def test_metadata_that_cannot_be_read_is_one_clear_line(tree: Tree, text: str) -> None:
    with pytest.raises(UsageError, match="Gradescope") as caught:
        open_class(tree({"submission_metadata.yml": text.encode("latin-1"), "submission_1/softmax.py": CODE}))
    assert "\n" not in caught.value.message


def test_metadata_makes_no_objects(tree: Tree, tmp_path: Path) -> None:
    made = tmp_path / "made"
    text = (
        f"submission_1: !ruby/hash:ActiveSupport::HashWithIndifferentAccess\n  :submitters:\n  - :sid: "
        f"!!python/object/apply:os.mkdir ['{made}']\n  :created_at: yesterday\n"
    )
    found = open_class(tree({"submission_metadata.yml": text, "submission_1/softmax.py": CODE}))
    assert ids(found) == ["submission_1"]
    assert found.entries[0].submitted is None
    assert not made.exists()


def test_metadata_may_not_name_what_lies_elsewhere(tree: Tree) -> None:
    text = "../outside:\n  :submitters:\n  - :sid: s1\nsubmission_1:\n  :submitters:\n  - :sid: ../../s2\n"
    found = open_class(tree({"submission_metadata.yml": text, "submission_1/softmax.py": CODE}))
    assert "../outside" in left_out(found)
    (entry,) = found.entries
    assert "/" not in entry.student.id
    assert entry.student.number("sid") == "../../s2"


# Canvas


def test_canvas_files_are_gathered_by_student(tree: Tree, exercises: tuple[Exercise, ...]) -> None:
    found = open_class(
        tree(
            {
                "doejane_LATE_1234_567890_softmax.py": CODE,
                "doejane_LATE_1234_567891_my_notes_2_3_x.txt": "x",
                "li_wei_jr_77_567892_softmax-1.py": CODE,
                "o_98_567893_hw.ipynb": "{}",
                "anon_x7Yz1_567894_softmax.py": CODE,
                "LATE_anon_Q9_567895_softmax.py": CODE,
                "roe_55_text.html": "<p>",
                "notes.txt": "x",
            }
        )
    )
    assert found.layout == "canvas"
    by_id = {entry.student.id: entry for entry in found.entries}
    assert sorted(by_id) == ["1234", "77", "98", "Q9", "x7Yz1"]
    jane = by_id["1234"]
    assert jane.late
    assert jane.student.name == "doejane"
    assert jane.student.number("canvas_user") == "1234"
    assert isinstance(jane.handed_in, dict)
    assert sorted(jane.handed_in) == ["my_notes_2_3_x.txt", "softmax.py"]
    read = jane.read(exercises)
    assert list(read.answers) == ["softmax"]
    assert "late" in read.notes[0]
    assert by_id["77"].student.name == "li_wei_jr"
    assert not by_id["77"].late
    assert by_id["Q9"].late
    assert by_id["x7Yz1"].student.number("canvas_user") == ""
    answer = by_id["77"].read(exercises).answers["softmax"]
    assert answer.origin == "softmax.py"
    assert left_out(found).keys() == {"roe_55_text.html", "notes.txt"}


def test_of_two_canvas_uploads_the_later_counts(tree: Tree, exercises: tuple[Exercise, ...]) -> None:
    found = open_class(
        tree(
            {
                "doe_1_20_softmax-1.py": CODE + "# new\n",
                "doe_1_9_softmax.py": CODE + "# old\n",
                "doe_1_21_a-1.ipynb": "{}",
            }
        )
    )
    (entry,) = found.entries
    assert (entry.read(exercises).answers["softmax"].source or "").endswith("# new\n")
    assert left_out(found) == {"doe_1_9_softmax.py": "is an earlier upload of softmax.py"}
    assert isinstance(entry.handed_in, dict)
    assert "a-1.ipynb" in entry.handed_in


def test_a_zip_on_canvas_is_read_as_one(tree: Tree, tmp_path: Path, exercises: tuple[Exercise, ...]) -> None:
    found = open_class(tree({"doe_1_20_hw.zip": zip_of({"softmax.py": CODE}, tmp_path / "i.zip")}))
    assert list(found.entries[0].read(exercises).answers) == ["softmax"]


# Moodle


@pytest.mark.parametrize("tail", ["_assignsubmission_file_", "_assignsubmission_file"])
def test_moodle_folders(tree: Tree, exercises: tuple[Exercise, ...], tail: str) -> None:
    found = open_class(
        tree(
            {
                f"Jane Doe_4242{tail}/softmax.py": CODE,
                f"李小龙_7{tail}/softmax.py": CODE,
                f"Participant_8{tail}/softmax.py": CODE,
                "Jane Doe_4242_assignsubmission_onlinetext_/onlinetext.html": "<p>",
            }
        )
    )
    assert found.layout == "moodle"
    assert [(entry.student.id, entry.student.name) for entry in found.entries] == [
        ("4242", "Jane Doe"),
        ("7", "李小龙"),
        ("8", ""),
    ]
    assert found.entries[0].student.number("moodle_participant") == "4242"
    assert list(found.entries[1].read(exercises).answers) == ["softmax"]
    assert left_out(found) == {
        "Jane Doe_4242_assignsubmission_onlinetext_": "is text typed into Moodle, not a file"
    }


def test_moodle_files_without_folders(tree: Tree, exercises: tuple[Exercise, ...]) -> None:
    found = open_class(
        tree(
            {
                "Jane Doe_4242_assignsubmission_file_softmax.py": CODE,
                "Jane Doe_4242_assignsubmission_file_read_me_1.txt": "x",
                "Li Wei_9_assignsubmission_onlinetext_onlinetext.html": "x",
            }
        )
    )
    (entry,) = found.entries
    assert entry.student.id == "4242"
    assert isinstance(entry.handed_in, dict)
    assert sorted(entry.handed_in) == ["read_me_1.txt", "softmax.py"]
    assert list(entry.read(exercises).answers) == ["softmax"]


@pytest.mark.parametrize("tail", ["/softmax.py", "softmax.py"])
def test_who_writes_anothers_number_into_her_name_takes_nobodys_place(
    tree: Tree, exercises: tuple[Exercise, ...], tail: str
) -> None:
    name = f"Eve_4242_assignsubmission_file_x_77_assignsubmission_file_{tail}"
    found = open_class(tree({f"Jane Doe_4242_assignsubmission_file_{tail}": CODE, name: CODE}))
    assert [(entry.student.id, entry.student.name) for entry in found.entries] == [("4242", "Jane Doe")]
    assert list(left_out(found).values()) == [
        "names more than one participant: see whose it is, and rename it"
    ]


# Which layout


def test_a_layout_that_is_not_clear_has_to_be_named(tree: Tree) -> None:
    root = tree(
        {"doe_1_20_softmax.py": CODE, "Jane Doe_4_assignsubmission_file_/softmax.py": CODE},
    )
    with pytest.raises(UsageError, match="canvas and moodle: say with --layout"):
        open_class(root)
    assert ids(open_class(root, "moodle")) == ["4"]
    assert ids(open_class(root, "canvas")) == ["1"]
    assert len(open_class(root, "plain").entries) == 2


def test_a_layout_that_does_not_exist_is_refused(tree: Tree) -> None:
    with pytest.raises(UsageError, match="did you mean 'moodle'"):
        open_class(tree({"s001/softmax.py": CODE}), "moodel")


def test_the_reason_is_said(tree: Tree) -> None:
    found = open_class(tree({"doe_1_20_softmax.py": CODE}))
    assert found.notes[0] == "read as canvas's, because 1 of 1 names are like doe_1_20_softmax.py"


# As a zip


@pytest.mark.parametrize("wrapper", ["", "assignment_99_export/"])
def test_a_zip_of_the_class_is_the_class(
    tree: Tree, tmp_path: Path, exercises: tuple[Exercise, ...], wrapper: str
) -> None:
    root = tree({"submission_metadata.yml": METADATA, "submission_101/softmax.py": CODE})
    found = open_class(packed(root, tmp_path / "export.zip", wrapper))
    assert found.layout == "gradescope"
    assert ids(found) == ["0012345"]
    assert list(found.entries[0].read(exercises).answers) == ["softmax"]


def test_a_zip_around_a_folder_of_its_own_name_is_opened(tree: Tree, tmp_path: Path) -> None:
    root = tree({"s001/softmax.py": CODE, "s002/softmax.py": CODE})
    assert ids(open_class(packed(root, tmp_path / "hw1.zip", "hw1/"))) == ["s001", "s002"]


def test_a_class_of_one_folder_is_told_of(tree: Tree, tmp_path: Path) -> None:
    root = tree({"hw1/s001/softmax.py": CODE, "hw1/s002/softmax.py": CODE})
    found = open_class(packed(root, tmp_path / "downloaded.zip"))
    assert ids(found) == ["hw1"]
    assert "only student" in found.notes[0]
    assert ids(open_class(root / "hw1")) == ["s001", "s002"]


def test_what_was_unpacked_goes_with_the_last_entry(tree: Tree, tmp_path: Path) -> None:
    found = open_class(packed(tree({"s001/softmax.py": CODE}), tmp_path / "hw.zip"))
    entry = found.entries[0]
    assert isinstance(entry.handed_in, Path)
    place = entry.handed_in
    del found
    assert place.exists()
    del entry
    assert not place.exists()


def test_a_hostile_zip_writes_nothing_outside_and_is_told_of(tmp_path: Path) -> None:
    target = tmp_path / "hostile.zip"
    link = zipfile.ZipInfo("s002/link.py")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(target, "w") as archive:
        for name in (
            "../out.py",
            "/abs.py",
            "a/../../up.py",
            "C:\\x.py",
            "n" * 300 + ".py",
            "s001/softmax.py",
        ):
            archive.writestr(name, CODE)
        archive.writestr(link, "/etc/passwd")
        archive.writestr("s001/big.bin", b"\0" * 5000)
        archive.writestr("s001/sub", "a file")
        archive.writestr("s001/sub/softmax.py", "below a file")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("s001/softmax.py", "the second")
    before = set(tmp_path.iterdir())
    found = open_class(target, caps=ClassCaps(file_bytes=4000))
    assert ids(found) == ["s001"]
    assert set(tmp_path.iterdir()) == before
    assert len(left_out(found)) == 9
    entry = found.entries[0]
    assert isinstance(entry.handed_in, Path)
    assert not any(path.is_symlink() for path in entry.handed_in.parent.rglob("*"))
    assert (entry.handed_in / "softmax.py").read_text() == CODE


def test_a_zip_beyond_its_bounds_is_refused(tree: Tree, tmp_path: Path) -> None:
    target = packed(tree({"s001/a.py": b"\0" * 9000, "s002/a.py": b"\0" * 9000}), tmp_path / "hw.zip")
    with pytest.raises(SubmissionError, match="unpacks to more than"):
        open_class(target, caps=ClassCaps(total_bytes=10_000))
    with pytest.raises(SubmissionError, match="more than 1 files"):
        open_class(target, caps=ClassCaps(entries=1))
    with pytest.raises(UsageError, match="more than 1 names"):
        open_class(target, caps=ClassCaps(students=1))
    target.write_bytes(target.read_bytes()[:100])
    with pytest.raises(SubmissionError, match="damaged"):
        open_class(target)


# Ids

HOSTILE = [
    "..",
    ".",
    "a/b",
    "a\\b",
    "x\0y",
    "\u202egnp.exe",
    "😀",
    "nul",
    "con.txt",
    "-rf",
    "=1+1",
    "a" * 10_000,
    "字" * 500,
    "\udcff\udcfe",
    "<script>",
    "s001.",
    " s001",
    "",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_an_id_names_a_file_and_never_a_path(name: str, tmp_path: Path) -> None:
    made = as_id(name)
    assert made not in ("", ".", "..")
    assert not set(made) & set('/\\\0:*?"<>|')
    assert not made.startswith(("-", ".", "=", "@"))
    assert all(unicodedata.category(c)[0] != "C" for c in made)
    path = tmp_path / f"{made}.json"
    path.write_text("x")
    assert path.parent == tmp_path


def test_ids_that_differ_stay_different() -> None:
    assert len({as_id(name) for name in HOSTILE}) == len(HOSTILE)
    assert as_id("s001") == "s001"
    assert as_id("Jane Doe") == "Jane Doe"
    assert as_id("O'Hara") != as_id("O_Hara")


@given(st.text())
def test_an_id_is_the_same_when_made_of_itself(name: str) -> None:
    assert as_id(as_id(name)) == as_id(name)


@pytest.mark.skipif(os.name != "posix", reason="names there are bytes, and need be no text")
def test_a_name_that_is_no_utf8_is_kept_readable(tree: Tree) -> None:
    root = tree({})
    os.mkdir(os.fsencode(root) + b"/s\xff1")
    found = open_class(root)
    found.entries[0].student.id.encode()
    assert found.entries[0].student.name == "s\ufffd1"
