"""All parameters at once with torch's foreach operations."""

import torch


@torch.no_grad()
def adagrad_step(params, states, lr, eps=1e-6):
    pairs = [(p, s) for p, s in zip(params, states, strict=False) if p.grad is not None]
    if not pairs:
        return
    with_grad = [p for p, _ in pairs]
    grads = [p.grad for p in with_grad]
    sums = [s for _, s in pairs]
    torch._foreach_addcmul_(sums, grads, grads, 1.0)
    roots = torch._foreach_add(sums, eps)
    torch._foreach_sqrt_(roots)
    torch._foreach_addcdiv_(with_grad, grads, roots, -lr)
    torch._foreach_zero_(grads)
