"""The checks that the other graders run, in the process of the student's code, as is usual there.

Case for case they do what the hidden suites do: the same shapes, values and gradients against a reference,
the same gradchecks and refusals. They need torch and nothing else, so that a notebook can hold them too.
"""
# ruff: noqa: D103  # a check's name says what it holds

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch


class Case(NamedTuple):
    """One check and what it is called with, before `student=` and `reference=`."""

    name: str
    check: Callable[..., None]
    given: tuple[Any, ...]


CASES: dict[str, list[Case]] = {}
"""By exercise, in the order in which they stand below."""


def cases(exercise: str, *given: tuple[Any, ...]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A check of an exercise: once, or once for each tuple of arguments."""

    def register(check: Callable[..., None]) -> Callable[..., None]:
        for number, arguments in enumerate(given or ((),)):
            CASES.setdefault(exercise, []).append(Case(f"{check.__name__}-{number}", check, arguments))
        return check

    return register


def run_case(case: Case, student: Any, reference: Any) -> None:
    """Run one check, with the same random inputs each time.

    Args:
        case: the check.
        student: whatever has the student's functions as attributes.
        reference: whatever has the reference's.

    Raises:
        AssertionError: they do not agree.
    """
    torch.manual_seed(20)
    case.check(*case.given, student=student, reference=reference)


# -- comparing ------------------------------------------------------------------------------------------


def same(
    ours: Callable[..., Any],
    theirs: Callable[..., Any],
    *arguments: Any,
    rtol: float | None = None,
    atol: float | None = None,
    **keywords: Any,
) -> None:
    """Both return the same values and gradients, and change their arguments in the same way.

    Raises:
        AssertionError: they do not.
    """
    close = partial(torch.testing.assert_close, rtol=rtol, atol=atol)
    given, expected_given = fresh((arguments, keywords)), fresh((arguments, keywords))
    value = ours(*given[0], **given[1])
    expected = theirs(*expected_given[0], **expected_given[1])
    assert type(value) is type(expected)
    close(value, expected)
    close([t.detach() for t in tensors(given)], [t.detach() for t in tensors(expected_given)])
    close([t.grad for t in tensors(given)], [t.grad for t in tensors(expected_given)])
    outputs, expected_outputs = tensors(value), tensors(expected)
    assert [t.requires_grad for t in outputs] == [t.requires_grad for t in expected_outputs]
    cotangents = [torch.randn_like(t) for t in outputs if t.requires_grad]
    if cotangents:
        close(gradients(outputs, given, cotangents), gradients(expected_outputs, expected_given, cotangents))


def gradients(
    outputs: Sequence[torch.Tensor], arguments: Any, cotangents: Sequence[torch.Tensor]
) -> tuple[torch.Tensor | None, ...]:
    """The gradients of what a call was given."""
    sources = [t for t in tensors(arguments) if t.requires_grad]
    roots = [t for t in outputs if t.requires_grad]
    return torch.autograd.grad(roots, sources, cotangents, allow_unused=True) if sources else ()


def tensors(value: Any) -> list[torch.Tensor]:
    """The tensors in nested tuples, lists and dicts, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for item in value for t in tensors(item)] if isinstance(value, (tuple, list)) else []


def fresh(value: Any) -> Any:
    """A copy whose tensors are leaves of their own, with the same strides and `.grad`."""
    if isinstance(value, torch.Tensor):
        copy = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(value.detach())
        copy.requires_grad_(value.requires_grad)
        if value.is_leaf and value.grad is not None:
            copy.grad = value.grad.clone()
        return copy
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(fresh, value))
    return type(value)(map(fresh, value)) if isinstance(value, (tuple, list)) else value


def refuses(
    error: type[Exception], function: Callable[..., object], *arguments: Any, **keywords: Any
) -> None:
    """The call raises that error.

    Raises:
        AssertionError: it does not.
    """
    try:
        function(*arguments, **keywords)
    except error:
        return
    raise AssertionError(f"no {error.__name__} was raised")


# -- inputs ---------------------------------------------------------------------------------------------


def randn(*shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Normal numbers that require a gradient."""
    return (scale * torch.randn(shape, dtype=dtype)).requires_grad_()


def uniform(low: float, high: float, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Numbers in [low, high), without gradient."""
    return low + (high - low) * torch.rand(shape, dtype=dtype)


def integer(low: int, high: int) -> int:
    """A number in low..high - 1."""
    return int(torch.randint(low, high, ()))


def strided(tensor: torch.Tensor) -> torch.Tensor:
    """The same values, with a stride of two along the last dim."""
    return torch.stack([tensor, tensor], dim=-1)[..., 0].detach().requires_grad_(tensor.requires_grad)


# -- softmax --------------------------------------------------------------------------------------------


@cases("softmax", ((4, 7), 1), ((3, 5), 0), ((2, 3, 5), -2), ((6,), 0))
def softmax_values_and_gradients(shape: tuple[int, ...], dim: int, student: Any, reference: Any) -> None:
    same(student.softmax, reference.softmax, randn(*shape, scale=2.0), dim=dim)


@cases("softmax")
def softmax_large_scores(student: Any, reference: Any) -> None:
    x = torch.tensor([[1e4, 0.0, -1e4], [3.0, -1e4, 1e4]], requires_grad=True)
    same(student.softmax, reference.softmax, x, dim=1)


@cases("softmax")
def softmax_levels(student: Any, reference: Any) -> None:
    x = randn(3, 5) + torch.tensor([[1e4], [0.0], [-1e4]])
    same(student.softmax, reference.softmax, x, dim=1, rtol=3e-3, atol=1e-3)


@cases("softmax")
def softmax_shift(student: Any, reference: Any) -> None:
    x = torch.randn(4, 3, dtype=torch.float64)
    shifted = x + 50 * torch.randn(4, 1, dtype=torch.float64)
    assert torch.allclose(student.softmax(shifted, dim=1), student.softmax(x, dim=1))


@cases("softmax")
def softmax_minus_infinity(student: Any, reference: Any) -> None:
    x = torch.randn(3, 4)
    x[0, 1] = x[2, 0] = x[2, 3] = -torch.inf
    same(student.softmax, reference.softmax, x.requires_grad_(), dim=1)


@cases("softmax")
def softmax_double(student: Any, reference: Any) -> None:
    x = randn(3, 4, dtype=torch.float64)
    same(student.softmax, reference.softmax, x, dim=1, rtol=1e-10, atol=1e-12)
    assert torch.autograd.gradcheck(partial(student.softmax, dim=0), (x,), fast_mode=True)


@cases("softmax", (torch.float16, 1e-2), (torch.bfloat16, 8e-2))
def softmax_half(dtype: torch.dtype, slack: float, student: Any, reference: Any) -> None:
    same(student.softmax, reference.softmax, randn(3, 6, dtype=dtype), dim=1, rtol=slack, atol=slack / 2)


@cases("softmax", ((0, 4),), ((3, 1),))
def softmax_small(shape: tuple[int, ...], student: Any, reference: Any) -> None:
    same(student.softmax, reference.softmax, randn(*shape), dim=1)


@cases("softmax")
def softmax_input_left_alone(student: Any, reference: Any) -> None:
    same(student.softmax, reference.softmax, strided(torch.randn(5, 3)), dim=0)


# -- cross entropy --------------------------------------------------------------------------------------


def classes(count: int, n: int) -> torch.Tensor:
    return torch.randint(0, count, (n,))


@cases("cross_entropy", ("none", 3, 6), ("sum", 4, 7), ("mean", 5, 3))
def cross_entropy_values_and_gradients(
    reduction: str, n: int, count: int, student: Any, reference: Any
) -> None:
    logits, target = randn(n, count, scale=2.0), classes(count, n)
    same(student.cross_entropy, reference.cross_entropy, logits, target, reduction=reduction)


@cases("cross_entropy")
def cross_entropy_default(student: Any, reference: Any) -> None:
    same(student.cross_entropy, reference.cross_entropy, randn(4, 3), classes(3, 4))


@cases("cross_entropy")
def cross_entropy_large_logits(student: Any, reference: Any) -> None:
    logits = torch.tensor([[1e4, 0.0, -1e4], [1e4, 0.0, -1e4], [3.0, -1e4, 1e4]], requires_grad=True)
    same(student.cross_entropy, reference.cross_entropy, logits, torch.tensor([0, 2, 1]), reduction="none")


@cases("cross_entropy")
def cross_entropy_levels(student: Any, reference: Any) -> None:
    logits = randn(3, 5) + torch.tensor([[1e4], [0.0], [-1e4]])
    agreed = partial(same, student.cross_entropy, reference.cross_entropy, rtol=3e-3, atol=3e-3)
    agreed(logits, classes(5, 3), reduction="none")


@cases("cross_entropy")
def cross_entropy_minus_infinity(student: Any, reference: Any) -> None:
    logits = torch.randn(3, 4)
    logits[0, 1] = logits[2, 0] = logits[2, 3] = -torch.inf
    target = torch.tensor([2, 0, 1])
    same(student.cross_entropy, reference.cross_entropy, logits.requires_grad_(), target, reduction="none")


@cases("cross_entropy")
def cross_entropy_unknown_reduction(student: Any, reference: Any) -> None:
    for reduction in ("None", "average"):
        refuses(ValueError, student.cross_entropy, torch.randn(4, 3), classes(3, 4), reduction=reduction)


@cases("cross_entropy")
def cross_entropy_double(student: Any, reference: Any) -> None:
    logits, target = randn(4, 3, dtype=torch.float64), classes(3, 4)
    same(student.cross_entropy, reference.cross_entropy, logits, target, rtol=1e-10, atol=1e-12)
    assert torch.autograd.gradcheck(partial(student.cross_entropy, target=target), (logits,), fast_mode=True)


@cases("cross_entropy", (torch.float16, 1e-2), (torch.bfloat16, 8e-2))
def cross_entropy_half(dtype: torch.dtype, slack: float, student: Any, reference: Any) -> None:
    agreed = partial(same, student.cross_entropy, reference.cross_entropy, rtol=slack, atol=slack)
    agreed(randn(3, 6, dtype=dtype), classes(6, 3), reduction="none")


@cases("cross_entropy")
def cross_entropy_small(student: Any, reference: Any) -> None:
    same(student.cross_entropy, reference.cross_entropy, randn(0, 5), classes(5, 0), reduction="sum")
    same(
        student.cross_entropy, reference.cross_entropy, randn(3, 1), torch.tensor([0, 0, 0]), reduction="none"
    )


@cases("cross_entropy")
def cross_entropy_inputs_left_alone(student: Any, reference: Any) -> None:
    logits, target = strided(torch.randn(5, 3)), strided(classes(3, 5))
    same(student.cross_entropy, reference.cross_entropy, logits, target, reduction="sum")


# -- output size of a convolution -----------------------------------------------------------------------


def same_size(student: Any, reference: Any, *arguments: int, **keywords: int) -> None:
    same(student.conv_output_size, reference.conv_output_size, *arguments, **keywords)


@cases("conv_output_size")
def size_plain(student: Any, reference: Any) -> None:
    same_size(student, reference, integer(10, 30), integer(2, 8))
    same_size(student, reference, integer(5, 30), kernel_size=1)


@cases("conv_output_size")
def size_padding(student: Any, reference: Any) -> None:
    same_size(student, reference, integer(10, 30), integer(2, 6), padding=integer(1, 5))


@cases("conv_output_size", (0,), (1,), (3,))
def size_stride(left_over: int, student: Any, reference: Any) -> None:
    kernel_size = integer(2, 6)
    same_size(student, reference, kernel_size + 4 * integer(3, 9) + left_over, kernel_size, stride=4)


@cases("conv_output_size")
def size_dilation(student: Any, reference: Any) -> None:
    for dilation in (2, 3):
        same_size(student, reference, integer(25, 40), integer(3, 7), dilation=dilation)


@cases("conv_output_size", (1, 2, 3), (4, 3, 2), (7, 5, 4))
def size_all_together(padding: int, stride: int, dilation: int, student: Any, reference: Any) -> None:
    kernel_size = integer(3, 6)
    room = stride * integer(6, 12) + integer(1, stride)
    size = dilation * (kernel_size - 1) + 1 - 2 * padding + room
    same_size(student, reference, size, kernel_size, padding, stride, dilation)


@cases("conv_output_size")
def size_exact(student: Any, reference: Any) -> None:
    kernel_size = integer(3, 7)
    same_size(student, reference, kernel_size, kernel_size, stride=3)
    same_size(student, reference, 3 * (kernel_size - 1) - 1, kernel_size, padding=1, stride=2, dilation=3)


@cases("conv_output_size", (1,), (2,), (3,))
def size_refused(stride: int, student: Any, reference: Any) -> None:
    k = integer(4, 8)
    refuses(ValueError, student.conv_output_size, k - 1, k, stride=stride)
    refuses(ValueError, student.conv_output_size, 2 * (k - 1) - 2, k, padding=1, stride=stride, dilation=2)


@cases("conv_output_size")
def size_same_padding(student: Any, reference: Any) -> None:
    size, half = integer(10, 30), integer(1, 4)
    assert student.conv_output_size(size, 2 * half + 1, padding=half) == size
    assert student.conv_output_size(size, 2 * half + 1, padding=half, stride=2) == (size + 1) // 2


# -- AdaGrad --------------------------------------------------------------------------------------------


def parameter(*shape: int, scale: float = 1.0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    p = randn(*shape, dtype=dtype)
    p.grad = scale * torch.randn(shape, dtype=dtype)
    return p


def same_step(student: Any, reference: Any, *arguments: Any, **keywords: Any) -> None:
    same(student.adagrad_step, reference.adagrad_step, *arguments, **keywords)


@cases("adagrad_step", (torch.float32,), (torch.float64,))
def adagrad_one_step(dtype: torch.dtype, student: Any, reference: Any) -> None:
    params = [parameter(3, 5, dtype=dtype), parameter(4, dtype=dtype)]
    states = [uniform(0.5, 4.0, 3, 5, dtype=dtype), uniform(0.5, 4.0, 4, dtype=dtype)]
    same_step(student, reference, params, states, 0.3)


@cases("adagrad_step")
def adagrad_four_steps(student: Any, reference: Any) -> None:
    def path(side: Any, params: Any, states: Any, steps: Any) -> list[list[torch.Tensor]]:
        after = []
        for step in steps:
            for p, g in zip(params, step, strict=True):
                p.grad = g if p.grad is None else p.grad + g
            side.adagrad_step(params, states, lr=0.2)
            after.append([p.detach().clone() for p in params])
        return after

    steps = [[torch.randn(2, 3), torch.randn(5)] for _ in range(4)]
    states = [torch.zeros(2, 3), torch.zeros(5)]
    same(partial(path, student), partial(path, reference), [randn(2, 3), randn(5)], states, steps)


@cases("adagrad_step", (1e-3,), (1e-6,))
def adagrad_tiny_gradients(size: float, student: Any, reference: Any) -> None:
    p = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
    p.grad = size * torch.randn(3, 4, dtype=torch.float64)
    same_step(student, reference, [p], [torch.zeros(3, 4, dtype=torch.float64)], 100.0)


@cases("adagrad_step")
def adagrad_eps(student: Any, reference: Any) -> None:
    same_step(student, reference, [parameter(6, scale=0.1)], [torch.zeros(6)], lr=0.5, eps=0.04)


@cases("adagrad_step")
def adagrad_still_coordinates(student: Any, reference: Any) -> None:
    p = randn(4)
    before = p.detach().clone()
    p.grad = torch.tensor([0.0, 2.0, 0.0, -3.0])
    student.adagrad_step([p], [torch.zeros(4)], 0.1)
    assert torch.equal(p.detach()[[0, 2]], before[[0, 2]])


@cases("adagrad_step")
def adagrad_no_gradient(student: Any, reference: Any) -> None:
    params = [parameter(4), randn(2, 3), parameter(3, 2)]
    same_step(student, reference, params, [torch.rand(4), torch.rand(2, 3), torch.rand(3, 2)], 0.1)


@cases("adagrad_step")
def adagrad_gradients_end_as_zeros(student: Any, reference: Any) -> None:
    params = [parameter(3, 2), parameter(5)]
    student.adagrad_step(params, [torch.zeros(3, 2), torch.zeros(5)], 0.1)
    assert all(p.grad is not None and not p.grad.any() for p in params)


@cases("adagrad_step")
def adagrad_strides(student: Any, reference: Any) -> None:
    p = strided(randn(3, 4))
    p.grad = torch.randn(3, 4)
    same_step(student, reference, [p], [strided(torch.rand(3, 4))], 0.1)


# -- perplexity -----------------------------------------------------------------------------------------


def same_perplexity(
    student: Any, reference: Any, *arguments: Any, rtol: float = 1e-5, atol: float = 1e-5, **keywords: Any
) -> None:
    same(student.perplexity, reference.perplexity, *arguments, rtol=rtol, atol=atol, **keywords)


def tokens(vocabulary: int, *shape: int) -> torch.Tensor:
    return torch.randint(0, vocabulary, shape)


@cases("perplexity", (2, 3, 5), (4, 2, 3), (1, 6, 4))
def perplexity_values_and_gradients(b: int, t: int, vocabulary: int, student: Any, reference: Any) -> None:
    same_perplexity(student, reference, randn(b, t, vocabulary, scale=1.5), tokens(vocabulary, b, t))


@cases("perplexity", (False,), (True,))
def perplexity_mask(gaps: bool, student: Any, reference: Any) -> None:
    mask = torch.arange(5) < torch.tensor([5, 2, 3])[:, None]
    if gaps:
        mask = mask.flip(0, 1) ^ torch.tensor([[False, True, False, False, True]])
    same_perplexity(student, reference, randn(3, 5, 4), tokens(4, 3, 5), mask)


@cases("perplexity")
def perplexity_mask_of_numbers(student: Any, reference: Any) -> None:
    for numbers in ([[2, 1, 0, 5], [1, 0, 0, 3]], [[1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]]):
        same_perplexity(student, reference, randn(2, 4, 3), tokens(3, 2, 4), mask=torch.tensor(numbers))


@cases("perplexity")
def perplexity_of_who_knows_nothing(student: Any, reference: Any) -> None:
    answer = student.perplexity(torch.randn(3, 4, 1).expand(3, 4, 7), tokens(7, 3, 4))
    assert torch.allclose(answer, torch.tensor(7.0), rtol=1e-4)


@cases("perplexity")
def perplexity_large_logits(student: Any, reference: Any) -> None:
    target = tokens(4, 2, 3)
    sure = 1e4 * torch.nn.functional.one_hot(target, 4).float()
    same_perplexity(student, reference, sure.requires_grad_(), target)
    levels = torch.randn(2, 3, 4) + torch.tensor([1e4, 0.0, -1e4])[:, None]
    same_perplexity(student, reference, levels.requires_grad_(), target, rtol=3e-3, atol=3e-3)


@cases("perplexity")
def perplexity_long_text(student: Any, reference: Any) -> None:
    same_perplexity(student, reference, randn(1, 64, 16), tokens(16, 1, 64), rtol=1e-4, atol=1e-4)


@cases("perplexity")
def perplexity_double(student: Any, reference: Any) -> None:
    logits, target = randn(2, 3, 4, dtype=torch.float64), tokens(4, 2, 3)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    same_perplexity(student, reference, logits, target, mask, rtol=1e-10, atol=1e-12)
    counted = partial(student.perplexity, target=target, mask=mask)
    assert torch.autograd.gradcheck(counted, (logits,), fast_mode=True)


@cases("perplexity")
def perplexity_inputs_left_alone(student: Any, reference: Any) -> None:
    logits, target = torch.randn(4, 2, 3).transpose(0, 1), strided(tokens(3, 2, 4))
    same_perplexity(student, reference, logits, target, strided(torch.tensor([[1, 0, 1, 1], [0, 1, 0, 0]])))


# -- detaching a state ----------------------------------------------------------------------------------


class State(NamedTuple):
    """A state with names."""

    h: torch.Tensor
    c: torch.Tensor


def hidden(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return randn(*shape, dtype=dtype) * 2


def same_state(student: Any, reference: Any, state: Any) -> None:
    same(student.detach_state, reference.detach_state, state)


@cases("detach_state")
def detach_tensor(student: Any, reference: Any) -> None:
    same_state(student, reference, hidden(2, 3))


@cases("detach_state")
def detach_pair(student: Any, reference: Any) -> None:
    same_state(student, reference, (hidden(2, 3, dtype=torch.float64), randn(2, 4)))


@cases("detach_state")
def detach_nested(student: Any, reference: Any) -> None:
    layers = [(hidden(2, 3), hidden(2, 3)), (hidden(2, 4), None), [[hidden(1, 2)], ()]]
    same_state(student, reference, layers)


@cases("detach_state")
def detach_none(student: Any, reference: Any) -> None:
    assert student.detach_state(None) is None


@cases("detach_state")
def detach_namedtuple(student: Any, reference: Any) -> None:
    assert type(student.detach_state(State(randn(2, 3), randn(2, 5)))).__name__ == "State"
    same_state(student, reference, State(randn(2, 3), randn(2, 5)))


@cases("detach_state")
def detach_storage(student: Any, reference: Any) -> None:
    state = [hidden(3, 2), (strided(torch.randn(4, 2)),)]
    for detached, given in zip(tensors(student.detach_state(state)), tensors(state), strict=True):
        assert detached.untyped_storage().data_ptr() == given.untyped_storage().data_ptr()


@cases("detach_state")
def detach_leaves_the_callers_alone(student: Any, reference: Any) -> None:
    h, c = hidden(2, 3), hidden(2, 3)
    state = State(h, c)
    student.detach_state(state)
    assert state.h.requires_grad
    inner = [c]
    layers = [h, inner]
    student.detach_state(layers)
    assert layers[0] is h
    assert layers[1] is inner
    assert inner[0] is c


@cases("detach_state", ({"h": torch.zeros(2, 3)},), ("h",), (0.0,))
def detach_refuses(stranger: object, student: Any, reference: Any) -> None:
    h = torch.randn(2, 3)
    refuses(TypeError, student.detach_state, stranger)
    refuses(TypeError, student.detach_state, [h, (h, stranger)])


# -- truncated backpropagation through time -------------------------------------------------------------


def rnn(
    length: int, batch: int = 2, width: int = 4, size: int = 3, dtype: torch.dtype = torch.float32
) -> list[torch.Tensor]:
    return [
        randn(length, batch, width, dtype=dtype),
        randn(batch, size, dtype=dtype),
        randn(width, size, dtype=dtype, scale=0.5),
        randn(size, size, dtype=dtype, scale=0.5),
        randn(size, dtype=dtype),
    ]


def same_run(student: Any, reference: Any, *arguments: Any, **keywords: Any) -> None:
    same(student.truncated_bptt, reference.truncated_bptt, *arguments, **keywords)


@cases("truncated_bptt", (7, 3), (6, 2), (4, 1))
def bptt_values_and_gradients(length: int, steps: int, student: Any, reference: Any) -> None:
    same_run(student, reference, *rnn(length), steps)


@cases("truncated_bptt")
def bptt_one_chunk(student: Any, reference: Any) -> None:
    same_run(student, reference, *rnn(4, batch=1, width=2, size=5), steps=4)


@cases("truncated_bptt")
def bptt_double_and_strided(student: Any, reference: Any) -> None:
    inputs, *others = rnn(5, batch=3, dtype=torch.float64)
    same_run(student, reference, strided(inputs), *others, 2)


@cases("truncated_bptt")
def bptt_values_without_cuts(student: Any, reference: Any) -> None:
    arguments = [t.detach() for t in rnn(5)]
    same(partial(student.truncated_bptt, steps=2), partial(reference.truncated_bptt, steps=5), *arguments)


@cases("truncated_bptt")
def bptt_borders(student: Any, reference: Any) -> None:
    inputs, *others = rnn(7)
    (grad,) = torch.autograd.grad(student.truncated_bptt(inputs, *others, 3)[5].sum(), inputs)
    reached = grad.abs().sum(dim=(1, 2)) > 0
    assert not reached[:3].any()
    assert reached[3:6].all()


@cases("truncated_bptt")
def bptt_first_state(student: Any, reference: Any) -> None:
    inputs, state, *weights = rnn(5)
    states = student.truncated_bptt(inputs, state, *weights, 2)
    (grad,) = torch.autograd.grad(states[:2].sum(), state, allow_unused=True)
    assert grad is not None
    assert grad.any()


@cases("truncated_bptt")
def bptt_gradcheck(student: Any, reference: Any) -> None:
    arguments = rnn(3, dtype=torch.float64)
    assert torch.autograd.gradcheck(partial(student.truncated_bptt, steps=3), arguments, fast_mode=True)


# -- offsets --------------------------------------------------------------------------------------------


def corners(count: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    low, size = uniform(-20, 40, count, 2, dtype=dtype), uniform(4, 30, count, 2, dtype=dtype)
    return torch.cat([low, low + size], dim=1).requires_grad_()


def mean_and_std() -> tuple[list[float], list[float]]:
    return uniform(-0.5, 0.5, 4).tolist(), uniform(0.1, 0.5, 4).tolist()


def same_offsets(
    student: Any, reference: Any, *arguments: Any, rtol: float = 1e-4, atol: float = 1e-4, **keywords: Any
) -> None:
    same(student.encode_offsets, reference.encode_offsets, *arguments, rtol=rtol, atol=atol, **keywords)


def same_boxes(
    student: Any, reference: Any, *arguments: Any, rtol: float = 1e-4, atol: float = 1e-4, **keywords: Any
) -> None:
    same(student.decode_offsets, reference.decode_offsets, *arguments, rtol=rtol, atol=atol, **keywords)


@cases("encode_offsets", (tuple,), (list,), (torch.tensor,))
def offsets_values_and_gradients(kind: Callable[..., Any], student: Any, reference: Any) -> None:
    mean, std = map(kind, mean_and_std())
    same_offsets(student, reference, corners(5), corners(5), mean, std)


@cases("encode_offsets", (tuple,), (list,), (torch.tensor,))
def boxes_values_and_gradients(kind: Callable[..., Any], student: Any, reference: Any) -> None:
    mean, std = map(kind, mean_and_std())
    same_boxes(student, reference, corners(5), randn(5, 4), mean=mean, std=std)


@cases("encode_offsets")
def offsets_and_back(student: Any, reference: Any) -> None:
    anchors, boxes = corners(4, torch.float64).detach(), corners(4, torch.float64).detach()
    mean, std = mean_and_std()
    offsets = student.encode_offsets(anchors, boxes, mean, std)
    assert torch.allclose(student.decode_offsets(anchors, offsets, mean, std), boxes)


@cases("encode_offsets")
def offsets_of_a_moved_picture(student: Any, reference: Any) -> None:
    anchors, boxes = corners(4, torch.float64).detach(), corners(4, torch.float64).detach()
    mean, std = mean_and_std()
    moved = 30 * torch.randn(2, dtype=torch.float64).repeat(2)
    before = student.encode_offsets(anchors, boxes, mean, std)
    assert torch.allclose(student.encode_offsets(3 * anchors + moved, 3 * boxes + moved, mean, std), before)


@cases("encode_offsets")
def offsets_of_tiny_and_huge_boxes(student: Any, reference: Any) -> None:
    anchors = corners(2)
    boxes = torch.tensor([[3.0, 5.0, 3.004, 5.002], [-4e3, -9e3, 2e4, 3e4]], requires_grad=True)
    mean, std = [0.0, 0.0, 0.0, 0.0], [0.1, 0.1, 0.2, 0.2]
    same_offsets(student, reference, anchors, boxes, mean, std)
    offsets = torch.tensor([[0.5, -2.0, -40.0, -35.0], [-7.0, 3.0, 25.0, 30.0]], requires_grad=True)
    same_boxes(student, reference, anchors, offsets, mean, std, rtol=1e-3, atol=1e-3)


@cases("encode_offsets")
def offsets_double(student: Any, reference: Any) -> None:
    anchors, boxes = corners(3, torch.float64), corners(3, torch.float64)
    mean, std = mean_and_std()
    same_offsets(student, reference, anchors, boxes, mean, std, rtol=1e-6, atol=1e-7)
    same_boxes(student, reference, anchors, randn(3, 4, dtype=torch.float64), mean, std, rtol=1e-6, atol=1e-7)
    encode = partial(student.encode_offsets, mean=mean, std=std)
    assert torch.autograd.gradcheck(encode, (anchors, boxes), fast_mode=True)


@cases("encode_offsets")
def offsets_of_nothing(student: Any, reference: Any) -> None:
    mean, std = mean_and_std()
    same_offsets(student, reference, randn(0, 4), randn(0, 4), mean, std)
    same_boxes(student, reference, randn(0, 4), randn(0, 4), mean, std)


@cases("encode_offsets")
def offsets_inputs_left_alone(student: Any, reference: Any) -> None:
    anchors, boxes = strided(corners(3).detach()), strided(corners(3).detach())
    mean, std = map(torch.tensor, mean_and_std())
    same_offsets(student, reference, anchors, boxes, mean, std)
    same_boxes(student, reference, anchors, strided(torch.randn(3, 4)), mean, std)
