"""Other algebra: one matrix for input and state together, tanh through sigmoid."""

import torch


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    weights = torch.cat([w_xh, w_hh], dim=0)
    all_states = ()
    countdown = steps
    current = state
    for x in inputs:
        if countdown == 0:
            current = current.clone().detach()
            countdown = steps
        a = torch.cat([x, current], dim=1).matmul(weights) + b
        current = 2 * torch.sigmoid(2 * a) - 1
        all_states += (current,)
        countdown -= 1
    return torch.stack(all_states, 0)
