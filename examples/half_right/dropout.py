import torch


def dropout(x, p, training)
    if not training:
        return x
    return x * (torch.rand_like(x) > p) / (1 - p)
