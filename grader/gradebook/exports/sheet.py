"""A platform's CSV file, with the place of every cell: so some can be filled in and all else stays byte for byte.

The `csv` module tells what a cell says and not where it stands; written again by it, an instructor's file would
come back with other quotes and other line ends.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass

from grader.errors import UsageError

__all__ = ["Cell", "Sheet", "quoted"]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS = (",", ";", "\t")
_ENDS = {delimiter: re.compile(f"[{delimiter}\r\n]") for delimiter in _DELIMITERS}
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell says, and where in the text it stands, quotes included."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file of comma separated values, or of semicolons or tabs."""

    text: str
    bom: bytes
    encoding: str
    delimiter: str
    rows: tuple[tuple[Cell, ...], ...]
    """Lines with nothing on them are not among them."""

    @classmethod
    def read(cls, data: bytes, *, encoding: str | None = None, shown_as: str = "the file") -> Sheet:
        """Read a file as a platform, or a spreadsheet, wrote it.

        Args:
            data: the file.
            encoding: where it is not UTF-8 and has no byte order mark: "gb18030", "cp1252".
            shown_as: what to call it in messages.

        Raises:
            UsageError: it is no such file.
        """
        if len(data) > _MOST_BYTES:
            raise UsageError(f"{shown_as}: is too large for a class list: name the CSV file of the platform")
        bom, text_encoding = b"", encoding or "utf-8"
        for mark, known in _BOMS:
            if data.startswith(mark):
                bom, text_encoding = mark, known
        try:
            text = data[len(bom) :].decode(text_encoding)
        except LookupError:
            raise UsageError(f"{shown_as}: there is no encoding called {encoding!r}: try utf-8") from None
        except UnicodeDecodeError:
            raise UsageError(
                f"{shown_as}: is no text in {text_encoding}: download it from the platform again, or name its "
                "encoding"
            ) from None
        if "\0" in text:
            raise UsageError(f"{shown_as}: is no CSV file: download it from the platform as CSV")
        delimiter = _delimiter(text)
        return cls(text, bom, text_encoding, delimiter, _rows(text, delimiter, shown_as))

    def filled(self, values: Mapping[Cell, str]) -> bytes:
        """The file with these cells filled in, and all else as it was.

        Raises:
            UsageError: the file's encoding has no letter for what is to be written.
        """
        parts: list[str] = []
        at = 0
        for cell in sorted(values, key=lambda cell: cell.start):
            parts += [self.text[at : cell.start], quoted(values[cell], self.delimiter)]
            at = cell.end
        return self.encoded("".join(parts) + self.text[at:])

    def encoded(self, text: str) -> bytes:
        """Text as the file's bytes."""
        try:
            return self.bom + text.encode(self.encoding)
        except UnicodeEncodeError:
            raise UsageError(
                f"the file's encoding, {self.encoding}, has no letters for all that is to be written: download it "
                "as UTF-8"
            ) from None


def quoted(value: str, delimiter: str) -> str:
    """The value as a cell, in quotes where it needs them."""
    if value and (
        value != value.strip() or any(c in value for c in ('"', "\r", "\n", *_DELIMITERS, delimiter))
    ):
        return '"' + value.replace('"', '""') + '"'
    return value


def _delimiter(text: str) -> str:
    """The one that parts the first line, what stands in quotes apart."""
    line: list[str] = []
    in_quotes = False
    for character in text.lstrip("\r\n")[:100_000]:
        if character == '"':
            in_quotes = not in_quotes
        elif not in_quotes:
            if character in "\r\n":
                break
            line.append(character)
    return max(_DELIMITERS, key=line.count)


def _rows(text: str, delimiter: str, shown_as: str) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    row: list[Cell] = []
    at = 0
    while at < len(text):
        cell = _cell(text, at, delimiter, shown_as)
        row.append(cell)
        at = cell.end
        if text.startswith(delimiter, at):
            at += len(delimiter)
            if at < len(text):
                continue
            row.append(Cell("", at, at))
        if len(row) > 1 or row[0].end > row[0].start:
            rows.append(tuple(row))
        row = []
        at += 2 if text.startswith("\r\n", at) else 1
    return tuple(rows)


def _cell(text: str, start: int, delimiter: str, shown_as: str) -> Cell:
    at = start
    value = ""
    if text.startswith('"', at):
        pieces: list[str] = []
        while True:
            closing = text.find('"', at + 1)
            if closing == -1:
                line = text.count("\n", 0, start) + 1
                raise UsageError(
                    f"{shown_as}: line {line}: a quote is opened and never closed: download it again"
                )
            pieces.append(text[at + 1 : closing])
            at = closing + 1
            if not text.startswith('"', at):
                break
            pieces.append('"')
        value = "".join(pieces)
    found = _ENDS[delimiter].search(text, at)
    end = len(text) if found is None else found.start()
    return Cell(value + text[at:end], start, end)
