"""cross_entropy with the classes in dim 1 and an index to ignore."""

from torch import nn


def perplexity(logits, target, mask=None):
    ignored = -100
    if mask is not None:
        target = target.masked_fill(mask == 0, ignored)
    loss = nn.CrossEntropyLoss(ignore_index=ignored)(logits.permute(0, 2, 1), target)
    return loss.exp()
