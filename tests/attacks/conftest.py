from __future__ import annotations

from pathlib import Path

import pytest

from tests.attacks.attack import course_root
from tests.attacks.grading import Situation, impatient_course
from tests.attacks.situations import Situations


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped course, its limits short."""
    return impatient_course(course_root(), tmp_path_factory.mktemp("attacked") / "course")


@pytest.fixture(scope="session")
def situations(tmp_path_factory: pytest.TempPathFactory) -> Situations:
    """The users and levels that can be had on this machine."""
    return Situations(tmp_path_factory.mktemp("situations"), tmp_path_factory.getbasetemp().parent)


@pytest.fixture
def situation(request: pytest.FixtureRequest, situations: Situations) -> Situation:
    """The one that the test names; without a name, the most walls that this user can have."""
    return situations.get(getattr(request, "param", "own user, most walls"))
