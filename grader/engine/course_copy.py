"""A course that travels: packed here, and a folder on another machine for as long as somebody there needs it."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

from grader.course.load import COURSE_FILE, SOLUTIONS, STUBS
from grader.engine import course_keeper
from grader.errors import UngradedError

__all__ = ["CourseCopy", "pack"]


def pack(root: Path) -> bytes:
    """A course's folder as a zip, without what is not read of it. The same course is the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [
            root / COURSE_FILE,
            *sorted((root / SOLUTIONS).rglob("*")),
            *sorted((root / STUBS).rglob("*")),
        ]:
            if path.is_file() and "__pycache__" not in path.parts:
                archive.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix()), path.read_bytes())
    return packed.getvalue()


class CourseCopy:
    """A folder with the course in it that only this user can open. It goes with this process, even a killed one.

    Raises:
        UngradedError: there is no room for it.
    """

    def __init__(self, packed: bytes) -> None:
        self._keeper = subprocess.Popen(
            # No site, no paths of the environment's: it needs the standard library alone.
            [sys.executable, "-I", "-S", course_keeper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        try:
            self._keeper.stdin.write(len(packed).to_bytes(8, "big") + packed)
            self._keeper.stdin.flush()
            self.folder = self._keeper.stdout.readline().decode().strip()
        except OSError:
            self.folder = ""
        # The process started here has handed on to another, and is done.
        self._keeper.wait()
        if not self.folder:
            self.close()
            raise UngradedError("the course cannot be unpacked: make room in the folder for temporary files")

    def close(self) -> None:
        """Have the folder deleted; returns when it is."""
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        with suppress(OSError):  # the keeper is gone
            self._keeper.stdin.close()
        self._keeper.stdout.read()
        self._keeper.stdout.close()
