"""`agree`: the student's function and the reference's do the same, gradients and side effects included."""

from __future__ import annotations

import inspect
import math
import types
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from grader.examiner.context import current
from grader.examiner.student import Remote, RemoteHandle, origin_of
from grader.examiner.tolerance import PYTHON_FLOAT, tolerance_of


class Mismatch(AssertionError):
    """The student's answer is not the reference's. Its text is shown to the student."""

    def __init__(self, text: str, *, call: str = "", got: object = None, expected: object = None) -> None:
        super().__init__(text)
        self.text = text
        self.call = call
        """The call, with shapes and dtypes in place of values."""
        self.got = got
        self.expected = expected


def agree(
    f: Callable[..., Any],
    g: Callable[..., Any],
    *,
    gradients: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
) -> Callable[..., Any]:
    """A function that calls `f` (the student's) and `g` (the reference's) and compares all they do.

    Each gets its own copy of the arguments: tensors keep requires_grad, leaf or not, strides, shared
    storage and `.grad`. Compared are: structure and Python types; shape, dtype, device and requires_grad of
    tensors; values; the gradients of all arguments for one random cotangent for each output; what became of
    the arguments (tensors, their `.grad`, lists and dicts).

    Args:
        f: the student's function, or a scenario over her names.
        g: the reference's.
        gradients: False leaves the gradients out.
        rtol: relative tolerance; both or neither. Without them the dtype's entry in torch.testing's table.
        atol: absolute tolerance.

    Returns:
        The checking function. It returns what the student's function returned, and raises `Mismatch`.
    """

    def check(*args: Any, **kwargs: Any) -> Any:
        return _Agreement(f, g, gradients, rtol, atol, args, kwargs).check()

    return check


_PLAIN = (type(None), bool, int, float, str, torch.dtype, torch.device)


class _Agreement:
    def __init__(
        self,
        f: Callable[..., Any],
        g: Callable[..., Any],
        gradients: bool,
        rtol: float | None,
        atol: float | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self.f = f
        self.g = g
        self.gradients = gradients
        self.rtol = rtol
        self.atol = atol
        self.args = args
        self.kwargs = kwargs
        self.has_tensors = False
        self.has_gradients = True

    def check(self) -> Any:
        known = self.known_expectation()
        theirs = _Copies()
        their_args, their_kwargs = theirs.copy(self.args), theirs.copy(self.kwargs)
        self.has_tensors = bool(theirs.tensors)
        asking = [tensor for tensor in theirs.tensors if tensor.requires_grad]
        # Where what asks for a gradient has no elements, there is none to lose.
        self.has_gradients = not asking or any(tensor.numel() for tensor in asking)
        if isinstance(self.f, Remote):
            self.f._conversation.prefetch = known.cotangents if known.wanted else None
        got = self.f(*their_args, **their_kwargs)
        self.compare(got, known.result, "the result")
        if known.wanted:
            self.compare_gradients(
                _gradients(list(_tensors_like(got, known.result)), theirs.sources, known.cotangents),
                known.gradients,
            )
        self.compare_arguments((their_args, their_kwargs), known.arguments, theirs, known.copies)
        return got

    def known_expectation(self) -> _Expectation:
        """What the reference does with these arguments; computed once for all submissions of a run."""
        context = current()
        seed = context.next_comparison()
        if not _lasts(self.g):
            return self.expectation(seed)
        key = (self.g, seed, self.gradients)
        found = context.known.get(key)
        # What a suite passes on may come from the student's own results: then it is not the same each time.
        if isinstance(found, _Expectation) and _alike((self.args, self.kwargs), found.given):
            return found
        context.known[key] = expectation = self.expectation(seed)
        return expectation

    def expectation(self, seed: int) -> _Expectation:
        copies = _Copies()
        args, kwargs = copies.copy(self.args), copies.copy(self.kwargs)
        result = self.g(*args, **kwargs)
        tensors = list(tensors_in(result))
        cotangents = self.cotangents(tensors, copies, seed)
        wanted = any(cotangent is not None for cotangent in cotangents)
        gradients = _gradients(tensors, copies.sources, cotangents) if wanted else []
        given = (self.args, self.kwargs)
        return _Expectation(result, cotangents, wanted, gradients, given, (args, kwargs), copies)

    def cotangents(self, outputs: list[Tensor], copies: _Copies, seed: int) -> list[Tensor | None]:
        if not self.gradients:
            return [None] * len(outputs)
        generator = torch.Generator().manual_seed(seed)
        # An argument handed back as it came is followed through one call, not through objects that held it.
        direct = isinstance(self.f, Remote)
        return [
            torch.randn(output.shape, generator=generator, dtype=output.dtype)
            if output.requires_grad and (output.grad_fn is not None or (direct and copies.holds(output)))
            else None
            for output in outputs
        ]

    # -- comparing --------------------------------------------------------------------------------

    def fail(self, text: str, got: object = None, expected: object = None) -> Mismatch:
        return Mismatch(text, call=self.describe_call(), got=got, expected=expected)

    def compare(self, got: Any, expected: Any, where: str) -> None:
        if isinstance(expected, Tensor):
            self.compare_tensor(got, expected, where)
        elif isinstance(expected, dict):
            if not isinstance(got, dict):
                raise self.fail(f"{where} is {_a(got)}, and a dict is expected", got, expected)
            if difference := _keys_apart(got, expected):
                raise self.fail(f"{where}, a dict, {difference}", got, expected)
            for key in expected:
                self.compare(got[key], expected[key], f"{where}[{_short(key)}]")
        elif _is_sequence(expected):
            self.compare_length(got, expected, where)
            for n, (item, wanted) in enumerate(zip(got, expected, strict=True)):
                self.compare(item, wanted, f"item {n} of {where}")
        else:
            self.compare_plain(got, expected, where)

    def compare_length(self, got: Any, expected: list[Any] | tuple[Any, ...], where: str) -> None:
        kind = list if isinstance(expected, list) else tuple
        if not isinstance(got, kind):
            raise self.fail(f"{where} is {_a(got)}, and a {kind.__name__} is expected", got, expected)
        if len(got) != len(expected):
            raise self.fail(f"{where} has length {len(got)}, and {len(expected)} is expected", got, expected)

    def compare_plain(self, got: Any, expected: Any, where: str) -> None:
        if not isinstance(expected, _PLAIN):
            # An object that stays on its side: all that can be said is that the other is one as well.
            if not isinstance(got, RemoteHandle):
                raise self.fail(f"{where} is {_a(got)}, and {_a(expected)} is expected", got, expected)
            return
        if not _of_one_type(got, expected):
            raise self.fail(f"{where} is {_a(got)}, and {_a(expected)} is expected", got, expected)
        if isinstance(expected, float):
            rtol = PYTHON_FLOAT.relative if self.rtol is None else self.rtol
            atol = PYTHON_FLOAT.absolute if self.atol is None else self.atol
            if not (
                math.isclose(got, expected, rel_tol=rtol, abs_tol=atol)
                or (math.isnan(got) and math.isnan(expected))
            ):
                raise self.fail(f"{where} is {got:.6g}, and {expected:.6g} is expected", got, expected)
        elif isinstance(expected, torch.device):
            if got.type != expected.type:
                raise self.fail(f"{where} is {got}, and {expected} is expected", got, expected)
        elif got != expected:
            raise self.fail(f"{where} is {_short(got)}, and {_short(expected)} is expected", got, expected)

    def compare_tensor(self, got: Any, expected: Tensor, where: str, of_gradient: bool = False) -> None:
        if not isinstance(got, Tensor):
            raise self.fail(f"{where} is {_a(got)}, and a tensor is expected", got, expected)
        if got.shape != expected.shape:
            raise self.fail(
                f"{where} has shape {tuple(got.shape)}, and {tuple(expected.shape)} is expected",
                got,
                expected,
            )
        if got.dtype != expected.dtype:
            raise self.fail(f"{where} has dtype {got.dtype}, and {expected.dtype} is expected", got, expected)
        origin = origin_of(got)
        # A call without a tensor has no device to keep.
        if origin is not None and self.has_tensors:
            device = current().device
            if origin.device.partition(":")[0] != device:
                raise self.fail(
                    f"{where} is on {origin.device}, and its inputs are on {device}: where do you make a new "
                    "tensor without saying `device=`?"
                )
        self.compare_values(got.detach(), expected.detach(), where)
        if not of_gradient and got.requires_grad != expected.requires_grad and self.has_gradients:
            if expected.requires_grad:
                text = (
                    f"{where} carries no gradient (requires_grad is False): its values are right, and "
                    "something cuts the graph: detach, .item(), .data, no_grad, or a tensor made from numbers"
                )
            else:
                text = f"{where} still hangs on a graph (requires_grad is True), and it should not"
            raise self.fail(text, got, expected)

    def compare_values(self, got: Tensor, expected: Tensor, where: str) -> None:
        if torch.equal(got, expected):
            return
        bound = tolerance_of(expected.dtype, self.rtol, self.atol)
        exact = not (expected.is_floating_point() or expected.is_complex())
        wrong = (
            got != expected
            if exact
            else ~torch.isclose(got, expected, rtol=bound.relative, atol=bound.absolute, equal_nan=True)
        )
        count = int(wrong.sum())
        if not count:
            return
        total = expected.numel()
        unfinished = wrong & expected.isfinite() & ~got.isfinite() if not exact else None
        if unfinished is not None and bool(unfinished.any()):
            index = _first(unfinished)
            raise self.fail(
                f"{where} is {got[index].item()} at {_at(index)}, where {_show(expected[index])} is expected: "
                f"{int(unfinished.sum())} of {total} elements are not finite. Does something overflow, or is 0 "
                "divided by 0?",
                got,
                expected,
            )
        wide = torch.complex128 if expected.is_complex() else torch.float64
        distance = (got.to(wide) - expected.to(wide)).abs().nan_to_num(math.inf, math.inf)
        distance = torch.where(wrong, distance, torch.zeros_like(distance))
        flat = int(distance.flatten().argmax())
        index = tuple(int(i) for i in torch.unravel_index(torch.tensor(flat), expected.shape))
        raise self.fail(
            f"{where} differs in {count} of {total} {'element' if total == 1 else 'elements'}; the largest "
            f"difference is {distance[index].item():.3g} at {_at(index)}: got {_show(got[index])}, expected "
            f"{_show(expected[index])}",
            got,
            expected,
        )

    def compare_gradients(self, got: list[Tensor | None], expected: list[Tensor | None]) -> None:
        for n, (theirs, ours) in enumerate(zip(got, expected, strict=True)):
            if theirs is ours or (theirs is not None and ours is not None and torch.equal(theirs, ours)):
                continue
            name = self.argument_name(n)
            where = f"the gradient of {name}"
            if theirs is None:
                assert ours is not None
                if not bool(ours.count_nonzero()):
                    continue
                raise self.fail(
                    f"{where} is missing: the values are right, but the result does not depend on {name} in "
                    "the graph",
                    None,
                    ours,
                )
            self.compare_tensor(
                theirs, torch.zeros_like(theirs) if ours is None else ours, where, of_gradient=True
            )

    def compare_arguments(self, theirs: Any, ours: Any, their_copies: _Copies, our_copies: _Copies) -> None:
        pairs = zip(
            their_copies.tensors, our_copies.tensors, our_copies.originals, our_copies.versions, strict=True
        )
        for n, (their, our, original, version) in enumerate(pairs):
            if _untouched(their, our):
                continue
            name = self.argument_name(n)
            changed_by_reference = our._version != version or not _same_values(our, original)
            where = (
                f"{name} after the call" if changed_by_reference else f"{name}, which must not be changed,"
            )
            if their.shape != our.shape:
                raise self.fail(f"{where} has shape {tuple(their.shape)}, and {tuple(our.shape)} is expected")
            if their.dtype != our.dtype:
                raise self.fail(f"{where} has dtype {their.dtype}, and {our.dtype} is expected")
            self.compare_values(their.detach(), our.detach(), where)
            if their.requires_grad != our.requires_grad:
                raise self.fail(
                    f"{name} is changed: its requires_grad is {their.requires_grad} after the call, and "
                    f"{our.requires_grad} is expected"
                )
            if not our.is_leaf:
                continue
            their_grad, our_grad = their.grad, our.grad
            if our_grad is None or their_grad is None:
                if our_grad is not their_grad:
                    state = "is None" if their_grad is None else "is set"
                    raise self.fail(f"the .grad of {name} {state} after the call, and it should not be")
                continue
            self.compare_tensor(their_grad, our_grad, f"the .grad of {name} after the call", of_gradient=True)
        if any(isinstance(value, (list, tuple, dict)) for value in (*self.args, *self.kwargs.values())):
            places = (their_copies.places(), our_copies.places())
            after = zip(self.by_name(*theirs).items(), self.by_name(*ours).values(), strict=True)
            for (name, their_value), our_value in after:
                self.compare_containers(their_value, our_value, name, places)

    def compare_containers(
        self, got: Any, expected: Any, name: str, places: tuple[dict[int, int], dict[int, int]]
    ) -> None:
        """Lists and dicts among the arguments. The tensors that stayed in them were compared already."""
        where = f"{name} after the call"
        if isinstance(expected, Tensor):
            stays = places[1].get(id(expected))
            if stays is None or not isinstance(got, Tensor):
                self.compare_tensor(got, expected, where, of_gradient=True)
            elif places[0].get(id(got)) != stays:
                raise self.fail(
                    f"{name} is replaced by another tensor: the caller still holds the old one, so change it in "
                    "place"
                )
        elif isinstance(expected, dict):
            if not isinstance(got, dict):
                raise self.fail(f"{where} is {_a(got)}, and a dict is expected")
            if difference := _keys_apart(got, expected):
                raise self.fail(f"{where} {difference}")
            for key in expected:
                self.compare_containers(got[key], expected[key], f"{name}[{_short(key)}]", places)
        elif _is_sequence(expected):
            self.compare_length(got, expected, where)
            for n, (item, wanted) in enumerate(zip(got, expected, strict=True)):
                self.compare_containers(item, wanted, f"{name}[{n}]", places)
        elif not isinstance(expected, Remote):
            self.compare_plain(got, expected, where)

    # -- naming ------------------------------------------------------------------------------------

    def argument_name(self, number: int) -> str:
        """What to call the n-th tensor among the arguments."""
        names = self.argument_names()
        return names[number] if number < len(names) else f"argument {number + 1}"

    def argument_names(self) -> list[str]:
        """A name for each tensor among the arguments, in order of appearance."""
        names: list[str] = []
        for name, value in self.by_name(self.args, self.kwargs).items():
            _name_tensors(value, name, names)
        return names

    def by_name(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments in the order of the call, by the names that the reference has for them."""
        try:
            found = inspect.signature(self.g).bind_partial(*args).arguments
            named = {f"`{name}`": value for name, value in found.items()}
        except (TypeError, ValueError):
            named = {f"argument {n + 1}": value for n, value in enumerate(args)}
        return named | {f"`{name}`": value for name, value in kwargs.items()}

    def describe_call(self) -> str:
        name = repr(self.f) if isinstance(self.f, Remote) else getattr(self.f, "__name__", "")
        inside = [_describe(value) for value in self.args]
        inside += [f"{key}={_describe(value)}" for key, value in self.kwargs.items()]
        return f"{name}({', '.join(inside)})" if name else ""


@dataclass(frozen=True)
class _Expectation:
    """What the reference did with some arguments."""

    result: Any
    cotangents: list[Tensor | None]
    wanted: bool
    """Whether there are gradients to compare."""
    gradients: list[Tensor | None]
    given: tuple[Any, Any]
    """The arguments."""
    arguments: tuple[Any, Any]
    """As they are after the call."""
    copies: _Copies


class _Copies:
    """Copies of arguments; tensors that share storage share it in the copy as well."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.sources: list[Tensor] = []
        """Where a gradient arrives: the copy, or the leaf under a copy that is none."""
        self.originals: list[Tensor] = []
        self.versions: list[int] = []
        self._storages: dict[int, torch.UntypedStorage] = {}
        self._kept: list[Tensor] = []

    def places(self) -> dict[int, int]:
        """Which argument a copy is, by its identity."""
        return {id(tensor): n for n, tensor in enumerate(self.tensors)}

    def holds(self, tensor: Tensor) -> bool:
        """Whether a tensor is one of the copies: the same object."""
        return any(tensor is copy for copy in self.tensors)

    def copy(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.copy_tensor(value)
        kind = type(value)
        if kind in (list, tuple):
            return kind([self.copy(item) for item in value])
        if kind is dict or kind is OrderedDict:
            return {key: self.copy(item) for key, item in value.items()}
        return value

    def copy_tensor(self, tensor: Tensor) -> Tensor:
        plain = tensor.detach()
        if plain.is_conj() or plain.is_neg():
            plain = plain.resolve_conj().resolve_neg()
            # Its storage has no other owner, and an address names a storage only while that is alive.
            self._kept.append(plain)
        storage = plain.untyped_storage()
        address = storage.data_ptr()
        copied = self._storages.get(address)
        if copied is None:
            copied = self._storages[address] = storage.clone()  # type: ignore[no-untyped-call]  # torch's
        source = torch.empty(0, dtype=plain.dtype).set_(
            copied, plain.storage_offset(), plain.shape, plain.stride()
        )
        copy = source
        if tensor.requires_grad:
            source.requires_grad_()
            if not tensor.is_leaf:
                copy = source.clone()
        if tensor.is_leaf and tensor.grad is not None:
            source.grad = tensor.grad.clone()
        self.tensors.append(copy)
        self.sources.append(source)
        self.originals.append(tensor)
        self.versions.append(copy._version)
        return copy


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors of a nest of lists, tuples and dicts, in order."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors_in(item)
    elif _is_sequence(value):
        for item in value:
            yield from tensors_in(item)


def _tensors_like(got: Any, expected: Any) -> Iterator[Tensor]:
    """The tensors of a nest in the order of its like, whose dicts may have their keys in another order."""
    if isinstance(expected, Tensor):
        yield got
    elif isinstance(expected, dict):
        for key, item in expected.items():
            yield from _tensors_like(got[key], item)
    elif _is_sequence(expected):
        for item, like in zip(got, expected, strict=True):
            yield from _tensors_like(item, like)


def _is_sequence(value: object) -> bool:
    """Whether a value is read item by item: a named tuple stays on its side, as other objects do."""
    return isinstance(value, (list, tuple)) and not hasattr(value, "_fields")


def _keys_apart(got: dict[Any, Any], expected: dict[Any, Any]) -> str:
    """How the keys of two dicts differ; empty where they do not, whatever their order."""
    lacking = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    parts = [f"lacks {_some(lacking)}"] if lacking else []
    if extra:
        parts.append(f"has {_some(extra)} too many")
    return " and ".join(parts)


def _gradients(
    outputs: list[Tensor], sources: list[Tensor], cotangents: list[Tensor | None]
) -> list[Tensor | None]:
    roots = [
        (output, cotangent)
        for output, cotangent in zip(outputs, cotangents, strict=True)
        if cotangent is not None and output.requires_grad
    ]
    leaves = [source for source in sources if source.requires_grad]
    if not leaves or not roots:
        return [None] * len(sources)
    found = iter(
        torch.autograd.grad(
            [output for output, _ in roots],
            leaves,
            [cotangent for _, cotangent in roots],
            allow_unused=True,
            retain_graph=True,
        )
    )
    return [next(found) if source.requires_grad else None for source in sources]


def _lasts(g: Any) -> bool:
    """Whether a function is the same one in each run: the reference's, not one that a suite makes."""
    if isinstance(g, types.FunctionType):
        return g.__module__.startswith("reference_") and "<locals>" not in g.__qualname__
    # `apply` of an autograd function.
    return isinstance(g, types.BuiltinMethodType) and isinstance(g.__self__, type)


def _alike(a: Any, b: Any) -> bool:
    """Whether two nests of arguments are the same in all that a function can tell."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, Tensor):
        return (
            a.dtype == b.dtype
            and a.shape == b.shape
            and a.stride() == b.stride()
            and a.requires_grad == b.requires_grad
            and a.is_leaf == b.is_leaf
            and torch.equal(a, b)
            and (not a.is_leaf or _alike(a.grad, b.grad))
        )
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_alike(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return list(a) == list(b) and all(_alike(a[key], b[key]) for key in a)
    return isinstance(a, _PLAIN) and bool(a == b)


def _of_one_type(a: object, b: object) -> bool:
    """Exactly: True is no 1 here, and 3.0 no 3."""
    return type(a) is type(b)


def _untouched(their: Tensor, our: Tensor) -> bool:
    """Whether two copies of an argument are alike, in the case that is by far the most common."""
    return (
        their.requires_grad == our.requires_grad
        and their.shape == our.shape
        and their.dtype == our.dtype
        and torch.equal(their.detach(), our.detach())
        and (not our.is_leaf or (their.grad is None and our.grad is None))
    )


def _same_values(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.equal(a, b)


def _first(mask: Tensor) -> tuple[int, ...]:
    return tuple(int(i) for i in mask.nonzero()[0])


def _at(index: tuple[int, ...]) -> str:
    return f"index {index if len(index) != 1 else index[0]}" if index else "its only element"


def _show(element: Tensor) -> str:
    value = element.item()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


_LONGEST = 80


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _some(keys: list[Any]) -> str:
    return ", ".join(_short(key) for key in keys[:4]) + (", ..." if len(keys) > 4 else "")


def _a(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, RemoteHandle):
        name = value.type_name[:_LONGEST]
        if name in ("Tensor", "Parameter"):
            return "a tensor that is not dense (sparse, quantised, or on the meta device)"
    else:
        name = type(value).__name__
    article = "an" if name[:1].lower() in "aeiou" else "a"
    shown = f" ({_short(value)})" if isinstance(value, (bool, int, float, str)) else ""
    return f"{article} {name}{shown}"


def _describe(value: Any) -> str:
    if isinstance(value, Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{kind}{list(value.shape)}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(_describe(item) for item in value[:4]) + (", ..." if len(value) > 4 else "")
        return f"[{inside}]" if isinstance(value, list) else f"({inside})"
    if isinstance(value, dict):
        return "{...}"
    return _short(value)


def _name_tensors(value: Any, name: str, names: list[str]) -> None:
    if isinstance(value, Tensor):
        names.append(name)
    elif isinstance(value, dict):
        for key, item in value.items():
            _name_tensors(item, f"{name}[{key!r}]", names)
    elif isinstance(value, (list, tuple)):
        for n, item in enumerate(value):
            _name_tensors(item, f"{name}[{n}]", names)
