"""What dropout has to get right."""

from functools import partial

import pytest
import torch

from grader import agree


def away_from_zero(make, *shape, **kinds):
    """Numbers of both signs and of size 1 to 2: a zero in the result is one that was thrown away."""
    sign = make.mask(*shape).double() * 2 - 1
    return (make.uniform(1.0, 2.0, *shape, dtype=torch.float64) * sign).to(kinds.get("dtype", torch.float32))


@pytest.mark.points(2)
@pytest.mark.parametrize("around", [0.35, 0.75])
def test_rate_of_zeros(student, make, around):
    p = around + make.number(-0.005, 0.005)
    # 20,000 draws: 0.025 is more than seven standard deviations.
    rate = (student.dropout(away_from_zero(make, 200, 100), p, True) == 0).double().mean().item()
    assert abs(rate - p) < 0.025, f"p={p:.4f}, and the share of zeros is {rate:.3f}"


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("shape", "dtype", "rtol"),
    [((6, 9), torch.float32, 2e-6), ((2, 5, 4), torch.float64, 1e-12), ((), torch.float32, 2e-6)],
    ids=["float32", "float64", "without_dims"],
)
def test_survivors_are_scaled_and_the_gradient_meets_the_same_mask(student, make, shape, dtype, rtol):
    p = make.number(0.2, 0.6)
    stayed = torch.tensor(False)
    # Of a tensor without dims the one element may go, but not each time.
    for _ in range(40 if not shape else 1):
        if not stayed.any():
            stayed = survivors(student, make, shape, dtype, rtol, p)
    assert stayed.any(), f"at p={p:.2f} nothing stays at all"


def survivors(student, make, shape, dtype, rtol, p):
    """Where something stayed, the values and gradients having been looked at."""
    x = make.noncontiguous(away_from_zero(make, *shape, dtype=dtype)).requires_grad_()
    cotangent = away_from_zero(make, *shape, dtype=dtype)
    before = x.detach().clone()
    y = student.dropout(x, p, True)
    assert (y.shape, y.dtype) == (before.shape, dtype), "the result has x's shape and dtype"
    assert y.requires_grad, "the result carries no gradient: something cuts the graph"
    stayed = y.detach() != 0
    values = torch.where(stayed, before / (1 - p), torch.zeros_like(before))
    same = partial(torch.testing.assert_close, rtol=rtol, atol=0.0)
    same(y.detach(), values, msg="those that stay are to be x / (1 - p)")
    (grad,) = torch.autograd.grad(y, x, cotangent)
    expected = torch.where(stayed, cotangent / (1 - p), torch.zeros_like(before))
    same(grad, expected, msg="the gradient passes through the same mask and scale")
    return stayed


def test_each_element_has_its_own_draw(student, make):
    zeros = (student.dropout(away_from_zero(make, 200, 100), 0.5, True) == 0).double()
    # Seven standard deviations of a line of 100 are 0.35, of a line of 200 are 0.25.
    assert ((zeros.mean(dim=1) - 0.5).abs() < 0.35).all(), "the elements of a row share their fate"
    assert ((zeros.mean(dim=0) - 0.5).abs() < 0.35).all(), "the elements of a column share their fate"
    # Of 200 coins 8 calls count the same by chance less than once in 10^8 trials.
    calls = student.props.zeros_of_calls(student.dropout, away_from_zero(make, 20, 10), 0.5, 8)
    assert len({int(zeros.sum()) for zeros in calls}) > 1, (
        "the number of zeros is the same in each call: the draws hang on each other"
    )


@pytest.mark.points(2)
def test_each_call_draws_a_new_mask(student, make):
    first, second = student.props.zeros_of_calls(student.dropout, away_from_zero(make, 20, 10), 0.5, 2)
    assert not torch.equal(first, second), "two calls in a row threw the very same elements away"


def test_the_draws_are_those_of_torchs_default_generator(student, make):
    x, seed = away_from_zero(make, 20, 10), make.integer(0, 2**31)
    first, again = student.props.zeros_under_a_seed(student.dropout, x, 0.5, seed)
    assert torch.equal(first, again), (
        "the caller seeded torch's generator twice alike, and got two masks: where do the draws come from?"
    )
    assert 0 < int(first.sum()) < first.numel(), "at p=0.5 some elements go, and some stay"


@pytest.mark.parametrize(
    ("dtype", "p"), [(torch.float32, 0.6), (torch.float64, 1.0)], ids=["float32", "float64_at_p_1"]
)
def test_evaluation_changes_nothing(student, reference, make, dtype, p):
    agree(student.dropout, reference.dropout)(make.randn(4, 5, dtype=dtype, requires_grad=True), p, False)
    x = away_from_zero(make, 4, 5, dtype=dtype)
    assert not torch.equal(student.dropout(x, p, True), x), f"in training at p={p:g} something has to go"


def test_nothing_goes_at_p_0(student, reference, make):
    agree(student.dropout, reference.dropout)(make.randn(3, 7, requires_grad=True), 0.0, True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_everything_goes_at_p_1(student, make, dtype):
    assert student.dropout(away_from_zero(make, 8, 8, dtype=dtype), 0.5, True).any(), "at p = 0.5 some stay"
    x = make.randn(3, 4, dtype=dtype, requires_grad=True)
    y = student.dropout(x, 1.0, True)
    zeros = torch.zeros(3, 4, dtype=dtype)
    assert y.dtype == x.dtype, "the result has x's dtype, also at p = 1"
    assert torch.equal(y.detach(), zeros), "at p = 1 nothing stays: zeros, and no NaN"
    if y.requires_grad:
        (grad,) = torch.autograd.grad(y.sum(), x, allow_unused=True)
        assert grad is None or torch.equal(grad, zeros), "at p = 1 the gradient is zero, and no NaN"


def test_the_input_is_not_changed(student, make):
    x = away_from_zero(make, 5, 8)
    before = x.clone()
    student.dropout(x, 0.5, True)
    assert torch.equal(x, before), "x itself was changed: the layer before may still need it"


@pytest.mark.parametrize("training", [True, False])
def test_a_p_that_is_no_probability_raises(student, make, training):
    for p in (-0.1, 1.1):
        with pytest.raises(ValueError):
            student.dropout(make.randn(2, 3), p, training)
