"""What one student of a class handed in, and how to read it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from grader.course.load import Exercise
from grader.errors import SubmissionError
from grader.submission.contents import Caps, UnreadableError, is_notebook_name
from grader.submission.decoding import decode_python
from grader.submission.folder import read_ordinary_file
from grader.submission.identity import Identity
from grader.submission.intake import Submission, read_submission
from grader.submission.shown import for_name

__all__ = ["Entry"]

_CAPS: Final = Caps()
_PYTHON: Final = (".py", ".py.txt")
_DEFINED: Final = re.compile(r"^(?:def|class)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt of one student.

    `handed_in` is a folder, a zip, a notebook or a Python file; or several files by the names under which she
    handed them in, where the platform lays them down under names of its own. `submitted` is None where the layout
    does not tell. `late` is what the platform says of it, whatever the course says. `notes` are for the instructor.
    """

    student: Identity
    handed_in: Path | Mapping[str, Path]
    submitted: datetime | None = None
    late: bool = False
    notes: tuple[str, ...] = ()
    keep: object = field(default=None, compare=False, repr=False)
    """What must live as long as the entry: the folder that a class's zip was unpacked to."""

    def read(self, exercises: Sequence[Exercise]) -> Submission:
        """The answers in it; the entry's notes come before those of the reading.

        Raises:
            SubmissionError: it cannot be read, or holds nothing that the course knows.
        """
        if isinstance(self.handed_in, Path):
            read = self._read_path(self.handed_in, exercises)
        else:
            read = self._read_files(self.handed_in, exercises)
        return replace(read, notes=(*self.notes, *read.notes)) if self.notes else read

    def _read_path(self, path: Path, exercises: Sequence[Exercise]) -> Submission:
        if path.suffix.lower() == ".py" and not path.is_symlink():
            names = _exercise_files(path, exercises)
            if names:
                return self._read_files(dict.fromkeys(names, path), exercises)
        return read_submission(_the_only_zip(path), exercises)

    def _read_files(self, files: Mapping[str, Path], exercises: Sequence[Exercise]) -> Submission:
        code = [name for name in files if _is_code(name)]
        zips = [path for name, path in files.items() if name.lower().endswith(".zip")]
        if len(zips) == 1 and not code:
            return read_submission(zips[0], exercises)
        # A platform's own names mean nothing to the intake, so the files are copied under the student's.
        with tempfile.TemporaryDirectory(prefix="torchgrade-") as scratch:
            folder = Path(scratch) / self.student.id
            folder.mkdir()
            faults = [fault for name, path in files.items() if (fault := _copy(path, folder / name, name))]
            read = read_submission(folder, exercises)
        return replace(read, notes=(*faults, *read.notes)) if faults else read


def _is_code(name: str) -> bool:
    return is_notebook_name(name) or name.lower().endswith(_PYTHON)


def _copy(path: Path, to: Path, name: str) -> str:
    """Copy a file; empty, or why it could not be."""
    if not _is_code(name):
        to.touch()  # its name alone is enough for the intake to say that it is not looked at
        return ""
    try:
        to.write_bytes(read_ordinary_file(path, _CAPS.notebook_bytes))
    except UnreadableError as fault:
        return f"{for_name(name)} is ignored: {fault}"
    except OSError as error:
        return f"{for_name(name)} is ignored: it cannot be copied ({error.strerror or error})"
    return ""


def _the_only_zip(path: Path) -> Path:
    """The zip that is all there is in a folder, or the path itself."""
    if path.is_symlink() or not path.is_dir():
        return path
    try:
        inside = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return path  # the intake says why
    zips = [entry for entry in inside if entry.suffix.lower() == ".zip" and not entry.is_symlink()]
    others = [entry for entry in inside if entry.is_dir() or _is_code(entry.name)]
    return zips[0] if len(zips) == 1 and not others else path


def _exercise_files(path: Path, exercises: Sequence[Exercise]) -> list[str]:
    """The names of the exercises that a single Python file answers, where its own name says something else."""
    try:
        source = decode_python(read_ordinary_file(path, _CAPS.file_bytes))
    except (UnreadableError, SubmissionError):
        return []
    if any(exercise.filename == path.name for exercise in exercises):
        return []
    defined = set(_DEFINED.findall(source))
    return [exercise.filename for exercise in exercises if defined.intersection(exercise.names)]
