"""The users and the levels of isolation that this machine can offer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import grader
from tests.attacks.as_user import CANNOT
from tests.attacks.grading import Situation, path_without_bubblewrap

NAMES = (
    "own user, most walls",
    "own user, no bubblewrap",
    "ordinary user, most walls",
    "ordinary user, no bubblewrap",
)
NO_WALLS = "ordinary user, no walls"
"""As on a kernel without Landlock and seccomp: no attack is let loose there, but an honest answer is graded."""

NO_NAMESPACES = "ordinary user, no namespaces"
"""As in a container that lets nobody make more: bubblewrap is there and does not run."""

_OPTIONS = {"no walls": ["--without-walls"], "no namespaces": ["--without-namespaces"]}
_AS_USER = Path(__file__).with_name("as_user.py")
# Nobody's: as in a container that is run with a user's number and knows no such user.
_UID = 54_321
_WHETHER_BUBBLEWRAP_WORKS = """\
import grader.cli.main, sys
from grader.worker import bubblewrap
sys.stdout.write(str(bubblewrap.available() is None))
"""


class Situations:
    """Makes each when it is first asked for.

    Args:
        folder: for what they need on the disk.
        ours: the tests' temporary files; what is to be graded lies there.
    """

    def __init__(self, folder: Path, ours: Path) -> None:
        self.folder = folder
        self.ours = ours
        self.made: dict[str, Situation | str] = {}

    def get(self, name: str) -> Situation:
        """The situation of that name; skips the test where this machine cannot have it."""
        if name not in self.made:
            self.made[name] = self._make(name)
        made = self.made[name]
        if isinstance(made, str):
            pytest.skip(made)
        return made

    def _make(self, name: str) -> Situation | str:
        """It, or why it cannot be had."""
        if sys.platform != "linux":
            return "walls are Linux's"
        user, walls = name.split(", ")
        options: list[str] = [*_OPTIONS.get(walls, [])]
        if user == "ordinary user" and os.geteuid() == 0:
            options += ["--uid", str(_UID), "--home", str(self._home()), "--ours", str(self.ours)]
            places = [*_places(), Path(self._path_without_bubblewrap())]
            options += [word for place in places for word in ("--open", str(place))]
        elif user == "ordinary user" and not options:
            return "the own user is an ordinary one already, and only root can become another"
        prefix = (sys.executable, str(_AS_USER), *options, "--") if options else ()
        command = [*prefix, sys.executable, "-c", _WHETHER_BUBBLEWRAP_WORKS]
        trial = subprocess.run(command, capture_output=True, encoding="utf-8", cwd="/", check=False)
        if trial.returncode == CANNOT:
            return f"this machine lets nobody become an ordinary user: {trial.stderr.strip()}"
        assert trial.returncode == 0, trial.stderr
        if walls in ("most walls", "no namespaces"):
            return Situation(name, 3 if trial.stdout == "True" else 2, prefix=prefix)
        return Situation(
            name, 0 if walls == "no walls" else 2, prefix=prefix, path=self._path_without_bubblewrap()
        )

    def _path_without_bubblewrap(self) -> str:
        programs = self.folder / "programs"
        return str(programs) if programs.exists() else path_without_bubblewrap(programs)

    def _home(self) -> Path:
        home = self.folder / "home"
        if not home.exists():
            home.mkdir(0o700)
            os.chown(home, _UID, _UID)
        return home


def _places() -> list[Path]:
    """Where the interpreter, its packages and torchgrade are."""
    interpreter = Path(sys.executable)
    return [
        Path(sys.prefix),
        Path(sys.base_prefix),
        interpreter.parent,
        interpreter.resolve().parent,
        Path(grader.__file__).resolve().parents[1],
    ]
