"""What a worker does with a message: run the student's code, keep its graphs, say what came of it.

The examiner also runs this in its own process for code that it trusts (the reference, the known wrong
answers), so that every candidate is met through the same door.
"""

from __future__ import annotations

import builtins
import ctypes
import io
import mmap
import operator
import random
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from grader.wire import Handle, InputRef, Name, TensorRecord, WireLimits, crosses, decode, encode
from grader.worker.recording import OpNames, Recorder

_OUTPUT_CHARACTERS = 20_000
_MESSAGE_CHARACTERS = 2_000
_RESERVE_BYTES = 1 << 20
_BUILTIN_ERRORS = {
    cls
    for cls in vars(builtins).values()
    if isinstance(cls, type) and issubclass(cls, Exception) and cls.__module__ == "builtins"
}
_NOBODY = nullcontext()
_GRADIENTS_WATCHED = 3
# What the examiner may ask of a handle beyond calling it.
_VERBS: dict[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "getitem": operator.getitem,
    "iter": iter,
    "next": next,
    "len": len,
    "bool": bool,
    "repr": repr,
    "value": lambda value: value,
}


class Service:
    """One student's module, and the objects and graphs that the examiner still holds on to."""

    def __init__(self, limits: WireLimits, *, max_handles: int = 256, device: str = "cpu") -> None:
        self.limits = limits
        self.max_handles = max_handles
        self.device = torch.device(device)
        self.names: dict[str, object] = {}
        self.props: dict[str, object] = {}
        self.filename = ""
        self.handles: dict[int, object] = {}
        self.handle_of: dict[int, int] = {}
        self.handed_out: dict[int, int] = {}
        self.calls: dict[int, _Call] = {}
        self.number = 0
        self.printed = _BoundedText(_OUTPUT_CHARACTERS)
        self.reserve = _reserve()
        self.watching: OpNames | None = None
        self.gradients_watched = 0
        self.program: tuple[object, ...] | None = None

    def answer(self, message: bytes) -> bytes:
        """One request in, one reply out. Whatever the student's code raises is part of the reply."""
        request = decode(message, self.limits)
        assert isinstance(request, tuple)
        verb, arguments = request[0], request[1:]
        out, sys.stdout = sys.stdout, self.printed
        err, sys.stderr = sys.stderr, self.printed
        try:
            reply = getattr(self, f"on_{verb}")(*arguments)
        except BaseException as error:
            self.make_room(error)
            reply = self.error(error)
        finally:
            sys.stdout, sys.stderr = out, err
        try:
            return self.encode(reply)
        except BaseException as error:
            del reply
            self.make_room(error)
            return self.encode(self.error(error))

    def encode(self, reply: tuple[object, ...]) -> bytes:
        """A reply as it goes back. At its end what was printed, and with it what was seen of torch's ops."""
        printed, program, self.program = self.printed.take(), self.program, None
        names = [] if self.watching is None else self.watching.new
        end = (printed, names, program) if names or program is not None else printed
        message = encode((*reply, end), opaque=self.handle, limits=self.limits)
        if self.watching is not None:
            self.watching.sent()
        return message

    # -- requests ---------------------------------------------------------------------------------

    def on_load(self, source: str, name: str, props: str | None, watch: bool = False) -> tuple[object, ...]:
        """Run the module's source. Replies with the names it defines and what each of them is.

        With `watch`, later replies carry the names of the ops that were called.
        """
        self.watching = OpNames() if watch else None
        # What a module draws when it is run may not hang on how many workers there were before.
        self.seed(0)
        self.filename = f"{name}.py"
        if props is not None:
            self.props = _run_module(props, "props", "props.py")
        self.names = _run_module(source, name, self.filename)
        kinds = {key: _kind(value) for key, value in self.names.items() if not key.startswith("__")}
        return ("loaded", kinds)

    def on_call(
        self,
        target: Name | Handle | str,
        arguments: tuple[object, ...],
        keywords: dict[str, object],
        grad: bool,
        seed: int,
        traced: bool,
        cotangents: list[TensorRecord | None] | None,
        released_calls: list[int],
        released_handles: list[int],
        record: bool = False,
    ) -> tuple[object, ...]:
        """Call something of the student's, with gradients or without.

        With `cotangents` the gradients are computed at once, if the outputs have the cotangents' shapes:
        this saves a turn on the wire. With `record` the reply carries the call's program.
        """
        self.release(released_calls, released_handles)
        call = _Call(self)
        # A generator or a module reads the random state when it runs: the same for each candidate.
        self.seed(seed)
        function = self.find(target)
        args = call.materialize(arguments)
        kwargs = call.materialize(keywords)
        call.snapshot((*args, *kwargs.values()))
        recorder = Recorder(call.arguments) if record else None
        counter = _OpCounter() if traced else None
        with torch.set_grad_enabled(grad), self.watching or _NOBODY, recorder or _NOBODY, counter or _NOBODY:
            result = function(*args, **kwargs)
        changes = call.changes()
        value = call.export(result)
        if recorder is not None:
            self.program = recorder.program(call.outputs)
        gradients = None
        if cotangents is not None and call.takes(cotangents):
            with self.watching_gradients():
                gradients = call.gradients(cotangents)
        number = None
        if call.outputs:
            self.number += 1
            number = self.number
            self.calls[number] = call
        return (
            "returned",
            value,
            number,
            call.connected(),
            changes,
            gradients,
            None if counter is None else counter.counts,
        )

    def on_vjp(self, number: int, cotangents: list[TensorRecord | None]) -> tuple[object, ...]:
        """Gradients of a call's inputs for the cotangents of its outputs."""
        with self.watching_gradients():
            return ("gradients", self.calls[number].gradients(cotangents))

    def watching_gradients(self) -> AbstractContextManager[None]:
        """Watches the first few backward passes: they are all alike, and most of what they do is torch's own."""
        if self.watching is None or self.gradients_watched >= _GRADIENTS_WATCHED:
            return _NOBODY
        self.gradients_watched += 1
        return self.watching

    def on_facts(self, number: int, index: int) -> tuple[object, ...]:
        """What only this side can tell of an output."""
        call = self.calls[number]
        output = call.outputs[index]
        shares = [n for n, given in enumerate(call.arguments) if _share_storage(output, given)]
        return (
            "facts",
            output.requires_grad,
            output.is_leaf,
            shares,
            [n for n, given in enumerate(call.arguments) if output is given],
            str(output.device),
            output.dtype,
        )

    def seed(self, seed: int) -> None:
        """Begin all random numbers anew: torch's, Python's, and numpy's where it is in use."""
        if self.device.type == "cpu":
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)
        random.seed(seed)
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed(seed % (1 << 32))

    # -- objects that stay here -------------------------------------------------------------------

    def find(self, target: Name | Handle | str) -> Callable[..., Any]:
        """What is to be called."""
        if isinstance(target, str):
            return _VERBS[target]
        return self.look_up(target)  # type: ignore[return-value]  # calling what is no callable raises

    def look_up(self, target: Name | Handle) -> object:
        """The thing that a name or a handle stands for."""
        if isinstance(target, Handle):
            return self.handles[target.id]
        first, *rest = target.path.split(".")
        if first == "props" and rest:
            names, first, rest = self.props, rest[0], rest[1:]
        else:
            names = self.names
        if first not in names:
            raise NameError(f"{self.filename} does not define {first}")
        value = names[first]
        for attribute in rest:
            value = getattr(value, attribute)
        return value

    def handle(self, value: object) -> Handle:
        """A handle for what cannot cross; the same object keeps its handle."""
        number = self.handle_of.get(id(value))
        if number is None:
            if len(self.handles) >= self.max_handles:
                raise RuntimeError(f"more than {self.max_handles} objects held at once")
            self.number += 1
            number = self.number
            self.handles[number] = value
            self.handle_of[id(value)] = number
            self.handed_out[number] = 0
        # Each handle that arrives over there is released by itself.
        self.handed_out[number] += 1
        return Handle(number, type(value).__name__, isinstance(value, Iterator))

    def release(self, calls: list[int], handles: list[int]) -> None:
        """Let go of what the examiner no longer holds."""
        for number in calls:
            self.calls.pop(number, None)
        for number in handles:
            if number not in self.handles:
                continue
            self.handed_out[number] -= 1
            if not self.handed_out[number]:
                value = self.handles.pop(number)
                del self.handed_out[number], self.handle_of[id(value)]

    def make_room(self, error: BaseException) -> None:
        """Give back what the code that raised still holds: where it took all memory, the reply wants some."""
        self.reserve.close()
        traceback.clear_frames(error.__traceback__)
        with suppress(MemoryError, OSError):
            self.reserve = _reserve()

    # -- errors -----------------------------------------------------------------------------------

    def error(self, error: BaseException) -> tuple[object, ...]:
        """An exception as plain values: type, nearest builtin base, text, and where in the student's file."""
        base = next((cls.__name__ for cls in type(error).__mro__ if cls in _BUILTIN_ERRORS), None)
        lines: list[tuple[int, str]] = []
        if isinstance(error, SyntaxError) and error.filename == self.filename:
            lines.append((error.lineno or 0, "<module>"))
            text = error.msg
        else:
            for frame in traceback.walk_tb(error.__traceback__):
                code = frame[0].f_code
                if code.co_filename == self.filename:
                    lines.append((frame[1], code.co_name))
            text = _text_of(error)
        return ("raised", type(error).__name__, base, text, lines[-5:])


class _Call:
    """One call's tensors: what went in, what came out."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.arguments: list[torch.Tensor] = []
        # Where a gradient arrives: the argument itself, or the leaf under an argument that is no leaf.
        self.sources: list[torch.Tensor] = []
        self.before: list[tuple[object, ...]] = []
        self.grads_before: list[tuple[object, ...] | None] = []
        self.containers: list[tuple[list[object] | dict[object, object], list[object]]] = []
        self.outputs: list[torch.Tensor] = []

    # -- in -----------------------------------------------------------------------------------------

    def materialize(self, value: Any) -> Any:
        kind = type(value)
        if kind is TensorRecord:
            return self.argument(value)
        if kind is tuple:
            return tuple([self.materialize(item) for item in value])
        if kind is list:
            return [self.materialize(item) for item in value]
        if kind is dict:
            return {key: self.materialize(item) for key, item in value.items()}
        if kind is Handle or kind is Name:
            return self.service.look_up(value)
        if kind is InputRef:
            return self.arguments[value.index]
        return value

    def argument(self, record: TensorRecord) -> torch.Tensor:
        device = self.service.device
        tensor = record.tensor
        if device.type != "cpu":
            tensor = tensor.to(device)
        source = tensor
        if record.requires_grad:
            tensor.requires_grad_()
            if not record.is_leaf:
                # Not a leaf on the examiner's side: not one here.
                tensor = tensor.clone()
        if record.grad is not None:
            source.grad = record.grad.tensor.to(device)
        self.arguments.append(tensor)
        self.sources.append(source)
        return tensor

    def snapshot(self, given: tuple[object, ...]) -> None:
        """Remember the arguments, to tell afterwards what was changed in place.

        By content: writing through `.data` leaves the version counter as it was.
        """
        self.before = [_content(tensor) for tensor in self.arguments]
        self.grads_before = [_grad_state(tensor) for tensor in self.arguments]
        self.remember_containers(given)

    def remember_containers(self, value: object) -> None:
        if type(value) is list:
            self.containers.append((value, list(value)))
            for item in value:
                self.remember_containers(item)
        elif type(value) is dict:
            self.containers.append((value, list(value.items())))
            for item in value.values():
                self.remember_containers(item)
        elif type(value) is tuple:
            for item in value:
                self.remember_containers(item)

    # -- out ----------------------------------------------------------------------------------------

    def changes(self) -> tuple[object, ...] | None:
        """What the call did to its arguments: tensors, gradients, lists and dicts by their place."""
        tensors = [
            (n, tensor.detach(), tensor.requires_grad)
            for n, tensor in enumerate(self.arguments)
            if _content(tensor) != self.before[n]
        ]
        grads = []
        for n, tensor in enumerate(self.arguments):
            if _grad_state(tensor) != self.grads_before[n]:
                grad = tensor.grad if tensor.is_leaf else None
                grads.append((n, None if grad is None else grad.detach()))
        containers = []
        for n, (container, before_items) in enumerate(self.containers):
            items = list(container.items()) if isinstance(container, dict) else container
            if len(items) != len(before_items) or any(
                not _same(a, b) for a, b in zip(items, before_items, strict=True)
            ):
                containers.append((n, self.by_reference(items)))
        if not (tensors or grads or containers):
            return None
        return (tensors, grads, containers)

    def by_reference(self, value: Any) -> Any:
        """The value with the call's own tensors named instead of copied."""
        if isinstance(value, torch.Tensor):
            for n, tensor in enumerate(self.arguments):
                if tensor is value:
                    return InputRef(n)
            return value.detach()
        if type(value) in (list, tuple):
            return type(value)(self.by_reference(item) for item in value)
        if type(value) is dict:
            return {key: self.by_reference(item) for key, item in value.items()}
        return value

    def export(self, value: Any) -> Any:
        """The result as it will cross; its tensors become the call's outputs, in order of appearance."""
        if isinstance(value, torch.Tensor):
            if crosses(value):
                self.outputs.append(value)
            return value
        kind = type(value)
        if kind is list:
            return [self.export(item) for item in value]
        if isinstance(value, dict):
            # An ordered one, or one with defaults, reads as what it is.
            return {key: self.export(item) for key, item in value.items()}
        if kind is tuple:
            return tuple([self.export(item) for item in value])
        if isinstance(value, tuple) and not hasattr(value, "_fields") and kind is not torch.Size:
            # torch.return_types and the like read as tuples.
            return tuple([self.export(item) for item in value])
        return value

    def connected(self) -> list[bool]:
        """For each output whether a gradient can flow through it to this call."""
        return [
            output.requires_grad and (not output.is_leaf or any(output is given for given in self.arguments))
            for output in self.outputs
        ]

    # -- gradients ----------------------------------------------------------------------------------

    def takes(self, cotangents: list[TensorRecord | None]) -> bool:
        """Whether each cotangent has the shape and dtype of its output."""
        return len(cotangents) == len(self.outputs) and all(
            record is None
            or (
                output.requires_grad
                and record.tensor.shape == output.shape
                and record.tensor.dtype == output.dtype
            )
            for record, output in zip(cotangents, self.outputs, strict=True)
        )

    def gradients(self, cotangents: list[TensorRecord | None]) -> list[torch.Tensor | None]:
        """One gradient for each tensor argument; the worker's own leaves keep theirs in `.grad`.

        The graph stays: the examiner may walk it again.
        """
        roots, seeds = [], []
        for output, record in zip(self.outputs, cotangents, strict=True):
            if record is not None and output.requires_grad:
                roots.append(output)
                seeds.append(record.tensor.to(self.service.device))
        sources = [source for source in self.sources if source.requires_grad and source.is_leaf]
        kept = [source.grad for source in sources]
        for source in sources:
            source.grad = None
        try:
            if roots:
                torch.autograd.backward(roots, seeds, retain_graph=True)
            return [source.grad if source.is_leaf else None for source in self.sources]
        finally:
            for source, grad in zip(sources, kept, strict=True):
                source.grad = grad


class _OpCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch does not type its hook
    """Counts ATen ops by name."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # nor this
        self.counts: dict[str, int] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Else torch imports its whole compiler, a second's work, to keep it away from this class.
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]  # nor its arguments
        name = func.name()
        self.counts[name] = self.counts.get(name, 0) + 1
        return func(*args, **(kwargs or {}))


class _BoundedText(io.TextIOBase):
    """What the student's code prints, up to a bound; the rest is dropped."""

    def __init__(self, characters: int) -> None:
        self.characters = characters
        self.parts: list[str] = []
        self.length = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        room = self.characters - self.length
        if room > 0:
            self.parts.append(text[:room])
            self.length += min(len(text), room)
        return len(text)

    def take(self) -> str:
        if not self.parts:
            return ""
        text = "".join(self.parts).encode("utf-8", "replace").decode()
        self.parts.clear()
        self.length = 0
        return text


def _reserve() -> mmap.mmap:
    """Address space, which is what is limited: nothing is touched, so it costs no memory and no time."""
    return mmap.mmap(-1, _RESERVE_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _run_module(source: str, name: str, filename: str) -> dict[str, object]:
    module = types.ModuleType(name)
    module.__file__ = filename
    code = compile(source, filename, "exec", dont_inherit=True)
    # Dataclasses and pickles of the student's look their module up by name.
    sys.modules[name] = module
    exec(code, module.__dict__)
    return module.__dict__


def _kind(value: object) -> str:
    if isinstance(value, type):
        return "class"
    if isinstance(value, types.ModuleType):
        return "module"
    return "function" if callable(value) else "value"


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
    except BaseException:
        return ""
    return text[:_MESSAGE_CHARACTERS].encode("utf-8", "replace").decode()


def _content(tensor: torch.Tensor) -> tuple[object, ...]:
    """What a tensor holds, as something to compare: where it lies, how, and its bytes."""
    layout = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.requires_grad)
    if tensor.device.type != "cpu":
        return (*layout, encode(tensor))
    storage = tensor.untyped_storage()
    return (*layout, ctypes.string_at(storage.data_ptr(), storage.nbytes()) if storage.nbytes() else b"")


def _grad_state(tensor: torch.Tensor) -> tuple[object, ...] | None:
    """A leaf's gradient, as something to compare; a tensor that is no leaf has none."""
    grad = tensor.grad if tensor.is_leaf else None
    return None if grad is None else (id(grad), _content(grad))


def _same(a: object, b: object) -> bool:
    if a is b:
        return True
    if type(a) is tuple and type(b) is tuple and len(a) == len(b):  # the items of a dict
        return all(_same(x, y) for x, y in zip(a, b, strict=True))
    return (
        not isinstance(a, torch.Tensor) and not isinstance(b, torch.Tensor) and type(a) is type(b) and a == b
    )


def _share_storage(a: torch.Tensor, b: torch.Tensor) -> bool:
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr() != 0
