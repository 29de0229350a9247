"""Integer draws, one for each element, in a helper; nothing special-cased but p = 1."""

import torch

_STEPS = 2**30


def _survives(count, p):
    return torch.randint(_STEPS, (count,)) >= p * _STEPS


def dropout(x, p, training):
    if not (p >= 0 and p <= 1):
        raise ValueError(p)
    if not training:
        return 1.0 * x
    mask = _survives(x.numel(), p).to(x.dtype).reshape(x.shape)
    if p == 1:
        return (x * 0).nan_to_num(0.0)
    return x * mask / (1 - p)
