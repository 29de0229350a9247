"""An autograd.Function with the Jacobian-vector product by hand."""

import torch


class _Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dim):
        e = (x - x.max(dim, keepdim=True)[0]).exp()
        p = e / e.sum(dim, keepdim=True)
        ctx.save_for_backward(p)
        ctx.dim = dim
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (p * g).sum(ctx.dim, keepdim=True)), None


def softmax(x, dim):
    return _Softmax.apply(x, dim)
