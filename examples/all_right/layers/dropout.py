"""A uniform draw for each element, compared with p."""

import torch


def dropout(x, p, training):
    if p < 0 or p > 1:
        raise ValueError(f"p must be in [0, 1], not {p}")
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    keep = torch.rand_like(x) >= p
    return torch.where(keep, x / (1 - p), torch.zeros_like(x))
