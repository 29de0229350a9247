"""What torch did in a call: the names of its ops, and, where it is asked for, the ops themselves.

It runs in the student's process, which can switch it off, or say something else: what it sends is a claim.
"""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch._C._autograd import _disable_profiler_legacy, _enable_profiler_legacy
from torch._C._profiler import ProfilerConfig, ProfilerState, _ExperimentalConfig
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from grader.wire import InputRef, crosses

MAX_NAMES = 512
NAME_CHARACTERS = 100
STOPPED = "trace::stopped"
"""Among the names where something switched the recording off."""
MAX_EVENTS = 300_000
TOO_MANY = "trace::too_many"
"""Among the names where so much was done that the recording ended: it triples the time of a small op."""

MAX_OPS = 400
MAX_ITEMS = 4096
"""Tensors, and arguments of all ops together."""
CONSTANT_BYTES = 1 << 16
KEPT_BYTES = 1 << 24
CONSTANT = "constant"
"""Stands for an op in a program: the next of its constants."""

# torch's own derivatives. A node of a student's own `autograd.Function` has no number at its end.
_DERIVATIVE = re.compile(r"Backward\d+$")
_NO_OPS = ("autograd::", "torch::autograd", "profiler::")


class OpNames(AbstractContextManager[None]):
    """Names of the ops that were called, as a context manager around calls.

    torch's profiler sees each op with those that it is made of, and with what led to it: compiled code,
    optimizers, derivatives. Only what was called by no other op counts: whoever may call `einsum` may do the
    `bmm` inside. It costs a tenth of what a dispatch mode does, and does not stand between the code and torch.
    """

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._new: list[str] = []
        self._events = 0
        self._on = False
        # The CPU's clock is the one that is always there; no shapes, no stacks, no memory.
        self._config = ProfilerConfig(
            ProfilerState.CPU, False, False, False, False, False, _ExperimentalConfig()
        )

    def __enter__(self) -> None:
        self._on = self._events <= MAX_EVENTS
        if self._on:
            try:
                _enable_profiler_legacy(self._config)
            except RuntimeError:
                # Another of its kind is at work: the student's.
                self._on = False
                self._add(STOPPED)

    def __exit__(self, *_: object) -> None:
        if not self._on:
            return
        try:
            threads = _disable_profiler_legacy()
        except RuntimeError:
            self._add(STOPPED)
            return
        for events in threads:
            self._events += len(events)
            self._read(events)
        if self._events > MAX_EVENTS:
            self._add(TOO_MANY)

    @property
    def new(self) -> list[str]:
        """The names that were not sent yet."""
        return self._new

    def sent(self) -> None:
        """The new ones are on their way: they are not new any longer."""
        self._new = []

    def _read(self, events: list[Any]) -> None:
        inside = 0  # an op, or a derivative: how deep
        known = self._known
        for event in events:
            kind = event.kind()
            if kind == "push":
                if inside:
                    inside += 1
                    continue
                name = event.name()
                if "::" in name and not name.startswith(_NO_OPS):
                    inside = 1
                    if name not in known:
                        self._add(name)
                elif _DERIVATIVE.search(name):
                    inside = 1
                elif name.startswith("Optimizer.step#") and name not in known:
                    self._add(name)
            elif kind == "pop" and inside:
                inside -= 1

    def _add(self, name: str) -> None:
        if len(self._known) < MAX_NAMES and len(name) <= NAME_CHARACTERS and name not in self._known:
            self._known.add(name)
            self._new.append(name)


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not type its hook
    """The ops of one call as a program that can be run again: plain values, and numbers for tensors.

    Tensors are numbered in the order in which they appear: the arguments, then what each op returns. One that
    is none of them is a constant, and crosses by value. `outputs` are the numbers of what the call returned.

    It gives up, and says why in `marks`, where the call is too much for it; some marks only say that the
    program may not be the whole truth.
    """

    def __init__(self, arguments: list[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # nor this
        self.ops: list[tuple[str, list[Any], dict[str, Any], int]] = []
        self.constants: list[torch.Tensor] = []
        self.marks: list[str] = []
        self.given_up = False
        self.busy = False
        """What is done to a tensor just now is done here, and not by the student's code."""
        self._number_of: dict[tuple[object, ...], int] = {}
        # An address names a tensor only while it is alive.
        self._kept: list[torch.Tensor] = []
        self._storages: set[int] = set()
        self._count = 0
        self._items = 0
        self._bytes = 0
        self._constant_bytes = 0
        self._reads = _Reads(self)
        for argument in arguments:
            self._number(argument)

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Else torch imports its whole compiler, a second's work, to keep it away from this class.
        return False

    def __enter__(self) -> Recorder:
        self._reads.__enter__()  # type: ignore[no-untyped-call]  # nor this
        super().__enter__()  # type: ignore[no-untyped-call]  # nor this
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)  # type: ignore[no-untyped-call]  # nor this
        self._reads.__exit__(*exception)  # type: ignore[no-untyped-call]  # nor this

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # nor its arguments
        kwargs = kwargs or {}
        if len(self.ops) >= MAX_OPS:
            self._give_up("many")
        if self.given_up:
            return func(*args, **kwargs)
        self.busy = True
        try:
            return self._record(func, args, kwargs)
        finally:
            self.busy = False

    def _record(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = [self._plain(item) for item in args]
        keywords = {key: self._plain(item) for key, item in kwargs.items()}
        if len(self.ops) >= MAX_OPS:  # with its constants
            self._give_up("many")
        result = func(*args, **kwargs)
        if self.given_up:
            return result
        returned = result if isinstance(result, (tuple, list)) else (result,)
        tensors = [item for item in returned if isinstance(item, torch.Tensor)]
        if any(isinstance(item, (bool, int, float, complex)) for item in returned):
            self.mark("item")
        self.ops.append((func.name(), arguments, keywords, len(tensors)))
        for tensor in tensors:
            self._number(tensor)
        return result

    def program(self, outputs: list[torch.Tensor]) -> tuple[object, ...]:
        """Operations, the numbers of the outputs, constants and marks, all plain."""
        numbers = [] if self.given_up else [self._of(output) for output in outputs]
        if self.given_up:
            return ([], [], [], self.marks)
        return (self.ops, numbers, self.constants, self.marks)

    def mark(self, mark: str) -> None:
        """Remember that something was done which a program cannot hold."""
        if mark not in self.marks:
            self.marks.append(mark)

    def _give_up(self, mark: str) -> None:
        self.mark(mark)
        self.given_up = True
        self.ops, self.constants, self._kept = [], [], []

    def _plain(self, value: Any) -> Any:
        self._items += 1
        if self._items > MAX_ITEMS:
            self._give_up("large")
            return None
        if isinstance(value, torch.Tensor):
            return InputRef(self._of(value))
        kind = type(value)
        if value is None or kind in (bool, int, float, str, torch.dtype, torch.device):
            return value
        if isinstance(value, (list, tuple)):
            return [self._plain(item) for item in value]
        if kind is torch.memory_format or kind is torch.layout:
            return str(value)
        self._give_up("random" if isinstance(value, torch.Generator) else "value")
        return None

    def _of(self, tensor: torch.Tensor) -> int:
        """The number of a tensor; one that nothing here made becomes a constant."""
        if not crosses(tensor):
            self._give_up("value")
            return 0
        number = self._number_of.get(_place(tensor))
        if number is not None:
            return number
        nbytes = tensor.numel() * tensor.element_size()
        self._constant_bytes += nbytes
        if self._constant_bytes > CONSTANT_BYTES or len(self.ops) >= MAX_OPS:
            self._give_up("large")
            return 0
        if not tensor.is_contiguous() or tensor.untyped_storage().data_ptr() in self._storages:
            # A view that no op made: what is done to the one changes the other.
            self.mark("memory")
        self.constants.append(tensor.detach().clone())
        self.ops.append((CONSTANT, [], {}, 1))
        return self._number(tensor)

    def _number(self, tensor: torch.Tensor) -> int:
        number = self._count
        self._count += 1
        if self._count > MAX_ITEMS:
            self._give_up("large")
            return number
        if tensor.layout is not torch.strided:
            self._give_up("value")
            return number
        self._number_of[_place(tensor)] = number
        storage = tensor.untyped_storage()
        address = storage.data_ptr()
        if address not in self._storages:
            self._storages.add(address)
            self._bytes += storage.nbytes()
            if self._bytes > KEPT_BYTES:
                self._give_up("large")
                return number
        self._kept.append(tensor)
        return number


class _Reads(TorchFunctionMode):
    """Marks a program where values left their tensors by a way that is no op."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # as torch has it
        if not self.recorder.busy and getattr(func, "__name__", "") in _WAYS_OUT:
            self.recorder.mark("memory")
        return func(*args, **(kwargs or {}))


_WAYS_OUT = frozenset(
    (  # noqa: SIM905  names read better as words than as a quoted list
        "tolist numpy __array__ data_ptr untyped_storage storage _typed_storage __dlpack__ __reduce_ex__ "
        "__deepcopy__ share_memory_ apply_ map_ set_ resize_ to_dlpack"
    ).split()
)


def _place(tensor: torch.Tensor) -> tuple[object, ...]:
    """What two tensors share only if they are one: autograd hands out others of the same memory."""
    return (
        tensor.untyped_storage().data_ptr(),
        tensor.storage_offset(),
        tensor.dtype,
        tuple(tensor.shape),
        tensor.stride(),
    )
