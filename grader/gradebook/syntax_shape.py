"""What an answer says once everything is gone that could be changed without changing what is computed.

Comments, docstrings, annotations, blanks, the order of helpers and what the exercise's names do not use are gone;
names that the student chose are numbered as they come; what is imported goes by its dotted name. Literals, operators,
attributes and the order of statements stay.
"""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Shape", "shape_of"]

_DEFINITIONS: Final = frozenset({ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef})
_COMPREHENSIONS: Final[tuple[type[ast.AST], ...]] = (
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
)
_LEAVES: Final = frozenset({ast.Constant, ast.Pass, ast.Break, ast.Continue})
_GONE: Final = frozenset(
    {"ctx", "kind", "type_comment", "type_ignores", "type_params", "annotation", "returns", "simple"}
)
_FIELDS: Final = {
    kind: tuple(field for field in kind._fields if field not in _GONE)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST)
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A syntax tree as a hash, and how many nodes it has."""

    digest: bytes
    nodes: int


def shape_of(source: str, names: Sequence[str]) -> Shape | None:
    """The shape of an answer's definitions of an exercise's names, and of all that they use.

    Args:
        source: a module.
        names: what the exercise asks for.

    Returns:
        None where the source is no Python, defines none of the names, or is nested too deeply to be looked at.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on a student's "\\d", say
            tree = ast.parse(source.removeprefix("\ufeff"))
        writer = _Writer(dict(_bindings(tree.body)), names)
        writer.module()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # What the parser makes of a submission that is no Python, and `repr` of a number with too many digits.
        return None
    if not writer.nodes:
        return None
    return Shape(
        hashlib.sha256("\n".join(writer.words).encode("utf-8", "surrogatepass")).digest(), writer.nodes
    )


def _bindings(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.AST | str]]:
    """What the names of a module are bound to: a definition, or the dotted name of what is imported."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node
            case ast.Import(names=aliases):
                for alias in aliases:
                    name = alias.asname or alias.name.partition(".")[0]
                    yield name, alias.name if alias.asname else name
            case ast.ImportFrom(names=aliases, module=module):
                for alias in aliases:
                    yield alias.asname or alias.name, f"{'.' * node.level}{module or ''}.{alias.name}"
            case ast.Assign(targets=targets):
                for name in _scope(targets).stored:
                    yield name, node
            case ast.AnnAssign(target=target, value=value) if value is not None:
                for name in _scope([target]).stored:
                    yield name, node
            case ast.If(body=first, orelse=second):
                yield from _bindings([*first, *second])
            case ast.Try(body=first, handlers=handlers, orelse=second, finalbody=third):
                yield from _bindings(
                    [*first, *(each for one in handlers for each in one.body), *second, *third]
                )
            case ast.With(body=first):
                yield from _bindings(first)


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a scope binds by itself: names to be numbered, what is imported, names that belong elsewhere."""

    stored: list[str]
    imported: dict[str, str]
    elsewhere: set[str]


def _scope(nodes: Iterable[ast.AST]) -> _Scope:
    """What these bind; what the scopes within them bind is left out."""
    scope = _Scope([], {}, set())
    todo = list(nodes)
    while todo:
        node = todo.pop()
        kind = type(node)
        if kind is ast.Name:
            if type(node.ctx) is not ast.Load:  # type: ignore[attr-defined]  # it is a Name
                scope.stored.append(node.id)  # type: ignore[attr-defined]
            continue
        if kind in _LEAVES or kind in _COMPREHENSIONS or kind is ast.Lambda:
            continue
        if kind in _DEFINITIONS:
            scope.stored.append(node.name)  # type: ignore[attr-defined]  # all three have one
            continue
        match node:
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                scope.stored.append(name)
            case ast.MatchMapping(rest=str(name)):
                scope.stored.append(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                scope.elsewhere.update(names)
            case ast.Import() | ast.ImportFrom():
                scope.imported.update(
                    (name, what) for name, what in _bindings([node]) if isinstance(what, str)
                )
        for field in _FIELDS[kind]:
            value = getattr(node, field, None)
            if isinstance(value, list):
                todo.extend(each for each in value if isinstance(each, ast.AST))
            elif isinstance(value, ast.AST):
                todo.append(value)
    return scope


class _Writer:
    """Writes the tree down, a word for each thing in it."""

    def __init__(self, module: dict[str, ast.AST | str], names: Sequence[str]) -> None:
        self.words: list[str] = []
        self.nodes = 0
        self._module = module
        self._names = names
        self._scopes: list[dict[str, str]] = []
        self._chosen = 0
        self._used: dict[str, str] = {}
        self._todo: deque[ast.AST] = deque()

    def module(self) -> None:
        """The exercise's names, then what they use of the module, as it comes."""
        written: set[int] = set()
        for name in self._names:
            found = self._module.get(name)
            if isinstance(found, ast.AST):
                self._todo.append(found)
        while self._todo:
            node = self._todo.popleft()
            if id(node) not in written:
                written.add(id(node))
                self._node(node)

    def _name(self, name: str) -> str:
        for scope in reversed(self._scopes):
            if name in scope:
                if not scope[name]:
                    scope[name] = f"${self._chosen}"
                    self._chosen += 1
                return scope[name]
        found = self._module.get(name)
        if isinstance(found, str):
            return found
        if found is None or name in self._names:
            if found is not None:
                self._todo.append(found)
            return name  # a builtin, or what is asked for
        if name not in self._used:
            self._used[name] = f"@{len(self._used)}"
            self._todo.append(found)
        return self._used[name]

    def _node(self, node: ast.AST) -> None:
        self.nodes += 1
        kind = type(node)
        write = _WRITTEN.get(kind)
        if write is not None:
            write(self, node)
            return
        self.words.append(kind.__name__)
        self._fields(node)

    def _write_name(self, node: ast.Name) -> None:
        self.words.append(self._name(node.id))

    def _write_argument(self, node: ast.arg) -> None:
        self.words.append(self._name(node.arg))

    def _write_constant(self, node: ast.Constant) -> None:
        self.words.append(repr(node.value))

    def _write_nothing(self, node: ast.AST) -> None:
        """Of an import: what is used of it goes by its dotted name."""

    def _write_class(self, node: ast.ClassDef) -> None:
        self.words.append("class " + self._name_of_definition(node.name))
        self._fields(node, leave="name")

    def _write_handler(self, node: ast.ExceptHandler) -> None:
        self.words.append("except " + (self._name(node.name) if node.name else ""))
        self._fields(node, leave="name")

    def _write_capture(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        self.words.append(f"{type(node).__name__} {self._name(name) if name else ''}")
        self._fields(node, leave="rest" if isinstance(node, ast.MatchMapping) else "name")

    def _write_annotated(self, node: ast.AnnAssign) -> None:
        """A value with a type beside it is a value; a type alone, as of a dataclass's field, keeps the name."""
        self.words.append("Assign" if node.value is not None else "Declared")
        self._list([node.target])
        if node.value is not None:
            self._node(node.value)

    def _write_elsewhere(self, node: ast.Global | ast.Nonlocal) -> None:
        self.words.append(" ".join([type(node).__name__, *map(self._name, node.names)]))

    def _write_comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
    ) -> None:
        self.words.append(type(node).__name__)
        self._scopes.append(dict.fromkeys(_scope(one.target for one in node.generators).stored, ""))
        self._list(node.generators)  # first, so that its names are numbered where they are bound
        self._list([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self._scopes.pop()

    def _write_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        body: list[ast.stmt] | list[ast.expr]
        if isinstance(node, ast.Lambda):
            body = [node.body]
            self.words.append("lambda")
        else:
            body = node.body
            self.words.append(f"{type(node).__name__} {self._name_of_definition(node.name)}")
            self._list(node.decorator_list)
        given = node.args
        own = [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
        own += [each.arg for each in (given.vararg, given.kwarg) if each is not None]
        scope = _scope(body)
        own += [name for name in scope.stored if name not in scope.elsewhere]
        self._scopes.append(dict.fromkeys(own, "") | scope.imported)
        self._node(given)
        self._list(body)
        self._scopes.pop()

    def _name_of_definition(self, name: str) -> str:
        # A method is an attribute: its name stays.
        return self._name(name) if self._scopes or name in self._module else name

    def _fields(self, node: ast.AST, leave: str = "") -> None:
        for field in _FIELDS[type(node)]:
            value = getattr(node, field, None)
            if field == leave:
                continue
            if isinstance(value, list):
                self._list(value)
            elif isinstance(value, ast.AST):
                self._node(value)
            elif value is not None:
                self.words.append(str(value))

    def _list(self, values: Sequence[object]) -> None:
        self.words.append("(")
        for value in values:
            if isinstance(value, ast.AST):
                if type(value) is ast.Expr and type(value.value) is ast.Constant:
                    continue  # a docstring, or a comment in quotes
                self._node(value)
            else:
                self.words.append(str(value))
        self.words.append(")")


_WRITTEN: Final[dict[type[ast.AST], Callable[[_Writer, Any], None]]] = {
    ast.Name: _Writer._write_name,
    ast.arg: _Writer._write_argument,
    ast.Constant: _Writer._write_constant,
    ast.Import: _Writer._write_nothing,
    ast.ImportFrom: _Writer._write_nothing,
    ast.ClassDef: _Writer._write_class,
    ast.FunctionDef: _Writer._write_function,
    ast.AsyncFunctionDef: _Writer._write_function,
    ast.Lambda: _Writer._write_function,
    ast.ExceptHandler: _Writer._write_handler,
    ast.MatchAs: _Writer._write_capture,
    ast.MatchStar: _Writer._write_capture,
    ast.MatchMapping: _Writer._write_capture,
    ast.AnnAssign: _Writer._write_annotated,
    ast.Global: _Writer._write_elsewhere,
    ast.Nonlocal: _Writer._write_elsewhere,
    **dict.fromkeys(_COMPREHENSIONS, _Writer._write_comprehension),
}
