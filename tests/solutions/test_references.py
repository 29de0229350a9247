"""The references themselves: against torch's own functions, and against finite differences in float64.

What a suite compares with has to be right. Here it is proved once, so that no submission pays for it.
"""

from __future__ import annotations

import doctest
from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from torch import Tensor

from grader.course.load import Exercise, load_course
from grader.examiner.reference import Reference, run_module
from tests.conftest import ROOT

COURSE = load_course(ROOT)


def reference(id: str) -> Reference:
    exercise = COURSE.exercise(id)
    return Reference(id, exercise.reference_source, exercise.props_source)


def randn(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(11)).requires_grad_()


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.id)
def test_the_worked_example_passes(exercise: Exercise) -> None:
    module = run_module(f"doctest_{exercise.id}", exercise.reference_source)
    finder = doctest.DocTestFinder()
    examples = [test for test in finder.find(module, exercise.id) if test.examples]
    assert examples, "each exercise's docstring has a worked example"
    for test in examples:
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
        runner.run(test)
        assert not runner.summarize(verbose=False).failed


def rnn() -> tuple[Tensor, ...]:
    return randn(4, 2, 3), randn(2, 5), randn(3, 5), randn(5, 5), randn(5)


GRADCHECKED: list[tuple[str, Callable[[], tuple[Callable[..., Tensor], tuple[Tensor, ...]]]]] = [
    ("softmax", lambda: (partial(reference("softmax").softmax, dim=1), (randn(3, 4),))),
    (
        "cross_entropy",
        lambda: (
            partial(reference("cross_entropy").cross_entropy, target=torch.tensor([2, 0, 1])),
            (randn(3, 4),),
        ),
    ),
    (
        "perplexity",
        lambda: (
            partial(
                reference("perplexity").perplexity,
                target=torch.tensor([[2, 0, 1], [1, 1, 0]]),
                mask=torch.tensor([[True, True, False], [True, False, False]]),
            ),
            (randn(2, 3, 4),),
        ),
    ),
    (
        "truncated_bptt, nothing cut",
        lambda: (partial(reference("truncated_bptt").truncated_bptt, steps=4), rnn()),
    ),
    (
        "encode_offsets",
        lambda: (
            lambda shift, size: reference("encode_offsets").encode_offsets(
                torch.tensor([[0.0, 0.0, 2.0, 1.0]], dtype=torch.float64),
                torch.cat([shift, shift + size.exp()], dim=1),
                (0.1, 0.0, -0.2, 0.3),
                (0.1, 0.2, 0.3, 0.4),
            ),
            (randn(3, 2), randn(3, 2)),
        ),
    ),
    (
        "decode_offsets",
        lambda: (
            lambda offsets: reference("encode_offsets").decode_offsets(
                torch.tensor([[0.0, 0.0, 2.0, 1.0], [1.0, 1.0, 2.0, 4.0]], dtype=torch.float64),
                offsets,
                (0.1, 0.0, -0.2, 0.3),
                (0.1, 0.2, 0.3, 0.4),
            ),
            (randn(2, 4),),
        ),
    ),
    (
        "weighted_mse",
        lambda: (
            reference("weighted_mse").WeightedMSE.apply,
            (randn(2, 3), randn(2, 3) * 2, randn(2, 3) + 1),
        ),
    ),
    (
        "batch_norm_module",
        lambda: (reference("batch_norm_module").BatchNorm(3).double(), (randn(5, 3),)),
    ),
]


@pytest.mark.parametrize("case", [case for _, case in GRADCHECKED], ids=[name for name, _ in GRADCHECKED])
def test_gradients_agree_with_finite_differences(
    case: Callable[[], tuple[Callable[..., Tensor], tuple[Tensor, ...]]],
) -> None:
    function, inputs = case()
    assert torch.autograd.gradcheck(function, inputs)


def same(ours: Tensor, theirs: Tensor, x: Tensor) -> None:
    """Values and gradients."""
    torch.testing.assert_close(ours, theirs)
    cotangent = torch.randn_like(ours)
    (mine,) = torch.autograd.grad(ours, x, cotangent)
    (torchs,) = torch.autograd.grad(theirs, x, cotangent)
    torch.testing.assert_close(mine, torchs)


def test_softmax_is_torchs() -> None:
    x = randn(3, 4, 5)
    for dim in (0, 1, -1):
        same(reference("softmax").softmax(x, dim), torch.softmax(x, dim), x)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_cross_entropy_is_torchs(reduction: str) -> None:
    x, target = randn(4, 6), torch.tensor([5, 0, 3, 3])
    ours = reference("cross_entropy").cross_entropy(x, target, reduction=reduction)
    same(ours, F.cross_entropy(x, target, reduction=reduction), x)


def test_perplexity_is_the_exponential_of_torchs_cross_entropy() -> None:
    x, target = randn(2, 3, 7), torch.randint(0, 7, (2, 3))
    same(
        reference("perplexity").perplexity(x, target),
        F.cross_entropy(x.reshape(-1, 7), target.reshape(-1)).exp(),
        x,
    )


@pytest.mark.parametrize("sizes", [(7, 3, 0, 1, 1), (32, 5, 2, 2, 1), (19, 3, 4, 3, 2), (8, 8, 0, 1, 1)])
def test_conv_output_size_is_torchs(sizes: tuple[int, ...]) -> None:
    size, kernel, padding, stride, dilation = sizes
    found = F.conv1d(
        torch.zeros(1, 1, size), torch.zeros(1, 1, kernel), padding=padding, stride=stride, dilation=dilation
    )
    assert reference("conv_output_size").conv_output_size(*sizes) == found.shape[-1]


def test_batch_norm_is_torchs() -> None:
    ours, theirs = reference("batch_norm_module").BatchNorm(3).double(), torch.nn.BatchNorm2d(3).double()
    for training in (True, True, False):
        ours.train(training)
        theirs.train(training)
        x = randn(4, 3, 2, 5)
        same(ours(x), theirs(x), x)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)


def test_adagrad_follows_its_formula() -> None:
    """torch.optim.Adagrad adds eps outside the root, so it agrees where eps is 0 in both."""
    start = randn(5).detach()
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    states, optimizer = [torch.zeros_like(start)], torch.optim.Adagrad([theirs], lr=0.3, eps=0.0)
    for _ in range(4):
        (ours**4).sum().backward()
        reference("adagrad_step").adagrad_step([ours], states, 0.3, eps=0.0)
        optimizer.zero_grad()
        (theirs**4).sum().backward()
        optimizer.step()
        torch.testing.assert_close(ours, theirs)
