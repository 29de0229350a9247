"""Answers that are made to look right rather than to be right."""

from __future__ import annotations

from tests.attacks.attack import Attack

EQUAL_TO_EVERYTHING = """\
class Yes:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __bool__(self): return True


def softmax(x, dim):
    return Yes()
"""

EXIT_ZERO = """\
import sys


def softmax(x, dim):
    sys.exit(0)
"""

ATTACKS = [
    Attack("object_equal_to_everything", {"softmax.py": EQUAL_TO_EVERYTHING}, verdicts=frozenset({"failed"})),
    Attack("sys_exit_0_before_the_answer", {"softmax.py": EXIT_ZERO}, verdicts=frozenset({"failed"})),
]
