"""Buffers that are rebound to new tensors, lerp, and a num_batches_tracked."""

import torch
from torch import Tensor, nn


class BatchNorm(nn.Module):
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.weight = nn.Parameter(torch.empty(num_features).fill_(1.0))
        self.bias = nn.Parameter(torch.empty(num_features).fill_(0.0))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def _follow(self, x: Tensor) -> None:
        self.num_batches_tracked = self.num_batches_tracked + 1
        with torch.no_grad():
            var, mean = torch.var_mean(x.transpose(0, 1).flatten(1), dim=1, correction=1)
        self.running_mean = torch.lerp(self.running_mean, mean, self.momentum)
        self.running_var = torch.lerp(self.running_var, var, self.momentum)

    def forward(self, x: Tensor) -> Tensor:
        axes = [d for d in range(x.ndim) if d != 1]
        column = [1] * x.ndim
        column[1] = self.num_features
        if self.training:
            self._follow(x)
            var, mean = torch.var_mean(x, dim=axes, correction=0, keepdim=True)
        else:
            mean = self.running_mean.reshape(column)
            var = self.running_var.reshape(column)
        scale = self.weight.reshape(column) * torch.rsqrt(var + self.eps)
        return x * scale + (self.bias.reshape(column) - mean * scale)
