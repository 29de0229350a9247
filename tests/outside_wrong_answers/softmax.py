"""Mistakes in softmax; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import torch

# --- nothing is taken off before exp


def softmax(x, dim):
    e = x.exp()
    return e / e.sum(dim, keepdim=True)


# --- the maximum of the whole tensor is taken off


def softmax(x, dim):
    e = torch.exp(x - x.max()) if x.numel() else torch.exp(x)
    return e / e.sum(dim, keepdim=True)


# --- the maximum of another dim is taken off


def softmax(x, dim):
    e = torch.exp(x - x.amax(0, keepdim=True)) if x.shape[0] else torch.exp(x)
    return e / e.sum(dim, keepdim=True)


# --- the minimum is taken off


def softmax(x, dim):
    e = torch.exp(x - x.amin(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- the mean is taken off


def softmax(x, dim):
    e = torch.exp(x - x.mean(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- dim is ignored: always the last


def softmax(x, dim):
    e = torch.exp(x - x.amax(-1, keepdim=True))
    return e / e.sum(-1, keepdim=True)


# --- dim is ignored: always 1


def softmax(x, dim):
    dim = min(1, x.dim() - 1)
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- negative dims count from the wrong end


def softmax(x, dim):
    dim = abs(dim) % x.dim()
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- the result is cut from the graph


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return (e / e.sum(dim, keepdim=True)).detach()


# --- the denominator is cut from the graph


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True).detach()


# --- the numerator is cut from the graph


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e.detach() / e.sum(dim, keepdim=True)


# --- computed in no_grad


def softmax(x, dim):
    with torch.no_grad():
        e = torch.exp(x - x.amax(dim, keepdim=True))
        return e / e.sum(dim, keepdim=True)


# --- an eps in the denominator


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / (e.sum(dim, keepdim=True) + 1e-6)


# --- half precision comes back as float32


def softmax(x, dim):
    z = x if x.dtype == torch.float64 else x.float()
    e = torch.exp(z - z.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- float32 is computed in bfloat16


def softmax(x, dim):
    z = x.to(torch.bfloat16)
    e = torch.exp(z - z.amax(dim, keepdim=True))
    return (e / e.sum(dim, keepdim=True)).to(x.dtype)


# --- float64 is computed in float32


def softmax(x, dim):
    z = x.float()
    e = torch.exp(z - z.amax(dim, keepdim=True))
    return (e / e.sum(dim, keepdim=True)).to(x.dtype)


# --- exp of the score less logsumexp, rounded at the size of the scores


def softmax(x, dim):
    return torch.exp(x - torch.logsumexp(x, dim, keepdim=True))


# --- large scores are clamped


def softmax(x, dim):
    e = torch.exp(x.clamp(-80, 80) - x.clamp(-80, 80).amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- -inf becomes -1e4, which is a score like any other


def softmax(x, dim):
    z = x.clamp(min=-1e4)
    e = torch.exp(z - z.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- NaN from overflow is papered over with zeros


def softmax(x, dim):
    e = x.exp()
    return (e / e.sum(dim, keepdim=True)).nan_to_num(0.0)


# --- x is changed in place through .data


def softmax(x, dim):
    x.data.sub_(x.data.amax(dim, keepdim=True))
    e = torch.exp(x)
    return e / e.sum(dim, keepdim=True)


# --- keepdim is forgotten in the denominator


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim)


# --- view on whatever strides x has where the last dim is asked for


def softmax(x, dim):
    shape = x.shape
    if dim % x.dim() == x.dim() - 1:
        rows = x.view(-1, shape[-1]) if x.numel() else x
        e = torch.exp(rows - rows.amax(-1, keepdim=True))
        return (e / e.sum(-1, keepdim=True)).view(shape)
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- one and two dims only


def softmax(x, dim):
    if x.dim() > 2:
        raise ValueError("x must be a matrix")
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- an empty batch loses its shape


def softmax(x, dim):
    if x.numel() == 0:
        return torch.tensor([], dtype=x.dtype)
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- an empty batch is an error


def softmax(x, dim):
    if x.numel() == 0:
        raise ValueError("empty input")
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- powers of two


def softmax(x, dim):
    e = torch.exp2(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


# --- softmin


def softmax(x, dim):
    e = torch.exp(x.amin(dim, keepdim=True) - x)
    return e / e.sum(dim, keepdim=True)


# --- logarithms of the probabilities


def softmax(x, dim):
    z = x - x.amax(dim, keepdim=True)
    return z - z.exp().sum(dim, keepdim=True).log()


# --- a backward of its own with the diagonal of the Jacobian only


class _Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dim):
        e = torch.exp(x - x.amax(dim, keepdim=True))
        p = e / e.sum(dim, keepdim=True)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return g * p * (1 - p), None


def softmax(x, dim):
    return _Softmax.apply(x, dim)


# --- sums to one over the whole tensor


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum()


# --- -inf gets a NaN gradient: differences of all pairs


def softmax(x, dim):
    z = x.movedim(dim, -1)
    return (1 / (z.unsqueeze(-2) - z.unsqueeze(-1)).exp().sum(-1)).movedim(-1, dim)


# --- a flat view on whatever strides x has


def softmax(x, dim):
    flat = x.view(x.numel()).view(x.shape)
    e = torch.exp(flat - flat.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
