"""A base class for the state, float64 inside, everything by movedim."""

import torch
from torch import nn


class _Statistics(nn.Module):
    def __init__(self, num_features, momentum):
        super().__init__()
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros([num_features]))
        self.register_buffer("running_var", torch.ones([num_features]))

    def follow(self, mean, var, n):
        keep = 1.0 - self.momentum
        unbiased = var.detach() * n / (n - 1)
        self.running_mean = (keep * self.running_mean + self.momentum * mean.detach()).to(
            self.running_mean.dtype
        )
        self.running_var = (keep * self.running_var + self.momentum * unbiased).to(self.running_var.dtype)


class BatchNorm(_Statistics):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__(num_features, momentum)
        self.eps = eps
        self.weight = nn.Parameter(torch.ones([num_features]))
        self.bias = nn.Parameter(torch.zeros([num_features]))

    def forward(self, x):
        last = x.movedim(1, -1)
        rows = last.reshape(-1, last.shape[-1]).double()
        if self.training:
            mean = rows.mean(0)
            var = ((rows - mean) * (rows - mean)).mean(0)
            self.follow(mean, var, rows.shape[0])
        else:
            mean, var = self.running_mean, self.running_var
        normal = (rows - mean) / (var + self.eps) ** 0.5
        return (self.weight * normal + self.bias).reshape(last.shape).movedim(-1, 1).to(x.dtype)
