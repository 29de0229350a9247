"""What it costs to grade one submission: here, by a fresh pytest process, and by nbgrader.

All are measured in turn, round after round, in one run: what the machine does meanwhile befalls each of them.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
from cpu import (
    Cost,
    CountingForkserver,
    ForkserverMeter,
    adopt_orphans,
    children_of,
    cost_here,
    cost_of_command,
    reap_orphans,
)
from machine import machine_facts
from plain_checks import CASES
from rivals import NbgraderCourse, PytestProcess, write_answers

from grader.course.load import Course, Exercise, load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.result import GradingResult
from grader.submission.intake import read_submission

ROOT = Path(__file__).resolve().parent.parent
EXERCISES = tuple(CASES)
_GRADE = "from grader.cli.main import main; main()"
_SEED = "benchmark"


@dataclass
class Contender:
    """One way to grade, and what it took in each round, for one submission."""

    name: str
    measure: Callable[[], Cost]
    costs: list[Cost] = field(default_factory=list)

    def cpu(self, summary: Callable[[list[float]], float] = statistics.median) -> float:
        """CPU seconds: their median, or another summary of them."""
        return summary([cost.cpu for cost in self.costs])

    def wall(self) -> float:
        """The median of the wall seconds."""
        return statistics.median(cost.wall for cost in self.costs)


class NextOfMany:
    """An open engine grades one submission after another: read from disk, graded, written as JSON."""

    def __init__(self, course: Course, engine: OpenEngine, meter: ForkserverMeter) -> None:
        self.course = course
        self.engine = engine
        self.meter = meter
        self.tests = 0
        """How many hidden tests a submission went through."""

    def grade(self, folders: list[Path], passed: bool, recognised: bool = False) -> Cost:
        """Grade submissions. What one of them takes.

        Args:
            folders: the submissions, all of which answer alike.
            passed: every answer is right; else every one is wrong.
            recognised: answers whose like was met before are known by their replies; else all tests are run.

        Raises:
            click.ClickException: one of their exercises was not passed, or failed, as it was to be.
        """
        results: list[GradingResult] = []

        def grade_all() -> None:
            for folder in folders:
                if not recognised:
                    self.engine.grading.known.forget()
                submission = read_submission(folder, self.course.exercises)
                result = self.engine.grade(submission, folder.name)
                result.to_json()
                results.append(result)

        cost = cost_here(grade_all, self.meter.read) / len(folders)
        for result in results:
            verdicts = {e.id: e.verdict for e in result.exercises if e.id in EXERCISES}
            _check_verdicts(verdicts, passed)
            self.tests = sum(len(e.tests) for e in result.exercises if e.id in EXERCISES)
        return cost


def _check_verdicts(verdicts: Mapping[str, str], passed: bool) -> None:
    wanted = {"passed"} if passed else {"partial", "failed"}
    if len(verdicts) != len(EXERCISES) or not set(verdicts.values()) <= wanted:
        raise click.ClickException(f"every exercise was to be {' or '.join(sorted(wanted))}: {verdicts}")


def grade_from_cold(folder: Path, course: Course, scratch: Path, environment: Mapping[str, str]) -> Cost:
    """One `grade submit`, from its start to its end."""
    command = [sys.executable, "-c", _GRADE, "submit", str(folder), "--course", str(course.root)]
    command += ["--seed", _SEED, "--json", str(scratch / "result.json")]
    done = cost_of_command(command, directory=scratch, environment=environment, output=scratch / "output.txt")
    # Exercises of the course that are not handed in make it exit 1.
    if done.code not in (0, 1):
        raise click.ClickException(f"grade submit failed: {done.output[-2000:]}")
    result = json.loads((scratch / "result.json").read_text(encoding="utf-8"))
    _check_verdicts({e["id"]: e["verdict"] for e in result["exercises"] if e["id"] in EXERCISES}, passed=True)
    return done.cost


def submissions(scratch: Path, name: str, answers: Mapping[str, str], count: int) -> list[Path]:
    """Folders that hold the same answers, each in words of its own: nothing is found to be known already."""
    folders = []
    for number in range(count):
        folder = scratch / f"{name}{number:03}"
        write_answers(folder, signed(answers, folder.name))
        folders.append(folder)
    return folders


def signed(answers: Mapping[str, str], student: str) -> dict[str, str]:
    """The answers with their author's name below."""
    return {exercise: f"{source}\n# {student}\n" for exercise, source in answers.items()}


@click.command()
@click.option(
    "--runs",
    default=5,
    type=click.IntRange(min=1),
    show_default=True,
    help="Rounds; each way is measured once in each.",
)
@click.option(
    "--batch",
    default=20,
    type=click.IntRange(min=1),
    show_default=True,
    help="Submissions that the open engine grades in a round.",
)
@click.option(
    "--nbgrader",
    "nbgrader_python",
    is_flag=False,
    flag_value=sys.executable,
    metavar="[PYTHON]",
    help="Measure nbgrader as well; PYTHON is an interpreter that has it, by default this one.",
)
@click.option(
    "--students",
    default=4,
    type=click.IntRange(min=1),
    show_default=True,
    help="Students that nbgrader autogrades in a round.",
)
@click.option(
    "--course",
    "course_folder",
    default=ROOT,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the course; by default this repository's.",
)
def main(runs: int, batch: int, nbgrader_python: str | None, students: int, course_folder: Path) -> None:
    """Measure what it costs to grade one submission, and print a table."""
    adopt_orphans()
    # Before the engine sets what pytest reads.
    environment = dict(os.environ)
    course = load_course(course_folder)
    exercises = [course.exercise(id) for id in EXERCISES]
    engine = LocalEngine(course, exercises, Setting(seed=_SEED))
    forkserver = CountingForkserver(engine.forkserver.options)
    engine.forkserver = forkserver
    before = children_of(os.getpid())
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="torchgrade-benchmark-") as scratch:
        comparison = Comparison(course, exercises, Path(scratch), environment)

        def compare(opened: OpenEngine) -> tuple[float, float]:
            meter = ForkserverMeter(forkserver, before)
            comparison.prepare(NextOfMany(course, opened, meter), batch, nbgrader_python, students)
            comparison.run(runs)
            return meter.read(), _reaped()

        by_clocks, reaped = engine.run(compare)
        by_wait = _reaped() - reaped + reap_orphans(before)
        comparison.show()
    click.echo()
    for line in machine_facts(engine.isolation, forkserver.bubblewrapped):
        click.echo(line)
    click.echo(f"load average {load[0]:.1f} at the start, {os.getloadavg()[0]:.1f} at the end")
    click.echo(
        f"a check, the forkserver and all its workers: {by_clocks:.2f} CPU s as counted here, "
        f"{by_wait:.2f} as wait4 has it after its end"
    )


def _reaped() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class Comparison:
    """The contenders, and their rounds."""

    def __init__(
        self, course: Course, exercises: list[Exercise], scratch: Path, environment: Mapping[str, str]
    ) -> None:
        self.course = course
        self.scratch = scratch
        self.environment = environment
        self.right = {exercise.id: exercise.reference_source for exercise in exercises}
        self.wrong = {exercise.id: exercise.wrong_answers[0].source for exercise in exercises}
        self.contenders: list[Contender] = []
        self.notes: list[str] = []
        self.many: NextOfMany | None = None

    def prepare(self, many: NextOfMany, batch: int, nbgrader_python: str | None, students: int) -> None:
        """Write the submissions, build what the rivals need, and have a first round that is not kept."""
        self.many = many
        right = submissions(self.scratch / "right", "r", self.right, batch)
        wrong = submissions(self.scratch / "wrong", "w", self.wrong, batch)
        cold = self.scratch / "cold"
        cold.mkdir()
        plain = PytestProcess(self.scratch / "pytest", self.right, self.environment)
        self.contenders = [
            Contender("torchgrade, the next of many", lambda: many.grade(right, True, recognised=True)),
            Contender("  nothing of it recognised", lambda: many.grade(right, passed=True)),
            Contender("  nothing, and every answer wrong", lambda: many.grade(wrong, passed=False)),
            Contender(
                "torchgrade, `grade submit` from cold",
                lambda: grade_from_cold(right[0], self.course, cold, self.environment),
            ),
            Contender("a fresh pytest process", lambda: plain.grade(signed(self.right, "s"))),
        ]
        rival = None
        if nbgrader_python is not None:
            handed_in = [signed(self.right, f"s{number:03}") for number in range(students)]
            rival = NbgraderCourse(
                self.scratch / "nbgrader", nbgrader_python, self.right, handed_in, self.environment
            )
            self.contenders.append(Contender(f"nbgrader autograde, {students} students", rival.grade))
            self.notes.append(rival.versions())
        for contender in self.contenders:
            contender.measure()
        if rival is not None:
            rival.check_grades()

    def run(self, rounds: int) -> None:
        """Measure one after the other, and again."""
        for _ in range(rounds):
            for contender in self.contenders:
                contender.costs.append(contender.measure())

    def show(self) -> None:
        """Print the table."""
        assert self.many is not None
        first = self.contenders[0]
        rounds = len(first.costs)
        click.echo(f"One submission of {len(EXERCISES)} exercises: {', '.join(EXERCISES)}.")
        click.echo(
            f"{self.many.tests} hidden tests here, {sum(map(len, CASES.values()))} checks there; "
            f"medians of {rounds} {'round' if rounds == 1 else 'rounds'}, the way of each line in turn.\n"
        )
        click.echo(f"{'':38}{'CPU s':>8}  {'least .. most':^17}{'times':>8}{'wall s':>10}{'times':>8}")
        for one in self.contenders:
            spread = f"{one.cpu(min):7.3f} .. {one.cpu(max):.3f}"
            click.echo(
                f"{one.name:38}{one.cpu():8.3f}  {spread:17}{one.cpu() / first.cpu():8.1f}"
                f"{one.wall():10.3f}{one.wall() / first.wall():8.1f}"
            )
        for note in self.notes:
            click.echo(f"\n{note}")


if __name__ == "__main__":
    main()
