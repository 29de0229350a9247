"""What a student is told with her mark: once as text, once as HTML.

Results come here as they are to be shown: what a course keeps from students is already gone from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from grader.course.model import Language
from grader.gradebook.exports.numbers import written
from grader.gradebook.marks import Mark
from grader.result import ExerciseResult, TestResult, Verdict
from grader.submission.shown import for_html, for_name, for_terminal

__all__ = [
    "FEEDBACK_CHARACTERS",
    "about_exercise",
    "feedback_html",
    "feedback_text",
    "points_line",
    "why_failed",
]

FEEDBACK_CHARACTERS: Final = 30_000
"""A cell of a spreadsheet holds 32,767, and drops what is beyond."""

_MESSAGE_CHARACTERS: Final = 1_500

_VERDICTS: Final[Mapping[Language, Mapping[Verdict, str]]] = {
    "en": {
        "passed": "passed",
        "partial": "partly right",
        "failed": "not right yet",
        "not_attempted": "not attempted",
        "error": "does not run",
        "timeout": "took too long",
        "memory": "took too much memory",
        "crashed": "crashed",
        "forbidden": "uses what is not allowed",
        "ungraded": "could not be graded",
    },
    "zh": {
        "passed": "通过",
        "partial": "部分正确",
        "failed": "尚未通过",
        "not_attempted": "未作答",
        "error": "无法运行",
        "timeout": "超时",
        "memory": "内存超限",
        "crashed": "崩溃",
        "forbidden": "使用了禁用的函数",
        "ungraded": "未能评分",
    },
}

_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    "en": {
        "points": "{score} of {max_score} points",
        "late_one": "1 day late: {score} of {max_score} points",
        "late": "{days} days late: {score} of {max_score} points",
        "exercise": "{title}: {verdict}, {points}",
        "diagnosis": "Perhaps: {misconception}",
        "hint": "Hint: {hint}",
        "more": "and {count} more exercises",
        "more_one": "and 1 more exercise",
    },
    "zh": {
        "points": "{score} 分（满分 {max_score} 分）",
        "late_one": "迟交 1 天：{score} 分（满分 {max_score} 分）",
        "late": "迟交 {days} 天：{score} 分（满分 {max_score} 分）",
        "exercise": "{title}：{verdict}，{points}",
        "diagnosis": "可能的原因：{misconception}",
        "hint": "提示：{hint}",
        "more": "另有 {count} 道练习",
        "more_one": "另有 1 道练习",
    },
}


@dataclass(frozen=True, slots=True)
class _Failure:
    """Tests that failed with one message."""

    names: tuple[str, ...]
    message: str


def points_line(mark: Mark, language: Language = "en") -> str:
    """The mark in a line, and what lateness made of it."""
    words = _WORDS[language]
    whole = written(mark.max_score)
    line = words["points"].format(score=written(mark.result.score), max_score=whole)
    if mark.late_days:
        late = words["late_one" if mark.late_days == 1 else "late"]
        line += "; " + late.format(days=mark.late_days, score=written(mark.score), max_score=whole)
    return line


def about_exercise(exercise: ExerciseResult, title: str, language: Language = "en") -> str:
    """An exercise in a line: its title, its verdict, its points."""
    words = _WORDS[language]
    points = words["points"].format(score=written(exercise.score), max_score=written(exercise.max_score))
    verdict = _VERDICTS[language][exercise.verdict]
    return words["exercise"].format(title=for_name(title), verdict=verdict, points=points)


def why_failed(exercise: ExerciseResult, language: Language = "en") -> list[str]:
    """The known misconception that the answer has, and the hint that it earns; nothing where none is known."""
    diagnosis = exercise.diagnosis
    if diagnosis is None:
        return []
    words = _WORDS[language]
    said = [("diagnosis", "misconception", diagnosis.misconception), ("hint", "hint", diagnosis.hint)]
    return [
        words[key].format_map({name: for_name(text, limit=_MESSAGE_CHARACTERS)})
        for key, name, text in said
        if text
    ]


def feedback_text(mark: Mark, titles: Mapping[str, str], language: Language = "en") -> str:
    """All of it as text, in lines; exercises are called by their titles, or else by their ids."""
    lines = [points_line(mark, language)]
    for exercise in mark.result.exercises:
        lines += ["", about_exercise(exercise, titles.get(exercise.id, exercise.id), language)]
        for failure in _failures(exercise.tests):
            names = ", ".join(map(for_name, failure.names))
            message = for_terminal(failure.message, limit=_MESSAGE_CHARACTERS).replace("\n", "\n    ")
            lines.append(f"  - {names}: {message}" if message else f"  - {names}")
        lines += [f"  {line}" for line in why_failed(exercise, language)]
    return "\n".join(lines)


def feedback_html(
    mark: Mark, titles: Mapping[str, str], language: Language = "en", limit: int = FEEDBACK_CHARACTERS
) -> str:
    """All of it as HTML on one line. Where it is longer than the limit, whole exercises at its end are left out."""
    exercises = mark.result.exercises
    parts = [f"<p><strong>{for_html(points_line(mark, language))}</strong></p>"]
    used = len(parts[0])
    for count, exercise in enumerate(exercises):
        block = "".join(_html_of(exercise, titles.get(exercise.id, exercise.id), language))
        if used + len(block) > limit:
            left = len(exercises) - count
            more = _WORDS[language]["more_one" if left == 1 else "more"].format(count=left)
            parts.append(f"<p>{for_html(more)}</p>")
            break
        parts.append(block)
        used += len(block)
    return "".join(parts)


def _html_of(exercise: ExerciseResult, title: str, language: Language) -> Iterator[str]:
    yield f"<p>{for_html(about_exercise(exercise, title, language))}</p>"
    items = []
    for failure in _failures(exercise.tests):
        names = ", ".join(f"<code>{for_html(for_name(name))}</code>" for name in failure.names)
        message = for_html(failure.message, limit=_MESSAGE_CHARACTERS).replace("\n", "<br>")
        items.append(f"{names}: {message}" if message else names)
    items += map(for_html, why_failed(exercise, language))
    if items:
        yield f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"


def _failures(tests: tuple[TestResult, ...]) -> list[_Failure]:
    """What failed, the tests with one message together: a file that does not run fails all of them alike."""
    by_message: dict[str, list[str]] = {}
    for test in tests:
        if test.outcome != "passed":
            by_message.setdefault(test.message.strip(), []).append(test.name)
    return [_Failure(tuple(names), message) for message, names in by_message.items()]
