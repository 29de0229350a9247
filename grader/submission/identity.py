"""Who handed in."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who handed in, as far as the folder or the learning platform's export tells.

    `id` names the student in the gradebook and is never empty. `numbers` holds what the platform calls her, by
    the platform's own words: {"canvas_user": "1234"}, {"moodle_participant": "77"}, {"gradescope_submission": "9"},
    {"sid": "s001"}.
    """

    id: str
    name: str = ""
    email: str = ""
    numbers: tuple[tuple[str, str], ...] = ()

    def number(self, kind: str) -> str:
        """What a platform calls her; empty where it was not said."""
        return dict(self.numbers).get(kind, "")
