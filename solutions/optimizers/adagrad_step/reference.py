"""AdaGrad: each coordinate's step shrinks with the squared gradients that it has seen."""

from collections.abc import Sequence

import torch


def adagrad_step(
    params: Sequence[torch.Tensor], states: Sequence[torch.Tensor], lr: float, eps: float = 1e-6
) -> None:
    r"""Take one step of AdaGrad, in place.

    For each parameter p with the gradient g and the state s, coordinate by coordinate:

        s <- s + g^2
        p <- p - lr * g / sqrt(s + eps)

    Args:
        params: the parameters in a list or a tuple, of any shapes (no dims at all, too), float32 or float64,
            that require a gradient. The gradient of each is in its `.grad`; where that is None, the parameter
            and its state stay as they are, and the ones after it are stepped all the same. It may be None for
            all of them.
        states: a list or a tuple as well, one tensor for each parameter, of its shape and dtype: the sum of
            the squared gradients so far. The caller makes them (zeros before the first step) and hands the
            same ones in at each step.
        lr: the learning rate, the same for all coordinates.
        eps: what keeps the root away from zero.

    Returns:
        Nothing: the parameters, the states and the gradients are changed in place.

    Conventions:
        The state takes in this step's gradient first, and the step divides by the new state. It holds the
        plain sum of the squares: no mean, no decay. eps stands inside the root, and never enters the state.
        Parameters and states are changed in place, whatever their strides: no list gets a new tensor, and the
        parameters still require a gradient. float64 is computed in float64. Afterwards each gradient that was
        there is a tensor of zeros, not None.

    Not allowed:
        `torch.optim.Adagrad` and its functional form.

    >>> p = torch.tensor([1.0, 1.0], requires_grad=True)
    >>> s = torch.tensor([0.0, 16.0])
    >>> p.grad = torch.tensor([3.0, 3.0])
    >>> adagrad_step([p], [s], lr=0.5)
    >>> s
    tensor([ 9., 25.])
    >>> p
    tensor([0.5000, 0.7000], requires_grad=True)
    >>> p.grad
    tensor([0., 0.])
    """
    # solution begins
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                continue
            s.add_(p.grad.square())
            p.sub_(lr * p.grad / torch.sqrt(s + eps))
            p.grad.zero_()
    # solution ends
