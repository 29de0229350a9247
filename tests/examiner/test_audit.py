"""The audit finds a suite that does not bite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.course.load import load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.examiner.audit import Audit, audit
from tests.conftest import ROOT

WEAK_SUITE = """
from grader import agree


def test_values(student, reference, make):
    agree(student.softmax, reference.softmax, gradients=False)(make.randn(4, 4).detach(), 1)
"""


def audit_of(root: Path, *ids: str, mutants: bool = True) -> dict[str, Audit]:
    course = load_course(root)
    chosen = [course.exercise(id) for id in ids] or list(course.exercises)

    def run(engine: OpenEngine) -> dict[str, Audit]:
        return {exercise.id: audit(engine.grading, exercise, mutants=mutants) for exercise in chosen}

    return LocalEngine(course, chosen, Setting(seed="audit", walls=False)).run(run)


def test_shipped_suites_bite() -> None:
    """A sample; `grade audit` does all of them."""
    for result in audit_of(ROOT, "softmax", "conv_output_size").values():
        assert result.good, result
        assert result.mutants > 10
        assert result.killed == result.mutants - result.equivalent


@pytest.mark.slow
def test_all_shipped_suites_bite() -> None:
    for result in audit_of(ROOT).values():
        assert result.good, result


def test_a_weak_suite_is_found_out(tmp_path: Path) -> None:
    for name in ("course.toml", "solutions"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / "solutions/losses/softmax/test_softmax.py").write_text(WEAK_SUITE)
    result = audit_of(tmp_path, "softmax")["softmax"]
    assert not result.good
    assert any("gradient" in misconception or "graph" in misconception for misconception in result.passing)
    assert result.survivors
