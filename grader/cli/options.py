"""The options that several commands share, each as a decorator.

`--course` and `--lang` go with every command; `--device` and `--seed` with those that grade.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from grader.course.model import Language

__all__ = ["course_options", "device_option", "language_of_locale", "seed_option"]

Command = TypeVar("Command", bound=Callable[..., object])


def language_of_locale(environment: Mapping[str, str] | None = None) -> Language:
    """The language that the locale asks for: Chinese where it says so, English otherwise."""
    environment = os.environ if environment is None else environment
    # The order is POSIX's; an empty variable counts as none.
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"


def course_options(command: Command) -> Command:
    """`--course DIR` and `--lang en|zh`: the command takes `course: Path | None` and `lang: Language`.

    `--debug` is taken too, but its value goes nowhere: `grader.cli.main` looks for it where errors end.
    """
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."),
        click.option(
            "--lang",
            type=click.Choice(["en", "zh"]),
            default=language_of_locale,
            show_default="from the locale",
            help="Language of texts, hints and feedback.",
        ),
        click.option(
            "--course",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="DIR",
            help="Folder that holds course.toml; by default the nearest upwards, else the built-in course.",
        ),
    ):
        command = option(command)
    return command


def device_option(command: Command) -> Command:
    """`--device auto|cpu|cuda`: the command takes `device: str`."""
    return click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="cpu",
        show_default=True,
        help="Where the student's code runs; auto: on a GPU if there is one.",
    )(command)


def seed_option(command: Command) -> Command:
    """`--seed TEXT`: the command takes `seed: str | None`."""
    return click.option(
        "--seed",
        metavar="TEXT",
        help="Secret that the hidden inputs are drawn from; the same text draws the same inputs.",
    )(command)
