"""The file itself: what it may hold, how large it gets, how it is written."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import string
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from grader.course.model import Language
from grader.errors import UsageError
from grader.gradebook.report import Titles, Ungraded, write_report, write_student_page
from grader.gradebook.report.words import OUTCOMES, VERDICTS, WORDS, say
from tests.gradebook.report.a_class import ROOT, a_class, course, result_of, titles_of
from tests.test_rooms import fresh_python

__all__ = ["fresh_python"]

REPORT = ROOT / "grader" / "gradebook" / "report"


class _Reader(HTMLParser):
    """Counts elements, and keeps what stands in scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.inside: list[tuple[str, str]] = []
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self._open = tag if (tag in ("script", "style") and not dict(attrs).get("type")) else ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.inside.append((self._open, data))
            self._open = ""


def test_it_names_no_other_place_and_holds_no_inline_code(tmp_path: Path) -> None:
    write_report(a_class(5), titles_of(14), tmp_path / "report.html")
    write_student_page(a_class(1)[0], titles_of(14), tmp_path / "page.html")
    for path in tmp_path.iterdir():
        read = _Reader(path.read_text(encoding="utf-8"))
        for tag, name, value in read.attributes:
            assert name not in ("src", "srcset", "style", "action"), tag
            assert not name.startswith("on"), (tag, name)
            assert name != "href" or value.startswith("#"), (tag, value)
        assert not {"link", "img", "iframe", "object", "form", "base"} & read.elements.keys()
        assert "url(" not in dict(read.inside)["style"]
        assert "@import" not in dict(read.inside)["style"]


def test_its_policy_lets_in_its_own_style_and_script_alone(tmp_path: Path) -> None:
    write_report(a_class(2), titles_of(14), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])
    held = dict(part.split(" ", 1) for part in policy.split("; "))
    assert held["default-src"] == "'none'"
    assert "unsafe" not in policy
    for tag, code in _Reader(text).inside:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert held[f"{tag}-src"] == f"'sha256-{digest}'"
    assert text.index("Content-Security-Policy") < text.index("<style>")


def test_a_handed_out_page_has_no_script_and_nobody_else(tmp_path: Path) -> None:
    marks = a_class(30)
    write_student_page(marks[3], titles_of(14), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "script-src" not in text
    assert marks[3].student.name in text
    for other in marks:
        assert other is marks[3] or other.student.id not in text


def test_her_page_shows_what_she_may_see(tmp_path: Path) -> None:
    (mark,) = a_class(1)
    nothing = {"tests": (), "diagnosis": None, "findings": ()}
    bare = result_of(
        mark.student.id, tuple(exercise.model_copy(update=nothing) for exercise in mark.result.exercises)
    )
    said = [test.message for exercise in mark.result.exercises for test in exercise.tests if test.message]
    assert said
    out = tmp_path / "page.html"
    for feedback, seen in ((None, True), (bare, False)):
        write_student_page(mark, titles_of(14), out, feedback=feedback)
        assert (html.escape(said[0]) in out.read_text(encoding="utf-8")) is seen
        write_report([mark], titles_of(14), out, feedback=feedback and {mark.student.id: feedback})
        pages = re.search(r'id="pages">(.*?)</script>', out.read_text(encoding="utf-8"))[1]
        assert (said[0] in json.loads(pages)["texts"]) is seen


def test_the_same_marks_give_the_same_bytes_in_any_order(tmp_path: Path) -> None:
    marks = a_class(30)
    for name, order in (("one", marks), ("two", marks[::-1])):
        write_report(order, titles_of(14), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_class_without_marks_has_a_report(tmp_path: Path, language: Language) -> None:
    out = tmp_path / "report.html"
    write_report([], titles_of(14, language), out, language=language, ungraded=[Ungraded("s1", "damaged")])
    text = out.read_text(encoding="utf-8")
    assert say(language, "no_marks") in text
    assert "damaged" in text


def test_a_thousand_students_stay_a_small_file_of_few_elements(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    write_report(a_class(1000), titles_of(14), out)
    assert out.stat().st_size < 5_000_000
    assert _Reader(out.read_text(encoding="utf-8")).elements.total() < 20_000


def test_a_file_that_cannot_be_written_is_one_line_and_the_old_one_stays(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written") as caught:
        write_report(a_class(1), titles_of(14), tmp_path / "nowhere" / "report.html")
    assert "\n" not in caught.value.message
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        write_report(a_class(1), titles_of(14), tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_titles_are_those_of_the_course_in_the_language(tmp_path: Path) -> None:
    titles = Titles.of(course(), "zh")
    wrong = course().exercise("softmax").wrong_answers[0]
    assert titles.course == course().title.zh
    assert list(titles.exercises) == [exercise.id for exercise in course().exercises]
    for text in (wrong.misconception, wrong.zh):
        assert titles.diagnoses["softmax", text].hint == wrong.hint_zh


def test_both_languages_say_all_of_it_with_the_same_values() -> None:
    def places(text: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}

    assert {key for key in WORDS["en"] if not key.endswith("_one")} == set(WORDS["zh"])
    for key, text in WORDS["zh"].items():
        assert places(text) == places(WORDS["en"][key]), key
    assert VERDICTS["en"].keys() == VERDICTS["zh"].keys()
    assert OUTCOMES["en"].keys() == OUTCOMES["zh"].keys()


def test_every_text_is_used() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in REPORT.rglob("*")
        if path.suffix in (".py", ".j2", ".js") and path.name != "words.py"
    )
    unused = [
        key
        for key in WORDS["zh"]
        if not key.startswith("kind_") and not re.search(rf"""["'.]{key}["')]|words\.{key}\b""", sources)
    ]
    assert unused == []


def test_making_a_report_imports_no_torch(fresh_python: Callable[..., object]) -> None:
    done = fresh_python("import sys, grader.gradebook.report; sys.exit('torch' in sys.modules)")
    assert (done.returncode, done.stderr) == (0, "")  # type: ignore[attr-defined]  # a finished process
