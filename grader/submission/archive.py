"""What lies in a zip archive. Nothing is unpacked on disk, and only what the course knows is unpacked at all.

Names in an archive are text that anybody can write: here they are compared with the exercises' names, and
never opened. Sizes are counted while unpacking; what the archive says of them is not asked.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath

from grader.errors import SubmissionError
from grader.submission.contents import (
    IGNORED_FOLDERS,
    Budget,
    Contents,
    File,
    UnreadableError,
    in_words,
    too_large,
)

__all__ = ["looks_like_an_archive", "read_archive"]

_ENTRY = b"PK\x01\x02"
"""What each record in an archive's directory begins with."""

_FLAGS_AT = {_ENTRY: 8, b"PK\x03\x04": 6}
"""Where the marks stand in the two headers of an entry."""

_ENCRYPTED = 0x41
_NAME_IS_UTF8 = 0x0800
_UNIX = 3

_ORDINARY_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others can ask for gigabytes of memory before the first byte is out."""

_DRIVE = re.compile(r"^[A-Za-z]:")
_ENVIRONMENT = "pyvenv.cfg"
_RATIO_COUNTS_FROM = 1 << 20
_CHUNK = 1 << 18


def looks_like_an_archive(head: bytes) -> bool:
    """Whether a file that begins like this is a zip archive."""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def read_archive(data: bytes, wanted: Callable[[str], bool], budget: Budget, *, shown_as: str) -> Contents:
    """The files of the archive whose names are wanted, in the order of their paths.

    Raises:
        SubmissionError: it is no archive, holds too much, or is locked.
    """
    if data.count(_ENTRY) > budget.caps.entries:
        raise SubmissionError(
            f"{shown_as}: there are too many files in it: make a zip of the exercise files only"
        )
    with _opened(data, shown_as) as archive:
        contents = Contents()
        chosen = _choose(archive.infolist(), wanted, budget.caps.depth, contents)
        for path, entry in sorted(chosen.items()):
            if entry.flag_bits & _ENCRYPTED:
                raise SubmissionError(f"{shown_as}: is locked with a password: make a zip without one")
            budget.open_file()
            packed = min(entry.compress_size, len(data))
            contents.files.append(_read(archive, path, entry, packed, budget))
    return contents


def _opened(data: bytes, shown_as: str) -> zipfile.ZipFile:
    try:
        try:
            return zipfile.ZipFile(io.BytesIO(data))
        except UnicodeDecodeError:
            # A name that is marked as UTF-8 and is not. Read as the old code page it looks odd, which hurts
            # nobody: the names that count are ASCII.
            return zipfile.ZipFile(io.BytesIO(_without_utf8_marks(data)))
    except MemoryError:
        raise
    except Exception:
        # On an archive that was damaged, or made to hurt, zipfile raises a dozen kinds of errors.
        raise SubmissionError(
            f"{shown_as}: is not a zip file, or a damaged one: make it again, or hand in the folder itself"
        ) from None


def _without_utf8_marks(data: bytes) -> bytes:
    patched = bytearray(data)
    for signature, offset in _FLAGS_AT.items():
        at = patched.find(signature)
        while at != -1 and at + offset + 2 <= len(patched):
            patched[at + offset + 1] &= ~(_NAME_IS_UTF8 >> 8) & 0xFF
            at = patched.find(signature, at + 1)
    return bytes(patched)


def _choose(
    entries: list[zipfile.ZipInfo], wanted: Callable[[str], bool], depth: int, contents: Contents
) -> dict[PurePosixPath, zipfile.ZipInfo]:
    paths = [_path(entry.filename) for entry in entries]
    environments = {
        path.parent for path in paths if path and path.name == _ENVIRONMENT and len(path.parts) > 1
    }
    chosen: dict[PurePosixPath, zipfile.ZipInfo] = {}
    for entry, path in zip(entries, paths, strict=True):
        name = entry.filename
        if name.endswith(("/", "\\")):
            continue
        if "\0" in entry.orig_filename:
            contents.ignore(name, "has a zero byte in its name")
        elif path is None:
            contents.ignore(name, "leads out of the archive")
        elif _is_ignored(path, environments):
            continue
        elif not wanted(path.name):
            contents.ignore(str(path))
        elif not _is_ordinary(entry):
            contents.ignore(str(path), "is a link, or no ordinary file")
        elif len(path.parts) - 1 > depth:
            contents.ignore(str(path), f"lies more than {depth} folders deep")
        else:
            if path in chosen:
                contents.notes.append(f"{path} is in the archive twice: the last one counts")
            chosen[path] = entry
    return chosen


def _path(name: str) -> PurePosixPath | None:
    """The name as a path inside the archive, or None where it leads out of it."""
    # Some programs on Windows write backslashes, which no file of a course has in its name.
    name = name.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or _DRIVE.match(name) or ".." in path.parts or not path.parts:
        return None
    return path


def _is_ignored(path: PurePosixPath, environments: set[PurePosixPath]) -> bool:
    if any(part.startswith(".") or part in IGNORED_FOLDERS for part in path.parts[:-1]):
        return True
    return any(parent in environments for parent in path.parents)


def _is_ordinary(entry: zipfile.ZipInfo) -> bool:
    mode = entry.external_attr >> 16
    return entry.create_system != _UNIX or stat.S_IFMT(mode) in (0, stat.S_IFREG)


def _read(
    archive: zipfile.ZipFile, path: PurePosixPath, entry: zipfile.ZipInfo, packed: int, budget: Budget
) -> File:
    try:
        if entry.compress_type not in _ORDINARY_COMPRESSION:
            raise UnreadableError(
                "it is packed in an unusual way: make the zip with your system's own program"
            )
        data = _unpack(archive, entry, packed, budget.limit_of(path), budget)
    except UnreadableError as fault:
        return File(path, fault=str(fault))
    return File(path, data)


def _unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, packed: int, limit: int, budget: Budget
) -> bytes:
    swollen = max(_RATIO_COUNTS_FROM, budget.caps.ratio * packed)
    unpacked = bytearray()
    try:
        with archive.open(entry) as stream:
            while chunk := stream.read(min(_CHUNK, limit + 1 - len(unpacked))):
                unpacked += chunk
                budget.take(len(chunk))
                if len(unpacked) > limit:
                    raise too_large(limit)
                if len(unpacked) > swollen:
                    raise UnreadableError(
                        f"it swells to {in_words(len(unpacked))} and more out of {in_words(packed)}"
                    )
    except (SubmissionError, UnreadableError, MemoryError):
        raise
    except Exception:
        # As above: whatever zipfile and zlib raise on damaged data.
        raise UnreadableError("it is damaged in the archive: make the zip again") from None
    return bytes(unpacked)
