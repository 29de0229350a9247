"""What the numbers depend on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch


def machine_facts(isolation: int, bubblewrapped: bool) -> list[str]:
    """Processor, system, versions and walls, a line each.

    Args:
        isolation: the level that stood.
        bubblewrapped: bubblewrap was one of them.
    """
    usable = len(os.sched_getaffinity(0))
    bubblewrap = "with bubblewrap" if bubblewrapped else "without bubblewrap"
    return [
        f"{_processor()}, {usable} of {os.cpu_count()} cores, Linux {platform.release()}",
        f"Python {platform.python_version()}, torch {torch.__version__}",
        f"isolation level {isolation}, {bubblewrap}",
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
