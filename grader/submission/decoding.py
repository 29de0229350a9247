"""From a Python file's bytes to its text, with words for a beginner where that fails."""

from __future__ import annotations

import codecs
import io
import re
import tokenize
import unicodedata
from typing import Final

from grader.submission.contents import UnreadableError

__all__ = ["decode_python", "line_of_too_many_marks", "refuse_too_many_marks", "with_plain_line_ends"]

# Python takes whatever codec a file's first line names, even one that is slow without bound.
_ENCODINGS: Final = frozenset(
    codecs.lookup(name).name
    for name in (
        *("utf-8", "utf-8-sig", "ascii", "gbk", "gb2312", "gb18030", "big5", "big5hkscs", "cp950"),
        *("shift_jis", "cp932", "euc_jp", "euc_kr", "cp949", "koi8-r", "koi8-u", "mac-roman"),
        *("cp437", "cp850", "cp852", "cp866"),
        *(f"iso8859-{part}" for part in range(1, 17) if part != 12),
        *(f"cp{page}" for page in range(1250, 1259)),
    )
)

_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_AGAIN = "save it as UTF-8 and hand it in again"
_MARKS: Final = 30
"""Accents on one letter: more than any language has, and what Unicode's own format for streams allows."""


def decode_python(data: bytes) -> str:
    """The text as Python reads it: a byte order mark and PEP 263 are heeded, line ends become plain.

    Raises:
        UnreadableError: it is no text that Python reads.
    """
    if data.startswith(_WIDE_MARKS):
        raise UnreadableError(f"it is saved as UTF-16, which Python does not read: {_AGAIN}")
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise UnreadableError(f"there is a zero byte in line {line}, so it is not a text file: {_AGAIN}")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        raise UnreadableError(
            f"its first lines are not UTF-8, or name an encoding that Python does not know: {_AGAIN}"
        ) from None
    if codecs.lookup(encoding).name not in _ENCODINGS:
        raise UnreadableError(f"its first lines name an encoding that is not taken here: {_AGAIN}")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        name = "UTF-8" if encoding.startswith("utf-8") else encoding
        raise UnreadableError(f"line {line} has a character that is not {name}: {_AGAIN}") from None
    refuse_too_many_marks(text)
    return with_plain_line_ends(text)


def refuse_too_many_marks(text: str) -> None:
    """Refuse a text that would keep Python's parser busy for minutes.

    It puts the accents on each letter of a name in order, in time that grows with their number's square: a file of
    nothing but accents takes it minutes, and a notebook hours.

    Raises:
        UnreadableError: there are too many on one letter.
    """
    line = line_of_too_many_marks(text)
    if line is not None:
        raise UnreadableError(f"line {line} has more than {_MARKS} accents on one letter: take them out")


def line_of_too_many_marks(text: str) -> int | None:
    """The first line of source with more accents on a letter than there can be, or None."""
    if text.isascii():
        return None
    marks = [
        character for character in set(text) if not character.isascii() and _begins_with_a_mark(character)
    ]
    if not marks:
        return None
    found = re.search(f"[{re.escape(''.join(marks))}]{{{_MARKS + 1}}}", text)
    return None if found is None else text.count("\n", 0, found.start()) + 1


def _begins_with_a_mark(character: str) -> bool:
    # Some vowel signs are no marks themselves and come apart into two.
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) != 0


def with_plain_line_ends(text: str) -> str:
    """The text with the line ends of Unix, whatever it was written on."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
