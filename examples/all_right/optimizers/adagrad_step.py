"""The formulas as they stand, in a no_grad block."""

import torch


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=False):
            if p.grad is None:
                continue
            s += p.grad**2
            p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()
