"""The cells of a notebook, of whatever format it is, and in whatever state.

`nbformat` knows the formats and brings the old ones up to date, but it refuses what students really hand in:
cells without metadata, ids that are missing or there twice, a format number that is not one. It also looks
through outputs of megabytes, one by one. So the JSON is read here, once and within bounds; of each cell only
what is asked for, its kind and its text, goes on, set out as its format wants it; and `nbformat` upgrades
that and holds it against the schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from grader.submission.cells import Cell
from grader.submission.contents import Caps, UnreadableError, in_words, too_large
from grader.submission.decoding import with_plain_line_ends
from grader.submission.shown import for_name

__all__ = ["Cells", "read_cells"]

_AGAIN: Final = "open it in Jupyter, save it, and hand it in again"
_NEWEST: Final = 4
_KINDS: Final = frozenset({"code", "markdown", "raw", "heading", "html", "rst", "text"})
_ONLY_CODE_HAS: Final = frozenset({"outputs", "execution_count", "prompt_number", "input", "code"})
_TEXT_KEYS: Final = ("source", "input", "code", "text")
"""Where a cell's text stands: in format 4 and in text of 2 and 3, in code of 2 and 3, and in format 1."""

_NOTES_OF_A_KIND = 5


@dataclass(frozen=True, slots=True)
class Cells:
    """A notebook's cells in order, and what its author should know about how they were read."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mended:
    kind: str
    text: str
    lost: bool
    """There was a text, and it is none that can be read."""


def read_cells(data: bytes, caps: Caps) -> Cells:
    """The cells of a notebook of any format.

    Raises:
        UnreadableError: it is no notebook, or there is too much in it.
    """
    notebook = _parsed(data, caps)
    held, in_sheets = _cells_of(notebook)
    if not held:
        raise UnreadableError("there are no cells in it")
    if len(held) > caps.notebook_cells:
        raise UnreadableError(
            f"it has more than {caps.notebook_cells} cells: hand in the exercises' cells only"
        )
    major, notes = _format_of(notebook, held, in_sheets)
    notes += _other_language(notebook)
    mended = [_mended(cell) for cell in held]
    lost = [str(number) for number, cell in enumerate(mended, start=1) if cell.lost]
    notes += [f"cell {number} has no text that can be read" for number in lost[:_NOTES_OF_A_KIND]]
    try:
        cells = _upgraded(_laid_out(mended, major))
    except _Refused as refused:
        # Nobody loses marks for that: the kinds and texts of the cells are known.
        notes.append(f"it is no valid notebook ({refused}): its cells are read all the same")
        cells = [Cell(number, cell.kind == "code", cell.text) for number, cell in enumerate(mended, start=1)]
    return Cells(tuple(cells), tuple(notes))


def _parsed(data: bytes, caps: Caps) -> dict[str, Any]:
    if len(data) > caps.notebook_bytes:
        raise too_large(caps.notebook_bytes)
    if sum(map(data.count, (b"[", b"{", b","))) > caps.notebook_values:
        raise UnreadableError(
            f"there is too much in it, though it is below {in_words(caps.notebook_bytes)}: clear its outputs"
        )
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableError("it is empty: save it in Jupyter, and hand it in again")
    try:
        # As Jupyter does: of a key that is there twice the last one counts, and NaN is a number.
        notebook = json.loads(data)
    except UnicodeDecodeError:
        raise UnreadableError(f"it is not saved as UTF-8: {_AGAIN}") from None
    except (ValueError, RecursionError):
        raise UnreadableError(_why_no_json(data)) from None
    if not isinstance(notebook, dict):
        raise UnreadableError("there are no cells in it")
    return notebook


def _why_no_json(data: bytes) -> str:
    if b"<<<<<<< " in data and b">>>>>>> " in data:
        return "git left its conflict marks (<<<<<<<) in it: settle them, and hand it in again"
    if data.lstrip()[:1] == b"<":
        return "it is a web page, not a notebook: download the file itself"
    return f"it is not a notebook: {_AGAIN}"


def _cells_of(notebook: Mapping[str, Any]) -> tuple[list[object], bool]:
    """What stands where cells do, and whether that is in worksheets, as up to format 3."""
    cells = notebook.get("cells")
    if isinstance(cells, list) and cells:
        return cells, False
    found: list[object] = []
    sheets = notebook.get("worksheets")
    for sheet in sheets if isinstance(sheets, list) else ():
        held = sheet.get("cells") if isinstance(sheet, dict) else None
        found.extend(held if isinstance(held, list) else ())
    return found, True


def _format_of(notebook: Mapping[str, Any], held: Sequence[object], in_sheets: bool) -> tuple[int, list[str]]:
    """The format's number: where what it says of itself cannot be, the one that it looks like."""
    said = notebook.get("nbformat")
    if isinstance(said, int | float) and not isinstance(said, bool) and said > _NEWEST:
        shown = for_name(str(said), limit=20)
        return _NEWEST, [f"it is of format {shown}, which is read as if it were {_NEWEST}"]
    if in_sheets:
        return (2 if said == 2 else 3), []
    if said in (1, None) and not any(isinstance(cell, dict) and "source" in cell for cell in held):
        return 1, []
    return _NEWEST, []


def _other_language(notebook: Mapping[str, Any]) -> list[str]:
    metadata = notebook.get("metadata")
    info = metadata.get("language_info") if isinstance(metadata, dict) else None
    name = info.get("name") if isinstance(info, dict) else None
    if not isinstance(name, str) or "python" in name.lower():
        return []
    return [f"it says that it is written in {for_name(name, limit=20)}: only Python is read"]


def _mended(cell: object) -> _Mended:
    if not isinstance(cell, dict):
        return _Mended("raw", "", lost=cell is not None)
    said = cell.get("cell_type")
    kind = said.strip().lower() if isinstance(said, str) else ""
    if kind not in _KINDS:
        kind = "code" if _ONLY_CODE_HAS & cell.keys() else "raw"
    held = next((cell[key] for key in _TEXT_KEYS if cell.get(key) is not None), "")
    if isinstance(held, list):
        held = "".join(part for part in held if isinstance(part, str))
    if not isinstance(held, str):
        return _Mended(kind, "", lost=True)
    # JSON can hold half a surrogate pair, which no Python source can.
    text = held.encode("utf-8", "replace").decode("utf-8")
    return _Mended(kind, with_plain_line_ends(text.removeprefix("\ufeff")), lost=False)


def _laid_out(mended: Sequence[_Mended], major: int) -> dict[str, Any]:
    """A notebook of that format with nothing in it but the cells' kinds and texts."""
    if major == 1:
        return {"nbformat": 1, "cells": [_cell_of_format_1(cell) for cell in mended]}
    if major < _NEWEST:
        sheet = {"metadata": {}, "cells": [_cell_of_format_3(cell) for cell in mended]}
        return {"nbformat": major, "nbformat_minor": 0, "metadata": {}, "worksheets": [sheet]}
    cells = [_cell_of_format_4(number, cell) for number, cell in enumerate(mended, start=1)]
    return {"nbformat": _NEWEST, "nbformat_minor": 5, "metadata": {}, "cells": cells}


def _cell_of_format_1(cell: _Mended) -> dict[str, Any]:
    if cell.kind == "code":
        return {"cell_type": "code", "code": cell.text}
    return {"cell_type": "text", "text": cell.text}


def _cell_of_format_3(cell: _Mended) -> dict[str, Any]:
    """Of format 2, too, which differs in what is left out here."""
    if cell.kind == "code":
        return {
            "cell_type": "code",
            "language": "python",
            "metadata": {},
            "input": cell.text,
            "outputs": [],
        }
    kind = cell.kind if cell.kind in ("raw", "html") else "markdown"
    return {"cell_type": kind, "metadata": {}, "source": cell.text}


def _cell_of_format_4(number: int, cell: _Mended) -> dict[str, Any]:
    if cell.kind == "code":
        rest: dict[str, Any] = {"cell_type": "code", "outputs": [], "execution_count": None}
    else:
        rest = {"cell_type": "raw" if cell.kind == "raw" else "markdown"}
    return {**rest, "id": f"cell-{number}", "metadata": {}, "source": cell.text}


class _Refused(Exception):
    """What `nbformat` has against a notebook, on one line."""


def _upgraded(notebook: dict[str, Any]) -> list[Cell]:
    """The cells of the notebook in the newest format."""
    import nbformat  # takes a tenth of a second, which only those spend who hand in a notebook

    try:
        node = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]  # it has types for some only
        upgraded = nbformat.convert(node, _NEWEST)  # type: ignore[no-untyped-call]  # as above
        nbformat.validate(upgraded)
    except (nbformat.ValidationError, ValueError, LookupError, TypeError, AttributeError) as error:
        # Its converters raise whatever comes of a notebook that is not as they expect.
        message = getattr(error, "message", "") or str(error) or type(error).__name__
        raise _Refused(for_name(str(message))) from None
    return [
        Cell(number, cell["cell_type"] == "code", cell["source"])
        for number, cell in enumerate(upgraded["cells"], start=1)
    ]
