"""Losses kept apart, those that do not count set to zero, summed and divided."""

import torch
from torch.nn import functional


def _losses(logits, target):
    return functional.nll_loss(
        functional.log_softmax(logits.reshape(-1, logits.size(-1)), 1), target.reshape(-1), reduction="none"
    )


def perplexity(logits, target, mask=None):
    losses = _losses(logits, target)
    if mask is None:
        return losses.mean().exp()
    counted = mask.reshape(-1).ne(0)
    zero = losses.new_zeros(())
    return (torch.where(counted, losses, zero).sum() / int(counted.sum())).exp()
