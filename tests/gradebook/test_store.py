"""The gradebook in a real SQLite file: what is kept, what counts, and what is said when it cannot be kept."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader.errors import GradebookError
from grader.gradebook.store import Gradebook, HandedIn, Known
from grader.submission.identity import Identity
from grader.submission.intake import Answer
from tests.gradebook.handed_in import COURSE, at, attempt, exercise_result, result, unreadable

ROOT = Path(__file__).resolve().parents[2]
HOSTILE = {
    "quotes": "Robert'); DROP TABLE students;--\"`",
    "nul": "zero\0byte",
    "surrogate": "half \ud83d of a pair",
    "long": "x" * 10_000,
    "right to left": "\u202egnp.exe",
    "nothing": "",
    "lines": "two\r\nlines\u2028and\x85more",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(path) as opened:
        yield opened


def scores(book: Gradebook, student: str = "ann") -> list[float]:
    return [each.result.score for each in book.attempts(COURSE) if each.student.id == student]


# -- what is kept -----------------------------------------------------------------------------------------


def test_every_attempt_is_kept_with_its_number_its_receipt_and_its_bytes(book: Gradebook) -> None:
    first = result(1.0, message="line\u2028end, \"quoted\", '单引号' \u0007")
    assert book.record(attempt(text="a"), "key a", first) == 1
    assert book.record(attempt(text="b"), "key b", result(2.0)) == 2
    assert book.record(attempt("bob", "a"), "key a", result(3.0, "bob")) == 1
    kept = list(book.attempts(COURSE))
    assert [(each.student.id, each.number, each.key) for each in kept] == [
        ("ann", 1, "key a"),
        ("ann", 2, "key b"),
        ("bob", 1, "key a"),
    ]
    assert kept[0].line == first.to_json()
    assert kept[0].result == first
    assert kept[0].result.receipt == first.receipt
    assert book.answers(kept[1].id) == {"double": "b"}
    assert list(book.attempts("another course")) == []
    assert book.courses() == [COURSE]


@pytest.mark.parametrize("source", HOSTILE.values(), ids=list(HOSTILE))
def test_an_answer_is_kept_to_the_letter(book: Gradebook, source: str) -> None:
    book.record(attempt(text=source), "key", result())
    (kept,) = book.attempts(COURSE)
    assert book.answers(kept.id) == {"double": source}
    assert list(book.handed_in(COURSE)) == [HandedIn("ann", 1, "double", source)]


def test_an_answer_that_could_not_be_read_is_no_source(book: Gradebook) -> None:
    handed_in = attempt()
    lost = Answer("double", None, "\ud83d.py", "double.py cannot be read: \0")
    book.record(
        type(handed_in)(handed_in.course, handed_in.student, "digest", None, (lost,)), "key", result()
    )
    (kept,) = book.attempts(COURSE)
    assert book.answers(kept.id) == {}
    assert list(book.handed_in(COURSE)) == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_names_are_kept_as_text(book: Gradebook, text: str) -> None:
    book.record(attempt(Identity("ann", text, text, (("sid", text), (text, "1")))), "key", result())
    (kept,) = book.attempts(COURSE)
    shown = text.replace("\0", "\ufffd").replace("\ud83d", "?")
    assert (kept.student.name, kept.student.email, kept.student.number("sid")) == (shown, shown, shown)
    assert kept.student.number(shown) == "1" or shown == "sid"


@pytest.mark.parametrize("text", [HOSTILE[kind] for kind in ("quotes", "right to left", "lines")])
def test_an_id_that_is_text_stays_as_it_is(book: Gradebook, text: str) -> None:
    book.record(attempt(text), "key", result())
    book.record_problem(unreadable(text, at(1)), "no zip")
    assert {each.student.id for each in book.attempts(COURSE)} == {text}
    assert book.graded(attempt(text)) is not None


@pytest.mark.parametrize("text", [HOSTILE[kind] for kind in ("nul", "surrogate", "long", "nothing")])
def test_an_id_that_would_be_cut_or_changed_is_refused_in_a_line(book: Gradebook, text: str) -> None:
    with pytest.raises(GradebookError, match="a student's id must be text of 1 to 300") as refused:
        book.record(attempt(text), "key", result())
    assert "\n" not in refused.value.message
    assert "\0" not in refused.value.message
    assert list(book.attempts(COURSE)) == []


def test_a_later_folder_that_knows_less_of_a_student_takes_nothing_away(book: Gradebook) -> None:
    book.record(attempt(Identity("ann", "Ann", "ann@x", (("sid", "7"), ("canvas_user", "1")))), "1", result())
    book.record(attempt(Identity("ann", "", "", (("moodle_participant", "3"),)), "b"), "2", result())
    book.record_problem(unreadable("ann"), "no zip")
    book.record(attempt(Identity("ann", "Ann B.", "", (("canvas_user", "2"),)), "c"), "3", result())
    numbers = (("canvas_user", "2"), ("moodle_participant", "3"), ("sid", "7"))
    for each in book.attempts(COURSE):
        assert each.student == Identity("ann", "Ann B.", "ann@x", numbers)


def test_the_secret_stays_until_another_is_asked_for(path: Path) -> None:
    with Gradebook.open(path) as book:
        first = book.secret(COURSE)
        assert len(first) == 32
        assert book.secret("other") != first
    with Gradebook.open(path) as book:
        assert book.secret(COURSE) == first
        assert book.secret(COURSE, "mine") == "mine"
        assert book.secret(COURSE) == "mine"


def test_results_are_known_by_key_however_many_are_asked_for(book: Gradebook) -> None:
    known = {f"key {number}": Known(exercise_result(number % 5), 3) for number in range(1200)}
    book.record(attempt(), "key", result(), known)
    assert book.known([*known, "another"]) == known
    assert book.known([]) == {}


# -- times ------------------------------------------------------------------------------------------------


def test_a_moment_is_the_same_whatever_its_offset(book: Gradebook) -> None:
    moment = datetime(2026, 11, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))
    book.record(attempt(submitted=moment), "key", result())
    assert book.record(attempt(submitted=moment.astimezone(UTC)), "key", result()) == 1
    (kept,) = book.attempts(COURSE)
    assert kept.submitted == moment
    assert kept.submitted is not None
    assert kept.submitted.utcoffset() == kept.received.utcoffset() == timedelta()
    assert abs(kept.received - datetime.now(UTC)) < timedelta(hours=1)


def test_the_same_answers_handed_in_again_are_another_attempt(book: Gradebook) -> None:
    assert book.record(attempt(submitted=at(1)), "key", result()) == 1
    assert book.record(attempt(submitted=at(2)), "key", result()) == 2
    assert book.record(attempt(submitted=None), "key", result()) == 3
    assert book.record(attempt(submitted=None), "key", result()) == 3


def test_a_moment_that_no_calendar_has_in_utc_is_not_known(book: Gradebook) -> None:
    book.record(
        attempt(submitted=datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))), "key", result()
    )
    assert [each.submitted for each in book.attempts(COURSE)] == [None]


# -- what counts ------------------------------------------------------------------------------------------


def test_the_same_key_again_changes_nothing(book: Gradebook, path: Path) -> None:
    book.record(attempt(), "key", result(1.0), {"k": Known(exercise_result(1.0), 3)})
    before = dump(path)
    assert book.record(attempt(), "key", result(4.0), {"k": Known(exercise_result(4.0), 3)}) == 1
    assert dump(path) == before
    assert scores(book) == [1.0]


def test_the_newest_grading_counts_and_the_earlier_ones_are_kept(book: Gradebook, path: Path) -> None:
    book.record(attempt(), "first suite", result(1.0))
    book.record(attempt(), "second suite", result(4.0))
    assert scores(book) == [4.0]
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT key, score FROM gradings ORDER BY id").fetchall() == [
            ("first suite", 1.0),
            ("second suite", 4.0),
        ]
    # The suite is changed back: what it gave then counts again.
    book.record(attempt(), "first suite", result(1.0))
    assert scores(book) == [1.0]
    graded = book.graded(attempt())
    assert graded is not None
    assert graded.key == "first suite"


def test_what_was_graded_behind_more_walls_takes_the_place_of_what_was_not(book: Gradebook) -> None:
    # Asked for more walls than it was graded behind, a course would otherwise be graded again in every run.
    book.record(attempt(), "key", result(1.0, isolation=2), {"k": Known(exercise_result(1.0), 2)})
    book.record(attempt(), "key", result(2.0, isolation=3), {"k": Known(exercise_result(2.0), 3)})
    graded = book.graded(attempt())
    assert graded is not None
    assert (graded.result.isolation, graded.result.score) == (3, 2.0)
    assert book.known(["k"]) == {"k": Known(exercise_result(2.0), 3)}
    book.record(attempt("bob"), "key", result(isolation=2), {"k": Known(exercise_result(1.0), 2)})
    assert book.known(["k"])["k"].isolation == 3


def test_a_failed_write_leaves_nothing_behind(book: Gradebook, path: Path) -> None:
    before = dump(path)
    broken = result()
    object.__setattr__(broken, "score", None)  # the last of the tables refuses it
    with pytest.raises(GradebookError):
        book.record(attempt(), "key", broken, {"k": Known(exercise_result(), 3)})
    assert dump(path) == before


# -- problems ---------------------------------------------------------------------------------------------


def problems(book: Gradebook) -> list[tuple[str, str]]:
    return [(who.id, why) for who, why in book.problems(COURSE)]


def test_a_problem_is_kept_until_the_attempt_is_graded(book: Gradebook) -> None:
    book.record_problem(attempt(), "the walls fell", {"k": Known(exercise_result(), 3)})
    assert problems(book) == [("ann", "the walls fell")]
    assert list(book.attempts(COURSE)) == []
    assert list(book.known(["k"])) == ["k"]
    assert book.record(attempt(), "key", result()) == 1
    assert problems(book) == []


def test_a_problem_does_not_take_a_grading_away(book: Gradebook) -> None:
    book.record(attempt(), "key", result(2.0))
    book.record_problem(attempt(), "the walls fell")
    assert scores(book) == [2.0]
    assert problems(book) == [("ann", "the walls fell")]
    assert [each.problem for each in book.attempts(COURSE)] == ["the walls fell"]
    # Graded as before after all: the problem is none any more.
    book.record(attempt(), "key", result(2.0))
    assert problems(book) == []
    assert [each.problem for each in book.attempts(COURSE)] == [""]


def test_what_a_later_attempt_made_good_is_told_no_more(book: Gradebook) -> None:
    book.record_problem(unreadable(), "no zip")
    book.record_problem(unreadable("bob"), "no zip either")
    book.record(attempt(), "key", result())
    assert problems(book) == [("bob", "no zip either")]
    # And then another upload that is broken: there is a mark, but not for what she handed in last.
    book.record_problem(unreadable(), "not even a file")
    assert problems(book) == [("ann", "not even a file"), ("bob", "no zip either")]


def test_it_is_the_time_of_handing_in_that_makes_an_attempt_later(book: Gradebook) -> None:
    book.record_problem(unreadable(submitted=at(3)), "no zip")
    book.record(attempt(submitted=at(2)), "key", result())
    assert problems(book) == [("ann", "no zip")]
    book.record(attempt(submitted=at(4)), "key", result())
    assert problems(book) == []


def test_the_same_file_mended_makes_it_good(book: Gradebook) -> None:
    book.record_problem(unreadable(submitted=at(3)), "no zip")
    book.record(attempt(submitted=at(3)), "key", result())
    assert problems(book) == []


def test_a_problem_of_another_course_is_not_ours(book: Gradebook) -> None:
    book.record_problem(unreadable(), "no zip")
    book.record(attempt(course="other"), "key", result())
    assert problems(book) == [("ann", "no zip")]
    assert list(book.problems("other")) == []


@pytest.mark.parametrize("why", [HOSTILE["nul"], HOSTILE["surrogate"], HOSTILE["long"], ""])
def test_whatever_the_problem_is_it_is_told(book: Gradebook, why: str) -> None:
    book.record_problem(unreadable(), why)
    ((_, told),) = book.problems(COURSE)
    assert told


# -- several at once --------------------------------------------------------------------------------------

WRITER = """
import sys
from grader.gradebook.store import Gradebook, Known
from tests.gradebook.handed_in import attempt, exercise_result, result, unreadable
path, mine = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
with Gradebook.open(path) as book:
    print(book.secret("tiny"))
    for number in range(25):
        known = {f"known {number}": Known(exercise_result(), 3)}
        book.record(attempt("ann", f"{mine} {number}"), "key", result(), known)
        book.record(attempt("bob", f"same {number}"), f"key {number}", result(), known)
        book.record_problem(unreadable("zoe"), "no zip")
        list(book.attempts("tiny"))
"""


def write_at_once(where: Path | str) -> list[str]:
    """Let two processes write into a gradebook at the same time; the secrets that they saw."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(where), mine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for mine in ("first", "second")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    said = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
    return [secret for secret, _ in said]


def assert_nothing_lost_or_doubled(book: Gradebook) -> None:
    kept = list(book.attempts(COURSE))
    numbers = {who: [each.number for each in kept if each.student.id == who] for who in ("ann", "bob")}
    assert numbers == {"ann": list(range(1, 51)), "bob": list(range(1, 26))}
    assert problems(book) == [("zoe", "no zip")]


def test_two_processes_that_write_at_once_lose_nothing_and_double_nothing(path: Path) -> None:
    first, second = write_at_once(path)
    assert first == second
    with Gradebook.open(path) as book:
        assert_nothing_lost_or_doubled(book)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT count(*) FROM gradings").fetchone() == (75,)
        assert raw.execute("SELECT count(*) FROM results").fetchone() == (25,)
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_reading_goes_on_while_it_is_written_and_sees_one_moment(book: Gradebook, path: Path) -> None:
    for number in range(300):
        book.record(attempt(text=str(number)), str(number), result())
    reading = book.attempts(COURSE)
    next(reading)
    with Gradebook.open(path) as other:
        other.record(attempt("zoe"), "key", result())
        book.record(attempt("yan"), "key", result())
    assert len(list(reading)) == 299
    assert len(list(book.attempts(COURSE))) == 302


def test_ten_thousand_attempts_are_read_one_after_another(book: Gradebook, path: Path) -> None:
    line = result(message="m" * 2000).to_json()
    with sqlite3.connect(path) as raw:
        raw.executemany(
            "INSERT INTO students VALUES (?, '', '', '{}')", ((f"s{n:05d}",) for n in range(10_000))
        )
        raw.executemany(
            "INSERT INTO attempts (id, course, student, number, submission, submitted, received, grading,"
            " problem) VALUES (?, 'tiny', ?, 1, 'd', '', '2026-11-01 00:00:00.000000', ?, '')",
            ((n, f"s{n:05d}", n) for n in range(10_000)),
        )
        raw.executemany(
            "INSERT INTO gradings VALUES (?, ?, 'key', '2026-11-01 00:00:00.000000', 1.0, 3, ?)",
            ((n, n, line) for n in range(10_000)),
        )
        plan = raw.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM attempts JOIN gradings ON gradings.id = attempts.grading"
            " WHERE course = 'tiny' ORDER BY student, number"
        ).fetchall()
        assert "TEMP B-TREE" not in str(plan)  # nothing is sorted before the first can be read
    assert len(line) > 2000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        count = sum(1 for _ in book.attempts(COURSE))
        grown = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert count == 10_000
    assert grown < 4 << 20  # all of them are 20 MiB and more


def dump(path: Path) -> str:
    """All that is in the file, as SQL."""
    with sqlite3.connect(path) as raw:
        return json.dumps(list(raw.iterdump()))
