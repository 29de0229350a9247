"""A copy with zeros written into it, from float64 draws."""

import torch


def dropout(x, p, training):
    if p < 0 or p > 1:
        raise ValueError
    y = x.clone()
    if training:
        dropped = torch.rand(x.shape, dtype=torch.float64, device=x.device) < p
        y[dropped] = 0
        if p < 1:
            y = y / (1 - p)
    return y
