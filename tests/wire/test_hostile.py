"""No bytes whatever make the decoder do anything but return a value or raise its one error."""

from __future__ import annotations

import random
import struct

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.wire import Handle, InputRef, Name, WireError, WireLimits, decode, encode
from grader.wire.values import (
    FLAG_GRAD,
    FLAG_STRIDED,
    TAG_BIG_INT,
    TAG_DEVICE,
    TAG_DICT,
    TAG_INT,
    TAG_LIST,
    TAG_STR,
    TAG_TENSOR,
    TAG_TUPLE,
)

SMALL = WireLimits(message_bytes=1 << 16, elements=1 << 12, nodes=2_000, tensors=16)


def settle(message: bytes, limits: WireLimits = SMALL) -> object:
    """The value, or None where the message was refused. Anything else is a fault."""
    try:
        return decode(message, limits)
    except WireError:
        return None


def message_of(tree: bytes, *storages: bytes) -> bytes:
    """A message put together by hand."""
    sizes = [len(storage) for storage in storages]
    head = struct.pack(f"<I{len(sizes)}QI", len(sizes), *sizes, len(tree))
    return b"".join([head, tree, *storages])


def tensor_tree(shape: tuple[int, ...], *, flags: int = 0, dtype: int = 0, storage: int = 0) -> bytes:
    """A compact tensor's part of the tree."""
    return (
        bytes((TAG_TENSOR, dtype, flags, len(shape)))
        + struct.pack(f"<{len(shape)}qI", *shape, storage)
        + b"\x03cpu"
    )


def strided_tree(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> bytes:
    return (
        bytes((TAG_TENSOR, 0, FLAG_STRIDED, len(shape)))
        + struct.pack(f"<{len(shape)}q{len(shape)}qqI", *shape, *strides, offset, 0)
        + b"\x03cpu"
    )


@given(st.binary(max_size=400))
@settings(max_examples=2000, deadline=None)
def test_any_bytes(message: bytes) -> None:
    settle(message)


@given(st.binary(max_size=200), st.lists(st.binary(max_size=40), max_size=3))
@settings(max_examples=2000, deadline=None)
def test_any_tree_in_a_good_envelope(tree: bytes, storages: list[bytes]) -> None:
    settle(message_of(tree, *storages))


GOOD = [
    encode(
        ("call", [torch.ones(2, 3, requires_grad=True), 1.5, None], {"dim": -1, (1, "a"): True}), views=True
    ),
    encode((torch.zeros(4, 5).t(), Handle(3, "Linear"), Name("f"), InputRef(1), torch.float16, 1 << 200)),
    encode(
        [torch.tensor([True, False]), torch.tensor(1 + 2j), torch.device("cpu"), "text", torch.empty(0, 3)]
    ),
]


@pytest.mark.parametrize("good", GOOD, ids=["call", "objects", "tensors"])
def test_one_byte_changed_cut_or_added(good: bytes) -> None:
    assert settle(good) is not None
    rng = random.Random(7)
    for at in range(len(good)):
        settle(good[:at])
        settle(good[:at] + bytes([rng.randrange(256)]) + good[at + 1 :])
        settle(good[:at] + bytes([rng.randrange(256)]) + good[at:])
        for bit in range(8):
            settle(good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :])


@pytest.mark.parametrize(
    "message",
    [
        b"",
        struct.pack("<I", 0xFFFFFFFF),
        struct.pack("<IQI", 1, 0xFFFFFFFFFFFFFFFF, 0),
        message_of(bytes([TAG_LIST]) + struct.pack("<I", 0xFFFFFFFF)),
        message_of(bytes([TAG_DICT]) + struct.pack("<I", 0x7FFFFFFF)),
        message_of(bytes([TAG_STR]) + struct.pack("<I", 0xFFFFFFFF) + b"x"),
        message_of(bytes([TAG_STR]) + struct.pack("<I", 2) + b"\xff\xfe"),
        message_of(bytes([TAG_BIG_INT]) + struct.pack("<I", 1 << 30)),
        message_of(bytes([TAG_DEVICE]) + struct.pack("<I", 9) + b"../../../x"[:9]),
        message_of(bytes([TAG_DEVICE]) + struct.pack("<I", 6) + b"cuda:x"),
        message_of((bytes([TAG_LIST]) + struct.pack("<I", 1)) * 3000),
        message_of((bytes([TAG_TUPLE]) + struct.pack("<I", 1)) * 3000 + bytes([TAG_INT])),
        message_of(tensor_tree((1 << 40,)), b""),
        message_of(tensor_tree((0, 1 << 62)), b""),
        message_of(tensor_tree((0, 1 << 39, 1 << 39)), b""),
        message_of(tensor_tree((-1,)), b""),
        message_of(tensor_tree((-2, -2)), bytes(16)),
        message_of(tensor_tree((2,)), bytes(4)),
        message_of(tensor_tree((2,), storage=9), bytes(8)),
        message_of(tensor_tree((2,), dtype=255), bytes(8)),
        message_of(tensor_tree((1,) * 65), bytes(4)),
        message_of(tensor_tree((1,), flags=FLAG_GRAD) + tensor_tree((1,), flags=FLAG_GRAD), bytes(4)),
        message_of(strided_tree((1 << 12, 1 << 12), (0, 0), 0), bytes(4)),
        message_of(strided_tree((2, 2), (2, 1), 1), bytes(16)),
        message_of(strided_tree((2,), (-1,), 1), bytes(8)),
        message_of(strided_tree((1,), (1 << 62,), 0), bytes(4)),
        message_of(strided_tree((1,), (1,), 1 << 62), bytes(4)),
        message_of(strided_tree((1,), (1,), -1), bytes(4)),
        message_of(bytes([0, 0])),
        message_of(bytes([99])),
        encode(1) + b"\x00",
    ],
)
def test_hostile_headers_are_refused(message: bytes) -> None:
    with pytest.raises(WireError):
        decode(message, SMALL)


def test_a_terabyte_of_shape_takes_no_memory() -> None:
    """Sixteen tensors, each within its bound, each made of four bytes by strides of 0."""
    tree = bytes([TAG_LIST]) + struct.pack("<I", 16) + strided_tree((1 << 12,), (0,), 0) * 16
    with pytest.raises(WireError, match="elements"):
        decode(message_of(tree, bytes(4)), SMALL)


def test_no_more_memory_is_taken_than_bytes_were_sent() -> None:
    """Else a few messages, each within its bound, would fill the examiner's memory, and cost the class its marks."""
    twice = bytes((TAG_LIST,)) + struct.pack("<I", 2) + 2 * tensor_tree((2,))
    message = message_of(twice, bytes(8))
    assert isinstance(decode(message), list)  # from the examiner, who shares on purpose
    with pytest.raises(WireError, match="two tensors share"):
        decode(message, views=False)
    x = torch.ones(2)
    assert isinstance(decode(encode([x, x, x[:1]]), views=False), list)
