"""The inputs saved, one line for each gradient."""

import torch


class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean()

    @staticmethod
    def backward(ctx, grad_output):
        pred, target, weight = ctx.saved_tensors
        n = pred.numel()
        error = pred - target
        grad_pred = grad_target = grad_weight = None
        if ctx.needs_input_grad[0]:
            grad_pred = grad_output * 2 * weight * error / n
        if ctx.needs_input_grad[1]:
            grad_target = -grad_output * 2 * weight * error / n
        if ctx.needs_input_grad[2]:
            grad_weight = grad_output * error**2 / n
        return grad_pred, grad_target, grad_weight
