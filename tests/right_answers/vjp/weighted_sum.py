"""Other algebra: the gradient of the scalar sum of v * f(x)."""

import torch


def vjp(f, x, v):
    point = x.detach().requires_grad_()
    with torch.enable_grad():
        scalar = (f(point) * v.detach()).sum() + 0 * point.sum().nan_to_num(0, 0, 0)
    gradient = torch.autograd.grad(scalar, [point], materialize_grads=True)[0]
    return gradient.detach()
