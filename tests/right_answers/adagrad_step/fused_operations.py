"""Fused in-place operations: addcmul_ and addcdiv_."""

from collections.abc import Sequence

import torch


@torch.no_grad()
def adagrad_step(
    params: Sequence[torch.Tensor], states: Sequence[torch.Tensor], lr: float, eps: float = 1e-6
) -> None:
    for param, state in zip(params, states, strict=True):
        if param.grad is not None:
            state.addcmul_(param.grad, param.grad)
            param.addcdiv_(param.grad, state.add(eps).sqrt_(), value=-lr)
            param.grad.zero_()
