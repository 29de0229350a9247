"""The other graders: a fresh pytest process for each submission, nbgrader, and otter-grader."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import nbformat
from cpu import Cost, Finished, cost_of_command
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from plain_checks import CASES

_HERE = Path(__file__).resolve().parent
_CHECKS = _HERE / "plain_checks.py"
_SUITE = _HERE / "plain_suite.py"
_LAST_WORDS = 2000


class RivalError(click.ClickException):
    """A rival did not do what is to be measured."""


class PytestProcess:
    """Grades by a new pytest process that imports torch, the checks, the reference and the submission.

    It is given its best: no plugins of the environment's, no cache, and compiled checks and reference from
    the run before.
    """

    def __init__(self, folder: Path, references: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
        self.output = folder / "output.txt"
        folder.mkdir(parents=True)
        shutil.copy(_CHECKS, folder)
        shutil.copy(_SUITE, folder / "test_plain.py")
        write_answers(folder / "reference", references)

    def grade(self, answers: Mapping[str, str]) -> Cost:
        """Grade one submission that is right.

        Raises:
            RivalError: not every check passed.
        """
        submission = self.folder / "submission"
        shutil.rmtree(submission, ignore_errors=True)
        write_answers(submission, answers)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_plain.py"]
        done = cost_of_command(
            command, directory=self.folder, environment=self.environment, output=self.output
        )
        checks = sum(map(len, CASES.values()))
        if done.code != 0 or f"{checks} passed" not in done.output:
            raise RivalError(f"pytest was to pass {checks} checks: {done.output[-_LAST_WORDS:]}")
        return done.cost


class NbgraderCourse:
    """An nbgrader course of one assignment: solution cells and hidden tests for each exercise.

    Args:
        folder: where the course will be; it must not exist.
        python: an interpreter whose environment has nbgrader and torch.
        references: the source of each exercise's reference.
        submissions: what each student hands in, by exercise.
    """

    ASSIGNMENT = "exercises"

    def __init__(
        self,
        folder: Path,
        python: str,
        references: Mapping[str, str],
        submissions: Sequence[Mapping[str, str]],
        environment: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.python = python
        self.students = len(submissions)
        self.output = folder / "output.txt"
        own = {
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
            "JUPYTER_DATA_DIR": str(folder / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_PLATFORM_DIRS": "1",
        }
        # As in an activated environment: nbgrader calls alembic by its name.
        programs = str(Path(python).absolute().parent)
        own["PATH"] = os.pathsep.join([programs, environment.get("PATH", os.defpath)])
        # What leads this interpreter to its modules may lead that one to the wrong ones.
        self.environment = {**environment, **own}
        self.environment.pop("PYTHONPATH", None)
        notebook = f"{self.ASSIGNMENT}.ipynb"
        source = folder / "source" / self.ASSIGNMENT / notebook
        source.parent.mkdir(parents=True)
        (folder / "nbgrader_config.py").write_text(
            'c = get_config()\nc.CourseDirectory.course_id = "benchmark"\n', encoding="utf-8"
        )
        _write(_source_notebook(references), source)
        self._nbgrader("generate_assignment", self.ASSIGNMENT)
        for number, answers in enumerate(submissions):
            handed_in = folder / "submitted" / f"s{number:03}" / self.ASSIGNMENT / notebook
            handed_in.parent.mkdir(parents=True)
            _write(_filled_in(folder / "release" / self.ASSIGNMENT / notebook, answers), handed_in)

    def grade(self) -> Cost:
        """Autograde all students anew. What one of them takes, the start of nbgrader shared out.

        Raises:
            RivalError: it failed.
        """
        return self.grade_all() / self.students

    def grade_all(self) -> Cost:
        """Autograde all students anew. What that takes, from the start of nbgrader to its end.

        Raises:
            RivalError: it failed.
        """
        shutil.rmtree(self.folder / "autograded", ignore_errors=True)
        return self._nbgrader("autograde", self.ASSIGNMENT).cost

    def check_grades(self) -> None:
        """See to it that every student has every point.

        Raises:
            RivalError: one has not.
        """
        self._nbgrader("export")
        with (self.folder / "grades.csv").open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}
        if len(scores) != self.students or any(not 0 < most == score for score, most in scores.values()):
            raise RivalError(f"nbgrader was to give every student all points, and gave {scores}")

    def versions(self) -> str:
        """The versions of nbgrader and of its torch."""
        return _versions(self.python, "nbgrader")

    def _nbgrader(self, *arguments: str) -> Finished:
        command = [self.python, "-m", "nbgrader", *arguments]
        done = cost_of_command(
            command, directory=self.folder, environment=self.environment, output=self.output
        )
        if done.code != 0:
            raise RivalError(f"nbgrader {arguments[0]} failed: {done.output[-_LAST_WORDS:]}")
        return done


class OtterCourse:
    """An otter-grader assignment: hidden tests for each exercise in its format that rests on exceptions.

    `otter grade` makes a container for each submission, of an image that it builds first. Here otter is given its
    best: one process of its own calls its `grade_submission` for one student after the other, without containers.

    Args:
        folder: where the assignment will be; it must not exist.
        python: an interpreter whose environment has otter-grader, ipykernel and torch.
        references: the source of each exercise's reference.
        submissions: what each student hands in, by exercise.
    """

    def __init__(
        self,
        folder: Path,
        python: str,
        references: Mapping[str, str],
        submissions: Sequence[Mapping[str, str]],
        environment: Mapping[str, str],
    ) -> None:
        self.folder = folder
        self.python = python
        self.environment = {**environment, "IPYTHONDIR": str(folder / "ipython")}
        self.environment.pop("PYTHONPATH", None)
        folder.mkdir(parents=True)
        with zipfile.ZipFile(folder / "autograder.zip", "w") as archive:
            archive.writestr("otter_config.json", "{}")
            archive.write(_CHECKS, "files/plain_checks.py")
            for exercise, reference in references.items():
                archive.writestr(f"files/reference_{exercise}.py", reference)
                archive.writestr(f"tests/{exercise}.py", _OTTER_TESTS.format(exercise=exercise))
        self.notebooks = []
        for number, answers in enumerate(submissions):
            notebook = _notebook([new_code_cell(answers[exercise]) for exercise in references])  # type: ignore[no-untyped-call]  # nbformat's
            self.notebooks.append(folder / f"s{number:03}.ipynb")
            _write(notebook, self.notebooks[-1])

    def grade_all(self) -> Cost:
        """Grade all students. What that takes, from the start of the process to its end.

        Raises:
            RivalError: it failed, or a student has not every point.
        """
        command = [self.python, "-c", _OTTER_RUN, "autograder.zip", *map(str, self.notebooks)]
        done = cost_of_command(
            command, directory=self.folder, environment=self.environment, output=self.folder / "output.txt"
        )
        scores = [line.split()[1:] for line in done.output.splitlines() if line.startswith("SCORE ")]
        perfect = [float(score) == float(most) > 0 for score, most in scores]
        if done.code != 0 or len(perfect) != len(self.notebooks) or not all(perfect):
            raise RivalError(
                f"otter was to give every student all points, and gave {scores}: {done.output[-_LAST_WORDS:]}"
            )
        return done.cost

    def versions(self) -> str:
        """The versions of otter-grader and of its torch."""
        return _versions(self.python, "otter-grader")


def _versions(python: str, distribution: str) -> str:
    code = (
        "import sys; from importlib.metadata import version; "
        "print(sys.argv[1], version(sys.argv[1]) + ', torch', version('torch'))"
    )
    done = subprocess.run([python, "-c", code, distribution], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write_answers(folder: Path, answers: Mapping[str, str]) -> None:
    """A submission as files, `<exercise>.py` each."""
    folder.mkdir(parents=True)
    for exercise, source in answers.items():
        (folder / f"{exercise}.py").write_text(source, encoding="utf-8")


# -- otter-grader -------------------------------------------------------------------------------------------

_OTTER_RUN = """\
import sys
from otter.api import grade_submission

for path in sys.argv[2:]:
    results = grade_submission(path, sys.argv[1], quiet=True)
    print("SCORE", results.total, results.possible)
"""
_OTTER_TESTS = """\
from types import SimpleNamespace

import plain_checks
import reference_{exercise} as reference
from otter.test_files import test_case

OK_FORMAT = False
name = "{exercise}"
points = len(plain_checks.CASES[name])


def _checked(case):
    @test_case(name=case.name, hidden=True)
    def check(env):
        plain_checks.run_case(case, SimpleNamespace(**env), reference)

    return check


for _case in plain_checks.CASES[name]:
    globals()[_case.name] = _checked(_case)
"""

# -- the notebook -----------------------------------------------------------------------------------------

_HIDDEN = "### BEGIN HIDDEN TESTS\n{body}### END HIDDEN TESTS\n"
_PREPARE = """\
from types import ModuleType, SimpleNamespace


def _module(name, source):
    module = ModuleType(name)
    exec(compile(source, f"{{name}}.py", "exec"), module.__dict__)
    return module


_checks = _module("plain_checks", {checks})
"""
_TESTS = """\
_reference = _module("reference", {reference})
for _case in _checks.CASES[{exercise!r}]:
    _checks.run_case(_case, SimpleNamespace(**globals()), _reference)
"""


def _source_notebook(references: Mapping[str, str]) -> NotebookNode:
    """What the instructor writes: for each exercise a cell with its solution, and one with hidden tests."""
    prepare = _HIDDEN.format(body=_PREPARE.format(checks=_quoted(_CHECKS.read_text(encoding="utf-8"))))
    cells = [_cell("checks", prepare, points=0)]
    for exercise, reference in references.items():
        # Only within functions: cut at the top level, a helper would leave a NotImplementedError there.
        solution = re.sub(r"^( +)# solution begins$", r"\1### BEGIN SOLUTION", reference, flags=re.MULTILINE)
        solution = re.sub(r"^( +)# solution ends$", r"\1### END SOLUTION", solution, flags=re.MULTILINE)
        tests = _HIDDEN.format(body=_TESTS.format(reference=_quoted(reference), exercise=exercise))
        cells += [_cell(exercise, solution), _cell(f"test_{exercise}", tests, points=len(CASES[exercise]))]
    return _notebook(cells)


def _notebook(cells: list[NotebookNode]) -> NotebookNode:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook: NotebookNode = new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]  # nbformat's
    return notebook


def _cell(name: str, source: str, points: int | None = None) -> NotebookNode:
    """A cell for the student's answer, or, with points, one of tests."""
    tests = points is not None
    marked = {
        "schema_version": 3,
        "grade_id": name,
        "grade": tests,
        "locked": tests,
        "solution": not tests,
        "task": False,
    }
    if tests:
        marked["points"] = points
    cell: NotebookNode = new_code_cell(source, metadata={"nbgrader": marked})  # type: ignore[no-untyped-call]  # nbformat's
    return cell


def _filled_in(released: Path, answers: Mapping[str, str]) -> NotebookNode:
    """The released notebook with a student's answers in its solution cells."""
    notebook: NotebookNode = nbformat.read(released, as_version=4)  # type: ignore[no-untyped-call]  # nbformat's
    for cell in notebook.cells:
        name = cell.metadata["nbgrader"]["grade_id"]
        if name in answers:
            cell.source = answers[name]
    return notebook


def _write(notebook: NotebookNode, file: Path) -> None:
    nbformat.write(notebook, file)  # type: ignore[no-untyped-call]  # nbformat's


def _quoted(text: str) -> str:
    # JSON's strings are Python's too, and repr would choose its quotes by the text.
    return json.dumps(text)
