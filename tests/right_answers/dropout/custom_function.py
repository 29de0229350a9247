"""An autograd.Function that keeps its mask for the backward pass."""

import torch


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, p):
        survivors = torch.bernoulli(torch.full(x.shape, 1.0 - p, dtype=x.dtype, device=x.device)).bool()
        ctx.survivors = survivors
        ctx.scale = 1.0 / (1.0 - p) if p < 1 else 0.0
        return torch.where(survivors, x * ctx.scale, 0.0)

    @staticmethod
    def backward(ctx, grad_output):
        return torch.where(ctx.survivors, grad_output * ctx.scale, 0.0), None


def dropout(x, p, training):
    if not (0.0 <= p <= 1.0):
        raise ValueError(f"probability out of range: {p}")
    return _Drop.apply(x, float(p)) if training else x
