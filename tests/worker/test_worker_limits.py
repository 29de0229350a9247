from __future__ import annotations

import mmap
import resource
import sys

import pytest

from grader.worker import limits
from grader.worker.limits import ResourceLimits, address_space, apply

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counted as Linux does")


def test_the_address_space_is_what_is_mapped():
    before = address_space()
    # Not from the heap, which may have as much lying idle.
    with mmap.mmap(-1, 64 << 20):
        assert 60 << 20 < address_space() - before < 70 << 20


def test_the_address_space_is_found_without_proc(in_a_fork):
    counted, tried = in_a_fork(lambda _: (address_space(), limits._address_space_by_trial()))
    assert abs(counted - tried) <= 2 << 20


def test_limits_are_never_raised(in_a_fork):
    def child(_):
        resource.setrlimit(resource.RLIMIT_NOFILE, (20, 30))
        apply(ResourceLimits(open_files=64).rlimits(None))
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_a_fork(child) == [30, 30]


def test_no_limit_of_memory_where_the_driver_reserves_terabytes():
    assert resource.RLIMIT_AS not in dict(ResourceLimits().rlimits(None))
    assert resource.RLIMIT_AS in dict(ResourceLimits().rlimits(0))


def test_part_of_a_second_of_processor_time_is_rounded_up():
    rlimits = dict(ResourceLimits(cpu_seconds=2.5).rlimits(None))
    soft, hard = rlimits[resource.RLIMIT_CPU]
    assert soft == 3
    assert hard > soft
