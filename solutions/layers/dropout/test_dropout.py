"""What dropout has to get right."""

import pytest
import torch

from grader import agree


def away_from_zero(make, *shape, **kinds):
    """Numbers of both signs and of size 1 to 2: a zero in the result is one that was thrown away."""
    sign = make.mask(*shape).double() * 2 - 1
    return (make.uniform(1.0, 2.0, *shape, dtype=torch.float64) * sign).to(kinds.get("dtype", torch.float32))


@pytest.mark.points(2)
@pytest.mark.parametrize("p", [0.3, 0.8])
def test_rate_of_zeros(student, make, p):
    # 20,000 draws: 0.025 is more than seven standard deviations.
    rate = (student.dropout(away_from_zero(make, 200, 100), p, True) == 0).double().mean().item()
    assert abs(rate - p) < 0.025, f"p={p}, and the share of zeros is {rate:.3f}"


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_survivors_are_scaled_and_the_gradient_meets_the_same_mask(student, make, dtype):
    x = make.noncontiguous(away_from_zero(make, 6, 9, dtype=dtype)).requires_grad_()
    cotangent = away_from_zero(make, 6, 9, dtype=dtype)
    y = student.dropout(x, 0.4, True)
    assert (y.shape, y.dtype) == (x.shape, dtype), "the result has x's shape and dtype"
    assert y.requires_grad, "the result carries no gradient: something cuts the graph"
    stayed = y.detach() != 0
    values = torch.where(stayed, x.detach() / 0.6, torch.zeros_like(x))
    torch.testing.assert_close(y.detach(), values, msg="those that stay are to be x / (1 - p)")
    (grad,) = torch.autograd.grad(y, x, cotangent)
    expected = torch.where(stayed, cotangent / 0.6, torch.zeros_like(x))
    torch.testing.assert_close(grad, expected, msg="the gradient passes through the same mask and scale")


def test_each_element_has_its_own_draw(student, make):
    zeros = (student.dropout(away_from_zero(make, 200, 100), 0.5, True) == 0).double()
    # Seven standard deviations of a line of 100 are 0.35, of a line of 200 are 0.25.
    assert ((zeros.mean(dim=1) - 0.5).abs() < 0.35).all(), "the elements of a row share their fate"
    assert ((zeros.mean(dim=0) - 0.5).abs() < 0.35).all(), "the elements of a column share their fate"


@pytest.mark.points(2)
def test_each_call_draws_a_new_mask(student, make):
    x = away_from_zero(make, 20, 10)
    first, second = student.dropout(x, 0.5, True), student.dropout(x, 0.5, True)
    assert not torch.equal(first == 0, second == 0), "two calls threw the very same elements away"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_evaluation_changes_nothing(student, reference, make, dtype):
    agree(student.dropout, reference.dropout)(make.randn(4, 5, dtype=dtype, requires_grad=True), 0.6, False)


def test_nothing_goes_at_p_0(student, reference, make):
    agree(student.dropout, reference.dropout)(make.randn(3, 7, requires_grad=True), 0.0, True)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_everything_goes_at_p_1(student, make, dtype):
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
