"""Mistakes in detach_state; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch


def rebuilt(state, parts):
    if isinstance(state, list):
        return list(parts)
    if hasattr(state, "_fields"):
        return type(state)(*parts)
    return tuple(parts)


# --- values are copied


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach().clone()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- values are copied where they are not contiguous


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach().contiguous()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- the caller's tensors are detached in place


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach_()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- nothing is cut


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.view_as(state)
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- tuples become lists


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return [detach_state(s) for s in state]
    raise TypeError


# --- lists become tuples


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if hasattr(state, "_fields"):
        return type(state)(*[detach_state(s) for s in state])
    if isinstance(state, (list, tuple)):
        return tuple(detach_state(s) for s in state)
    raise TypeError


# --- namedtuples become tuples


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(s) for s in state]
    if isinstance(state, tuple):
        return tuple(detach_state(s) for s in state)
    raise TypeError


# --- a namedtuple is called with one generator


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return type(state)(detach_state(s) for s in state)
    raise TypeError


# --- the caller's list is filled anew


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        for i, item in enumerate(state):
            state[i] = detach_state(item)
        return state
    if isinstance(state, tuple):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- None is a TypeError


def detach_state(state):
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- None inside a container is left out


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(s) for s in state if s is not None]
    if isinstance(state, tuple):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- dicts are taken, too


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, dict):
        return {key: detach_state(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- whatever else passes through


def detach_state(state):
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    return state


# --- numbers pass through


def detach_state(state):
    if state is None or isinstance(state, (int, float)):
        return state
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- strings pass through


def detach_state(state):
    if state is None or isinstance(state, str):
        return state
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- the check is at the top only


def _inner(state):
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [_inner(s) for s in state])
    return state


def detach_state(state):
    if state is not None and not isinstance(state, (torch.Tensor, list, tuple)):
        raise TypeError
    return _inner(state)


# --- a ValueError


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise ValueError(state)


# --- anything that iterates is a container: a string has no end


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    return rebuilt(state, [detach_state(s) for s in state])


# --- any other container becomes a tuple


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (str, bytes)) or not hasattr(state, "__iter__"):
        raise TypeError
    return rebuilt(state, [detach_state(s) for s in (state.values() if isinstance(state, dict) else state)])


# --- one level only


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        for s in state:
            if s is not None and not isinstance(s, (torch.Tensor, list, tuple)):
                raise TypeError
        return rebuilt(state, [s.detach() if isinstance(s, torch.Tensor) else s for s in state])
    raise TypeError


# --- only the first of a tuple


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, list):
        return [detach_state(s) for s in state]
    if isinstance(state, tuple):
        return rebuilt(state, [detach_state(s) if i == 0 else s for i, s in enumerate(state)])
    raise TypeError


# --- a gradient is asked for again


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach().requires_grad_(state.is_floating_point())
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- a gradient is asked for where there was one


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach().requires_grad_(state.requires_grad)
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- made from numbers, in float32


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return torch.tensor(state.tolist())
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- everything becomes float32


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach().float()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- a new state of zeros


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return torch.zeros_like(state)
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- empty containers become None


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state]) if state else None
    raise TypeError


# --- an empty list is handed back itself


def detach_state(state):
    if state is None or (isinstance(state, list) and not state):
        return state
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- a list without tensors that need a gradient is handed back itself


def _attached(state):
    if isinstance(state, torch.Tensor):
        return state.requires_grad
    return isinstance(state, (list, tuple)) and any(map(_attached, state))


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, (list, tuple)):
        if not any(map(_attached, state)) and all(isinstance(s, torch.Tensor) for s in state):
            return state
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- tensors and pairs (h, c) only


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, tuple) and len(state) == 2:
        h, c = state
        return rebuilt(state, [detach_state(h), detach_state(c)])
    if isinstance(state, list):
        return [detach_state(s) for s in state]
    raise TypeError


# --- 0-dim tensors become numbers


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor):
        return state.detach() if state.dim() else state.item()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError


# --- only floating-point tensors are allowed


def detach_state(state):
    if state is None:
        return None
    if isinstance(state, torch.Tensor) and state.is_floating_point():
        return state.detach()
    if isinstance(state, (list, tuple)):
        return rebuilt(state, [detach_state(s) for s in state])
    raise TypeError
