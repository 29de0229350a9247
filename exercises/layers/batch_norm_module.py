"""Batch normalisation as a module: parameters that learn, buffers that follow along."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    r"""Normalise each channel: by the batch's statistics in train mode, by the running ones in eval mode.

    .. math:: y = \gamma \, \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}} + \beta

    In train mode each call also moves the running statistics towards those of its batch:

    .. math:: r \leftarrow (1 - \text{momentum}) \, r + \text{momentum} \cdot \text{batch}

    Args:
        num_features: C, the number of channels.
        eps: keeps the root away from zero.
        momentum: the share of the new batch in the running statistics.

    Raises:
        Nothing of its own.

    Conventions:
        * Channels are in dim 1. The statistics run over all other dims: the batch, and the positions of an
          image.
        * ``weight`` (gamma, ones at the start) and ``bias`` (beta, zeros at the start) are parameters of
          shape [C]. There are no others.
        * ``running_mean`` (zeros at the start) and ``running_var`` (ones at the start) are buffers of shape
          [C]: they are in the ``state_dict`` and move with ``.to(...)``, but no optimizer sees them. A
          buffer ``num_batches_tracked`` is allowed and not looked at.
        * The batch is normalised by its **biased** variance (divided by n); ``running_var`` follows the
          **unbiased** one (divided by n - 1), where n is the number of values of a channel.
        * Values may lie far from zero, as 5000 with a spread of 2 in float32, where the mean of the squares
          less the square of the mean has lost every digit of the variance.
        * eps stands inside the root, and is not added to ``running_var``.
        * In train mode the mean and the variance depend on x, and the gradient flows through them. The
          buffers carry no graph.
        * In eval mode the buffers are used and not changed.
        * Whether it trains or evaluates is ``self.training``, which ``train()`` and ``eval()`` set.
        * x is not changed. A single value for each channel is not asked.

    Not allowed:
        ``torch.nn.BatchNorm1d``, ``2d``, ``3d`` and their lazy and synchronised forms, ``torch.batch_norm``,
        ``torch.native_batch_norm``, ``torch.nn.functional.batch_norm``.

    Example:
        >>> layer = BatchNorm(2, momentum=0.5)
        >>> y = layer(torch.tensor([[0.0, 3.0], [4.0, 5.0]]))
        >>> [round(value, 2) for value in y.flatten().tolist()]
        [-1.0, -1.0, 1.0, 1.0]
        >>> layer.running_mean, layer.running_var
        (tensor([1., 2.]), tensor([4.5000, 1.5000]))
        >>> layer.eval()(torch.tensor([[1.0, 2.0]])).tolist()
        [[0.0, 0.0]]
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        """Create the parameters and the buffers."""
        super().__init__()
        raise NotImplementedError("BatchNorm.__init__ is not written yet")

    def forward(self, x: Tensor) -> Tensor:
        """Normalise a batch.

        Args:
            x: [N, C] or [N, C, H, W], the dtype of the module (float32 or float64).

        Returns:
            A tensor with the shape and the dtype of ``x``.
        """
        raise NotImplementedError("BatchNorm.forward is not written yet")
