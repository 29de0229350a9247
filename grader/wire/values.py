"""What may cross the wall, and within which bounds.

Plain values (None, bool, int, float, str, lists, tuples, dicts, dtypes, devices) cross as themselves.
A tensor crosses as its bytes and arrives as a `TensorRecord`. Everything else stays where it is and is
spoken of by a `Handle`, a `Name` or an `InputRef`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from grader.errors import WireError as WireError


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Bounds of one message. Beyond any of them it is refused whole, before memory is taken for it."""

    message_bytes: int = 32 << 20
    depth: int = 32
    nodes: int = 100_000
    tensors: int = 4_096
    dims: int = 64
    elements: int = 1 << 24
    """Of one tensor; a stride of 0 makes a large tensor out of few bytes."""
    dict_entries: int = 4_096
    """Keys of a hostile dict may collide, so its size is kept where quadratic is still quick."""
    integer_bytes: int = 128


@dataclass(frozen=True, slots=True)
class Handle:
    """Something that stays in the worker."""

    id: int
    type_name: str
    iterator: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name that the worker looks up: `softmax`, `props.loss`."""

    path: str


@dataclass(frozen=True, slots=True)
class InputRef:
    """The n-th tensor of the call's own arguments, in order of appearance."""

    index: int


@dataclass(slots=True)
class TensorRecord:
    """A tensor that crossed. `tensor` holds plain values on the CPU, without a graph.

    The rest is what the sender says of it: from a worker these are claims.
    """

    tensor: torch.Tensor
    requires_grad: bool = False
    is_leaf: bool = True
    device: str = "cpu"
    grad: TensorRecord | None = None


_DTYPE_NAMES = (
    "float32",
    "float64",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
    "complex64",
    "complex128",
    "complex32",
    "uint16",
    "uint32",
    "uint64",
    "float8_e4m3fn",
    "float8_e5m2",
    "float8_e4m3fnuz",
    "float8_e5m2fnuz",
    "float8_e8m0fnu",
)
# A dtype's place in this table is its code on the wire. Both sides run the same torch; an older one that
# lacks a dtype keeps the place empty, so that the codes stay.
DTYPES: tuple[torch.dtype | None, ...] = tuple(getattr(torch, name, None) for name in _DTYPE_NAMES)
DTYPE_CODES: dict[torch.dtype, int] = {dtype: code for code, dtype in enumerate(DTYPES) if dtype is not None}
ITEM_BYTES: tuple[int, ...] = tuple(0 if dtype is None else dtype.itemsize for dtype in DTYPES)

# Tags of the tree. Layout of a message (little-endian):
#   u32 number of storages | u64 bytes of each | u32 bytes of the tree | tree | storages, one after the other
TAG_NONE, TAG_TRUE, TAG_FALSE = 0, 1, 2
TAG_INT, TAG_BIG_INT, TAG_FLOAT, TAG_STR = 3, 4, 5, 6
TAG_LIST, TAG_TUPLE, TAG_DICT = 7, 8, 9
TAG_DTYPE, TAG_DEVICE = 10, 11
TAG_TENSOR, TAG_HANDLE, TAG_NAME, TAG_INPUT_REF = 12, 13, 14, 15

FLAG_REQUIRES_GRAD, FLAG_LEAF, FLAG_GRAD, FLAG_STRIDED = 1, 2, 4, 8
