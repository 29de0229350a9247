"""The report as its reader has it: in Chromium, on a phone, in the dark, with a keyboard, on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.course.model import Language
from grader.gradebook.report import Alike, Ungraded, write_report, write_student_page
from tests.gradebook.report.a_class import a_class, titles_of
from tests.gradebook.report.conftest import Opened

Open = Callable[..., Opened]
STUDENTS = 40
BOX = "document.querySelector('.scroll')"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a class report, and one student's page, in each language."""
    folder = tmp_path_factory.mktemp("reports")
    for language in ("en", "zh"):
        marks = a_class(STUDENTS, language=language)
        titles = titles_of(14, language)
        write_report(
            marks,
            titles,
            folder / f"{language}.html",
            language=language,
            ungraded=[Ungraded("s9999", "the archive is damaged")],
            alike=[Alike("softmax", ("s0003", "s0009"))],
            as_of=datetime(2025, 11, 5, 9, tzinfo=UTC),
        )
        write_student_page(marks[3], titles, folder / f"{language}-student.html", language=language)
    return folder


FILES = ("en.html", "zh.html", "en-student.html", "zh-student.html")


@pytest.mark.parametrize("name", FILES)
def test_it_opens_without_a_complaint_and_asks_the_network_for_nothing(
    opened: Open, reports: Path, name: str
) -> None:
    page = opened(reports / name)
    assert page.errors == []
    assert page.requests == [(reports / name).as_uri()]


@pytest.mark.parametrize("name", FILES)
def test_it_fits_a_phone(opened: Open, reports: Path, name: str) -> None:
    page = opened(reports / name, width=360)
    page.unfold()
    assert page.width() <= 360


@pytest.mark.parametrize("width", [600, 820, 1024, 1920])
def test_it_fits_other_screens(opened: Open, reports: Path, width: int) -> None:
    page = opened(reports / "en.html", width=width)
    page.unfold()
    assert page.width() <= width
    assert opened(reports / "en.html", width=width, at="#student-s0004").width() <= width


def test_the_heat_map_scrolls_in_its_own_box_and_the_keyboard_reaches_it(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html", width=360)
    assert page.evaluate(f"{BOX}.scrollWidth > {BOX}.clientWidth")
    page.page.focus(".scroll")
    page.page.keyboard.press("ArrowRight")
    # Asked from outside: the page's own policy lets nobody wait inside.
    for _ in range(100):
        if page.evaluate(f"{BOX}.scrollLeft > 0"):
            break
        page.page.wait_for_timeout(50)
    assert page.evaluate(f"{BOX}.scrollLeft > 0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "at", "width"),
    [
        ("en.html", "", 1280),
        ("zh.html", "", 360),
        ("en.html", "#student-s0004", 360),
        ("zh-student.html", "", 1280),
    ],
)
def test_axe_finds_no_barrier(
    opened: Open, reports: Path, name: str, at: str, width: int, scheme: str
) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is missing"
    )
    # The page's policy keeps out axe's own code as well.
    page = opened(reports / name, width=width, scheme=scheme, policy=False, at=at)
    page.unfold()
    found = axe.Axe().run(page.page)
    assert found.violations_count == 0, found.generate_report()


def test_dark_is_dark_and_light_is_light(opened: Open, reports: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    brightness = {
        scheme: sum(
            map(int, re.findall(r"\d+", opened(reports / "en.html", scheme=scheme).evaluate(paper))[:3])
        )
        for scheme in ("light", "dark")
    }
    assert brightness["light"] > 700
    assert brightness["dark"] < 100


def test_the_file_is_in_its_language(opened: Open, reports: Path) -> None:
    page = opened(reports / "zh.html")
    page.unfold()
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert "常见误解" in page.text("#class")
    assert not re.search(r"Misconceptions|Hardest|who tried|not attempted", page.text("body"))


def test_without_scripts_the_tables_are_read(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html", scripts=False)
    page.unfold()
    text = page.text("body")
    for words in (
        "Misconceptions",
        "Hardest exercises",
        "the archive is damaged",
        "Ada Baker",
        "Without JavaScript",
    ):
        assert words in text
    assert len(page.page.query_selector_all(".heat tbody tr")) == STUDENTS + 1
    assert not page.page.is_visible("#find")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_handed_out_page_says_what_the_class_report_says_of_her(
    opened: Open, reports: Path, language: Language
) -> None:
    alone = opened(reports / f"{language}-student.html")
    among_all = opened(reports / f"{language}.html", at="#student-s0004")
    assert among_all.text("#student .student") == alone.text(".student")
    shapes = (
        "[...document.querySelectorAll('.student *')].map((e) => [e.tagName, e.getAttribute('class') ?? ''])"
    )
    assert among_all.evaluate(shapes) == alone.evaluate(shapes)


def test_a_students_page_comes_and_goes_with_its_link(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html")
    page.page.click(".heat tbody:last-of-type tr:nth-child(5) a")
    name = page.evaluate("document.querySelectorAll('.heat tbody:last-of-type tr')[4].cells[0].textContent")
    assert name.startswith(page.text("#student h1"))
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert not page.page.is_visible("#class")
    assert page.page.title().startswith(name)
    page.page.click("text=Next:")
    assert page.text("#student h1") != ""
    page.page.click("text=Back to the class")
    assert page.page.is_visible("#class")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 7
    assert not page.page.is_visible("#student")
    page.page.go_back()
    page.page.wait_for_selector("#student h1")
    page.page.click("nav >> text=Scores")
    assert page.page.is_visible("#scores")
    assert page.errors == []


def test_an_unknown_link_shows_the_class(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html", at="#student-nobody")
    assert page.page.is_visible("#class")
    assert page.errors == []


def test_a_student_is_found_with_the_keyboard_alone(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html")
    page.page.focus("#find")
    page.page.keyboard.type("s00")
    assert page.page.locator("#matches a").count() == 8
    assert "40 found, and 32 more" in page.text("#matches [role=status]")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    second = page.evaluate("document.activeElement.textContent")
    page.page.keyboard.press("Enter")
    page.page.wait_for_selector("#student h1")
    assert second.startswith(page.text("#student h1"))
    page.page.focus("#find")
    page.page.keyboard.press("Escape")
    assert page.evaluate("document.getElementById('find').value") == ""
    assert not page.page.is_visible("#matches")


def test_the_search_is_blind_to_accents(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html")
    page.page.fill("#find", "CHLOE dvor")
    assert "Chloé Dvořák" in page.text("#matches")


def test_the_heat_map_sorts_both_ways_and_keeps_what_has_no_number_last(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html")
    cells = (
        "[...document.querySelectorAll('.heat tbody:last-of-type tr')].map((row) => row.cells[4].textContent)"
    )
    heading = page.page.locator(".heat thead th").nth(4)
    for order, name in ((1, "ascending"), (-1, "descending")):
        heading.locator("button").press("Enter")
        assert heading.get_attribute("aria-sort") == name
        shown = page.evaluate(cells)
        numbers = [int(cell.rstrip("*")) for cell in shown if cell[0].isdigit()]
        assert numbers == sorted(numbers)[::order]
        assert len(numbers) > 20
        assert not any(cell[0].isdigit() for cell in shown[len(numbers) :])
    assert page.text(".heat tbody:first-of-type th") == "Class median"


def test_the_names_behind_a_misconception_are_links(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html")
    held = int(page.text(".beliefs li:first-child .share strong"))
    page.page.click(".beliefs li:first-child summary")
    page.page.wait_for_selector(".beliefs li:first-child .who a")
    names = page.page.locator(".beliefs > li:first-child .who a")
    assert names.count() == held
    first = names.first.inner_text()
    names.first.click()
    assert first.startswith(page.text("#student h1"))


def test_paper_has_it_all(opened: Open, reports: Path) -> None:
    page = opened(reports / "en.html", scheme="dark")
    page.page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert "Held by one student each" in page.text("#misconceptions")
    assert page.page.is_visible(".singles li")
    assert page.evaluate(f"{BOX}.scrollHeight <= {BOX}.clientHeight")
    page.page.set_viewport_size({"width": 700, "height": 1000})  # a sheet of A4 within its margins
    assert page.width() <= 700
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(28, 32, 36)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.page.is_visible("#find")
    assert page.page.pdf().startswith(b"%PDF")
