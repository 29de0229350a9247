"""Bytes to values: whatever the bytes, a value or a `WireError`, and nothing else.

The examiner reads here what a hostile process wrote. So every count is checked against what is left of the
message before anything is made of it, and nothing in a message can name a class, a file or an address.
"""

from __future__ import annotations

import ctypes
import struct

import torch

from grader.wire import values as v
from grader.wire.values import Handle, InputRef, Name, TensorRecord, WireError, WireLimits

_DEFAULT_LIMITS = WireLimits()
_u32 = struct.Struct("<I").unpack_from
_i64 = struct.Struct("<q").unpack_from
_f64 = struct.Struct("<d").unpack_from
# Far above any real tensor, and low enough that products of a few stay small Python ints.
_DIM_MAX = 1 << 40
# Numbers clash by chance as well: -1 and -2 do.
_CLASHES = 16


def decode(message: bytes | bytearray, limits: WireLimits = _DEFAULT_LIMITS, *, views: bool = True) -> object:
    """Decode one message. Tensors arrive as `TensorRecord`s whose memory is their own.

    Without `views` each tensor must bring its own bytes, all of them: a stride of 0 makes much out of few, and so do
    many tensors of the same bytes.

    Raises:
        WireError: anything at all is wrong with the message.
    """
    if len(message) > limits.message_bytes:
        raise WireError(f"a message of {len(message):,} bytes; the limit is {limits.message_bytes:,}")
    try:
        return _Decoder(message, limits, views).message()
    except WireError:
        raise
    except (struct.error, IndexError):
        raise WireError("the message ends too early") from None
    except UnicodeDecodeError:
        raise WireError("a text that is not UTF-8") from None
    except (RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        # torch speaks in RuntimeErrors; the checks above it should make this unreachable.
        raise WireError(f"a message that cannot be read: {type(error).__name__}") from None


class _Decoder:
    def __init__(self, message: bytes | bytearray, limits: WireLimits, views: bool) -> None:
        self.raw = message
        self.limits = limits
        self.views = views
        self.at = 0
        self.end = len(message)
        self.nodes = 0
        self.tensors = 0
        self.expanded = 0
        self.sizes: tuple[int, ...] = ()
        self.starts: list[int] = []
        self.shared: dict[int, torch.Tensor] = {}
        self.used: set[int] = set()

    def message(self) -> object:
        (count,) = _u32(self.raw, 0)
        if count > self.limits.tensors or 8 + 8 * count > self.end:
            raise WireError(f"{count:,} storages")
        self.sizes = struct.unpack_from(f"<{count}Q", self.raw, 4)
        (tree_bytes,) = _u32(self.raw, 4 + 8 * count)
        self.at = 8 + 8 * count
        start = self.at + tree_bytes
        for size in self.sizes:
            self.starts.append(start)
            start += size
        if start != self.end:
            raise WireError("the parts of the message do not add up to its length")
        self.end = self.at + tree_bytes
        value = self.get(0)
        if self.at != self.end:
            raise WireError("bytes left over after the value")
        return value

    def take(self, count: int) -> bytes:
        start = self.at
        stop = start + count
        if stop > self.end:
            raise WireError("the message ends too early")
        self.at = stop
        return bytes(self.raw[start:stop])

    def u32(self) -> int:
        (count,) = _u32(self.raw, self.at)
        self.at += 4
        return int(count)

    def count(self, at_least: int) -> int:
        """A count of things that take at least so many bytes each."""
        count = self.u32()
        if count * at_least > self.end - self.at:
            raise WireError(f"{count:,} values in {max(self.end - self.at, 0):,} bytes")
        return count

    def text(self) -> str:
        return self.take(self.u32()).decode()

    def get(self, depth: int) -> object:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise WireError(f"more than {self.limits.nodes:,} values in one message")
        if depth > self.limits.depth:
            raise WireError(f"nested deeper than {self.limits.depth}")
        at = self.at
        if at >= self.end:
            raise WireError("the message ends too early")
        tag = self.raw[at]
        self.at = at + 1
        if tag == v.TAG_TENSOR:
            return self.tensor(True)
        if tag == v.TAG_TUPLE:
            return tuple([self.get(depth + 1) for _ in range(self.count(1))])
        if tag == v.TAG_LIST:
            return [self.get(depth + 1) for _ in range(self.count(1))]
        if tag == v.TAG_NONE:
            return None
        if tag == v.TAG_TRUE:
            return True
        if tag == v.TAG_FALSE:
            return False
        if tag == v.TAG_INT:
            self.at = at + 9
            return _i64(self.raw, at + 1)[0]
        if tag == v.TAG_FLOAT:
            self.at = at + 9
            return _f64(self.raw, at + 1)[0]
        if tag == v.TAG_STR:
            return self.text()
        return self.get_rare(tag, depth)

    def get_rare(self, tag: int, depth: int) -> object:
        if tag == v.TAG_DICT:
            return self.dict(depth)
        if tag == v.TAG_BIG_INT:
            size = self.u32()
            if size > self.limits.integer_bytes:
                raise WireError(f"an integer of {size:,} bytes")
            return int.from_bytes(self.take(size), "little", signed=True)
        if tag == v.TAG_DTYPE:
            return self.dtype(self.take(1)[0])
        if tag == v.TAG_DEVICE:
            return torch.device(self.text())
        if tag == v.TAG_HANDLE:
            number, iterator = self.u32(), self.take(1)[0]
            name = self.get(depth + 1)
            if not isinstance(name, str):
                raise WireError("a handle without a type name")
            return Handle(number, name[:200], bool(iterator))
        if tag == v.TAG_NAME:
            return Name(self.text())
        if tag == v.TAG_INPUT_REF:
            return InputRef(self.u32())
        raise WireError(f"an unknown tag, {tag}")

    def dict(self, depth: int) -> dict[object, object]:
        count = self.count(2)
        if count > self.limits.dict_entries:
            raise WireError(f"a dict of {count:,} entries")
        items: dict[object, object] = {}
        hashes: set[int] = set()
        for _ in range(count):
            key = self.get(depth + 1)
            _check_key(key)
            hashes.add(hash(key))
            # Chosen so that all fall into one place, a few thousand keys take seconds.
            if len(hashes) + _CLASHES < len(items):
                raise WireError("a dict whose keys collide")
            items[key] = self.get(depth + 1)
        return items

    def dtype(self, code: int) -> torch.dtype:
        dtype = v.DTYPES[code] if code < len(v.DTYPES) else None
        if dtype is None:
            raise WireError(f"an unknown dtype, {code}")
        return dtype

    def tensor(self, may_have_grad: bool) -> TensorRecord:
        self.tensors += 1
        if self.tensors > self.limits.tensors:
            raise WireError(f"more than {self.limits.tensors:,} tensors in one message")
        code, flags, dims = self.take(3)
        dtype = self.dtype(code)
        if dims > self.limits.dims:
            raise WireError(f"a tensor of {dims} dimensions")
        shape: tuple[int, ...] = struct.unpack_from(f"<{dims}q", self.raw, self.at)
        self.at += 8 * dims
        elements = self.elements(shape)
        if flags & v.FLAG_STRIDED:
            if not self.views:
                raise WireError("a view where a whole tensor is expected")
            strides: tuple[int, ...] = struct.unpack_from(f"<{dims}q", self.raw, self.at)
            offset, index = struct.unpack_from("<qI", self.raw, self.at + 8 * dims)
            self.at += 8 * dims + 12
            tensor = self.view(index, dtype, v.ITEM_BYTES[code], shape, strides, offset, elements)
        else:
            index = self.u32()
            if not self.views and index in self.used:
                raise WireError("bytes that two tensors share where each is to bring its own")
            self.used.add(index)
            tensor = self.fresh(index, dtype, v.ITEM_BYTES[code], shape, elements)
        device = self.take(self.take(1)[0]).decode()
        grad = None
        if flags & v.FLAG_GRAD:
            if not may_have_grad or self.take(1)[0] != v.TAG_TENSOR:
                raise WireError("a gradient that is no tensor, or has a gradient of its own")
            grad = self.tensor(False)
        return TensorRecord(
            tensor, bool(flags & v.FLAG_REQUIRES_GRAD), bool(flags & v.FLAG_LEAF), device, grad
        )

    def elements(self, shape: tuple[int, ...]) -> int:
        # A 0 in the shape makes the product 0 whatever the others are, and torch multiplies them all the
        # same: so the bound holds for the product of the others.
        nonzero, product = 1, 1
        for dim in shape:
            if not 0 <= dim <= _DIM_MAX:
                raise WireError(f"a dimension of {dim:,}")
            product *= dim
            nonzero *= dim or 1
            if nonzero > self.limits.elements:
                raise WireError(f"a tensor of shape {shape}; the limit is {self.limits.elements:,} elements")
        # Strides of 0 make much out of few bytes, each tensor within its bound: bound the sum as well.
        self.expanded += product
        if self.expanded > 4 * self.limits.elements:
            raise WireError(f"tensors of more than {4 * self.limits.elements:,} elements in one message")
        return product

    def storage(self, index: int) -> tuple[int, int]:
        if index >= len(self.sizes):
            raise WireError("a tensor without a storage")
        return self.starts[index], self.sizes[index]

    def copy_into(self, tensor: torch.Tensor, start: int, size: int) -> None:
        if size:
            ctypes.memmove(tensor.data_ptr(), bytes(self.raw[start : start + size]), size)

    def fresh(
        self, index: int, dtype: torch.dtype, item: int, shape: tuple[int, ...], elements: int
    ) -> torch.Tensor:
        start, size = self.storage(index)
        if elements * item != size:
            raise WireError(f"{size:,} bytes for a tensor of shape {shape}")
        if dtype is torch.bool:
            # A bool that is neither 0 nor 1 is undefined behaviour in torch.
            numbers = torch.empty(shape, dtype=torch.uint8)
            self.copy_into(numbers, start, size)
            return numbers.ne(0)
        tensor = torch.empty(shape, dtype=dtype)
        self.copy_into(tensor, start, size)
        return tensor

    def view(
        self,
        index: int,
        dtype: torch.dtype,
        item: int,
        shape: tuple[int, ...],
        strides: tuple[int, ...],
        offset: int,
        elements: int,
    ) -> torch.Tensor:
        start, size = self.storage(index)
        if offset < 0 or offset > _DIM_MAX or any(not 0 <= stride <= _DIM_MAX for stride in strides):
            raise WireError("strides outside the storage")
        last = offset + sum((dim - 1) * stride for dim, stride in zip(shape, strides, strict=True))
        if elements and (last + 1) * item > size:
            raise WireError("strides outside the storage")
        base = self.shared.get(index)
        if base is None:
            base = torch.empty(size, dtype=torch.uint8)
            self.copy_into(base, start, size)
            self.shared[index] = base
        if dtype is torch.bool:
            base.copy_(base.ne(0))
        if not elements:
            offset = 0
        return torch.empty(0, dtype=dtype).set_(base.untyped_storage(), offset, shape, strides)


def _check_key(key: object) -> None:
    if type(key) is tuple:
        for part in key:
            _check_key(part)
    elif not (key is None or type(key) in (bool, int, float, str)):
        raise WireError(f"a dict key of type {type(key).__name__}")
