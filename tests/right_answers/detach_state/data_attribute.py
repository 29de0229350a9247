"""A beginner with .data, explicit loops and one long if."""

import torch


def detach_state(state):
    if type(state) is type(None):
        result = None
    elif torch.is_tensor(state):
        result = state.data
    elif isinstance(state, (list, tuple)):
        new_items = []
        for item in state:
            new_item = detach_state(item)
            new_items.append(new_item)
        if isinstance(state, list):
            result = new_items
        elif hasattr(state, "_replace"):
            names = state._fields
            changes = {}
            for k in range(len(names)):
                changes[names[k]] = new_items[k]
            result = state._replace(**changes)
        else:
            result = tuple(new_items)
    else:
        raise TypeError("state must be a tensor, None, tuple or list")
    return result
