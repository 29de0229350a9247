"""Asks for a terabyte."""

import torch


def perplexity(logits, target, mask=None):
    return torch.ones(1 << 38).sum()
