"""`grade doctor`: what this machine offers, and which walls stand."""

from __future__ import annotations

import json
import platform
import shutil
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.options import course_options, device_option

if TYPE_CHECKING:
    from grader.worker.launch import Isolation
    from grader.worker.probes import Probe

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
@click.option("--all", "every", is_flag=True, help="Show everything that was tried, not a summary.")
@course_options
@device_option
def doctor(
    as_json: bool, without_bubblewrap: bool, every: bool, course: Path | None, lang: str, device: str
) -> int:
    """Try the walls from inside a worker, and say which hold and what would raise the level.

    Exits 0 if the level is what the course asks for, 3 if `submit` would refuse to grade.
    """
    del lang  # it is for whoever keeps the machine: its words are those of the manuals
    from grader.course import load_course
    from grader.engine.device import choose_device
    from grader.worker.launch import LaunchOptions, open_workers

    found = load_course(course)
    chosen = choose_device(device)
    options = LaunchOptions(bubblewrap=not without_bubblewrap, device=chosen, hidden=found.hidden)
    with open_workers(options) as forkserver:
        isolation = forkserver.probe()
    minimum = found.manifest.course.minimum_isolation
    if as_json:
        click.echo(json.dumps(_record(isolation, minimum, chosen), ensure_ascii=False, indent=2))
    else:
        _show(isolation, minimum, every)
        versions = " · ".join(f"{what} {which}" for what, which in _versions(chosen).items())
        click.echo(_filled(versions, "  "))
    return 0 if isolation.level >= minimum else 3


def _record(isolation: Isolation, minimum: int, device: str) -> dict[str, Any]:
    from grader.worker.advice import advise, missing_walls

    missing = missing_walls(isolation)
    return {
        "versions": _versions(device),
        "isolation": isolation.level,
        "wanted": minimum,
        "walls": [*([] if isolation.bubblewrap_missing else ["bubblewrap"]), *isolation.standing],
        "missing": missing,
        "advice": advise(missing),
        "probes": [probe._asdict() for probe in isolation.probes],
    }


def _versions(device: str) -> dict[str, str]:
    import torch

    from grader import __version__

    return {
        "torchgrade": __version__,
        "torch": str(torch.__version__),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "device": device,
    }


def _show(isolation: Isolation, minimum: int, every: bool) -> None:
    """First what it comes to, then what is missing and what to do about it, then what was tried."""
    from grader.cli.terminal import show_table
    from grader.worker.advice import advise, missing_walls

    enough = isolation.level >= minimum
    colour = "green" if enough else "red"
    click.secho(f"isolation level {isolation.level}: {_LEVELS[isolation.level]}", fg=colour, bold=True)
    refuses = "grades here" if enough else "refuses to grade here"
    click.echo(f"this course asks for level {minimum}: `grade submit` {refuses}")
    missing = missing_walls(isolation)
    advice = advise(missing)
    for wall, reason in missing.items():
        click.echo()
        click.secho(_filled(f"missing: {wall}: {reason}", "  "), fg="yellow")
        click.echo(_filled(f"  → {advice[wall]}", "    "))
    if every:
        rows = [
            (probe.name, "held" if probe.held else "NOT held", probe.by, probe.detail)
            for probe in isolation.probes
        ]
        show_table(("a worker tries to", "and is", "by", "detail"), rows)
        return
    show_table(("a worker tries to", "held back", "by"), _grouped(isolation.probes))
    through = dict.fromkeys(probe.name for probe in isolation.probes if not probe.held)
    if through:
        click.secho(_filled(f"came through: {', '.join(through)}", "  "), fg="yellow" if enough else "red")
    click.echo(f"`grade doctor --all` shows each of the {len(isolation.probes)} attempts")


def _grouped(probes: Sequence[Probe]) -> list[tuple[str, str, str]]:
    """A row for all that is tried to one end."""
    rows = []
    for about in dict.fromkeys(probe.about for probe in probes):
        group = [probe for probe in probes if probe.about == about]
        walls = ", ".join(dict.fromkeys(probe.by for probe in group if probe.by))
        held = sum(probe.held for probe in group)
        how_many = "all" if held == len(group) else f"only {held}" if held else "none"
        rows.append((about, f"{how_many} of {len(group)}", walls))
    return rows


def _filled(text: str, indent: str) -> str:
    """Broken into lines for a terminal; whole for a program that reads it."""
    from grader.cli.terminal import is_terminal

    if not is_terminal():
        return text.strip()
    return textwrap.fill(text, shutil.get_terminal_size().columns, subsequent_indent=indent)
