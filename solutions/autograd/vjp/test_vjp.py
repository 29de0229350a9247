"""Hidden suite of `vjp`: the product, where it is zero, and what it must leave alone."""

import math
from functools import partial

import pytest
import torch

from grader import agree


def product(side, name, x, v):
    return side.vjp(getattr(side.props, name), x, v)


def agree_on(student, reference, name, **tolerance):
    return agree(partial(product, student, name), partial(product, reference, name), **tolerance)


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("name", "x_shape", "v_shape", "dtype"),
    [
        pytest.param("cubic", (2, 3), (2, 3), torch.float32, id="element_by_element"),
        pytest.param("mixing", (2, 3), (2, 3), torch.float64, id="square_jacobian"),
        pytest.param("products", (2, 2), (4, 4), torch.float32, id="more_outputs_than_inputs"),
        pytest.param("energy", (3, 2), (), torch.float64, id="scalar_output"),
        pytest.param("cubic", (), (), torch.float64, id="scalar_input"),
    ],
)
def test_product(student, reference, make, name, x_shape, v_shape, dtype):
    v = make.randn(math.prod(v_shape), dtype=dtype).reshape(v_shape)
    digits = 1e-10 if dtype == torch.float64 else 1e-5
    agree_on(student, reference, name, rtol=digits, atol=digits)(make.randn(*x_shape, dtype=dtype), v)


@pytest.mark.parametrize(
    ("name", "v_shape", "dtype"),
    [
        pytest.param("first_row", (4,), torch.float32, id="a_part_of_x_unused"),
        pytest.param("constant", (3,), torch.float32, id="constant"),
        pytest.param("cut", (2, 4), torch.float64, id="graph_cut_inside_f"),
    ],
)
def test_zero_where_f_does_not_depend_on_x(student, reference, make, name, v_shape, dtype):
    x = make.randn(2, 4, dtype=dtype, requires_grad=True)
    agree_on(student, reference, name)(x, make.randn(*v_shape, dtype=dtype))
    is_not_always_zero(student, make)


def is_not_always_zero(student, make):
    x, v = make.uniform(1.0, 2.0, 2, 3), make.uniform(1.0, 2.0, 2, 3)
    assert product(student, "cubic", x, v).any(), "the product is zero even where f depends on each element"


def through_a_model(side, kind, x, v):
    model = getattr(side.props, kind)()
    return side.vjp(model, x, v), model.weight.grad


def test_zero_where_f_uses_only_its_weight(student, reference, make):
    agree(partial(through_a_model, student, "Bias"), partial(through_a_model, reference, "Bias"))(
        make.randn(4, 3), make.randn(3, 2)
    )
    is_not_always_zero(student, make)


def test_gradients_of_the_weights_stay(student, reference, make):
    agree(partial(through_a_model, student, "Model"), partial(through_a_model, reference, "Model"))(
        make.randn(4, 3), make.randn(4, 2)
    )


def test_gradient_of_x_stays(student, reference, make):
    x = make.randn(3, 2, requires_grad=True)
    x.grad = make.randn(3, 2)
    agree_on(student, reference, "mixing")(x, make.randn(3, 2))


@pytest.mark.parametrize("name", ["cubic", "shifted"], ids=["from_x", "from_v"])
def test_result_carries_no_graph(student, reference, make, name):
    x, v = make.randn(2, 3, requires_grad=True), make.randn(2, 3, requires_grad=True)
    agree_on(student, reference, name)(x, v)


def test_x_that_is_no_leaf(student, reference, make):
    x = make.randn(2, 3, requires_grad=True) * 2
    agree_on(student, reference, "mixing")(x, make.randn(2, 3))


def test_noncontiguous_x_and_v(student, reference, make):
    x, v = make.noncontiguous(make.randn(4, 3)), make.noncontiguous(make.randn(4, 3))
    agree_on(student, reference, "mixing")(x, v)


def test_x_does_not_come_to_require_a_gradient(student, make):
    x, v = make.randn(2, 3), make.randn(2, 3)
    assert student.props.flag_after(student.vjp, student.props.cubic, x, v) is False, (
        "x did not require a gradient before the call, and does after it. From then on autograd records all "
        "that is computed from x, which its owner never asked for."
    )
