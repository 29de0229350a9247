from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import grader
from grader.worker import libraries
from grader.worker.libraries import covered, readable_paths, standard_library

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the loader is Linux's")


@pytest.fixture(scope="module")
def readable() -> list[str]:
    return readable_paths()


def test_torch_and_what_it_requires_are_readable(readable):
    import importlib.util

    for name in ("torch", "typing_extensions", "sympy"):
        assert covered(readable, [importlib.util.find_spec(name).origin]), name


def test_the_grader_is_not_readable(readable):
    package = Path(grader.__file__).parent
    assert not covered(readable, [package, package.parent, package / "worker", package / "_course"])


def test_other_packages_are_not_readable(readable):
    import pydantic

    assert not covered(readable, [pydantic.__file__, pytest.__file__])
    assert covered(readable_paths(["pydantic"]), [pydantic.__file__])


def test_no_folder_of_packages_is_readable(readable):
    standard = Path(standard_library())
    parents = [
        standard,
        standard / "site-packages",
        "/usr/lib/python3/dist-packages",
        "/usr/lib",
        "/etc",
        "/",
    ]
    parents += [path for path in sys.path if path.endswith("-packages")]
    assert not covered(readable, parents)


def test_the_standard_library_is_readable(readable):
    import json
    import sqlite3

    assert len(covered(readable, [json.__file__, sqlite3.__file__])) == 2


def test_the_loader_finds_its_libraries(readable):
    """As the loader itself lists them."""
    import _ctypes
    import _ssl

    for module in (_ctypes, _ssl):
        listed = subprocess.run(["ldd", module.__file__], capture_output=True, text=True, check=False)
        if listed.returncode != 0:
            pytest.skip("there is no ldd")
        paths = [word for word in listed.stdout.split() if word.startswith("/")]
        assert paths
        assert all(covered(readable, [path]) for path in paths), paths


def test_a_library_is_no_folder(readable):
    outside = [path for path in readable if ".so" in path]
    assert outside
    assert all(os.path.isfile(path) for path in outside)


def test_a_package_that_is_not_there_is_left_out(readable):
    assert readable_paths(["a-package-that-nobody-has"]) == readable


def test_requirements_of_extras_are_left_out():
    class Distribution:
        requires = ("numpy>=1", "Pillow ; extra == 'images'", "nvidia-cublas==1 ; platform_system == 'Linux'")

    assert list(libraries._requirements(Distribution())) == ["numpy", "nvidia-cublas"]
