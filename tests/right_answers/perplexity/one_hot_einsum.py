"""One-hot targets and einsum over the log probabilities."""

import torch
from torch.nn import functional


def perplexity(logits, target, mask=None):
    counts = torch.ones_like(target, dtype=torch.bool) if mask is None else mask.to(torch.bool)
    wide = logits.to(torch.float64)
    log_p = wide - wide.logsumexp(-1, keepdim=True)
    hot = functional.one_hot(target, logits.shape[-1]).to(log_p.dtype)
    total = torch.einsum("btv,btv,bt->", log_p, hot, counts.to(log_p.dtype))
    return (-total / counts.sum()).exp().to(logits.dtype)
