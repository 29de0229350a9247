"""What a worker says that torch did: forbidden ops among the names, and programs that may be run again.

Both are claims of a process that runs a student's code. So nothing here trusts a number, a name or a size, and
what follows from it is evidence: code that is written to hide its ops can hide them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

import torch

from grader.result import Finding
from grader.submission.families import Forbidden
from grader.wire import InputRef, TensorRecord
from grader.worker.recording import CONSTANT, CONSTANT_BYTES, MAX_ITEMS, MAX_OPS, STOPPED, TOO_MANY

_OP = re.compile(r"([a-z]\w{0,30})::(\w{1,80})", re.ASCII)
_STEP = re.compile(r"Optimizer\.step#(\w{1,80})\.step", re.ASCII)
_FINDINGS = 10

# What ATen says where torch's names do not: `_masked_softmax`, `nll_loss_forward`, `native_batch_norm_legit`.
_PREFIXES = ("_", "masked_", "sparse_", "nested_", "thnn_", "quantized_")
_SUFFIXES = (
    "_forward",
    "_fwd",
    "_legit",
    "_functional",
    "_no_stats",
    "_no_training",
    "_with_update",
    "_backward",
    "_for_cpu",
)
# Names of classes of torch that are also those of quite other ops.
_OTHER_OPS = frozenset(
    {"bernoulli", "bernoulli_", "normal", "normal_", "multinomial", "cauchy_", "geometric_"}
)

# What Python's own syntax comes to, operators, indexing, loops, conditions: none of it is a call.
_SYNTAX = frozenset(
    """
    add sub rsub mul div true_divide floor_divide remainder pow matmul neg positive abs reciprocal
    eq ne lt le gt ge bitwise_and bitwise_or bitwise_xor bitwise_not __and__ __or__ __xor__ __lshift__ __rshift__
    bitwise_left_shift bitwise_right_shift logical_not select slice index index_put copy fill unbind
    item is_nonzero _local_scalar_dense to detach alias lift_fresh
    """.split()  # noqa: SIM905  names read better as words than as a quoted list
)


def forbidden_ops(names: Iterable[str], forbidden: Forbidden, allowed: Set[str]) -> tuple[Finding, ...]:
    """Findings of kind `forbidden_op`, and what kept the worker from looking, in the order of the alphabet.

    Args:
        names: of the ops that were called, as the worker says; not of those that they are made of.
        forbidden: what the exercise asks its students to write themselves.
        allowed: names that are no matter: the reference calls them as well.
    """
    findings = []
    for name in sorted(set(names) - allowed):
        if name == STOPPED:
            message = "switches off the record of its ops, which no exercise needs"
            findings.append(Finding(kind="escape_hatch", message=message))
            continue
        if name == TOO_MANY:
            message = "runs so many ops that they were not all looked at"
            findings.append(Finding(kind="trace_incomplete", message=message))
            continue
        shown, why = _judged(name, forbidden)
        if why:
            findings.append(Finding(kind="forbidden_op", message=f"runs {shown}{why}"))
    return tuple(findings[:_FINDINGS])


def _judged(name: str, forbidden: Forbidden) -> tuple[str, str]:
    """How to call an op, and why it is forbidden; the latter is empty where it is not."""
    if step := _STEP.fullmatch(name):
        return f"a step of torch.optim.{step[1]}", forbidden.match_op(step[1])
    op = _OP.fullmatch(name)
    if op is None or op[2] in _OTHER_OPS or {op[2], op[2].removesuffix("_")} & _SYNTAX:
        return "", ""
    for spelling in _spellings(op[2]):
        if why := forbidden.match_op(spelling):
            return f"torch's op {op[1]}::{op[2]}", why
    return "", ""


def _spellings(name: str) -> list[str]:
    """The name, and it without what ATen puts around it."""
    spellings = [name]
    stripped = True
    while stripped:
        stripped = False
        for prefix in _PREFIXES:
            if name.startswith(prefix) and name != prefix:
                name, stripped = name.removeprefix(prefix), True
        for suffix in _SUFFIXES:
            if name.endswith(suffix) and name != suffix:
                name, stripped = name.removesuffix(suffix), True
        if stripped:
            spellings.append(name)
    return spellings


def names_in_program(said: object) -> set[str]:
    """The names of the ops of a recorded call, whatever else is wrong with what the worker sent."""
    if type(said) is not tuple or not said or type(said[0]) is not list:
        return set()
    ops = [op[0] for op in said[0][:MAX_OPS] if type(op) is tuple and op and type(op[0]) is str]
    return {name.partition(".")[0] for name in ops}


# -- programs -------------------------------------------------------------------------------------------------


class ForgedProgram(Exception):
    """It is no program at all: no worker of ours sends such a thing."""


@dataclass(frozen=True)
class Program:
    """The ops of one call, each of them on the list."""

    ops: list[tuple[str, list[Any], dict[str, Any], int]]
    outputs: list[int]
    constants: list[torch.Tensor]
    reads_out: bool
    """Values left the tensors, and may have come back as constants."""
    hidden: bool
    """By a way that is no op: then the ops need not be all that was done."""


@dataclass(frozen=True)
class Undecided:
    """Why a program cannot be run again, or tells nothing."""

    reason: str


_GIVEN_UP = {
    "many": f"it takes more than {MAX_OPS} ops",
    "large": "it holds too many numbers",
    "random": "it draws random numbers",
    "value": "it uses something that cannot be written down",
}
_MARKS = frozenset({*_GIVEN_UP, "item", "memory"})

# The ops below autograd that do nothing but compute: no file, no process, no random number, no other library.
# A name ends in `_` where the op works in place; those are here as well. Left out are those that trust the sizes
# they are given (_reshape_alias, _cummax_helper, native_batch_norm and the like): they would write past a tensor's
# end in a process that other students' programs run in afterwards.
_LISTED = frozenset(
    """
    add sub rsub mul div true_divide floor_divide neg abs pow float_power exp exp2 expm1 log log2 log10 log1p
    sqrt rsqrt square reciprocal sign sgn signbit floor ceil round trunc frac fmod remainder maximum minimum
    fmax fmin clamp clamp_min clamp_max where addcmul addcdiv lerp sin cos tan tanh sinh cosh asin acos atan
    atan2 asinh acosh atanh sinc sigmoid logit erf erfc erfinv lgamma digamma relu threshold hardtanh
    leaky_relu softplus xlogy logaddexp logaddexp2 hypot copysign nan_to_num heaviside deg2rad rad2deg
    mm bmm mv dot vdot addmm addmv addbmm baddbmm addr matmul outer linalg_vector_norm norm
    sum mean prod amax amin aminmax max min argmax argmin all any logsumexp var std var_mean std_mean nansum
    cumsum cumprod cummax cummin logcumsumexp count_nonzero median nanmedian
    mode sort argsort topk kthvalue bincount
    eq ne lt le gt ge isnan isinf isfinite isposinf isneginf isclose logical_and logical_or logical_not
    logical_xor bitwise_and bitwise_or bitwise_not bitwise_xor
    view reshape _unsafe_view alias detach expand permute transpose t squeeze unsqueeze select
    slice narrow split split_with_sizes chunk unbind diagonal unfold movedim flatten
    index index_select gather scatter scatter_add scatter_reduce index_put _unsafe_index index_add index_copy
    index_fill masked_fill masked_scatter masked_select take nonzero
    cat stack repeat roll flip tril triu diag diag_embed tile constant_pad_nd select_scatter slice_scatter
    zeros ones full empty empty_like zeros_like ones_like full_like new_zeros new_ones new_full new_empty
    new_empty_strided empty_strided arange linspace eye scalar_tensor
    clone copy contiguous to _to_copy lift_fresh lift_fresh_copy fill zero
    _softmax _log_softmax nll_loss_forward nll_loss2d_forward mse_loss smooth_l1_loss huber_loss
    binary_cross_entropy log_sigmoid_forward elu gelu silu mish hardswish hardsigmoid native_layer_norm
    native_group_norm glu pairwise_distance _cdist_forward
    linalg_inv_ex linalg_solve_ex _linalg_solve_ex linalg_cross linalg_det _linalg_det
    _local_scalar_dense equal is_nonzero _is_all_true _is_any_true promote_types result_type can_cast
    """.split()  # noqa: SIM905  names read better as words than as a quoted list
)
_LISTED_NAME = re.compile(r"aten::(\w{1,60})(?:\.(\w{1,60}))?", re.ASCII)
_CONSTANTS = 64
_TEXT = re.compile(r"[\w.]{0,40}", re.ASCII)


def read_program(said: object, inputs: int, outputs: int, forbidden: Forbidden) -> Program | Undecided:
    """What a worker sent as the program of a call, once it is known to be one.

    Args:
        said: as it came over the wire.
        inputs: how many tensors the call was given.
        outputs: how many it returned.
        forbidden: an op that amounts to one of these is not run again, though it may only be what an allowed
            one is made of.

    Raises:
        ForgedProgram: it is malformed.
    """
    if type(said) is not tuple or len(said) != 4 or any(type(part) is not list for part in said):
        raise ForgedProgram
    ops, numbers, constants, marks = said
    if len(ops) > MAX_OPS or len(constants) > MAX_OPS or len(marks) > len(_MARKS):
        raise ForgedProgram
    if any(type(mark) is not str or mark not in _MARKS for mark in marks):
        raise ForgedProgram
    for mark, reason in _GIVEN_UP.items():
        if mark in marks:
            return Undecided(reason)
    reader = _Reader(inputs, forbidden)
    for op in ops:
        reader.read(op)
    if len(numbers) != outputs or any(type(n) is not int or not 0 <= n < reader.values for n in numbers):
        raise ForgedProgram
    if len(constants) != reader.constants or not all(type(item) is TensorRecord for item in constants):
        raise ForgedProgram
    tensors = [record.tensor for record in constants]
    if sum(tensor.numel() * tensor.element_size() for tensor in tensors) > CONSTANT_BYTES:
        raise ForgedProgram
    if reader.unlisted:
        return Undecided(f"it runs {reader.unlisted}, which is not on the list of ops that are run again")
    if len(tensors) > _CONSTANTS:
        return Undecided("it makes too many tensors out of numbers")
    return Program(ops, numbers, tensors, "item" in marks or "memory" in marks, "memory" in marks)


class _Reader:
    """Reads ops one by one; knows how many tensors there are so far."""

    def __init__(self, inputs: int, forbidden: Forbidden) -> None:
        self.values = inputs
        self._forbidden = forbidden
        self.constants = 0
        self.unlisted = ""
        self._items = 0

    def read(self, op: object) -> None:
        if type(op) is not tuple or len(op) != 4:
            raise ForgedProgram
        name, args, kwargs, count = op
        if type(name) is not str or type(args) is not list or type(kwargs) is not dict:
            raise ForgedProgram
        if type(count) is not int or not 0 <= count <= MAX_ITEMS:
            raise ForgedProgram
        for item in args:
            self._argument(item, 0)
        for key, item in kwargs.items():
            if type(key) is not str or not _TEXT.fullmatch(key):
                raise ForgedProgram
            self._argument(item, 0)
        if name == CONSTANT:
            if args or kwargs or count != 1:
                raise ForgedProgram
            self.constants += 1
        elif not self.unlisted:
            self.unlisted = self._unlisted(name)
        self.values += count
        if self.values > MAX_ITEMS:
            raise ForgedProgram

    def _argument(self, value: object, depth: int) -> None:
        self._items += 1
        if self._items > MAX_ITEMS or depth > 8:
            raise ForgedProgram
        kind = type(value)
        if kind is InputRef:
            assert isinstance(value, InputRef)
            if not 0 <= value.index < self.values:
                raise ForgedProgram
        elif kind is list:
            assert isinstance(value, list)
            for item in value:
                self._argument(item, depth + 1)
        elif kind is str:
            if not _TEXT.fullmatch(str(value)):
                self.unlisted = self.unlisted or "something with an odd text for an argument"
        elif kind is torch.device:
            assert isinstance(value, torch.device)
            if value.type != "cpu" and not self.unlisted:
                self.unlisted = "something on another device"
        elif value is not None and kind not in (bool, int, float, torch.dtype):
            raise ForgedProgram

    def _unlisted(self, name: str) -> str:
        """The op as it is to be shown, where it is not on the list; else nothing."""
        found = _LISTED_NAME.fullmatch(name)
        if found is None:
            return "an op that is not ATen's"
        base, overload = found[1], found[2] or ""
        listed = (base in _LISTED or base.removesuffix("_") in _LISTED) and not overload.endswith("out")
        if not listed or _judged(f"aten::{base}", self._forbidden)[1]:
            return f"aten::{base}"
        return ""
