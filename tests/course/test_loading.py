"""Reading a course: what a good one gives, and what each fault of a bad one is called."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course import Limits, find_course, load_course, load_exercise
from grader.errors import CourseError, UsageError


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def fault_of(root: Path) -> CourseError:
    with pytest.raises(CourseError) as raised:
        load_course(root)
    assert "\n" not in raised.value.message
    return raised.value


def test_topics_and_exercises_come_in_the_order_of_the_course(small_course: Path) -> None:
    course = load_course(small_course)
    assert [topic.id for topic in course.topics] == ["first_steps", "next_steps"]
    assert [exercise.id for exercise in course.exercises] == ["double", "halve", "scale"]
    assert course.topics[0].points == 4.0
    assert course.topics[1].introduction is not None
    assert course.title["zh"] == "小课程"


def test_course_has_its_policies_from_defaults(small_course: Path) -> None:
    manifest = load_course(small_course).manifest
    assert (manifest.isolation, manifest.forbidden, manifest.packages) == (2, "refuse", ())
    assert manifest.course.seed == "run"


def test_exercise_has_its_texts(small_course: Path) -> None:
    exercise = load_course(small_course).exercise("scale")
    assert exercise.topic == "next_steps"
    assert exercise.title["en"] == "scale it"
    assert exercise.requires == ("double",)
    assert exercise.forbidden == ("torch.mul", "torch.Tensor.mul")
    assert exercise.names == ("scale",)
    assert exercise.suite_path.is_file()
    assert exercise.suite_source.startswith("def test_it")
    assert exercise.statement("zh").startswith("# scale 练习")
    assert exercise.manifest.hints["line"]["en"] == "the line of scale"
    assert [wrong.misconception for wrong in exercise.wrong_answers] == ["leaves it as it is"]
    assert "raise NotImplementedError" in exercise.stub_source
    assert exercise.props_source is None
    assert exercise.props_path is None


def test_declarations_show_signature_and_docstring_alone(small_course: Path) -> None:
    shown = load_course(small_course).exercise("double").declarations
    assert shown.startswith("def double(x: torch.Tensor) -> torch.Tensor:\n")
    assert ">>> double" in shown
    assert "raise" not in shown
    assert "import" not in shown


def test_props_are_read_where_there_are_some(small_course: Path) -> None:
    (small_course / "solutions/first_steps/double/props.py").write_text("THREE = 3\n", encoding="utf-8")
    assert load_course(small_course).exercise("double").props_source == "THREE = 3\n"


def test_texts_are_read_only_when_asked_for(small_course: Path) -> None:
    (small_course / "solutions/first_steps/double/reference.py").write_text("def broken(:", encoding="utf-8")
    exercise = load_course(small_course).exercise("double")
    with pytest.raises(CourseError, match=r"first_steps/double/reference\.py:1: is not Python"):
        _ = exercise.stub_source


def test_line_ends_of_another_system_make_no_difference(small_course: Path) -> None:
    path = small_course / "solutions/first_steps/double/reference.py"
    before = load_course(small_course).exercise("double").stub_source
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_course(small_course).exercise("double").stub_source == before


def test_exercise_limits_override_those_of_the_course(small_course: Path) -> None:
    path = small_course / "solutions/first_steps/halve/exercise.toml"
    path.write_text(path.read_text(encoding="utf-8") + "[limits]\nmemory_mb = 300\n", encoding="utf-8")
    course = load_course(small_course)
    assert course.exercise("double").limits == Limits(call_seconds=4.0, memory_mb=900)
    assert course.exercise("halve").limits == Limits(call_seconds=4.0, memory_mb=300)


def test_exercise_can_be_loaded_without_a_course(small_course: Path) -> None:
    (small_course / "course.toml").unlink()
    exercise = load_exercise(small_course / "solutions/next_steps/scale")
    assert (exercise.id, exercise.topic, exercise.limits) == ("scale", "next_steps", Limits())


def test_unknown_names_get_the_nearest(small_course: Path) -> None:
    course = load_course(small_course)
    with pytest.raises(UsageError, match=r"no exercise 'duoble': did you mean 'double'\?"):
        course.exercise("duoble")
    with pytest.raises(UsageError, match=r"no topic 'first_step': did you mean 'first_steps'\?"):
        course.topic("first_step")
    with pytest.raises(UsageError, match="'grade list' shows the exercises there are"):
        course.exercise("zzz")


class TestWhichCourse:
    def test_the_one_named_wins(self, small_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(small_course.parent)
        assert find_course(Path("small")) == small_course

    def test_the_nearest_upwards_is_next(self, small_course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(small_course / "solutions/first_steps")
        assert find_course() == small_course

    def test_the_shipped_one_is_last(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert (find_course() / "course.toml").is_file()

    def test_a_folder_without_a_course_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CourseError, match=r"name the folder that holds course\.toml"):
            find_course(tmp_path)


FAULTS: dict[str, tuple[str, str, str, str]] = {
    # what is wrong: file, what is replaced by what, how the message goes on after the file
    "unknown_key": (
        "course.toml",
        "memory_mb",
        "memory_md",
        ": limits.memory_md: unknown key: did you mean 'memory_mb'?",
    ),
    "unknown_table": ("course.toml", "[limits]", "[limit]", ": limit: unknown key: did you mean 'limits'?"),
    "wrong_type": (
        "course.toml",
        "memory_mb = 900",
        'memory_mb = "900"',
        ": limits.memory_mb: should be a valid integer, and is '900': write a number, without quotes",
    ),
    "too_small": ("course.toml", "900", "0", ": limits.memory_mb: should be greater than 0, and is 0"),
    "call_longer_than_exercise": (
        "course.toml",
        "call_seconds = 4.0",
        "call_seconds = 1e3",
        ": limits: call_seconds is 1000.0, more than exercise_seconds, 20.0: lower ",
    ),
    "missing_key": ("course.toml", 'id = "small"\n', "", ": course.id: is missing: add id = ..."),
    "missing_translation": (
        "course.toml",
        ', zh = "入门"',
        "",
        ": topics[0].title.zh: is missing: add the text in Chinese",
    ),
    "empty_translation": (
        "course.toml",
        "入门",
        "",
        ": topics[0].title.zh: String should have at least 1 character",
    ),
    "title_without_languages": (
        "course.toml",
        '{ en = "First steps", zh = "入门" }',
        '"First steps"',
        ": topics[0].title: ",
    ),
    "bad_id": (
        "course.toml",
        '"first_steps"',
        '"First-Steps"',
        ": topics[0].id: String should match pattern",
    ),
    "keyword_for_an_id": (
        "course.toml",
        '"halve"',
        '"yield"',
        ": topics[0].exercises[1]: 'yield' is a Python keyword",
    ),
    "toml_syntax": ("course.toml", '"small"', "small", ": is not TOML: Invalid value (at line 2, column 6)"),
    "exercise_without_a_folder": (
        "course.toml",
        '"double", "halve"',
        '"double", "halve", "third"',
        ": topics[0].exercises[2]: 'third' has no folder: write solutions/first_steps/third/, "
        "or take it off the list",
    ),
    "folder_not_listed": (
        "course.toml",
        '"double", "halve"',
        '"double"',
        ": topics: the folder solutions/first_steps/halve is not listed: list 'halve' under the topic ",
    ),
    "exercise_listed_twice": (
        "course.toml",
        '["scale"]',
        '["scale", "double"]',
        ": topics[1].exercises[1]: 'double' stands already in the topic 'first_steps': ",
    ),
    "topic_listed_twice": (
        "course.toml",
        '"next_steps"',
        '"first_steps"',
        ": topics[1].id: 'first_steps' stands already in topics[0]: give each topic an id of its own",
    ),
    "unknown_requirement": (
        "solutions/next_steps/scale/exercise.toml",
        '"double"',
        '"duoble"',
        ": requires[0]: there is no exercise 'duoble': did you mean 'double'?",
    ),
    "circle_of_requirements": (
        "solutions/first_steps/double/exercise.toml",
        "requires = []",
        'requires = ["scale"]',
        ": requires: goes round in a circle: double -> scale -> double: take one of them out",
    ),
    "requires_itself": (
        "solutions/first_steps/double/exercise.toml",
        "requires = []",
        'requires = ["double"]',
        ": requires: goes round in a circle: double -> double: ",
    ),
    "forbidden_without_a_dot": (
        "solutions/first_steps/double/exercise.toml",
        '"torch.mul"',
        '"mul"',
        ": forbidden[0]: String should match pattern",
    ),
    "unknown_warmth": (
        "solutions/first_steps/double/exercise.toml",
        "minutes = 5",
        'minutes = 5\nwarm = ["cuda"]',
        ": warm[0]: should be 'optim' or 'nn', and is 'cuda'",
    ),
    "missing_hint": (
        "solutions/first_steps/double/exercise.toml",
        "formula = ",
        "formulae = ",
        ": hints.formulae: unknown key: did you mean 'formula'?",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_names_file_key_and_mend(small_course: Path, fault: str) -> None:
    file, old, new, message = FAULTS[fault]
    edit(small_course / file, old, new)
    found = fault_of(small_course).message
    assert found.startswith(file)
    if fault == "circle_of_requirements":  # it may be told from any of its members
        assert "goes round in a circle: " in found
        return
    assert found.startswith(file + message)


def test_further_faults_of_a_file_are_counted(small_course: Path) -> None:
    edit(small_course / "course.toml", "memory_mb = 900", "memory_mb = 0")
    edit(small_course / "course.toml", "call_seconds = 4.0", "call_seconds = 0.0")
    assert fault_of(small_course).message.endswith("(and 1 more in this file)")


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / "solutions/first_steps/halve" / name).unlink()


@pytest.mark.parametrize(
    "name",
    ["exercise.toml", "reference.py", "test_halve.py", "wrong_answers.py", "statement.md", "statement.zh.md"],
)
def test_missing_file_is_named(small_course: Path, name: str) -> None:
    remove(name)(small_course)
    error = fault_of(small_course)
    assert error.message.startswith(f"solutions/first_steps/halve/{name}: is missing: write")
    assert error.file == f"solutions/first_steps/halve/{name}"


def test_exercise_limits_that_clash_with_the_course_are_told_of_the_exercise(small_course: Path) -> None:
    path = small_course / "solutions/first_steps/halve/exercise.toml"
    path.write_text(path.read_text(encoding="utf-8") + "[limits]\nexercise_seconds = 1\n", encoding="utf-8")
    assert fault_of(small_course).message.startswith(
        "solutions/first_steps/halve/exercise.toml: limits: call_seconds is 4.0, more than"
    )


def test_file_that_is_not_utf8_is_named(small_course: Path) -> None:
    (small_course / "course.toml").write_bytes(b"title = \xff")
    assert fault_of(small_course).message.startswith("course.toml: cannot be read")
    (small_course / "solutions/first_steps/halve/statement.md").write_bytes(b"\xff")


def test_caches_and_empty_folders_are_no_exercises(small_course: Path) -> None:
    for name in ("__pycache__", ".ipynb_checkpoints", "empty"):
        (small_course / "solutions/first_steps" / name).mkdir()
    (small_course / "solutions/first_steps/__pycache__/double.pyc").touch()
    assert len(load_course(small_course).exercises) == 3


def test_exercise_with_nothing_to_define_is_refused(small_course: Path) -> None:
    (small_course / "solutions/first_steps/double/reference.py").write_text(
        '"""Nothing."""\n', encoding="utf-8"
    )
    with pytest.raises(CourseError, match="defines nothing for a student to write"):
        _ = load_course(small_course).exercise("double").names


def test_reading_a_course_imports_no_torch(
    small_course: Path, fresh_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    code = (
        "import sys; from grader.course import load_course\n"
        "for exercise in load_course().exercises: exercise.wrong_answers\n"
        "assert 'torch' not in sys.modules"
    )
    done = fresh_python(code, cwd=small_course)
    assert done.returncode == 0, done.stderr
