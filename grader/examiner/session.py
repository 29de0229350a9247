"""One pytest session: it collects the suites once and then runs them for candidate after candidate.

Collecting and importing costs a hundred times what running a test does. So pytest's own loop is replaced by
whatever the caller wants to do with the collected tests.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from _pytest.runner import runtestprotocol

from grader.course.load import Exercise
from grader.errors import SuiteError, UngradedError, WireError
from grader.examiner import plugin
from grader.examiner.bench import Bench
from grader.examiner.comparison import Mismatch
from grader.examiner.conversation import Conversation
from grader.examiner.inputs import Make

_Result = TypeVar("_Result")

# What a terminal run of pytest brings along and a silent one does not need.
_NOT_NEEDED = (
    "cacheprovider",
    "capture",
    "debugging",
    "doctest",
    "faulthandler",
    "junitxml",
    "legacypath",
    "logging",
    "nose",
    "pastebin",
    "recwarn",
    "reports",
    "setuponly",
    "setupplan",
    "stepwise",
    "terminal",
    "terminalprogress",
    "threadexception",
    "tmpdir",
    "unittest",
    "unraisableexception",
    "warnings",
)


@dataclass(frozen=True)
class Run:
    """What became of one hidden test, before anything is made of it."""

    name: str
    weight: float
    error: BaseException | None
    transcript: tuple[bytes, ...]
    printed: str


class Session:
    """The collected suites of some exercises."""

    def __init__(self, bench: Bench, items: Iterable[pytest.Item], exercises: Iterable[Exercise]) -> None:
        self.bench = bench
        by_path = {exercise.suite_path.resolve(): exercise.id for exercise in exercises}
        self._items: dict[str, list[pytest.Item]] = {id: [] for id in by_path.values()}
        for item in items:
            self._items[by_path[item.path.resolve()]].append(item)
        for id, found in self._items.items():
            if not found:
                raise SuiteError(
                    f"test_{id}.py holds no test: write one, or take the exercise off course.toml"
                )
            weights = [_weight(item) for item in found]
            if min(weights) < 0 or not sum(weights):
                raise SuiteError(
                    f"test_{id}.py: points must not be negative, and some test must have some: mend its "
                    "@pytest.mark.points"
                )
        self._plain = {
            item.nodeid
            for found in self._items.values()
            for item in found
            if isinstance(item, pytest.Function) and _is_plain(item)
        }
        self._errors: dict[str, BaseException] = {}

    def tests(self, exercise: Exercise) -> list[tuple[str, float]]:
        """Name and weight of each test of an exercise, in the order of the suite."""
        return [(_name(item), _weight(item)) for item in self._items[exercise.id]]

    def run(
        self,
        exercise: Exercise,
        candidate: Conversation,
        only: Callable[[str], bool] | None = None,
        until_failure: bool = False,
    ) -> list[Run]:
        """Run an exercise's tests on a candidate.

        Raises:
            UngradedError: no worker is to be had.
        """
        runs = []
        previous, self.bench.candidate = self.bench.candidate, candidate
        try:
            for item, following in _pairs(self._items[exercise.id]):
                if only is not None and not only(_name(item)):
                    continue
                candidate.transcript = []
                candidate.printed = []
                error = self._run_item(exercise, item, following)
                if isinstance(error, UngradedError) and not isinstance(error, WireError):
                    # The grader itself is in trouble. (A message too large is a matter of what was said.)
                    raise error
                if isinstance(error, pytest.skip.Exception):
                    # Not for this machine: it counts neither for nor against.
                    continue
                if error is not None:
                    # Its frames hold on to all tensors and graphs of the test.
                    error.with_traceback(None).__context__ = None
                    if isinstance(error, Mismatch):
                        error.got = error.expected = None
                runs.append(
                    Run(
                        _name(item),
                        _weight(item),
                        error,
                        tuple(candidate.transcript),
                        "".join(candidate.printed),
                    )
                )
                if error is not None and until_failure:
                    break
        finally:
            self.bench.candidate = previous
            self._items[exercise.id][0].session._setupstate.teardown_exact(None)
        return runs

    def _run_item(
        self, exercise: Exercise, item: pytest.Item, following: pytest.Item | None
    ) -> BaseException | None:
        if item.nodeid in self._plain:
            assert isinstance(item, pytest.Function)
            return self._run_plain(exercise, item)
        self._errors.clear()
        runtestprotocol(item, log=False, nextitem=following)
        return self._errors.pop(item.nodeid, None)

    def _run_plain(self, exercise: Exercise, item: pytest.Function) -> BaseException | None:
        """Call a test that asks for nothing but our own fixtures, without pytest's protocol around it.

        The protocol would call the same function with the same arguments; setting up and taking down what
        is not there takes it longer than most tests need.
        """
        bench, arguments = self.bench, _parameters(item)
        bench.begin_test(exercise, item.name)
        try:
            for name in item._fixtureinfo.argnames:
                if name == "student":
                    arguments[name] = bench.student(exercise, item.name)
                elif name == "reference":
                    arguments[name] = bench.reference(exercise)
                elif name == "make":
                    arguments[name] = Make()
            item.obj(**arguments)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            return error
        return None

    def note_error(self, item: pytest.Item, error: BaseException) -> None:
        """Called by pytest's hook for whatever a phase of a test raised; the first one counts."""
        self._errors.setdefault(item.nodeid, error)


class _Loop(Generic[_Result]):
    """Takes the place of pytest's loop and of its reports."""

    def __init__(self, exercises: list[Exercise], bench: Bench, body: Callable[[Session], _Result]) -> None:
        self.exercises = exercises
        self.bench = bench
        self.body = body
        self.session: Session | None = None
        self.result: _Result | None = None
        self.raised: BaseException | None = None
        self.broken: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[plugin.BENCH] = self.bench

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            lines = [line for line in str(report.longrepr).strip().splitlines() if line.strip()]
            self.broken.append(f"{report.nodeid}: {lines[-1] if lines else 'cannot be collected'}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            _forget_modules(exercise.suite_path for exercise in self.exercises)
            _let_python_look_for_sources(exercise.suite_path for exercise in self.exercises)
            if self.broken:
                raise SuiteError(f"a hidden suite cannot be collected: {self.broken[0]}")
            self.session = Session(self.bench, session.items, self.exercises)
            # All that torch and the suites brought along stays: the collector need not walk it time and again.
            gc.enable()
            gc.collect()
            gc.freeze()
            self.result = self.body(self.session)
        except BaseException as error:
            self.raised = error
        finally:
            gc.enable()
            gc.unfreeze()
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> pytest.TestReport | None:
        # Formatting a traceback that nobody reads costs more than the test.
        if call.excinfo is not None and self.session is not None:
            self.session.note_error(item, call.excinfo.value)
        return pytest.TestReport(
            item.nodeid,
            item.location,
            {},
            "passed" if call.excinfo is None else "failed",
            None,
            call.when,  # type: ignore[arg-type]  # one of setup, call, teardown here
        )


def with_suites(exercises: Iterable[Exercise], bench: Bench, body: Callable[[Session], _Result]) -> _Result:
    """Collect the suites of some exercises, call `body` with them, and return what it returns.

    Raises:
        SuiteError: a suite cannot be collected, or holds no test.
    """
    listed = list(exercises)
    if not listed:
        # Without a path, pytest would collect whatever lies in the current folder.
        return body(Session(bench, (), ()))
    loop = _Loop(listed, bench, body)
    arguments = [
        "-c",
        os.devnull,
        "--rootdir",
        os.path.commonpath([str(exercise.folder) for exercise in listed]) if listed else os.curdir,
        # Above the course, pytest would list folders that may be closed, and run a conftest.py of anybody's.
        "--confcutdir",
        str(listed[0].folder.parents[2]),
        "--import-mode=importlib",
        "--assert=plain",
        "-p",
        plugin.__name__,
    ]
    for name in _NOT_NEEDED:
        arguments += ["-p", f"no:{name}"]
    arguments += [str(exercise.suite_path) for exercise in listed]
    with _environment():
        pytest.main(arguments, plugins=[loop])
    if loop.raised is not None:
        raise loop.raised
    if loop.session is None:
        raise SuiteError(
            "the hidden suites cannot be collected: "
            + (loop.broken[0] if loop.broken else "pytest refused; try `pytest solutions/`")
        )
    return loop.result  # type: ignore[return-value]  # the body ran to its end


def _forget_modules(paths: Iterable[Path]) -> None:
    """Take suites out of `sys.modules`: another course may have a suite of the same name."""
    files = {str(path) for path in paths}
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) in files:
            del sys.modules[name]


def _let_python_look_for_sources(paths: Iterable[Path]) -> None:
    """Take the empty `__file__` from the modules that pytest makes of the folders above the suites.

    When torch registers an op late, it has Python look through all modules for the one that its own code is from,
    and that stumbles over a file that is None.
    """
    folders = {str(folder) for path in paths for folder in list(path.parents)[:4]}
    for module in list(sys.modules.values()):
        # Not by getattr: torch has modules that take any name for an op.
        held = getattr(module, "__dict__", {})
        if (
            "__file__" in held
            and held["__file__"] is None
            and folders.intersection(map(str, held.get("__path__", ())))
        ):
            del held["__file__"]


@contextmanager
def _environment() -> Iterator[None]:
    """Neither the user's pytest options nor other plugins of her environment have a say in a grading."""
    changed = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "", "PYTEST_PLUGINS": ""}
    before = {name: os.environ.get(name) for name in changed}
    os.environ.update(changed)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _pairs(items: list[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    """Each item with one that comes after it, so that module-wide state is not taken down in between."""
    for n, item in enumerate(items):
        # Which one it is does not matter: a part of them may be run.
        yield item, (items[n - 1] if len(items) > 1 else None)


_OWN_FIXTURES = {"student", "reference", "make", "_sitting", "request"}


def _is_plain(item: pytest.Function) -> bool:
    """Whether a test is a function whose arguments are our fixtures and its own parameters, all known here."""
    return (
        item.cls is None
        and set(item.fixturenames) <= _OWN_FIXTURES | set(_parameters(item))
        and "request" not in item._fixtureinfo.argnames
        and not any(item.get_closest_marker(name) for name in ("skip", "skipif", "xfail", "usefixtures"))
        and not _indirect(item)
    )


def _parameters(item: pytest.Function) -> dict[str, Any]:
    """The values of a test's parameters."""
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def _indirect(item: pytest.Function) -> bool:
    """Whether a parameter goes through a fixture."""
    return any(marker.kwargs.get("indirect") for marker in item.iter_markers("parametrize"))


def _name(item: pytest.Item) -> str:
    return item.name.removeprefix("test_")


def _weight(item: pytest.Item) -> float:
    marker = item.get_closest_marker("points")
    return float(marker.args[0]) if marker is not None and marker.args else 1.0
