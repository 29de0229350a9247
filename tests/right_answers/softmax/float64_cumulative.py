"""Sums by cumsum in float64, the maximum through sort."""

import torch


def softmax(x, dim):
    wide = x.to(torch.float64)
    if wide.numel() == 0:
        return wide.exp().to(x.dtype)
    biggest = wide.sort(dim=dim, descending=True).values.narrow(dim, 0, 1)
    e = torch.exp(wide - biggest)
    total = e.cumsum(dim).narrow(dim, -1, 1)
    return (e / total).to(x.dtype)
