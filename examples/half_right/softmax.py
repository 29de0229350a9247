import torch


def softmax(x, dim):
    shifted = x - x.max(dim, keepdim=True).values
    powers = shifted.exp()
    return powers / powers.sum(dim, keepdim=True)
