"""Mistakes in vjp; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch


def leaf_of(x):
    return x.detach().clone().requires_grad_()


# --- v is ignored


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    (g,) = torch.autograd.grad(y.sum(), x, allow_unused=True, materialize_grads=True)
    return g.detach()


# --- the mean instead of the sum


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    (g,) = torch.autograd.grad((y * v).mean(), x, allow_unused=True, materialize_grads=True)
    return g.detach()


# --- the Jacobian times v


def vjp(f, x, v):
    x = x.detach()
    jacobian = torch.autograd.functional.jacobian(f, x)
    square = jacobian.reshape(v.numel(), x.numel())
    if v.numel() == x.numel():
        return (square @ v.detach().reshape(-1)).reshape(x.shape)
    return (v.detach().reshape(-1) @ square).reshape(x.shape)


# --- the result carries a graph


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    (g,) = torch.autograd.grad(y, x, v, create_graph=True, allow_unused=True)
    return torch.zeros_like(x).detach() if g is None else g


# --- x is asked for a gradient


def vjp(f, x, v):
    x.requires_grad_(True)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    (g,) = torch.autograd.grad(y, x, v, allow_unused=True)
    return torch.zeros_like(x).detach() if g is None else g.detach()


# --- x is asked for a gradient, and not afterwards, whatever it was


def vjp(f, x, v):
    if not x.is_leaf:
        x = leaf_of(x)
    x.requires_grad_(True)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    x.requires_grad_(False)
    return torch.zeros_like(x) if g is None else g.detach()


# --- backward, which fills the gradients of the weights as well


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if y.requires_grad:
        y.backward(v)
    return torch.zeros_like(x).detach() if x.grad is None else x.grad


# --- backward into x itself


def vjp(f, x, v):
    asked = x.requires_grad
    if not x.is_leaf:
        x = leaf_of(x)
    x.requires_grad_(True)
    y = f(x)
    if y.requires_grad:
        y.backward(v, inputs=[x])
    g = torch.zeros_like(x) if x.grad is None else x.grad.clone()
    x.grad = None
    if x.is_leaf:
        x.requires_grad_(asked)
    return g.detach()


# --- backward into x itself, added to what was there


def vjp(f, x, v):
    if not (x.requires_grad and x.is_leaf):
        x = leaf_of(x)
    y = f(x)
    if y.requires_grad:
        y.backward(v, inputs=[x])
    return torch.zeros_like(x).detach() if x.grad is None else x.grad.detach().clone()


# --- None where f does not depend on x


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    return torch.autograd.grad(y, x, v, allow_unused=True)[0]


# --- an error where f does not depend on x, but on something else with a graph


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    return torch.autograd.grad(y, x, v)[0].detach()


# --- an error where f(x) carries no graph


def vjp(f, x, v):
    x = leaf_of(x)
    (g,) = torch.autograd.grad(f(x), x, v, allow_unused=True)
    return torch.zeros_like(x).detach() if g is None else g.detach()


# --- a number where f does not depend on x


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return torch.tensor(0.0, dtype=x.dtype) if g is None else g.detach()


# --- the zeros need a gradient


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x, requires_grad=True) if g is None else g.detach()


# --- v is changed in place


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    (g,) = torch.autograd.grad(
        v.data.mul_(y.detach() * 0 + 2).sum() * 0 + (y * v / 2).sum(), x, allow_unused=True
    )
    return torch.zeros_like(x).detach() if g is None else g.detach()


# --- x has to need a gradient


def vjp(f, x, v):
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x)
    (g,) = torch.autograd.grad(y, x, v, allow_unused=True)
    return torch.zeros_like(x) if g is None else g.detach()


# --- flat


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return (torch.zeros_like(x).detach() if g is None else g.detach()).reshape(-1)


# --- float32 throughout


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return (torch.zeros_like(x).detach() if g is None else g.detach()).float()


# --- float32 inside


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return (torch.zeros_like(x).detach() if g is None else g.detach()).float().to(x.dtype)


# --- finite differences


def vjp(f, x, v):
    h = 1e-3
    base = x.detach().reshape(-1)
    result = torch.zeros_like(base)
    with torch.no_grad():
        for j in range(base.numel()):
            step = torch.zeros_like(base)
            step[j] = h
            up, down = f((base + step).reshape(x.shape)), f((base - step).reshape(x.shape))
            result[j] = ((up - down) / (2 * h) * v).sum()
    return result.reshape(x.shape)


# --- vectors only


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    total = torch.zeros_like(x).detach()
    if y.requires_grad:
        for i in range(len(y)):
            (g,) = torch.autograd.grad(y[i], x, v[i], retain_graph=True, allow_unused=True)
            total = total if g is None else total + g
    return total


# --- scalars only


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    (g,) = torch.autograd.grad(y, x, allow_unused=True, materialize_grads=True)
    return v.detach() * g.detach()


# --- the weights' gradients are wiped


def vjp(f, x, v):
    point = leaf_of(x)
    y = f(point)
    if not y.requires_grad:
        return torch.zeros_like(point).detach()
    y.backward(v)
    todo, seen = [y.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable") and node.variable is not point:
            node.variable.grad = None
        todo.extend(n for n, _ in node.next_functions)
    return torch.zeros_like(point).detach() if point.grad is None else point.grad


# --- the gradient with respect to f(x) instead of x


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    if y.shape == x.shape:
        return (v * y / x).detach()
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x).detach() if g is None else g.detach()


# --- v's graph comes along


def vjp(f, x, v):
    jacobian = torch.autograd.functional.jacobian(f, x.detach()).reshape(v.numel(), x.numel())
    return (v.reshape(-1) @ jacobian).reshape(x.shape)


# --- computed in no_grad


def vjp(f, x, v):
    x = leaf_of(x)
    with torch.no_grad():
        y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x).detach() if g is None else g.detach()


# --- normalised by the sum of v


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v / v.sum(), allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x).detach() if g is None else g.detach()


# --- x is changed in place through .data


def vjp(f, x, v):
    point = leaf_of(x)
    y = f(point)
    g = torch.autograd.grad(y, point, v, allow_unused=True)[0] if y.requires_grad else None
    if g is None:
        x.data.zero_()
        return x.detach()
    return g.detach()


# --- not detached at the end: v itself, with its graph, where f is x plus a constant


def vjp(f, x, v):
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x).detach() if g is None else g


# --- x has rows


def vjp(f, x, v):
    assert len(x) > 0
    x = leaf_of(x)
    y = f(x)
    g = torch.autograd.grad(y, x, v, allow_unused=True)[0] if y.requires_grad else None
    return torch.zeros_like(x).detach() if g is None else g.detach()
