"""Values to bytes."""

from __future__ import annotations

import ctypes
import math
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch

from grader.wire import values as v
from grader.wire.values import Handle, InputRef, Name, TensorRecord, WireError, WireLimits

_string_at = ctypes.string_at
_pack_count = struct.Struct("<BI").pack
_pack_int = struct.Struct("<Bq").pack
_pack_float = struct.Struct("<Bd").pack
_INT_MIN, _INT_MAX = -(1 << 63), (1 << 63) - 1
_DEFAULT_LIMITS = WireLimits()


def encode(
    value: object,
    *,
    views: bool = False,
    opaque: Callable[[object], Handle | Name | InputRef] | None = None,
    limits: WireLimits = _DEFAULT_LIMITS,
) -> bytes:
    """Encode a value.

    Args:
        value: what is to cross.
        views: keep strides, and storage that tensors share (examiner to worker). Otherwise each tensor
            is laid out afresh, contiguous.
        opaque: names what cannot cross by value; without it such a thing is an error. It is also asked for
            tensors that cannot cross (sparse, quantised).
        limits: the receiver's bounds; what it would refuse is refused here.

    Raises:
        WireError: the value is outside what may cross, or outside the bounds.
    """
    return _Encoder(views, opaque, limits).message(value)


def crosses(tensor: torch.Tensor) -> bool:
    """Whether a tensor can cross by value: not a sparse, quantised or meta one."""
    return tensor.layout is torch.strided and tensor.dtype in v.DTYPE_CODES and not tensor.is_meta


class _Encoder:
    def __init__(
        self, views: bool, opaque: Callable[[object], Handle | Name | InputRef] | None, limits: WireLimits
    ) -> None:
        self.views = views
        self.opaque = opaque
        self.limits = limits
        self.tree = bytearray()
        self.storages: list[bytes] = []
        self.storage_of: dict[int, int] = {}
        # A storage's address names it only while it is alive.
        self.kept: list[torch.Tensor] = []
        self.bytes = 0
        self.tensors = 0
        self.nodes = 0

    def message(self, value: object) -> bytes:
        self.put(value, 0)
        sizes = [len(storage) for storage in self.storages]
        head = struct.pack(f"<I{len(sizes)}QI", len(sizes), *sizes, len(self.tree))
        message = b"".join([head, self.tree, *self.storages])
        if len(message) > self.limits.message_bytes:
            raise WireError(
                f"a message of {len(message):,} bytes; the limit is {self.limits.message_bytes:,}"
            )
        return message

    def put(self, value: Any, depth: int) -> None:
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            raise WireError(f"more than {self.limits.nodes:,} values in one message")
        if depth > self.limits.depth:
            raise WireError(f"nested deeper than {self.limits.depth}")
        kind = type(value)
        tree = self.tree
        if value is None:
            tree.append(v.TAG_NONE)
        elif kind is bool:
            tree.append(v.TAG_TRUE if value else v.TAG_FALSE)
        elif kind is int:
            self.put_int(value)
        elif kind is float:
            tree += _pack_float(v.TAG_FLOAT, value)
        elif kind is str:
            self.put_text(v.TAG_STR, value)
        elif isinstance(value, torch.Tensor):
            self.put_tensor(value, depth)
        elif kind is TensorRecord:
            self.put_record(value)
        elif kind is list:
            self.put_items(v.TAG_LIST, value, depth)
        elif kind is tuple or kind is torch.Size:
            self.put_items(v.TAG_TUPLE, value, depth)
        elif kind is dict or kind is OrderedDict:
            self.put_dict(value, depth)
        elif kind is torch.dtype:
            tree += bytes((v.TAG_DTYPE, v.DTYPE_CODES[value]))
        elif kind is torch.device:
            self.put_text(v.TAG_DEVICE, str(value))
        elif kind is Name:
            self.put_text(v.TAG_NAME, value.path)
        elif kind is Handle:
            self.put_handle(value)
        elif kind is InputRef:
            tree += _pack_count(v.TAG_INPUT_REF, value.index)
        else:
            self.put_opaque(value, depth)

    def put_int(self, value: int) -> None:
        if _INT_MIN <= value <= _INT_MAX:
            self.tree += _pack_int(v.TAG_INT, value)
            return
        size = value.bit_length() // 8 + 1
        if size > self.limits.integer_bytes:
            raise WireError(f"an integer of more than {8 * self.limits.integer_bytes - 8:,} bits")
        self.tree += _pack_count(v.TAG_BIG_INT, size) + value.to_bytes(size, "little", signed=True)

    def put_text(self, tag: int, text: str) -> None:
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raise WireError("a text with lone surrogates") from None
        self.tree += _pack_count(tag, len(raw))
        self.tree += raw

    def put_items(self, tag: int, items: list[object] | tuple[object, ...], depth: int) -> None:
        self.tree += _pack_count(tag, len(items))
        for item in items:
            self.put(item, depth + 1)

    def put_dict(self, items: dict[object, object], depth: int) -> None:
        if len(items) > self.limits.dict_entries:
            raise WireError(f"a dict of more than {self.limits.dict_entries:,} entries")
        self.tree += _pack_count(v.TAG_DICT, len(items))
        for key, item in items.items():
            if not _is_key(key):
                raise WireError(f"a dict key of type {type(key).__name__}")
            self.put(key, depth + 1)
            self.put(item, depth + 1)

    def put_handle(self, handle: Handle) -> None:
        self.tree += _pack_count(v.TAG_HANDLE, handle.id)
        self.tree.append(handle.iterator)
        self.put_text(v.TAG_STR, handle.type_name)

    def put_opaque(self, value: object, depth: int) -> None:
        if self.opaque is None:
            raise WireError(f"a {type(value).__name__} cannot cross")
        self.put(self.opaque(value), depth)

    def put_tensor(self, tensor: torch.Tensor, depth: int) -> None:
        if not crosses(tensor):
            self.put_opaque(tensor, depth)
            return
        # Reading .grad of a tensor that is no leaf warns, and it has none.
        is_leaf = tensor.is_leaf
        grad = tensor.grad if is_leaf else None
        if grad is not None and not crosses(grad):
            grad = None
        self.put_tensor_parts(
            tensor.detach(),
            tensor.requires_grad,
            is_leaf,
            str(tensor.device),
            None if grad is None else TensorRecord(grad.detach(), grad.requires_grad, True, str(grad.device)),
        )

    def put_record(self, record: TensorRecord) -> None:
        self.put_tensor_parts(record.tensor, record.requires_grad, record.is_leaf, record.device, record.grad)

    def put_tensor_parts(
        self,
        tensor: torch.Tensor,
        requires_grad: bool,
        is_leaf: bool,
        device: str,
        grad: TensorRecord | None,
    ) -> None:
        self.tensors += 1
        limits = self.limits
        if self.tensors > limits.tensors:
            raise WireError(f"more than {limits.tensors:,} tensors in one message")
        if tensor.numel() > limits.elements:
            raise WireError(
                f"a tensor of {tensor.numel():,} elements, shape {tuple(tensor.shape)}; "
                f"the limit is {limits.elements:,}"
            )
        if not tensor.numel() and math.prod(side or 1 for side in tensor.shape) > limits.elements:
            raise WireError(f"an empty tensor of shape {tuple(tensor.shape)}")
        if tensor.dim() > limits.dims:
            raise WireError(f"a tensor of {tensor.dim()} dimensions")
        tensor = tensor.resolve_conj().resolve_neg()
        if tensor.device.type != "cpu":
            tensor = tensor.cpu()
        strided = self.views
        flags = (
            (v.FLAG_REQUIRES_GRAD if requires_grad else 0)
            | (v.FLAG_LEAF if is_leaf else 0)
            | (v.FLAG_GRAD if grad is not None else 0)
            | (v.FLAG_STRIDED if strided else 0)
        )
        shape = tensor.shape
        self.tree += bytes((v.TAG_TENSOR, v.DTYPE_CODES[tensor.dtype], flags, len(shape)))
        if strided:
            storage, offset = self.share_storage(tensor), tensor.storage_offset()
            self.tree += struct.pack(
                f"<{len(shape)}q{len(shape)}qqI", *shape, *tensor.stride(), offset, storage
            )
        else:
            self.tree += struct.pack(f"<{len(shape)}qI", *shape, self.add_storage(tensor))
        device_raw = device.encode()
        self.tree.append(len(device_raw))
        self.tree += device_raw
        if grad is not None:
            self.put_record(grad)

    def add_storage(self, tensor: torch.Tensor) -> int:
        tensor = tensor.contiguous()
        nbytes = tensor.numel() * tensor.element_size()
        self.count_bytes(nbytes)
        self.storages.append(_string_at(tensor.data_ptr(), nbytes) if nbytes else b"")
        return len(self.storages) - 1

    def share_storage(self, tensor: torch.Tensor) -> int:
        storage = tensor.untyped_storage()
        address = storage.data_ptr()
        if address and address in self.storage_of:
            return self.storage_of[address]
        nbytes = storage.nbytes()
        self.count_bytes(nbytes)
        self.kept.append(tensor)
        self.storages.append(_string_at(address, nbytes) if nbytes else b"")
        self.storage_of[address] = len(self.storages) - 1
        return len(self.storages) - 1

    def count_bytes(self, nbytes: int) -> None:
        self.bytes += nbytes
        if self.bytes > self.limits.message_bytes:
            raise WireError(f"more than {self.limits.message_bytes:,} bytes of tensors in one message")


def _is_key(key: object) -> bool:
    if type(key) is tuple:
        return all(_is_key(part) for part in key)
    return key is None or type(key) in (bool, int, float, str)
