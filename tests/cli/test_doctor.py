"""What `grade doctor` says. That it is true at each level, `tests/attacks/test_levels.py` sees to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from click.testing import Result

import grader.worker.launch
from grader.worker import bubblewrap
from grader.worker.launch import Isolation, LaunchOptions
from grader.worker.probes import STAT, Probe

Run = Callable[..., Result]

HELD = Probe("reach a server (TCP)", True, "seccomp", "PermissionError", "reach the network")
OPEN = Probe("reach a server (UDP)", False, "", "it came through", "reach the network")
SEEN = Probe(STAT, False, "", "it came through", "get at the solutions")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[Isolation], None]:
    """Have the doctor find this, for no machine has all of it."""

    def stands(isolation: Isolation) -> None:
        class Server:
            def probe(self) -> Isolation:
                return isolation

        @contextmanager
        def opened(_: LaunchOptions) -> Iterator[Server]:
            yield Server()

        monkeypatch.setattr(grader.worker.launch, "open_workers", opened)

    return stands


def test_all_held_is_said_first_and_in_few_words(run: Run, found: Callable[[Isolation], None]) -> None:
    found(Isolation(3, (HELD, HELD), ("seccomp",), {}, None))
    done = run("doctor")
    lines = done.output.splitlines()
    assert lines[0].startswith("isolation level 3: ")
    assert lines[1] == "this course asks for level 2: `grade submit` grades here"
    assert "reach the network\tall of 2\tseccomp" in lines
    assert "missing" not in done.output
    assert "came through" not in done.output
    assert done.exit_code == 0


def test_what_is_missing_stands_beside_what_to_do(run: Run, found: Callable[[Isolation], None]) -> None:
    found(Isolation(2, (HELD, SEEN), ("seccomp",), {"uid": "only root can"}, "bwrap is not installed"))
    done = run("doctor")
    lines = done.output.splitlines()
    for wall, reason in {"bubblewrap": "bwrap is not installed", "uid": "only root can"}.items():
        at = lines.index(f"missing: {wall}: {reason}")
        assert lines[at + 1].startswith("→ ")
    assert "bubblewrap" in lines[lines.index("missing: bubblewrap: bwrap is not installed") + 1]
    assert f"came through: {STAT}" in lines
    assert done.exit_code == 0


def test_too_few_walls_are_a_failure(run: Run, found: Callable[[Isolation], None]) -> None:
    found(Isolation(0, (HELD, OPEN), (), {"landlock": "none"}, None))
    done = run("doctor")
    assert "refuses to grade here" in done.output
    assert "reach the network\tonly 1 of 2\tseccomp" in done.output
    assert done.exit_code == 3


def test_all_shows_each_attempt(run: Run, found: Callable[[Isolation], None]) -> None:
    found(Isolation(0, (HELD, OPEN), (), {}, None))
    lines = run("doctor", "--all").output.splitlines()
    assert "reach a server (TCP)\theld\tseccomp\tPermissionError" in lines
    assert "reach a server (UDP)\tNOT held\t\tit came through" in lines


def test_programs_are_told_the_same(run: Run, found: Callable[[Isolation], None]) -> None:
    found(
        Isolation(2, (HELD, SEEN), ("limits", "seccomp"), {"uid": "only root can"}, "bwrap is not installed")
    )
    record = json.loads(run("doctor", "--json").stdout)
    assert (record["isolation"], record["wanted"]) == (2, 2)
    assert record["walls"] == ["limits", "seccomp"]
    assert record["missing"] == {"bubblewrap": "bwrap is not installed", "uid": "only root can"}
    assert record["advice"].keys() == record["missing"].keys()
    assert record["probes"][0]["about"] == "reach the network"


@pytest.mark.skipif(sys.platform != "linux", reason="walls are Linux's")
def test_this_machine(run: Run) -> None:
    done = run("doctor", "--json", "--without-bubblewrap")
    assert done.stdout, done.output
    record = json.loads(done.stdout)
    assert record["missing"]["bubblewrap"] == "left out, as asked"
    assert "bubblewrap" not in record["walls"]
    assert record["isolation"] in (0, 2)
    assert len({probe["name"] for probe in record["probes"]}) > 40
    if bubblewrap.available() is None:
        inside = json.loads(run("doctor", "--json").stdout)
        assert inside["walls"][0] == "bubblewrap"
        assert "bubblewrap" not in inside["missing"]
