"""A student's id out of whatever names her: fit to name a file, and never a path."""

from __future__ import annotations

import hashlib
import unicodedata
from typing import Final

__all__ = ["as_id", "as_text"]

_ALSO_ALLOWED: Final = frozenset(" ._-@+")
_LONGEST_BYTES: Final = 120
_HASH_DIGITS: Final = 8
_WINDOWS_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
)


def as_id(text: str) -> str:
    """An id for what is called so: letters and digits of any script, and a few marks between them.

    Where anything had to be changed, a hash of the text is put behind it, so that two that differ stay two.
    """
    plain = unicodedata.normalize("NFC", text)
    kept = "".join(c if _is_allowed(c) else "_" for c in plain)
    kept = " ".join(kept.split()).lstrip(".-@+ ").rstrip(". ")
    kept = _cut(kept, _LONGEST_BYTES)
    if not any(c.isalnum() for c in kept):
        kept = "student"
    if kept != plain or kept.partition(".")[0].lower() in _WINDOWS_DEVICES:
        digest = hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{_cut(kept, _LONGEST_BYTES - _HASH_DIGITS - 1)}-{digest[:_HASH_DIGITS]}"
    return kept


def as_text(name: str) -> str:
    """A file's name as text that can be kept: a byte that is no UTF-8 becomes a replacement mark."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_allowed(character: str) -> bool:
    # A vowel sign of Devanagari, say, is no letter by itself and belongs to the one before it.
    return (
        character.isalnum() or character in _ALSO_ALLOWED or unicodedata.category(character) in ("Mn", "Mc")
    )


def _cut(text: str, most: int) -> str:
    return text.encode("utf-8", "replace")[:most].decode("utf-8", "ignore").rstrip(". ")
