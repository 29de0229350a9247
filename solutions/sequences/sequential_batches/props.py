"""Reading a generator to its end."""

from collections.abc import Iterable
from itertools import islice

import torch

Batch = tuple[torch.Tensor, torch.Tensor]


def collect(batches: Iterable[Batch]) -> list[Batch]:
    """All batches in a list; a hundred at most, should they never end."""
    return list(islice(batches, 100))
