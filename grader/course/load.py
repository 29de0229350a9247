"""Finding and reading a course: what it holds is checked at once, its texts are read when asked for."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar

from pydantic import ValidationError

from grader.course.model import (
    CourseFile,
    ExerciseFile,
    Language,
    Limits,
    TopicEntry,
    Translated,
)
from grader.course.stub import cut_stub, declarations, public_names
from grader.course.toml_table import course_error, read_toml
from grader.course.wrong_answers import WrongAnswer, read_wrong_answers
from grader.errors import CourseError, UsageError, did_you_mean

__all__ = ["Course", "Exercise", "Topic", "find_course", "load_course", "load_exercise"]

COURSE_FILE = "course.toml"
EXERCISE_FILE = "exercise.toml"
SOLUTIONS = "solutions"
STUBS = "exercises"


@dataclass(frozen=True)
class Exercise:
    """One stub to fill in, and all that the instructor keeps about it.

    `folder` is the instructor's side; `shown_as` is what errors call it. `limits` are the course's with the
    exercise's own in their place.
    """

    id: str
    topic: str
    folder: Path
    shown_as: PurePosixPath
    manifest: ExerciseFile
    limits: Limits

    @property
    def title(self) -> Translated:
        """Its name, in both languages."""
        return self.manifest.title

    @property
    def points(self) -> float:
        """What it is worth."""
        return self.manifest.points

    @property
    def requires(self) -> tuple[str, ...]:
        """The exercises that come before it."""
        return self.manifest.requires

    @property
    def forbidden(self) -> tuple[str, ...]:
        """Canonical dotted names of what may not be called."""
        return self.manifest.forbidden

    @property
    def filename(self) -> str:
        """The name of the file that a student fills in."""
        return f"{self.id}.py"

    @property
    def suite_path(self) -> Path:
        """The hidden pytest file."""
        return self.folder / f"test_{self.id}.py"

    @property
    def props_path(self) -> Path | None:
        """The helpers that both sides may use, if there are any."""
        path = self.folder / "props.py"
        return path if path.is_file() else None

    @cached_property
    def suite_source(self) -> str:
        """The hidden pytest file's text."""
        return self._read(self.suite_path.name)

    @cached_property
    def props_source(self) -> str | None:
        """The text of the helpers that both sides may use, or None."""
        return None if self.props_path is None else self._read(self.props_path.name)

    @cached_property
    def reference_source(self) -> str:
        """The right answer."""
        return self._read("reference.py")

    @cached_property
    def stub_source(self) -> str:
        """What a student gets, cut from the reference."""
        return cut_stub(self.reference_source, file=self.shown_as / "reference.py")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The functions and classes that a student is to define, in the reference's order."""
        names = public_names(self.stub_source)
        if not names:
            raise CourseError(
                "defines nothing for a student to write",
                file=self.shown_as / "reference.py",
                mend="define a function or class whose name does not begin with an underscore",
            )
        return names

    @cached_property
    def declarations(self) -> str:
        """What a student is to define: signatures and docstrings, as code."""
        return declarations(self.stub_source)

    @cached_property
    def wrong_answers(self) -> tuple[WrongAnswer, ...]:
        """The known misconceptions."""
        name = "wrong_answers.py"
        return read_wrong_answers(
            self._read(name), self.reference_source, self.names, file=self.shown_as / name
        )

    def statement(self, language: Language) -> str:
        """What there is to do and to know, in Markdown."""
        return self._read(_statement_file(language))

    def _read(self, name: str) -> str:
        try:
            # With newlines translated: a checkout on Windows has the same stub, and the same hash.
            return (self.folder / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CourseError(
                f"cannot be read ({error})", file=self.shown_as / name, mend="it must be a UTF-8 file"
            ) from None


@dataclass(frozen=True)
class Topic:
    """A chapter and its exercises, in the order to do them."""

    id: str
    title: Translated
    introduction: Translated | None
    exercises: tuple[Exercise, ...]

    @property
    def points(self) -> float:
        """What its exercises are worth together."""
        return sum(exercise.points for exercise in self.exercises)


@dataclass(frozen=True)
class Course:
    """A course: its folder, what `course.toml` says, and its topics in order."""

    root: Path
    manifest: CourseFile
    topics: tuple[Topic, ...]

    @property
    def title(self) -> Translated:
        """Its name, in both languages."""
        return self.manifest.course.title

    @property
    def hidden(self) -> tuple[str, ...]:
        """What no worker may read or even find. The course's folder itself may hold the interpreter's as well."""
        return (str(self.root / SOLUTIONS), str(self.root / COURSE_FILE))

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """All exercises, in the course's order."""
        return tuple(self._by_id.values())

    def exercise(self, exercise_id: str) -> Exercise:
        """The exercise of that id.

        Raises:
            UsageError: there is none; it names the nearest.
        """
        return _named(exercise_id, self._by_id, "exercise")

    def topic(self, topic_id: str) -> Topic:
        """The topic of that id.

        Raises:
            UsageError: there is none; it names the nearest.
        """
        return _named(topic_id, {topic.id: topic for topic in self.topics}, "topic")

    def stub_path(self, exercise: Exercise) -> Path:
        """Where the exercise's stub is checked in."""
        return self.root / STUBS / exercise.topic / exercise.filename

    @cached_property
    def _by_id(self) -> dict[str, Exercise]:
        return {exercise.id: exercise for topic in self.topics for exercise in topic.exercises}


def find_course(directory: Path | None = None) -> Path:
    """The folder of the course: the one named, else the nearest upwards from here, else the one shipped.

    Raises:
        CourseError: the folder named has no `course.toml`, or none was named and no course is to be found.
    """
    if directory is not None:
        if not (directory / COURSE_FILE).is_file():
            raise CourseError(
                "there is no such file",
                file=directory / COURSE_FILE,
                mend="name the folder that holds course.toml",
            )
        return directory.resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / COURSE_FILE).is_file():
            return folder
    package = Path(__file__).resolve().parents[1]
    for shipped in (package / "_course", package.parent):
        if (shipped / COURSE_FILE).is_file():
            return shipped
    raise CourseError(
        "no course is to be found from here", file=COURSE_FILE, mend="name its folder with --course DIR"
    )


def load_course(directory: Path | None = None) -> Course:
    """The course that `find_course` finds, checked.

    Raises:
        CourseError: the first fault: a file missing, a key unknown, a topic at odds with its folder, ...
    """
    root = find_course(directory)
    manifest = read_toml(root / COURSE_FILE, CourseFile, COURSE_FILE)
    _check_ids(manifest.topics)
    _check_folders(root, manifest.topics)
    topics = tuple(
        Topic(
            id=entry.id,
            title=entry.title,
            introduction=entry.introduction,
            exercises=tuple(
                _load_listed(root, entry.id, exercise_id, manifest.limits) for exercise_id in entry.exercises
            ),
        )
        for entry in manifest.topics
    )
    course = Course(root, manifest, topics)
    _check_requires(course.exercises)
    return course


def load_exercise(
    folder: Path, limits: Limits | None = None, *, shown_as: PurePath | None = None
) -> Exercise:
    """The exercise in a folder `<topic>/<id>`, whether a course lists it or not.

    Args:
        folder: the instructor's side of it.
        limits: the course's.
        shown_as: what errors call the folder.

    Raises:
        CourseError: a file is missing, or `exercise.toml` says what it may not.
    """
    exercise_id, topic = folder.name, folder.parent.name
    shown = PurePosixPath(shown_as or PurePosixPath(SOLUTIONS, topic, exercise_id))
    manifest = read_toml(folder / EXERCISE_FILE, ExerciseFile, shown / EXERCISE_FILE)
    _check_files(folder, exercise_id, shown)
    try:
        own = (limits or Limits()).overridden_by(manifest.limits)
    except ValidationError as error:
        raise course_error(error, shown / EXERCISE_FILE, under="limits") from None
    return Exercise(exercise_id, topic, folder, shown, manifest, own)


def _load_listed(root: Path, topic: str, exercise_id: str, limits: Limits) -> Exercise:
    return load_exercise(root / SOLUTIONS / topic / exercise_id, limits)


def _statement_file(language: Language) -> str:
    return "statement.md" if language == "en" else f"statement.{language}.md"


def _check_files(folder: Path, exercise_id: str, shown: PurePosixPath) -> None:
    mends = {
        "reference.py": "write the right answer there",
        f"test_{exercise_id}.py": "write the hidden suite there",
        "wrong_answers.py": "write the known misconceptions there",
        _statement_file("en"): "write the English statement there",
        _statement_file("zh"): "write the Chinese statement there",
    }
    for name, mend in mends.items():
        if not (folder / name).is_file():
            raise CourseError("is missing", file=shown / name, mend=mend)


def _check_ids(topics: Sequence[TopicEntry]) -> None:
    def check_once(name: str, key: str, place: str, seen: dict[str, str], mend: str) -> None:
        if keyword.iskeyword(name):
            raise CourseError(f"{name!r} is a Python keyword", file=COURSE_FILE, key=key, mend="take another")
        if name in seen:
            raise CourseError(
                f"{name!r} stands already in {seen[name]}", file=COURSE_FILE, key=key, mend=mend
            )
        seen[name] = place

    topic_ids: dict[str, str] = {}
    exercise_ids: dict[str, str] = {}
    for number, topic in enumerate(topics):
        place = f"topics[{number}]"
        check_once(topic.id, f"{place}.id", place, topic_ids, "give each topic an id of its own")
        for position, exercise_id in enumerate(topic.exercises):
            key = f"{place}.exercises[{position}]"
            mend = "an exercise's id is its own in the whole course: rename one, or take one away"
            check_once(exercise_id, key, f"the topic {topic.id!r}", exercise_ids, mend)


def _check_folders(root: Path, topics: Sequence[TopicEntry]) -> None:
    """A topic lists what lies in its folder, neither more nor less."""
    listed = {topic.id: topic.exercises for topic in topics}
    for number, topic in enumerate(topics):
        there = list(_folders(root / SOLUTIONS / topic.id))
        for position, exercise_id in enumerate(topic.exercises):
            if exercise_id not in there:
                raise CourseError(
                    f"{exercise_id!r} has no folder",
                    file=COURSE_FILE,
                    key=f"topics[{number}].exercises[{position}]",
                    mend=f"write {SOLUTIONS}/{topic.id}/{exercise_id}/, or take it off the list",
                )
    for topic_id in _folders(root / SOLUTIONS):
        for exercise_id in _folders(root / SOLUTIONS / topic_id):
            if exercise_id not in listed.get(topic_id, ()):
                raise CourseError(
                    f"the folder {SOLUTIONS}/{topic_id}/{exercise_id} is not listed",
                    file=COURSE_FILE,
                    key="topics",
                    mend=f"list {exercise_id!r} under the topic {topic_id!r}, or move the folder out",
                )


def _folders(folder: Path) -> Iterator[str]:
    """The names of the folders in it that hold something, caches and hidden ones left out."""
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.name.startswith((".", "__")) and any(entry.iterdir()):
            yield entry.name


def _check_requires(exercises: Iterable[Exercise]) -> None:
    by_id = {exercise.id: exercise for exercise in exercises}
    for exercise in by_id.values():
        for position, exercise_id in enumerate(exercise.requires):
            if exercise_id not in by_id:
                raise CourseError(
                    f"there is no exercise {exercise_id!r}",
                    file=exercise.shown_as / EXERCISE_FILE,
                    key=f"requires[{position}]",
                    mend=did_you_mean(exercise_id, list(by_id)),
                )
    try:
        TopologicalSorter({exercise.id: exercise.requires for exercise in by_id.values()}).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        raise CourseError(
            f"goes round in a circle: {' -> '.join(reversed(cycle))}",
            file=by_id[cycle[-1]].shown_as / EXERCISE_FILE,
            key="requires",
            mend="take one of them out",
        ) from None


Named = TypeVar("Named")


def _named(name: str, known: Mapping[str, Named], kind: str) -> Named:
    if name in known:
        return known[name]
    mend = did_you_mean(name, list(known), or_else=f"'grade list' shows the {kind}s there are")
    raise UsageError(f"there is no {kind} {name!r}: {mend}")
