"""Pattern matching, and _make for namedtuples."""

import torch


def detach_state(state):
    match state:
        case None:
            return state
        case torch.Tensor():
            return state.detach()
        case list():
            return list(map(detach_state, state))
        case tuple() if hasattr(type(state), "_make"):
            return type(state)._make(map(detach_state, state))
        case tuple():
            return tuple(map(detach_state, state))
        case _:
            raise TypeError("not a state: " + repr(type(state)))
