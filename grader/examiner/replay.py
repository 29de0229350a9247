"""The strong form of looking for what is forbidden: do the ops of a call give its answer?

A worker that is asked to records the ops of a call or two. They are run again in a second worker, which never
saw the student's code: on the same inputs, where they have to give what the student's code returned, and on
other inputs of the same shapes, where they have to give what the reference gives. So an answer that was looked
up, or computed by anything but the listed ops, shows. Where that cannot be told, it is said so, and costs
nothing. Only the forward pass is run again, not its derivatives.

Which calls: the first suitable ones of tests that the course's secret picks, one in each, until there are two.
Which they are can be seen from inside, but not known before. They count if their test passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from grader.errors import WireError
from grader.examiner.comparison import tensors_in
from grader.examiner.conversation import Port, WorkerLost
from grader.examiner.ops import ForgedProgram, Program, Undecided, read_program
from grader.result import Finding
from grader.submission.families import Forbidden
from grader.wire import Handle, Name, TensorRecord, WireLimits, decode, encode

UNDECIDED: Final = "replay_undecided"
DISAGREES: Final = "replay_disagrees"

_CALLS = 2
_ELEMENTS = 4096
_TENSORS = 16
# How far the other inputs lie from the first, in their spread. The farther the better, but some must stay where
# the exercise has an answer: a box has a width, a probability lies below 1.
_SCALES = (2.0, 0.5, 0.1, 0.02)
# Relative to each number, and to the largest: the same ops once more; other ops that come to the same, which
# round otherwise; and what has to be off by more, for a number that was looked up to be told from a right one.
_SAME, _RIGHT, _ANOTHER = 1e-3, 1e-2, 4e-2
_OF_HALVES = 8
"""So much wider for numbers of 16 bits."""
_PLAIN = (type(None), bool, int, float, str, torch.dtype, torch.device)


class _Unsuited(Exception):
    """The call cannot be made again with other inputs."""


@dataclass(frozen=True)
class Recorded:
    """A call of the student's code, and what its process says of it."""

    test: int
    path: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: list[Tensor]
    program: object
    reply: bytes
    """By which the test is found in which it was made."""

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors among the arguments, in order of appearance."""
        return list(tensors_in((*self.args, *self.kwargs.values())))


class Recording:
    """Picks the calls of a candidate that are to be recorded, and keeps them."""

    def __init__(self, tests: int, seed: int) -> None:
        # In the first half: after each test there have to be some that take its place.
        self.start = 1 + seed % max(1, (tests + 1) // 2)
        self.calls: list[Recorded] = []
        self._test = 0
        self._looked_up: str | None = None
        self._paths: dict[int, str] = {}
        """Of what was looked up, by its handle: a method of a class, say."""
        self._pending: tuple[str, tuple[Any, ...], dict[str, Any]] | None = None

    def wants(self, test: int, target: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether the call that is about to be made is to be recorded. `test` counts from 1."""
        self._pending = None
        self._looked_up = None
        if target == "getattr" and len(args) == 2 and isinstance(args[0], Name):
            self._looked_up = f"{args[0].path}.{args[1]}"
        if test < self.start or len(self.calls) >= _CALLS or test == self._test:
            return False
        path = self._paths.get(target.id) if isinstance(target, Handle) else None
        if isinstance(target, Name):
            path = target.path
        if path is None or path.startswith("props."):
            return False
        copies = _Copies()
        try:
            given = (path, copies.of(args), copies.of(kwargs))
        except _Unsuited:
            return False
        if not copies.tell:
            return False
        self._pending = given
        return True

    def keep(self, test: int, value: object, program: object, reply: bytes) -> None:
        """A call returned `value`, as it came over the wire."""
        if self._looked_up is not None and isinstance(value, Handle):
            self._paths[value.id] = self._looked_up
        if self._pending is None:
            return
        # As they are now: the suite may go on with these tensors, and change them.
        outputs = [record.tensor.detach().clone() for record in _records_in(value)]
        if program is not None and any(_holds_fractions(tensor) for tensor in outputs):
            path, args, kwargs = self._pending
            self.calls.append(Recorded(test, path, args, kwargs, outputs, program, reply))
            self._test = test
        self._pending = None


class _Copies:
    """Copies of a call's arguments, with the same strides."""

    def __init__(self) -> None:
        self.tell = False
        """Whether one of them can be changed: fractions, and more than one of them."""
        self._storages: set[int] = set()
        self._elements = 0

    def of(self, value: Any) -> Any:
        """The same in memory of its own.

        Raises:
            _Unsuited: it holds something else than plain values and ordinary tensors.
        """
        kind = type(value)
        if isinstance(value, Tensor):
            return self._tensor(value.detach())
        if kind in _PLAIN:
            return value
        if kind is list or kind is tuple:
            return kind(self.of(item) for item in value)
        if kind is dict and all(type(key) is str for key in value):
            return {key: self.of(item) for key, item in value.items()}
        raise _Unsuited

    def _tensor(self, tensor: Tensor) -> Tensor:
        if tensor.layout is not torch.strided or tensor.device.type != "cpu" or _overlaps(tensor):
            raise _Unsuited
        storage = tensor.untyped_storage().data_ptr()
        self._elements += tensor.numel()
        if (storage and storage in self._storages) or self._elements > _ELEMENTS:
            raise _Unsuited
        self._storages.add(storage)
        if len(self._storages) > _TENSORS:
            raise _Unsuited
        self.tell |= _is_variable(tensor)
        return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype).copy_(tensor)


class Replayer:
    """Runs programs again, each in a worker of its own.

    An op that trusts its arguments too far, and is on the list all the same, would open a worker's memory to the
    program; the next student's is not to be found there.
    """

    def __init__(self, open_port: Callable[[], Port], limits: WireLimits) -> None:
        self._open_port = open_port
        self._port: Port | None = None
        self._limits = limits

    def finding(
        self,
        calls: Sequence[Recorded],
        reference: object,
        seed: int,
        forbidden: Forbidden,
        *,
        all_passed: bool,
    ) -> Finding | None:
        """What the first call that tells something tells; None where the ops give the answer.

        Args:
            calls: of tests that passed.
            reference: has the right functions as attributes.
            seed: of the other inputs.
            forbidden: what the exercise asks its students to write themselves.
            all_passed: no test of the exercise failed. Where one did, the ops may honestly be wrong.

        Raises:
            WorkerStartError: there is no worker to be had.
        """
        for call in calls:
            try:
                program = read_program(call.program, len(call.inputs), len(call.outputs), forbidden)
            except ForgedProgram:
                return Finding(kind=DISAGREES, message="what its process reports as its ops is made up")
            if isinstance(program, Undecided):
                return _undecided(program.reason)
            other = _other_inputs(call, reference, seed)
            if other is not None:
                try:
                    return self._compare(call, program, *other, all_passed=all_passed)
                finally:
                    self.close()
        return None

    def _compare(
        self, call: Recorded, program: Program, inputs: list[Tensor], expected: list[Tensor], all_passed: bool
    ) -> Finding | None:
        try:
            same, fresh = self._run(program, [call.inputs, inputs])
        except WorkerLost:
            return _undecided("its ops take too long, or too much memory")
        except _Unsuited:
            return _undecided("its ops cannot be run by themselves")
        if not _all_close(same, call.outputs, _SAME):
            if program.hidden:
                return _undecided("values leave its tensors by another way than ops: numpy, tolist")
            return Finding(
                kind=DISAGREES,
                message="the ops that its process reports do not give what it returned",
            )
        if _all_close(fresh, expected, _RIGHT):
            return None
        if program.reads_out:
            return _undecided(
                "numbers leave its tensors (item, tolist, a condition on a value), and may come back in another "
                "form"
            )
        if not all_passed:
            return _undecided("its ops are wrong for other inputs, as the answer may be")
        return Finding(
            kind=DISAGREES,
            message="its ops do not give the right answer for other inputs of the same shapes: what it returned "
            "comes from elsewhere",
        )

    def _run(self, program: Program, sets: list[list[Tensor]]) -> list[list[Tensor]]:
        """The outputs for each set of inputs.

        Raises:
            WorkerLost: the worker died of it, twice if it was not a new one.
            _Unsuited: an op raised.
        """
        request = ("replay", program.ops, program.outputs, program.constants, sets)
        message = encode(request, views=True, limits=self._limits)
        fresh = self._port is None
        try:
            raw = self._ask(message)
        except WorkerLost:
            if fresh:
                raise
            # It had run others before: their time and memory are not this one's.
            raw = self._ask(message)
        try:
            reply = decode(raw, self._limits)
        except WireError:
            raise _Unsuited from None
        if not (type(reply) is tuple and len(reply) == 2 and type(reply[1]) is list):
            raise _Unsuited
        if len(reply[1]) != len(sets) or not all(type(outputs) is list for outputs in reply[1]):
            raise _Unsuited
        return [[record.tensor for record in _records_in(outputs)] for outputs in reply[1]]

    def _ask(self, message: bytes) -> bytes:
        if self._port is None:
            self._port = self._open_port()
        try:
            return self._port.ask(message)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the worker; another is opened when one is wanted again."""
        if self._port is not None:
            self._port.close()
            self._port = None


def _undecided(reason: str) -> Finding:
    return Finding(kind=UNDECIDED, message=f"whether its ops alone give the answer cannot be told: {reason}")


def _other_inputs(call: Recorded, reference: object, seed: int) -> tuple[list[Tensor], list[Tensor]] | None:
    """Inputs of the same shapes, and the right answers to them; None where none tell anything."""
    function = reference
    for name in call.path.split("."):
        function = getattr(function, name)
    first = _right_answer(function, call.args, call.kwargs)
    if first is None:
        return None
    for scale in _SCALES:
        generator = torch.Generator().manual_seed(seed)
        args, kwargs = _moved(call.args, scale, generator), _moved(call.kwargs, scale, generator)
        # The reference may change its arguments in place: copies for it.
        expected = _right_answer(function, _moved(args, 0.0, generator), _moved(kwargs, 0.0, generator))
        if expected is None or not all(_is_finite(tensor) for tensor in expected):
            continue
        if not _all_close(expected, first, _ANOTHER):
            return list(tensors_in((*args, *kwargs.values()))), expected
    return None


def _right_answer(function: Any, args: Any, kwargs: Any) -> list[Tensor] | None:
    unchanged = torch.Generator()
    try:
        with torch.no_grad():
            result = function(*_moved(args, 0.0, unchanged), **_moved(kwargs, 0.0, unchanged))
            return [tensor.detach().contiguous() for tensor in tensors_in(result)]
    except Exception:
        # It takes exception to these inputs, so the student's code may as well.
        return None


def _moved(value: Any, scale: float, generator: torch.Generator) -> Any:
    """A copy in which each fraction lies up to some spreads away from where it was."""
    if isinstance(value, Tensor):
        moved = value
        if scale and _is_variable(value):
            wide = value.double()
            noise = torch.randn(value.shape, generator=generator, dtype=torch.float64)
            moved = wide + scale * float(wide[wide.isfinite()].std()) * noise
        return torch.empty_strided(value.shape, value.stride(), dtype=value.dtype).copy_(moved)
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(item, scale, generator) for item in value)
    if isinstance(value, dict):
        return {key: _moved(item, scale, generator) for key, item in value.items()}
    return value


def _is_variable(tensor: Tensor) -> bool:
    """Whether it holds fractions, and different ones: whole numbers are classes, masks and counts."""
    if not tensor.is_floating_point():
        return False
    wide = tensor.double()
    finite = wide[wide.isfinite()]
    return finite.numel() > 1 and bool((finite != finite.round()).any()) and float(finite.std()) > 0


def _overlaps(tensor: Tensor) -> bool:
    """Whether two of its elements may share their memory."""
    reach = 0
    for stride, size in sorted(
        (stride, size) for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1
    ):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


def _records_in(value: object) -> Iterator[TensorRecord]:
    if isinstance(value, TensorRecord):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _records_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _records_in(item)


def _holds_fractions(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and tensor.numel() > 0


def _is_finite(tensor: Tensor) -> bool:
    return bool(tensor.isfinite().all())


def _all_close(got: Sequence[Tensor], expected: Sequence[Tensor], slack: float) -> bool:
    return len(got) == len(expected) and all(_close(a, b, slack) for a, b in zip(got, expected, strict=True))


def _close(got: Tensor, expected: Tensor, slack: float) -> bool:
    if got.shape != expected.shape or got.dtype != expected.dtype:
        return False
    if not expected.is_floating_point():
        return torch.equal(got, expected)
    a, b = got.double(), expected.double()
    if expected.element_size() <= 2:
        slack *= _OF_HALVES
    largest = float(b[b.isfinite()].abs().max()) if bool(b.isfinite().any()) else 0.0
    return torch.allclose(a, b, rtol=slack, atol=slack * largest, equal_nan=True)
