"""The data that the report's script reads, as JSON inside the page.

Each text stands once, in a table, and is meant wherever its number stands: a thousand students get the same few
messages, so the file stays small.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from markupsafe import Markup

from grader.gradebook.report.classroom import Student
from grader.gradebook.report.student_page import Answer, Page

__all__ = ["as_script_data", "index_of", "pages_as_data"]

# None of these can end a script element, open a comment in it, or end a line of a script.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def as_script_data(data: object) -> Markup:
    """Data as JSON that may stand inside a script element, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Half of a surrogate pair cannot be written as UTF-8.
    return Markup(text.translate(_ESCAPES).encode("utf-8", "replace").decode("utf-8"))


def index_of(students: Iterable[Student], pages: Iterable[Page]) -> list[list[str]]:
    """For each student: link, name, and what else she is called."""
    return [[student.slug, student.name, page.ids] for student, page in zip(students, pages, strict=True)]


class _Texts:
    """Texts, each of them once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def pages_as_data(pages: Iterable[Page]) -> dict[str, object]:
    """The pages, as lists in the order of the fields of `Page` and its parts, with numbers for texts."""
    texts = _Texts()
    texts("")
    encoded = [
        [
            page.name,
            page.ids,
            texts(page.score),
            list(map(texts, page.facts)),
            [
                [
                    texts(topic.title),
                    texts(topic.score),
                    topic.share,
                    [_answer(answer, texts) for answer in topic.answers],
                ]
                for topic in page.topics
            ],
        ]
        for page in pages
    ]
    return {"texts": list(texts.numbers), "pages": encoded}


def _answer(answer: Answer, texts: _Texts) -> list[object]:
    encoded: list[object] = [
        texts(answer.title),
        texts(answer.verdict),
        texts(answer.verdict_text),
        texts(answer.score),
        [
            [texts(failure.tests), texts(failure.outcome), texts(failure.message), texts(failure.lost)]
            for failure in answer.failures
        ],
        texts(answer.passed),
        texts(answer.misconception),
        texts(answer.hint),
        list(map(texts, answer.findings)),
    ]
    # Most answers pass, and have nothing at their end.
    while encoded[-1] in (0, []):
        encoded.pop()
    return encoded
