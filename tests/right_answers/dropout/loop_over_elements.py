"""A beginner's loop over the elements, one draw each."""

import torch


def dropout(x, p, training):
    if p > 1.0:
        raise ValueError("p is too large")
    if p < 0.0:
        raise ValueError("p is too small")
    if training == False:  # noqa: E712  as a beginner writes it
        return x
    flat_mask = []
    number = x.numel()
    for _ in range(number):
        draw = torch.rand(1).item()
        if draw < p:
            flat_mask.append(0.0)
        else:
            flat_mask.append(1.0)
    mask = torch.tensor(flat_mask, dtype=x.dtype).reshape(x.shape)
    if p == 1:
        return torch.zeros(x.shape, dtype=x.dtype)
    scale = 1 / (1 - p)
    scaled = x * scale
    return scaled * mask
