"""Functions to differentiate, of every kind that a vector-Jacobian product meets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


def cubic(x: Tensor) -> Tensor:
    """Each element by itself: the Jacobian is diagonal."""
    return x**3 - 2 * x


def shifted(x: Tensor) -> Tensor:
    """The Jacobian is the identity: what comes from behind is passed on as it is."""
    return x + 1


def mixing(x: Tensor) -> Tensor:
    """As many outputs as inputs, each made of several inputs: the Jacobian is square and not symmetric."""
    return torch.tanh(x).cumsum(-1) * x.flip(-1)


def products(x: Tensor) -> Tensor:
    """More outputs than inputs: the product of every pair."""
    flat = x.reshape(-1)
    return torch.outer(flat, flat.exp())


def energy(x: Tensor) -> Tensor:
    """One output, of no dimension."""
    return (x * x.sin()).sum()


def first_row(x: Tensor) -> Tensor:
    """Only a part of x is used."""
    return x[0] ** 2


def constant(x: Tensor) -> Tensor:
    """The same for every x: no graph at all."""
    return torch.ones(3, dtype=x.dtype)


def cut(x: Tensor) -> Tensor:
    """Made from x, and cut off from it."""
    return x.detach() * 2


class Model:
    """A function with a weight of its own, which requires a gradient."""

    def __init__(self) -> None:
        self.weight = torch.tensor([[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5]], requires_grad=True)
        self.weight.grad = torch.full((3, 2), 7.0)

    def __call__(self, x: Tensor) -> Tensor:
        """A layer without a bias."""
        return torch.tanh(x @ self.weight)


class Bias(Model):
    """A function that uses its weight, but not x."""

    def __call__(self, x: Tensor) -> Tensor:
        """The weight alone."""
        return self.weight * 2


def flag_after(vjp: Callable[[Function, Tensor, Tensor], Tensor], f: Function, x: Tensor, v: Tensor) -> bool:
    """Whether x requires a gradient once its product has been computed."""
    vjp(f, x, v)
    return x.requires_grad
