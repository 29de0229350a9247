"""A helper for one parameter that computes in float64 with rsqrt and copies back."""

import torch
from torch import Tensor


def _step_one(p: Tensor, s: Tensor, lr: float, eps: float) -> None:
    g = p.grad.double()
    total = s.double() + g.square()
    s.copy_(total)
    p.copy_(p.double() - lr * g * torch.rsqrt(total + eps))
    p.grad.fill_(0)


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=False):
            if p.grad is not None:
                _step_one(p, s, lr, eps)
