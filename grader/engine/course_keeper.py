"""A process that holds a course's folder for another, and deletes it when that one is gone.

The folder holds the solutions, on a machine that is not the instructor's. Who uses it may be killed at any moment
and could then delete nothing; so this is nobody's child, and its standard input closes when its user is no more.

Run as a file by the interpreter alone, it is ready in a few hundredths of a second: it imports nothing of grader.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import signal
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

PREFIX = "torchgrade-course-"
_MEMORY = "/dev/shm"


def main() -> None:
    """Read a length in 8 bytes and a zip of that length, print the folder, wait for the end of input."""
    # Whoever kills the children of the process that is ending shall not find this one among them.
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    length = int.from_bytes(sys.stdin.buffer.read(8), "big")
    packed = sys.stdin.buffer.read(length)
    if len(packed) < length:
        return
    for place in _places():
        sweep(place)
    for place in _places():
        with suppress(OSError):  # a memory that is full: then the disk
            hold(packed, place)
            return


def hold(packed: bytes, place: str) -> None:
    """Unpack, say where, and delete it when nobody needs it any more."""
    folder, lock = _locked_folder(place)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            archive.extractall(folder)
        print(folder, flush=True)  # noqa: T201 (who started this process reads it)
        sys.stdin.buffer.read()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(place: str) -> None:
    """Delete this user's folders whose keeper was killed as well: nobody holds their lock."""
    for folder in Path(place).glob(f"{PREFIX}*"):
        with suppress(OSError):
            # Others may write here, too: no link is followed, and nothing of theirs is touched.
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(lock).st_uid == os.geteuid():
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def _locked_folder(place: str) -> tuple[str, int]:
    while True:
        folder = tempfile.mkdtemp(prefix=PREFIX, dir=place)  # for this user only
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if Path(folder).exists():
            return folder, lock
        os.close(lock)  # swept away before it was locked


def _places() -> Iterator[str]:
    # Memory first: what is not written to a disk needs no deleting when the machine stops.
    if os.access(_MEMORY, os.R_OK | os.W_OK | os.X_OK):
        yield _MEMORY
    yield tempfile.gettempdir()


def _end(*_: object) -> NoReturn:
    sys.exit(0)  # through the `finally` above


if __name__ == "__main__":
    main()
