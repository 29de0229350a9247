"""Softmax: scores become probabilities."""

import torch


def softmax(x: torch.Tensor, dim: int) -> torch.Tensor:
    r"""Turn the scores along one dim into probabilities.

    Within each slice of x along `dim`:

        softmax(x)_i = exp(x_i) / sum_j exp(x_j)

    Args:
        x: the scores (logits), of any shape with at least one dim; float16, bfloat16, float32 or float64.
        dim: the dim that the probabilities sum to 1 along; it may be negative, as in torch.

    Returns:
        A new tensor of x's shape, dtype and device, through which the gradient flows back to x.

    Conventions:
        Scores of any finite size are right: at 1e4 and at -1e4 nothing overflows, and a slice far below the
        others gets its probabilities all the same. A score may be -inf (an entry that is ruled out): it
        gets the probability 0 and the gradient 0; a slice that is -inf throughout is not asked for. There
        is no eps in the denominator. An empty batch, as of shape (0, 4) with dim=1, gives an empty result,
        and a dim of size 1 gives ones. x is not changed, and need not be contiguous.

    Not allowed:
        `torch.softmax`, `torch.log_softmax`, and their kin in `torch.Tensor`, `torch.special` and
        `torch.nn`.

    >>> softmax(torch.tensor([[0.0, 0.0], [1000.0, 0.0]]), dim=1)
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """
    # solution begins
    # A shift changes nothing; after this one no exponent is above 0, and the sum is at least 1.
    exponentials = torch.exp(x - x.amax(dim, keepdim=True))
    return exponentials / exponentials.sum(dim, keepdim=True)
    # solution ends
