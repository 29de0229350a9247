"""What is read of a submission, and how much of it at most."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from grader.errors import SubmissionError
from grader.submission.shown import for_name

__all__ = [
    "IGNORED_FOLDERS",
    "Budget",
    "Caps",
    "Contents",
    "File",
    "UnreadableError",
    "in_words",
    "is_notebook_name",
    "too_large",
]

IGNORED_FOLDERS: Final = frozenset({"__MACOSX", "__pycache__", "node_modules", "site-packages"})
"""Not looked into, as are hidden ones: what lies there was not written by the student."""

_NOTEBOOK_ENDINGS: Final = (".ipynb", ".ipynb.txt", ".ipynb.json")
"""Browsers save a notebook that they were shown as text under the longer ones."""


def is_notebook_name(name: str) -> bool:
    """Whether a file is a notebook, by its name."""
    return name.lower().endswith(_NOTEBOOK_ENDINGS)


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds of one submission. Sizes are bytes, and are counted while reading, whatever a header claims."""

    entries: int = 20_000
    """Names in a folder or an archive, those that are ignored included."""
    files: int = 300
    """Exercise files and notebooks."""
    depth: int = 8
    """Folders inside each other."""
    file_bytes: int = 256 << 10
    """One Python file."""
    notebook_bytes: int = 32 << 20
    """One notebook with its outputs."""
    notebook_values: int = 4 << 20
    """Brackets and commas in one notebook: JSON of a few bytes each takes twenty times its size in memory."""
    notebook_cells: int = 10_000
    notebook_statements: int = 50_000
    """At the top of a notebook's cells: each takes a kilobyte and is looked at for each exercise."""
    code_bytes: int = 1 << 20
    """All Python together, that in the notebooks' cells included: parsing takes hundreds of times its size."""
    total_bytes: int = 128 << 20
    archive_bytes: int = 64 << 20
    ratio: int = 250
    """How many times its packed size a large file in an archive may be."""


class UnreadableError(Exception):
    """One file cannot be read; the message tells its author what to do about it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that the course knows: its bytes, or why they could not be had."""

    path: PurePosixPath
    data: bytes = b""
    fault: str = ""

    @property
    def is_notebook(self) -> bool:
        """Whether it is a notebook, by its name."""
        return is_notebook_name(self.path.name)


@dataclass(slots=True)
class Contents:
    """What a folder or an archive holds."""

    files: list[File] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def ignore(self, name: str, why: str = "") -> None:
        """Pass over a name; where somebody might ask why, say it."""
        self.ignored.append(name)
        if why:
            self.notes.append(f"{for_name(name)} {why}: it is ignored")


@dataclass(slots=True)
class Budget:
    """What may still be read of a submission."""

    caps: Caps
    files: int = 0
    total: int = 0
    code: int = 0

    def open_file(self) -> None:
        """Count a file that is about to be read."""
        self.files += 1
        if self.files > self.caps.files:
            raise SubmissionError(
                f"the submission has more than {self.caps.files} exercise files and notebooks: hand in each "
                "exercise once"
            )

    def limit_of(self, path: PurePosixPath) -> int:
        """How large the file may be."""
        return self.caps.notebook_bytes if is_notebook_name(path.name) else self.caps.file_bytes

    def take(self, size: int) -> None:
        """Count bytes that were read."""
        self.total += size
        if self.total > self.caps.total_bytes:
            raise SubmissionError(
                f"the submission is larger than {in_words(self.caps.total_bytes)}: clear the notebooks' "
                "outputs, and hand in the exercise files only"
            )

    def take_code(self, size: int) -> None:
        """Count bytes of Python."""
        self.code += size
        if self.code > self.caps.code_bytes:
            raise SubmissionError(
                f"the submission has more than {in_words(self.caps.code_bytes)} of Python: hand in the "
                "exercise files only"
            )


def too_large(limit: int) -> UnreadableError:
    """The fault of a file beyond its limit."""
    return UnreadableError(f"it is larger than {in_words(limit)}")


def in_words(size: int) -> str:
    """A size as people say it."""
    for power, unit in ((20, "MiB"), (10, "KiB")):
        if size >= 1 << power:
            return f"{size >> power} {unit}"
    return f"{size} bytes"
