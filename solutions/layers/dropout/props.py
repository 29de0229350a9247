"""Several calls in a row, for what one call cannot tell of chance."""

from collections.abc import Callable

import torch
from torch import Tensor

Dropout = Callable[[Tensor, float, bool], Tensor]


def zeros_of_calls(dropout: Dropout, x: Tensor, p: float, calls: int) -> list[Tensor]:
    """Where the zeros are, call after call."""
    return [dropout(x, p, True) == 0 for _ in range(calls)]


def zeros_under_a_seed(dropout: Dropout, x: Tensor, p: float, seed: int) -> list[Tensor]:
    """Where the zeros are when torch's generator begins anew before each of two calls."""
    found = []
    for _ in range(2):
        torch.manual_seed(seed)
        found += zeros_of_calls(dropout, x, p, 1)
    return found
