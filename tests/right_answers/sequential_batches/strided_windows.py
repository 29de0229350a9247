"""Overlapping rows of L + 1 tokens by unfold; a window of num_steps + 1 gives both x and y."""

import torch


def _windows(corpus, batch_size, num_steps, offset):
    tokens = torch.as_tensor(corpus).to(torch.int64)[offset:]
    length = (len(tokens) - 1) // batch_size
    if length < num_steps:
        return []
    rows = tokens.unfold(0, length + 1, length)[:batch_size]
    return rows.unfold(1, num_steps + 1, num_steps).unbind(1)


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    for window in _windows(corpus, batch_size, num_steps, offset):
        yield window[:, :-1].contiguous(), window[:, 1:].contiguous()
