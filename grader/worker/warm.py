"""Touch once, before any fork, what every worker would otherwise pay for.

The first backward of a process costs hundreds of milliseconds, the first optimizer step more.
"""

from __future__ import annotations

import ctypes
import sys

from grader.wire import Name, WireLimits, decode, encode
from grader.worker.service import Service

_MODULE = '''
import collections
import dataclasses
import functools
import itertools
import math
import typing
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scale(x: Tensor, factor: float) -> Tensor:
    """Scale."""
    if factor < 0:
        raise ValueError("factor is negative")
    return (x * factor).exp().sum(dim=-1, keepdim=True).log() / x.amax(-1, keepdim=True).clamp(min=1)


def step(x: Tensor) -> None:
    with torch.no_grad():
        x -= 0.1 * x


def numbers(n: int) -> "typing.Iterator[tuple[Tensor, Tensor]]":
    for i in range(n):
        yield torch.arange(i), torch.tensor([[1.0, 2.0]])


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 2 * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g
'''

_OPTIM = """
import torch


def run():
    for kind in (torch.optim.SGD, torch.optim.Adam):
        p = torch.nn.Parameter(torch.ones(2))
        optimizer = kind([p], lr=0.1)
        optimizer.zero_grad()
        p.sum().backward()
        optimizer.step()
"""

_NN = """
import torch
from torch import nn


def run():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1))
    nn.functional.mse_loss(model(torch.ones(2, 3)), torch.ones(2, 1)).backward()
    model.load_state_dict(model.state_dict())
    model.eval()
"""


def warm(kinds: list[str]) -> None:
    """Run a small module through a real `Service`; `kinds` adds "optim" and "nn"."""
    import torch

    limits = WireLimits()
    service = Service(limits)

    def ask(*request: object) -> object:
        return decode(service.answer(encode(request, views=True)), limits)

    x = torch.ones(2, 3, requires_grad=True)
    g = torch.ones(2, 1)
    ask("load", _MODULE, "warming", None)
    for traced in (False, True):
        ask("call", Name("scale"), (x, 0.5), {}, True, 0, traced, [g], [], [])
    ask("call", Name("scale"), (x, 0.5), {}, True, 0, False, None, [], [])
    ask("call", Name("scale"), (x, -1.0), {}, True, 0, False, None, [], [])
    ask("call", Name("step"), (x,), {}, True, 0, False, None, [], [])
    ask("call", Name("Double.apply"), (x,), {}, True, 0, False, [torch.ones(2, 3)], [], [])
    ask("call", Name("numbers"), (2,), {}, True, 0, False, None, [], [])
    ask("load", "def broken(:", "warming", None)
    for kind, source in (("optim", _OPTIM), ("nn", _NN)):
        if kind in kinds:
            ask("load", source, "warming", None)
            ask("call", Name("run"), (), {}, True, 0, False, None, [], [])


def fill_holes() -> None:
    """Take all free memory between what is in use, so that a child's new objects lie side by side.

    A page that the child shares with us is copied when it first writes there. Left alone, malloc hands out the
    holes that warming left all over the heap, and nearly every small object costs the copy of a page.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    try:
        malloc, free, sbrk = libc.malloc, libc.free, libc.sbrk
    except AttributeError:
        return
    malloc.restype = sbrk.restype = ctypes.c_void_p
    malloc.argtypes, free.argtypes, sbrk.argtypes = [ctypes.c_size_t], [ctypes.c_void_p], [ctypes.c_long]
    # A large block is cut off the top of the heap: what lies below it is a hole or in use.
    mark = malloc(_TOP_BYTES)
    if not mark or mark > sbrk(0):
        return
    sizes = [*range(1 << 16, 1 << 10, -1024), *range(1024, 8, -16)]
    for size in sizes:
        for _ in range(_MOST_HOLES):
            block = malloc(size)
            if not block:
                break
            if block > mark:
                free(block)
                break
    free(mark)


_TOP_BYTES = 100_000
_MOST_HOLES = 200_000
