"""The gradients computed already in forward and kept on ctx, scaled in backward."""

import torch


class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        n = pred.numel()
        d = pred - target
        wd = weight * d
        ctx.parts = [None, None, None]
        if ctx.needs_input_grad[0]:
            ctx.parts[0] = 2 / n * wd
        if ctx.needs_input_grad[1]:
            ctx.parts[1] = -2 / n * wd
        if ctx.needs_input_grad[2]:
            ctx.parts[2] = d * d / n
        return (wd * d).sum() / n

    @staticmethod
    def backward(ctx, grad_output):
        result = []
        for part in ctx.parts:
            result.append(None if part is None else part * grad_output)
        return result[0], result[1], result[2]
