"""The hidden tests of a grader that is a pytest file, as most are: `plain_checks` on the student's modules.

`rivals.py` copies it as test_plain.py beside the packages `submission` and `reference`.
"""

from importlib import import_module

import pytest
from plain_checks import CASES, Case, run_case


@pytest.mark.parametrize(
    ("exercise", "case"),
    [
        pytest.param(exercise, case, id=f"{exercise}-{case.name}")
        for exercise, listed in CASES.items()
        for case in listed
    ],
)
def test_plain(exercise: str, case: Case) -> None:
    """One check, on what the student's file defines."""
    run_case(case, import_module(f"submission.{exercise}"), import_module(f"reference.{exercise}"))
