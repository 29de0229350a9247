"""torch.distributions draws the mask."""

import torch
from torch.distributions import Bernoulli


def _check(p):
    if not 0 <= p <= 1:
        raise ValueError(f"{p} is no probability")


def dropout(x, p, training):
    _check(p)
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    dropped = Bernoulli(probs=torch.tensor(float(p))).sample(x.shape).to(torch.bool)
    return x.masked_fill(dropped, 0.0).div(1 - p)
