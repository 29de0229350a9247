"""A class that records the graph once and pulls vectors back through it."""

import torch


class _Pullback:
    def __init__(self, f, x):
        self.x = x.detach().clone()
        self.x.requires_grad_(True)
        self.y = f(self.x)

    def __call__(self, v):
        nothing = torch.zeros_like(self.x, requires_grad=False)
        if not self.y.requires_grad:
            return nothing
        found = torch.autograd.grad([self.y], [self.x], [v], allow_unused=True)[0]
        return nothing if found is None else found.detach().clone()


def vjp(f, x, v):
    return _Pullback(f, x)(v)
