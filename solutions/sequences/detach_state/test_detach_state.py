"""What detaching a state has to get right."""

from functools import partial

import pytest
import torch

from grader import agree


def hidden(make, *shape, dtype=torch.float32):
    """A tensor with a history."""
    return make.randn(*shape, dtype=dtype, requires_grad=True) * 2


def same_state(student, reference):
    return agree(student.detach_state, reference.detach_state)


def test_a_tensor_keeps_its_values_and_loses_its_graph(student, reference, make):
    same_state(student, reference)(hidden(make, 2, 3))


def test_an_lstm_pair(student, reference, make):
    same_state(student, reference)(
        (hidden(make, 2, 3, dtype=torch.float64), make.randn(2, 4, requires_grad=True))
    )


@pytest.mark.points(2)
def test_layers_as_nested_lists_and_tuples(student, reference, make):
    layers = [
        (hidden(make, 2, 3), hidden(make, 2, 3)),
        (hidden(make, 2, 4), None),
        [[hidden(make, 1, 2)], (), None, []],
    ]
    same_state(student, reference)(layers)


def test_tensors_of_any_shape_and_dtype(student, reference, make):
    same_state(student, reference)([hidden(make), hidden(make, 0, 2), make.tokens(9, 3), make.mask(2)])


def test_no_state_stays_none(student):
    assert student.detach_state(None) is None, "before the first batch there is no state: None stays None"


@pytest.mark.points(2)
def test_a_namedtuple_stays_one(student, reference, make):
    h, c = make.randn(2, 3, requires_grad=True), make.randn(2, 5, requires_grad=True)
    state = student.props.State(h, c)
    name = student.props.class_name(student.detach_state(state))
    assert name == "State", "a namedtuple comes back as one of the same class: callers ask it for .h"
    agree(partial(named, student), partial(named, reference))(h, c)


def named(side, h, c):
    """The caller's state after the call, and the detached one."""
    state = side.props.State(h, c)
    detached = side.detach_state(state)
    return state.h, state.c, detached.h, detached.c


@pytest.mark.points(2)
def test_the_storage_is_the_same(student, make):
    h, c = student.detach_state([hidden(make, 3, 2), (make.noncontiguous(make.randn(4, 2)),)])
    for position, tensor in enumerate((h, c[0])):
        shared = student.facts(tensor).shares_storage
        assert shared == (position,), (
            "the detached tensor lies on a storage of its own: nothing needs to be copied"
        )
    assert not h.requires_grad, "the tensor that comes back still hangs on its graph"


def test_the_callers_state_is_left_alone(student, make):
    h, c = hidden(make, 2, 3), hidden(make, 2, 3)
    state = student.props.State(h, c)
    student.detach_state(state)
    assert state.h.requires_grad, "the caller's tensor was cut from its graph: its gradient is lost"
    layers = [h, [c]]
    detached = student.detach_state(layers)
    assert isinstance(detached, list), "a list comes back as one"
    assert not detached[0].requires_grad, "what comes back is detached"
    same = layers[0] is h and layers[1][0] is c
    assert same, "the caller's list holds other tensors now: the detached ones belong in a new list"


def test_a_list_is_a_new_one(student, make):
    kept = student.props.lists_kept(student.detach_state, [[], ([make.randn(2)], [None]), [hidden(make, 2)]])
    assert student.detach_state([[], [None]]) == [[], [None]], "a list of lists comes back as one"
    assert kept == 0, (
        "a list of the caller's is in the result: whoever appends to one would find it in the other"
    )


@pytest.mark.parametrize("what", ["dict", "text", "number"])
def test_anything_else_is_a_type_error(student, make, what):
    h = make.randn(2, 3)
    stranger = {"dict": {"h": h}, "text": "h", "number": 0.0}[what]
    assert isinstance(student.detach_state([h]), list), "a list of tensors is a state"
    with pytest.raises(TypeError):
        student.detach_state(stranger)
    with pytest.raises(TypeError):
        student.detach_state([h, (h, stranger)])
