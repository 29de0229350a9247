"""The real `grade` command as a process, with the walls and the user that a test asks for."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from grader.result import GradingResult

SEED = "attack"
"""Always the same inputs: what an answer deserves that draws numbers of its own hangs on them."""

LIMITS = """\
[limits]
call_seconds = 2.0
exercise_seconds = 5.0
memory_mb = 256
message_mb = 32
handles = 256
"""


@dataclass(frozen=True)
class Situation:
    """Who grades, and what stands around the workers."""

    name: str
    level: int
    python: str = sys.executable
    prefix: tuple[str, ...] = ()
    """A command that makes an ordinary user of root, say."""
    path: str | None = None
    """The PATH to search programs in; without bubblewrap on it the level is 2."""


@dataclass(frozen=True)
class Graded:
    """What the command left behind."""

    code: int
    out: str
    err: str
    result: GradingResult | None

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out}\n{self.err}"


def submit(situation: Situation, course: Path, path: Path, *options: str, seconds: float = 180) -> Graded:
    """`grade submit PATH --json -`; the result is held against the schema."""
    done = run_grade(
        situation, "submit", str(path), "--course", str(course), "--json", "-", *options, seconds=seconds
    )
    result = None
    if done.stdout.strip():
        result = GradingResult.model_validate(json.loads(done.stdout))
    return Graded(done.returncode, done.stdout, done.stderr, result)


def run_grade(
    situation: Situation, *arguments: str, seconds: float = 180
) -> subprocess.CompletedProcess[str]:
    """Any `grade` command."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    if situation.path is not None:
        environment["PATH"] = situation.path
    return subprocess.run(
        [*situation.prefix, situation.python, "-m", "grader", *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        cwd="/",
        timeout=seconds,
        check=False,
    )


def impatient_course(origin: Path, copy: Path) -> Path:
    """A copy of a course whose limits are short: an endless loop costs a test two seconds, not five."""
    copy.mkdir()
    for name in ("solutions", "exercises"):
        shutil.copytree(origin / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = (origin / "course.toml").read_text(encoding="utf-8")
    text, replaced = re.subn(r"\[limits\]\n(?:\w.*\n)*", LIMITS, manifest)
    assert replaced == 1
    (copy / "course.toml").write_text(text, encoding="utf-8")
    return copy


def path_without_bubblewrap(folder: Path) -> str:
    """A PATH on which there is all but bwrap."""
    folder.mkdir()
    for directory in os.environ["PATH"].split(os.pathsep):
        for program in Path(directory).glob("*") if Path(directory).is_dir() else ():
            if program.name != "bwrap" and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return str(folder)
