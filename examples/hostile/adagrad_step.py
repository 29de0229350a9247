"""Never comes back."""


def adagrad_step(params, states, lr, eps=1e-6):
    while True:
        pass
