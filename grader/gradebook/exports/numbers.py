"""Points as learning platforms read them: two places after the point, whatever the machine's language."""

from __future__ import annotations

from typing import Literal

from grader.errors import UsageError
from grader.gradebook.marks import Mark

__all__ = ["OutOf", "is_whole", "read_points", "rounded", "scaled", "target", "written"]

OutOf = float | Literal["points", "platform"]
"""What full marks are worth: a number, the course's own points, or the maximum that the platform's file tells."""

_PLACES = 2


def rounded(points: float) -> float:
    """To two places, and never minus nothing."""
    return round(points, _PLACES) + 0.0


def written(points: float) -> str:
    """As text: `12`, `2.5`, `66.67`; no comma, no exponent."""
    text = f"{points:.{_PLACES}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def scaled(points: float, max_points: float, out_of: float | None) -> float:
    """Points out of `max_points` as points out of `out_of`; None leaves them as they are."""
    if out_of is None or max_points == out_of:
        return rounded(points)
    return rounded(points * out_of / max_points) if max_points else 0.0


def target(out_of: OutOf, platform: float | None) -> float | None:
    """What full marks are scaled to, or None for the course's own points.

    Raises:
        UsageError: it is no number of points.
    """
    if out_of == "points":
        return None
    if out_of == "platform":
        return platform
    if not 0 < out_of < float("inf"):
        raise UsageError(f"full marks cannot be worth {out_of:g}: name a number above 0")
    return float(out_of)


def read_points(text: str) -> float | None:
    """A platform's number, with a point or a comma before its decimals; None where it is none."""
    digits = "".join(text.replace("\u2019", "").replace("'", "").split())
    head, separator, decimals = digits.replace(",", ".").rpartition(".")
    try:
        number = float(head.replace(".", "") + separator + decimals)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None


def is_whole(mark: Mark) -> bool:
    """Whether all of it was graded: what the grader itself could not grade is never to be read as a zero."""
    return mark.result.exit_code != 3
