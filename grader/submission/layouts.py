"""The names under which learning platforms lay down what students handed in.

Canvas: `<name>[_LATE]_<user id>_<attachment id>_<file name>`, the name in lower case and without spaces; where
grading is anonymous, `[LATE_]anon_<id>_<attachment id>_<file name>`; text that was typed in ends in `_text.html`,
an address in `_link.html`. Moodle: `<name>_<participant>_assignsubmission_<kind>_`, a folder, or the beginning of
a file's name; since it numbers participants for each assignment anew, the number says who it is in that
assignment alone. Gradescope: see gradescope_metadata.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from grader.submission.class_entry import Entry
from grader.submission.gradescope_metadata import METADATA, Record, read_metadata
from grader.submission.identity import Identity
from grader.submission.shown import for_name
from grader.submission.student_ids import as_id, as_text

__all__ = ["METADATA", "PATTERNS", "Found", "Item", "LeftOut", "canvas", "gradescope", "moodle", "plain"]

_CANVAS: Final = re.compile(
    r"(?:(?P<early>LATE)_)?(?:anon_(?P<anonymous>[^\W_]+)|(?P<name>\w*?)_(?:(?P<late>LATE)_)?(?P<user>\d+))_"
    r"(?:(?P<attachment>\d+)_(?P<file>.+)|(?P<typed>text|link)\.html)",
    re.DOTALL,
)
_MOODLE: Final = re.compile(
    r"(?P<name>.*?)_(?P<number>\d+)_assignsubmission_(?P<kind>[a-z0-9]+)(?:_(?P<file>.*))?", re.DOTALL
)
_PARTICIPANT: Final = re.compile(r"_\d+(?=_assignsubmission_)")
_GRADESCOPE: Final = re.compile(r"submission_(?P<number>\d+)", re.DOTALL)

PATTERNS: Final[Mapping[Literal["gradescope", "canvas", "moodle"], re.Pattern[str]]] = {
    "gradescope": re.compile(f"{_GRADESCOPE.pattern}\\Z", re.DOTALL),
    "canvas": re.compile(f"{_CANVAS.pattern}\\Z", re.DOTALL),
    "moodle": re.compile(f"{_MOODLE.pattern}\\Z", re.DOTALL),
}

_UNNAMED: Final = frozenset(
    {"participant", "teilnehmer", "teilnehmerin", "teilnehmer in", "参与人", "參與人"}
)
"""What Moodle puts for a name where grading is blind."""

_SECOND_UPLOAD: Final = re.compile(r"-\d{1,2}(?=\.py\Z)")
"""Canvas lets no two files of a student have one name, so what is handed in again becomes `softmax-1.py`."""

_SUBMISSION: Final = re.compile(r"\.(?:zip|py(?:\.txt)?|ipynb(?:\.txt|\.json)?)\Z", re.IGNORECASE)
"""Browsers put an ending behind what they were shown as text."""


@dataclass(frozen=True, slots=True)
class Item:
    """A folder or an ordinary file on top of a class's folder."""

    name: str
    path: Path
    is_folder: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was not taken as a submission, or as a part of one, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{for_name(self.name)}: {self.why}: left out"


@dataclass(slots=True)
class Found:
    """What a layout makes of a folder."""

    entries: list[Entry] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, item: Item | str, why: str) -> None:
        """Pass over it, and say so."""
        self.left_out.append(LeftOut(as_text(item if isinstance(item, str) else item.name), why))


def plain(items: list[Item]) -> Found:
    """A folder, a zip, a notebook or a Python file for each student, named after her."""
    found = Found()
    for item in items:
        stem = item.name if item.is_folder else _SUBMISSION.sub("", item.name)
        if not item.is_folder and stem == item.name:
            found.leave_out(item, "is no folder, zip, notebook or Python file")
            continue
        student = as_id(stem)
        name = "" if student == stem else as_text(stem)
        found.entries.append(Entry(Identity(student, name), item.path))
    return found


def gradescope(items: list[Item]) -> Found:
    """A folder for each submission; who handed it in stands in the metadata."""
    found = Found()
    by_name = {item.name: item for item in items}
    metadata = by_name.pop(METADATA, None)
    records: dict[str, Record] = {}
    if metadata is None:
        found.notes.append(f"there is no {METADATA}: students are called by the numbers of their submissions")
    else:
        records = read_metadata(metadata.path)
    for name, record in records.items():
        item = by_name.pop(name, None)
        if item is None:
            who = ", ".join(person.name or person.sid for person in record.submitters)
            found.leave_out(
                name, f"is in the metadata{f' ({who})' if who else ''}, and there is no such folder"
            )
            continue
        found.entries.extend(_of_record(item, record))
    for item in by_name.values():
        if not PATTERNS["gradescope"].match(item.name):
            found.leave_out(item, "is no submission that the metadata names")
            continue
        number = item.name.removeprefix("submission_")
        notes = ("nobody is named for it in the metadata",) if metadata is not None else ()
        identity = Identity(item.name, numbers=(("gradescope_submission", number),))
        found.entries.append(Entry(identity, item.path, notes=notes))
    return found


def _of_record(item: Item, record: Record) -> list[Entry]:
    """An entry for each of those who handed it in together."""
    number = Path(item.name).stem.removeprefix("submission_")
    entries = []
    for person in record.submitters:
        others = [other.name or other.sid for other in record.submitters if other is not person]
        together = (f"handed in together with {for_name(', '.join(others))}",) if others else ()
        numbers = [("gradescope_submission", number), *([("sid", person.sid)] if person.sid else [])]
        student = as_id(person.sid or person.email or person.name or item.name)
        identity = Identity(student, person.name, person.email, tuple(numbers))
        entries.append(Entry(identity, item.path, record.created_at, notes=together))
    if not entries:
        note = "nobody is named for it in the metadata"
        entries.append(
            Entry(
                Identity(as_id(item.name), numbers=(("gradescope_submission", number),)),
                item.path,
                record.created_at,
                notes=(note,),
            )
        )
    return entries


@dataclass(slots=True)
class _OnCanvas:
    """The files of one student, by the names under which she handed them in."""

    student: Identity
    files: dict[str, tuple[int, Item]] = field(default_factory=dict)
    late: bool = False


def canvas(items: list[Item]) -> Found:
    """All files of all students in one folder."""
    found = Found()
    students: dict[str, _OnCanvas] = {}
    for item in items:
        match = PATTERNS["canvas"].match(item.name)
        if match is None or item.is_folder:
            found.leave_out(item, "is not named as Canvas names what students hand in")
            continue
        user = match["user"] or match["anonymous"]
        if match["typed"]:
            what = "text typed into Canvas" if match["typed"] == "text" else "an address, not a file"
            found.leave_out(item, f"is {what}")
            continue
        kind = "canvas_user" if match["user"] else "canvas_anonymous"
        identity = Identity(user, match["name"] or "", numbers=((kind, user),))
        theirs = students.setdefault(user, _OnCanvas(identity))
        theirs.late |= bool(match["late"] or match["early"])
        name = _SECOND_UPLOAD.sub("", match["file"])
        attachment = int(match["attachment"][:18])
        before = theirs.files.get(name)
        if before is None or before[0] < attachment:
            theirs.files[name] = (attachment, item)
        if before is not None:
            earlier = min(before, (attachment, item), key=lambda file: file[0])[1]
            found.leave_out(earlier, f"is an earlier upload of {for_name(as_text(name))}")
    for theirs in students.values():
        files = {name: item.path for name, (_, item) in theirs.files.items()}
        late = ("Canvas calls it late, and does not say by how much",) if theirs.late else ()
        found.entries.append(Entry(theirs.student, files, late=theirs.late, notes=late))
    return found


def moodle(items: list[Item]) -> Found:
    """A folder for each student, or files named after students."""
    found = Found()
    students: dict[str, Identity] = {}
    folders: dict[str, Item] = {}
    files: dict[str, dict[str, Path]] = {}
    for item in items:
        match = PATTERNS["moodle"].match(item.name)
        if match is None:
            found.leave_out(item, "is not named as Moodle names what students hand in")
            continue
        if len(_PARTICIPANT.findall(item.name)) > 1:
            # Who may choose her name, or a file's, could write another's number into it.
            found.leave_out(item, "names more than one participant: see whose it is, and rename it")
            continue
        if match["kind"] != "file":
            what = (
                "text typed into Moodle" if match["kind"] == "onlinetext" else f"of the kind {match['kind']}"
            )
            found.leave_out(item, f"is {what}, not a file")
            continue
        number = match["number"]
        name = as_text(match["name"])
        name = "" if name.casefold().replace("_", " ").strip() in _UNNAMED else name
        students.setdefault(number, Identity(number, name, numbers=(("moodle_participant", number),)))
        if not item.is_folder:
            files.setdefault(number, {})[match["file"] or item.name] = item.path
        elif number in folders:
            found.leave_out(item, f"is another folder of participant {number}")
        else:
            folders[number] = item
    for number, student in students.items():
        folder = folders.get(number)
        loose = files.get(number, {})
        if folder is None:
            found.entries.append(Entry(student, loose))
            continue
        found.entries.append(Entry(student, folder.path))
        for path in loose.values():
            found.leave_out(path.name, f"lies beside a folder of participant {number}, which counts")
    return found
