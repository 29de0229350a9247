"""Dropout: random zeros in training, nothing in evaluation."""

import torch


def dropout(x: torch.Tensor, p: float, training: bool) -> torch.Tensor:
    r"""Throw each element away with probability p, and scale up those that stay.

        y = x * m / (1 - p)     in training; each m is 0 with probability p and 1 with probability 1 - p
        y = x                   in evaluation

    Args:
        x: of any shape (no dims, too), float32 or float64.
        p: the probability of being thrown away, in [0, 1].
        training: True in training, False in evaluation.

    Returns:
        y, of x's shape and dtype. Its gradient passes through the same mask: g * m / (1 - p) reaches x.

    Raises:
        ValueError: p lies outside [0, 1], in training and in evaluation.

    Conventions:
        p is the rate of the zeros, not of the survivors. Each element has a draw of its own, independent of
        all others, and each call draws anew, from torch's default generator as the caller left it: it is not
        seeded here. The scale is 1 / (1 - p), whatever share happened to survive. p = 0 leaves x as it is.
        p = 1 in training gives zeros (never NaN), with a graph or without; where there is one, the gradient
        is zero. float64 is computed in float64. x is not changed.

    Not allowed:
        torch's own dropout in any form: `torch.nn.Dropout`, `torch.nn.functional.dropout`, `torch.dropout`
        and their kin.

    >>> x = torch.tensor([1.0, -2.0, 3.0])
    >>> dropout(x, 0.5, training=False)
    tensor([ 1., -2.,  3.])
    >>> y = dropout(x, 0.5, training=True)
    >>> torch.where(y == 0, 2 * x, y)  # whatever stayed is twice as large
    tensor([ 2., -4.,  6.])
    """
    raise NotImplementedError("dropout is not written yet")
