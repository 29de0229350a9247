"""On a GPU: inputs go to the device inside the worker, the reference stays on the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from grader.course.load import load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.result import ExerciseResult
from tests.conftest import ROOT

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]

ON_THE_CPU = """
import torch

def softmax(x, dim):
    x = x.cpu()
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""


def grade(device: str, sources: dict[str, str]) -> dict[str, ExerciseResult]:
    course = load_course(Path(ROOT))
    chosen = [course.exercise(id) for id in sources]

    def run(engine: OpenEngine) -> dict[str, ExerciseResult]:
        return {exercise.id: engine.grading.grade(exercise, sources[exercise.id]) for exercise in chosen}

    return LocalEngine(course, chosen, Setting(device=device)).run(run)


def test_every_reference_scores_full_on_the_device() -> None:
    course = load_course(Path(ROOT))
    results = grade("cuda", {exercise.id: exercise.reference_source for exercise in course.exercises})
    assert {id: result.verdict for id, result in results.items()} == dict.fromkeys(results, "passed")


def test_a_result_on_the_wrong_device_fails() -> None:
    (result,) = grade("cuda", {"softmax": ON_THE_CPU}).values()
    assert result.verdict != "passed"
    assert any("is on cpu" in test.message for test in result.tests)


def test_cpu_and_gpu_give_the_same_marks() -> None:
    course = load_course(Path(ROOT))
    sources = {"softmax": course.exercise("softmax").wrong_answers[0].source}
    scores = {device: grade(device, sources)["softmax"].score for device in ("cpu", "cuda")}
    assert scores["cpu"] == scores["cuda"]
