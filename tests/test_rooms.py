"""Who may import whom, held by reading every import of the package, lazy ones included."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.small_course import fresh_python

__all__ = ["fresh_python"]

PACKAGE = Path(__file__).resolve().parents[1] / "grader"
FILES = sorted(PACKAGE.rglob("*.py"))

# Each room, and the others that it may know. The worker's side of the wall stands first.
MAY_IMPORT = {
    "errors": set(),
    "wire": {"errors"},
    "worker": {"wire", "errors"},
    "result": {"errors"},
    "course": {"errors", "result"},
    "submission": {"course", "errors", "result"},
    "gradebook": {"course", "errors", "result", "submission"},
    "examiner": {"course", "errors", "result", "submission", "wire", "worker"},
    "engine": {"course", "errors", "examiner", "gradebook", "result", "submission", "wire", "worker"},
    "cli": {"course", "engine", "errors", "examiner", "gradebook", "result", "submission", "wire", "worker"},
}
# A command, a course's texts and a submission are read where torch is broken, or takes its time.
WITHOUT_TORCH = ("errors", "result", "course", "submission", "gradebook")
# Ways for bytes to become code.
UNPICKLES = {
    "pickle",
    "_pickle",
    "cPickle",
    "cloudpickle",
    "dill",
    "joblib",
    "marshal",
    "multiprocessing",
    "shelve",
}
LOADS = {"load", "save", "jit.load", "jit.save", "package", "hub.load", "utils.serialization"}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a file imports, wherever in it that is done."""
    return imports_in(tree_of(path), path)


def imports_in(tree: ast.Module, path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                parts = path.relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level]
                module = ".".join([*parts, module] if module else parts)
            for name in node.names:
                yield node.lineno, f"{module}.{name.name}"


def room_of(path: Path) -> str:
    """The folder, or the module that is a room by itself; empty for the package's own `__init__`."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    # `python -m grader` is the command.
    return {"__init__": "", "__main__": "cli"}.get(first, first)


def _named(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def test_every_room_is_known() -> None:
    assert {room_of(path) for path in FILES} - {""} <= MAY_IMPORT.keys()


def test_the_way_is_one_way() -> None:
    for room, others in MAY_IMPORT.items():
        for other in others:
            assert room not in MAY_IMPORT[other], f"{room} and {other} know each other"


# The package's own face looks its names up when they are asked for; test_package.py holds that.
@pytest.mark.parametrize("path", [path for path in FILES if room_of(path)], ids=_named)
def test_a_room_imports_no_other_than_it_may(path: Path) -> None:
    room = room_of(path)
    allowed = MAY_IMPORT[room] | {room}
    wrong = []
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "grader" and len(parts) > 1 and parts[1] in MAY_IMPORT and parts[1] not in allowed:
            wrong.append(f"line {line}: {name}")
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_nothing_but_the_command_imports_the_command(path: Path) -> None:
    if room_of(path) != "cli":
        assert not [name for _, name in imports(path) if name.startswith("grader.cli")]


@pytest.mark.parametrize("path", [path for path in FILES if room_of(path) in WITHOUT_TORCH], ids=_named)
def test_rooms_that_do_without_torch(path: Path) -> None:
    assert not [name for _, name in imports(path) if name.split(".")[0] == "torch"]


@pytest.mark.parametrize("path", FILES, ids=_named)
def test_nothing_is_unpickled_anywhere(path: Path) -> None:
    assert not [name for _, name in imports(path) if name.split(".")[0] in UNPICKLES]
    dotted = {ast.unparse(node) for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    dotted |= {name for _, name in imports(path)}
    assert not dotted & {f"torch.{name}" for name in LOADS}


@pytest.mark.parametrize(
    "module",
    [
        "grader",
        "grader.cli.main",
        "grader.examiner.plugin",
        "grader.course",
        "grader.submission",
        "grader.result",
    ],
)
def test_importing_it_imports_no_torch(
    fresh_python: Callable[..., subprocess.CompletedProcess[str]], module: str
) -> None:
    done = fresh_python(f"import sys, {module}; sys.exit('torch' in sys.modules)")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_knows_nothing_of_the_examiner(
    fresh_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    code = """
import sys
from grader.worker import forkserver, probes, service, walls, warm
rooms = {name.split(".")[1] for name in sys.modules if name.startswith("grader.")}
assert rooms == {"errors", "wire", "worker"}, rooms
assert not {"pydantic", "click", "rich", "pytest", "nbformat"} & set(sys.modules)
"""
    done = fresh_python(code)
    assert done.returncode == 0, done.stderr


def test_the_reading_of_imports_sees_them_all() -> None:
    # Of the instrument itself: an import that it overlooks would pass all of the above.
    source = "import a.b\nfrom c import d as e\ndef f():\n    from .g import h\n    from .. import i\n    import j, k\n"
    seen = {name for _, name in imports_in(ast.parse(source), PACKAGE / "room" / "file.py")}
    assert seen == {"a.b", "c.d", "grader.room.g.h", "grader.i", "j", "k"}
