"""Recursion over the chunks; baddbmm-free, bias folded into a column of ones."""

import torch


def _chunk(inputs, state, weights):
    if len(inputs) == 0:
        return []
    ones = torch.ones(state.shape[0], 1, dtype=state.dtype, device=state.device)
    h = torch.tanh(torch.hstack([inputs[0], state, ones]) @ weights)
    return [h, *_chunk(inputs[1:], h, weights)]


def _all(inputs, state, weights, steps):
    first = _chunk(inputs[:steps], state, weights)
    if len(inputs) <= steps:
        return first
    return first + _all(inputs[steps:], first[-1].detach(), weights, steps)


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    weights = torch.vstack([w_xh, w_hh, b.unsqueeze(0)])
    return torch.stack(_all(inputs, state, weights, steps))
