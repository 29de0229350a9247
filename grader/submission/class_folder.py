"""A class's folder: who handed in what, from a folder for each student, or from what a learning platform gives.

    plain        one folder, zip, notebook or Python file for each student, named after her
    gradescope   submission_123/ for each submission, and submission_metadata.yml
    canvas       all files in one folder: doejane_LATE_1234_567890_softmax.py
    moodle       Jane Doe_4242_assignsubmission_file_/ for each student, or the files themselves so named

The layout is recognised by names; an instructor can name it. Whatever is not taken as a submission is listed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Final, Literal, get_args

from grader.errors import UsageError, did_you_mean
from grader.submission import layouts
from grader.submission.archive import looks_like_an_archive
from grader.submission.class_archive import ClassCaps, Unpacked, unpack
from grader.submission.class_entry import Entry
from grader.submission.layouts import Found, Item, LeftOut
from grader.submission.shown import for_name
from grader.submission.student_ids import as_text

__all__ = ["ClassCaps", "ClassFolder", "Entry", "Layout", "LeftOut", "open_class"]

Layout = Literal["plain", "gradescope", "canvas", "moodle"]

_CAPS: Final = ClassCaps()
_JUNK: Final = frozenset({"__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
"""What operating systems leave in folders: nobody misses it."""

_READERS: Final[Mapping[Layout, Callable[[list[Item]], Found]]] = {
    "plain": layouts.plain,
    "gradescope": layouts.gradescope,
    "canvas": layouts.canvas,
    "moodle": layouts.moodle,
}


@dataclass(frozen=True, slots=True)
class ClassFolder:
    """What a class handed in.

    `entries` stand in the order of the students' ids; several of one student in the order of time, where that is
    known. `why` says by what the layout was recognised. `notes` are all that an instructor should see, a line
    each: what was left out is among them.
    """

    layout: Layout
    why: str
    entries: tuple[Entry, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def open_class(
    path: Path, layout: str | None = None, *, exercises: Collection[str] = (), caps: ClassCaps = _CAPS
) -> ClassFolder:
    """Find out who handed in what. Nothing of it is read yet.

    Args:
        path: the folder, or a zip of it, which is unpacked for as long as an entry of it lives.
        layout: what it is, where it shall not be guessed.
        exercises: ids of the course's exercises: a folder that holds nothing but them is one student's, and said
            to be so.
        caps: how much of it is read at most.

    Raises:
        UsageError: there is nothing there, its layout is not clear, or nobody handed in.
        SubmissionError: it is a zip that cannot be unpacked.
    """
    named = _layout_called(layout)
    left_out: list[LeftOut] = []
    keep: Unpacked | None = None
    root = path
    if not path.exists():
        raise UsageError(f"{path}: there is no such folder: name the folder with the class's submissions")
    if not path.is_dir():
        _refuse_what_is_no_archive(path)
        keep = Unpacked()
        root = keep.path
        left_out += [LeftOut(as_text(name), why) for name, why in unpack(path, root, caps)]
    items, junk = _items(root, caps)
    found_layout, why, items = _recognised(items, named, path.stem if keep else "", caps)
    if found_layout == "plain":
        _refuse_one_students_folder(path, items, exercises)
    found = _READERS[found_layout](items)
    left_out += [*junk, *found.left_out]
    entries, notes = _in_order(found.entries)
    if not entries:
        seen = f": {left_out[0]}" if left_out else ""
        raise UsageError(
            f"{path}: nobody handed in anything here (read as {found_layout}, because {why}){seen}: name the folder "
            "with the class's submissions"
        )
    return ClassFolder(
        found_layout,
        why,
        tuple(replace(entry, keep=keep) for entry in entries),
        tuple(left_out),
        (
            *([] if found_layout == "plain" else [f"read as {found_layout}'s, because {why}"]),
            *_perhaps_a_wrapper(found_layout, items),
            *found.notes,
            *notes,
            *map(str, left_out),
        ),
    )


def _layout_called(name: str | None) -> Layout | None:
    known: tuple[Layout, ...] = get_args(Layout)
    if name is None:
        return None
    for layout in known:
        if layout == name:
            return layout
    raise UsageError(f"there is no layout called {name!r}: {did_you_mean(name, known)}")


def _refuse_what_is_no_archive(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise UsageError(f"{path}: cannot be opened: {error.strerror}") from None
    if not looks_like_an_archive(head):
        raise UsageError(
            f"{path}: is neither a folder nor a zip: name the folder with the class's submissions"
        )


def _items(root: Path, caps: ClassCaps) -> tuple[list[Item], list[LeftOut]]:
    """What lies in a folder, and what of it is not even looked at."""
    items: list[Item] = []
    left_out: list[LeftOut] = []
    try:
        with os.scandir(root) as listing:
            for entry in listing:
                name = as_text(entry.name)
                if entry.name in _JUNK or entry.name.startswith("._"):
                    continue
                if entry.name.startswith("."):
                    left_out.append(LeftOut(name, "is hidden"))
                elif entry.is_symlink():
                    left_out.append(LeftOut(name, "is a link"))
                elif entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False):
                    is_folder = entry.is_dir(follow_symlinks=False)
                    items.append(Item(entry.name, Path(entry.path), is_folder))
                else:
                    left_out.append(LeftOut(name, "is no ordinary file"))
                if len(items) + len(left_out) > caps.students:
                    raise UsageError(
                        f"{root}: there are more than {caps.students} names in it: is it a class's?"
                    )
    except OSError as error:
        raise UsageError(f"{root}: cannot be opened: {error.strerror}") from None
    return sorted(items, key=lambda item: item.name), left_out


def _recognised(
    items: list[Item], named: Layout | None, zip_stem: str, caps: ClassCaps
) -> tuple[Layout, str, list[Item]]:
    """The layout, why, and what lies in the folder that has it: it may be wrapped in another one."""
    why = "it was named"
    inner: list[Item] = []
    if len(items) == 1 and items[0].is_folder:
        inner, _ = _items(items[0].path, caps)
    for each in (items, inner):
        seen = _signs(each)
        if named is not None and named in seen:
            return named, why, each
        if named is None and len(seen) > 1:
            both = " and ".join(seen)
            raise UsageError(f"the folder looks like {both}: say with --layout which it is")
        if named is None and seen:
            (layout,) = seen
            return layout, seen[layout], each
    is_wrapped = bool(inner) and items[0].name == zip_stem
    if named is not None:
        # A folder around all the others is the archive's, not a student's.
        return named, why, inner if inner and (named != "plain" or is_wrapped) else items
    return "plain", "no learning platform names its files so", inner if is_wrapped else items


def _signs(items: list[Item]) -> dict[Layout, str]:
    """The platforms whose names these are, and what tells it. A stray file or two does not change it."""
    seen: dict[Layout, str] = {}
    if any(item.name == layouts.METADATA for item in items):
        seen["gradescope"] = f"there is a {layouts.METADATA}"
    for layout, pattern in layouts.PATTERNS.items():
        hits = [item for item in items if pattern.match(item.name) and _is_its_kind(layout, item)]
        if hits and 2 * len(hits) >= len(items) and layout not in seen:
            seen[layout] = f"{len(hits)} of {len(items)} names are like {for_name(as_text(hits[0].name))}"
    return seen


def _is_its_kind(layout: Layout, item: Item) -> bool:
    return layout == "moodle" or item.is_folder == (layout == "gradescope")


def _refuse_one_students_folder(path: Path, items: list[Item], exercises: Collection[str]) -> None:
    known = {f"{exercise}.py" for exercise in exercises}
    if items and known and all(item.name in known for item in items):
        raise UsageError(
            f"{path}: holds exercises, so it is one student's: grade it with `grade submit`, or name the folder above"
        )


def _perhaps_a_wrapper(layout: Layout, items: list[Item]) -> list[str]:
    """What to say of a class of one, whose folder may be the class's own."""
    if layout != "plain" or len(items) != 1 or not items[0].is_folder:
        return []
    name = for_name(as_text(items[0].name))
    return [f"{name} is taken for the only student: if it holds the class, name that folder instead"]


def _in_order(entries: list[Entry]) -> tuple[list[Entry], list[str]]:
    """The entries by student and time, and what to say where the time of several is not known."""
    beginning = datetime.min.replace(tzinfo=UTC)
    ordered = sorted(entries, key=lambda entry: (entry.student.id, entry.submitted or beginning))
    notes = []
    for student, group in groupby(ordered, key=lambda entry: entry.student.id):
        times = [entry.submitted for entry in group]
        if len(times) > 1 and None in times:
            notes.append(
                f"{for_name(student)}: handed in {len(times)} times, and it is not known which came last: they are "
                "taken in the order of their names"
            )
    return ordered, notes
