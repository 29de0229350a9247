"""A source taken apart: where names get their meanings, and where they are used.

One walk in the order of the source notes both. It does not recurse, since a source may be nested as deeply
as the parser allows. Left out are annotations that only name types, what runs only when the file is a script,
and functions that nothing mentions: none of it is part of an answer.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Binding", "Scope", "Source", "Use", "is_named", "take_apart"]

_MEANINGS: Final = 8

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Looping = ast.For | ast.AsyncFor | ast.While | _Comprehension
_Branching = _Looping | ast.If | ast.Try | ast.TryStar | ast.Match | ast.IfExp | ast.BoolOp

_IN_A_TYPE = (
    *(ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.List, ast.BinOp),
    *(ast.BitOr, ast.Load),
)

_UNKNOWN: Final = ast.Constant(None)


@dataclass(eq=False, slots=True)
class Scope:
    """A module, a class or a function: the places where it binds names. `elsewhere`: its `global` names."""

    parent: Scope | None
    is_class: bool = False
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    elsewhere: dict[str, Scope] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Use:
    """A node, and where it stands. `position` counts the nodes up to it."""

    node: ast.AST
    scope: Scope
    position: int
    in_loop: bool
    is_called: bool = False


@dataclass(eq=False, slots=True)
class Binding:
    """A place where a name gets a meaning: a dotted name, or what an expression means, or something else.

    `certain`: it is met whenever the code after it is.
    """

    where: Use
    line: int
    certain: bool
    dotted: str = ""
    value: ast.expr | None = None


@dataclass(slots=True)
class Source:
    """What the walk found.

    `stars`: the modules that all names were imported from. `attributes`: what was put on any object under a
    name. `set_on`: pairs such as `self.norm` that the source sets. `own_members`: what its classes define,
    those that are tensors apart. `own_classes`: their names. `imports`: the statements.
    """

    uses: list[Use] = field(default_factory=list)
    top: Scope = field(default_factory=lambda: Scope(None))
    stars: dict[str, None] = field(default_factory=dict)
    attributes: dict[str, list[tuple[ast.expr, Use]]] = field(default_factory=dict)
    set_on: set[str] = field(default_factory=set)
    own_members: set[str] = field(default_factory=set)
    own_classes: set[str] = field(default_factory=set)
    imports: list[ast.stmt] = field(default_factory=list)


@dataclass(slots=True)
class _Task:
    node: ast.AST
    scope: Scope
    certain: bool
    in_loop: bool
    is_called: bool = False
    then_bind: bool = False


_Below = Callable[[Iterable[ast.AST | None], Scope], list[_Task]]


def take_apart(tree: ast.Module, asked: Iterable[str]) -> Source:
    """Where the source binds and uses names; `asked` are the functions and classes that will be called."""
    return _Walk().read(_what_counts(tree, frozenset(asked)))


def is_named(node: ast.expr, names: Container[str]) -> bool:
    """Whether the node is one of these names, or an attribute called so."""
    if isinstance(node, ast.Name):
        return node.id in names
    return isinstance(node, ast.Attribute) and node.attr in names


class _Walk:
    def __init__(self) -> None:
        self.source = Source()
        self.position = 0

    def read(self, body: list[ast.stmt]) -> Source:
        tasks = [_Task(node, self.source.top, certain=True, in_loop=False) for node in reversed(body)]
        while tasks:
            task = tasks.pop()
            self.position += 1
            if task.then_bind:
                self._bind(task)
            else:
                tasks.extend(reversed(self._visit(task)))
        return self.source

    def _visit(self, task: _Task) -> list[_Task]:
        """Note the node, and say what to visit next."""
        node = task.node
        certain = task.certain and not isinstance(node, _Branching)
        in_loop = task.in_loop or isinstance(node, _Looping)

        def below(children: Iterable[ast.AST | None], scope: Scope = task.scope) -> list[_Task]:
            inside = scope is not task.scope
            return [
                _Task(child, scope, inside or certain, in_loop and not inside)
                for child in children
                if child is not None
            ]

        then_bind = _Task(node, task.scope, task.certain, task.in_loop, then_bind=True)
        match node:
            case ast.Name():
                if isinstance(node.ctx, ast.Load):
                    self._use(task)
                elif isinstance(node.ctx, ast.Store):
                    self._add(task, node.id, node.lineno)
                return []
            case ast.Attribute():
                self._use(task)
                base: ast.expr = node
                while isinstance(base, ast.Attribute):
                    base = base.value
                return [] if isinstance(base, ast.Name) else below([base])
            case ast.Call():
                self._use(task)
                arguments: list[ast.AST] = [*node.args, *node.keywords]
                if is_named(node.func, ("isinstance", "issubclass")):
                    arguments = [argument for argument in arguments if not _names_types(argument)]
                return [_Task(node.func, task.scope, certain, in_loop, is_called=True), *below(arguments)]
            case ast.Subscript():
                self._use(task)
                return below([node.value, node.slice])
            case ast.Import() | ast.ImportFrom():
                self._use(task)
                self._bind_import(node, task)
                return []
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                return self._visit_function(node, task, below)
            case ast.ClassDef():
                self._use(task)
                self.source.own_classes.add(node.name)
                if not any(is_named(base, ("Tensor", "Parameter")) for base in node.bases):
                    self.source.own_members.update(_members(node))
                first = below([*node.decorator_list, *node.bases, *node.keywords])
                return [*first, *below(node.body, Scope(task.scope, is_class=True)), then_bind]
            case ast.Assign():
                return [*below([node.value]), then_bind, *below(_set_on(node.targets))]
            case ast.AnnAssign():
                annotation = None if _names_types(node.annotation) else node.annotation
                return [*below([node.value, annotation]), then_bind, *below(_set_on([node.target]))]
            case ast.NamedExpr():
                return [*below([node.value]), then_bind]
            case ast.For() | ast.AsyncFor() if isinstance(node.iter, ast.Tuple | ast.List):
                return [*below([node.iter]), then_bind, *below([*node.body, *node.orelse])]
            case ast.comprehension(iter=ast.Tuple() | ast.List()):
                # What it is bound to is seen to after the item, which stands before it; but that is a loop.
                return [*below([node.iter]), then_bind, *below(node.ifs)]
            case ast.Global() | ast.Nonlocal():
                outer = self.source.top if isinstance(node, ast.Global) else task.scope.parent
                task.scope.elsewhere.update(dict.fromkeys(node.names, outer or self.source.top))
                return []
            case (
                ast.ExceptHandler(name=str(name))
                | ast.MatchAs(name=str(name))
                | ast.MatchStar(name=str(name))
            ):
                self._add(task, name, node.lineno)
            case ast.MatchMapping(rest=str(name)):
                self._add(task, name, node.lineno)
        return below(ast.iter_child_nodes(node))

    def _visit_function(
        self, node: _Function | ast.Lambda, task: _Task, below: Callable[..., list[_Task]]
    ) -> list[_Task]:
        arguments = node.args
        inside = Scope(task.scope)
        each = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        each.extend(extra for extra in (arguments.vararg, arguments.kwarg) if extra is not None)
        defaults = _defaults(arguments)
        for argument in each:
            self._bind_in(inside, argument.arg, task, node.lineno, certain=True)
            if argument.arg in defaults:
                self._bind_in(
                    inside, argument.arg, task, node.lineno, certain=False, value=defaults[argument.arg]
                )
        first: list[ast.AST] = [*defaults.values()]
        if isinstance(node, ast.Lambda):
            return [*below(first), *below([node.body], inside)]
        self._add(task, node.name, node.lineno)
        annotations = [node.returns, *(argument.annotation for argument in each)]
        first.extend(note for note in annotations if note is not None and not _names_types(note))
        return [*below([*node.decorator_list, *first]), *below(node.body, inside)]

    def _here(self, task: _Task) -> Use:
        return Use(task.node, task.scope, self.position, task.in_loop, task.is_called)

    def _use(self, task: _Task) -> None:
        self.source.uses.append(self._here(task))

    def _add(
        self, task: _Task, name: str, line: int, *, dotted: str = "", value: ast.expr | None = None
    ) -> None:
        scope, certain = task.scope, task.certain
        if name in scope.elsewhere:
            scope, certain = scope.elsewhere[name], False
        self._bind_in(scope, name, task, line, certain=certain, dotted=dotted, value=value)

    def _bind_in(
        self,
        scope: Scope,
        name: str,
        task: _Task,
        line: int,
        *,
        certain: bool,
        dotted: str = "",
        value: ast.expr | None = None,
    ) -> None:
        binding = Binding(self._here(task), line, certain, dotted, value)
        scope.bindings.setdefault(name, []).append(binding)

    def _bind(self, task: _Task) -> None:
        match task.node:
            case ast.ClassDef() as node:
                self._add(task, node.name, node.lineno)
            case ast.Assign() as node:
                for target in node.targets:
                    self._bind_target(target, node.value, task)
            case ast.AnnAssign(value=ast.expr()) | ast.NamedExpr() as node:
                self._bind_target(node.target, node.value or _UNKNOWN, task)
            case ast.comprehension(iter=ast.Tuple() | ast.List() as values) as node:
                self._bind_loop(node.target, values, task)
            case ast.For(iter=ast.Tuple() | ast.List() as values) as node:
                self._bind_loop(node.target, values, task)
            case ast.AsyncFor(iter=ast.Tuple() | ast.List() as values) as node:
                self._bind_loop(node.target, values, task)

    def _bind_loop(self, target: ast.expr, values: ast.Tuple | ast.List, task: _Task) -> None:
        task.certain = False
        for value in values.elts[:_MEANINGS] or [_UNKNOWN]:
            self._bind_target(target, value, task)

    def _bind_target(self, target: ast.expr, value: ast.expr, task: _Task) -> None:
        waiting = [(target, value)]
        while waiting:
            target, value = waiting.pop()
            match target:
                case ast.Name():
                    self._add(task, target.id, target.lineno, value=value)
                    if task.scope.is_class:
                        self._put(target.id, value, task)
                case ast.Attribute():
                    self._put(target.attr, value, task)
                    if isinstance(target.value, ast.Name):
                        self.source.set_on.add(f"{target.value.id}.{target.attr}")
                case ast.Tuple() | ast.List():
                    if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                        waiting.extend(zip(target.elts, value.elts, strict=True))
                    else:
                        waiting.extend((part, _UNKNOWN) for part in target.elts)
                case ast.Starred():
                    waiting.append((target.value, _UNKNOWN))

    def _put(self, name: str, value: ast.expr, task: _Task) -> None:
        self.source.attributes.setdefault(name, []).append((value, self._here(task)))

    def _bind_import(self, node: ast.Import | ast.ImportFrom, task: _Task) -> None:
        self.source.imports.append(node)
        if isinstance(node, ast.Import):
            for alias in node.names:
                dotted = alias.name if alias.asname else alias.name.partition(".")[0]
                self._add(task, alias.asname or dotted, node.lineno, dotted=dotted)
            return
        for alias in node.names:
            is_outside = not node.level and node.module is not None
            if alias.name != "*":
                dotted = f"{node.module}.{alias.name}" if is_outside else ""
                self._add(task, alias.asname or alias.name, node.lineno, dotted=dotted)
            elif is_outside and node.module is not None:
                self.source.stars[node.module] = None


def _what_counts(tree: ast.Module, asked: frozenset[str]) -> list[ast.stmt]:
    """The statements, but for what runs only in a script, and functions that nothing mentions."""
    idle: dict[str, list[ast.stmt]] = {}
    guards: list[ast.If] = []
    for node in tree.body:
        if isinstance(node, ast.If) and _is_main_guard(node):
            guards.append(node)
        elif isinstance(node, _Function) and not (node.decorator_list or _is_called_by_us(node.name, asked)):
            idle.setdefault(node.name, []).append(node)
    if not (idle or guards):
        return tree.body
    skipped = {id(node) for nodes in idle.values() for node in nodes}
    if any(_sets_its_name(node) for node in tree.body):
        guards = []
    skipped.update(map(id, guards))
    waiting: list[ast.AST] = [node for node in tree.body if id(node) not in skipped]
    waiting.extend(statement for guard in guards for statement in guard.orelse)
    while waiting:
        for name in _mentioned(waiting.pop()):
            for node in idle.pop(name, ()):
                skipped.discard(id(node))
                waiting.append(node)
    kept: list[ast.stmt] = []
    for node in tree.body:
        if id(node) not in skipped:
            kept.append(node)
        elif isinstance(node, ast.If):
            kept.extend(node.orelse)
    return kept


def _is_called_by_us(name: str, asked: frozenset[str]) -> bool:
    return name in asked or name.startswith("__")


def _is_main_guard(node: ast.If) -> bool:
    test = node.test
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = (test.left, test.comparators[0])
    return any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides) and any(
        isinstance(side, ast.Constant) and side.value == "__main__" for side in sides
    )


def _sets_its_name(node: ast.stmt) -> bool:
    return any(
        isinstance(inner, ast.Name) and inner.id == "__name__" and not isinstance(inner.ctx, ast.Load)
        for inner in ast.walk(node)
    )


def _mentioned(node: ast.AST) -> Iterator[str]:
    """All names in it, those in strings included: `globals()["f"]` mentions f."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            yield inner.id
        elif isinstance(inner, ast.Attribute):
            yield inner.attr
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _names_types(node: ast.AST) -> bool:
    return all(isinstance(inner, _IN_A_TYPE) for inner in ast.walk(node))


def _members(node: ast.ClassDef) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, _Function):
            yield inner.name
        elif isinstance(inner, ast.Attribute) and isinstance(inner.ctx, ast.Store):
            yield inner.attr
    for statement in node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


def _set_on(targets: list[ast.expr]) -> Iterator[ast.expr]:
    """The attributes and items among the targets."""
    waiting = list(targets)
    while waiting:
        target = waiting.pop()
        if isinstance(target, ast.Tuple | ast.List):
            waiting.extend(target.elts)
        elif isinstance(target, ast.Starred):
            waiting.append(target.value)
        elif not isinstance(target, ast.Name):
            yield target


def _defaults(arguments: ast.arguments) -> dict[str, ast.expr]:
    positional = [*arguments.posonlyargs, *arguments.args]
    found = dict(
        zip(
            (argument.arg for argument in positional[len(positional) - len(arguments.defaults) :]),
            arguments.defaults,
            strict=True,
        )
    )
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            found[argument.arg] = default
    return found
