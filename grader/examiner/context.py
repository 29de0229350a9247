"""The test that is running: its seed, and the random numbers drawn from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import torch


def seed_of(*parts: str) -> int:
    """A 63-bit seed for a secret and whatever else tells one test from another."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


@dataclass
class TestContext:
    """Random state of one run of one test."""

    seed: int
    device: str = "cpu"
    """The type of the device that the student's code is to run on."""

    known: dict[object, Any] = field(default_factory=dict)
    """What the reference answered to what, as long as the secret is the same."""
    comparisons: int = 0

    def __post_init__(self) -> None:
        self.inputs = torch.Generator().manual_seed(self.seed)

    def next_comparison(self) -> int:
        """The seed of the next comparison's cotangents.

        They have a stream of their own for each comparison: how many one draws, or whether it draws at all,
        moves neither the inputs nor the next one's.
        """
        self.comparisons += 1
        return self.seed ^ (self.comparisons << 20)


_current = TestContext(0)


def current() -> TestContext:
    """The running test's context; a fixed one outside of any test."""
    return _current


def enter(context: TestContext) -> None:
    """Make `context` the running test's."""
    global _current
    _current = context
