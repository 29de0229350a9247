"""`grade batch`: a class's submissions, for marks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from grader.cli.options import course_options, device_option, seed_option

if TYPE_CHECKING:
    from grader.cli.earlier import Earlier
    from grader.course.load import Course
    from grader.course.model import Language
    from grader.engine.batch import Outcome
    from grader.engine.tally import Tally
    from grader.engine.tasks import Engine, EngineSetting

GRADEBOOK = "gradebook.sqlite"
RESULTS = "results.jsonl"
IDENTICAL = "identical.json"
_SHOWN = 20
"""So many lines of a kind are printed; the rest is counted."""


@click.command("batch")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where results and gradebook go; by default DIR-graded, beside DIR.",
)
@click.option(
    "--layout",
    type=click.Choice(["plain", "gradescope", "canvas", "moodle"]),
    help="What DIR is, where it cannot be told by its names.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes that grade; by default one a core."
)
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where it is graded: on this machine, or on a Ray cluster.",
)
@click.option(
    "--ray-address",
    metavar="HOST:PORT",
    help="A running Ray cluster; without it RAY_ADDRESS, or one is started here.",
)
@click.option(
    "--gpus-per-task",
    type=click.FloatRange(0.01, 1.0),
    metavar="SHARE",
    help="With Ray and --device cuda: the share of a GPU that a submission takes; by default 0.25.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with a run in --out (done anyway), and fail if there is none."
)
@click.option(
    "--gradebook",
    metavar="FILE",
    help="Another gradebook than the one in --out: a file, or a database's URL.",
)
@course_options
@device_option
@seed_option
def batch(
    directory: Path,
    out: Path | None,
    layout: str | None,
    jobs: int | None,
    engine: str,
    ray_address: str | None,
    gpus_per_task: float | None,
    resume: bool,
    gradebook: str | None,
    course: Path | None,
    lang: Language,
    device: str,
    seed: str | None,
) -> int:
    """Grade a folder with one submission for each student.

    DIR holds a folder, zip, notebook or Python file for each student, or is what Gradescope, Canvas or Moodle
    gave you. The same command again goes on where the last one ended, and grades only what changed. Exits 0 if
    everything passed, 1 if something did not, 2 if nothing can be read, 3 if something could not be graded.
    """
    from grader.cli.earlier import Earlier
    from grader.course import load_course
    from grader.engine.batch import Batch
    from grader.engine.device import choose_device
    from grader.engine.tally import Tally
    from grader.engine.tasks import EngineSetting
    from grader.errors import UsageError
    from grader.gradebook.identical import IdenticalAnswers, write_identical
    from grader.gradebook.store import Gradebook
    from grader.submission.class_folder import open_class

    found = load_course(course)
    handed_in = open_class(directory, layout, exercises=[exercise.id for exercise in found.exercises])
    folder = out if out is not None else directory.resolve().with_name(f"{directory.resolve().stem}-graded")
    if resume and not (folder / RESULTS).is_file():
        raise UsageError(f"there is no run in {folder} to go on with: leave --resume out to begin one")
    _make(folder)
    for note in handed_in.notes[:_SHOWN]:
        click.echo(f"{'说明' if lang == 'zh' else 'note'}: {note}", err=True)
    if len(handed_in.notes) > _SHOWN:
        click.echo(f"note: ... and {len(handed_in.notes) - _SHOWN} more", err=True)
    # A cluster may have the GPUs that this machine has not.
    chosen = device if engine == "ray" and device == "cuda" else choose_device(device)
    tally = Tally()
    with _locked(folder), Gradebook.open(gradebook or folder / GRADEBOOK) as book:
        earlier = Earlier.of(book, found.manifest.course.id)
        run = Batch(
            found,
            book,
            _engine(
                engine, found, EngineSetting(str(found.root), chosen, lang), jobs, ray_address, gpus_per_task
            ),
            secret=book.secret(found.manifest.course.id, seed),
            device=chosen,
            language=lang,
        )
        with _Results(folder / RESULTS) as results, _progress(len(handed_in.entries), lang) as advance:
            for outcome in run.run(handed_in.entries):
                tally.add(outcome)
                if outcome.line:
                    results.write(outcome.line)
                advance(outcome, earlier.add(outcome))
        identical = IdenticalAnswers(found).add_all(book.handed_in(found.manifest.course.id))
        write_identical(identical, folder / IDENTICAL)
    _show(found, tally, earlier, lang)
    click.echo(f"{'结果' if lang == 'zh' else 'results'}: {folder / RESULTS}")
    groups = len(identical.groups())
    if groups:
        said = (
            f"不同学生的相同答案：{groups} 组，请查看"
            if lang == "zh"
            else f"identical across students: {groups} group{'' if groups == 1 else 's'} to look at"
        )
        click.echo(f"{said}: {folder / IDENTICAL}")
    return tally.exit_code


def _engine(
    kind: str,
    course: Course,
    setting: EngineSetting,
    jobs: int | None,
    address: str | None,
    gpus: float | None,
) -> Engine:
    from grader.errors import UsageError

    if kind == "ray":
        from grader.engine.ray import GPUS_PER_TASK, RayEngine

        return RayEngine(setting, jobs, address, GPUS_PER_TASK if gpus is None else gpus)
    for option, value in (("--ray-address", address), ("--gpus-per-task", gpus)):
        if value is not None:
            raise UsageError(f"{option} goes with --engine ray")
    from grader.engine.pool import Pool, cores

    return Pool(setting, jobs or cores(), _patience(course))


def _patience(course: Course) -> float:
    """Seconds after which a process that grades counts as lost: far more than all of a submission's limits allow."""
    return 300 + 3 * sum(exercise.limits.exercise_seconds for exercise in course.exercises)


def _make(folder: Path) -> None:
    from grader.errors import UsageError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror}): name another with --out") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written to: name another with --out")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two runs into one folder would write each line of the results twice."""
    from grader.errors import UsageError

    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    try:
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to ({error.strerror}): name another with --out"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(
            f"another `grade batch` works in {folder}: wait for it, or name another --out"
        ) from None
    else:
        yield
    finally:
        os.close(lock)


class _Results:
    """`results.jsonl`: a line for each submission, as it is graded. It can be made again from the gradebook."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def __enter__(self) -> _Results:
        with self._told():
            self.file = self.path.open("w", encoding="utf-8", newline="\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self.file is not None:
            with self._told():
                self.file.close()

    def write(self, line: str) -> None:
        """Write a line; who reads along sees it whole."""
        assert self.file is not None
        with self._told():
            self.file.write(line + "\n")
            self.file.flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        from grader.errors import GradebookError

        try:
            yield
        except OSError as error:
            raise GradebookError(
                f"{self.path} cannot be written ({error.strerror}): make room, or name another --out; then the same "
                "command again: what is graded is kept"
            ) from None


@contextmanager
def _progress(total: int, lang: Language) -> Iterator[Callable[[Outcome, float | None], None]]:
    """A bar with rate and time left on a terminal; what becomes known of single submissions is printed above."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    said = 0

    def advance(outcome: Outcome, points_before: float | None) -> None:
        nonlocal said
        speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
        bar.update(task, advance=1, rate=f"{speed:.1f}/s" if speed else "")
        for line in _said(outcome, points_before, lang):
            said += 1
            if said <= _SHOWN:
                console.print(line, markup=False, soft_wrap=True)

    with bar:
        task = bar.add_task("", total=total, rate="")
        yield advance
    if said > _SHOWN:
        console.print(f"... and {said - _SHOWN} lines more of this kind", markup=False)


def _said(outcome: Outcome, points_before: float | None, lang: Language) -> Iterator[str]:
    """What an instructor should know of a submission at once."""
    from grader.cli.results import shown, verdict_word
    from grader.submission.shown import for_name

    zh = lang == "zh"
    student = outcome.student
    who = for_name(student.id)
    if student.name and student.name != student.id:
        who += f" ({for_name(student.name)})"
    if outcome.problem:
        what = ("未能评分" if zh else "could not be graded") if outcome.ungraded else ""
        what = what or ("无法读取" if zh else "not readable")
        yield f"{who}: {what}: {outcome.problem.removeprefix(f'{student.id}: ')}"
    if points_before is not None and outcome.result is not None:
        again = "重新提交" if zh else "handed in again"
        yield f"{who}: {again}: {shown(points_before)} -> {shown(outcome.result.score)}"
    for change in outcome.changes:
        verdicts = " -> ".join(
            verdict_word(verdict, lang) if zh else verdict.replace("_", " ")
            for verdict in (change.was, change.now)
        )
        verdicts = f" ({verdicts})" if change.was != change.now else ""
        yield f"{who}: {change.exercise}: {shown(change.before)} -> {shown(change.after)}{verdicts}"


def _show(course: Course, tally: Tally, earlier: Earlier, lang: Language) -> None:
    """The class by exercise, and what was done."""
    from grader.cli.results import shown
    from grader.cli.terminal import show_table

    zh = lang == "zh"
    rows = []
    for topic in course.topics:
        for exercise in topic.exercises:
            if exercise.id not in tally.exercises:
                continue
            found = tally.exercises[exercise.id]
            counts = found.verdicts
            other = found.tried - counts["passed"] - counts["partial"]
            rows.append(
                (
                    topic.title[lang],
                    exercise.id,
                    f"{shown(found.mean)}/{shown(found.max_score)}",
                    str(counts["passed"]),
                    str(counts["partial"]),
                    str(other),
                    str(counts["not_attempted"]),
                )
            )
    if rows:
        columns = (
            ("主题", "练习", "均分", "通过", "部分正确", "未通过", "未作答")
            if zh
            else ("topic", "exercise", "mean", "passed", "partly", "not passed", "not attempted")
        )
        show_table(columns, rows, numbers=columns[2:])
    before = tally.known - earlier.same_as_others
    parts = [f"{tally.submissions} submissions", f"{tally.graded} graded now", f"{before} graded before"]
    if zh:
        parts = [f"共 {tally.submissions} 份提交", f"本次评分 {tally.graded} 份", f"此前已评分 {before} 份"]
    for count, english, chinese in (
        (earlier.same_as_others, "with the answers of others, not run again", "答案与已评分的相同，未再运行"),
        (earlier.again, "handed in again", "重新提交"),
        (tally.changed, "changed", "有变化"),
        (tally.unreadable, "not readable", "无法读取"),
        (tally.ungraded, "could not be graded", "未能评分"),
    ):
        if count:
            parts.append(f"{count} {english}" if not zh else f"{chinese} {count} 份")
    click.echo("，".join(parts) if zh else ", ".join(parts))
