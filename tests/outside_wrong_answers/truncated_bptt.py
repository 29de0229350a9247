"""Mistakes in truncated_bptt; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch

# --- no cut


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for x in inputs:
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- a cut at each step


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        c = state if t == 0 else state.detach()
        state = torch.tanh(x @ w_xh + c @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- the first state is cut, too


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- one step too late


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 1 and (t - 1) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- one step too early


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and (t + 1) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- one cut only


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t == steps:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- cut before it is kept: the last state of a chunk has no gradient


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        if (t + 1) % steps == 0 and t + 1 < len(inputs):
            state = state.detach()
        states.append(state)
    return torch.stack(states)


# --- detach_ in place, on the state that is returned


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state.detach_()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- zeros at the beginning of a chunk


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = torch.zeros_like(state)
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- the first state at the beginning of each chunk


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    h = state
    for t, x in enumerate(inputs):
        if t % steps == 0:
            h = state
        h = torch.tanh(x @ w_xh + h @ w_hh + b)
        states.append(h)
    return torch.stack(states)


# --- the last state only


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
    return state


# --- a list


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return states


# --- batch first


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states, dim=1)


# --- the last chunk is left out where it is shorter


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    whole = len(inputs) // steps * steps or len(inputs)
    for t, x in enumerate(inputs[:whole]):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- chunks are counted from the end


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and (len(inputs) - t) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- only the last `steps` steps keep their graph


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t == len(inputs) - steps:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- all but the last chunk without a graph


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    last = (len(inputs) - 1) // steps * steps
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        with torch.set_grad_enabled(t >= last):
            state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- the weights are cut after the first chunk


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state, w_xh, w_hh, b = state.detach(), w_xh.detach(), w_hh.detach(), b.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- the product is cut, so w_hh gets nothing there


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        from_state = state @ w_hh
        if t > 0 and t % steps == 0:
            from_state = from_state.detach()
        state = torch.tanh(x @ w_xh + from_state + b)
        states.append(state)
    return torch.stack(states)


# --- the input at a cut is cut, too


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state, x = state.detach(), x.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- a gradient that reaches back exactly `steps` steps from each state


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    values = [state]
    for x in inputs:
        values.append(torch.tanh(x @ w_xh + values[-1] @ w_hh + b))
    states = []
    for t in range(len(inputs)):
        start = max(0, t - steps + 1)
        h = state if start == 0 else values[start].detach()
        for x in inputs[start : t + 1]:
            h = torch.tanh(x @ w_xh + h @ w_hh + b)
        states.append(h)
    return torch.stack(states)


# --- the length of a chunk is hard-wired


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % 2 == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- steps is taken for the number of chunks


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    length = -(-len(inputs) // steps)
    for t, x in enumerate(inputs):
        if t > 0 and t % length == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- no bias


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh)
        states.append(state)
    return torch.stack(states)


# --- w_hh transposed


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh.T + b)
        states.append(state)
    return torch.stack(states)


# --- relu


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.relu(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- the first state is returned, too


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = [state]
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- the states before each step are returned


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        states.append(state)
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
    return torch.stack(states)


# --- the caller's state is written into


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    h = state
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            h = h.detach()
        h = torch.tanh(x @ w_xh + h @ w_hh + b)
        states.append(h)
    result = torch.stack(states)
    if not state.requires_grad:
        state.copy_(h.detach())
    return result


# --- the caller's state is asked for a gradient


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    state.requires_grad_()
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- float32 throughout


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    w_xh, w_hh, b, state = w_xh.float(), w_hh.float(), b.float(), state.float()
    for t, x in enumerate(inputs.float()):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- float32 inside


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    dtype = inputs.dtype
    w_xh, w_hh, b, state = w_xh.float(), w_hh.float(), b.float(), state.float()
    for t, x in enumerate(inputs.float()):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states).to(dtype)


# --- cut in the result as well


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states).detach()


# --- states collected in no_grad for all chunks but the first


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        with torch.set_grad_enabled(t < steps):
            state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- no cut where the chunks do not come out even


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0 and len(inputs) % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- no cut before a last chunk that is shorter


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0 and t + steps <= len(inputs):
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- steps larger than the sequence cut the first state


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    if steps >= len(inputs):
        state = state.detach()
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)


# --- a batch of one loses its dim


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states).squeeze(1)


# --- the gradient is damped at the cut instead of stopped


def truncated_bptt(inputs, state, w_xh, w_hh, b, steps):
    states = []
    for t, x in enumerate(inputs):
        if t > 0 and t % steps == 0:
            state = 0.1 * state + 0.9 * state.detach()
        state = torch.tanh(x @ w_xh + state @ w_hh + b)
        states.append(state)
    return torch.stack(states)
