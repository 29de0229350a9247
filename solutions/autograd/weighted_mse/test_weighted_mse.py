"""Hidden suite of `weighted_mse`: the loss, a gradient where one is needed, and none elsewhere."""

from functools import partial

import pytest
import torch

from grader import agree


def three(make, *shape, needs="pred target weight", dtype=torch.float32):
    """pred, target and weight; those that are named in `needs` require a gradient."""
    return [
        make.randn(*shape, dtype=dtype, requires_grad=name in needs.split())
        for name in ("pred", "target", "weight")
    ]


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((), torch.float32), ((5,), torch.float32), ((3, 4), torch.float64), ((2, 3, 4), torch.float32)],
    ids=["single_numbers", "vector", "matrix_float64", "three_dims"],
)
def test_loss_and_all_gradients(student, reference, make, shape, dtype):
    digits = 1e-10 if dtype == torch.float64 else 1e-5
    same = agree(student.WeightedMSE.apply, reference.WeightedMSE.apply, rtol=digits, atol=digits)
    same(*three(make, *shape, dtype=dtype))


@pytest.mark.points(2)
@pytest.mark.parametrize("needs", ["pred", "target", "weight", "pred weight", "target weight"])
def test_gradients_only_where_needed(student, reference, make, needs):
    inputs = three(make, 4, 3, needs=needs)
    agree(student.WeightedMSE.apply, reference.WeightedMSE.apply)(*inputs)
    given = student.props.given_gradients(student.WeightedMSE, *inputs, make.tensor(1.0))
    assert given == [name in needs.split() for name in ("pred", "target", "weight")], (
        "backward must return a gradient for each input that needs one, and None for each that does not, in "
        "the order of forward's arguments: a gradient that nobody needs costs time and memory. "
        "ctx.needs_input_grad tells them apart."
    )


def two_losses(side, first, second):
    return side.props.two_losses(side.WeightedMSE, first, second)


def test_two_losses_added_and_scaled(student, reference, make):
    agree(partial(two_losses, student), partial(two_losses, reference))(three(make, 3, 2), three(make, 4))


def test_no_graph_where_no_input_needs_one(student, reference, make):
    agree(student.WeightedMSE.apply, reference.WeightedMSE.apply)(*three(make, 2, 3, needs=""))


def test_noncontiguous_inputs(student, reference, make):
    inputs = [make.noncontiguous(t) for t in three(make, 4, 3)]
    agree(student.WeightedMSE.apply, reference.WeightedMSE.apply)(*inputs)


def test_gradcheck(student, make):
    inputs = three(make, 2, 3, dtype=torch.float64)
    # It passes whatever returns no tensor.
    assert isinstance(student.WeightedMSE.apply(*inputs), torch.Tensor), "the loss is a tensor"
    torch.autograd.gradcheck(student.WeightedMSE.apply, inputs, fast_mode=True)
