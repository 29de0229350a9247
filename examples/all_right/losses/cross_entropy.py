"""logsumexp minus the gathered logit, all in the logits' own dtype."""

import torch


def cross_entropy(logits, target, reduction="mean"):
    loss = torch.logsumexp(logits, dim=1) - logits.gather(1, target.unsqueeze(1)).squeeze(1)
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    if reduction == "mean":
        return loss.mean()
    raise ValueError(f"unknown reduction: {reduction}")
