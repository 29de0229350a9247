"""A state with names, as an LSTM of one's own might keep it."""

from typing import NamedTuple

import torch


class State(NamedTuple):
    """Hidden state and cell."""

    h: torch.Tensor
    c: torch.Tensor


def class_name(value: object) -> str:
    """What the value's class is called."""
    return type(value).__name__
