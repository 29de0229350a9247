"""Numbers as they are shown."""

from __future__ import annotations

__all__ = ["NO_FIGURE", "percent", "points"]

NO_FIGURE = "\N{EN DASH}"


def points(value: float) -> str:
    """Points, with two places at most."""
    return f"{round(value, 2):g}" if abs(value) < 1e5 else f"{value:.0f}"


def percent(share: float) -> int:
    """A share from 0 to 1 in whole percent: 0 only for nothing, and 100 only for all of it."""
    if share <= 0 or share >= 1:
        return 0 if share <= 0 else 100
    return min(99, max(1, round(100 * share)))
