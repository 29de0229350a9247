"""Whatever goes in comes out."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.wire import Handle, InputRef, Name, TensorRecord, WireError, WireLimits, decode, encode
from grader.wire.values import DTYPES

SUPPORTED = [dtype for dtype in DTYPES if dtype is not None]
LAYOUTS = pytest.mark.parametrize("views", [False, True], ids=["compact", "views"])


def numbers(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """Numbers that every dtype can hold, the special ones among them where there are some."""
    count = math.prod(shape)
    if dtype is torch.bool:
        return (torch.arange(count) % 2 == 0).reshape(shape)
    plain = (torch.arange(count, dtype=torch.float32) % 5).reshape(shape)
    return plain.to(dtype)


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Equal to the bit, NaN included."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return encode(a) == encode(b)


@LAYOUTS
@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (2, 3), (2, 1, 4)], ids=str)
@pytest.mark.parametrize("dtype", SUPPORTED, ids=str)
def test_tensor_of_each_dtype_and_shape(dtype: torch.dtype, shape: tuple[int, ...], views: bool) -> None:
    tensor = numbers(shape, dtype)
    arrived = decode(encode(tensor, views=views))
    assert isinstance(arrived, TensorRecord)
    assert same(arrived.tensor, tensor)


@LAYOUTS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_special_floats(dtype: torch.dtype, views: bool) -> None:
    tensor = torch.tensor([math.nan, math.inf, -math.inf, -0.0, 1e-40], dtype=dtype)
    arrived = decode(encode(tensor, views=views))
    assert isinstance(arrived, TensorRecord)
    assert same(arrived.tensor, tensor)


def test_strides_stay_where_views_are_kept() -> None:
    base = torch.arange(24.0).reshape(4, 6)
    for view in (base.t(), base[::2, 1:], base[1], base.expand(2, 4, 6), base[:, 3]):
        arrived = decode(encode(view, views=True))
        assert isinstance(arrived, TensorRecord)
        assert arrived.tensor.stride() == view.stride()
        assert torch.equal(arrived.tensor, view)


def test_results_are_laid_out_afresh() -> None:
    arrived = decode(encode(torch.arange(6.0).reshape(2, 3).t()))
    assert isinstance(arrived, TensorRecord)
    assert arrived.tensor.is_contiguous()


def test_tensors_that_share_storage_share_it_on_arrival() -> None:
    base = torch.zeros(4, 3)
    arrived = decode(encode([base, base[1:]], views=True))
    assert isinstance(arrived, list)
    first, second = arrived
    first.tensor[1, 0] = 7.0
    assert second.tensor[0, 0] == 7.0


def test_conjugate_and_negative_views() -> None:
    tensor = torch.tensor([1 + 2j, 3 - 4j])
    for view in (tensor.conj(), tensor.conj().imag):
        arrived = decode(encode(view))
        assert isinstance(arrived, TensorRecord)
        assert torch.equal(arrived.tensor, view.resolve_conj().resolve_neg())


def test_what_is_said_of_a_tensor() -> None:
    leaf = torch.ones(2, requires_grad=True)
    leaf.grad = torch.tensor([3.0, 4.0])
    inner = leaf * 2
    first, second = decode(encode((leaf, inner)))  # type: ignore[misc]  # a pair
    assert (first.requires_grad, first.is_leaf, first.device) == (True, True, "cpu")
    assert torch.equal(first.grad.tensor, leaf.grad)
    assert (second.requires_grad, second.is_leaf, second.grad) == (True, False, None)


def test_a_bool_that_is_neither_zero_nor_one_becomes_one() -> None:
    message = bytearray(encode(torch.tensor([True, False])))
    message[-2:] = b"\x07\x00"
    arrived = decode(message)
    assert isinstance(arrived, TensorRecord)
    assert encode(arrived.tensor)[-2:] == b"\x01\x00"


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**1000), 2**1000)
    | st.floats()
    | st.text()
    | st.sampled_from(SUPPORTED)
    | st.sampled_from([torch.device("cpu"), torch.device("cuda:1"), torch.device("meta")])
    | st.builds(Handle, st.integers(0, 2**32 - 1), st.text(max_size=20), st.booleans())
    | st.builds(Name, st.text())
    | st.builds(InputRef, st.integers(0, 2**32 - 1)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(
            st.text() | st.integers() | st.none() | st.tuples(st.integers(), st.text()), inner, max_size=4
        )
    ),
    max_leaves=20,
)


def identical(a: object, b: object) -> bool:
    """Equal in value and type; NaN equals itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return a == b or (a != a and b != b)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(identical(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    return a == b


@given(PLAIN)
@settings(max_examples=300, deadline=None)
def test_nests_of_plain_values(value: object) -> None:
    assert identical(decode(encode(value)), value)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        b"bytes",
        {object(): 1},
        {torch.zeros(1): 1},
        "\ud800",
        1 << 5000,
        torch.zeros(2, 2).to_sparse(),
        torch.zeros(3, device="meta"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_cross_is_refused_by_the_sender(value: object) -> None:
    with pytest.raises(WireError):
        encode(value)


def test_what_cannot_cross_gets_a_handle_where_there_are_handles() -> None:
    arrived = decode(encode([object(), 1], opaque=lambda value: Handle(5, type(value).__name__)))
    assert arrived == [Handle(5, "object"), 1]


def test_a_list_that_holds_itself_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(WireError, match="nested"):
        encode(circle)


@pytest.mark.parametrize(
    ("limits", "value"),
    [
        (WireLimits(message_bytes=100), torch.zeros(1000)),
        (WireLimits(elements=10), torch.zeros(11)),
        (WireLimits(tensors=2), [torch.zeros(1)] * 3),
        (WireLimits(nodes=5), [1] * 6),
        (WireLimits(depth=2), [[[[1]]]]),
        (WireLimits(dict_entries=2), {1: 1, 2: 2, 3: 3}),
    ],
    ids=["bytes", "elements", "tensors", "nodes", "depth", "entries"],
)
def test_bounds_hold_on_both_sides(limits: WireLimits, value: object) -> None:
    with pytest.raises(WireError):
        encode(value, limits=limits)
    message = encode(value)
    with pytest.raises(WireError):
        decode(message, limits)
