"""Gradings on this machine: the same again gives the same bytes, and nothing stays behind."""

from __future__ import annotations

import gc
import importlib
import os
import random
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from grader.course.digest import suite_digest
from grader.course.load import Course, Exercise, load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.errors import IsolationError
from grader.result import ExerciseResult, Finding, GradingResult
from grader.submission.intake import Answer, Submission
from tests.tiny_course import TinyExercise, answer, write_course

TINY = {"double": TinyExercise(), "twice": TinyExercise(points=1), "again": TinyExercise(points=2.5)}


def submission(**sources: str) -> Submission:
    answers = {name: Answer(name, source, f"{name}.py") for name, source in sources.items()}
    return Submission(MappingProxyType(answers), (), "a digest")


RIGHT = {name: answer(name=name) for name in TINY}
# Answers of which each says something else wherever the machine, the order or the process shows through.
SUBMISSIONS = {
    "right": submission(**RIGHT),
    "half right": submission(
        double=answer("if x.numel() > 20: return x * 3"),
        again=answer("return x + x.detach()", name="again"),
    ),
    "chance at import": submission(
        double="import random\nimport torch\nN, M = random.random(), torch.rand(()).item()\n"
        + answer("return x * N + M"),
        twice="import random\n" + answer("return x * random.random() + torch.rand(x.shape)", name="twice"),
    ),
    "addresses and time": submission(
        double=answer("raise ValueError(f'{object()} {double}')"),
        twice=answer("print(time.time(), os.getpid(), id(x))", name="twice"),
        again=answer("return id(x) * 0 + 3 * x", name="again"),
    ),
    "broken": submission(
        double="def double(x:\n", twice=answer("if x.numel() > 20: os._exit(0)", name="twice"), again=""
    ),
    "a state of its own": submission(
        double="calls = []\n" + answer("calls.append(x)", "if len(calls) > 1: return x * len(calls)"),
        twice=answer("torch.manual_seed(len(os.listdir('/')) if False else 3)", name="twice"),
    ),
}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return write_course(tmp_path_factory.mktemp("course") / "tiny", TINY)


Graded = Mapping[str, GradingResult]


def grade_all(opened: OpenEngine, names: Sequence[str]) -> dict[str, GradingResult]:
    return {name: opened.grade(SUBMISSIONS[name], name) for name in names}


@pytest.fixture(scope="module")
def twice_in_one_engine(course: Course) -> tuple[Graded, Graded, int]:
    """All in order, and all again after that; and the level of the walls, probed once more."""

    def run(opened: OpenEngine) -> tuple[Graded, Graded, int]:
        once = grade_all(opened, list(SUBMISSIONS))
        return once, grade_all(opened, list(SUBMISSIONS)), opened.engine.forkserver.probe().level

    return LocalEngine(course, course.exercises, Setting(seed="one")).run(run)


def descendants() -> set[int]:
    """The processes below this one."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}


def open_files() -> set[str]:
    return {
        f"{fd} {os.readlink(f'/proc/self/fd/{fd}')}" for fd in os.listdir("/proc/self/fd") if _is_open(fd)
    }


def _is_open(fd: str) -> bool:
    try:
        os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return False
    return True


@dataclass(frozen=True)
class Traces:
    """What could be seen of gradings: processes, files, threads."""

    processes: int
    files: frozenset[str]
    threads: int
    collecting: bool

    @classmethod
    def now(cls) -> Traces:
        gc.collect()
        files = frozenset(open_files()) if sys.platform == "linux" else frozenset()
        processes = len(descendants()) if sys.platform == "linux" else 0
        return cls(processes, files, threading.active_count(), gc.isenabled())


@dataclass(frozen=True)
class Backwards:
    """What came of grading everything in another order, and what was seen meanwhile."""

    graded: Graded
    before: Traces
    running: Traces
    after_sixty: Traces
    after: Traces
    objects: int
    """How many more there were after sixty further gradings."""
    temporary: list[Path]


@pytest.fixture(scope="module")
def backwards(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Backwards:
    """In an engine that knows the exercises in another order, submissions from the last to the first."""
    # What this process drew before may not matter either.
    random.seed()
    folder = tmp_path_factory.mktemp("temporary")

    def run(opened: OpenEngine) -> tuple[Graded, Traces, Traces, int]:
        graded = grade_all(opened, list(SUBMISSIONS)[::-1])
        running, objects = Traces.now(), len(gc.get_objects())
        for n in range(60):
            name = list(SUBMISSIONS)[n % len(SUBMISSIONS)]
            assert opened.grade(SUBMISSIONS[name], name) == graded[name]
        after_sixty = Traces.now()
        return graded, running, after_sixty, len(gc.get_objects()) - objects

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        before = Traces.now()
        engine = LocalEngine(course, course.exercises[::-1], Setting(seed="one"))
        graded, running, after_sixty, objects = engine.run(run)
        after = Traces.now()
    return Backwards(graded, before, running, after_sixty, after, objects, list(folder.iterdir()))


@pytest.fixture(scope="module")
def other_seed(course: Course) -> Graded:
    """With other inputs, without walls, and with all suites but the last."""
    return LocalEngine(course, course.exercises[:-1], Setting(seed="two", walls=False)).run(
        lambda opened: grade_all(opened, list(SUBMISSIONS))
    )


@pytest.fixture(scope="module")
def first(twice_in_one_engine: tuple[Graded, Graded, int]) -> Graded:
    return twice_in_one_engine[0]


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_the_same_after_others_were_graded(
    twice_in_one_engine: tuple[Graded, Graded, int], name: str
) -> None:
    once, again, _ = twice_in_one_engine
    assert once[name].to_json() == again[name].to_json()


@pytest.mark.parametrize("name", SUBMISSIONS)
def test_the_same_in_another_engine_in_another_order(first: Graded, backwards: Backwards, name: str) -> None:
    assert first[name].to_json() == backwards.graded[name].to_json()


def test_sixty_gradings_leave_nothing_behind(backwards: Backwards) -> None:
    assert backwards.after_sixty == backwards.running
    # A test that failed holds its tensors in the frames of its error, until that is let go.
    assert backwards.objects < 1000


def test_an_engine_leaves_nothing_behind(backwards: Backwards) -> None:
    assert backwards.after == backwards.before
    assert backwards.running != backwards.before, "or nothing was looked at"
    assert backwards.temporary == []


def test_submissions_that_differ_do_differ(first: Graded) -> None:
    # Or the tests above would say nothing.
    messages = [
        test.message for result in first.values() for exercise in result.exercises for test in exercise.tests
    ]
    assert len(set(messages)) > 12


def messages_of(*exercises: ExerciseResult) -> list[str]:
    return [test.message for exercise in exercises for test in exercise.tests if test.message]


def test_another_seed_draws_other_inputs(first: Graded, other_seed: Graded) -> None:
    assert first["half right"].seed == "one"
    assert other_seed["half right"].seed == "two"
    ours, theirs = (messages_of(graded["half right"].exercises[0]) for graded in (first, other_seed))
    assert len(ours) == len(theirs) == 1
    assert ours != theirs


def test_another_seed_has_the_same_verdicts(first: Graded, other_seed: Graded) -> None:
    for name, result in first.items():
        ours, theirs = (
            [(exercise.verdict, exercise.score) for exercise in graded.exercises[:-1]]
            for graded in (result, other_seed[name])
        )
        assert ours == theirs


def test_the_result_of_a_right_submission(first: Graded, course: Course) -> None:
    result = first["right"]
    assert result.student == "right"
    assert (result.score, result.max_score) == (8.5, 8.5)
    assert [(topic.id, topic.score, topic.max_score) for topic in result.topics] == [("first", 8.5, 8.5)]
    assert [exercise.id for exercise in result.exercises] == list(TINY)
    assert result.device == "cpu"
    assert result.receipt.submission == "a digest"
    assert result.receipt.suite == suite_digest(course)
    assert result.exit_code == 0
    assert GradingResult.model_validate_json(result.to_json()) == result


def test_what_is_not_handed_in_is_not_attempted(first: Graded) -> None:
    result = first["half right"]
    assert [(exercise.id, exercise.verdict) for exercise in result.exercises] == [
        ("double", "partial"),
        ("twice", "not_attempted"),
        ("again", "partial"),
    ]
    assert result.score == pytest.approx(3 + 2.5 * 2 / 5)
    assert result.max_score == 8.5
    assert result.exit_code == 1


def test_chance_is_the_same_each_time_and_no_constant(first: Graded) -> None:
    double, twice, _ = first["chance at import"].exercises
    assert double.verdict == twice.verdict == "partial"
    said = messages_of(double, twice)
    assert len(set(said)) == len(said)


def test_exercises_whose_suites_are_not_open_count_as_not_handed_in(other_seed: Graded) -> None:
    result = other_seed["right"]
    assert [(exercise.id, exercise.verdict) for exercise in result.exercises] == [
        ("double", "passed"),
        ("twice", "passed"),
        ("again", "not_attempted"),
    ]
    assert (result.score, result.max_score) == (6.0, 8.5)


def test_an_answer_that_the_grader_stumbles_over_is_not_graded_and_costs_no_other(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = importlib.import_module("grader.submission.scan")
    honest = scan.scan

    def stumbling(source: str, exercise: Exercise) -> tuple[Finding, ...]:
        if exercise.id == "twice":
            raise RecursionError("tensor([0.1234])")
        return honest(source, exercise)

    monkeypatch.setattr(scan, "scan", stumbling)
    engine = LocalEngine(course, course.exercises, Setting(walls=False))
    result = engine.run(lambda opened: opened.grade(SUBMISSIONS["right"], "right"))
    assert [exercise.verdict for exercise in result.exercises] == ["passed", "ungraded", "passed"]
    assert result.exit_code == 3
    assert "RecursionError" in result.exercises[1].findings[0].message
    assert "0.1234" not in result.to_json()


# -- walls ------------------------------------------------------------------------------------------------


def test_the_result_says_how_walled_off_it_was(
    twice_in_one_engine: tuple[Graded, Graded, int], other_seed: Graded
) -> None:
    once, _, probed = twice_in_one_engine
    assert {result.isolation for result in once.values()} == {probed}
    assert {result.isolation for result in other_seed.values()} == {0}


def test_fewer_walls_than_the_course_asks_for_are_refused(tmp_path: Path) -> None:
    course = write_course(tmp_path / "strict", {"double": TinyExercise()}, minimum_isolation=3)
    graded = []
    engine = LocalEngine(course, course.exercises, Setting(bubblewrap=False))
    with pytest.raises(IsolationError, match="this course asks for 3") as caught:
        engine.run(lambda opened: graded.append(opened.grade(SUBMISSIONS["right"], "someone")))
    assert caught.value.exit_code == 3
    assert caught.value.message.isprintable()
    assert not graded
    assert gc.isenabled(), "the collector rests only while an engine starts"


# -- the digest of what decides a mark --------------------------------------------------------------------

EDITS: dict[str, Callable[[str], str]] = {
    "test_double.py": lambda text: text.replace("randn(3", "randn(4"),
    "reference.py": lambda text: text.replace("2 * x", "x + x"),
    "exercise.toml": lambda text: text.replace("points = 5", "points = 6"),
    "props.py": lambda text: text + "A = 1\n",
}


@pytest.mark.parametrize("file", EDITS)
def test_the_digest_follows_what_decides_a_mark(tmp_path: Path, file: str) -> None:
    root = tmp_path / "course"
    before = suite_digest(write_course(root, TINY))
    assert before == suite_digest(load_course(root))
    path = root / "solutions/first/double" / file
    path.write_text(EDITS[file](path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")
    assert suite_digest(load_course(root)) != before


def test_the_digest_follows_the_limits(tmp_path: Path) -> None:
    root = tmp_path / "course"
    before = suite_digest(write_course(root, TINY))
    text = (root / "course.toml").read_text(encoding="utf-8")
    (root / "course.toml").write_text(
        text.replace("call_seconds = 1.5", "call_seconds = 2.0"), encoding="utf-8"
    )
    assert suite_digest(load_course(root)) != before


def test_the_digest_does_not_mind_the_rest(tmp_path: Path) -> None:
    root = tmp_path / "course"
    before = suite_digest(write_course(root, TINY))
    folder = root / "solutions/first/double"
    for name in ("statement.md", "wrong_answers.py"):
        text = (folder / name).read_text(encoding="utf-8")
        (folder / name).write_text(text.replace("What changes?", "What?") + "\n", encoding="utf-8")
    assert suite_digest(load_course(root)) == before
    assert len(before) == 64
