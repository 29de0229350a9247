"""What stands on one student's own page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.course.model import Language
from grader.gradebook.marks import Mark
from grader.gradebook.report.classroom import Share, is_ungraded, shown_name, topic_shares
from grader.gradebook.report.figures import NO_FIGURE, percent, points
from grader.gradebook.report.titles import Titles
from grader.gradebook.report.words import OUTCOMES, VERDICTS, say
from grader.result import ExerciseResult, GradingResult, TestResult, Verdict
from grader.submission.shown import for_name

__all__ = ["Answer", "Failure", "Page", "TopicBar", "page_of"]

_MESSAGE = 800


@dataclass(frozen=True)
class Failure:
    """Hidden tests that failed alike: their names, what became of them, what was said, the points they cost."""

    tests: str
    outcome: str
    message: str
    lost: str


@dataclass(frozen=True)
class Answer:
    """One exercise of hers, in words."""

    title: str
    verdict: Verdict
    verdict_text: str
    score: str
    failures: tuple[Failure, ...]
    passed: str
    misconception: str
    hint: str
    findings: tuple[str, ...]


@dataclass(frozen=True)
class TopicBar:
    """What she has in a topic: `share` in percent, None where nothing of it could be graded."""

    title: str
    score: str
    share: int | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Page:
    """All of a student's page. `ids` is what else she is called, `facts` what is to be said of the hand-in."""

    name: str
    ids: str
    score: str
    facts: tuple[str, ...]
    topics: tuple[TopicBar, ...]


def page_of(mark: Mark, titles: Titles, language: Language, *, feedback: GradingResult | None = None) -> Page:
    """A student's page.

    Args:
        mark: what counts for her.
        titles: what the course calls things.
        language: of the page's own words.
        feedback: her result as she may see it; that of the mark where it is None.
    """
    result = feedback if feedback is not None else mark.result
    shares = topic_shares(result)
    exercises: dict[str, list[ExerciseResult]] = {}
    for exercise in _in_order(result.exercises, titles):
        exercises.setdefault(exercise.topic, []).append(exercise)
    order = [topic for topic in titles.topics if topic in exercises]
    order += [topic for topic in exercises if topic not in titles.topics]
    return Page(
        name=shown_name(mark.student),
        ids=_ids(mark),
        score=say(language, "score_of", score=points(mark.score), of=points(mark.max_score)),
        facts=tuple(_facts(mark, language)),
        topics=tuple(_topic(topic, shares[topic], exercises[topic], titles, language) for topic in order),
    )


def _ids(mark: Mark) -> str:
    known = (for_name(mark.student.id), for_name(mark.student.email))
    return " · ".join(dict.fromkeys(text for text in known if text and text != shown_name(mark.student)))


def _facts(mark: Mark, language: Language) -> Iterable[str]:
    if mark.submitted is not None:
        yield say(language, "handed_in", date=mark.submitted.strftime("%Y-%m-%d %H:%M"))
    if mark.late_days:
        yield say(language, "late", n=mark.late_days)
    if round(mark.score, 2) != round(mark.result.score, 2):
        yield say(language, "before_lateness", score=points(mark.result.score))
    if mark.attempts > 1:
        yield say(language, "attempt", n=mark.attempt, of=mark.attempts)
    if any(map(is_ungraded, mark.result.exercises)):
        yield say(language, "not_whole")


def _in_order(exercises: Sequence[ExerciseResult], titles: Titles) -> Iterable[ExerciseResult]:
    by_id = {exercise.id: exercise for exercise in exercises}
    known = [by_id[name] for name in titles.exercises if name in by_id]
    return (*known, *(exercise for exercise in exercises if exercise.id not in titles.exercises))


def _topic(
    topic: str, share: Share, exercises: list[ExerciseResult], titles: Titles, language: Language
) -> TopicBar:
    graded = share.state != "ungraded"
    return TopicBar(
        title=titles.topic(topic),
        score=f"{points(share.score)} / {points(share.max_score)}" if graded else NO_FIGURE,
        share=percent(share.of_all) if graded else None,
        answers=tuple(_answer(exercise, titles, language) for exercise in exercises),
    )


def _answer(exercise: ExerciseResult, titles: Titles, language: Language) -> Answer:
    verdict: Verdict = "ungraded" if is_ungraded(exercise) else exercise.verdict
    passed = sum(test.outcome == "passed" for test in exercise.tests)
    said = exercise.diagnosis and titles.diagnosis(exercise.id, exercise.diagnosis)
    return Answer(
        title=titles.exercise(exercise.id),
        verdict=verdict,
        verdict_text=VERDICTS[language][verdict],
        score=NO_FIGURE
        if verdict == "ungraded"
        else f"{points(exercise.score)} / {points(exercise.max_score)}",
        failures=tuple(_failures(exercise.tests, language)),
        passed=say(language, "tests_passed", n=passed) if passed else "",
        misconception=for_name(said.misconception, limit=_MESSAGE) if said else "",
        hint=for_name(said.hint, limit=_MESSAGE) if said else "",
        findings=tuple(_finding(finding.message, finding.line, language) for finding in exercise.findings),
    )


def _failures(tests: Sequence[TestResult], language: Language) -> Iterable[Failure]:
    """What failed, told once where it befell several tests."""
    alike: dict[tuple[str, str], list[TestResult]] = {}
    for test in tests:
        if test.outcome != "passed":
            alike.setdefault((test.outcome, test.message), []).append(test)
    for group in alike.values():
        lost = sum(test.points - test.earned for test in group)
        graded = group[0].outcome != "ungraded"
        yield Failure(
            tests=_named(group, len(tests), language),
            outcome=OUTCOMES[language][group[0].outcome],
            message=for_name(group[0].message, limit=_MESSAGE),
            lost="−" + say(language, "lost", n=points(lost)) if graded and lost > 0 else "",
        )


def _named(group: Sequence[TestResult], of: int, language: Language) -> str:
    if len(group) == of:
        return say(language, "all_tests", n=of)
    return ", ".join(for_name(test.name).replace("_", " ") for test in group)


def _finding(message: str, line: int | None, language: Language) -> str:
    text = for_name(message, limit=_MESSAGE)
    return text if line is None else f"{text} ({say(language, 'line', n=line)})"
