"""Hidden suite of `train_step`: what is returned, what has moved, and what is left behind."""

from functools import partial

import pytest
import torch

from grader import agree


def steps(side, made_by, loss, batches, *, stale=None):
    """Train on the batches one after the other, and look at all that a step touches."""
    model, optimizer = made_by(side.props)
    if stale is not None:
        side.props.leave_gradients(model, stale)
    losses = [side.train_step(model, optimizer, getattr(side.props, loss), x, y) for x, y in batches]
    return losses, side.props.left_behind(model)


def agree_on(student, reference, made_by, loss, batches, **keywords):
    return agree(
        partial(steps, student, made_by, loss, **keywords),
        partial(steps, reference, made_by, loss, **keywords),
    )(batches)


def momentum(props, dtype=torch.float64):
    return props.with_momentum(dtype)


def adam(props, dtype=torch.float64):
    return props.with_adam(dtype)


def regression(make, count=1, rows=5, dtype=torch.float64):
    return [(make.randn(rows, 3, dtype=dtype), make.randn(rows, 1, dtype=dtype)) for _ in range(count)]


@pytest.mark.points(2)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_one_step(student, reference, make, dtype):
    agree_on(student, reference, partial(momentum, dtype=dtype), "lopsided", regression(make, dtype=dtype))


@pytest.mark.points(2)
def test_three_steps(student, reference, make):
    agree_on(student, reference, momentum, "lopsided", regression(make, count=3))


@pytest.mark.points(2)
def test_gradients_from_before_do_not_count(student, reference, make):
    agree_on(student, reference, momentum, "lopsided", regression(make, rows=4), stale=3.0)


def test_any_optimizer_and_loss(student, reference, make):
    batches = [(make.randn(6, 3, dtype=torch.float64), make.tokens(4, 6)) for _ in range(2)]
    agree_on(student, reference, adam, "classification", batches)


def test_the_hooks_of_the_model_run(student, reference, make):
    def made_by(props):
        return props.with_hook(torch.float64)

    agree_on(student, reference, made_by, "lopsided", regression(make))


def test_frozen_and_idle_parameters_are_no_error(student, reference, make):
    def made_by(props):
        return props.with_idle_parameters(torch.float64)

    agree_on(student, reference, made_by, "lopsided", regression(make, count=2))


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_mode_is_left_alone(student, reference, make, training):
    def made_by(props):
        return props.with_batch_norm(torch.float64, training)

    agree_on(student, reference, made_by, "lopsided", regression(make, count=2))


def test_returns_a_plain_float(student, make):
    model, optimizer = student.props.with_momentum(torch.float32)
    loss = student.train_step(model, optimizer, student.props.lopsided, make.randn(3, 3), make.randn(3, 1))
    assert type(loss) is float, (
        f"train_step returned a {type(loss).__name__}, not a float. A tensor keeps the graph of its batch "
        "alive: a list of such losses fills the memory."
    )
