"""A small optimizer class behind the function."""

import torch


class _AdaGrad:
    def __init__(self, lr, eps):
        self.lr = lr
        self.eps = eps

    def update(self, param, state):
        g = param.grad
        with torch.no_grad():
            state.add_(torch.pow(g, 2))
            param.sub_(torch.mul(g, self.lr).div((state + self.eps).sqrt()))
        g.detach_()
        g.zero_()


def adagrad_step(params, states, lr, eps=1e-6):
    opt = _AdaGrad(lr, eps)
    for k, param in enumerate(params):
        if param.grad is None:
            continue
        opt.update(param, states[k])
