"""Each attack through the real `grade submit`: it earns nothing, harms nobody, and the grader lives."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from _pytest.mark import ParameterSet

from grader.result import GradingResult
from tests.attacks import catalogue
from tests.attacks.attack import NEIGHBOURS, Attack, right_answer
from tests.attacks.grading import SEED, Graded, Situation, run_grade, submit
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
    assert_earned_nothing(attack, graded.result, level)


def assert_earned_nothing(attack: Attack, result: GradingResult, level: int) -> None:
    """No point that is not deserved, the right verdicts and findings, and full marks for what is right."""
    assert result.isolation == level
    found = {exercise.id: exercise for exercise in result.exercises}
    for name in attack.full_marks:
        assert found[name].score == found[name].max_score, found[name]
    attacked = attack.attacked & set(found) if attack.make is None else set(found) - attack.full_marks
    for name in attacked:
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


def write_class(attacks: list[Attack], folder: Path) -> Path:
    """A class of attackers, each with a good student for a neighbour."""
    for number, attack in enumerate(attacks):
        attack.hand_in(folder / f"a{number:03d}")
        good = folder / f"a{number:03d}-neighbour"
        good.mkdir()
        for exercise in ("softmax", *NEIGHBOURS):
            (good / f"{exercise}.py").write_text(right_answer(exercise), encoding="utf-8")
    return folder


IN_A_FOLDER = [attack for attack in ATTACKS if attack.make is None and not attack.known_limit]


@pytest.mark.parametrize(
    ("situation", "attacks"),
    [
        (NAMES[0], [attack for attack in IN_A_FOLDER if not attack.patient]),
        # Minutes each: in CI the quick ones do, with most walls.
        *(pytest.param(name, IN_A_FOLDER, marks=pytest.mark.slow) for name in NAMES),
    ],
    indirect=["situation"],
    ids=["a_sample", *(name.replace(" ", "_") for name in NAMES)],
)
def test_a_class_of_attackers_earns_nothing_and_their_neighbours_all(
    situation: Situation, attacks: list[Attack], course: Path, tmp_path: Path
) -> None:
    handed_in, out = write_class(attacks, tmp_path / "class"), tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)  # whoever grades writes there
    done = run_grade(
        situation,
        "batch",
        str(handed_in),
        "--course",
        str(course),
        "--out",
        str(out),
        "--seed",
        SEED,
        seconds=3000,
    )
    assert done.returncode == 1, done.stderr
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    results = {line.student: line for line in map(GradingResult.model_validate_json, lines)}
    assert len(results) == len(lines) == 2 * len(attacks)
    text = {result.student: line for result, line in zip(results.values(), lines, strict=True)}
    failures = []
    for number, attack in enumerate(attacks):
        student = f"a{number:03d}"
        try:
            assert_earned_nothing(attack, results[student], situation.level)
            assert not [shown for shown in attack.never_shown if shown in text[student]]
            good = {exercise.id: exercise.verdict for exercise in results[f"{student}-neighbour"].exercises}
            assert {good[exercise] for exercise in ("softmax", *NEIGHBOURS)} == {"passed"}, good
        except AssertionError as error:
            failures.append(f"{attack.name}: {error}")
    assert not failures, "\n".join(failures)


def _cases() -> Iterator[ParameterSet]:
    """Every attack in every situation, slow but for a few: a whole process each, torch imported twice."""
    for name in NAMES:
        for number, attack in enumerate(ATTACKS):
            sampled = name == NAMES[0] and number % 40 == 0 and not attack.patient
            marks = [] if sampled else [pytest.mark.slow]
            if attack.known_limit:
                marks.append(pytest.mark.xfail(reason=attack.known_limit))
            yield pytest.param(name, attack, id=f"{name.replace(' ', '_')}-{attack.name}", marks=marks)


@pytest.mark.parametrize(("situation", "attack"), list(_cases()), indirect=["situation"])
def test_submit_withstands_it(attack: Attack, situation: Situation, course: Path, tmp_path: Path) -> None:
    handed_in = attack.hand_in(tmp_path / "student")
    assert_withstood(attack, submit(situation, course, handed_in, "--seed", SEED), situation.level)
