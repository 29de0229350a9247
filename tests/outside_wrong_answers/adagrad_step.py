"""Mistakes in adagrad_step; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch

# --- the step divides by the state from before


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                p -= lr * p.grad / torch.sqrt(s + eps)
                s += p.grad**2
                p.grad.zero_()


# --- eps outside the root


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / (torch.sqrt(s) + eps)
                p.grad.zero_()


# --- eps enters the state


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                s += eps
                p -= lr * p.grad / torch.sqrt(s)
                p.grad.zero_()


# --- eps left out


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= torch.where(s > 0, lr * p.grad / torch.sqrt(s), 0)
                p.grad.zero_()


# --- eps hard-wired


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + 1e-6)
                p.grad.zero_()


# --- another default of eps


def adagrad_step(params, states, lr, eps=1e-10):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- eps squared


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps**2)
                p.grad.zero_()


# --- a decaying mean, as in RMSProp


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s.mul_(0.9).add_(0.1 * p.grad**2)
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- the state is replaced


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s.copy_(p.grad**2)
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- absolute values instead of squares


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad.abs()
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- one number for the whole parameter: the sum


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += (p.grad**2).sum()
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- one number for the whole parameter: the mean


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += (p.grad**2).mean()
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- the root of the state left out


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / (s + eps)
                p.grad.zero_()


# --- gradients are kept


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)


# --- gradients become None


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad = None


# --- gradients that were None become zeros


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad = torch.zeros_like(p)


# --- only the last gradient is cleared


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        last = None
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
                last = p
        if last is not None:
            last.grad.zero_()


# --- parameters are bound to new tensors


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                g = p.grad.clone()
                p.grad.zero_()
                p = p - lr * g / torch.sqrt(s + eps)


# --- states are bound to new tensors


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s = s + p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- the list gets new tensors


def adagrad_step(params, states, lr, eps=1e-6):
    for i, (p, s) in enumerate(zip(params, states, strict=True)):
        if p.grad is not None:
            s += p.grad**2
            new = (p - lr * p.grad / torch.sqrt(s + eps)).detach().requires_grad_()
            new.grad = torch.zeros_like(p.grad)
            params[i] = new


# --- the list of states gets new tensors


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for i, p in enumerate(params):
            if p.grad is not None:
                states[i] = states[i] + p.grad**2
                p -= lr * p.grad / torch.sqrt(states[i] + eps)
                p.grad.zero_()


# --- in-place on a leaf without no_grad


def adagrad_step(params, states, lr, eps=1e-6):
    for p, s in zip(params, states, strict=True):
        if p.grad is not None:
            s += p.grad**2
            p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()


# --- the first None ends the step


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is None:
                return
            s += p.grad**2
            p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()


# --- None is not expected


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            s += p.grad**2
            p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()


# --- parameters without a gradient are left out, states are not


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        with_gradient = [p for p in params if p.grad is not None]
        for p, s in zip(with_gradient, states, strict=False):
            if s.shape == p.shape:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()


# --- uphill


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p += lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- the gradient is scaled before the state takes it in


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                g = p.grad.mul_(lr)
                s += g**2
                p -= g / torch.sqrt(s + eps)
                p.grad.zero_()


# --- the gradient is cleared before it is used


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                g = p.grad
                s += g**2
                p.grad.zero_()
                p -= lr * g / torch.sqrt(s + eps)


# --- parameters need no gradient any more


def adagrad_step(params, states, lr, eps=1e-6):
    for p, s in zip(params, states, strict=True):
        if p.grad is not None:
            p.requires_grad_(False)
            s += p.grad**2
            p -= lr * p.grad / torch.sqrt(s + eps)
            p.grad.zero_()


# --- the parameters are returned


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()
    return params


# --- a state of its own


SUMS = {}


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for i, (p, s) in enumerate(zip(params, states, strict=True)):
            if p.grad is not None:
                known = SUMS.setdefault(i, torch.zeros_like(p))
                if known.shape != p.shape or known.dtype != p.dtype:
                    known = SUMS[i] = torch.zeros_like(p)
                known += p.grad**2
                s.copy_(known)
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- float64 computed in float32


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                g = p.grad.float()
                s.copy_(s.float() + g**2)
                p.copy_(p.float() - lr * g / torch.sqrt(s.float() + eps))
                p.grad.zero_()


# --- gradients clipped


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                g = p.grad.clamp(-1, 1)
                s += g**2
                p -= lr * g / torch.sqrt(s + eps)
                p.grad.zero_()


# --- weight decay


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                g = p.grad + 1e-2 * p
                s += g**2
                p -= lr * g / torch.sqrt(s + eps)
                p.grad.zero_()


# --- the first parameter's state for all


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p in params:
            if p.grad is not None:
                s = states[0] if states[0].shape == p.shape else torch.zeros_like(p)
                s += p.grad**2
                p -= lr * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- flat views, which parameters with strides do not have


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                flat_p, flat_s, flat_g = p.reshape(-1), s.reshape(-1), p.grad.reshape(-1)
                flat_s += flat_g**2
                flat_p -= lr * flat_g / torch.sqrt(flat_s + eps)
                p.grad.zero_()


# --- a tuple of parameters is assigned to


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for i in range(len(params)):
            if params[i].grad is not None:
                states[i] += params[i].grad ** 2
                params[i] -= lr * params[i].grad / torch.sqrt(states[i] + eps)
                params[i].grad.zero_()


# --- the learning rate falls with the number of the parameter


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for i, (p, s) in enumerate(zip(params, states, strict=True)):
            if p.grad is not None:
                s += p.grad**2
                p -= lr / (1 + i) * p.grad / torch.sqrt(s + eps)
                p.grad.zero_()


# --- no gradient at all is an error: foreach of nothing


def adagrad_step(params, states, lr, eps=1e-6):
    pairs = [(p, s) for p, s in zip(params, states, strict=True) if p.grad is not None]
    stepped, sums, grads = [p for p, _ in pairs], [s for _, s in pairs], [p.grad for p, _ in pairs]
    with torch.no_grad():
        torch._foreach_addcmul_(sums, grads, grads)
        torch._foreach_addcdiv_(stepped, grads, [(s + eps).sqrt() for s in sums], -lr)
        torch._foreach_zero_(grads)


# --- a parameter without dims is an error: slices


def adagrad_step(params, states, lr, eps=1e-6):
    with torch.no_grad():
        for p, s in zip(params, states, strict=True):
            if p.grad is not None:
                s[:] = s + p.grad**2
                p[:] = p - lr * p.grad / torch.sqrt(s + eps)
                p.grad[:] = 0
