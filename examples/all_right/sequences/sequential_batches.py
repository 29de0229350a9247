"""A generator over whole tables, cut into windows."""

import torch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = max(0, (len(tokens) - offset - 1) // batch_size)
    used = length * batch_size
    xs = tokens[offset : offset + used].reshape(batch_size, length)
    ys = tokens[offset + 1 : offset + 1 + used].reshape(batch_size, length)
    for k in range(length // num_steps):
        at = k * num_steps
        yield xs[:, at : at + num_steps], ys[:, at : at + num_steps]
