"""Reading a generator to its end, or just its beginning."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import torch

Batch = tuple[torch.Tensor, torch.Tensor]


def collect(function: Callable[..., Iterator[Batch]], *how: Any, **more: Any) -> list[Batch]:
    """All batches in a list; a hundred at most, should they never end."""
    return list(islice(function(*how, **more), 100))


def first_two(function: Callable[..., Iterator[Batch]], *how: Any) -> list[Batch]:
    """The first batch and the next, each asked for by itself."""
    batches = function(*how)
    return [next(batches), next(batches)]
