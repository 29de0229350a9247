"""What cross entropy has to get right."""

import pytest
import torch

from grader import agree


def same_loss(student, reference, **tolerance):
    return agree(student.cross_entropy, reference.cross_entropy, **tolerance)


@pytest.mark.points(2)
@pytest.mark.parametrize(("reduction", "n", "classes"), [("none", 3, 6), ("sum", 4, 7), ("mean", 5, 3)])
def test_values_and_gradients(student, reference, make, reduction, n, classes):
    logits = make.randn(n, classes, scale=2.0, requires_grad=True)
    same_loss(student, reference)(logits, make.randint(0, classes, n), reduction=reduction)


def test_the_mean_is_the_default(student, reference, make):
    same_loss(student, reference)(make.randn(4, 3, requires_grad=True), make.randint(0, 3, 4))


@pytest.mark.points(2)
def test_large_logits_stay_finite(student, reference, make):
    logits = make.tensor([[1e4, 0.0, -1e4], [1e4, 0.0, -1e4], [3.0, -1e4, 1e4]], requires_grad=True)
    same_loss(student, reference)(logits, make.tensor([0, 2, 1]), reduction="none")


@pytest.mark.points(2)
def test_each_sample_has_its_own_level(student, reference, make):
    logits = make.randn(3, 5) + make.tensor([[1e4], [0.0], [-1e4]])
    # logsumexp(z) - z[t] is an honest way, and near 1e4 the logsumexp is rounded to a thousandth.
    agreeing = same_loss(student, reference, rtol=3e-3, atol=3e-3)
    agreeing(logits.requires_grad_(), make.randint(0, 5, 3), reduction="none")


def test_a_ruled_out_class_adds_nothing(student, reference, make):
    logits = make.randn(3, 4)
    logits[0, 1] = logits[2, 0] = logits[2, 3] = -torch.inf
    same_loss(student, reference)(logits.requires_grad_(), make.tensor([2, 0, 1]), reduction="none")


@pytest.mark.parametrize("reduction", ["average", "None"])
def test_an_unknown_reduction_is_refused(student, make, reduction):
    with pytest.raises(ValueError):
        student.cross_entropy(make.randn(4, 3), make.randint(0, 3, 4), reduction=reduction)


def test_double_precision(student, reference, make):
    logits, target = make.randn(4, 3, dtype=torch.float64, requires_grad=True), make.randint(0, 3, 4)
    same_loss(student, reference, rtol=1e-10, atol=1e-12)(logits, target)


# An honest answer may round the exponentials, their sum, its logarithm and the difference to the dtype.
@pytest.mark.parametrize(
    ("dtype", "slack"), [(torch.float16, 1e-2), (torch.bfloat16, 8e-2)], ids=["float16", "bfloat16"]
)
def test_half_precision(student, reference, make, dtype, slack):
    logits = make.randn(3, 6, dtype=dtype, requires_grad=True)
    same_loss(student, reference, rtol=slack, atol=slack)(logits, make.randint(0, 6, 3), reduction="none")


@pytest.mark.parametrize(
    ("n", "classes", "reduction"),
    [(0, 5, "sum"), (1, 5, "none"), (3, 1, "none")],
    ids=["no_samples", "one_sample", "a_single_class"],
)
def test_small_shapes(student, reference, make, n, classes, reduction):
    logits = make.randn(n, classes, requires_grad=True)
    same_loss(student, reference)(logits, make.randint(0, classes, n), reduction=reduction)


def test_the_inputs_are_left_alone(student, reference, make):
    logits, target = make.noncontiguous(make.randn(5, 3)), make.noncontiguous(make.randint(0, 3, 5))
    same_loss(student, reference)(logits, target, reduction="sum")
