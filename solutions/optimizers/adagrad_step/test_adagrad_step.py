"""What AdaGrad's step has to get right."""

from functools import partial

import pytest
import torch

from grader import agree


def parameter(make, *shape, dtype=torch.float32, scale=1.0):
    p = make.randn(*shape, dtype=dtype, requires_grad=True)
    p.grad = make.randn(*shape, dtype=dtype, scale=scale)
    return p


def same_step(student, reference, **tolerance):
    return agree(student.adagrad_step, reference.adagrad_step, **tolerance)


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [(torch.float32, {}), (torch.float64, {"rtol": 1e-10, "atol": 1e-12})],
    ids=["float32", "float64"],
)
def test_one_step_changes_parameters_and_states(student, reference, make, dtype, tolerance):
    params = [parameter(make, 3, 5, dtype=dtype), parameter(make, 4, dtype=dtype)]
    states = [make.uniform(0.5, 4.0, 3, 5, dtype=dtype), make.uniform(0.5, 4.0, 4, dtype=dtype)]
    same_step(student, reference, **tolerance)(params, states, 0.3)


@pytest.mark.points(2)
def test_four_steps_follow_the_same_path(student, reference, make):
    agree(partial(path, student), partial(path, reference))(
        [make.randn(2, 3, requires_grad=True), make.randn(5, requires_grad=True)],
        [torch.zeros(2, 3), torch.zeros(5)],
        [[make.randn(2, 3), make.randn(5)] for _ in range(4)],
    )


def path(side, params, states, gradients):
    """The parameters after each step; a gradient is added to what is there, as backward() does."""
    after = []
    for step in gradients:
        for p, g in zip(params, step, strict=True):
            p.grad = g if p.grad is None else p.grad + g
        side.adagrad_step(params, states, lr=0.2)
        after.append([p.detach().clone() for p in params])
    return after


@pytest.mark.points(2)
@pytest.mark.parametrize("size", [1e-3, 1e-6])
def test_tiny_gradients_show_where_eps_stands(student, reference, make, size):
    # A large rate and a start at 0: the tolerance is relative to the step, not to the parameter.
    p = torch.zeros(3, 4, dtype=torch.float64, requires_grad=True)
    p.grad = make.randn(3, 4, dtype=torch.float64, scale=size)
    same_step(student, reference)([p], [torch.zeros(3, 4, dtype=torch.float64)], 100.0)


def test_eps_can_be_chosen(student, reference, make):
    same_step(student, reference)([parameter(make, 6, scale=0.1)], [torch.zeros(6)], lr=0.5, eps=0.04)


def test_a_coordinate_without_gradient_stays(student, make):
    p = make.randn(4, requires_grad=True)
    before = p.detach().clone()
    p.grad = make.tensor([0.0, 2.0, 0.0, -3.0])
    student.adagrad_step([p], [torch.zeros(4)], 0.1)
    still = p.detach()[[0, 2]]
    assert torch.equal(still, before[[0, 2]]), (
        "where gradient and state are 0, nothing moves (nor becomes NaN)"
    )


def test_none_gradients_are_passed_over(student, reference, make):
    frozen = make.randn(2, 3, requires_grad=True)
    params = [parameter(make, 4), frozen, parameter(make, 3, 2)]
    states = [make.rand(4), make.rand(2, 3), make.rand(3, 2)]
    same_step(student, reference)(params, states, 0.1)
    same_step(student, reference)([frozen], [make.rand(2, 3)], 0.1)


def test_gradients_end_as_zeros(student, make):
    params = [parameter(make, 3, 2), parameter(make, 5)]
    student.adagrad_step(params, [torch.zeros(3, 2), torch.zeros(5)], 0.1)
    for p in params:
        assert p.grad is not None, "the gradient is None afterwards: it is to be a tensor of zeros"
        assert not p.grad.any(), "the gradient is not zero afterwards: the next backward() would add to it"


def test_tuples_and_a_parameter_without_dims(student, reference, make):
    same_step(student, reference)(
        (parameter(make, 2, 4), parameter(make)), (make.rand(2, 4), make.rand()), 0.1
    )


def test_parameters_with_strides(student, reference, make):
    p = make.noncontiguous(make.randn(3, 4, requires_grad=True))
    p.grad = make.randn(3, 4)
    same_step(student, reference)([p], [make.noncontiguous(make.rand(3, 4))], 0.1)
