"""Recursion with isinstance."""

import torch


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(s) for s in state]
    if isinstance(state, tuple):
        parts = [detach_state(s) for s in state]
        if hasattr(state, "_fields"):
            return type(state)(*parts)
        return tuple(parts)
    raise TypeError(f"cannot detach {type(state).__name__}")
