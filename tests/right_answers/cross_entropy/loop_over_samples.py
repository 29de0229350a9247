"""A beginner's loop over the samples, with many intermediate variables."""

import torch


def cross_entropy(logits, target, reduction="mean"):
    if reduction != "none" and reduction != "sum" and reduction != "mean":
        raise ValueError("wrong reduction")
    n_samples = logits.shape[0]
    losses = torch.zeros(n_samples, dtype=torch.float32 if logits.dtype != torch.float64 else torch.float64)
    for n in range(n_samples):
        row = logits[n].to(losses.dtype)
        right_class = int(target[n])
        biggest = row.max().detach()
        shifted = row - biggest
        exponentials = torch.exp(shifted)
        total = exponentials.sum()
        log_total = torch.log(total)
        losses[n] = log_total - shifted[right_class]
    if reduction == "sum":
        result = losses.sum()
    elif reduction == "mean":
        result = losses.sum() / n_samples
    else:
        result = losses
    return result.to(logits.dtype)
