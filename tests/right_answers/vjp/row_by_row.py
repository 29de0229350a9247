"""A beginner's loop: one row of the Jacobian after the other."""

import torch


def vjp(f, x, v):
    start = x.clone().detach()
    start.requires_grad_(True)
    y = f(start)
    result = torch.zeros(start.shape, dtype=start.dtype)
    if y.requires_grad == False:  # noqa: E712  as a beginner writes it
        return result
    outputs = y.reshape(-1)
    weights = v.detach().reshape(-1)
    for i in range(outputs.shape[0]):
        row = torch.autograd.grad(outputs[i], start, retain_graph=True, allow_unused=True)[0]
        if row is not None:
            result = result + weights[i] * row
    return result
