"""Flat vectors and einsum, float64 inside, cast back."""

from typing import Any

import torch
from torch import Tensor


class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pred: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(pred, target, weight)
        d = (pred.double() - target.double()).reshape(-1)
        return (torch.einsum("i,i,i->", weight.double().reshape(-1), d, d) / d.numel()).to(pred.dtype)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        pred, target, weight = (t.double() for t in ctx.saved_tensors)
        d = pred - target
        slope = 2.0 / d.numel() * grad_output.double() * weight * d
        each = (slope, slope.neg(), grad_output.double() * d.square() / d.numel())
        return tuple(
            g.to(grad_output.dtype) if needed else None
            for g, needed in zip(each, ctx.needs_input_grad, strict=True)
        )
