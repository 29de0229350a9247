"""A Bernoulli mask that is scaled before it is multiplied on."""

import torch


def dropout(x: torch.Tensor, p: float, training: bool) -> torch.Tensor:
    if not 0 <= p <= 1:
        raise ValueError("p")
    if not training:
        return x.clone()
    if p == 1.0:
        return x.masked_fill(torch.ones_like(x, dtype=torch.bool), 0.0)
    mask = torch.empty_like(x).bernoulli_(1 - p) / (1 - p)
    return x * mask
