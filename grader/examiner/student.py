"""The student's names, as a suite sees them. Autograd goes through the wall."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from grader.examiner.conversation import Conversation, TraceCounts
from grader.wire import Handle, InputRef, Name, TensorRecord


@dataclass(frozen=True)
class Facts:
    """What the worker says of a tensor that a call returned."""

    requires_grad: bool
    is_leaf: bool
    shares_storage: tuple[int, ...]
    """Indices of the call's tensor arguments, in order of appearance, whose storage it shares."""
    is_argument: tuple[int, ...]
    """Indices of the arguments that it is: the same object, not only the same values."""
    device: str
    dtype: torch.dtype


class Student:
    """A candidate's names. `student.softmax(x, dim=1)` calls its softmax, wherever that runs."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        conversation = self._conversation
        kind = conversation.names.get(name)
        if kind is None:
            raise MissingName(name)
        remote = RemoteName(conversation, name)
        return remote if kind != "value" else remote._value()

    @property
    def props(self) -> Props:
        """The names of the exercise's `props.py`, on the candidate's side."""
        return Props(self._conversation)

    def facts(self, tensor: torch.Tensor) -> Facts:
        """What the worker says of a tensor that one of this candidate's calls returned."""
        origin = origin_of(tensor)
        if origin is None:
            raise TypeError("facts() wants a tensor that the student's code returned")
        requires_grad, is_leaf, shares, same, device, dtype = self._conversation.facts(
            origin.graph.number, origin.index
        )
        if not isinstance(shares, list) or not isinstance(same, list):
            raise self._conversation.unreadable()
        return Facts(
            bool(requires_grad),
            bool(is_leaf),
            tuple(n for n in shares if type(n) is int),
            tuple(n for n in same if type(n) is int),
            str(device),
            dtype,
        )

    @contextmanager
    def trace(self) -> Iterator[TraceCounts]:
        """Count the ATen ops of the calls inside."""
        counts = TraceCounts()
        self._conversation.traced = counts
        try:
            yield counts
        finally:
            self._conversation.traced = None


class MissingName(AttributeError):
    """The submission does not define a name that the exercise asks for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"your file does not define `{name}`")


class Props:
    """`student.props.loss`: something of `props.py` in the worker. Callable, and good as an argument."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def __getattr__(self, name: str) -> RemoteName:
        if name.startswith("__"):
            raise AttributeError(name)
        return RemoteName(self._conversation, f"props.{name}")


class Remote:
    """Something on the other side of the wall: call it, read its attributes, iterate, pass it back."""

    _conversation: Conversation

    def _target(self) -> Name | Handle:
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        return call(self._conversation, self._target(), args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._do("getattr", name)

    def __getitem__(self, key: Any) -> Any:
        return self._do("getitem", key)

    def __iter__(self) -> Iterator[Any]:
        iterator = self._do("iter")
        while True:
            try:
                item = iterator._do("next")
            except StopIteration:
                return
            yield item

    def __next__(self) -> Any:
        return self._do("next")

    def __len__(self) -> int:
        length = self._do("len")
        if type(length) is not int or not 0 <= length < 1 << 31:
            raise self._conversation.unreadable()
        return length

    def __bool__(self) -> bool:
        return True

    def _do(self, verb: str, *arguments: Any) -> Any:
        return call(self._conversation, verb, (self, *arguments), {})


class RemoteName(Remote):
    """A name of the candidate's module. Costs no turn on the wire until it is called."""

    def __init__(self, conversation: Conversation, path: str) -> None:
        self._conversation = conversation
        self._path = path

    def __repr__(self) -> str:
        return self._path

    def _target(self) -> Name:
        return Name(self._path)

    def _value(self) -> Any:
        return self._do("value")


class RemoteHandle(Remote):
    """An object that stays in the worker."""

    def __init__(self, conversation: Conversation, handle: Handle) -> None:
        self._conversation = conversation
        self._handle = handle
        # The worker keeps the object as long as this side speaks of it.
        weakref.finalize(self, conversation.released_handles.append, handle.id).atexit = False

    def __repr__(self) -> str:
        return f"<a {self._handle.type_name} in the worker>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteHandle) and other._handle.id == self._handle.id

    def __hash__(self) -> int:
        return self._handle.id

    def _target(self) -> Handle:
        return self._handle

    @property
    def type_name(self) -> str:
        """The name of its class, as the worker says."""
        return self._handle.type_name


class RemoteGraph:
    """A call's graph in the worker: alive there as long as a tensor of it is alive here."""

    def __init__(self, conversation: Conversation, number: int) -> None:
        self.conversation = conversation
        self.number = number
        self.fetched: tuple[list[torch.Tensor | None], list[Any]] | None = None
        weakref.finalize(self, conversation.released_calls.append, number).atexit = False


@dataclass(frozen=True)
class Origin:
    """Which output of which call a tensor is."""

    graph: RemoteGraph
    index: int
    device: str
    is_leaf: bool


def origin_of(tensor: torch.Tensor) -> Origin | None:
    """Where a tensor came from, if a call returned it."""
    return getattr(tensor, "_torchgrade_origin", None)


class _RemoteCall(torch.autograd.Function):
    """Ties the outputs of a call to its inputs; backward asks the worker."""

    @staticmethod
    def forward(
        ctx: Any,
        graph: RemoteGraph,
        outputs: list[torch.Tensor],
        places: list[int],
        count: int,
        wanted: list[int],
        anchor: torch.Tensor,
        *inputs: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        ctx.graph = graph
        ctx.places = places
        ctx.count = count
        ctx.wanted = wanted
        ctx.shapes = [(tensor.shape, tensor.dtype) for tensor in inputs]
        ctx.set_materialize_grads(False)
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[Any, ...]:
        cotangents: list[torch.Tensor | None] = [None] * ctx.count
        for place, grad in zip(ctx.places, grads, strict=True):
            cotangents[place] = grad
        graph: RemoteGraph = ctx.graph
        conversation = graph.conversation
        fetched = graph.fetched
        if fetched is not None and all(
            a is b or (a is not None and b is not None and torch.equal(a, b))
            for a, b in zip(fetched[0], cotangents, strict=True)
        ):
            gradients = fetched[1]
            graph.fetched = None
        else:
            gradients = conversation.vjp(graph.number, cotangents)
        found: list[torch.Tensor | None] = []
        for index, (shape, dtype) in zip(ctx.wanted, ctx.shapes, strict=True):
            record = gradients[index] if index < len(gradients) else None
            if record is None:
                found.append(None)
                continue
            if not isinstance(record, TensorRecord):
                raise conversation.unreadable()
            if record.tensor.shape != shape or record.tensor.dtype != dtype:
                raise conversation.unreadable()
            found.append(record.tensor)
        return (None, None, None, None, None, None, *found)


def call(
    conversation: Conversation,
    target: Name | Handle | str,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Call `target` with the arguments, write back what it changed in place, tie the outputs to the graph."""
    given = _Arguments(conversation)
    arguments = tuple([given.pack(item) for item in args])
    keywords = {key: given.pack(item) for key, item in kwargs.items()}
    grad = torch.is_grad_enabled()
    prefetched = conversation.prefetch
    value, number, connected, changes, gradients = conversation.call(target, arguments, keywords, grad)
    if changes is not None:
        given.write_back(changes)
    outputs = _Outputs(conversation)
    result = outputs.unpack(value)
    if not outputs.records:
        return result
    if type(number) is not int or not isinstance(connected, list) or len(connected) != len(outputs.records):
        raise conversation.unreadable()
    graph = RemoteGraph(conversation, number)
    if isinstance(gradients, list) and prefetched is not None:
        graph.fetched = (prefetched, gradients)
    return outputs.tie(result, graph, [bool(flag) and grad for flag in connected], given.tensors)


class _Arguments:
    """A call's arguments on their way out, and what comes back into them."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.tensors: list[torch.Tensor] = []
        self.containers: list[list[Any] | dict[Any, Any]] = []

    def pack(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            self.tensors.append(value)
            return value
        if isinstance(value, Remote):
            return value._target()
        kind = type(value)
        if kind is list:
            self.containers.append(value)
            return [self.pack(item) for item in value]
        if kind is dict or kind is OrderedDict:
            self.containers.append(value)
            return {key: self.pack(item) for key, item in value.items()}
        if kind is tuple:
            return tuple([self.pack(item) for item in value])
        if kind is torch.Size:
            return tuple(value)
        return value

    def write_back(self, changes: Any) -> None:
        try:
            tensors, grads, containers = changes
            for index, record, requires_grad in tensors:
                self.write_tensor(self.tensors[index], record, bool(requires_grad))
            for index, record in grads:
                target = self.tensors[index]
                if record is None:
                    target.grad = None
                elif record.tensor.shape == target.shape and record.tensor.dtype == target.dtype:
                    if target.grad is not None and target.grad.shape == record.tensor.shape:
                        target.grad.copy_(record.tensor)
                    else:
                        target.grad = record.tensor
            for index, items in containers:
                container = self.containers[index]
                fresh = [self.unpack(item) for item in items]
                if isinstance(container, dict):
                    container.clear()
                    container.update(fresh)
                else:
                    container[:] = fresh
        except (TypeError, ValueError, IndexError, AttributeError, KeyError):
            raise self.conversation.unreadable() from None

    def write_tensor(self, target: torch.Tensor, record: TensorRecord, requires_grad: bool) -> None:
        if target.requires_grad and not requires_grad:
            target.detach_()
        with torch.no_grad():
            if record.tensor.shape == target.shape and record.tensor.dtype == target.dtype:
                # A broadcast tensor cannot be written to; what was done to it is then something else.
                if not torch.equal(record.tensor, target):
                    target.copy_(record.tensor)
            else:
                target.data = record.tensor
        if requires_grad and not target.requires_grad:
            target.requires_grad_()

    def unpack(self, value: Any) -> Any:
        if type(value) is InputRef:
            return self.tensors[value.index]
        if type(value) is TensorRecord:
            return value.tensor
        if type(value) is Handle:
            return RemoteHandle(self.conversation, value)
        if type(value) in (list, tuple):
            return type(value)(self.unpack(item) for item in value)
        if type(value) is dict:
            return {key: self.unpack(item) for key, item in value.items()}
        return value


class _Outputs:
    """A call's result on its way in."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.records: list[TensorRecord] = []

    def unpack(self, value: Any) -> Any:
        kind = type(value)
        if kind is TensorRecord:
            self.records.append(value)
            return value
        if kind is Handle:
            return RemoteHandle(self.conversation, value)
        if kind is list:
            return [self.unpack(item) for item in value]
        if kind is tuple:
            return tuple([self.unpack(item) for item in value])
        if kind is dict:
            return {key: self.unpack(item) for key, item in value.items()}
        return value

    def tie(self, result: Any, graph: RemoteGraph, connected: list[bool], inputs: list[torch.Tensor]) -> Any:
        tensors = [record.tensor for record in self.records]
        places = [n for n, flag in enumerate(connected) if flag and _differentiable(tensors[n])]
        if places:
            wanted = [n for n, tensor in enumerate(inputs) if tensor.requires_grad]
            # A graph with parameters of the worker's own needs a gradient even where no argument does.
            anchor = torch.zeros((), requires_grad=True)
            tied = _RemoteCall.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
                graph,
                [tensors[n] for n in places],
                places,
                len(tensors),
                wanted,
                anchor,
                *[inputs[n] for n in wanted],
            )
            for place, tensor in zip(places, tied, strict=True):
                tensors[place] = tensor
        for n, (record, tensor) in enumerate(zip(self.records, tensors, strict=True)):
            if record.requires_grad and n not in places and _differentiable(tensor):
                tensor.requires_grad_()
            if record.grad is not None and tensor.is_leaf and record.grad.tensor.shape == tensor.shape:
                tensor.grad = record.grad.tensor
            origin = Origin(graph, n, record.device, record.is_leaf)
            tensor._torchgrade_origin = origin  # type: ignore[attr-defined]  # a tensor takes any name
        waiting = iter(tensors)
        return _fill(result, waiting)


def _fill(value: Any, tensors: Iterator[torch.Tensor]) -> Any:
    kind = type(value)
    if kind is TensorRecord:
        return next(tensors)
    if kind is list:
        return [_fill(item, tensors) for item in value]
    if kind is tuple:
        return tuple([_fill(item, tensors) for item in value])
    if kind is dict:
        return {key: _fill(item, tensors) for key, item in value.items()}
    return value


def _differentiable(tensor: torch.Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
