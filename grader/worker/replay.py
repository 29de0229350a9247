"""Runs recorded programs again, in a worker that never sees a line of a student's code.

The examiner has read each program before: only ops of its list are in it. It runs here all the same, behind
the walls, for a list that is harmless line by line may still ask for a terabyte.
"""

from __future__ import annotations

from typing import Any

import torch

from grader.wire import InputRef, TensorRecord, WireLimits, decode, encode
from grader.worker.recording import CONSTANT

# How a program spells what has no form of its own on the wire.
_SPELLED: dict[str, object] = {
    str(value): value
    for value in (
        torch.strided,
        torch.preserve_format,
        torch.contiguous_format,
        torch.channels_last,
        torch.channels_last_3d,
    )
}


class ReplayService:
    """Answers `replay` requests, and nothing else."""

    def __init__(self, limits: WireLimits) -> None:
        self.limits = limits

    def answer(self, message: bytes) -> bytes:
        """One program and some sets of inputs in; the outputs for each set out, or why there are none.

        A request is `("replay", ops, outputs, constants, sets)`, as `Recorder.program` has them. The reply is
        `("replayed", [tensors or a text, ...])`.
        """
        try:
            request = decode(message, self.limits)
            assert isinstance(request, tuple)
            verb, ops, outputs, constants, sets = request
            assert verb == "replay"
            found = [_replayed(ops, outputs, constants, inputs) for inputs in sets]
            return encode(("replayed", found), limits=self.limits)
        except Exception as error:
            return encode(("replayed", [type(error).__name__]), limits=self.limits)


def _replayed(
    ops: list[tuple[str, list[Any], dict[str, Any], int]],
    outputs: list[int],
    constants: list[TensorRecord],
    inputs: list[TensorRecord],
) -> list[torch.Tensor] | str:
    values = [record.tensor for record in inputs]
    left = iter(constants)
    try:
        with torch.no_grad():
            for name, args, kwargs, count in ops:
                if name == CONSTANT:
                    # A copy: it may be changed in place, and another set of inputs comes after this one.
                    values.append(next(left).tensor.clone())
                    continue
                arguments = [_filled(item, values) for item in args]
                keywords = {key: _filled(item, values) for key, item in kwargs.items()}
                result = _op(name)(*arguments, **keywords)
                returned = result if isinstance(result, (tuple, list)) else (result,)
                tensors = [item for item in returned if isinstance(item, torch.Tensor)]
                if len(tensors) != count:
                    return "an op returned something else than it did"
                values.extend(tensors)
        return [values[number].contiguous() for number in outputs]
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, MemoryError) as error:
        return type(error).__name__


def _op(name: str) -> Any:
    base, _, overload = name.removeprefix("aten::").partition(".")
    return getattr(getattr(torch.ops.aten, base), overload or "default")


def _filled(value: Any, values: list[torch.Tensor]) -> Any:
    kind = type(value)
    if kind is InputRef:
        return values[value.index]
    if kind is list:
        return [_filled(item, values) for item in value]
    if kind is str:
        return _SPELLED.get(value, value)
    return value


def warm_replay(limits: WireLimits) -> None:
    """Touch what a recording and a replay need, before any fork."""
    from grader.worker.recording import OpNames, Recorder

    x = torch.ones(2, 3, requires_grad=True)
    recorder = Recorder([x])
    with OpNames(), recorder:
        shifted = (x - x.amax(-1, keepdim=True)).exp() + torch.tensor([1.0, 2.0, 3.0])
        y = shifted.log().sum(-1, keepdim=True) / 2
    ops, outputs, constants, _ = recorder.program([y])
    ReplayService(limits).answer(encode(("replay", ops, outputs, constants, [[x], [x]]), limits=limits))
