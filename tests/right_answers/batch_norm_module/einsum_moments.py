"""Moments by einsum over [N, C, P], everything batch-like reshaped to three dims; .data for the buffers."""

import torch
from torch import nn


class BatchNorm(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.register_parameter("weight", nn.Parameter(torch.ones(num_features)))
        self.register_parameter("bias", nn.Parameter(torch.zeros(num_features)))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.options = {"eps": eps, "momentum": momentum}

    def forward(self, x):
        n, c = x.shape[0], x.shape[1]
        flat = x.reshape(n, c, -1)
        count = n * flat.shape[2]
        if not self.training:
            mean, var = self.running_mean, self.running_var
            centred = flat - mean[None, :, None]
        else:
            mean = torch.einsum("ncp->c", flat) / count
            centred = flat - mean[None, :, None]
            var = torch.einsum("ncp,ncp->c", centred, centred) / count
            m = self.options["momentum"]
            self.running_mean.data.copy_((1 - m) * self.running_mean + m * mean.detach())
            self.running_var.data.copy_((1 - m) * self.running_var + m * var.detach() * (count / (count - 1)))
        scale = self.weight / torch.sqrt(var + self.options["eps"])
        out = torch.einsum("ncp,c->ncp", centred, scale) + self.bias[None, :, None]
        return out.reshape(x.shape)
