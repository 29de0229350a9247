"""Channels first and flat, normalised by layer_norm; helper functions for the rest."""

import torch
from torch import nn
from torch.nn import functional


def _rows(x):
    return x.transpose(0, 1).reshape(x.shape[1], -1)


def _back(rows, like):
    swapped = list(like.shape)
    swapped[0], swapped[1] = swapped[1], swapped[0]
    return rows.reshape(swapped).transpose(0, 1)


class BatchNorm(nn.Module):
    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    @torch.no_grad()
    def _move(self, rows):
        self.running_mean += self.momentum * (rows.mean(1) - self.running_mean)
        self.running_var += self.momentum * (rows.var(1) - self.running_var)

    def forward(self, x):
        rows = _rows(x)
        if self.training:
            self._move(rows)
            normal = functional.layer_norm(rows, rows.shape[1:], eps=self.eps)
        else:
            normal = (rows - self.running_mean[:, None]) / (self.running_var[:, None] + self.eps).sqrt()
        return _back(torch.addcmul(self.bias[:, None], normal, self.weight[:, None]), x)
