from __future__ import annotations

import csv
import html
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.submission import for_csv_cell, for_html, for_name, for_terminal

ANYTHING = st.text(st.characters(codec=None, categories=None), max_size=200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("expected 3, got 4\n  at line 2", "expected 3, got 4\n  at line 2"),
        ("汉字 é 👍", "汉字 é 👍"),
        ("a\tb\r\nc", "a    b\nc"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("over\rwritten\b\x7f", r"over\rwritten\x08\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("a\u202egpj.exe\u2066\u200f", r"a\u202egpj.exe\u2066\u200f"),
        ("a\u200bb\u200dc\ufeff\u2060\u00ad", r"a\u200bb\u200dc\ufeff\u2060\xad"),
        ("\ud800half", r"\ud800half"),
        ("\u2028\u2029", r"\u2028\u2029"),
        ("\u3164\u115f\u2800", r"\u3164\u115f\u2800"),
        ("a\u3000b\u00a0c", "a b c"),
        ("\U000e0041", r"\U000e0041"),
        ("z" + "\u0301" * 6, "z" + "\u0301" * 4 + r"\u0301\u0301"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@given(ANYTHING)
def test_nothing_a_terminal_obeys_is_left(text: str) -> None:
    shown = for_terminal(text)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert not any(unicodedata.category(c) in ("Cf", "Cs", "Cc") for c in shown if c != "\n")
    shown.encode("utf-8")
    assert for_name(text).isprintable()


def test_length_and_lines_have_an_end() -> None:
    assert len(for_terminal("x" * 10**6)) == 4000
    assert len(for_terminal("\x1b" * 10**6)) == 4000
    assert for_terminal("x\n" * 1000).count("\n") == 60
    assert for_terminal("abcdef", limit=4) == "abc…"
    assert len(for_html("<" * 10**6, limit=10)) == 9 * 4 + 1
    assert len(for_csv_cell("x" * 10**6)) == 1000
    assert len(for_name("x" * 10**6)) == 80


@given(ANYTHING)
def test_html_stays_text(text: str) -> None:
    shown = for_html(text)
    assert not set("<>\"'") & set(shown)
    assert html.unescape(shown) == for_terminal(text, limit=20_000, lines=10**6)


def test_html_in_a_text_is_no_html() -> None:
    assert for_html("<script>alert('&')</script>") == (
        "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;"
    )


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\n=1",
        "  =1",
        "\u3000=1",
        "=cmd|' /C calc'!A0",
        "\uff1d1",
        "\uff20a",
    ],
)
def test_a_cell_is_no_formula(text: str) -> None:
    cell = for_csv_cell(text)
    assert cell.startswith("'")
    assert cell[1:].strip() in " ".join(text.split())


def test_a_cell_does_not_begin_with_what_cannot_be_seen() -> None:
    assert for_csv_cell("\r=1") == r"\r=1"


@given(ANYTHING)
def test_a_cell_is_one_cell_on_one_line(text: str) -> None:
    cell = for_csv_cell(text)
    assert cell[:1] not in {*"=+-@\t\r\n "}
    assert cell.isprintable()
    sheet = io.StringIO()
    csv.writer(sheet, quoting=csv.QUOTE_ALL).writerow([cell, "b"])
    assert list(csv.reader(io.StringIO(sheet.getvalue()))) == [[cell, "b"]]


def test_an_ordinary_cell_stays_as_it_is() -> None:
    assert for_csv_cell("s001, O'Brien-Müller = 张三") == "s001, O'Brien-Müller = 张三"
