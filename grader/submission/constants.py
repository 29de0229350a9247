"""What an expression comes to, where it hangs on nothing but what stands in the source: `"soft" + "max"`.

A small interpreter of string work, since names are put together in many ways before they are looked up. It
knows pure operations only, and bounds on all of them: what is beyond it is simply not known. Where a name may
hold one value or another, both are followed.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from grader.submission.scopes import Binding, Use

__all__ = ["Constants"]

_DEPTH = 24
_DEPTH_BELOW_A_NAME = 8
_STEPS = 400
_STEPS_OF_ALL = 60_000
_ALTERNATIVES = 8
_LENGTH = 4000
_ITEMS = 128
_INTEGER = 1 << 32

_METHODS: Final = frozenset(
    """
    join lower upper strip lstrip rstrip casefold swapcase title capitalize replace split rsplit removeprefix
    removesuffix encode decode format keys values get
    """.split()  # noqa: SIM905  names read better as words than as a quoted list
)
_CODECS: Final = frozenset({"utf-8", "utf8", "ascii", "latin-1", "latin1", "rot13", "rot_13", "hex"})
# A width in a format would make much out of little.
_PLAIN_PERCENT: Final = re.compile(r"(?:[^%]|%[sdcrx%])*", re.DOTALL)
_PLAIN_BRACES: Final = re.compile(r"(?:[^{}]|\{\w{0,20}\})*", re.DOTALL)

Bindings = Callable[[str, Use], list[Binding] | None]
Dotted = Callable[[ast.expr, Use, int], frozenset[str]]


class Constants:
    """The values of expressions in a source.

    Args:
        bindings: the places that give a name its meaning, where it is used.
        dotted: what a function is called, so far as that is known.
    """

    def __init__(self, bindings: Bindings, dotted: Dotted) -> None:
        self._bindings = bindings
        self._dotted = dotted
        self._steps = 0
        self._steps_of_all = _STEPS_OF_ALL
        self._busy = False
        self._found: dict[ast.expr, tuple[str, ...]] = {}

    def texts(self, node: ast.expr, use: Use, depth: int = _DEPTH) -> tuple[str, ...]:
        """The strings that an expression can make."""
        if isinstance(node, ast.Constant):
            return (node.value,) if isinstance(node.value, str) else ()
        if self._busy:
            return _strings(self._values(node, use, depth, {}))
        if node not in self._found:
            self._steps = min(_STEPS, self._steps_of_all)
            before, self._busy = self._steps, True
            try:
                self._found[node] = _strings(self._values(node, use, depth, {}))
            finally:
                self._busy = False
                self._steps_of_all -= before - self._steps
        return self._found[node]

    def _values(self, node: ast.AST, use: Use, depth: int, known: Mapping[str, Any]) -> list[Any]:
        self._steps -= 1
        if depth <= 0 or self._steps <= 0:
            return []
        try:
            found = self._evaluate(node, use, depth - 1, known)
            return [value for value in found if _is_small(value)][:_ALTERNATIVES]
        except (ValueError, TypeError, IndexError, KeyError, OverflowError, LookupError, MemoryError):
            return []

    def _one(self, node: ast.AST | None, use: Use, depth: int, known: Mapping[str, Any]) -> Any:
        """The value where there is to be one.

        Raises:
            ValueError: it is not known.
        """
        found = [] if node is None else self._values(node, use, depth, known)
        if not found:
            raise ValueError
        return found[0]

    def _evaluate(self, node: ast.AST, use: Use, depth: int, known: Mapping[str, Any]) -> Iterable[Any]:
        match node:
            case ast.Constant(value=str() | bytes() | int() as constant):
                return [constant]
            case ast.Name():
                return self._named(node.id, use, depth, known)
            case ast.NamedExpr():
                return self._values(node.value, use, depth, known)
            case ast.IfExp():
                return [
                    *self._values(node.body, use, depth, known),
                    *self._values(node.orelse, use, depth, known),
                ]
            case ast.BoolOp():
                return [value for part in node.values for value in self._values(part, use, depth, known)]
            case ast.Tuple() | ast.List() | ast.Set():
                return [tuple(self._one(item, use, depth, known) for item in node.elts[:_ITEMS])]
            case ast.Dict():
                keys = [self._one(key, use, depth, known) for key in node.keys[:_ITEMS]]
                values = [self._one(value, use, depth, known) for value in node.values[:_ITEMS]]
                return [dict(zip(keys, values, strict=True))]
            case ast.JoinedStr():
                return ["".join(str(self._one(part, use, depth, known)) for part in node.values[:_ITEMS])]
            case ast.FormattedValue(conversion=-1, format_spec=None):
                return self._values(node.value, use, depth, known)
            case ast.UnaryOp(op=ast.USub()):
                return [-self._one(node.operand, use, depth, known)]
            case ast.BinOp():
                lefts = self._values(node.left, use, depth, known)
                rights = self._values(node.right, use, depth, known)
                return [_combined(node.op, left, right) for left in lefts for right in rights]
            case ast.Subscript():
                held = self._values(node.value, use, depth, known)
                if isinstance(node.slice, ast.Slice):
                    ends = (node.slice.lower, node.slice.upper, node.slice.step)
                    cut = slice(*(end and self._one(end, use, depth, known) for end in ends))
                    return [value[cut] for value in held]
                return [value[self._one(node.slice, use, depth, known)] for value in held]
            case ast.GeneratorExp(generators=[each]) | ast.ListComp(generators=[each]):
                return [self._each(node.elt, each, use, depth, known)]
            case ast.Call(keywords=[]):
                return [self._called(node, use, depth, known)]
        return []

    def _named(self, name: str, use: Use, depth: int, known: Mapping[str, Any]) -> list[Any]:
        if name in known:
            return [known[name]]
        found: list[Any] = []
        for binding in self._bindings(name, use) or ():
            if binding.value is not None:
                found += self._values(binding.value, binding.where, min(depth, _DEPTH_BELOW_A_NAME), {})
        return found

    def _each(
        self, item: ast.expr, each: ast.comprehension, use: Use, depth: int, known: Mapping[str, Any]
    ) -> tuple[Any, ...]:
        """A comprehension over what is known."""
        if not isinstance(each.target, ast.Name) or each.ifs:
            raise ValueError
        over = self._one(each.iter, use, depth, known)
        return tuple(
            self._one(item, use, depth, {**known, each.target.id: value}) for value in tuple(over)[:_ITEMS]
        )

    def _called(self, node: ast.Call, use: Use, depth: int, known: Mapping[str, Any]) -> Any:
        function = node.func
        for name in self._dotted(function, use, min(depth, _DEPTH_BELOW_A_NAME)):
            if name == "builtins.map" and len(node.args) == 2:
                over = self._one(node.args[1], use, depth, known)
                each = [_FUNCTIONS[dotted] for dotted in self._dotted(node.args[0], use, depth)]
                return tuple(each[0](value) for value in tuple(over)[:_ITEMS])
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](*(self._one(given, use, depth, known) for given in node.args[:4]))
        if isinstance(function, ast.Attribute) and function.attr in _METHODS:
            held = self._one(function.value, use, depth, known)
            given = [self._one(argument, use, depth, known) for argument in node.args[:8]]
            return _method(held, function.attr, given)
        raise ValueError


def _strings(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str)))


def _is_small(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < _INTEGER
    return isinstance(value, (str, bytes, tuple, dict)) and len(value) <= _LENGTH


def _combined(operator: ast.operator, left: Any, right: Any) -> Any:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.BitXor():
            return left ^ right
        case ast.Mult():
            size = len(left) if isinstance(left, (str, bytes, tuple)) else 1
            if isinstance(right, int) and 0 <= size * right <= _LENGTH:
                return left * right
        case ast.Mod() if isinstance(left, int) or _PLAIN_PERCENT.fullmatch(left):
            return left % right
    raise ValueError


def _method(held: Any, name: str, given: list[Any]) -> Any:
    if name in ("encode", "decode"):
        return (
            codecs.encode(held, *_codec(given)) if name == "encode" else codecs.decode(held, *_codec(given))
        )
    if name == "format" and not (isinstance(held, str) and _PLAIN_BRACES.fullmatch(held)):
        raise ValueError
    if name == "replace" and len(given) == 2 and len(held) * len(given[1]) > 100 * _LENGTH:
        raise ValueError
    if not isinstance(held, dict if name in ("keys", "values", "get") else (str, bytes)):
        raise TypeError
    found = getattr(held, name)(*given)
    return found if isinstance(found, (str, bytes, int)) else tuple(found)


def _codec(given: list[Any]) -> list[str]:
    if given and given[0] not in _CODECS:
        raise ValueError
    return given[:1]


def _decoded(held: Any, *codec: Any) -> Any:
    return codecs.decode(held, *_codec(list(codec)))


def _as_text(held: Any, *codec: Any) -> str:
    return str(_decoded(held, *codec)) if codec else str(held)


def _as_bytes(held: Any, *codec: Any) -> bytes:
    if isinstance(held, int):
        raise TypeError
    return bytes(held, *_codec(list(codec)))


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "builtins.chr": chr,
    "builtins.ord": ord,
    "builtins.int": int,
    "builtins.str": _as_text,
    "builtins.bytes": _as_bytes,
    "builtins.bytearray": _as_bytes,
    "builtins.tuple": tuple,
    "builtins.list": tuple,
    "builtins.iter": tuple,
    "builtins.next": lambda values: next(iter(values)),
    "builtins.reversed": lambda values: tuple(reversed(values)),
    "builtins.dict": dict,
    "builtins.str.join": lambda between, parts: _method(between, "join", [parts]),
    "builtins.bytes.fromhex": bytes.fromhex,
    "base64.b64decode": base64.b64decode,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "binascii.unhexlify": binascii.unhexlify,
    "codecs.decode": _decoded,
    "codecs.encode": lambda held, *codec: codecs.encode(held, *_codec(list(codec))),
}
