r"""The one place where text that came from a student is made fit to be shown.

A name, a message or a whole source may hold what a terminal obeys, what a browser runs, or what a spreadsheet
computes. Everything that cannot be seen is written out, as `\x1b` and the like, rather than dropped: whoever
reads it shall see that it was there.
"""

from __future__ import annotations

import html
import unicodedata

__all__ = ["NOTE_CHARACTERS", "for_csv_cell", "for_html", "for_name", "for_terminal"]

TERMINAL_CHARACTERS = 4_000
TERMINAL_LINES = 60
HTML_CHARACTERS = 20_000
CSV_CHARACTERS = 1_000
NAME_CHARACTERS = 80
NOTE_CHARACTERS = 500

_TAB = "    "
_MORE = "…"

# Seen by `str.isprintable` as something to print, and still not to be seen: fillers, and a joiner.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")

# Accents that pile up on one letter run over the lines above and below it.
_ACCENTS_ON_A_LETTER = 4

_FORMULA_HEADS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")  # spreadsheets read the wide ones as well


def for_terminal(text: str, *, limit: int = TERMINAL_CHARACTERS, lines: int = TERMINAL_LINES) -> str:
    """The text with nothing in it that a terminal obeys; its lines stay lines.

    Markup of a library that prints it is not its affair: hand it to rich as `Text`, not as markup.
    """
    kept = _cleaned(_cut(text, limit)).split("\n")
    if len(kept) > lines:
        kept = [*kept[:lines], _MORE]
    return _cut("\n".join(kept), limit)


def for_html(text: str, *, limit: int = HTML_CHARACTERS) -> str:
    """The text as HTML text, or as the value of an attribute in quotes."""
    return html.escape(_cut(_cleaned(_cut(text, limit)), limit), quote=True)


def for_csv_cell(text: str, *, limit: int = CSV_CHARACTERS) -> str:
    """The text as a cell that a spreadsheet takes for text; on one line.

    Quotes and commas are left to the `csv` module, which should quote all cells: a spreadsheet set to another
    separator would otherwise part the cell in two.
    """
    cell = for_name(text, limit=limit)
    return f"'{cell}" if cell[:1] in _FORMULA_HEADS else cell


def for_name(text: str, *, limit: int = NAME_CHARACTERS) -> str:
    """The text on one line: for names of files, of students, of anything, in the middle of a sentence."""
    return _cut(" ".join(_cleaned(_cut(text, limit)).split()), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_MORE)] + _MORE


def _cleaned(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\t", _TAB)
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    shown: list[str] = []
    accents = 0
    for character in text:
        category = unicodedata.category(character)
        accents = accents + 1 if category in ("Mn", "Me") else 0
        if character == "\n":
            shown.append(character)
        elif category == "Zs":
            shown.append(" ")
        elif character in _BLANK or not character.isprintable() or accents > _ACCENTS_ON_A_LETTER:
            shown.append(character.encode("unicode_escape").decode("ascii"))
        else:
            shown.append(character)
    return "".join(shown)
