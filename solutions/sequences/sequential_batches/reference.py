"""Reading a corpus in batches that continue each other row by row."""

from collections.abc import Iterator, Sequence

import torch


def sequential_batches(
    corpus: Sequence[int] | torch.Tensor, batch_size: int, num_steps: int, offset: int = 0
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    r"""Yield batches in which each row goes on where the same row of the batch before ended.

    With L = (len(corpus) - offset - 1) // batch_size, the number of inputs in a row:

        x_k[r, j] = corpus[offset + r * L + k * num_steps + j]
        y_k[r, j] = corpus[offset + r * L + k * num_steps + j + 1]        k = 0, 1, ..., L // num_steps - 1

    Args:
        corpus: the token ids, any that int64 holds: a list of ints or a 1-D tensor of an integer dtype.
        batch_size: rows in a batch, >= 1.
        num_steps: tokens in a row of a batch, >= 1.
        offset: how many tokens to leave out at the beginning, >= 0.

    Yields:
        Pairs, tuples (x, y), in order: x the inputs and y the labels, both int64 [batch_size, num_steps],
        on the corpus's device where it is a tensor. What comes back is an iterator, as of a generator:
        next() gives the next pair. A list is none.

    Conventions:
        A label is the token that follows its input in the corpus, also at the end of a row. Hence the - 1 in
        L: the very last token is never an input. Windows do not overlap. What is left of the rows after the
        last whole batch is left out, and so is what is left of the corpus after the last row. A corpus too
        short for one batch (empty, or shorter than the offset, too) yields nothing, and is no error. Nothing
        is drawn at random. The corpus is not changed.

    Not allowed:
        Nothing in particular.

    >>> for x, y in sequential_batches(list(range(10)), batch_size=2, num_steps=2):
    ...     print(x.tolist(), y.tolist())
    [[0, 1], [4, 5]] [[1, 2], [5, 6]]
    [[2, 3], [6, 7]] [[3, 4], [7, 8]]
    """
    # solution begins
    tokens = torch.as_tensor(corpus, dtype=torch.int64)
    length = (len(tokens) - offset - 1) // batch_size
    rows = offset + length * torch.arange(batch_size, device=tokens.device)
    for start in range(0, length - num_steps + 1, num_steps):
        at = rows.unsqueeze(1) + start + torch.arange(num_steps, device=tokens.device)
        yield tokens[at], tokens[at + 1]
    # solution ends
