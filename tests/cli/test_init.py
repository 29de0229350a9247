"""`grade init`: a folder to begin with, and nothing lost in one that is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from grader.course import is_unedited, load_course

Run = Callable[..., Result]


def test_writes_every_stub_and_a_readme(run: Run, small_course: Path, tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "mine"))
    assert result.exit_code == 0
    assert result.output.startswith("3 of 3 exercises written to ")
    for exercise in load_course(small_course).exercises:
        text = (tmp_path / "mine" / exercise.topic / exercise.filename).read_text(encoding="utf-8")
        assert is_unedited(text, exercise.stub_source)
    readme = (tmp_path / "mine/README.md").read_text(encoding="utf-8")
    assert "grade check double" in readme
    assert "first_steps/double.py" in readme
    assert "--course" not in readme


def test_keeps_what_is_there_and_says_so(run: Run, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    run("init", str(mine))
    (mine / "first_steps/double.py").write_text("my = 'work'\n", encoding="utf-8")
    (mine / "first_steps/halve.py").unlink()
    (mine / "README.md").write_text("my notes\n", encoding="utf-8")
    result = run("init", str(mine))
    assert result.exit_code == 0
    assert result.output.startswith("1 of 3 exercises written")
    assert "first_steps/double.py, next_steps/scale.py, README.md" in result.output
    assert (mine / "first_steps/double.py").read_text(encoding="utf-8") == "my = 'work'\n"
    assert (mine / "README.md").read_text(encoding="utf-8") == "my notes\n"


def test_writes_nothing_of_the_instructors_side(run: Run, tmp_path: Path) -> None:
    run("init", str(tmp_path / "mine"))
    files = {path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*.*")}
    assert files == {"README.md", "first_steps/double.py", "first_steps/halve.py", "next_steps/scale.py"}
    assert "x * 2" not in (tmp_path / "mine/first_steps/double.py").read_text(encoding="utf-8")


def test_readme_names_a_course_of_its_own(run: Run, small_course: Path, tmp_path: Path) -> None:
    run("init", str(tmp_path / "mine"), "--course", str(small_course), "--lang", "zh")
    readme = (tmp_path / "mine/README.md").read_text(encoding="utf-8")
    assert readme.startswith("# 小课程\n")
    assert f"`--course {small_course}`" in readme


def test_notebook_is_refused_for_now(run: Run, tmp_path: Path) -> None:
    result = run("init", str(tmp_path / "mine"), "--notebook")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("in_the_way", ["mine", "mine/first_steps"])
def test_file_in_the_way_is_exit_2(run: Run, tmp_path: Path, in_the_way: str) -> None:
    path = tmp_path / in_the_way
    path.parent.mkdir(exist_ok=True)
    path.write_text("I am a file", encoding="utf-8")
    result = run("init", str(tmp_path / "mine"))
    assert result.exit_code == 2
    assert result.stderr.startswith("grade: ")
    assert result.stderr.count("\n") == 1
    assert path.read_text(encoding="utf-8") == "I am a file"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_folder_that_may_not_be_written_is_exit_2(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o500)
    result = run("init", str(tmp_path / "mine"))
    assert result.exit_code == 2
    assert "cannot write to" in result.stderr
