"""What a class's run asks of an engine and of the gradebook, seen with an engine of the test's own."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import pytest

from grader.course.load import Course, Exercise, load_course
from grader.engine.batch import Batch, Outcome
from grader.engine.summary import not_handed_in
from grader.engine.tasks import Done, Task
from grader.errors import SubmissionError
from grader.gradebook.marking import marks
from grader.gradebook.store import Gradebook
from grader.result import ExerciseResult
from grader.submission.identity import Identity
from grader.submission.intake import Answer, Submission
from tests.tiny_course import TinyExercise, write_course

TINY = {"double": TinyExercise(points=2), "twice": TinyExercise(points=1)}


@dataclass(frozen=True)
class Entry:
    """What a student handed in, at a time that nobody knows; None is what cannot be read."""

    student: Identity
    source: str | None
    submitted: None = None

    def read(self, exercises: Sequence[Exercise]) -> Submission:
        if self.source is None:
            raise SubmissionError("it is no archive")
        answer = Answer("double", self.source, "double.py")
        return Submission(MappingProxyType({"double": answer}), (), f"digest of {self.source}")


@dataclass
class Engine:
    """Gives a point for `right`; draws so many tasks ahead, and is done with them in any order."""

    course: Course
    ahead: int = 1
    chance: random.Random = field(default_factory=lambda: random.Random(0))
    graded: int = 0

    def grade(self, tasks: Iterable[Task]) -> Iterator[Done]:
        in_hand: list[Task] = []
        tasks = iter(tasks)
        while True:
            while len(in_hand) < self.ahead and (task := next(tasks, None)) is not None:
                in_hand.append(task)
            if not in_hand:
                return
            task = in_hand.pop(self.chance.randrange(len(in_hand)))
            self.graded += 1
            yield Done(task.number, tuple(self._result(answer) for answer in task.answers), 2)

    def _result(self, answer: Answer) -> ExerciseResult:
        score = 2.0 if answer.source == "right" else 0.0
        empty = not_handed_in(self.course.exercise(answer.exercise))
        return empty.model_copy(update={"score": score, "verdict": "passed" if score else "failed"})


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return write_course(tmp_path / "course", TINY)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as opened:
        yield opened


def run(course: Course, book: Gradebook, entries: Iterable[Entry], ahead: int = 1) -> Iterator[Outcome]:
    return Batch(course, book, Engine(course, ahead), "a secret").run(entries)


def entries(students: int, source: str = "right") -> list[Entry]:
    return [Entry(Identity(f"s{number:03d}"), f"{source} {number}") for number in range(students)]


def test_what_is_known_is_told_as_it_is_read_and_not_kept_in_memory(course: Course, book: Gradebook) -> None:
    list(run(course, book, entries(40)))
    drawn = 0

    def counted() -> Iterator[Entry]:
        nonlocal drawn
        for entry in entries(40):
            drawn += 1
            yield entry

    for told, outcome in enumerate(run(course, book, counted()), start=1):
        assert outcome.fresh == 0
        assert drawn == told, "outcomes wait while the class is read"


def test_what_waits_for_the_engine_holds_no_results(course: Course, book: Gradebook) -> None:
    before = {outcome.student.id: outcome.line for outcome in run(course, book, entries(40))}
    batch = Batch(course, book, Engine(course, ahead=2), "a secret")
    # All between two new ones is drawn while the engine asks for the second.
    new = [Entry(Identity("a"), "new"), *entries(40), Entry(Identity("z"), "new")]
    running = batch.run(new)
    first = next(running)
    assert len(batch._ready) >= 39
    assert not any(hasattr(waiting, "result") for waiting in batch._ready)
    after = {outcome.student.id: outcome.line for outcome in (first, *running)}
    assert {name: line for name, line in after.items() if name in before} == before
    assert len(after) == 42


@pytest.mark.parametrize("seed", range(4))
def test_attempts_of_one_student_count_in_the_order_in_which_they_lie_there(
    course: Course, book: Gradebook, seed: int
) -> None:
    (course.root / "course.toml").open("a").write('\n[policy]\ncounts = "last"\n')
    course = load_course(course.root)
    engine = Engine(course, ahead=3, chance=random.Random(seed))
    ann = Identity("ann")
    sources = ["wrong", "wrong again", "right"]
    list(Batch(course, book, engine, "a secret").run([Entry(ann, source) for source in sources]))
    (mark,) = marks(book.attempts("tiny"), course.manifest.policy)
    assert (mark.score, mark.attempt, mark.attempts) == (2.0, 3, 3)
    assert [stored.submission for stored in book.attempts("tiny")] == [f"digest of {one}" for one in sources]


def test_a_last_attempt_that_cannot_be_read_is_told_though_an_earlier_one_is_graded_later(
    course: Course, book: Gradebook
) -> None:
    ann = Identity("ann")
    list(run(course, book, [Entry(ann, "right"), Entry(ann, None), Entry(Identity("zoe"), "right")], ahead=3))
    assert [(who.id, why) for who, why in book.problems("tiny")] == [("ann", "it is no archive")]


def test_an_exercise_that_nobody_touched_counts_with_the_points_it_has_now(
    course: Course, book: Gradebook
) -> None:
    (before,) = run(course, book, entries(1))
    manifest = course.root / "solutions/first/twice/exercise.toml"
    manifest.write_text(manifest.read_text().replace("points = 1", "points = 4"))
    now = load_course(course.root)
    engine = Engine(now)
    (after,) = Batch(now, book, engine, "a secret").run(entries(1))
    assert before.result is not None
    assert after.result is not None
    assert (before.result.max_score, after.result.max_score) == (3.0, 6.0)
    assert before.result.receipt.suite != after.result.receipt.suite
    assert engine.graded == 0, "her own answer need not be graded again"


def test_an_exercise_that_moved_to_another_topic_keeps_its_points(course: Course, book: Gradebook) -> None:
    list(run(course, book, [Entry(Identity("ann"), "right")]))
    (course.root / "solutions/first/double").rename(_made(course.root / "solutions/second") / "double")
    text = (course.root / "course.toml").read_text().replace('"double", ', "")
    second = '\n[[topics]]\nid = "second"\ntitle = { en = "S", zh = "二" }\nexercises = ["double"]\n'
    (course.root / "course.toml").write_text(text + second)
    (outcome,) = run(load_course(course.root), book, [Entry(Identity("ann"), "right")])
    assert outcome.result is not None
    assert {topic.id: topic.score for topic in outcome.result.topics} == {"first": 0.0, "second": 2.0}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
