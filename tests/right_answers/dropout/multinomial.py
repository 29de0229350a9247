"""torch.multinomial chooses between dropping and keeping."""

import torch


def dropout(x, p, training):
    if min(p, 1 - p) < 0:
        raise ValueError("p is not a probability")
    if not training or x.numel() == 0:
        return x
    choices = torch.multinomial(torch.tensor([p, 1 - p]), x.numel(), replacement=True)
    kept = choices.view(x.shape) == 1
    zero = torch.zeros((), dtype=x.dtype)
    return torch.where(kept, x, zero) / (1 - p) if p < 1 else torch.where(kept, x, zero)
