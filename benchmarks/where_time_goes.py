"""Where the time of one exercise goes: through the classes that a grading goes through, phase by phase.

The worker's CPU clock is read from outside, between two messages, while it waits for the next one. Each
phase stands for one grading; what a phase leaves over (a reply is sent, then the worker goes to sleep) falls
to the next. A second worker lives on, which runs again what others recorded; it is counted beside them. A
fork shares its parent's memory until it writes to it, so that a worker pays page by page: its page faults
are counted, in runs of their own.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

import click
from cpu import (
    CountingForkserver,
    ForkserverMeter,
    adopt_orphans,
    children_of,
    clock_of,
    cost_here,
    minor_faults_of,
)
from machine import machine_facts

from grader.course.load import Course, Exercise, load_course, load_exercise
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.examiner.bench import Bench
from grader.examiner.conversation import Clock, Conversation, LocalPort, WorkerPort
from grader.examiner.session import Session, with_suites
from grader.submission.intake import Submission, read_submission
from grader.submission.scan import scan
from grader.wire import WireLimits, encode

ROOT = Path(__file__).resolve().parent.parent
_SEED = "benchmark"
_WARM_UP = 3
_EMPTY_SUITE = '''"""As many tests as the real suite has, and nothing in them."""

import pytest


@pytest.mark.parametrize("number", range({count}))
def test_nothing(student, reference, make, number):
    pass
'''


@dataclass
class Spent:
    """What a phase took, in seconds: by the clock on the wall, and of each process's CPU."""

    wall: float = 0.0
    examiner: float = 0.0
    forkserver: float = 0.0
    worker: float = 0.0
    replay: float = 0.0
    """The worker that runs recorded ops again."""
    faults: float = 0.0
    """The worker's page faults, where they were counted."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def __sub__(self, other: Spent) -> Spent:
        return Spent(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    @property
    def cpu(self) -> float:
        """Of all processes."""
        return self.examiner + self.forkserver + self.worker + self.replay


class Clocks:
    """The clocks of the processes; a worker's counts from its fork."""

    def __init__(self, meter: ForkserverMeter) -> None:
        self.meter = meter
        self.worker: int | None = None
        self.replay: int | None = None
        self.counting_faults = False

    def worker_is_born(self) -> None:
        """There is a new worker, the only student's: from now on its clock is read."""
        (self.worker,) = set(children_of(self.meter.pid)) - {self.replay}

    def worker_is_gone(self) -> None:
        """There is no student's worker: what lives on runs recorded ops."""
        self.worker = None
        self.replay = next(iter(children_of(self.meter.pid)), None)

    def read(self) -> Spent:
        """What all have spent up to now."""
        return Spent(
            time.perf_counter(),
            time.process_time(),
            clock_of(self.meter.pid),
            0.0 if self.worker is None else clock_of(self.worker),
            0.0 if self.replay is None else clock_of(self.replay),
            0.0 if self.worker is None or not self.counting_faults else minor_faults_of(self.worker),
        )


class TimedPort:
    """A port to a worker that notes what each turn takes, and the worker's end."""

    def __init__(self, port: WorkerPort, clocks: Clocks) -> None:
        self.port = port
        self.clocks = clocks
        self.turns: list[Spent] = []
        self.end = Spent()

    def ask(self, message: bytes) -> bytes:
        """One request, one reply, one entry more in `turns`."""
        before = self.clocks.read()
        reply = self.port.ask(message)
        self.turns.append(self.clocks.read() - before)
        return reply

    def close(self) -> None:
        """Kill and reap, once."""
        if self.clocks.worker is None:
            return
        before = self.clocks.read()
        self.clocks.worker = None
        ended = self.port.worker.end()
        self.port.close()
        self.end = self.clocks.read() - before
        self.end.worker = ended.cpu_seconds - before.worker
        self.end.faults = 0.0


class Phases:
    """What each phase took, run after run."""

    def __init__(self) -> None:
        self.spent: dict[str, list[Spent]] = {}

    def add(self, phase: str, spent: Spent) -> None:
        """One more run of a phase."""
        self.spent.setdefault(phase, []).append(spent)

    def median(self, phase: str) -> Spent:
        """Clock by clock."""
        runs = self.spent[phase]
        return Spent(*(statistics.median(getattr(run, f.name) for run in runs) for f in fields(Spent)))

    @contextmanager
    def timed(self, phase: str, clocks: Clocks) -> Iterator[None]:
        """A phase in which no worker is born or ends."""
        before = clocks.read()
        yield
        self.add(phase, clocks.read() - before)


def grade_in_phases(
    opened: OpenEngine, exercise: Exercise, source: str, clocks: Clocks, phases: Phases
) -> int:
    """Do by hand what a grading does, with a look at the clocks after each step. How many turns it took."""
    before = clocks.read()
    port = opened.engine.open_worker(exercise, Clock(exercise.limits.exercise_seconds))
    assert isinstance(port, WorkerPort)
    forked = clocks.read() - before
    clocks.worker_is_born()
    timed = TimedPort(port, clocks)
    # A request that there is none of: the worker says so. The first reply comes from behind the walls.
    nothing = encode(("nothing",))
    started = time.perf_counter()
    timed.ask(nothing)
    after = clocks.read()
    timed.ask(nothing)
    walls, empty = timed.turns
    # All that the worker did until now, since it was forked.
    walls = Spent(after.wall - started, 0.0, 0.0, after.worker, faults=after.faults) - empty
    walls.examiner = walls.forkserver = 0.0
    # The forkserver still had to close what it had sent when its reply was here.
    forked.forkserver = after.forkserver - before.forkserver
    phases.add("fork", forked)
    phases.add("walls", walls)
    phases.add("empty turn", empty)
    timed.turns.clear()

    candidate = Conversation(
        lambda: timed,
        source,
        exercise.id,
        exercise.props_source,
        limits=WireLimits(message_bytes=opened.grading.message_bytes),
    )
    before = clocks.read()
    candidate.load()
    runs = opened.grading.session.run(exercise, candidate)
    suite = clocks.read() - before
    candidate.close()
    failed = [f"{run.name} ({run.error})" for run in runs if run.error is not None]
    if failed:
        raise click.ClickException(f"the reference was to pass, and failed {', '.join(failed)}")
    load, first, *others = timed.turns
    phases.add("load", load)
    phases.add("first turn", first)
    phases.add("other turns", sum(others, Spent()))
    phases.add("between turns", suite - sum(timed.turns, Spent()))
    phases.add("exit", timed.end)
    return len(timed.turns) - 1


def run_empty_suite(exercise: Exercise, tests: int, phases: Phases, runs: int) -> None:
    """The same number of empty tests: what is left is pytest, the fixtures and our own loop."""
    with tempfile.TemporaryDirectory(prefix="torchgrade-benchmark-") as scratch:
        # Under a name of its own: pytest would take the suite of the same name that it has imported already.
        folder = Path(scratch, exercise.topic, f"{exercise.id}_empty")
        shutil.copytree(exercise.folder, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "test_*"))
        (folder / f"test_{folder.name}.py").write_text(_EMPTY_SUITE.format(count=tests), encoding="utf-8")
        empty = load_exercise(folder)

        def body(session: Session) -> None:
            candidate = Conversation(LocalPort, empty.reference_source, empty.id, empty.props_source)
            candidate.load()
            for number in range(_WARM_UP + runs):
                cost = cost_here(lambda: session.run(empty, candidate))
                if number >= _WARM_UP:
                    phases.add("empty suite", Spent(cost.wall, cost.cpu))

        with_suites([empty], Bench(secret=_SEED), body)


@click.command()
@click.option("--exercise", "exercise_id", default="softmax", show_default=True, help="Which exercise.")
@click.option(
    "--runs", default=30, type=click.IntRange(min=1), show_default=True, help="Gradings; medians are shown."
)
@click.option("--no-bubblewrap", is_flag=True, help="Without the outer wall: level 2.")
@click.option("--no-walls", is_flag=True, help="Without any wall: level 0.")
@click.option(
    "--course",
    "course_folder",
    default=ROOT,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Folder of the course; by default this repository's.",
)
def main(exercise_id: str, runs: int, no_bubblewrap: bool, no_walls: bool, course_folder: Path) -> None:
    """Grade one right answer again and again, and print where the time goes."""
    adopt_orphans()
    course = load_course(course_folder)
    exercise = course.exercise(exercise_id)
    setting = Setting(seed=_SEED, walls=not no_walls, bubblewrap=not no_bubblewrap)
    engine = LocalEngine(course, [exercise], setting)
    forkserver = CountingForkserver(engine.forkserver.options)
    engine.forkserver = forkserver
    before = children_of(os.getpid())
    warm_up, phases = Phases(), Phases()
    with tempfile.TemporaryDirectory(prefix="torchgrade-benchmark-") as scratch:
        folder = Path(scratch)
        (folder / exercise.filename).write_text(exercise.reference_source, encoding="utf-8")

        def body(opened: OpenEngine) -> tuple[int, int]:
            clocks = Clocks(ForkserverMeter(forkserver, before))
            return measure(opened, course, exercise, folder, clocks, warm_up, phases, runs)

        tests, turns = engine.run(body)
    run_empty_suite(exercise, tests, phases, runs)
    show(exercise, phases, warm_up, tests, turns)
    click.echo()
    for line in machine_facts(engine.isolation, forkserver.bubblewrapped):
        click.echo(line)


def measure(
    opened: OpenEngine,
    course: Course,
    exercise: Exercise,
    folder: Path,
    clocks: Clocks,
    warm_up: Phases,
    phases: Phases,
    runs: int,
) -> tuple[int, int]:
    """A grading in phases, a whole one and one that is recognised, in turn. How many tests and turns there are."""
    source = exercise.reference_source
    turns = 0
    for number in range(_WARM_UP + runs):
        # Reading the faults takes longer than reading a clock: not where time is kept.
        clocks.counting_faults = number < _WARM_UP
        kept = warm_up if clocks.counting_faults else phases
        with kept.timed("read", clocks):
            submission = read_submission(folder, course.exercises)
        with kept.timed("scan", clocks):
            scan(source, exercise)
        turns = grade_in_phases(opened, exercise, source, clocks, kept)
        # What is known of its like is forgotten, and the tests have to be run; then it is recognised.
        opened.grading.known.forget()
        kept.add("whole", grade_whole(opened, exercise, submission, clocks))
        kept.add("recognised", grade_whole(opened, exercise, submission, clocks))
    tests = len(opened.grading.session.tests(exercise))
    return tests, turns


def grade_whole(opened: OpenEngine, exercise: Exercise, submission: Submission, clocks: Clocks) -> Spent:
    """One exercise of a submission, as the engine grades it."""
    workers, before = clocks.meter.forkserver.workers_cpu, clocks.read()
    result = opened.grade_exercise(exercise, submission)
    spent = clocks.read() - before
    spent.worker = clocks.meter.forkserver.workers_cpu - workers
    if result.verdict != "passed":
        raise click.ClickException(f"the reference was to pass, and got {result.verdict}")
    clocks.worker_is_gone()
    return spent


def show(exercise: Exercise, phases: Phases, counted: Phases, tests: int, turns: int) -> None:
    """Print the table."""

    def of(phase: str) -> Spent:
        spent = phases.median(phase)
        spent.faults = counted.median(phase).faults if phase in counted.spent else 0.0
        return spent

    empty_suite = of("empty suite")
    parts = {
        "scan for forbidden calls": of("scan"),
        "fork": of("fork"),
        "start, walls, until the first reply": of("walls"),
        "load the module": of("load"),
        "first turn": of("first turn"),
        f"{turns - 1} other turns": of("other turns"),
        f"pytest and fixtures, {tests} empty tests": empty_suite,
        "inputs, reference, comparison, wire": of("between turns") - empty_suite,
        "exit: kill and reap": of("exit"),
    }
    click.echo(
        f"{exercise.id}: {tests} hidden tests, {turns} turns; milliseconds, medians of "
        f"{len(phases.spent['whole'])} gradings.\n"
    )
    click.echo(f"{'':40}{'wall':>8}{'CPU':>9}   =  examiner  forkserver    worker  replay  faults")
    for name, spent in parts.items():
        _show_row(name, spent)
    together = sum(parts.values(), Spent())
    _show_row("together", together)
    _show_row("a whole grading, in one go", of("whole"))
    watching = of("whole") - together
    watching.faults = 0.0
    _show_row("  so for watching ops, and their replay", watching)
    _show_row("a whole grading, recognised by replies", of("recognised"))
    click.echo("\nNot in it, and in it already:")
    _show_row("read the submission from disk", of("read"))
    _show_row("a turn that does nothing", of("empty turn"))


def _show_row(name: str, spent: Spent) -> None:
    examiner, forkserver, worker = 1e3 * spent.examiner, 1e3 * spent.forkserver, 1e3 * spent.worker
    click.echo(
        f"{name:40}{1e3 * spent.wall:8.2f}{1e3 * spent.cpu:9.2f}   ="
        f"{examiner:10.2f}{forkserver:12.2f}{worker:10.2f}{1e3 * spent.replay:8.2f}{spent.faults:8.0f}"
    )


if __name__ == "__main__":
    main()
