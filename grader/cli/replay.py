"""`grade replay`: the failing cases of a result, made again."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.batch import RESULTS
from grader.cli.gradebook import GRADEBOOK, find_gradebook, gradebook_option
from grader.cli.options import course_options

if TYPE_CHECKING:
    from grader.course.load import Course, Exercise
    from grader.course.model import Language
    from grader.engine.local import OpenEngine
    from grader.examiner.cases import Case
    from grader.result import GradingResult


@click.command("replay")
@click.argument("receipt", metavar="RECEIPT", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("exercises", metavar="[EX]...", nargs=-1)
@click.option(
    "--student",
    metavar="ID",
    help="Whose result, where RECEIPT holds several: her id, or her name of the gradebook.",
)
@click.option(
    "--submission",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="What was handed in; by default it is looked up in the gradebook.",
)
@click.option(
    "--new-seed",
    is_flag=True,
    help="Equivalent cases under a new seed, to give to the student: what the tests draw by chance is drawn anew; "
    "inputs that a test spells out are the same.",
)
@gradebook_option
@course_options
def replay(
    receipt: Path,
    exercises: tuple[str, ...],
    student: str | None,
    submission: Path | None,
    new_seed: bool,
    gradebook: str | None,
    course: Path | None,
    lang: Language,
) -> int:
    """Make the failing cases of a result again: what was called, what came, what was expected.

    RECEIPT is a result: what `grade submit --json` wrote, or with --student the folder that `grade batch`
    wrote, or the results.jsonl in it. Without --new-seed it shows the hidden inputs: for an instructor's eyes.
    Exits 0 if the failures come again, 1 if not all do.
    """
    del lang
    from grader.course import load_course
    from grader.engine.local import LocalEngine, Setting
    from grader.errors import UsageError

    found = load_course(course)
    if receipt.is_dir():
        receipt = receipt / RESULTS
    gradebook = gradebook or _beside(receipt)
    result = _result(receipt, _id_of(found, receipt, gradebook, student))
    failed = _failed(found, result, exercises)
    answers = _answers(found, result, submission, gradebook)
    wanted = [exercise for exercise in failed if exercise.id in answers]
    if not result.seed and not new_seed:
        raise UsageError(
            f"{receipt} holds no seed, for it is what a student may see: take the instructor's results.jsonl, or "
            "--new-seed"
        )
    seed = secrets.token_hex(16) if new_seed else result.seed
    _say_what_differs(found, result)
    if not wanted:
        click.echo("nothing of it failed that was handed in: there is nothing to replay")
        return 0

    if not new_seed:
        click.echo(
            "note: these are the hidden inputs, for your eyes; --new-seed makes others to hand out", err=True
        )

    def run(engine: OpenEngine) -> int:
        return sum(_show(engine, exercise, answers[exercise.id]) for exercise in wanted)

    again = LocalEngine(found, wanted, Setting(device=result.device, seed=seed)).run(run)
    click.echo(f"seed: {seed}" + (" (new)" if new_seed else ""))
    return 0 if again else 1


def _beside(receipt: Path) -> str | None:
    """The gradebook that `grade batch` wrote into the same folder."""
    book = receipt.parent / GRADEBOOK
    return str(book) if str(receipt) != "-" and book.is_file() else None


def _id_of(course: Course, receipt: Path, gradebook: str | None, student: str | None) -> str | None:
    """The id of a student who was named by id or by name: Canvas and Moodle call a student by a number.

    A name that two bear stays as it is: then nobody is found, and the ids are listed.
    """
    from grader.gradebook.store import Gradebook

    if student is None or gradebook is None:
        return student
    with Gradebook.open(find_gradebook(gradebook), must_exist=True) as book:
        known = {
            stored.student.id: stored.student.name for stored in book.attempts(course.manifest.course.id)
        }
    if student in known:
        return student
    called = [id_ for id_, name in known.items() if name.casefold() == student.casefold()]
    return called[0] if len(called) == 1 else student


def _result(receipt: Path, student: str | None) -> GradingResult:
    import sys

    from pydantic import ValidationError

    from grader.errors import UsageError
    from grader.result import GradingResult
    from grader.submission.shown import for_name

    try:
        text = sys.stdin.read() if str(receipt) == "-" else receipt.read_text(encoding="utf-8")
        results = [GradingResult.model_validate_json(line) for line in text.splitlines() if line.strip()]
    except OSError as error:
        raise UsageError(f"{receipt} cannot be read: {error.strerror}") from None
    except (ValidationError, UnicodeDecodeError):
        raise UsageError(f"{receipt} is no result: name what `grade submit --json FILE` wrote") from None
    everybody = results
    if student is not None:
        results = [result for result in results if result.student == student]
    if len(results) == 1:
        return results[0]
    names = ", ".join(for_name(result.student) for result in everybody[:4])
    if not results:
        whom = "" if student is None or not everybody else f" of {for_name(student)}; it has {names}"
        raise UsageError(
            f"{receipt} holds no result{whom}" + (", ..." if len(everybody) > 4 and whom else "")
        )
    more = ", ..." if len(results) > 4 else ""
    raise UsageError(f"{receipt} holds {len(results)} results ({names}{more}): say whose with --student")


def _failed(course: Course, result: GradingResult, named: tuple[str, ...]) -> list[Exercise]:
    """The exercises named, or all that did not pass."""
    if named:
        return [course.exercise(name) for name in named]
    passed = {exercise.id for exercise in result.exercises if exercise.verdict in ("passed", "not_attempted")}
    there = {exercise.id for exercise in result.exercises}
    return [exercise for exercise in course.exercises if exercise.id in there - passed]


def _answers(
    course: Course, result: GradingResult, submission: Path | None, gradebook: str | None
) -> dict[str, str]:
    """The sources that were graded, by exercise.

    Raises:
        UsageError: they are not to be found, or it is another submission.
    """
    from grader.errors import UsageError
    from grader.gradebook.store import Gradebook
    from grader.submission.intake import read_submission

    if submission is not None:
        read = read_submission(submission, course.exercises)
        if read.digest != result.receipt.submission:
            raise UsageError(f"{submission} is not what this result was given for: its hash differs")
        return {name: answer.source for name, answer in read.answers.items() if answer.source is not None}
    with Gradebook.open(find_gradebook(gradebook), must_exist=True) as book:
        for stored in book.attempts(course.manifest.course.id):
            if (stored.student.id, stored.submission) == (result.student, result.receipt.submission):
                return book.answers(stored.id)
    raise UsageError("the gradebook does not hold this submission: name it with --submission PATH")


def _say_what_differs(course: Course, result: GradingResult) -> None:
    from grader.course.digest import suite_digest
    from grader.engine.summary import versions

    if result.receipt.suite != suite_digest(course):
        click.echo("note: the course has changed since: other cases may fail now", err=True)
    if result.receipt.versions != versions():
        theirs = result.receipt.versions
        click.echo(f"note: it was graded with torchgrade {theirs.torchgrade}, torch {theirs.torch}", err=True)


def _show(engine: OpenEngine, exercise: Exercise, source: str) -> int:
    """Print an exercise's cases; how many there are."""
    count = 0
    for case in engine.cases(exercise, source):
        count += 1
        _show_case(case, exercise, source)
    if not count:
        click.echo(f"{exercise.id}: all tests pass")
    return count


def _show_case(case: Case, exercise: Exercise, source: str) -> None:
    from grader.errors import one_line
    from grader.examiner.feedback import explain

    said = explain(case.error, source, exercise.filename, exercise.limits.memory_mb, for_marks=False)
    click.secho(f"{exercise.id}: {case.test.replace('_', ' ')}", bold=True)
    click.echo(f"    {one_line(said.message)}")
    if case.left_out:
        click.echo(f"    ({case.left_out} calls before these)")
    for heard, expected in case.calls:
        for line in heard.inputs:
            click.echo(f"    {one_line(line)}")
        click.echo(f"    {one_line(heard.call)}")
        click.echo(f"        came      {one_line(heard.answer)}")
        if expected:
            click.echo(f"        expected  {one_line(expected)}")
