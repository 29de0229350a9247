"""A layer with known contents, and a look at what it keeps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def layer(
    kind: Callable[..., nn.Module],
    dtype: torch.dtype,
    contents: tuple[Tensor, Tensor, Tensor, Tensor] | None = None,
    options: dict[str, float] | None = None,
    mode: str = "train",
) -> nn.Module:
    """A layer of three channels, with weight, bias, running_mean and running_var as given, in that mode."""
    made = kind(3, **(options or {})).to(dtype)
    if contents is not None:
        places = (made.weight, made.bias, made.running_mean, made.running_var)
        with torch.no_grad():
            for place, values in zip(places, contents, strict=True):
                place.copy_(values)
    return made.train(mode == "train")


def after(module: nn.Module) -> tuple[Tensor | None, Tensor | None, Tensor, Tensor]:
    """What a batch leaves behind: the gradients of weight and bias, and the running statistics."""
    return module.weight.grad, module.bias.grad, module.running_mean, module.running_var


def registered(module: nn.Module) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]:
    """Parameters, buffers and state_dict by name, without the count of batches, which is free."""

    def plain(named: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: named[name].detach().clone() for name in sorted(named) if name != "num_batches_tracked"}

    return (
        plain(dict(module.named_parameters())),
        plain(dict(module.named_buffers())),
        plain(module.state_dict()),
    )
