"""What it costs to grade a class with `grade batch`: the real command, gradebook and results included.

    python benchmarks/a_class.py
    python benchmarks/a_class.py --ray --nbgrader VENV/bin/python --otter VENV/bin/python
    python benchmarks/a_class.py --part growth --large

Every way is measured with two sizes of class, in turn, round after round: what the next submission costs is the
difference between them, what the start costs is the rest. All walls stand that this machine has.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from class_command import BatchCommand
from classes import KINDS, WRONG, kinds_of_answers, students
from cpu import Cost, adopt_orphans
from machine import machine_facts
from plain_checks import CASES
from rivals import NbgraderCourse, OtterCourse

from grader.course.load import Exercise, load_course
from grader.engine.pool import cores
from grader.worker import bubblewrap

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("class", "again", "growth")
_SMALL = "conv_output_size"


@dataclass
class Way:
    """One way to grade a class: measured at a few students and at many, in each round."""

    name: str
    few: int
    many: int
    measure: Callable[[int], Cost]
    """Grades a class of that size."""
    costs: dict[int, list[Cost]] = field(default_factory=dict)

    def run(self) -> None:
        """Once with each size."""
        for count in (self.few, self.many):
            cost = self.measure(count)
            self.costs.setdefault(count, []).append(cost)
            click.echo(f"{self.name}, {count}: {cost.cpu:.1f} CPU s, {cost.wall:.1f} s", err=True)

    def median(self, count: int) -> Cost:
        """Of a whole class of that size."""
        costs = self.costs[count]
        return Cost(
            statistics.median(cost.cpu for cost in costs), statistics.median(cost.wall for cost in costs)
        )

    def next_one(self) -> Cost:
        """What a further submission costs."""
        few, many = self.median(self.few), self.median(self.many)
        return Cost(many.cpu - few.cpu, many.wall - few.wall) / (self.many - self.few)

    def start(self) -> Cost:
        """What a class of none would cost."""
        few, one = self.median(self.few), self.next_one()
        return Cost(few.cpu - self.few * one.cpu, few.wall - self.few * one.wall)


def class_ways(
    grade: BatchCommand,
    exercises: list[Exercise],
    sizes: tuple[int, int],
    kinds: Sequence[str],
    jobs: Sequence[int],
    ray: bool,
) -> list[Way]:
    """Here, with each number of jobs, and with Ray."""
    engines = [(f"{count} job{'s' * (count > 1)}", count, "local") for count in jobs]
    if ray:
        engines.append((f"Ray, {max(jobs)} job{'s' * (max(jobs) > 1)}", max(jobs), "ray"))
    ways = []
    for kind in kinds:
        for name, count, engine in engines:

            def measure(size: int, kind: str = kind, count: int = count, engine: str = engine) -> Cost:
                return grade.a_class(kind, exercises, size, count, engine).cost

            ways.append(Way(f"{kind}, {name}", *sizes, measure))
    return ways


def rival_way(
    name: str,
    rival: type[NbgraderCourse | OtterCourse],
    folder: Path,
    python: str,
    exercises: list[Exercise],
    sizes: tuple[int, int],
) -> tuple[Way, str]:
    """Another grader's way with the class of copies, and its versions."""
    references = {exercise.id: exercise.reference_source for exercise in exercises}
    courses = {}
    for size in sizes:
        handed = [
            {exercise: answer.source for exercise, answer in answers.items()}
            for _, answers in students("copies", exercises, size)
        ]
        courses[size] = rival(folder / f"{name}-{size}", python, references, handed, dict(os.environ))
    way = Way(f"copies, {name}", *sizes, lambda size: courses[size].grade_all())
    return way, courses[sizes[0]].versions()


def show_class(ways: list[Way], rounds: int) -> None:
    """The table: the slope, the rest, and the whole."""
    first = ways[0].next_one()
    click.echo(f"Medians of {rounds} {'round' if rounds == 1 else 'rounds'}, the way of each line in turn.\n")
    click.echo(f"{'':26}{'the next submission':^34}{'the start':^18}{'the larger class, whole':^38}")
    click.echo(
        f"{'':26}{'CPU s':>8}{'times':>8}{'wall s':>9}{'a second':>9}{'CPU s':>9}{'wall s':>9}"
        f"{'of':>7}{'CPU s each':>12}{'wall s':>9}{'a second':>10}"
    )
    for way in ways:
        one, start, whole = way.next_one(), way.start(), way.median(way.many)
        click.echo(
            f"{way.name:26}{one.cpu:8.3f}{one.cpu / first.cpu:8.1f}{one.wall:9.3f}{1 / one.wall:9.2f}"
            f"{start.cpu:9.1f}{start.wall:9.1f}"
            f"{way.many:7}{whole.cpu / way.many:12.3f}{whole.wall:9.1f}{way.many / whole.wall:10.2f}"
        )


def grade_again(grade: BatchCommand, exercises: list[Exercise], count: int, jobs: int, scratch: Path) -> None:
    """A class, the same command again, and again after the suite of one exercise has changed."""
    course = scratch / "course"
    course.mkdir()
    shutil.copy(grade.course / "course.toml", course)
    for part in ("exercises", "solutions"):
        shutil.copytree(
            grade.course / part, course / part, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    here = BatchCommand(course, scratch)
    rows = [("graded", here.a_class("mixed", exercises, count, jobs))]
    rows.append(("again, nothing changed", here.again()))
    changed = exercises[0]
    suite = course / changed.folder.relative_to(grade.course) / f"test_{changed.id}.py"
    with suite.open("a", encoding="utf-8") as file:
        file.write("\n\ndef test_it_is_there(student):\n    assert student\n")
    rows.append((f"again, {changed.id}'s suite changed", here.again()))
    rows.append(("again, nothing changed", here.again()))
    grade.isolation = here.isolation
    click.echo(f"\nThe mixed class of {count}, {jobs} jobs, the same command over and over:\n")
    click.echo(f"{'':38}{'CPU s':>9}{'wall s':>9}{'CPU ms each':>13}")
    for name, graded in rows:
        cost = graded.cost
        click.echo(f"{name:38}{cost.cpu:9.2f}{cost.wall:9.2f}{1e3 * cost.cpu / count:13.1f}")


def show_growth(grade: BatchCommand, classes: Sequence[tuple[list[Exercise], int]], jobs: int) -> None:
    """Grade larger and larger classes: time, memory and files."""
    click.echo(f"\nMixed classes, {jobs} jobs; memory is the most that was resident in one process.\n")
    click.echo(
        f"{'':26}{'':>9}{'':>9}{'CPU s':>8}{'command':>9}{'a node':>8}{'forkserver':>12}{'gradebook':>11}{'results':>9}"
    )
    click.echo(
        f"{'students':>10}{'exercises':>16}{'CPU s':>9}{'wall s':>9}{'each':>8}"
        f"{'MiB':>9}{'MiB':>8}{'MiB':>12}{'MiB':>11}{'MiB':>9}"
    )
    for exercises, count in classes:
        graded = grade.a_class("mixed", exercises, count, jobs)
        cost, peak = graded.cost, graded.peak_mib
        click.echo(
            f"{count:10}{len(exercises):16}{cost.cpu:9.1f}{cost.wall:9.1f}{cost.cpu / count:8.3f}"
            f"{peak.get('command', 0):9.0f}{peak.get('node', 0):8.0f}{peak.get('forkserver', 0):12.0f}"
            f"{graded.gradebook_mib:11.2f}{graded.results_mib:9.2f}"
        )


def explain(exercises: list[Exercise]) -> None:
    """What the kinds of classes are."""
    checks = sum(len(CASES[exercise.id]) for exercise in exercises)
    click.echo(f"Each student hands in {len(exercises)} exercises: {', '.join(e.id for e in exercises)};")
    click.echo(f"{checks} checks in the rivals' suites, the hidden suites of the course here.")
    click.echo(
        "copies: the same right answers from everybody, signed: other text, same behaviour. Answers whose"
    )
    click.echo("        replies are known are recognised by them, so that almost no test is run twice.")
    click.echo(f"mixed:  at random from {kinds_of_answers(exercises)}, {WRONG:.0%} wrong.")
    click.echo("unlike: as mixed, but each answer prints its author's name: none is ever recognised.\n")


@click.command()
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, help="Of the tables; all.")
@click.option(
    "--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="Of classes, in the first table; all."
)
@click.option("--few", default=20, type=click.IntRange(min=1), show_default=True, help="Smaller class.")
@click.option("--many", default=200, type=click.IntRange(min=2), show_default=True, help="Larger class.")
@click.option("--rounds", default=3, type=click.IntRange(min=1), show_default=True)
@click.option("--jobs", multiple=True, type=click.IntRange(min=1), help="By default 1 and 2.")
@click.option("--ray", is_flag=True, help="With a Ray cluster that the command starts, as well.")
@click.option("--nbgrader", metavar="PYTHON", help="Measure nbgrader too: an interpreter that has it.")
@click.option("--otter", metavar="PYTHON", help="Measure otter-grader too: an interpreter that has it.")
@click.option(
    "--rival-students",
    nargs=2,
    default=(2, 6),
    type=click.IntRange(min=1),
    show_default=True,
    help="The two sizes of class that the others grade.",
)
@click.option("--large", is_flag=True, help="Growth up to 10,000 students: a long run.")
@click.option(
    "--course",
    "course_folder",
    default=ROOT,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="By default this repository's.",
)
def main(
    parts: tuple[str, ...],
    kinds: tuple[str, ...],
    few: int,
    many: int,
    rounds: int,
    jobs: tuple[int, ...],
    ray: bool,
    nbgrader: str | None,
    otter: str | None,
    rival_students: tuple[int, int],
    large: bool,
    course_folder: Path,
) -> None:
    """Measure what it costs to grade a class, and print tables."""
    if not few < many or not rival_students[0] < rival_students[1]:
        raise click.UsageError("the larger class has to be larger than the smaller one")
    adopt_orphans()
    parts, jobs = parts or PARTS, jobs or (1, 2)
    course = load_course(course_folder)
    exercises = [course.exercise(id) for id in CASES]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="torchgrade-benchmark-") as folder:
        scratch = Path(folder)
        grade = BatchCommand(course.root, scratch)
        notes = []
        explain(exercises)
        if "class" in parts:
            ways = class_ways(grade, exercises, (few, many), kinds or KINDS, jobs, ray)
            rivals: list[tuple[str, type[NbgraderCourse | OtterCourse], str | None]] = [
                ("nbgrader", NbgraderCourse, nbgrader),
                ("otter-grader", OtterCourse, otter),
            ]
            for name, rival, python in rivals:
                if python is not None:
                    way, versions = rival_way(name, rival, scratch, python, exercises, rival_students)
                    ways.append(way)
                    notes.append(versions)
            for _ in range(rounds):
                for way in ways:
                    way.run()
            show_class(ways, rounds)
        if "again" in parts:
            grade_again(grade, exercises, many, max(jobs), scratch)
        if "growth" in parts:
            small = [course.exercise(_SMALL)]
            classes = [(exercises, 100), (small, 100), (small, 1000)]
            if large:
                classes += [(exercises, 1000), (small, 10_000)]
            show_growth(grade, classes, max(jobs))
    click.echo()
    for line in [*notes, *machine_facts(grade.isolation, bubblewrap.available() is None)]:
        click.echo(line)
    click.echo(
        f"{cores()} cores usable, load average {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end"
    )


if __name__ == "__main__":
    main()
