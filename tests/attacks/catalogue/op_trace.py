"""Forbidden work that no line of the source gives away: only what was seen of the ops does."""

from __future__ import annotations

from tests.attacks.attack import Attack

FOUND_BY_ITS_LETTERS = """\
import torch

NAMES = [name for name in dir(torch.nn.functional) if sorted(name) == sorted("maxsoft")]


def softmax(x, dim):
    return vars(torch.nn.functional)[NAMES[0]](x, dim)
"""

SOURCE_IN_HEXADECIMAL = """\
exec(bytes.fromhex(
    "696d706f727420746f7263680a64656620736f66746d617828782c2064696d293a0a2020202072657475726e20"
    "746f7263682e736f66746d617828782c2064696d290a"
))


def softmax(x, dim, given=softmax):
    return given(x, dim)
"""

COMPILED_BY_ITS_LETTERS = """\
import torch

WORD = next(name for name in dir(torch) if sorted(name) == sorted("maxsoft"))
UNIT = torch.jit.CompilationUnit(f"def f(x, dim: int):\\n  return torch.{WORD}(x, dim)\\n")


def softmax(x, dim):
    return UNIT.f(x, dim)
"""

A_RELATIVE_BY_ITS_LETTERS = """\
import torch

WORD = next(name for name in dir(torch.nn.functional) if sorted(name) == sorted("entropy_cross"))
LOSS = vars(torch.nn.functional)[WORD]


def softmax(x, dim):
    z = x.movedim(dim, -1)
    rows = z.reshape(-1, z.shape[-1])
    columns = [LOSS(rows, torch.full((len(rows),), k), reduction="none") for k in range(rows.shape[1])]
    return torch.stack(columns, 1).neg().exp().reshape(z.shape).movedim(-1, dim)
"""

ONLY_IN_THE_DERIVATIVE = """\
import torch

WORD = next(name for name in dir(torch) if sorted(name) == sorted("maxsoft"))


class Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dim):
        e = torch.exp(x - x.amax(dim, keepdim=True))
        ctx.save_for_backward(x)
        ctx.dim = dim
        return e / e.sum(dim, keepdim=True)

    @staticmethod
    def backward(ctx, g):
        p = getattr(ctx.saved_tensors[0], WORD)(ctx.dim)
        return p * (g - (p * g).sum(ctx.dim, keepdim=True)), None


def softmax(x, dim):
    return Softmax.apply(x, dim)
"""

DIES_WITH_THE_EVIDENCE = """\
import os
import torch

WORD = next(name for name in dir(torch) if sorted(name) == sorted("maxsoft"))


def softmax(x, dim):
    if x.dtype is torch.bfloat16:
        os._exit(0)
    return getattr(torch, WORD)(x, dim)
"""

SWITCHES_THE_RECORD_OFF = """\
import torch

WORD = next(name for name in dir(torch) if sorted(name) == sorted("maxsoft"))
OFF = vars(torch._C._autograd)["_disable_profiler_legacy"]


def softmax(x, dim):
    OFF()
    return getattr(torch, WORD)(x, dim)
"""

CLAIMS_OTHER_OPS = """\
import sys
import torch

WORD = next(name for name in dir(torch) if sorted(name) == sorted("maxsoft"))
RECORDING = sys.modules["grader.worker.recording"]
RECORDING.OpNames._read = lambda self, events: None
RECORDING.Recorder.program = lambda self, outputs: ([("aten::exp", [RECORDING.InputRef(0)], {}, 1)], [1], [], [])


def softmax(x, dim):
    return getattr(torch, WORD)(x, dim)
"""

AN_OPTIMIZER_BY_ITS_LETTERS = """\
import torch

KIND = next(kind for name, kind in vars(torch.optim).items() if sorted(name) == sorted("gradAda"))


def adagrad_step(params, states, lr, eps=1e-6):
    for p in params:
        if p.grad is not None:
            KIND([p], lr=lr, eps=eps).step()
"""

A_CELL_BY_ITS_LETTERS = """\
import torch

CELL = getattr(torch, next(name for name in dir(torch) if sorted(name) == sorted("cell_tanh_rnn")))


def truncated_bptt(x, h, w_xh, w_hh, b, steps):
    outputs = []
    for t in range(x.shape[0]):
        if t and t % steps == 0:
            h = h.detach()
        h = CELL(x[t], h, w_xh.t(), w_hh.t(), b, torch.zeros_like(b))
        outputs.append(h)
    return torch.stack(outputs), h
"""

DROPOUT_BY_ITS_LETTERS = """\
import torch

DROP = getattr(torch, next(name for name in dir(torch) if sorted(name) == sorted("outdrop")))


def dropout(x, p, training=True):
    return DROP(x, p, training)
"""

NUMBERS_BY_A_CAPSULE = """\
import ctypes
import torch


def numbers(tensor):
    tensor = tensor.contiguous().double()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = torch.utils.dlpack.to_dlpack(tensor)
    address = ctypes.c_void_p.from_address(pointer(capsule, b"dltensor")).value
    return list((ctypes.c_double * tensor.numel()).from_address(address))


class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        p, t, w = map(numbers, (pred, target, weight))
        return torch.tensor(sum(c * (a - b) ** 2 for a, b, c in zip(p, t, w)) / len(p), dtype=pred.dtype)

    @staticmethod
    def backward(ctx, g):
        p, t, w = ctx.saved_tensors
        d, n = g * 2 * w * (p - t) / p.numel(), ctx.needs_input_grad
        return d if n[0] else None, -d if n[1] else None, g * (p - t) ** 2 / p.numel() if n[2] else None
"""


def _forbidden(name: str, exercise: str, source: str, finding: str = "forbidden_op") -> Attack:
    return Attack(
        name,
        {f"{exercise}.py": source},
        verdicts=frozenset({"forbidden"}),
        findings=frozenset({finding}),
    )


ATTACKS = [
    _forbidden("softmax_found_by_its_letters", "softmax", FOUND_BY_ITS_LETTERS),
    _forbidden("softmax_from_a_source_in_hexadecimal", "softmax", SOURCE_IN_HEXADECIMAL),
    _forbidden("softmax_compiled_by_its_letters", "softmax", COMPILED_BY_ITS_LETTERS),
    _forbidden("softmax_by_a_relative_found_by_its_letters", "softmax", A_RELATIVE_BY_ITS_LETTERS),
    _forbidden("softmax_only_in_the_derivative", "softmax", ONLY_IN_THE_DERIVATIVE),
    _forbidden("softmax_that_dies_with_the_evidence", "softmax", DIES_WITH_THE_EVIDENCE),
    _forbidden("softmax_that_switches_the_record_off", "softmax", SWITCHES_THE_RECORD_OFF),
    _forbidden("softmax_that_claims_other_ops", "softmax", CLAIMS_OTHER_OPS, "replay_disagrees"),
    _forbidden("adagrad_by_its_letters", "adagrad_step", AN_OPTIMIZER_BY_ITS_LETTERS),
    _forbidden("recurrent_cell_by_its_letters", "truncated_bptt", A_CELL_BY_ITS_LETTERS),
    _forbidden("dropout_by_its_letters", "dropout", DROPOUT_BY_ITS_LETTERS),
    _forbidden("numbers_that_leave_by_a_capsule", "weighted_mse", NUMBERS_BY_A_CAPSULE, "replay_disagrees"),
]
