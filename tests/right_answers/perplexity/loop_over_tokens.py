"""A beginner's two loops, token by token."""

import torch


def perplexity(logits, target, mask=None):
    batch = logits.shape[0]
    length = logits.shape[1]
    total = torch.zeros((), dtype=torch.float64)
    count = 0
    for b in range(batch):
        for t in range(length):
            if mask is not None and mask[b, t].item() == 0:
                continue
            scores = logits[b, t].double()
            biggest = torch.max(scores)
            log_sum = torch.log(torch.sum(torch.exp(scores - biggest))) + biggest
            log_p = scores[target[b, t]] - log_sum
            total = total + log_p
            count = count + 1
    average = -total / count
    result = torch.exp(average)
    return result.to(logits.dtype)
