"""A small course to read submissions for, written to a folder as an author would."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course.load import Exercise, load_exercise

_EXERCISE_TOML = """
title = {{ en = "An exercise", zh = "练习" }}
points = 1
difficulty = 1
minutes = 5
source = "N3"
forbidden = {forbidden}

[hints]
concept = {{ en = "a", zh = "a" }}
formula = {{ en = "b", zh = "b" }}
line = {{ en = "c", zh = "c" }}
"""

SOFTMAX = '''"""Softmax."""

import torch

SCALE = 1.0


def softmax(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Turn scores into probabilities."""
    # solution begins
    e = torch.exp(SCALE * (x - x.amax(dim, keepdim=True)))
    return e / e.sum(dim, keepdim=True)
    # solution ends
'''

OFFSETS = '''"""Offsets."""

import torch


def encode_offsets(anchors: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Say where boxes lie, seen from anchors."""
    # solution begins
    return boxes - anchors
    # solution ends


def decode_offsets(anchors: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """Turn offsets back to boxes."""
    # solution begins
    return anchors + offsets
    # solution ends
'''

WEIGHTED = '''"""A weighted error."""

import torch


class WeightedMSE(torch.autograd.Function):
    """The mean of squared errors, each with a weight."""

    @staticmethod
    def forward(ctx, pred, target, weight):
        """Compute the loss."""
        # solution begins
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean()
        # solution ends
'''

CROSS_ENTROPY = '''"""Cross-entropy."""

import torch


def cross_entropy(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Say how surprising the targets are."""
    # solution begins
    return (torch.logsumexp(logits, 1) - logits.gather(1, target[:, None])[:, 0]).mean()
    # solution ends
'''


def write_exercise(
    root: Path, topic: str, exercise_id: str, reference: str, forbidden: tuple[str, ...]
) -> Exercise:
    folder = root / topic / exercise_id
    folder.mkdir(parents=True)
    texts = {
        "exercise.toml": _EXERCISE_TOML.format(forbidden=json.dumps(list(forbidden))),
        "reference.py": reference,
        f"test_{exercise_id}.py": "",
        "wrong_answers.py": "",
        "statement.md": "# An exercise",
        "statement.zh.md": "# 练习",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return load_exercise(folder)


@pytest.fixture(scope="session")
def exercises(tmp_path_factory: pytest.TempPathFactory) -> tuple[Exercise, ...]:
    root = tmp_path_factory.mktemp("solutions")
    return (
        write_exercise(root, "losses", "softmax", SOFTMAX, ("torch.softmax", "torch.nn.functional.softmax")),
        write_exercise(
            root, "losses", "cross_entropy", CROSS_ENTROPY, ("torch.nn.functional.cross_entropy",)
        ),
        write_exercise(root, "detection", "encode_offsets", OFFSETS, ()),
        write_exercise(root, "autograd", "weighted_mse", WEIGHTED, ("torch.autograd.grad",)),
    )


@pytest.fixture
def softmax(exercises: tuple[Exercise, ...]) -> Exercise:
    return exercises[0]


@pytest.fixture
def hw(tmp_path: Path) -> Path:
    folder = tmp_path / "hw"
    folder.mkdir()
    return folder


@pytest.fixture
def lay(hw: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Writes files into the submission's folder, and names it."""

    def write(files: dict[str, str | bytes]) -> Path:
        for name, content in files.items():
            path = hw / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return hw

    return write


@pytest.fixture
def pack(tmp_path: Path) -> Callable[..., Path]:
    """Writes a zip of these files, which `change` may then hurt, byte by byte."""

    def write(
        files: dict[str, str | bytes] | list[tuple[str | zipfile.ZipInfo, str | bytes]],
        change: Callable[[bytes], bytes] = bytes,
        compression: int = zipfile.ZIP_DEFLATED,
    ) -> Path:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as archive:
            for name, content in files.items() if isinstance(files, dict) else files:
                archive.writestr(name, content)
        path = tmp_path / "hw.zip"
        path.write_bytes(change(buffer.getvalue()))
        return path

    return write
