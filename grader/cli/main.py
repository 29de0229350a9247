"""`grade`: finds the command asked for, and says in one line what went wrong.

A command's module is imported when it is called, so `grade --help` is quick and works where torch is broken.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from grader import __version__
from grader.cli.options import course_options, device_option, seed_option
from grader.errors import GraderError, UsageError, did_you_mean, one_line

__all__ = ["COMMANDS", "grade", "main"]

COMMANDS = {
    "list": "grader.cli.list:list_exercises",
    "show": "grader.cli.show:show",
    "hint": "grader.cli.hint:hint",
    "init": "grader.cli.init:init",
    "check": "grader.cli.check:check",
    "submit": "grader.cli.submit:submit",
    "batch": "grader.cli.batch:batch",
    "export": "grader.cli.export:export",
    "report": "grader.cli.report:report",
    "audit": "grader.cli.audit:audit",
    "doctor": "grader.cli.doctor:doctor",
    "replay": "grader.cli.replay:replay",
}
"""Where each command is to be found."""

SUMMARIES = {
    "list": "The exercises there are.",
    "show": "What an exercise asks for.",
    "hint": "A hint on an exercise, and another with --more.",
    "init": "Write the stubs into a folder, to begin.",
    "check": "Check your own work, and see everything.",
    "submit": "Grade one submission for marks.",
    "batch": "Grade a class for marks, and go on where it ended.",
    "export": "Marks for Gradescope, Canvas, Moodle, and as tables.",
    "report": "What the class knows and misunderstood, as one HTML file.",
    "audit": "Test the suites: do wrong answers fail them?",
    "replay": "Make the failing cases of a result again.",
    "doctor": "What this machine offers, and which walls stand.",
}
"""A line on each command, written here too so that `--help` imports none of them."""

INTERRUPTED = 130  # what a shell gives for SIGINT
READER_GONE = 141  # and for SIGPIPE


class _ReaderGone(BaseException):
    """Who was reading our output has stopped. click would make it exit 1, which means a failed exercise."""


class Grade(click.Group):
    """The group: commands imported late, errors told in a line, exit codes that mean something."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands, in the order in which they are usually needed."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with.

        Raises:
            UsageError: there is none; it names the nearest.
        """
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            mend = did_you_mean(
                args[0], list(COMMANDS), or_else="'grade --help' shows the commands there are"
            )
            raise UsageError(f"there is no command {args[0]!r}: {mend}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in `--help`, without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments; `--help` and `--version` print already here."""
        with _reader_may_go():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        with _reader_may_go():
            return super().invoke(ctx)

    def main(  # type: ignore[override]  # it never returns: a caller who wants that calls the command
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run, and exit with the code that the design gives; a command may return it, too."""
        extra["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(
                    errors="replace"
                )  # better a "?" than no answer, where Chinese cannot be shown
        # torch says so on import where numpy is not installed, which nothing here needs.
        warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
        debug = _debugging(sys.argv[1:] if args is None else args)
        try:
            code = super().main(args, prog_name or "grade", **extra)
            sys.exit(code if isinstance(code, int) else 0)
        except GraderError as error:
            _fail(error.message, error.exit_code, debug)
        except click.ClickException as error:
            where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "grade"
            _fail(f"{error.format_message()} ({where} --help says more)", error.exit_code, debug)
        except (KeyboardInterrupt, click.Abort):
            _fail("interrupted", INTERRUPTED, debug)
        except _ReaderGone:
            # Python flushes once more on its way out, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(READER_GONE)
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            _fail(f"{what}: this is a fault of torchgrade; --debug shows the traceback", 3, debug)


@contextmanager
def _reader_may_go() -> Iterator[None]:
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise _ReaderGone from error


def _debugging(args: Sequence[str]) -> bool:
    # Not asked of click: an error may come before the option was parsed.
    return "--debug" in args or os.environ.get("TORCHGRADE_DEBUG", "0") not in ("", "0")


def _fail(message: str, code: int, debug: bool) -> NoReturn:
    if debug:
        traceback.print_exc()
    click.echo(f"grade: {one_line(message)}", err=True)
    sys.exit(code)


@click.group(
    cls=Grade,
    name="grade",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="torchgrade %(version)s")
@course_options
@device_option
@seed_option
@click.pass_context
def grade(ctx: click.Context, course: Path | None, lang: str, device: str, seed: str | None) -> None:
    """Exercises in PyTorch, graded by their values and their gradients."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        return
    # Given before the command, an option counts as if it came after it, unless it comes there as well.
    given = {
        name: value
        for name, value in {"course": course, "lang": lang, "device": device, "seed": seed}.items()
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    ctx.default_map = dict.fromkeys(COMMANDS, given)


def main() -> NoReturn:
    """The entry point of the command `grade`."""
    grade.main()
