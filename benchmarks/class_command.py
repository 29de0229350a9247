"""`grade batch` as a user runs it, on a made-up class, and what it left behind."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from classes import write_class
from control_group import count_command
from cpu import Cost

from grader.course.load import Exercise

_SEED = "benchmark"
_LAST_WORDS = 2000


@dataclass(frozen=True)
class Graded:
    """A class that has been graded."""

    cost: Cost
    peak_mib: Mapping[str, float]
    gradebook_mib: float
    results_mib: float


class BatchCommand:
    """Runs the command and looks whether every answer got the verdict that it should.

    Args:
        course: the course's folder.
        scratch: where classes and results may be written.
    """

    def __init__(self, course: Path, scratch: Path) -> None:
        self.course = course
        self.scratch = scratch
        self.out = scratch / "out"
        self.isolation = 0
        """The level of the walls in the last run."""
        self._command: list[str] = []
        self._expected: Mapping[str, bool] = {}
        self._written: dict[Path, Mapping[str, bool]] = {}

    def a_class(
        self, kind: str, exercises: Sequence[Exercise], count: int, jobs: int, engine: str = "local"
    ) -> Graded:
        """Grade a class of `count` for the first time.

        Raises:
            click.ClickException: the command failed, or a verdict is not what it should be.
        """
        shutil.rmtree(self.out, ignore_errors=True)
        handed_in = self.scratch / f"{kind}-{count}-{len(exercises)}"
        if handed_in not in self._written:
            shutil.rmtree(handed_in, ignore_errors=True)
            self._written[handed_in] = write_class(handed_in, kind, exercises, count)
        self._expected = self._written[handed_in]
        self._command = [sys.executable, "-m", "grader", "batch", str(handed_in), "--out", str(self.out)]
        self._command += ["--course", str(self.course), "--seed", _SEED]
        self._command += ["--jobs", str(jobs), "--engine", engine]
        return self.again()

    def again(self) -> Graded:
        """The last command once more, with what the last run left."""
        done = count_command(
            self._command,
            directory=self.scratch,
            environment=os.environ,
            output=self.scratch / "output.txt",
        )
        # Exercises of the course that are not handed in make it exit 1.
        if done.code not in (0, 1):
            raise click.ClickException(f"grade batch failed: {done.output[-_LAST_WORDS:]}")
        results = self.out / "results.jsonl"
        self._check(results)
        gradebook = sum(file.stat().st_size for file in self.out.glob("gradebook.sqlite*"))
        return Graded(done.cost, done.peak_mib, gradebook / 2**20, results.stat().st_size / 2**20)

    def _check(self, results: Path) -> None:
        found = {}
        with results.open(encoding="utf-8") as lines:
            for line in lines:
                result = json.loads(line)
                self.isolation = result["isolation"]
                for exercise in result["exercises"]:
                    found[f"{result['student']}/{exercise['id']}"] = exercise["verdict"]
        for answer, right in self._expected.items():
            verdict = found.get(answer, "no verdict")
            if verdict not in (("passed",) if right else ("failed", "partial", "forbidden", "timeout")):
                raise click.ClickException(
                    f"{answer} is {'right' if right else 'wrong'}, and got {verdict}: see {results}"
                )
