"""A class's zip, unpacked: what a learning platform lets an instructor download.

A student's own zip is never unpacked on disk. This one is the instructor's, and holds students' files whole; so
their names are still not trusted: nothing is written outside the folder, and no link is made.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import weakref
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from grader.errors import SubmissionError, UsageError
from grader.submission.contents import in_words
from grader.submission.shown import for_name

__all__ = ["ClassCaps", "Unpacked", "unpack"]

_NAME_IS_UTF8: Final = 0x0800
_ENCRYPTED: Final = 0x41
_UNIX: Final = 3
_CHUNK: Final = 1 << 20
_JUNK: Final = frozenset({"__MACOSX", ".DS_Store"})


@dataclass(frozen=True, slots=True)
class ClassCaps:
    """Bounds of a class. Sizes are bytes, counted while unpacking."""

    students: int = 20_000
    """Names in the class's folder."""
    entries: int = 500_000
    """Names in the class's zip."""
    file_bytes: int = 64 << 20
    total_bytes: int = 8 << 30


class Unpacked:
    """A folder to unpack to, which goes when nothing holds this object any more, or at the end."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="torchgrade-class-"))
        weakref.finalize(self, _remove, self.path, os.getpid())


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a process that was forked off holds the object as well, and ends earlier
        shutil.rmtree(path, ignore_errors=True)


def unpack(archive: Path, into: Path, caps: ClassCaps) -> list[tuple[str, str]]:
    """Unpack the archive into a folder that is there and empty.

    Returns:
        The names of entries that were left out, and why.

    Raises:
        SubmissionError: it is no zip, is locked, or holds too much.
    """
    shown = for_name(archive.name)
    left_out: list[tuple[str, str]] = []
    total = 0
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if len(entries) > caps.entries:
                raise SubmissionError(f"{shown}: there are more than {caps.entries} files in it")
            for entry in entries:
                name = _name(entry)
                path = _inside(name)
                if name.endswith(("/", "\\")) or (path and _JUNK.intersection(path.parts)):
                    continue
                if entry.flag_bits & _ENCRYPTED:
                    raise SubmissionError(
                        f"{shown}: is locked with a password: unpack it, and name the folder"
                    )
                why = "leads out of the archive" if path is None else _refused(entry)
                if path is None or why:
                    left_out.append((name, why))
                    continue
                written, why = _write(
                    opened, entry, into / path, min(caps.file_bytes, caps.total_bytes - total)
                )
                total += written
                if total >= caps.total_bytes:
                    raise SubmissionError(f"{shown}: unpacks to more than {in_words(caps.total_bytes)}")
                if why:
                    left_out.append((name, why))
    except (SubmissionError, MemoryError):
        raise
    except OSError as error:
        raise UsageError(f"{shown}: cannot be unpacked: {error.strerror or error}") from None
    except Exception:
        # On an archive that was damaged, or made to hurt, zipfile raises a dozen kinds of errors.
        raise SubmissionError(f"{shown}: is not a zip file, or a damaged one: download it again") from None
    return left_out


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's name. Some programs write UTF-8 and do not say so."""
    if entry.flag_bits & _NAME_IS_UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _inside(name: str) -> PurePosixPath | None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or not path.parts or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        return None
    return path


def _refused(entry: zipfile.ZipInfo) -> str:
    mode = stat.S_IFMT(entry.external_attr >> 16)
    if entry.create_system == _UNIX and mode not in (0, stat.S_IFREG):
        return "is a link, or no ordinary file"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in an unusual way"
    return "leads out of the archive" if "\0" in entry.orig_filename else ""


def _write(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, limit: int) -> tuple[int, str]:
    """How many bytes were written, and why the file was left out after all."""
    written = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as source, path.open("xb") as target:
            while chunk := source.read(_CHUNK):
                written += len(chunk)
                if written > limit:
                    break
                target.write(chunk)
    except FileExistsError:
        return 0, "is in the archive twice: the first one counts"
    except (OSError, ValueError) as error:
        return 0, f"cannot be unpacked ({getattr(error, 'strerror', None) or error})"
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError):
        path.unlink(missing_ok=True)
        return 0, "is damaged in the archive"
    if written > limit:
        path.unlink()
        return written, f"is larger than {in_words(limit)}"
    return written, ""
