"""Mistakes in dropout; what stands above the first separator belongs to each of them."""

# ruff: noqa: F811

import random

import torch


def check(p):
    if not 0 <= p <= 1:
        raise ValueError(p)


# --- no scale


def dropout(x, p, training):
    check(p)
    return x * (torch.rand_like(x) >= p) if training else x


# --- p is the rate of the survivors


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 0:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) < p) / p


# --- p is the rate of the survivors, but the scale is right


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    return x * (torch.rand_like(x) < p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- scaled by 1 / p


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    return x * (torch.rand_like(x) >= p) / p


# --- scaled down in evaluation instead of up in training


def dropout(x, p, training):
    check(p)
    return x * (torch.rand_like(x) >= p) if training else x * (1 - p)


# --- scaled in evaluation, too


def dropout(x, p, training):
    check(p)
    if p == 1:
        return torch.zeros_like(x) if training else x
    return x * (torch.rand_like(x) >= p) / (1 - p) if training else x / (1 - p)


# --- the scale is that of the share that survived


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    mask = (torch.rand_like(x) >= p).to(x.dtype)
    return x * mask / mask.mean().clamp(min=1e-12)


# --- seeded at each call


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    torch.manual_seed(0)
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- a generator of its own with a fixed seed


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    draws = torch.rand(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    return x * (draws >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- a generator of its own for the whole module


GENERATOR = torch.Generator().manual_seed(1)


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    draws = torch.rand(x.shape, generator=GENERATOR, dtype=x.dtype)
    return x * (draws >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- Python's generator instead of torch's


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    mask = torch.tensor([random.random() >= p for _ in range(x.numel())], dtype=x.dtype).reshape(x.shape)
    return x * mask / (1 - p) if p < 1 else torch.zeros_like(x)


# --- the generator is put back afterwards: the same draws each time


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    with torch.random.fork_rng(devices=[]):
        mask = torch.rand_like(x) >= p
    return x * mask / (1 - p) if p < 1 else torch.zeros_like(x)


# --- one mask for all calls with a shape


MASKS = {}


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    if (x.shape, p) not in MASKS:
        MASKS[x.shape, p] = torch.rand(x.shape) >= p
    return x * MASKS[x.shape, p] / (1 - p)


# --- one draw for each row


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    shape = x.shape[:1] + (1,) * (x.dim() - 1)
    return x * (torch.rand(shape) >= p) / (1 - p)


# --- one mask for all rows


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    return x * (torch.rand(x.shape[-1:]) >= p) / (1 - p)


# --- one draw for everything


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    return x * (torch.rand(()) >= p) / (1 - p)


# --- an exact share is dropped


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = torch.ones(x.numel(), dtype=x.dtype)
    mask[torch.randperm(x.numel())[: round(p * x.numel())]] = 0
    return x * mask.reshape(x.shape) / (1 - p)


# --- x is changed in place


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    mask = torch.rand_like(x) >= p
    x.data *= mask
    return x * mask / (1 - p)


# --- p = 1 divides by zero


def dropout(x, p, training):
    check(p)
    return x * (torch.rand_like(x) >= p) / (1 - p) if training else x


# --- p = 1 has a NaN gradient


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    y = x * (torch.rand_like(x) >= p) / torch.tensor(1 - p, dtype=x.dtype)
    return torch.where(torch.isnan(y), torch.zeros_like(y), y)


# --- p = 1 is an error


def dropout(x, p, training):
    if not 0 <= p < 1:
        raise ValueError
    return x * (torch.rand_like(x) >= p) / (1 - p) if training else x


# --- p = 0 is an error


def dropout(x, p, training):
    if not 0 < p <= 1:
        raise ValueError
    if p == 1 and training:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) >= p) / (1 - p) if training else x


# --- p = 1 leaves x as it is


def dropout(x, p, training):
    check(p)
    if not training or p == 1:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p)


# --- p = 1 in evaluation gives zeros


def dropout(x, p, training):
    check(p)
    if p == 1:
        return torch.zeros_like(x)
    return x * (torch.rand_like(x) >= p) / (1 - p) if training else x


# --- p is checked in training only


def dropout(x, p, training):
    if not training:
        return x
    check(p)
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- p is not checked


def dropout(x, p, training):
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- only p > 1 is an error


def dropout(x, p, training):
    if p > 1:
        raise ValueError
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- p is clamped


def dropout(x, p, training):
    p = min(max(p, 0), 1)
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- an AssertionError


def dropout(x, p, training):
    assert 0 <= p <= 1
    if not training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- the gradient goes past the mask


def dropout(x, p, training):
    check(p)
    if not training or p in (0, 1):
        return x if not training or p == 0 else torch.zeros_like(x)
    y = x * (torch.rand_like(x) >= p) / (1 - p)
    return x + (y - x).detach()


# --- the gradient is masked but not scaled


def dropout(x, p, training):
    check(p)
    if not training or p in (0, 1):
        return x if not training or p == 0 else torch.zeros_like(x)
    kept = x * (torch.rand_like(x) >= p)
    return kept + (kept * p / (1 - p)).detach()


# --- backward draws a mask of its own


class _Drop(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, p):
        ctx.p = p
        return x * (torch.rand_like(x) >= p) / (1 - p)

    @staticmethod
    def backward(ctx, g):
        return g * (torch.rand_like(g) >= ctx.p) / (1 - ctx.p), None


def dropout(x, p, training):
    check(p)
    if not training or p in (0, 1):
        return x if not training or p == 0 else torch.zeros_like(x)
    return _Drop.apply(x, p)


# --- cut from the graph


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    return (x * (torch.rand_like(x) >= p) / (1 - p)).detach() if p < 1 else torch.zeros_like(x)


# --- cut from the graph in evaluation


def dropout(x, p, training):
    check(p)
    if not training:
        return x.detach()
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- float32 throughout


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    return x.float() * (torch.rand(x.shape) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- float32 inside


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    y = x.float() * (torch.rand(x.shape) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)
    return y.to(x.dtype)


# --- noise instead of zeros


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    return x * (1 + torch.randn_like(x) * (p / (1 - p)) ** 0.5)


# --- training is ignored


def dropout(x, p, training):
    check(p)
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- training is turned round


def dropout(x, p, training):
    check(p)
    if training:
        return x
    return x * (torch.rand_like(x) >= p) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- matrices only


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    mask = torch.rand(x.shape[0], x.shape[1]) >= p
    return x * mask / (1 - p) if p < 1 else torch.zeros_like(x)


# --- the smallest values are dropped


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    if p == 1:
        return torch.zeros_like(x)
    cut = x.detach().abs().flatten().float().quantile(p)
    return torch.where(x.abs() > cut, x / (1 - p), 0)


# --- the scale is hard-wired to 2


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    return 2 * x * (torch.rand_like(x) >= p) if p < 1 else torch.zeros_like(x)


# --- the mask is rounded: p is always a half


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    return x * torch.rand_like(x).round() / (1 - p) if p < 1 else torch.zeros_like(x)


# --- p counted in whole percents, rounded down to tenths


def dropout(x, p, training):
    check(p)
    if not training or p == 0:
        return x
    dropped = torch.randint(10, x.shape) < int(p * 10)
    return x.masked_fill(dropped, 0) / (1 - p) if p < 1 else torch.zeros_like(x)


# --- a tensor without dims loses its shape


def dropout(x, p, training):
    check(p)
    if not training:
        return x
    if p == 1:
        return torch.zeros_like(x)
    x = torch.atleast_1d(x)
    return x * (torch.rand_like(x) >= p) / (1 - p)
