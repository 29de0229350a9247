"""Hidden inputs: drawn anew with each call, from the secret, the exercise and the test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from grader.examiner.context import current

_Item = TypeVar("_Item")


class Make:
    """The `make` fixture. Floats come as float32 unless said otherwise, on the CPU."""

    @property
    def _generator(self) -> torch.Generator:
        return current().inputs

    def randn(
        self,
        *shape: int,
        dtype: torch.dtype = torch.float32,
        requires_grad: bool = False,
        scale: float = 1.0,
        shift: float = 0.0,
    ) -> Tensor:
        """Normal numbers of standard deviation `scale` around `shift`."""
        numbers = torch.randn(shape, generator=self._generator, dtype=torch.float64) * scale + shift
        return numbers.to(dtype).requires_grad_(requires_grad)

    def uniform(
        self,
        low: float,
        high: float,
        *shape: int,
        dtype: torch.dtype = torch.float32,
        requires_grad: bool = False,
    ) -> Tensor:
        """Numbers spread evenly over [low, high)."""
        numbers = torch.rand(shape, generator=self._generator, dtype=torch.float64) * (high - low) + low
        return numbers.to(dtype).requires_grad_(requires_grad)

    def rand(self, *shape: int, dtype: torch.dtype = torch.float32, requires_grad: bool = False) -> Tensor:
        """Numbers spread evenly over [0, 1)."""
        return self.uniform(0.0, 1.0, *shape, dtype=dtype, requires_grad=requires_grad)

    def tensor(self, data: Any, dtype: torch.dtype | None = None, requires_grad: bool = False) -> Tensor:
        """The given numbers as a tensor."""
        return torch.tensor(data, dtype=dtype, requires_grad=requires_grad)

    def randint(self, low: int, high: int, *shape: int) -> Tensor:
        """int64 numbers in [low, high)."""
        return torch.randint(low, high, shape, generator=self._generator)

    def tokens(self, vocabulary: int, *shape: int) -> Tensor:
        """int64 token ids in [0, vocabulary)."""
        return self.randint(0, vocabulary, *shape)

    def mask(self, *shape: int, p: float = 0.5) -> Tensor:
        """Booleans, True with probability p."""
        return torch.rand(shape, generator=self._generator) < p

    def boxes(self, count: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """[count, 4] corners x1, y1, x2, y2 in [0, 2), each side between 0.1 and 1."""
        corner = torch.rand(count, 2, generator=self._generator, dtype=torch.float64)
        size = 0.1 + 0.9 * torch.rand(count, 2, generator=self._generator, dtype=torch.float64)
        return torch.cat([corner, corner + size], dim=1).to(dtype)

    def probabilities(self, *shape: int, dim: int = -1, dtype: torch.dtype = torch.float32) -> Tensor:
        """Positive numbers that sum to 1 along `dim`."""
        return torch.randn(shape, generator=self._generator, dtype=torch.float64).softmax(dim).to(dtype)

    def permutation(self, count: int) -> Tensor:
        """The int64 numbers below `count`, shuffled."""
        return torch.randperm(count, generator=self._generator)

    def noncontiguous(self, tensor: Tensor) -> Tensor:
        """The same values in a strided view of a larger storage; a leaf where `tensor` is one.

        Every other element of rows that are longer than they need be: no two dimensions can be taken as one,
        so that a flat view of it is a copy, or an error.
        """
        if not tensor.dim():
            return tensor.detach().requires_grad_(tensor.requires_grad)
        *outer, last = tensor.shape
        room = torch.empty(*outer, last + 1, 2, dtype=tensor.dtype)
        view = room[..., :last, 0]
        view.copy_(tensor.detach())
        return view.detach().requires_grad_(tensor.requires_grad)

    def integer(self, low: int, high: int) -> int:
        """A Python int in [low, high)."""
        return int(self.randint(low, high, 1))

    def number(self, low: float, high: float) -> float:
        """A Python float in [low, high)."""
        return float(self.uniform(low, high, 1, dtype=torch.float64))

    def choice(self, items: Sequence[_Item]) -> _Item:
        """One of the items."""
        return items[self.integer(0, len(items))]
