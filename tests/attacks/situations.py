"""The users and the levels of isolation that this machine can offer."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.attacks.grading import Situation, path_without_bubblewrap

NAMES = ("own user, most walls", "own user, no bubblewrap")


class Situations:
    """Makes each when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[str, Situation] = {}

    def get(self, name: str) -> Situation:
        """The situation of that name; skips the test where this machine cannot have it."""
        if sys.platform != "linux":
            pytest.skip("walls are Linux's")
        if name not in self.made:
            self.made[name] = self._make(name)
        return self.made[name]

    def _make(self, name: str) -> Situation:
        if name == "own user, most walls":
            return Situation(name, 3 if shutil.which("bwrap") else 2)
        return Situation(name, 2, path=path_without_bubblewrap(self.folder / "programs"))
