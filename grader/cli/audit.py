"""`grade audit`: do the suites reject what is wrong?"""

from __future__ import annotations

import dataclasses
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options, device_option, seed_option

if TYPE_CHECKING:
    from grader.course.model import Language
    from grader.engine.local import OpenEngine
    from grader.examiner.audit import Audit


@click.command("audit")
@click.argument("exercises", nargs=-1, metavar="[EX]...")
@click.option("--no-mutants", is_flag=True, help="Leave out the mutants, which take most of the time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and exercise, for programs.")
@course_options
@device_option
@seed_option
def audit(
    exercises: tuple[str, ...],
    no_mutants: bool,
    as_json: bool,
    course: Path | None,
    lang: Language,
    device: str,
    seed: str | None,
) -> int:
    """Test the suites of EX, or of all exercises.

    The reference must score full, the stub "not attempted", every wrong answer must fail and be recognised as
    itself, and one-change mutants of the reference must fail, but for those that exercise.toml lists as
    equivalent. Exits 0 if all that is so, 1 if not.
    """
    from grader.course import load_course
    from grader.engine.device import choose_device
    from grader.engine.local import LocalEngine, Setting
    from grader.examiner.audit import audit as examine

    found = load_course(course)
    chosen = [found.exercise(id) for id in dict.fromkeys(exercises)] or list(found.exercises)
    setting = Setting(device=choose_device(device), seed=seed or "audit", language=lang, walls=False)

    def progress(exercise: str, what: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{exercise}: {what[:60]}", nl=False, err=True)

    def run(engine: OpenEngine) -> list[Audit]:
        audits = []
        for exercise in chosen:
            result = examine(
                engine.grading,
                exercise,
                mutants=not no_mutants,
                progress=partial(progress, exercise.id),
            )
            audits.append(result)
            if as_json:
                click.echo(json.dumps(dataclasses.asdict(result) | {"good": result.good}, ensure_ascii=False))
        return audits

    audits = LocalEngine(found, chosen, setting).run(run)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    if not as_json:
        _show(audits)
    return 0 if all(result.good for result in audits) else 1


def _show(audits: list[Audit]) -> None:
    from grader.cli.terminal import show_table

    columns = (
        "exercise",
        "tests",
        "reference",
        "stub",
        "wrong answers",
        "diagnosed",
        "mutants",
        "killed",
        "equivalent",
        "survive",
    )
    rows = [
        (
            result.exercise,
            str(result.tests),
            result.reference,
            result.stub,
            f"{result.wrong_answers - len(result.passing)}/{result.wrong_answers}",
            f"{result.wrong_answers - len(result.passing) - len(result.misdiagnosed)}/{result.wrong_answers}",
            str(result.mutants),
            str(result.killed),
            str(result.equivalent),
            str(len(result.survivors)),
        )
        for result in audits
    ]
    show_table(columns, rows, numbers=(columns[1], *columns[6:]))
    for result in audits:
        for misconception in result.passing:
            click.echo(f"{result.exercise}: passes, and should not: {misconception}")
        for misconception, said in result.misdiagnosed:
            click.echo(f"{result.exercise}: not recognised: {misconception} (said: {said})")
        for key in result.survivors:
            click.echo(f"{result.exercise}: survives: {key}")
        for key in result.stale:
            click.echo(f"{result.exercise}: listed as equivalent, and is not among the survivors: {key}")
    tried = sum(result.mutants - result.equivalent for result in audits)
    if tried:
        killed = sum(result.killed for result in audits)
        click.echo(f"{killed} of {tried} mutants that are not equivalent die: {killed / tried:.1%}")
