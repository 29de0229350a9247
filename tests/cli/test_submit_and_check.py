"""`grade submit` and `grade check` as processes: exit codes, what is printed, what is written."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from grader.course import load_course
from grader.result import GradingResult
from tests.tiny_course import TinyExercise, answer, write_course

TINY = {
    "double": TinyExercise(),
    "twice": TinyExercise(points=1),
    "again": TinyExercise(points=2),
    "more": TinyExercise(points=2, more='forbidden = ["torch.add"]'),
}
Grade = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course") / "tiny", TINY).root


@pytest.fixture
def grade(course: Path, tmp_path: Path) -> Grade:
    """The installed command, in an empty folder, with the tiny course."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        command, *rest = map(str, arguments)
        return subprocess.run(
            [
                sys.executable,
                "-c",
                "from grader.cli.main import main; main()",
                command,
                "--course",
                str(course),
                *rest,
            ],
            capture_output=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "LC_ALL": "C.UTF-8", **environment},
            timeout=120,
        )

    return run


def hand_in(folder: Path, **sources: str | bytes) -> Path:
    folder.mkdir()
    for name, source in sources.items():
        raw = source if isinstance(source, bytes) else source.encode()
        (folder / f"{name}.py").write_bytes(raw)
    return folder


def assert_one_line(done: subprocess.CompletedProcess[str], code: int, words: str) -> None:
    """Nothing but one line that says what is wrong."""
    assert (done.returncode, done.stdout) == (code, ""), done
    assert done.stderr.startswith("grade: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr


# -- submit -----------------------------------------------------------------------------------------------


def test_a_right_submission(grade: Grade, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "s001", **{name: answer(name=name) for name in TINY})
    done = grade("submit", folder, "--json", "result.json", "--seed", "a seed", "--device", "auto")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "✓ double: passed, 5/5",
        "✓ twice: passed, 1/1",
        "✓ again: passed, 2/2",
        "✓ more: passed, 2/2",
    ]
    assert "total\t10\t10" in lines
    written = (tmp_path / "result.json").read_text(encoding="utf-8")
    result = GradingResult.model_validate_json(written)
    assert written == result.to_json() + "\n"
    assert (result.student, result.seed, result.score, result.max_score) == ("s001", "a seed", 10.0, 10.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["result.json", "s001"], (
        "no part of it is left"
    )


def test_a_half_right_submission_as_json(grade: Grade, tmp_path: Path) -> None:
    folder = hand_in(
        tmp_path / "work",
        double=answer("if x.numel() > 20: return x * 3"),
        twice="def twice(x):\n    return x\n",
        more="import torch as t\n" + answer("t.add(x, x)", name="more"),
    )
    (folder / "notes.txt").write_text("to do\n", encoding="utf-8")
    done = grade("submit", folder, "--json", "-", "--student", "s002", "--lang", "en")
    assert done.returncode == 1
    assert done.stdout.count("\n") == 1, "one object, and nothing else"
    record = json.loads(done.stdout)
    assert record["schema_version"] == 1
    assert record["student"] == "s002"
    assert len(record["seed"]) == 32, "drawn anew for each run"
    result = GradingResult.model_validate_json(done.stdout)
    assert [(exercise.id, exercise.verdict, exercise.score) for exercise in result.exercises] == [
        ("double", "partial", 3.0),
        ("twice", "partial", 0.2),
        ("again", "not_attempted", 0.0),
        ("more", "forbidden", 0.0),
    ]
    diagnosis = result.exercises[1].diagnosis
    assert diagnosis is not None
    assert diagnosis.misconception == "returns it as it came"
    assert result.exercises[3].findings[0].kind == "forbidden_call"
    assert "notes.txt" in done.stderr
    assert "Traceback" not in done.stderr


HOSTILE = "\x1b[31mred\x1b]0;title\x07\x1b[2J\u202etxt\r\nTraceback (most recent call last):"
# All that click itself writes to a terminal: colours, bold, and the end of both.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_what_a_student_wrote_does_not_reach_the_terminal_raw(
    grade: Grade, course: Path, tmp_path: Path
) -> None:
    folder = hand_in(
        tmp_path / "work",
        double=answer(f"raise ValueError({HOSTILE!r})"),
        twice=f"class E(Exception): pass\nE.__name__ = {HOSTILE!r}\nraise E({HOSTILE!r})\n",
        again="def again(x:\n    return x\n",
        more=b"\x00\xff\xfe\x1b[2J",
    )
    result = tmp_path / "result.json"
    command = [sys.executable, "-c", "from grader.cli.main import main; main()", "submit", str(folder)]
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [*command, "--course", str(course), "--json", str(result)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"},
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert process.wait(60) == 1
    text = shown.decode()
    assert "\x1b[" in text, "the terminal is one"
    plain = COLOURS.sub("", text).replace("\r\n", "\n")
    assert not [c for c in plain if not (c.isprintable() or c == "\n")]
    assert "\\x1b[31mred" in plain
    assert not [line for line in plain.splitlines() if line.startswith("Traceback")]
    graded = GradingResult.model_validate_json(result.read_text(encoding="utf-8"))
    assert [exercise.verdict for exercise in graded.exercises] == ["partial", "error", "error", "error"]
    for exercise in graded.exercises:
        assert all(test.message.isprintable() for test in exercise.tests)
    assert graded.exercises[2].tests[0].message.endswith("(line 1 of again.py: def again(x:)")
    assert "more.py cannot be read" in graded.exercises[3].tests[0].message


def test_a_path_that_is_not_there(grade: Grade) -> None:
    assert_one_line(grade("submit", "nowhere"), 2, "nowhere: No such file or directory")


def test_an_empty_folder(grade: Grade, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_one_line(grade("submit", "empty"), 2, "there are no files in it: expected some such as double.py")


def test_a_folder_without_an_exercise(grade: Grade, tmp_path: Path) -> None:
    hand_in(tmp_path / "work", essay="print('hello')\n")
    assert_one_line(grade("submit", "work"), 2, "there is no exercise of this course in it")


def test_a_file_that_is_no_submission(grade: Grade, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert_one_line(grade("submit", "photo.png"), 2, "is no submission")


def test_a_name_that_a_terminal_would_obey(grade: Grade) -> None:
    done = grade("submit", "\x1b[2J\nnowhere")
    assert_one_line(done, 2, "nowhere")
    assert "\x1b" not in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there(grade: Grade, tmp_path: Path) -> None:
    hand_in(tmp_path / "work", double=answer())
    done = grade("submit", "work", "--device", "cuda")
    assert_one_line(done, 2, "there is no CUDA device here that torch can use")


def test_no_folder_to_write_the_result_into(grade: Grade, tmp_path: Path) -> None:
    hand_in(tmp_path / "work", double=answer())
    done = grade("submit", "work", "--json", "missing/result.json")
    assert_one_line(done, 2, "there is no folder to write missing/result.json into")


@pytest.mark.parametrize(
    "arguments",
    [("submit",), ("submit", "work", "--sed", "1"), ("check", "duoble"), ("check", "--in", "nowhere")],
)
def test_wrong_usage(grade: Grade, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    hand_in(tmp_path / "work", double=answer())
    assert_one_line(grade(*arguments), 2, "")


def test_a_course_with_a_typo(tmp_path: Path, grade: Grade) -> None:
    course = write_course(tmp_path / "course", {"double": TinyExercise()}).root
    text = (course / "course.toml").read_text(encoding="utf-8")
    (course / "course.toml").write_text(text.replace("call_seconds", "call_second"), encoding="utf-8")
    hand_in(tmp_path / "work", double=answer())
    for command in (["submit", "work"], ["check", "--in", "work"]):
        done = grade(*command, "--course", course)
        assert_one_line(done, 2, "course.toml: limits.call_second: unknown key: did you mean 'call_seconds'?")


@pytest.mark.slow
def test_fewer_walls_than_the_course_asks_for(tmp_path: Path, grade: Grade) -> None:
    course = write_course(tmp_path / "course", {"double": TinyExercise()}, minimum_isolation=3).root
    hand_in(tmp_path / "work", double=answer())
    (tmp_path / "bin").mkdir()
    # Where there is no bubblewrap to be found, the third level cannot be reached.
    done = grade("submit", "work", "--course", course, "--json", "result.json", PATH=str(tmp_path / "bin"))
    assert_one_line(done, 3, "this course asks for 3")
    assert not (tmp_path / "result.json").exists()


# -- check ------------------------------------------------------------------------------------------------


def test_check_of_what_is_right(grade: Grade, tmp_path: Path) -> None:
    folder = hand_in(tmp_path / "work", double=answer(), twice="def twice(x:\n")
    done = grade("check", "double", "--in", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "✓ double: passed, 5/5\n"


def test_check_of_what_is_not(grade: Grade, course: Path, tmp_path: Path) -> None:
    stub = load_course(course).exercise("again").stub_source
    folder = hand_in(
        tmp_path / "work",
        double=answer("if x.numel() > 20: raise ValueError(f'{x.tolist()[:3]}')"),
        twice="def twice(x):\n    return x\n",
        again=stub,
        more=answer(name="more"),
    )
    done = grade("check", "--in", folder, "--lang", "en")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "✗ double: partly right, 3/5"
    assert lines[1].startswith("    large: your code raised ValueError: [")
    assert "..." not in lines[1], "it is her own code on her own machine: everything is shown"
    assert lines[1].endswith(
        "(line 7 of double.py: if x.numel() > 20: raise ValueError(f'{x.tolist()[:3]}'))"
    )
    assert lines[2] == "✗ twice: partly right, 0.2/1"
    assert any(
        line.startswith("    scalar refused: your code accepts what it should refuse") for line in lines
    )
    assert "    → it looks as if your code returns it as it came" in lines
    assert "      What changes?" in lines
    assert lines[-1] == "✓ more: passed, 2/2"
    assert not any(line[2:].startswith("again") for line in lines), "what is not begun is not checked"


def test_check_where_nothing_is_begun(grade: Grade, course: Path, tmp_path: Path) -> None:
    hand_in(tmp_path / "work", double=load_course(course).exercise("double").stub_source)
    assert_one_line(grade("check", "--in", "work"), 2, "no exercise is begun here")


def test_check_of_what_is_not_there(grade: Grade, tmp_path: Path) -> None:
    hand_in(tmp_path / "work", double=answer())
    assert_one_line(grade("check", "twice", "--in", "work"), 2, "there is no twice.py in work")
