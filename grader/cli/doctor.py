"""`grade doctor`: what this machine offers, and which walls stand."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options, device_option

if TYPE_CHECKING:
    from grader.worker.launch import Isolation

_LEVELS = {
    3: "bubblewrap around the worker process, and walls on each worker",
    2: "walls on each worker: limits, Landlock, seccomp",
    0: "no walls that can be relied on",
}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
@click.option(
    "--without-bubblewrap", is_flag=True, help="Try the walls that stand where bubblewrap is missing."
)
@course_options
@device_option
def doctor(as_json: bool, without_bubblewrap: bool, course: Path | None, lang: str, device: str) -> int:
    """Try the walls from inside a worker, and say which hold and what would raise the level.

    Exits 0 if the level is what the course asks for, 3 if `submit` would refuse to grade.
    """
    del lang
    from grader import __version__
    from grader.cli.terminal import show_table
    from grader.course import load_course
    from grader.engine.device import choose_device
    from grader.worker.launch import LaunchOptions, open_workers

    found = load_course(course)
    chosen = choose_device(device)
    options = LaunchOptions(bubblewrap=not without_bubblewrap, device=chosen, hidden=found.hidden)
    with open_workers(options) as forkserver:
        isolation = forkserver.probe()
    minimum = found.manifest.course.minimum_isolation
    enough = isolation.level >= minimum
    import torch

    versions = {
        "torchgrade": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "device": chosen,
    }
    if as_json:
        record = {
            "versions": versions,
            "isolation": isolation.level,
            "wanted": minimum,
            "walls": list(isolation.standing),
            "missing": {**isolation.missing, **_outer(isolation, without_bubblewrap)},
            "probes": [probe._asdict() for probe in isolation.probes],
        }
        click.echo(json.dumps(record, ensure_ascii=False, indent=2))
        return 0 if enough else 3
    show_table(("what", "is"), list(versions.items()))
    click.echo()
    rows = [
        (probe.name, "held" if probe.held else "NOT held", probe.by, probe.detail)
        for probe in isolation.probes
    ]
    show_table(("a worker tries to", "and is", "by", "detail"), rows)
    click.echo()
    click.echo(f"isolation level {isolation.level}: {_LEVELS[isolation.level]}")
    for wall, reason in {**isolation.missing, **_outer(isolation, without_bubblewrap)}.items():
        click.echo(f"missing: {wall}: {reason}")
    if isolation.bubblewrap_missing is not None:
        click.echo("for level 3: install bubblewrap (Debian, Ubuntu: apt-get install bubblewrap)")
    if not enough:
        click.echo(f"this course asks for level {minimum}: `grade submit` refuses to grade here")
    return 0 if enough else 3


def _outer(isolation: Isolation, switched_off: bool) -> dict[str, str]:
    if switched_off:
        return {"bubblewrap": "left out, as asked"}
    return {} if isolation.bubblewrap_missing is None else {"bubblewrap": isolation.bubblewrap_missing}
