"""log_softmax, gather, and a mean that the mask weighs."""

import torch


def perplexity(logits: torch.Tensor, target: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    log_p = torch.log_softmax(logits, dim=-1).gather(-1, target.unsqueeze(-1)).squeeze(-1)
    weight = torch.ones_like(log_p) if mask is None else (mask != 0).to(log_p.dtype)
    return torch.exp(-(log_p * weight).sum() / weight.sum())
