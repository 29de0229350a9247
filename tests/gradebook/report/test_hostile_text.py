"""Text that came from a student is text, wherever it is shown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from grader.gradebook.marks import Identity, Mark
from grader.gradebook.report import Alike, Ungraded, write_report, write_student_page
from grader.gradebook.report.embedded import as_script_data
from grader.result import Diagnosis, ExerciseResult, Finding, TestResult
from tests.gradebook.report.a_class import result_of, titles_of
from tests.gradebook.report.conftest import Opened

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of script": "</script><script>alert(2)</script>",
    "comment in a script": "<!--<script>",
    "image": "<img src=x onerror=alert(3)>",
    "attribute": "\"' onmouseover=alert(4) autofocus onfocus=alert(5) x='",
    "style": "</style><style>*{display:none}</style>",
    "link": "javascript:alert(6)",
    "template": "{{ 7 * 7 }}{% raw %}${alert(7)}`alert(8)`",
    "formula": '=HYPERLINK("http://example.org","x")',
    "right to left": "\u202egnp.exe \u05d0\u05d1\u05d2 \u0627\u0644\u0628",
    "line ends": "a\u2028b\u2029c\x85d\0e\x1b[31m",
    "half a pair": "\ud800 x \udfff",
    "long": "W" * 10_000,
    "many lines": "line\n" * 500,
    "proto": "__proto__",
    "empty": " ",
}


def _marks() -> list[Mark]:
    marks = []
    for name, text in HOSTILE.items():
        clean = text.encode("utf-8", "replace").decode()  # as the result's own fields do
        exercise = ExerciseResult(
            id="softmax",
            topic="losses",
            score=1.0,
            max_score=3.0,
            verdict="partial",
            tests=(
                TestResult(name="t1", points=1, earned=1, outcome="passed"),
                TestResult(name=clean, points=2, earned=0, outcome="failed", message=clean),
            ),
            diagnosis=Diagnosis(misconception=clean, hint=clean),
            findings=(
                Finding(kind=clean, message=clean, line=1),
                Finding(kind="forbidden_call", message=clean),
            ),
        )
        for student in (
            Identity(id=text, name=f"{name} {text}", email=text),
            Identity(id=f"second {name}", name=text),
        ):
            marks.append(Mark(student, result_of("x", (exercise,)), 1.0))
    return marks


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hostile") / "report.html"
    titles = titles_of(14)
    write_report(
        _marks(),
        titles,
        out,
        ungraded=[Ungraded(text, text) for text in HOSTILE.values()],
        alike=[Alike("softmax", tuple(HOSTILE.values()), text) for text in HOSTILE.values()],
    )
    return out


def test_nothing_in_it_runs(opened: Callable[..., Opened], report: Path) -> None:
    page = opened(report)
    assert (
        page.evaluate("document.querySelectorAll('img, iframe, [onerror], [onfocus], [onmouseover]').length")
        == 0
    )
    assert page.evaluate("document.querySelectorAll('script').length") == 3
    assert page.evaluate("document.querySelectorAll('style').length") == 1
    links = page.evaluate("[...document.links].map((link) => link.getAttribute('href'))")
    assert all(re.fullmatch(r"#[A-Za-z0-9._-]+", link) for link in links)
    for link in sorted({link for link in links if link.startswith("#student-")}):
        page.evaluate(f"location.hash = {json.dumps(link)}")
        page.page.wait_for_selector("#student h1")
        assert (
            page.evaluate(
                "document.querySelectorAll('#student :is(img, script, style, a[href^=java])').length"
            )
            == 0
        )
        page.page.hover("#student h1")
    page.page.fill("#find", "<")
    assert page.page.locator("#matches a").count() > 0
    assert page.errors == []
    assert page.dialogs == []
    assert page.requests == [report.as_uri()]


def test_it_stays_in_its_place_on_a_phone(opened: Callable[..., Opened], report: Path) -> None:
    page = opened(report, width=360)
    page.unfold()
    assert page.width() <= 360
    links = page.evaluate(
        "[...document.querySelectorAll('.heat a')].map((link) => link.getAttribute('href'))"
    )
    assert len(set(links)) == 2 * len(HOSTILE)
    for link in links:
        page.evaluate(f"location.hash = {json.dumps(link)}")
        page.page.wait_for_selector("#class", state="hidden")
        assert page.width() <= 360, link


class _Server(ThreadingHTTPServer):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """The network, as far as a report could reach it."""
    with _Server() as serving:
        Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


def test_markup_that_came_in_all_the_same_does_nothing(
    opened: Callable[..., Opened], report: Path, tmp_path: Path, server: _Server
) -> None:
    # As if escaping had been forgotten somewhere: the page's own policy is the second wall.
    address = f"http://127.0.0.1:{server.server_port}"
    hole = (
        f"<img src={address}/image onerror=alert(1)><script>alert(2)</script><script src={address}/script>"
        f"</script><link rel=stylesheet href={address}/style><iframe src={address}/frame></iframe>"
        "<style>h1{display:none}</style>"
    )
    broken = tmp_path / "broken.html"
    broken.write_text(report.read_text(encoding="utf-8").replace("<h1>", f"{hole}<h1>"), encoding="utf-8")
    page = opened(broken)
    page.page.wait_for_timeout(200)
    assert page.dialogs == []
    assert server.asked == []
    assert page.page.is_visible("h1")
    # Without the policy all of it happens: the test would see it.
    page = opened(broken, policy=False)
    page.page.wait_for_timeout(200)
    assert "2" in page.dialogs
    assert {"/image", "/script", "/style", "/frame"} <= set(server.asked)


def test_what_turns_or_hides_text_is_written_out(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    for character in "\u202e\u2028\u2029\x85\0\x1b":
        assert character not in text


def test_names_are_cut_to_what_can_be_read(report: Path) -> None:
    assert "W" * 801 not in report.read_text(encoding="utf-8")
    assert "W" * 70 in report.read_text(encoding="utf-8")


def test_her_own_page_is_as_safe(opened: Callable[..., Opened], tmp_path: Path) -> None:
    for number, mark in enumerate(_marks()):
        out = tmp_path / f"{number}.html"
        write_student_page(mark, titles_of(14), out)
    page = opened(tmp_path / "0.html", width=360)
    for number in range(len(_marks())):
        page.page.goto((tmp_path / f"{number}.html").as_uri())
        assert page.evaluate("document.querySelectorAll('script, img, a, [onfocus]').length") == 0
        assert page.width() <= 360, number
    assert page.errors == []
    assert page.dialogs == []


@pytest.mark.parametrize(
    "text", [text for name, text in HOSTILE.items() if name != "half a pair"], ids=str.__len__
)
def test_embedded_data_says_the_same_and_cannot_end_its_element(text: str) -> None:
    embedded = str(as_script_data({"text": [text, text]}))
    assert json.loads(embedded) == {"text": [text, text]}
    assert not re.search("[<>&\u2028\u2029]", embedded)


def test_half_a_surrogate_pair_can_be_written() -> None:
    assert as_script_data(["\ud800"]).encode("utf-8")
