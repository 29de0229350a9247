"""The package's face: small, lazy, and fit for the walled worker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import grader

ROOT = Path(grader.__file__).parents[1]


def test_what_is_exported() -> None:
    assert sorted(grader.__all__) == ["__version__", "agree", "wrong_answer"]
    assert dir(grader) == sorted(grader.__all__)


def test_wrong_answer_is_found_at_its_home() -> None:
    from grader.course.wrong_answers import wrong_answer

    assert grader.wrong_answer is wrong_answer


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'grader' has no attribute 'gree'"):
        _ = grader.gree


def test_importing_it_imports_nothing_else(tmp_path: Path) -> None:
    # As in the worker: this one file, no dependency, no other room.
    (tmp_path / "grader").mkdir()
    shutil.copy(ROOT / "grader/__init__.py", tmp_path / "grader")
    code = (
        "import sys; before = set(sys.modules)\nimport grader\n"
        "new = set(sys.modules) - before - {'grader', 'typing'}\n"
        "assert not new & {'torch', 'pydantic', 'click', 'rich'}, new\n"
        "assert not {name for name in new if name.startswith('grader.')}, new"
    )
    start = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    subprocess.run([sys.executable, "-I", "-c", start + code], check=True)
