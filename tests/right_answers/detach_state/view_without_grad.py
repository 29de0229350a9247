"""A view made under no_grad; a generic rebuild for all containers."""

import torch


def _rebuild(container, parts):
    if isinstance(container, list):
        return parts
    make = getattr(type(container), "_make", tuple)
    return make(parts)


def detach_state(state):
    if isinstance(state, torch.Tensor):
        with torch.no_grad():
            return torch.Tensor.detach(state).view_as(state)
    if isinstance(state, (list, tuple)):
        return _rebuild(state, [detach_state(part) for part in state])
    if state is not None:
        raise TypeError(f"{state!r}")
    return state
