"""From what a student hands in to the answers in it.

A submission is a folder, a zip archive, a Python file, a notebook, or notebooks in a folder or an archive. It
is read and never run here, nothing of it is unpacked on disk, and no link in it is followed. Only what the
course knows counts: files named after an exercise, and notebooks. So a `conftest.py`, or a `torch.py` that
would stand before the library, is passed over like any other file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from grader.course.load import Exercise
from grader.course.stub import is_unedited
from grader.errors import SubmissionError
from grader.submission.archive import looks_like_an_archive, read_archive
from grader.submission.contents import Budget, Caps, Contents, File, UnreadableError, is_notebook_name
from grader.submission.decoding import decode_python
from grader.submission.filenames import Filenames
from grader.submission.folder import read_folder, read_ordinary_file
from grader.submission.notebooks import read_notebook
from grader.submission.shown import for_name

__all__ = ["Answer", "Submission", "read_submission"]

_CAPS = Caps()
_NAMES_SHOWN = 3
_NAMES_COMPARED = 50
_NOTES = 50
_REASONS = 2
_DEFINED = re.compile(r"^(?:def|class)[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a student handed in for an exercise.

    `exercise` is its id. `source` is the module to be run, or None where the file could not be read: then
    `unreadable` tells its author why. `origin` is where in the submission it was, to be shown.
    """

    exercise: str
    source: str | None
    origin: str
    unreadable: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """The answers in a submission, by the ids of their exercises: what is missing was not attempted.

    `notes` say how it was read, for its author, those of the answers included. `digest` is the SHA-256 of what
    will be graded, whatever it came in.
    """

    answers: Mapping[str, Answer]
    notes: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An answer, and where it lies. Of several for one exercise only one counts.

    `is_misnamed`: it lies in a file that is not quite named after the exercise.
    """

    answer: Answer
    path: PurePosixPath
    is_notebook: bool = False
    is_misnamed: bool = False


def read_submission(path: Path, exercises: Sequence[Exercise], caps: Caps = _CAPS) -> Submission:
    """The answers to these exercises in a folder, a zip archive, a Python file or a notebook.

    Raises:
        SubmissionError: it cannot be read, is larger than the caps, or holds nothing that the course knows.
    """
    known = Filenames(exercises)

    def wanted(name: str) -> bool:
        return is_notebook_name(name) or known.meant_by(name) is not None

    budget = Budget(caps)
    contents = _contents(path, wanted, budget, exercises)
    notes = list(contents.notes)
    candidates: dict[str, list[_Candidate]] = {}
    for file in contents.files:
        for candidate in _candidates(file, exercises, known, budget, notes):
            candidates.setdefault(candidate.answer.exercise, []).append(candidate)
    answers = {
        exercise.id: _choose(exercise, candidates[exercise.id], notes)
        for exercise in exercises
        if exercise.id in candidates
    }
    if not answers:
        raise _nothing_known(path, exercises, contents, notes)
    notes.extend(_about_ignored(contents.ignored, exercises))
    return Submission(MappingProxyType(answers), tuple(_at_most(notes, _NOTES)), _digest(answers))


def _contents(
    path: Path, wanted: Callable[[str], bool], budget: Budget, exercises: Sequence[Exercise]
) -> Contents:
    shown_as = for_name(path.name or str(path))
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SubmissionError(
            f"{for_name(str(path))}: {reason}: name a folder, a zip or a notebook"
        ) from None
    if stat.S_ISLNK(mode):
        raise SubmissionError(f"{shown_as}: is a link: name the folder or file that it points to")
    if stat.S_ISDIR(mode):
        return read_folder(path, wanted, budget)
    if wanted(path.name):
        name = PurePosixPath(path.name)
        data = _read_alone(path, budget.limit_of(name), shown_as)
        return Contents(files=[File(name, data)])
    if path.suffix.lower() == ".py":
        raise SubmissionError(f"{shown_as}: {_misnamed(path, budget.caps.file_bytes, shown_as, exercises)}")
    data = _read_alone(path, budget.caps.archive_bytes, shown_as)
    if path.suffix.lower() == ".zip" or looks_like_an_archive(data[:4]):
        return read_archive(data, wanted, budget, shown_as=shown_as)
    raise SubmissionError(
        f"{shown_as}: is no submission: hand in a folder, a zip, a notebook or a Python file"
    )


def _read_alone(path: Path, limit: int, shown_as: str) -> bytes:
    try:
        return read_ordinary_file(path, limit)
    except UnreadableError as fault:
        raise SubmissionError(f"{shown_as}: {fault}: hand in the exercise files only") from None


def _misnamed(path: Path, limit: int, shown_as: str, exercises: Sequence[Exercise]) -> str:
    """What to say of a Python file that is not named after an exercise."""
    try:
        defined = set(_DEFINED.findall(decode_python(_read_alone(path, limit, shown_as))))
    except UnreadableError:
        defined = set()
    named = next((exercise for exercise in exercises if defined.intersection(exercise.names)), None)
    if named is not None:
        name = next(name for name in named.names if name in defined)
        return f"is not named after an exercise: it defines {name}, so name it {named.filename}"
    return f"is not named after an exercise: name it {_example(exercises)}"


def _candidates(
    file: File, exercises: Sequence[Exercise], known: Filenames, budget: Budget, notes: list[str]
) -> list[_Candidate]:
    origin = for_name(str(file.path))
    if file.is_notebook:
        try:
            if file.fault:
                raise UnreadableError(file.fault)
            read = read_notebook(file.data, exercises, budget)
        except UnreadableError as fault:
            notes.append(f"{origin} cannot be read as a notebook: {fault}")
            return []
        notes.extend(f"{origin}: {note}" for note in read.notes)
        if not read.pieces:
            notes.append(f"{origin} defines no name that an exercise asks for")
        return [
            _Candidate(
                Answer(
                    exercise,
                    None if piece.fault else piece.source,
                    origin,
                    f"{origin}: {piece.fault}" if piece.fault else None,
                    piece.notes,
                ),
                file.path,
                is_notebook=True,
            )
            for exercise, piece in read.pieces.items()
        ]
    exercise = known.meant_by(file.path.name)
    if exercise is None:  # only what is wanted is read
        return []
    try:
        if file.fault:
            raise UnreadableError(file.fault)
        budget.take_code(len(file.data))
        answer = Answer(exercise.id, decode_python(file.data), origin)
    except UnreadableError as fault:
        answer = Answer(exercise.id, None, origin, f"{origin} cannot be read: {fault}")
    return [_Candidate(answer, file.path, is_misnamed=file.path.name != exercise.filename)]


def _choose(exercise: Exercise, candidates: Sequence[_Candidate], notes: list[str]) -> Answer:
    """The one that counts: what was written in, then what is named rightly, then the nearest to its topic."""

    def rank(candidate: _Candidate) -> tuple[bool, bool, bool, int, bool, str]:
        source = candidate.answer.source
        return (
            source is None or is_unedited(source, exercise.stub_source),
            candidate.is_misnamed,
            candidate.path.parent.name != exercise.topic,
            len(candidate.path.parts),
            candidate.is_notebook,
            str(candidate.path),
        )

    chosen, *others = sorted(candidates, key=rank) if len(candidates) > 1 else candidates
    if others:
        shown = _listed([other.answer.origin for other in others])
        notes.append(
            f"{exercise.id} is there {len(candidates)} times: {chosen.answer.origin} counts, not {shown}"
        )
    if chosen.is_misnamed:
        notes.append(f"{chosen.answer.origin} is taken for {exercise.filename}: name it so")
    notes.extend(f"{chosen.answer.origin}: {note}" for note in chosen.answer.notes)
    return chosen.answer


def _nothing_known(
    path: Path, exercises: Sequence[Exercise], contents: Contents, notes: Sequence[str]
) -> SubmissionError:
    shown_as = for_name(path.name or str(path))
    seen = [str(file.path) for file in contents.files] + contents.ignored
    if not seen:
        return SubmissionError(
            f"{shown_as}: there are no files in it: expected some such as {_example(exercises)}"
        )
    if seen == [path.name] and path.is_file() and notes:
        return SubmissionError("; ".join(notes[:_REASONS]))  # of a notebook alone
    expected = f"expected files such as {_example(exercises)}, or a notebook that defines their functions"
    reasons = [*_nearly_named(contents.ignored, exercises), *notes][:_REASONS]
    reason = f" ({'; '.join(reasons)})" if reasons else ""
    inner = next((name for name in contents.ignored if name.lower().endswith(".zip")), None)
    mend = f"; name {for_name(inner)} itself to hand in what is in it" if inner is not None else ""
    return SubmissionError(
        f"{shown_as}: there is no exercise of this course in it: {expected}; "
        f"found {_listed(seen)}{reason}{mend}"
    )


def _example(exercises: Sequence[Exercise]) -> str:
    return exercises[0].filename if exercises else "<exercise>.py"


def _about_ignored(ignored: Sequence[str], exercises: Sequence[Exercise]) -> list[str]:
    if not ignored:
        return []
    count = f"{len(ignored)} files" if len(ignored) > 1 else "1 file"
    return [
        f"{count} that the course does not know ignored: {_listed(ignored)}",
        *_nearly_named(ignored, exercises),
    ]


def _nearly_named(ignored: Sequence[str], exercises: Sequence[Exercise]) -> list[str]:
    notes: list[str] = []
    known = Filenames(exercises)
    for name in ignored[:_NAMES_COMPARED]:
        last = PurePosixPath(name).name.lower()
        if known.meant_by(last):
            continue  # a link, say: it was noted that it is one
        if last.endswith((".py", ".txt")) and not last.startswith("test_"):
            near = _nearest(last.removesuffix(".txt").removesuffix(".py"), exercises)
            if near is not None:
                notes.append(f"{for_name(name)} is ignored: did you mean {near.filename}?")
    return notes


def _nearest(stem: str, exercises: Sequence[Exercise]) -> Exercise | None:
    """The exercise that a name nearly spells, as `sofmax` does, or holds, as `my_softmax_2nd_try` does."""
    by_id = {exercise.id: exercise for exercise in exercises}
    near = get_close_matches(stem, by_id, n=1, cutoff=0.8)
    held = sorted((id_ for id_ in by_id if id_ in stem), key=len)
    found = [*near, *held[-1:]]
    return by_id[found[0]] if found else None


def _listed(names: Sequence[str]) -> str:
    shown = [for_name(name) for name in names[:_NAMES_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _at_most(notes: list[str], count: int) -> list[str]:
    return notes if len(notes) <= count else [*notes[:count], f"and {len(notes) - count} more notes"]


def _digest(answers: Mapping[str, Answer]) -> str:
    graded = sorted(
        (answer.exercise, answer.source or "", answer.source is None) for answer in answers.values()
    )
    return hashlib.sha256(json.dumps(graded).encode()).hexdigest()
