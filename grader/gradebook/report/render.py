"""Writes the report: one HTML file that asks nothing of the network, and no more of the browser than it must.

The file's own policy lets in one style sheet and one script, both by their hashes: markup that came in with
somebody's name or message could not run even if it were not escaped, and could fetch nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.course.model import Language
from grader.errors import UsageError
from grader.gradebook.marks import Mark
from grader.gradebook.report import tally
from grader.gradebook.report.classroom import Classroom, Share, Student
from grader.gradebook.report.embedded import as_script_data, index_of, pages_as_data
from grader.gradebook.report.figures import NO_FIGURE, percent, points
from grader.gradebook.report.student_page import page_of
from grader.gradebook.report.subjects import Alike, Ungraded
from grader.gradebook.report.tally import ExerciseTally
from grader.gradebook.report.titles import Titles
from grader.gradebook.report.words import HTML_LANGUAGES, VERDICTS, say
from grader.result import GradingResult
from grader.submission.shown import for_name

__all__ = ["write_report", "write_student_page"]

_CARDS = 12
"""So many misconceptions stand open on the page; what more there are is folded away."""

_LINES = 6
_KINDS = ("forbidden_call", "escape_hatch", "not_scanned", "replay", "alike")

_SCRIPT_WORDS = (
    "back",
    "previous",
    "next",
    "by_topic",
    "looks_as_if",
    "hint",
    "noticed",
    "found",
    "more_found",
)


def write_report(
    marks: Sequence[Mark],
    titles: Titles,
    out: Path,
    *,
    language: Language = "en",
    feedback: Mapping[str, GradingResult] | None = None,
    ungraded: Sequence[Ungraded] = (),
    alike: Sequence[Alike] = (),
    as_of: datetime | None = None,
) -> None:
    """Write the class report as one HTML file.

    Args:
        marks: what counts for each student.
        titles: what the course calls things, in the report's language.
        out: the file to write; it is replaced whole or left as it is.
        language: of the report's own words.
        feedback: by student id, her result as she may see it: her page in the report shows this one. Where
            there is none it shows the mark's own.
        ungraded: submissions that have no mark, and why.
        alike: answers that are the same across students.
        as_of: the time that the report speaks of, if it is to say so.

    Raises:
        UsageError: the file cannot be written.
    """
    feedback = feedback or {}
    room = Classroom.of(marks, titles)
    pages = [
        page_of(student.mark, titles, language, feedback=feedback.get(student.mark.student.id))
        for student in room.students
    ]
    held = tally.misconceptions(room)
    shared = [one for one in held if len(one.holders) > 1]
    explained, failed = tally.unexplained(room)
    exercises = tally.exercise_tallies(room)
    rows = tally.heat_rows(room)
    findings = tally.finding_tallies(room)
    alike_found = tally.alike_answers(room, alike)
    if alike_found:
        findings["alike"] = alike_found
    not_graded = tally.ungraded_tallies(room, ungraded)
    text = _render(
        "class.html.j2",
        language,
        titles,
        script=_static("script.js"),
        room=room,
        as_of=as_of.strftime("%Y-%m-%d %H:%M") if as_of else "",
        cards=shared[:_CARDS],
        fewer=shared[_CARDS:],
        singles=[one for one in held if len(one.holders) == 1],
        shared=len(shared),
        explained=explained,
        failed=failed,
        scores=tally.distribution(room),
        left_out=len(room.students) - len(room.scored),
        rows=rows,
        class_total=tally.class_total(room),
        class_row=tally.class_shares(rows),
        exercises=exercises,
        passed=sum(one.passed for one in exercises),
        tried=sum(one.tried for one in exercises),
        graded=sum(one.graded for one in exercises),
        not_graded=not_graded,
        findings=findings,
        finding_count=sum(map(len, findings.values())),
        kinds=_KINDS,
        index=as_script_data(
            {
                "students": index_of(room.students, pages),
                "words": {key: _template(language, key) for key in _SCRIPT_WORDS},
                "title": f"{say(language, 'class_report')} · {titles.course}",
            }
        ),
        pages=as_script_data(pages_as_data(pages)),
    )
    _write(text, out)


def write_student_page(
    mark: Mark,
    titles: Titles,
    out: Path,
    *,
    language: Language = "en",
    feedback: GradingResult | None = None,
) -> None:
    """Write one student's own page as a file to hand out: it holds nothing of anybody else, and no script.

    Args:
        mark: what counts for her.
        titles: what the course calls things, in the page's language.
        out: the file to write; it is replaced whole or left as it is.
        language: of the page's own words.
        feedback: her result as she may see it; that of the mark where it is None.

    Raises:
        UsageError: the file cannot be written.
    """
    page = page_of(mark, titles, language, feedback=feedback)
    _write(_render("student.html.j2", language, titles, script="", page=page), out)


def _render(template: str, language: Language, titles: Titles, *, script: str, **values: object) -> str:
    style = _static("style.css")
    sources = [f"style-src {_hash(style)}"] + ([f"script-src {_hash(script)}"] if script else [])
    policy = [
        "default-src 'none'",
        *sources,
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    text = (
        _environment()
        .get_template(template)
        .render(
            policy="; ".join(policy),
            style=Markup(style),
            script=Markup(script),
            html_language=HTML_LANGUAGES[language],
            gap="" if language == "zh" else " ",
            titles=titles,
            t=partial(say, language),
            verdicts=VERDICTS[language],
            **values,
        )
    )
    return text.encode("utf-8", "replace").decode("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("grader.gradebook.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "percent": percent,
        "points": points,
        "words": _without_underscores,
        "code": _code,
        "cell": _cell,
        "name": for_name,
        "names": _names,
        "isolated": _isolated,
        "capital": _capital,
        "lines": _lines,
        "segments": _segments,
    }
    environment.filters.update(filters)
    return environment


def _without_underscores(name: str) -> str:
    return name.replace("_", " ")


def _code(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    parts = re.split(r"`([^`]+)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part)
        for number, part in enumerate(parts)
    )


def _cell(share: Share | None) -> Markup:
    """The heat map's cell of a share."""
    if share is None:
        return Markup("<td></td>")
    if share.state == "ungraded":
        return Markup('<td class="hu">?</td>')
    if share.state == "not_attempted":
        return Markup('<td class="hn">{}</td>').format(NO_FIGURE)
    number = percent(share.of_all)
    step = 5 if number == 100 else min(4, number // 20)
    part = "" if share.whole else "*"
    return Markup('<td class="h{}">{}{}</td>').format(step, number, part)


def _isolated(student: Student) -> str:
    """A name that cannot turn the text around it: marks do it where an element each would be one too many."""
    turns = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in student.name)
    return f"\u2068{student.name}\u2069" if turns else student.name


def _names(students: Iterable[Student]) -> str:
    return ", ".join(map(_isolated, students))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lines(numbers: Sequence[int], t: Callable[..., str]) -> str:
    shown = ", ".join(map(str, numbers[:_LINES])) + ("…" if len(numbers) > _LINES else "")
    return t("line" if len(numbers) == 1 else "lines", n=shown)


def _segments(tally: ExerciseTally) -> Iterator[tuple[str, float, float]]:
    """The parts of an exercise's bar: what they stand for, where they begin and how wide they are, in percent."""
    start = 0
    for key in ("passed", "partly", "failed", "not_attempted"):
        count: int = getattr(tally, key)
        if count:
            yield key, round(100 * start / tally.graded, 3), round(100 * count / tally.graded, 3)
        start += count


def _template(language: Language, key: str) -> str:
    """A text with its places still in it, for the script to fill."""
    places = {place: f"{{{place}}}" for place in ("n", "what")}
    return say(language, key, **places)


@cache
def _static(name: str) -> str:
    return files("grader.gradebook.report").joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _write(text: str, out: Path) -> None:
    """Write a file whole: whoever opens it meanwhile has the old one or the new one."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        temporary.replace(out)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise UsageError(
            f"{out} cannot be written ({error.strerror}): name a file in a folder that you may write to"
        ) from None
