"""What in a cell of a notebook is Python, and what is for the notebook itself."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Cell", "Code", "parse_quietly", "python_of"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its place in the notebook, counted from 1, whether it is code, and its text."""

    number: int
    is_code: bool
    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """The Python of a cell; `left_out` are the lines that were for the notebook."""

    text: str
    left_out: tuple[str, ...] = ()
    other_language: str = ""


def parse_quietly(source: str) -> ast.Module | None:
    """The tree, or None where the source is no Python, or too much for the parser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on a student's "\d", say: it is nothing to us
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


# At the beginning of a statement none of these is Python.
_MAGIC = re.compile(r"\s*[%!?]")
_HELP = re.compile(r"\s*[\w.%*]+\?{1,2}\s*$")
_ASSIGNED = re.compile(r"\s*[A-Za-z_][\w., \t\[\]]*=\s*(?:!|%[A-Za-z%])")

_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_CELL_MAGIC = re.compile(r"[ \t]*%%([\w.-]+)")
_RUNS_THE_CELL = frozenset(
    {"time", "timeit", "capture", "prun", "memit", "mprun", "debug", "pyinstrument", "scalene", "snakeviz"}
)

_QUOTES = ('"""', "'''")
_LEXICAL = re.compile(
    r"""\"{3}|'{3}
      | "(?:\\.|[^"\\])*"?
      | '(?:\\.|[^'\\])*'?
      | \#.*
      | [()\[\]{}]
      | \\$""",
    re.VERBOSE,
)
_IN_QUOTES = re.compile(r"\\.|\"{3}|'{3}")


def python_of(cell: Cell) -> Code:
    """The cell's Python: magics, shell lines and questions for help are left out."""
    if parse_quietly(cell.text) is not None:
        return Code(cell.text)
    text = _BLANK_LINES.sub("", cell.text, count=1)
    magic = _CELL_MAGIC.match(text)
    left_out: list[str] = []
    if magic is not None:
        if magic[1] not in _RUNS_THE_CELL:
            return Code("", other_language=magic[0])
        first, _, text = text.partition("\n")
        left_out.append(first)
    kept: list[str] = []
    for line, instead in _lines(text):
        kept.append(line if instead is None else instead)
        if instead:
            left_out.append(line.strip())
    return Code("\n".join(kept), tuple(left_out))


def _is_for_the_notebook(line: str) -> bool:
    return any(pattern.match(line) for pattern in (_MAGIC, _HELP, _ASSIGNED))


def _lines(text: str) -> Iterator[tuple[str, str | None]]:
    """The lines, each with what shall stand in its place, or None where it is Python.

    A line for the notebook stands where a statement can begin. One that ends in a backslash takes the next
    line with it.
    """
    depth = 0
    quotes = ""
    continued = False
    goes_on = False
    for line in text.split("\n"):
        if goes_on or (not (depth or quotes or continued) and _is_for_the_notebook(line)):
            # Where it stood alone in a block, the block must not become empty.
            yield line, "" if goes_on else line[: len(line) - len(line.lstrip())] + "pass"
            goes_on = line.endswith("\\")
            continue  # an apostrophe in it opens no string
        yield line, None
        continued = False
        at = 0
        while at < len(line):
            found = (_IN_QUOTES if quotes else _LEXICAL).search(line, at)
            if found is None:
                break
            at = found.end()
            token = found[0]
            if quotes:
                quotes = "" if token == quotes else quotes
            elif token in _QUOTES:
                quotes = token
            elif token in "([{":
                depth += 1
            elif token in ")]}":
                depth = max(0, depth - 1)
            elif token == "\\":
                continued = True
