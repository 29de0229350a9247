"""Which exercise a file's name means, where it is not quite the name of one.

Browsers, mail programs and course sites rename what is handed in: a second upload becomes `softmax (1).py` or
`softmax-1.py`, Windows hides that a file is really `softmax.py.txt`, and on many a disk `Softmax.py` and
`softmax.py` are one file. None of this is worth a student's marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from grader.course.load import Exercise

__all__ = ["Filenames"]

_LONGEST: Final = 120
"""What is longer is no exercise's name, and is not compared."""

_MARK_OF_A_COPY: Final = re.compile(
    r"""[\s_-]*(?:
        \(\d{1,3}\)            # browsers: softmax (1)
      | [-_\s]\d{1,2}          # course sites: softmax-1
      | \bcopy(?:[\s_-]?\(?\d{1,2}\)?)?   # macOS and Windows: softmax copy 2, softmax - Copy (2)
      | 的?副本(?:\s?\(?\d{1,2}\)?)?
    )$""",
    re.VERBOSE,
)


class Filenames:
    """The exercises by the names of their files, and by names that mean the same."""

    def __init__(self, exercises: Sequence[Exercise]) -> None:
        self._exercises = {exercise.filename: exercise for exercise in exercises}

    def meant_by(self, name: str) -> Exercise | None:
        """The exercise that is meant by a file's name, or None where it means none.

        Only what programs do to a name is undone: its case, a mark of a copy, a hidden `.txt`, spaces or
        hyphens for underscores. `softmax_old.py` means nothing.
        """
        if name in self._exercises:
            return self._exercises[name]
        if len(name) > _LONGEST:
            return None
        stem = unicodedata.normalize("NFKC", name).strip().lower().removesuffix(".txt")
        if not stem.endswith(".py"):
            return None
        stem = stem.removesuffix(".py").strip()
        return next((found for form in _forms(stem) if (found := self._exercises.get(f"{form}.py"))), None)


def _forms(stem: str) -> Iterator[str]:
    """The stem, and what it was before programs renamed it, the nearest first."""
    while True:
        yield re.sub(r"[\s-]+", "_", stem)
        shorter = _MARK_OF_A_COPY.sub("", stem)
        if shorter == stem:
            return
        stem = shorter
