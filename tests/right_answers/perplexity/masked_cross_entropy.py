"""cross_entropy over the tokens that count, and exp."""

import torch
from torch.nn import functional


def perplexity(logits, target, mask=None):
    if mask is not None:
        keep = mask.bool()
        logits, target = logits[keep], target[keep]
    else:
        logits, target = logits.flatten(0, 1), target.flatten()
    return torch.exp(functional.cross_entropy(logits, target))
