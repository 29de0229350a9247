"""What lies in a folder. No link is followed, and nothing that is no ordinary file is opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionError
from grader.submission.contents import IGNORED_FOLDERS, Budget, Contents, File, UnreadableError, too_large

__all__ = ["read_folder", "read_ordinary_file"]

# A named pipe would keep us waiting for its other end; a terminal would become ours. Windows knows neither.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_ENVIRONMENT = "pyvenv.cfg"
"""What marks a virtual environment, whatever its folder is called."""

_CHUNK = 1 << 20


def read_folder(root: Path, wanted: Callable[[str], bool], budget: Budget) -> Contents:
    """The files of the folder whose names are wanted, in the order of their paths.

    Raises:
        SubmissionError: it holds too much, or cannot be opened.
    """
    contents = Contents()
    seen = 0
    waiting = [PurePosixPath()]
    while waiting:
        folder = waiting.pop()
        entries = _entries(root / folder, folder, contents, budget.caps.entries - seen)
        seen += len(entries)
        if folder.parts and any(entry.name == _ENVIRONMENT for entry in entries):
            contents.ignore(f"{folder}/")
            continue
        below: list[PurePosixPath] = []
        for entry in entries:
            path = folder / entry.name
            if entry.is_symlink():
                contents.ignore(str(path), "is a link" if wanted(entry.name) else "")
            elif entry.is_dir(follow_symlinks=False):
                if entry.name.startswith(".") or entry.name in IGNORED_FOLDERS:
                    continue
                if len(path.parts) > budget.caps.depth:
                    contents.ignore(f"{path}/", f"lies more than {budget.caps.depth} folders deep")
                else:
                    below.append(path)
            elif not wanted(entry.name):
                contents.ignore(str(path))
            elif not entry.is_file(follow_symlinks=False):
                contents.ignore(str(path), "is no ordinary file")
            else:
                budget.open_file()
                contents.files.append(_read(root, path, budget))
        waiting.extend(reversed(below))
    return contents


def read_ordinary_file(path: Path, limit: int) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadableError: it is a link, no ordinary file, larger than the limit, or not to be opened.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise UnreadableError(f"it cannot be opened ({_reason(error)})") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableError("it is no ordinary file")
        if status.st_size > limit:
            raise too_large(limit)
        chunks: list[bytes] = []
        left = limit + 1  # the file may grow under our hands
        while left > 0 and (chunk := os.read(descriptor, min(left, _CHUNK))):
            chunks.append(chunk)
            left -= len(chunk)
    except OSError as error:
        raise UnreadableError(f"it cannot be read ({_reason(error)})") from None
    finally:
        os.close(descriptor)
    if left <= 0:
        raise too_large(limit)
    return b"".join(chunks)


def _entries(path: Path, folder: PurePosixPath, contents: Contents, left: int) -> list[os.DirEntry[str]]:
    entries: list[os.DirEntry[str]] = []
    try:
        with os.scandir(path) as listing:
            for entry in listing:
                entries.append(entry)
                if len(entries) > left:
                    raise SubmissionError(
                        f"{path.name or path}: has too many files in it: hand in the exercise files only"
                    )
    except OSError as error:
        if not folder.parts:
            raise SubmissionError(f"{path}: cannot be opened: {_reason(error)}") from None
        contents.ignore(f"{folder}/", "cannot be opened")
    return sorted(entries, key=lambda entry: entry.name)


def _read(root: Path, path: PurePosixPath, budget: Budget) -> File:
    try:
        data = read_ordinary_file(root / path, budget.limit_of(path))
    except UnreadableError as fault:
        return File(path, fault=str(fault))
    budget.take(len(data))
    return File(path, data)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
