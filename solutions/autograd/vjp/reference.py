"""The product of a vector and a Jacobian: what one backward pass computes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def vjp(f: Callable[[Tensor], Tensor], x: Tensor, v: Tensor) -> Tensor:
    r"""Multiply a vector from the left to the Jacobian of a function at a point.

    .. math:: (v^T J)_j = \sum_i v_i \frac{\partial f(x)_i}{\partial x_j}

    Args:
        f: takes one tensor and returns one tensor, of any shape and built from differentiable operations.
            It does not write into its argument.
        x: where the Jacobian is taken; any shape, float32 or float64. It may require a gradient or not, and
            may be a leaf or not.
        v: the weight of each element of ``f(x)``, with the shape and the dtype of ``f(x)``.

    Returns:
        A tensor with the shape and the dtype of ``x``.

    Raises:
        Nothing of its own.

    Conventions:
        * Where ``f`` does not depend on ``x``, wholly or in part, the result is zero there; it is never
          None. This includes an ``f(x)`` that carries no graph at all.
        * The result carries no graph: its ``requires_grad`` is False, whether or not ``x``, ``v`` or the
          tensors that ``f`` closes over require a gradient.
        * Nothing else changes: neither ``x`` (its values, its ``.grad``, its ``requires_grad``), nor ``v``,
          nor the ``.grad`` of the tensors that ``f`` closes over, such as the weights of a model.

    Not allowed:
        ``torch.func.vjp``, ``torch.autograd.functional.vjp``.

    Example:
        >>> def f(x):
        ...     return torch.stack((x[0] * x[1], 3 * x[0]))
        >>> vjp(f, torch.tensor([2.0, 5.0]), torch.tensor([1.0, 10.0]))
        tensor([35.,  2.])
    """
    # solution begins
    point = x.detach().requires_grad_()
    y = f(point)
    if not y.requires_grad:
        return torch.zeros_like(x)
    (product,) = torch.autograd.grad(y, point, v, allow_unused=True)
    # Where f passes a gradient on as it is, the product is v itself, with whatever graph v has.
    return torch.zeros_like(x) if product is None else product.detach()
    # solution ends
