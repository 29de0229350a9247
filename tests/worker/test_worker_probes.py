from __future__ import annotations

import pytest

from grader.worker.probes import MEMORY, STAT, THREAD, Probe, level


def probes(*open_: str) -> list[Probe]:
    names = ["reach a server (TCP)", "write to /tmp", THREAD, MEMORY, STAT]
    return [Probe(name, name not in open_, "", "") for name in names]


def test_all_held():
    assert level(probes(), bubblewrap=True) == 3
    assert level(probes(), bubblewrap=False) == 2


def test_only_bubblewrap_hides_that_files_exist():
    assert level(probes(STAT), bubblewrap=False) == 2
    assert level(probes(STAT), bubblewrap=True) == 2


@pytest.mark.parametrize("name", ["reach a server (TCP)", "write to /tmp", THREAD, MEMORY])
def test_one_hole_is_none_at_all(name):
    assert level(probes(name), bubblewrap=True) == 0


def test_a_gpu_needs_threads_and_address_space():
    assert level(probes(THREAD, MEMORY), bubblewrap=True, device="cuda") == 3
    assert level(probes("write to /tmp"), bubblewrap=True, device="cuda") == 0


def test_nothing_tried_is_nothing_proven():
    assert level([], bubblewrap=True) == 0
