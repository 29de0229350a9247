"""torch.autograd.grad, and the gradients hung on the parameters by hand."""

import torch


def _learning(optimizer):
    return [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]


def train_step(model, optimizer, loss_fn, x, y):
    parameters = _learning(optimizer)
    loss = loss_fn(model(x), y)
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
    return loss.tolist()
