from __future__ import annotations

import codecs
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grader.course.load import Exercise
from grader.course.stub import is_unedited
from grader.errors import SubmissionError
from grader.submission import Caps, read_submission

Lay = Callable[[dict[str, str | bytes]], Path]
Exercises = Sequence[Exercise]

ANSWER = "def softmax(x, dim):\n    return x\n"


def test_a_flat_folder_and_topic_folders_are_the_same(lay: Lay, exercises: Exercises) -> None:
    folder = lay({"softmax.py": ANSWER, "my_hw/detection/encode_offsets.py": "a = 1\n"})
    read = read_submission(folder, exercises)
    assert {id: (answer.source, answer.origin) for id, answer in read.answers.items()} == {
        "softmax": (ANSWER, "softmax.py"),
        "encode_offsets": ("a = 1\n", "my_hw/detection/encode_offsets.py"),
    }
    assert read.notes == ()


def test_one_file_is_a_submission(lay: Lay, exercises: Exercises) -> None:
    folder = lay({"softmax.py": ANSWER})
    assert read_submission(folder / "softmax.py", exercises).answers["softmax"].source == ANSWER


def test_what_the_course_does_not_know_is_ignored(lay: Lay, exercises: Exercises) -> None:
    intruders = (
        "conftest.py",
        "pytest.ini",
        "torch.py",
        "sitecustomize.py",
        "losses/__init__.py",
        "softmax.pyc",
    )
    read = read_submission(lay({"softmax.py": ANSWER, **dict.fromkeys(intruders, "x")}), exercises)
    assert list(read.answers) == ["softmax"]
    assert read.notes == (
        "6 files that the course does not know ignored: conftest.py, pytest.ini, sitecustomize.py and 3 more",
    )


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "Softmax.py",
            "SOFTMAX.PY",
            "softmax (1).py",
            "softmax(12).py",
            "softmax-1.py",
            "softmax 2.py",
            "softmax copy.py",
            "softmax copy 2.py",
            "softmax - Copy (2).py",
            "softmax - 副本.py",
            "softmax.py.txt",
            "softmax (1).py.txt",
            "\uff53oftmax.py",
            " softmax .py",
        ],
    )
    def test_what_programs_make_of_a_name_costs_nothing(
        self, name: str, lay: Lay, pack: Callable[..., Path], exercises: Exercises
    ) -> None:
        for path in (lay({name: ANSWER}), pack({name: ANSWER}), lay({}) / name):
            read = read_submission(path, exercises)
            assert read.answers["softmax"].source == ANSWER
            assert read.notes == (f"{name.strip()} is taken for softmax.py: name it so",)

    def test_spaces_and_hyphens_stand_for_underscores(self, lay: Lay, exercises: Exercises) -> None:
        read = read_submission(lay({"Cross Entropy.py": "a = 1", "encode-offsets-2.py": "a = 2"}), exercises)
        assert [answer.source for answer in read.answers.values()] == ["a = 1", "a = 2"]

    @pytest.mark.parametrize(
        ("name", "counts"),
        [
            ("losses/Softmax.py", "softmax.py"),
            ("softmax (1).py", "softmax.py"),
            ("softmax.ipynb", "softmax.py"),
        ],
    )
    def test_the_exact_name_goes_before_all_others(
        self, name: str, counts: str, lay: Lay, exercises: Exercises
    ) -> None:
        read = read_submission(
            lay({name: "{}" if "ipynb" in name else "a = 1", "softmax.py": ANSWER}), exercises
        )
        assert (read.answers["softmax"].origin, read.answers["softmax"].source) == (counts, ANSWER)
        assert any(name in note for note in read.notes)

    @pytest.mark.parametrize(
        "name", ["softmax_old.py", "my_softmax.py", "sofmax.py", "softmax2.py", "softmax.txt", "1 softmax.py"]
    )
    def test_what_a_person_made_of_a_name_is_pointed_out(
        self, name: str, lay: Lay, exercises: Exercises
    ) -> None:
        with pytest.raises(SubmissionError, match=r"is ignored: did you mean softmax\.py\?"):
            read_submission(lay({name: ANSWER}), exercises)
        read = read_submission(lay({"cross_entropy.py": "", "test_softmax.py": ""}), exercises)
        assert read.notes[1:] == (f"{name} is ignored: did you mean softmax.py?",)

    @pytest.mark.parametrize(
        "name",
        ["softmax.pyc", ".softmax.py", "._softmax.py", "softmax.py~", "softmax", "soft/max.py", "x" * 250],
    )
    def test_what_is_no_python_file_of_an_exercise_means_none(
        self, name: str, lay: Lay, exercises: Exercises
    ) -> None:
        assert list(read_submission(lay({name: ANSWER, "cross_entropy.py": ""}), exercises).answers) == [
            "cross_entropy"
        ]

    @pytest.mark.parametrize(
        "name", ["hw.ipynb", ".ipynb", "HW.IPYNB", "hw (1).ipynb", "hw.ipynb.txt", "hw.ipynb.json"]
    )
    def test_a_notebook_may_be_called_anything(self, name: str, lay: Lay, exercises: Exercises) -> None:
        notebook = json.dumps({"cells": [{"cell_type": "code", "source": ANSWER}]})
        for path in (lay({name: notebook}), lay({}) / name):
            assert read_submission(path, exercises).answers["softmax"].origin == name


@pytest.mark.parametrize(
    "folder", ["__MACOSX", ".git", ".ipynb_checkpoints", "__pycache__", ".venv", "env/lib/site-packages"]
)
def test_folders_of_programs_are_not_looked_into(folder: str, lay: Lay, exercises: Exercises) -> None:
    read = read_submission(lay({"cross_entropy.py": "", f"{folder}/softmax.py": ANSWER}), exercises)
    assert list(read.answers) == ["cross_entropy"]


def test_a_virtual_environment_is_not_looked_into(lay: Lay, exercises: Exercises) -> None:
    files = {"cross_entropy.py": "", "py/pyvenv.cfg": "", "py/lib/softmax.py": ANSWER}
    assert list(read_submission(lay(files), exercises).answers) == ["cross_entropy"]


class TestDuplicates:
    def test_the_topic_folder_goes_first_then_the_shallowest(self, lay: Lay, exercises: Exercises) -> None:
        files = {"softmax.py": "a = 1", "deep/er/losses/softmax.py": "a = 2", "old/softmax.py": "a = 3"}
        read = read_submission(lay(files), exercises)
        assert read.answers["softmax"].source == "a = 2"
        assert read.notes == (
            "softmax is there 3 times: deep/er/losses/softmax.py counts, not softmax.py, old/softmax.py",
        )
        (lay({}) / "deep/er/losses/softmax.py").unlink()
        assert read_submission(lay({}), exercises).answers["softmax"].source == "a = 1"

    def test_an_untouched_stub_does_not_hide_an_answer(
        self, lay: Lay, exercises: Exercises, softmax: Exercise
    ) -> None:
        read = read_submission(
            lay({"losses/softmax.py": softmax.stub_source, "softmax.py": ANSWER}), exercises
        )
        assert read.answers["softmax"].source == ANSWER

    def test_a_file_that_cannot_be_read_does_not_hide_one_that_can(
        self, lay: Lay, exercises: Exercises
    ) -> None:
        read = read_submission(lay({"losses/softmax.py": b"\xff\0", "softmax.py": ANSWER}), exercises)
        assert read.answers["softmax"].source == ANSWER


class TestText:
    @pytest.mark.parametrize(
        "data",
        [
            "# 汉字\nx = '…'\n".encode(),
            codecs.BOM_UTF8 + "# 汉字\nx = '…'\n".encode(),
            "# 汉字\r\nx = '…'\r\n".encode(),
            "# 汉字\rx = '…'\r".encode(),
        ],
    )
    def test_marks_and_line_ends_make_no_difference(
        self, data: bytes, lay: Lay, exercises: Exercises
    ) -> None:
        assert (
            read_submission(lay({"softmax.py": data}), exercises).answers["softmax"].source
            == "# 汉字\nx = '…'\n"
        )

    @pytest.mark.parametrize("encoding", ["gbk", "big5", "latin-1", "cp1252"])
    def test_a_declared_encoding_is_heeded(self, encoding: str, lay: Lay, exercises: Exercises) -> None:
        word = "中文" if encoding in ("gbk", "big5") else "é"
        text = f"# -*- coding: {encoding} -*-\nx = '{word}'\n"
        read = read_submission(lay({"softmax.py": text.encode(encoding)}), exercises)
        assert read.answers["softmax"].source == text

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ("a = 1\nx = '中'\n".encode("gbk"), "line 2 has a character that is not UTF-8: save it as UTF-8"),
            ("# coding: ascii\n\nx = 'é'\n".encode(), "line 3 has a character that is not ascii"),
            ("x = 1\n".encode("utf-16"), "UTF-16"),
            (b"x = 1\ny = '\0'\n", "zero byte in line 2"),
            (b"# coding: klingon\n", "an encoding that Python does not know"),
            (b"\xef\xbb\xbf# coding: latin-1\n", "an encoding that Python does not know"),
            (b"# coding: punycode\n" + b"a" * 100_000, "an encoding that is not taken here"),
            (b"# coding: unicode_escape\n\\ud800", "an encoding that is not taken here"),
            (b"# coding: zlib_codec\n", "its first lines"),
            (b"# coding: utf-7\n+AGE-", "an encoding that is not taken here"),
            (b"#" * (256 * 1024 + 1), "larger than 256 KiB"),
        ],
    )
    def test_what_is_no_text_is_explained(
        self, data: bytes, words: str, lay: Lay, exercises: Exercises
    ) -> None:
        read = read_submission(lay({"softmax.py": data, "cross_entropy.py": "a = 1"}), exercises)
        answer = read.answers["softmax"]
        assert answer.source is None
        assert words in (answer.unreadable or "")
        assert (answer.unreadable or "").startswith("softmax.py cannot be read: ")
        assert read.answers["cross_entropy"].source == "a = 1"


class TestWhatIsNotOrdinary:
    def test_links_are_not_followed(self, tmp_path: Path, lay: Lay, exercises: Exercises) -> None:
        secret = tmp_path / "secret"
        secret.mkdir()
        (secret / "softmax.py").write_text("secret = 1")
        folder = lay({"cross_entropy.py": "a = 1"})
        (folder / "softmax.py").symlink_to(secret / "softmax.py")
        (folder / "losses").symlink_to(secret, target_is_directory=True)
        read = read_submission(folder, exercises)
        assert list(read.answers) == ["cross_entropy"]
        assert "softmax.py is a link: it is ignored" in read.notes
        assert not any("did you mean" in note for note in read.notes)

    @pytest.mark.parametrize("target", ["a folder", "a file", "nothing"])
    def test_a_submission_that_is_a_link_is_refused(
        self, target: str, tmp_path: Path, lay: Lay, exercises: Exercises
    ) -> None:
        folder = lay({"softmax.py": ANSWER})
        link = tmp_path / "link.py"
        link.symlink_to({"a folder": folder, "a file": folder / "softmax.py"}.get(target, tmp_path / "none"))
        with pytest.raises(SubmissionError, match="is a link: name the folder or file"):
            read_submission(link, exercises)

    @pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files on Unix")
    def test_a_pipe_a_socket_and_a_folder_keep_nobody_waiting(
        self, lay: Lay, exercises: Exercises, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = lay({"weighted_mse.py": "a = 1", "encode_offsets.py/x": ""})
        os.mkfifo(folder / "softmax.py")
        monkeypatch.chdir(folder)  # a socket's path may not be long
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("cross_entropy.py")
            read = read_submission(folder, exercises)
        assert list(read.answers) == ["weighted_mse"]
        assert "softmax.py is no ordinary file: it is ignored" in read.notes

    @pytest.mark.skipif(sys.platform == "win32", reason="named pipes are files on Unix")
    def test_a_pipe_handed_in_keeps_nobody_waiting(self, tmp_path: Path, exercises: Exercises) -> None:
        os.mkfifo(tmp_path / "softmax.py")
        with pytest.raises(SubmissionError, match="no ordinary file"):
            read_submission(tmp_path / "softmax.py", exercises)

    @pytest.mark.skipif(sys.platform != "linux", reason="the names are bytes there")
    def test_names_that_are_no_text_do_no_harm(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"losses/softmax.py": ANSWER})
        os.mkdir(os.fsencode(folder) + b"/\xff\xfe")
        Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe/softmax.py")).write_text("a = 1")
        read = read_submission(folder, exercises)
        assert read.answers["softmax"].source == ANSWER
        "".join(read.notes).encode()

    def test_a_name_cannot_speak_to_the_terminal(self, lay: Lay, exercises: Exercises) -> None:
        read = read_submission(lay({"a\x1b[2J\u202e/softmax.py": ANSWER, "b\x1b[2J": ""}), exercises)
        assert read.answers["softmax"].origin == r"a\x1b[2J\u202e/softmax.py"
        assert all(note.isprintable() for note in read.notes)


class TestNothingToGrade:
    @pytest.mark.parametrize(
        ("files", "words"),
        [
            ({}, "hw: there are no files in it: expected some such as softmax.py"),
            (
                {"notes.txt": "", "solution.py": ANSWER},
                "hw: there is no exercise of this course in it: expected files such as softmax.py, or a "
                "notebook that defines their functions; found notes.txt, solution.py",
            ),
            ({"hw2.zip": ""}, "found hw2.zip; name hw2.zip itself to hand in what is in it"),
            ({"a.ipynb": "{"}, "found a.ipynb (a.ipynb cannot be read as a notebook: it is not a notebook"),
            (
                {"a.ipynb": '{"cells": [{"cell_type": "code", "source": "x"}]}'},
                "found a.ipynb (a.ipynb defines no name that an exercise asks for)",
            ),
        ],
    )
    def test_a_folder_without_an_exercise_is_refused(
        self, files: dict[str, str | bytes], words: str, lay: Lay, exercises: Exercises
    ) -> None:
        with pytest.raises(SubmissionError) as refused:
            read_submission(lay(files), exercises)
        assert words in refused.value.message

    @pytest.mark.parametrize(
        ("name", "content", "words"),
        [
            ("answer.py", ANSWER, "it defines softmax, so name it softmax.py"),
            ("answer.py", "x = 1", "name it softmax.py"),
            ("answer.py", b"\xff", "name it softmax.py"),
            ("answer.rar", "Rar!", "hand in a folder, a zip, a notebook or a Python file"),
            ("answer.zip", "Rar!", "is not a zip file, or a damaged one"),
            ("answer.zip", "", "is not a zip file, or a damaged one"),
        ],
    )
    def test_a_file_that_is_no_submission_is_refused(
        self, name: str, content: str | bytes, words: str, lay: Lay, exercises: Exercises
    ) -> None:
        with pytest.raises(SubmissionError) as refused:
            read_submission(lay({name: content}) / name, exercises)
        assert words in refused.value.message
        assert refused.value.exit_code == 2

    @pytest.mark.parametrize("path", ["nowhere", "a\0b", "x" * 5000])
    def test_a_path_that_leads_nowhere_is_refused(
        self, path: str, tmp_path: Path, exercises: Exercises
    ) -> None:
        with pytest.raises(SubmissionError, match="name a folder, a zip or a notebook"):
            read_submission(tmp_path / path, exercises)


class TestCaps:
    def test_too_many_names(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"softmax.py": ANSWER, **{f"a/{number}.txt": "" for number in range(9)}})
        assert read_submission(folder, exercises, Caps(entries=11)).answers
        with pytest.raises(SubmissionError, match="too many files"):
            read_submission(folder, exercises, Caps(entries=10))

    def test_too_many_exercise_files(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({f"{number}/softmax.py": ANSWER for number in range(4)})
        assert read_submission(folder, exercises, Caps(files=4)).answers
        with pytest.raises(SubmissionError, match="more than 3 exercise files"):
            read_submission(folder, exercises, Caps(files=3))

    def test_too_deep(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"cross_entropy.py": "", "1/2/3/softmax.py": ANSWER})
        assert "softmax" in read_submission(folder, exercises, Caps(depth=3)).answers
        read = read_submission(folder, exercises, Caps(depth=2))
        assert "softmax" not in read.answers
        assert "1/2/3/ lies more than 2 folders deep: it is ignored" in read.notes

    @pytest.mark.parametrize("cap", ["total_bytes", "code_bytes"])
    def test_too_much_in_all(self, cap: str, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"softmax.py": "#" * 60, "cross_entropy.py": "#" * 60})
        assert read_submission(folder, exercises, replace(Caps(), **{cap: 120})).answers
        with pytest.raises(SubmissionError, match="hand in the exercise files only"):
            read_submission(folder, exercises, replace(Caps(), **{cap: 119}))

    @pytest.mark.parametrize("marks", ["\u0327\u0301", "\u0f73"], ids=["accents", "vowel_signs"])
    def test_more_accents_on_a_letter_than_python_can_order(
        self, marks: str, lay: Lay, exercises: Exercises
    ) -> None:
        text = "# caf\u00e9, \u4e2d\u6587 " + "e\u0301" * 100 + "\n"
        assert read_submission(lay({"softmax.py": text}), exercises).answers["softmax"].source == text
        read = read_submission(lay({"softmax.py": f"{text}a{marks * 50_000} = 1\n"}), exercises)
        assert read.answers["softmax"].source is None
        assert "line 2 has more than 30 accents" in (read.answers["softmax"].unreadable or "")

    def test_a_file_of_a_terabyte_is_not_read(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"cross_entropy.py": ""})
        with (folder / "softmax.py").open("wb") as file:
            file.truncate(1 << 40)
        assert "larger than 256 KiB" in (
            read_submission(folder, exercises).answers["softmax"].unreadable or ""
        )


class TestDigest:
    def test_it_is_of_the_answers_alone(
        self, lay: Lay, exercises: Exercises, pack: Callable[..., Path]
    ) -> None:
        in_folder = read_submission(lay({"softmax.py": ANSWER, "x.txt": "1"}), exercises)
        in_zip = read_submission(pack({"a/losses/softmax.py": ANSWER.replace("\n", "\r\n")}), exercises)
        assert in_folder.digest == in_zip.digest
        assert len(in_folder.digest) == 64

    def test_every_change_changes_it(self, lay: Lay, exercises: Exercises) -> None:
        digests = [
            read_submission(lay(files), exercises).digest
            for files in (
                {"softmax.py": ANSWER},
                {"softmax.py": ANSWER + "\n"},
                {"softmax.py": b"\xff"},
                {"softmax.py": ""},
                {"cross_entropy.py": ""},
            )
        ]
        assert len(set(digests)) == 5


def test_a_stub_handed_in_is_still_the_stub(lay: Lay, exercises: Exercises, softmax: Exercise) -> None:
    read = read_submission(lay({"softmax.py": softmax.stub_source.replace("\n", "\r\n")}), exercises)
    assert is_unedited(read.answers["softmax"].source or "", softmax.stub_source)


def test_the_room_imports_neither_torch_nor_nbformat() -> None:
    script = "import sys, grader.submission; print({'torch', 'nbformat', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
