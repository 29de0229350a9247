"""A weighted squared error with its backward pass written by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class WeightedMSE(torch.autograd.Function):
    r"""The mean of squared errors, each with a weight of its own, as a node of the graph.

    .. math:: L = \frac{1}{n} \sum_{i=1}^{n} w_i \, (p_i - t_i)^2

    It is called as ``WeightedMSE.apply(pred, target, weight)``.

    Args:
        pred: p, any shape, float32 or float64.
        target: t, the shape and the dtype of ``pred``.
        weight: w, the shape and the dtype of ``pred``; any sign.

    Returns:
        A tensor of no dimension, with the dtype of ``pred``.

    Raises:
        Nothing of its own.

    Conventions:
        * n is the number of all elements, not of rows, and not the sum of the weights.
        * ``backward`` returns three values, in the order of ``forward``'s arguments: the gradient of each
          input that needs one, and None for each that does not. All three inputs can need one.
        * ``grad_output`` is the gradient of what comes after the loss; it is not always 1.
        * No input is changed. Second derivatives are not asked.

    Not allowed:
        ``torch.nn.functional.mse_loss``, ``torch.nn.MSELoss``, and autograd inside ``backward``
        (``torch.autograd.grad``, ``torch.autograd.functional.vjp``, ``torch.func.vjp``, ``torch.func.grad``).

    Example:
        >>> pred = torch.tensor([3.0, 1.0], requires_grad=True)
        >>> loss = WeightedMSE.apply(pred, torch.tensor([1.0, 2.0]), torch.tensor([0.5, 4.0]))
        >>> loss.item()
        3.0
        >>> loss.backward()
        >>> pred.grad
        tensor([ 1., -4.])
    """

    @staticmethod
    def forward(ctx: Any, pred: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Compute the loss, and save what ``backward`` will need."""
        raise NotImplementedError("WeightedMSE.forward is not written yet")

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Turn the gradient of the loss, of no dimension, into those of the three inputs."""
        raise NotImplementedError("WeightedMSE.backward is not written yet")
