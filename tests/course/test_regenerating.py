"""`python -m grader.course`: the stubs on disk follow the references."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.course.__main__ import main


def test_stubs_are_written_once(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--course", str(small_course)]) == 0
    assert "exercises/first_steps/double.py: written" in capsys.readouterr().out
    assert "not written yet" in (small_course / "exercises/first_steps/double.py").read_text(encoding="utf-8")
    assert main(["--course", str(small_course)]) == 0
    assert capsys.readouterr().out == ""


def test_check_finds_what_is_stale(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--course", str(small_course)])
    assert main(["--course", str(small_course), "--check"]) == 0
    stub = small_course / "exercises/first_steps/double.py"
    stub.write_text("# edited\n", encoding="utf-8")
    stray = small_course / "exercises/old_steps/gone.py"
    stray.parent.mkdir()
    stray.touch()
    capsys.readouterr()
    assert main(["--course", str(small_course), "--check"]) == 1
    said = capsys.readouterr().out
    assert "exercises/first_steps/double.py: is not what its reference says" in said
    assert "exercises/old_steps/gone.py: has no exercise" in said
    assert stub.read_text(encoding="utf-8") == "# edited\n"
    assert stray.exists()


def test_strays_are_removed_with_their_empty_folder(small_course: Path) -> None:
    stray = small_course / "exercises/old_steps/gone.py"
    stray.parent.mkdir(parents=True)
    stray.touch()
    assert main(["--course", str(small_course)]) == 0
    assert not stray.parent.exists()


def test_broken_course_is_told_in_a_line(small_course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_course / "course.toml").write_text("[course", encoding="utf-8")
    assert main(["--course", str(small_course)]) == 2
    assert "course.toml: is not TOML" in capsys.readouterr().err
