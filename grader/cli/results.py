"""Results as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from grader.cli.terminal import show_table
from grader.submission.shown import for_name

if TYPE_CHECKING:
    from grader.course.model import Language
    from grader.result import ExerciseResult, GradingResult, TestResult, Verdict

_WORDS: dict[Verdict, tuple[str, str, str]] = {
    "passed": ("passed", "通过", "green"),
    "partial": ("partly right", "部分正确", "yellow"),
    "failed": ("not right yet", "尚未通过", "red"),
    "not_attempted": ("not attempted", "未作答", "bright_black"),
    "error": ("does not run", "无法运行", "red"),
    "timeout": ("took too long", "超时", "red"),
    "memory": ("took too much memory", "内存超限", "red"),
    "crashed": ("crashed", "崩溃", "red"),
    "forbidden": ("uses what is not allowed", "使用了禁用的函数", "red"),
    "ungraded": ("could not be graded (not your fault)", "未能评分（不是你的问题）", "magenta"),
}
_MOST_TESTS_SHOWN = 4
_MESSAGE = 800
_MESSAGE_AT_CHECK = 20_000


def show_exercise(result: ExerciseResult, lang: Language, *, all_tests: bool = False) -> None:
    """One exercise: its verdict, what failed and the hint."""
    mark = "✓" if result.verdict == "passed" else "·" if result.verdict == "not_attempted" else "✗"
    english, chinese, colour = _WORDS[result.verdict]
    word = chinese if lang == "zh" else english
    line = f"{mark} {result.id}: {word}, {_points(result.score, result.max_score)}"
    click.secho(line, fg=colour, bold=result.verdict != "not_attempted")
    failed = [test for test in result.tests if test.outcome != "passed"]
    limit = _MESSAGE_AT_CHECK if all_tests else _MESSAGE
    # Tests without a message (`feedback = "names"`) stand for themselves.
    alike: dict[str, list[TestResult]] = {}
    for test in failed:
        alike.setdefault(test.message or test.name, []).append(test)
    groups = list(alike.values()) if all_tests else list(alike.values())[:_MOST_TESTS_SHOWN]
    for group in groups:
        click.echo(f"    {_test_line(group[0], len(group), limit)}")
    left = len(failed) - sum(map(len, groups))
    if left:
        click.echo(
            f"    …另有 {left} 项测试未通过" if lang == "zh" else f"    ... and {left} more failing tests"
        )
    if result.diagnosis is not None:
        looks = "看起来你的代码" if lang == "zh" else "it looks as if your code "
        click.secho(f"    → {looks}{result.diagnosis.misconception}", fg="cyan")
        click.secho(f"      {result.diagnosis.hint}", fg="cyan")
    for finding in result.findings:
        where = "" if finding.line is None else f" (line {finding.line})"
        click.secho(f"    ! {for_name(finding.message, limit=_MESSAGE)}{where}", fg="yellow")


def show_topics(result: GradingResult, titles: dict[str, str], lang: Language) -> None:
    """The scores by topic, and the sum."""
    rows: list[Sequence[str]] = [
        (titles.get(topic.id, topic.id), shown(topic.score), shown(topic.max_score))
        for topic in result.topics
    ]
    rows.append(("总分" if lang == "zh" else "total", shown(result.score), shown(result.max_score)))
    columns = ("主题", "得分", "满分") if lang == "zh" else ("topic", "score", "of")
    show_table(columns, rows, numbers=columns[1:])


def _test_line(test: TestResult, alike: int, limit: int) -> str:
    name = test.name.replace("_", " ")
    others = f" (and {alike - 1} more)" if alike > 1 else ""
    message = for_name(test.message, limit=limit)
    return f"{name}{others}: {message or test.outcome}"


def _points(score: float, of: float) -> str:
    return f"{shown(score)}/{shown(of)}"


def verdict_word(verdict: str, lang: Language) -> str:
    """A verdict in words, in a language; what is no verdict of this version stays as it is."""
    for known, (english, chinese, _) in _WORDS.items():
        if known == verdict:
            return chinese if lang == "zh" else english
    return verdict


def shown(points: float) -> str:
    """Points for people: two places at most."""
    return f"{round(points, 2):g}"
