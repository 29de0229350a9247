"""functools.singledispatch: a handler for each kind."""

from functools import singledispatch

import torch


@singledispatch
def _detach(state):
    raise TypeError(f"unexpected {type(state)} in the state")


@_detach.register
def _(state: torch.Tensor):
    with torch.no_grad():
        return state.detach()


@_detach.register(type(None))
def _(state):
    return None


@_detach.register
def _(state: list):
    return [_detach(item) for item in state]


@_detach.register
def _(state: tuple):
    items = tuple(_detach(item) for item in state)
    return items if type(state) is tuple else type(state)(*items)


def detach_state(state):
    return _detach(state)
