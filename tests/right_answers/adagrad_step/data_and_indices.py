"""An old-fashioned beginner: .data, indices, many intermediate variables."""

import torch


def adagrad_step(params, states, lr, eps=1e-6):
    number_of_parameters = len(params)
    for i in range(number_of_parameters):
        parameter = params[i]
        state = states[i]
        gradient = parameter.grad
        if gradient is not None:
            g = gradient.data
            squared_gradient = g * g
            new_state = state.data + squared_gradient
            state.data.copy_(new_state)
            inside_root = new_state + eps
            root = inside_root**0.5
            step_size = lr / root
            update = step_size * g
            new_value = parameter.data - update
            parameter.data.copy_(new_value)
            zeros = torch.zeros_like(gradient)
            parameter.grad.data.copy_(zeros)
