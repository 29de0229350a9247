import torch


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states):
            if p.grad is None:
                continue
            s += p.grad**2
            p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()
