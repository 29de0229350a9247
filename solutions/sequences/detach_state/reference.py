"""A recurrent state, cut from the graph that made it."""

from typing import TypeAlias

import torch

State: TypeAlias = torch.Tensor | tuple["State", ...] | list["State"] | None


def detach_state(state: State) -> State:
    r"""Cut a recurrent state, however nested, from the graph that computed it; its values stay.

        detach_state(h)       = h with the same values and no history
        detach_state((a, b))  = (detach_state(a), detach_state(b)), and so for each container

    Args:
        state: a tensor of any shape and dtype (no dims, integers and booleans, too); None (no state yet); or
            a tuple, a namedtuple or a list of such states, nested as deep as you like.

    Returns:
        The same structure. Each tensor in it has the old values, lies on the same storage as the old tensor,
        and requires no gradient. A list is a new list, even where it is empty or nothing in it was to be cut;
        a tuple stays a tuple, a namedtuple is one of the same class, None stays None and keeps its place.

    Raises:
        TypeError: the state, or something in it, is none of these: a dict, a string, a number, ...

    Conventions:
        The caller's state is left alone: its lists keep their items, and its tensors stay in their graph, so
        that a backward pass through them still works. No value is copied.

    Not allowed:
        Nothing in particular.

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> h, c = detach_state((w * 3, [w + 1, None]))
    >>> h
    tensor([3., 6.])
    >>> c
    [tensor([2., 3.]), None]
    """
    # solution begins
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(item) for item in state]
    if isinstance(state, tuple):
        # A namedtuple takes its fields one by one; its _make takes them as tuple does, all in one iterable.
        rebuild = getattr(type(state), "_make", tuple)
        return rebuild(detach_state(item) for item in state)
    raise TypeError(f"a state is a tensor, a tuple, a list or None, not {type(state).__name__}")
    # solution ends
