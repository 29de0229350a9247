"""What only the side that holds the graph can tell."""

from __future__ import annotations

import torch
from torch import Tensor


def two_losses(
    function: type[torch.autograd.Function],
    first: tuple[Tensor, Tensor, Tensor],
    second: tuple[Tensor, Tensor, Tensor],
) -> Tensor:
    """Two nodes in one graph: the sum hands the same gradient to both."""
    return -2.5 * (function.apply(*first) + function.apply(*second))


def given_gradients(
    function: type[torch.autograd.Function], pred: Tensor, target: Tensor, weight: Tensor, grad_output: Tensor
) -> list[bool]:
    """For each input, whether `backward` gives it a gradient: autograd itself drops the needless ones unseen.

    An empty list where the loss was not made by a Function with a `backward` in Python.
    """
    loss = function.apply(pred, target, weight)
    backward = getattr(loss.grad_fn, "apply", None)
    return [] if backward is None else [gradient is not None for gradient in backward(grad_output)]
