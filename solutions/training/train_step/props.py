"""Small models with an optimizer each, losses, and a look at what a step has left behind."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Made = tuple[nn.Module, torch.optim.Optimizer]


def _fill(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """The same weights on every machine, without a random generator."""
    with torch.no_grad():
        for number, parameter in enumerate(model.parameters(), start=1):
            steps = torch.arange(1, parameter.numel() + 1, dtype=torch.float64)
            parameter.copy_(torch.sin(steps * number).reshape(parameter.shape))
    return model.to(dtype)


def with_momentum(dtype: torch.dtype) -> Made:
    """Three inputs, one output; SGD with momentum and weight decay, at two rates."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    _fill(model, dtype)
    groups = [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": 0.05}]
    return model, torch.optim.SGD(groups, lr=0.1, momentum=0.9, weight_decay=0.01)


def with_hook(dtype: torch.dtype) -> Made:
    """As with momentum; a hook doubles the prediction."""
    model, optimizer = with_momentum(dtype)
    model.register_forward_hook(lambda module, inputs, prediction: 2 * prediction)
    return model, optimizer


class _WithSpare(nn.Module):
    """Only a part of the model takes part."""

    def __init__(self) -> None:
        super().__init__()
        self.used = nn.Linear(3, 1)
        self.spare = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """What the used layer makes of x."""
        prediction: Tensor = self.used(x)
        return prediction


def with_idle_parameters(dtype: torch.dtype) -> Made:
    """One parameter is frozen, and two never meet the input; all are in the optimizer."""
    model = _fill(_WithSpare(), dtype)
    model.get_parameter("used.bias").requires_grad_(False)
    return model, torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.01)


def with_adam(dtype: torch.dtype) -> Made:
    """Three inputs, four classes; Adam."""
    model = _fill(nn.Sequential(nn.Linear(3, 5), nn.Sigmoid(), nn.Linear(5, 4)), dtype)
    return model, torch.optim.Adam(model.parameters(), lr=0.05)


def with_batch_norm(dtype: torch.dtype, training: bool) -> Made:
    """A model whose output depends on its mode; its first normalisation is frozen in eval mode."""
    model = _fill(
        nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1)), dtype
    )
    model.train(training)
    model[0].eval()
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def leave_gradients(model: nn.Module, value: float) -> None:
    """Gradients as some earlier backward pass might have left them."""
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, value)


def lopsided(prediction: Tensor, target: Tensor) -> Tensor:
    """A squared error that costs three times as much above the target: the arguments' order counts."""
    difference = prediction - target
    return torch.where(difference > 0, 3 * difference**2, difference**2).mean()


classification: Callable[[Tensor, Tensor], Tensor] = nn.functional.cross_entropy


def left_behind(model: nn.Module) -> tuple[list[Tensor], list[Tensor | None], list[Tensor], list[bool]]:
    """Parameters, their gradients, buffers, and the mode of each part of the model."""
    return (
        [parameter.detach().clone() for parameter in model.parameters()],
        [None if parameter.grad is None else parameter.grad.clone() for parameter in model.parameters()],
        [buffer.clone() for buffer in model.buffers()],
        [module.training for module in model.modules()],
    )
