"""Each attack through the real `grade submit`: it earns nothing, harms nobody, and the grader lives."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from tests.attacks import catalogue
from tests.attacks.attack import NEIGHBOURS, Attack
from tests.attacks.grading import Graded, Situation, submit
from tests.attacks.situations import NAMES

ATTACKS: list[Attack] = [
    attack
    for module in iter_modules(catalogue.__path__)
    for attack in import_module(f"{catalogue.__name__}.{module.name}").ATTACKS
]


def assert_withstood(attack: Attack, graded: Graded, level: int) -> None:
    """What holds for every attack."""
    assert graded.code == attack.exit_code, graded
    assert "Traceback" not in graded.err, graded
    for text in attack.never_shown:
        assert text not in graded.out + graded.err, graded
    if attack.exit_code == 2:
        assert graded.result is None
        assert graded.err.count("\n") == 1
        return
    assert graded.result is not None, graded
    assert graded.result.isolation == level
    found = {exercise.id: exercise for exercise in graded.result.exercises}
    for name in attack.attacked & set(found):
        exercise = found[name]
        assert exercise.score <= attack.deserves.get(name, 0.0), exercise
        assert exercise.verdict != "ungraded"
        assert not attack.verdicts or exercise.verdict in attack.verdicts, exercise
        kinds = {finding.kind for finding in exercise.findings}
        assert attack.findings <= kinds, exercise.findings
    if attack.make is None:
        for name in NEIGHBOURS - attack.attacked:
            assert found[name].score == found[name].max_score, found[name]


def test_no_two_attacks_have_one_name() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names))


@pytest.mark.slow  # a whole process each, torch imported twice: `pytest -m slow tests/attacks` runs them all
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("situation", NAMES, indirect=True, ids=lambda name: name.replace(" ", "_"))
def test_submit_withstands_it(attack: Attack, situation: Situation, course: Path, tmp_path: Path) -> None:
    if attack.known_limit:
        pytest.xfail(attack.known_limit)
    handed_in = attack.hand_in(tmp_path / "student")
    assert_withstood(attack, submit(situation, course, handed_in), situation.level)
