"""What softmax has to get right."""

import pytest
import torch

from grader import agree


def same_softmax(student, reference, **tolerance):
    return agree(student.softmax, reference.softmax, **tolerance)


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("shape", "dim"),
    [((4, 7), 1), ((3, 5), 0), ((2, 3, 5), -2), ((6,), 0)],
    ids=["rows", "columns", "dim_counted_from_the_end", "one_dim"],
)
def test_values_and_gradients(student, reference, make, shape, dim):
    same_softmax(student, reference)(make.randn(*shape, scale=2.0, requires_grad=True), dim=dim)


@pytest.mark.points(2)
def test_large_scores_stay_finite(student, reference, make):
    x = make.tensor([[1e4, 0.0, -1e4], [3.0, -1e4, 1e4]], requires_grad=True)
    same_softmax(student, reference)(x, dim=1)


@pytest.mark.points(2)
def test_each_slice_has_its_own_level(student, reference, make):
    x = make.randn(3, 5) + make.tensor([[1e4], [0.0], [-1e4]])
    # x - logsumexp(x) is an honest way, and near 1e4 the logsumexp is rounded to a thousandth.
    same_softmax(student, reference, rtol=3e-3, atol=1e-3)(x.requires_grad_(), dim=1)


def test_a_shift_changes_nothing(student, make):
    x = make.randn(4, 3, dtype=torch.float64)
    shifted = x + make.randn(4, 1, dtype=torch.float64, scale=50.0)
    after, before = student.softmax(shifted, dim=1), student.softmax(x, dim=1)
    assert after.shape == before.shape == x.shape, "the result has x's shape"
    assert torch.allclose(after, before), (
        "adding one number to a whole slice changed its probabilities: only the differences may count"
    )
    assert not torch.allclose(before, before[:1]), "all slices have the same probabilities"


def test_an_entry_of_minus_infinity_gets_nothing(student, reference, make):
    x = make.randn(3, 4)
    x[0, 1] = x[2, 0] = x[2, 3] = -torch.inf
    same_softmax(student, reference)(x.requires_grad_(), dim=1)


def test_double_precision(student, reference, make):
    x = make.randn(3, 4, dtype=torch.float64, requires_grad=True)
    same_softmax(student, reference, rtol=1e-10, atol=1e-12)(x, dim=1)


# An honest answer may round the exponent, each exponential, the sum and the quotient to the dtype.
@pytest.mark.parametrize(
    ("dtype", "slack"), [(torch.float16, 1e-2), (torch.bfloat16, 8e-2)], ids=["float16", "bfloat16"]
)
def test_half_precision(student, reference, make, dtype, slack):
    x = make.randn(3, 6, dtype=dtype)
    # Up here neighbouring numbers of the dtype lie 8 or 64 apart: a logsumexp of this row would be rounded so.
    x[1] += 1e4
    same_softmax(student, reference, rtol=slack, atol=slack / 2)(x.requires_grad_(), dim=1)


@pytest.mark.parametrize("shape", [(0, 4), (3, 1)], ids=["empty_batch", "dim_of_size_1"])
def test_small_shapes(student, reference, make, shape):
    same_softmax(student, reference)(make.randn(*shape, requires_grad=True), dim=1)


def test_the_input_is_left_alone(student, reference, make):
    same_softmax(student, reference)(make.noncontiguous(make.randn(5, 3)), dim=0)
    same_softmax(student, reference)(make.randn(4, 2, 3).transpose(0, 1), dim=-1)
