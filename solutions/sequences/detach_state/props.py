"""A state with names, as an LSTM of one's own might keep it, and a look at what is the same object."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch


class State(NamedTuple):
    """Hidden state and cell."""

    h: torch.Tensor
    c: torch.Tensor


def lists_kept(function: Callable[[object], object], state: object) -> int:
    """How many lists of the state are in its result: the same objects, not only the same items."""
    given = {id(container) for container in _lists_in(state)}
    return sum(id(container) in given for container in _lists_in(function(state)))


def _lists_in(state: object) -> Iterator[object]:
    if isinstance(state, list):
        yield state
    if isinstance(state, (list, tuple)):
        for item in state:
            yield from _lists_in(item)


def class_name(value: object) -> str:
    """What the value's class is called."""
    return type(value).__name__
