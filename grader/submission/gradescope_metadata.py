"""Who handed in what on Gradescope: the `submission_metadata.yml` of its export.

    submission_123456789:
      :submitters:
      - :name: Jane Doe
        :sid: '3031234567'
        :email: jane@example.edu
      :created_at: 2025-01-31 07:13:47.644186000 Z
      :score: 12.0

Everything is read as text: a student's number may begin with a nought, and nothing in the file makes an object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from grader.errors import UsageError
from grader.submission.contents import UnreadableError
from grader.submission.folder import read_ordinary_file

__all__ = ["METADATA", "Person", "Record", "read_metadata"]

METADATA: Final = "submission_metadata.yml"

_MOST_BYTES: Final = 256 << 20
_NOTHING: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TIME: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ]+(\d{2}:\d{2}:\d{2})(?:\.(\d{1,6})\d*)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?\Z"
)


@dataclass(frozen=True, slots=True)
class Person:
    """One of those who handed in; what is not said is empty."""

    name: str = ""
    sid: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A submission: whose it is, several people's if they worked together, and when it came."""

    submitters: tuple[Person, ...] = ()
    created_at: datetime | None = None


def read_metadata(path: Path) -> dict[str, Record]:
    """The records by the names of their folders.

    Raises:
        UsageError: the file cannot be read.
    """
    import yaml

    try:
        # With libyaml it takes a tenth of the time; what comes of it is the same.
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        read: Any = yaml.load(read_ordinary_file(path, _MOST_BYTES), Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise UsageError(f"{path}: is no YAML: download the submissions from Gradescope again") from None
    except UnreadableError as fault:
        raise UsageError(f"{path}: {fault}: download the submissions from Gradescope again") from None
    if not isinstance(read, dict):
        raise UsageError(f"{path}: names no submissions: download them from Gradescope again")
    return {str(name): _record(said) for name, said in read.items() if isinstance(said, dict)}


def _record(said: dict[Any, Any]) -> Record:
    people = _get(said, "submitters")
    submitters = tuple(
        Person(_text(person, "name"), _text(person, "sid"), _text(person, "email"))
        for person in (people if isinstance(people, list) else [])
        if isinstance(person, dict)
    )
    return Record(
        tuple(person for person in submitters if person != Person()), _time(_text(said, "created_at"))
    )


def _get(said: dict[Any, Any], key: str) -> Any:
    """Gradescope is written in Ruby, whose symbols have a colon before them in YAML."""
    return said.get(f":{key}", said.get(key))


def _text(said: dict[Any, Any], key: str) -> str:
    value = _get(said, key)
    return "" if not isinstance(value, str) or value in _NOTHING else " ".join(value.split())


def _time(text: str) -> datetime | None:
    match = _TIME.match(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day} {clock}.{(fraction or '').ljust(6, '0')}")
        offset = UTC if zone in (None, "Z", "UTC") else datetime.strptime(zone, "%z").tzinfo
    except ValueError:
        return None
    return moment.replace(tzinfo=offset)
