"""The command as a whole: what it imports, how errors end, which exit codes come."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from grader.cli import main as cli
from grader.cli.options import language_of_locale
from grader.errors import GraderError, UngradedError

Run = Callable[..., Result]
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `grade list` raise something."""

    def raises(error: BaseException) -> None:
        @click.command()
        def command() -> None:
            raise error

        monkeypatch.setattr(cli.Grade, "get_command", lambda *_: command)

    return raises


def test_help_lists_every_command(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name in cli.COMMANDS:
        assert f"\n  {name} " in result.output


def test_every_command_has_its_summary() -> None:
    assert cli.SUMMARIES.keys() == cli.COMMANDS.keys()


def test_no_arguments_show_help(run: Run) -> None:
    assert run().output == run("--help").output
    assert run().exit_code == 0


def test_version(run: Run) -> None:
    assert run("--version").output == "torchgrade 0.1.0\n"


@pytest.mark.parametrize(
    ("arguments", "banned"),
    [
        (["--help"], ["torch", "pydantic", "rich"]),
        (["list", "--help"], ["torch", "pydantic", "rich"]),
        (["list"], ["torch", "rich"]),
        (["show", "double"], ["torch", "rich"]),
        (["hint", "double"], ["torch", "rich"]),
    ],
    ids=" ".join,
)
def test_what_is_not_needed_is_not_imported(
    fresh_python: Shell, small_course: Path, arguments: list[str], banned: list[str]
) -> None:
    code = (
        "import sys\nfrom grader.cli.main import grade\n"
        f"try: grade.main({arguments!r})\nexcept SystemExit as end: assert not end.code, end.code\n"
        f"loaded = set({banned!r}) & set(sys.modules)\nassert not loaded, loaded"
    )
    done = fresh_python(code, cwd=small_course)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lst"], "grade: there is no command 'lst': did you mean 'list'?\n"),
        (
            ["list", "--topic", "next_step"],
            "grade: there is no topic 'next_step': did you mean 'next_steps'?\n",
        ),
        (["show", "duoble"], "grade: there is no exercise 'duoble': did you mean 'double'?\n"),
        (["hint", "duoble"], "grade: there is no exercise 'duoble': did you mean 'double'?\n"),
        (["show"], "grade: Missing argument 'EX'. (grade show --help says more)\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_one_line_and_exit_2(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stderr, result.stdout) == (2, message, "")


@pytest.mark.parametrize(
    "arguments", [["list", "--frobnicate"], ["list", "--lang", "fr"], ["--course", "nowhere", "list"]]
)
def test_other_wrong_usage_is_one_line_and_exit_2(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("grade: ")
    assert result.stderr.count("\n") == 1


def test_broken_course_is_one_line_and_exit_2(run: Run, small_course: Path) -> None:
    (small_course / "course.toml").write_text("[course]\nid = 3\n", encoding="utf-8")
    result = run("list")
    assert result.exit_code == 2
    assert result.stderr.startswith("grade: course.toml: course.id: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (GraderError("no\nway"), 2, "grade: no way\n"),
        (UngradedError("it \x1b[31mfell"), 3, "grade: it \\x1b[31mfell\n"),
        (
            RuntimeError("two\nlines"),
            3,
            "grade: RuntimeError: two lines: this is a fault of torchgrade; --debug shows the traceback\n",
        ),
        (KeyboardInterrupt(), 130, "grade: interrupted\n"),
    ],
)
def test_errors_end_in_one_line(
    run: Run, failing: Callable[[BaseException], None], error: BaseException, code: int, message: str
) -> None:
    failing(error)
    result = run("list")
    assert (result.exit_code, result.stderr.lstrip("\n")) == (code, message)


@pytest.mark.parametrize("how", ["before", "variable"])
def test_debugging_shows_the_traceback(
    run: Run, failing: Callable[[BaseException], None], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    failing(RuntimeError("oh"))
    if how == "variable":
        monkeypatch.setenv("TORCHGRADE_DEBUG", "1")
    result = run(*(["--debug"] if how == "before" else []), "list")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert result.stderr.rstrip().splitlines()[-1].startswith("grade: RuntimeError: oh")


def test_debugging_may_be_asked_for_after_the_command(run: Run) -> None:
    result = run("show", "duoble", "--debug")
    assert result.exit_code == 2
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("code", [0, 1, 3])
def test_command_may_return_its_exit_code(run: Run, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    monkeypatch.setattr(cli.Grade, "get_command", lambda *_: click.Command("list", callback=lambda: code))
    assert run("list").exit_code == code


def test_common_options_may_stand_before_the_command(
    run: Run, small_course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_course.parent)
    assert "练习 double" in run("--lang", "zh", "--course", "small", "list").output
    assert "double it" in run("--lang", "zh", "--course", "small", "list", "--lang", "en").output


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGPIPE")
def test_reader_who_leaves_early_hears_no_complaint(small_course: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "from grader.cli.main import main; main()", "list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=small_course,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


def test_text_that_cannot_be_shown_is_no_error(shell: Shell) -> None:
    done = shell("list", "--lang", "zh", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert "?? double" in done.stdout


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "C"}, "en"),
    ],
)
def test_language_comes_from_the_locale(environment: dict[str, str], language: str) -> None:
    assert language_of_locale(environment) == language


def test_locale_reaches_the_command(shell: Shell) -> None:
    titles = [record["title"] for record in json.loads(shell("list", "--json", LC_ALL="zh_CN.UTF-8").stdout)]
    assert titles[0] == "练习 double"
