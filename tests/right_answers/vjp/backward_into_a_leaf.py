"""A backward pass that is told to stop at one fresh leaf."""

import torch


def vjp(f, x, v):
    leaf = torch.empty_like(x, requires_grad=False)
    leaf.copy_(x.detach())
    leaf.requires_grad = True
    out = f(leaf)
    if out.grad_fn is not None or out is leaf:
        out.backward(gradient=v.detach(), inputs=[leaf])
    if leaf.grad is None:
        return torch.zeros(x.shape, dtype=x.dtype, device=x.device)
    return leaf.grad.detach()
