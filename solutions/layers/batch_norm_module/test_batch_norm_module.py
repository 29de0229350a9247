"""Hidden suite of `batch_norm_module`: train mode, eval mode, the gradients, and what the module keeps."""

from functools import partial

import pytest
import torch

from grader import agree

DENSE, IMAGES = (5, 3), (4, 3, 2, 5)


def contents(make, dtype=torch.float64):
    """weight, bias, running_mean and running_var, none of them at its starting value."""
    return (*(make.randn(3, dtype=dtype) for _ in range(3)), make.uniform(0.5, 2.0, 3, dtype=dtype))


def one_batch(side, x, g, kept, options, mode):
    """One forward and one backward pass: the output, the gradients of the parameters, and the buffers."""
    layer = side.props.layer(side.BatchNorm, x.dtype, kept, options, mode)
    y = layer(x)
    y.backward(g)
    return y.detach(), side.props.after(layer)


def agree_on_one_batch(student, reference, make, x, options, mode="train", **tolerance):
    g = make.randn(*x.shape, dtype=x.dtype)
    agree(partial(one_batch, student), partial(one_batch, reference), **tolerance)(
        x, g, contents(make, x.dtype), options, mode
    )


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [(DENSE, torch.float32), (DENSE, torch.float64), (IMAGES, torch.float64)],
    ids=["dense_float32", "dense_float64", "images_float64"],
)
def test_train_mode_values_gradients_and_buffers(student, reference, make, shape, dtype):
    x = make.randn(*shape, dtype=dtype, requires_grad=True, scale=2.0, shift=1.0)
    agree_on_one_batch(student, reference, make, x, {"eps": 0.25, "momentum": 0.3})


def test_values_far_from_zero(student, reference, make):
    x = make.randn(*DENSE, requires_grad=True, scale=2.0, shift=5000.0)
    # The mean is rounded to half a thousandth up here, and that is no mistake.
    agree_on_one_batch(student, reference, make, x, {}, rtol=1e-2, atol=1e-2)


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [DENSE, IMAGES], ids=["dense", "images"])
def test_eval_mode_uses_the_buffers_and_leaves_them(student, reference, make, shape):
    x = make.randn(*shape, dtype=torch.float64, requires_grad=True)
    agree_on_one_batch(student, reference, make, x, {"eps": 0.25}, mode="eval")


def test_noncontiguous_batch(student, reference, make):
    x = make.noncontiguous(make.randn(*IMAGES, dtype=torch.float64, requires_grad=True))
    agree_on_one_batch(student, reference, make, x, {"momentum": 0.5})


def fresh(side):
    return side.props.registered(side.BatchNorm(4))


def test_parameters_buffers_and_state_dict(student, reference):
    agree(partial(fresh, student), partial(fresh, reference))()


def two_batches(side, first, second):
    """Through a layer as it is made, with the default eps and momentum."""
    layer = side.props.layer(side.BatchNorm, torch.float64)
    return layer(first), layer(second), side.props.after(layer)


def test_default_eps_and_momentum_over_two_batches(student, reference, make):
    # A narrow spread, in which an eps of 1e-5 can be seen.
    batches = [make.randn(rows, 3, dtype=torch.float64, scale=0.01, requires_grad=True) for rows in (4, 6)]
    agree(partial(two_batches, student), partial(two_batches, reference))(*batches)


def save_and_load(side, batch, x, kept):
    """Train one layer for a batch, and carry its state over to a new one."""
    trained = side.props.layer(side.BatchNorm, torch.float64, kept)
    trained(batch)
    copy = side.props.layer(side.BatchNorm, torch.float64, mode="eval")
    copy.load_state_dict(trained.state_dict())
    return copy(x)


def test_state_dict_carries_everything_over(student, reference, make):
    batch, x = make.randn(5, 3, dtype=torch.float64), make.randn(2, 3, dtype=torch.float64)
    agree(partial(save_and_load, student), partial(save_and_load, reference))(batch, x, contents(make))


def there_and_back(side, batches, kept):
    """Train, evaluate, train again."""
    layer = side.props.layer(side.BatchNorm, torch.float64, kept)
    outputs = [layer(batches[0])]
    layer.eval()
    outputs.append(layer(batches[1]))
    layer.train()
    outputs.append(layer(batches[2]))
    return outputs, side.props.after(layer)


def test_switches_between_train_and_eval(student, reference, make):
    batches = [make.randn(rows, 3, dtype=torch.float64) for rows in (4, 2, 5)]
    agree(partial(there_and_back, student), partial(there_and_back, reference))(batches, contents(make))


def test_gradcheck_in_train_mode(student, make):
    layer = student.props.layer(student.BatchNorm, torch.float64, contents(make))
    torch.autograd.gradcheck(
        layer, (make.randn(4, 3, dtype=torch.float64, requires_grad=True),), fast_mode=True
    )
