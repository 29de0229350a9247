"""An RNN over a whole sequence whose gradient reaches back a bounded number of steps."""

import torch


def truncated_bptt(
    inputs: torch.Tensor,
    state: torch.Tensor,
    w_xh: torch.Tensor,
    w_hh: torch.Tensor,
    b: torch.Tensor,
    steps: int,
) -> torch.Tensor:
    r"""Run an RNN over the sequence, and cut its graph every `steps` steps.

        h_t = tanh(x_t w_xh + c_t w_hh + b)        for t = 0, 1, ..., T-1
        c_0 = state
        c_t = h_{t-1} without its history          where t is steps, 2 * steps, 3 * steps, ...
        c_t = h_{t-1}                              at every other t > 0

    Args:
        inputs: [T, B, D], float32 or float64; time first, T >= 1.
        state: [B, H], the state before the first step, with or without a gradient of its own.
        w_xh: [D, H].
        w_hh: [H, H].
        b: [H].
        steps: the length of a chunk, >= 1. The last chunk may be shorter; steps >= T cuts nowhere.

    Returns:
        All states h_0, ..., h_{T-1}, stacked: [T, B, H], in the inputs' dtype.

    Conventions:
        The values are those of the run without any cut: the state's value crosses each cut, its history does
        not. Every returned state carries a gradient, back to the beginning of its own chunk and no farther;
        for the first chunk that is as far as `state`, which is not cut. The weights get their gradient from
        all chunks. No argument is changed: a state that requires no gradient requires none afterwards.

    Not allowed:
        `torch.nn.RNN`, `torch.nn.RNNCell` and their functional forms.

    >>> inputs = torch.tensor([[[1.0]], [[0.0]], [[0.0]]], requires_grad=True)
    >>> one = torch.ones(1, 1)
    >>> states = truncated_bptt(inputs, torch.zeros(1, 1), one, one, torch.zeros(1), steps=2)
    >>> states.detach().flatten()
    tensor([0.7616, 0.6420, 0.5663])
    >>> states[2].sum().backward()  # h_2 is in the second chunk: x_0 and x_1 are out of its reach
    >>> inputs.grad.flatten()
    tensor([0.0000, 0.0000, 0.6793])
    """
    # solution begins
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)
    # solution ends
