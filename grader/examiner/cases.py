"""A failing test, made again: what was called, what came, what was expected.

It shows hidden inputs whole. That is for an instructor's eyes; with a seed that no mark depends on it is for the
student's as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from grader.course.load import Exercise
from grader.examiner.bench import converse_locally
from grader.examiner.conversation import Conversation
from grader.examiner.session import Session
from grader.wire import Handle, InputRef, Name, TensorRecord

__all__ = ["Case", "Heard", "cases"]

_ELEMENTS = 400
"""A tensor of more is described, not written out."""
_CALLS = 12


@dataclass
class Heard:
    """One call, and what came of it."""

    call: str
    inputs: list[str]
    answer: str


@dataclass(frozen=True)
class Case:
    """One failing test. `calls` holds the student's, and beside each what the reference answers to the same."""

    test: str
    error: BaseException
    calls: tuple[tuple[Heard, str], ...]
    left_out: int = 0


@dataclass
class _Listening(Conversation):
    """A conversation that writes down what is called."""

    heard: list[Heard] = field(default_factory=list)

    def begin_test(self, seed: int) -> None:
        self.heard = []
        super().begin_test(seed)

    def call(
        self, target: object, arguments: tuple[object, ...], keywords: dict[str, object], grad: bool
    ) -> tuple[Any, ...]:
        written = _Written()
        given = [written.of(value) for value in arguments]
        given += [f"{name}={written.of(value)}" for name, value in keywords.items()]
        heard = Heard(f"{_target(target)}({', '.join(given)})", written.inputs, "")
        self.heard.append(heard)
        try:
            answer = super().call(target, arguments, keywords, grad)
        except BaseException as error:
            heard.answer = f"raises {type(error).__name__}: {error}"
            raise
        heard.answer = _Written(named=False).of(answer[0])
        return answer


def listen(conversation: Conversation) -> _Listening:
    """The same conversation, not begun yet, with an ear to it."""
    return _Listening(
        conversation.open_port,
        conversation.source,
        conversation.name,
        conversation.props,
        limits=conversation.limits,
    )


def cases(session: Session, exercise: Exercise, candidate: Conversation) -> Iterator[Case]:
    """The tests of an exercise that a candidate fails, one after another.

    Args:
        session: with the seed to use.
        exercise: which one.
        candidate: not begun yet.

    Raises:
        UngradedError: no worker is to be had.
    """
    student, reference = listen(candidate), listen(converse_locally(exercise, exercise.reference_source))
    try:
        for test, _ in session.tests(exercise):
            (run,) = session.run(exercise, student, only=test.__eq__) or (None,)
            if run is None or run.error is None:
                continue
            session.run(exercise, reference, only=test.__eq__)
            calls = [(heard, _expected(heard, reference.heard, n)) for n, heard in enumerate(student.heard)]
            # The last one is where it went wrong.
            yield Case(test, run.error, tuple(calls[-_CALLS:]), max(0, len(calls) - _CALLS))
    finally:
        student.close()
        reference.close()


def _expected(heard: Heard, reference: list[Heard], n: int) -> str:
    """What the reference answers to the same call; empty where it was asked something else."""
    if n < len(reference) and (reference[n].call, reference[n].inputs) == (heard.call, heard.inputs):
        return reference[n].answer
    return ""


def _target(target: object) -> str:
    if isinstance(target, Name):
        return target.path
    if isinstance(target, Handle):
        return f"<{target.type_name}>"
    return str(target)


class _Written:
    """Values as Python would have them; tensors as names, and what the names stand for in `inputs`."""

    def __init__(self, named: bool = True) -> None:
        self.named = named
        self.inputs: list[str] = []

    def of(self, value: object) -> str:
        """One value."""
        match value:
            case torch.Tensor():
                return self.tensor(value, value.requires_grad)
            case TensorRecord():
                return self.tensor(value.tensor, value.requires_grad)
            case Name() | Handle():
                return _target(value)
            case InputRef():
                return f"argument {value.index}"
            case list():
                return f"[{', '.join(map(self.of, value))}]"
            case tuple():
                inner = ", ".join(map(self.of, value))
                return f"({inner},)" if len(value) == 1 else f"({inner})"
            case dict():
                return f"{{{', '.join(f'{key!r}: {self.of(item)}' for key, item in value.items())}}}"
        return repr(value)

    def tensor(self, tensor: torch.Tensor, requires_grad: bool) -> str:
        """A tensor: its name, or as it would be made."""
        text = _made(tensor, requires_grad and self.named)
        if not self.named:
            return text
        self.inputs.append(f"x{len(self.inputs)} = {text}")
        return f"x{len(self.inputs) - 1}"


def _made(tensor: torch.Tensor, requires_grad: bool) -> str:
    kind = f"dtype={tensor.dtype}" + (", requires_grad=True" if requires_grad else "")
    if tensor.numel() > _ELEMENTS:
        return f"<tensor of shape {tuple(tensor.shape)}, {kind}>"
    if 0 in tensor.shape[:-1]:
        return f"torch.empty({tuple(tensor.shape)}, {kind})"
    # Python has no words of its own for them.
    values = re.sub(r"\b(nan|inf)\b", r"float('\1')", str(tensor.detach().tolist()))
    return f"torch.tensor({values}, {kind})"
