"""An iterator class with __next__."""

import torch


class _Batches:
    def __init__(self, tokens, batch_size, num_steps, offset):
        self.tokens = tokens
        self.batch_size = batch_size
        self.num_steps = num_steps
        self.row = (tokens.shape[0] - offset - 1) // batch_size
        self.starts = [offset + r * self.row for r in range(batch_size)]
        self.used = 0

    def __iter__(self):
        return self

    def __next__(self):
        if self.used + self.num_steps > self.row:
            raise StopIteration
        x = torch.stack([self._window(s + self.used) for s in self.starts])
        y = torch.stack([self._window(s + self.used + 1) for s in self.starts])
        self.used += self.num_steps
        return x, y

    def _window(self, start):
        return self.tokens[start : start + self.num_steps]


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    if not isinstance(corpus, torch.Tensor):
        corpus = torch.tensor(corpus, dtype=torch.int64)
    return _Batches(corpus.to(torch.int64), batch_size, num_steps, offset)
