"""One step of training: forward, backward, update."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_fn: Callable[[Tensor, Tensor], Tensor],
    x: Tensor,
    y: Tensor,
) -> float:
    r"""Take one optimizer step on one batch and return the loss that the batch had before it.

    .. math:: L = \ell(f_\theta(x), y), \qquad \theta \leftarrow \text{update}(\theta, \nabla_\theta L)

    Args:
        model: called as ``model(x)``, so that its hooks run (``model.forward(x)`` passes them by); its
            parameters are those that the optimizer updates.
        optimizer: any optimizer of ``torch.optim`` whose ``step()`` needs no closure, with one group of
            parameters or several.
        loss_fn: called as ``loss_fn(prediction, y)``, in this order; returns a tensor of no dimension.
        x: a batch of inputs, whatever the model takes.
        y: the targets of the batch, whatever the loss takes.

    Returns:
        The loss of this batch under the parameters from before the step, as a Python float.

    Raises:
        Nothing of its own.

    Conventions:
        * Gradients that are left over from before do not count: they are cleared before the backward pass.
        * The new gradients are left in ``.grad`` after the step, so that the caller can look at them.
        * The update is the optimizer's own, whichever it is.
        * A parameter that is frozen (``requires_grad`` is False) or that the loss does not reach is no error:
          where its ``.grad`` was None, it is None afterwards.
        * The model runs once, and its mode is left alone: neither ``train()`` nor ``eval()`` is called.
        * x and y are not changed.

    Not allowed:
        Nothing in particular.

    Example:
        >>> model = nn.Linear(1, 1, bias=False)
        >>> _ = nn.init.constant_(model.weight, 3.0)
        >>> sgd = torch.optim.SGD(model.parameters(), lr=0.125)
        >>> train_step(model, sgd, nn.functional.mse_loss, torch.tensor([[2.0]]), torch.tensor([[4.0]]))
        4.0
        >>> model.weight.item(), model.weight.grad.item()
        (2.0, 8.0)
    """
    # solution begins
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
    # solution ends
