"""What the names in a source stand for: `G.softmax`, say, after `from torch.nn import functional as G`.

Names are followed through imports, assignments, `getattr` and the like to dotted names such as
`torch.nn.functional.softmax`. A name that the source gives another meaning, as its own function `softmax` or
a parameter `F`, stands for nothing. Where more than one meaning is possible, all of them count.

This sees what ordinary code does. Nothing is run, so whoever wants to hide a name from it can.
"""

from __future__ import annotations

import ast
import builtins
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from grader.submission.constants import Constants
from grader.submission.scopes import Binding, Source, Use, is_named

__all__ = ["GETTERS", "Names", "attributes_of", "namespace_of"]

_NOTHING: Final[frozenset[str]] = frozenset()

_BUILTINS: Final[frozenset[str]] = frozenset(dir(builtins))

# Bounds on what is followed, each well beyond what people write.
_DEPTH = 24
_MEANINGS = 8
_BINDINGS = 16
_PARTS = 40
_CHARACTERS = 200

_IMPORTERS = frozenset(
    {"builtins.__import__", "importlib.import_module", "importlib.__import__", "sys.modules.get"}
)
_HANDS_BACK = frozenset({"builtins.vars", "functools.partial", "importlib.reload"})
GETTERS: Final = frozenset(
    {
        "builtins.getattr",
        "builtins.object.__getattribute__",
        "builtins.type.__getattribute__",
        "inspect.getattr_static",
        "operator.getitem",
    }
)
"""Functions that look up their second argument on their first."""

_LOOK_UP = frozenset({"get", "pop", "setdefault", "__getitem__"})
_ATTRIBUTE_GETTERS = (".__getattribute__", ".__getattr__")


def attributes_of(node: ast.expr) -> tuple[ast.expr, list[str]]:
    """What a chain of attributes is looked up on, and their names from there outwards."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return node, attributes[::-1]


def namespace_of(node: ast.expr) -> ast.expr | None:
    """What `vars(x)` or `x.__dict__` is the namespace of; None where the node is neither."""
    if isinstance(node, ast.Attribute) and node.attr == "__dict__":
        return node.value
    if isinstance(node, ast.Call) and len(node.args) == 1 and is_named(node.func, ("vars",)):
        return node.args[0]
    return None


class Names:
    """The meanings of the names in a source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stars = tuple(source.stars)[:_MEANINGS]
        self._meanings: dict[Binding, frozenset[str]] = {}
        self._put: dict[str, frozenset[str]] = {}
        self._constants = Constants(self._bindings_of, self._dotted)

    def dotted(self, node: ast.expr, use: Use) -> frozenset[str]:
        """The dotted names an expression can stand for; none where it is unknown, or the source's own."""
        return self._dotted(node, use, _DEPTH)

    def texts(self, node: ast.expr, use: Use) -> tuple[str, ...]:
        """The strings that an expression can make, of any length; none where that is not plain to see."""
        return self._constants.texts(node, use)

    def text(self, node: ast.expr, use: Use) -> str | None:
        """A string, no longer than a name, that an expression makes, where that is plain to see."""
        return next(iter(self._texts(node, use, _DEPTH)), None)

    def handed_in(self, name: str) -> Iterator[tuple[str, int]]:
        """What a name of the module was imported as, where that is what it means in the end, and the line."""
        bindings = self._source.top.bindings.get(name)
        if bindings is None:
            yield from ((f"{module}.{name}", 1) for module in self._stars)
            return
        yield from ((binding.dotted, binding.line) for binding in _last(bindings) if binding.dotted)

    def is_own(self, base: ast.expr, attribute: str, use: Use) -> bool:
        """Whether the source itself put the attribute on what it is looked up on."""
        if isinstance(base, ast.Name) and f"{base.id}.{attribute}" in self._source.set_on:
            return True
        if attribute not in self._source.own_members:
            return False
        if not isinstance(base, ast.Name):
            return self._is_own_instance(base)
        if base.id in ("self", "cls") or base.id in self._source.own_classes:
            return True
        bindings = self._bindings_of(base.id, use) or ()
        return any(binding.value is not None and self._is_own_instance(binding.value) for binding in bindings)

    def _is_own_instance(self, value: ast.expr) -> bool:
        return isinstance(value, ast.Call) and is_named(value.func, {"super", *self._source.own_classes})

    def _dotted(self, node: ast.expr, use: Use, depth: int) -> frozenset[str]:
        if depth <= 0:
            return _NOTHING
        match node:
            case ast.Name():
                return self._name(node.id, use, depth)
            case ast.Attribute():
                return self._attribute(node, use, depth)
            case ast.Call():
                return self._call(node, use, depth)
            case ast.Subscript():
                return self._item(node, use, depth)
            case ast.NamedExpr():
                return self._dotted(node.value, use, depth - 1)
            case ast.IfExp():
                return self._any_of((node.body, node.orelse), use, depth)
            case ast.BoolOp():
                return self._any_of(node.values, use, depth)
        return _NOTHING

    def _any_of(self, nodes: Iterable[ast.expr], use: Use, depth: int) -> frozenset[str]:
        found: frozenset[str] = _NOTHING
        for node in nodes:
            found |= self._dotted(node, use, depth - 1)
            if len(found) >= _MEANINGS:
                break
        return found

    def _name(self, name: str, use: Use, depth: int) -> frozenset[str]:
        bindings = self._bindings_of(name, use)
        if bindings is None:
            # What is no builtin comes from elsewhere, as the names in a text that is run.
            known = {f"builtins.{name}"} if name in _BUILTINS or name.startswith("__") else set()
            return frozenset({*known, *(f"{module}.{name}" for module in self._stars)})
        found: frozenset[str] = _NOTHING
        for binding in bindings:
            found |= self._bound(binding, depth)
            if len(found) >= _MEANINGS:
                break
        return found

    def _bound(self, binding: Binding, depth: int) -> frozenset[str]:
        if binding.dotted:
            return frozenset({binding.dotted})
        if binding.value is None:
            return _NOTHING
        if binding not in self._meanings:
            self._meanings[binding] = _NOTHING  # for whoever comes round in a circle
            self._meanings[binding] = self._dotted(binding.value, binding.where, depth - 1)
        return self._meanings[binding]

    def _attribute(self, node: ast.Attribute, use: Use, depth: int) -> frozenset[str]:
        base, attributes = attributes_of(node)
        if len(attributes) > _PARTS:
            return _NOTHING
        found = self._dotted(base, use, depth - 1)
        for attribute in attributes:
            if not found:
                found = self._put_as(attribute, depth)
            elif attribute != "__dict__":
                found = frozenset(f"{name}.{attribute}" for name in found)
        return found

    def _put_as(self, attribute: str, depth: int) -> frozenset[str]:
        """What was put on any object under this name: `self.F = torch.nn.functional`."""
        if attribute not in self._source.attributes:
            return _NOTHING
        if attribute not in self._put:
            self._put[attribute] = _NOTHING  # for whoever comes round in a circle
            found: frozenset[str] = _NOTHING
            for value, where in self._source.attributes[attribute][:_BINDINGS]:
                found |= self._dotted(value, where, depth - 1)
            self._put[attribute] = found
        return self._put[attribute]

    def _call(self, node: ast.Call, use: Use, depth: int) -> frozenset[str]:
        """A call that only looks something up."""
        if not node.args:
            return _NOTHING
        for function in self._dotted(node.func, use, depth - 1):
            if function in _HANDS_BACK:
                return self._dotted(node.args[0], use, depth - 1)
            if function in _IMPORTERS:
                return self._imported(node, use, depth)
            if function in GETTERS and len(node.args) >= 2:
                return self._below(self._dotted(node.args[0], use, depth - 1), node.args[1], use, depth)
            for getter in _ATTRIBUTE_GETTERS:
                if function.endswith(getter):
                    return self._below({function.removesuffix(getter)}, node.args[-1], use, depth)
            if isinstance(node.func, ast.Attribute) and node.func.attr in _LOOK_UP:
                held = namespace_of(node.func.value)
                if held is not None:
                    return self._below(self._dotted(held, use, depth - 1), node.args[0], use, depth)
        return _NOTHING

    def _imported(self, node: ast.Call, use: Use, depth: int) -> frozenset[str]:
        names = self._texts(node.args[0], use, depth - 1)
        if len(node.args) == 2:  # a package, for a name that begins with a dot
            packages = self._texts(node.args[1], use, depth - 1)
            names = (*names, *(package + name for package in packages for name in names if name[:1] == "."))
        return frozenset(name for name in names if name[:1] != ".")

    def _below(self, bases: Iterable[str], name: ast.expr, use: Use, depth: int) -> frozenset[str]:
        texts = self._texts(name, use, depth - 1)
        return frozenset(f"{base}.{text}" for base in bases for text in texts if text)

    def _item(self, node: ast.Subscript, use: Use, depth: int) -> frozenset[str]:
        held = node.value
        if isinstance(held, ast.Tuple | ast.List):
            return self._any_of(held.elts[:_BINDINGS], use, depth)
        if isinstance(held, ast.Dict):
            return self._any_of(held.values[:_BINDINGS], use, depth)
        texts = self._texts(node.slice, use, depth - 1)
        if not texts:
            return _NOTHING
        is_namespace = isinstance(held, ast.Attribute) and held.attr == "__dict__"
        if isinstance(held, ast.Call):
            if not held.args and is_named(held.func, ("globals", "locals", "vars")):
                return frozenset(name for text in texts for name in self._name(text, use, depth - 1))
            is_namespace = True
        found = self._dotted(held, use, depth - 1)
        if "sys.modules" in found:
            return frozenset(texts)
        if "builtins.__builtins__" in found:
            return frozenset(f"builtins.{text}" for text in texts)
        return frozenset(f"{base}.{text}" for base in found for text in texts) if is_namespace else _NOTHING

    def _bindings_of(self, name: str, use: Use) -> list[Binding] | None:
        """The bindings of a name that may hold where it is used; None where the source does not bind it."""
        scope = use.scope
        bindings = scope.bindings.get(name, [])
        is_function = scope.parent is not None and not scope.is_class
        if bindings:
            before = bisect_left(bindings, use.position, key=lambda binding: binding.where.position)
            if before and not use.in_loop:
                return _last(bindings, before)
            if use.in_loop or is_function:
                return _last(bindings)
        while scope.parent is not None:
            scope = scope.parent
            bindings = scope.bindings.get(name, [])
            if bindings and not scope.is_class:
                return _last(bindings)
        return None

    def _texts(self, node: ast.expr, use: Use, depth: int) -> tuple[str, ...]:
        texts = self._constants.texts(node, use, depth)
        return tuple(text for text in texts if len(text) <= _CHARACTERS)


def _last(bindings: list[Binding], end: int | None = None) -> list[Binding]:
    """The last ones before the end, back to one that is certain: what was before it no longer counts."""
    end = len(bindings) if end is None else end
    found: list[Binding] = []
    for binding in reversed(bindings[max(0, end - _BINDINGS) : end]):
        found.append(binding)
        if binding.certain:
            break
    return found
