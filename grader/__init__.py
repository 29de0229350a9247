"""torchgrade: grades PyTorch exercises by their values and their gradients.

The two names that a course's author writes are here, and they are looked up on first use. This file is also
the one that the walled worker imports, where neither the rest of the package nor its dependencies exist: it
imports nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.course.wrong_answers import wrong_answer
    from grader.examiner.comparison import agree

__all__ = ["__version__", "agree", "wrong_answer"]

__version__ = "0.1.0"

_HOMES = {"agree": "grader.examiner.comparison", "wrong_answer": "grader.course.wrong_answers"}


def __getattr__(name: str) -> object:
    """Import a public name from its home when it is first asked for (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
