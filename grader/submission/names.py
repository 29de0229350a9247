"""What the names in a source stand for, by its tree alone: `G.softmax` after `from torch.nn import functional as G`.

Names are followed through imports, assignments, `getattr` and their like to dotted names such as
`torch.nn.functional.softmax`. A name that the source gives another meaning, as its own function `softmax` or a
parameter `F`, stands for nothing. Where more than one meaning is possible, all of them count.

This sees what ordinary code does. It does not run anything, so whoever wants to hide a name from it can.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Names", "Use", "attributes_of"]

_NOTHING: Final[frozenset[str]] = frozenset()
_DEPTH = 24
_MEANINGS = 8
_BINDINGS = 16
_TEXT = 200
_COMPONENTS = 40

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scoped = _Function | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_Branching = ast.If | ast.Try | ast.TryStar | ast.Match | ast.For | ast.AsyncFor | ast.While | ast.IfExp | ast.BoolOp
_Looping = ast.For | ast.AsyncFor | ast.While | _Comprehension

# What may stand in an annotation that only names types.
_OF_TYPES = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.BinOp,
    ast.BitOr,
    ast.Load,
)


@dataclass(eq=False, slots=True)
class _Binding:
    """A place where a name gets a meaning: a dotted name, or what an expression means; neither is "its own"."""

    position: int
    certain: bool
    dotted: str = ""
    value: ast.expr | None = None
    where: Use | None = None
    line: int = 0
    resolving: bool = False
    meanings: frozenset[str] | None = None


@dataclass(eq=False, slots=True)
class _Scope:
    parent: _Scope | None
    is_class: bool = False
    bindings: dict[str, list[_Binding]] = field(default_factory=dict)
    elsewhere: dict[str, _Scope] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Use:
    """A node, and where it stands."""

    node: ast.AST
    scope: _Scope
    position: int
    in_loop: bool
    is_called: bool = False


@dataclass(slots=True)
class _Task:
    node: ast.AST
    scope: _Scope
    certain: bool
    in_loop: bool
    is_called: bool = False
    then_bind: bool = False


class Names:
    """The names in a source.

    `uses` are the places where something is looked up, called, set or defined, in the order of the source.
    Left out are annotations, what only runs when the file is run as a script, and functions that nothing
    mentions.
    """

    def __init__(self, tree: ast.Module, asked: Iterable[str]) -> None:
        self.uses: list[Use] = []
        self.top = _Scope(None)
        self._stars: list[str] = []
        self._attributes: dict[str, list[tuple[ast.expr, Use]]] = {}
        self._own_attributes: set[str] = set()
        self._own_classes: set[str] = set()
        self._set_on: set[str] = set()
        self._position = 0
        self._read(tree, frozenset(asked))

    # Reading: one walk in the order of the source, without recursion, since the source may be nested deeply.

    def _read(self, tree: ast.Module, asked: frozenset[str]) -> None:
        mentioned = _mentioned(tree, asked)
        is_script = not any(
            isinstance(node, ast.Name) and node.id == "__name__" and isinstance(node.ctx, ast.Store)
            for node in ast.walk(tree)
        )
        body: list[ast.stmt] = []
        for node in tree.body:
            if is_script and _is_main_guard(node):
                body.extend(node.orelse)
            elif node not in mentioned.without:
                body.append(node)
        stack = [_Task(node, self.top, certain=True, in_loop=False) for node in reversed(body)]
        while stack:
            task = stack.pop()
            self._position += 1
            if task.then_bind:
                self._bind(task)
                continue
            stack.extend(reversed(self._visit(task)))

    def _visit(self, task: _Task) -> list[_Task]:
        """Note the node, and say what to visit next."""
        node, scope = task.node, task.scope
        certain = task.certain and not isinstance(node, _Branching)
        in_loop = task.in_loop or isinstance(node, _Looping)

        def below(children: Iterable[ast.AST | None], inside: _Scope = scope) -> list[_Task]:
            if inside is not scope:
                return [_Task(child, inside, True, False) for child in children if child is not None]
            return [_Task(child, scope, certain, in_loop) for child in children if child is not None]

        def bind() -> _Task:
            return _Task(node, scope, task.certain, task.in_loop, then_bind=True)

        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self._use(task)
            elif isinstance(node.ctx, ast.Store):
                self._add(scope, node.id, task, node.lineno)
            return []
        if isinstance(node, ast.Attribute):
            self._use(task)
            base: ast.expr = node
            while isinstance(base, ast.Attribute):
                base = base.value
            return [] if isinstance(base, ast.Name) else below([base])
        if isinstance(node, ast.Call):
            self._use(task)
            arguments = [*node.args, *node.keywords]
            if _is_named(node.func, ("isinstance", "issubclass")) and len(arguments) == 2:
                arguments = [argument for argument in arguments if not _only_names_types(argument)]
            return [_Task(node.func, scope, certain, in_loop, is_called=True), *below(arguments)]
        if isinstance(node, ast.Subscript):
            self._use(task)
            return below([node.value, node.slice])
        if isinstance(node, ast.Import | ast.ImportFrom):
            self._use(task)
            self._bind_import(node, task)
            return []
        if isinstance(node, _Scoped):
            return self._visit_function(node, task, below)
        if isinstance(node, ast.ClassDef):
            self._use(task)
            inside = _Scope(scope, is_class=True)
            self._own_classes.add(node.name)
            if not any(_is_named(base, ("Tensor", "Parameter")) for base in node.bases):
                self._own_attributes.update(_members(node))
            first = below([*node.decorator_list, *node.bases, *node.keywords])
            return [*first, *below(node.body, inside), bind()]
        if isinstance(node, ast.Assign):
            targets = [target for target in node.targets if not isinstance(target, ast.Name)]
            return [*below([node.value]), bind(), *below(map(_without_names, targets))]
        if isinstance(node, ast.AnnAssign):
            annotation = None if _only_names_types(node.annotation) else node.annotation
            target = None if isinstance(node.target, ast.Name) else node.target
            return [*below([node.value, annotation]), bind(), *below([target])]
        if isinstance(node, ast.NamedExpr):
            return [*below([node.value]), bind()]
        if isinstance(node, ast.For | ast.AsyncFor):
            return [*below([node.iter]), bind(), *below([node.target, *node.body, *node.orelse])]
        if isinstance(node, ast.Global | ast.Nonlocal):
            outer = self.top if isinstance(node, ast.Global) else scope.parent
            for name in node.names:
                scope.elsewhere[name] = outer or self.top
            return []
        if isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self._add(scope, node.name, task, node.lineno)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self._add(scope, node.rest, task, node.lineno)
        return below(ast.iter_child_nodes(node))

    def _visit_function(self, node: _Scoped, task: _Task, below: _Below) -> list[_Task]:
        scope, arguments = task.scope, node.args
        inside = _Scope(_closest_function(scope))
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for argument in (*every, arguments.vararg, arguments.kwarg):
            if argument is not None:
                self._add(inside, argument.arg, task, node.lineno)
        where = Use(node, scope, self._position, task.in_loop)
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = [
            *zip(reversed(positional), reversed(arguments.defaults), strict=False),
            *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
        ]
        for argument, default in with_default:
            if default is not None:
                inside.bindings[argument.arg].append(_Binding(self._position, False, "", default, where))
        first: list[ast.AST | None] = [*arguments.defaults, *arguments.kw_defaults]
        if isinstance(node, ast.Lambda):
            return [*below(first), *below([node.body], inside)]
        self._use(task)
        annotations = [
            annotation
            for annotation in (
                node.returns,
                *(argument.annotation for argument in every),
                *(each.annotation for each in (arguments.vararg, arguments.kwarg) if each is not None),
            )
            if annotation is not None and not _only_names_types(annotation)
        ]
        self._add(scope, node.name, task, node.lineno)
        return [*below([*node.decorator_list, *first, *annotations]), *below(node.body, inside)]

    def _use(self, task: _Task) -> None:
        self.uses.append(Use(task.node, task.scope, self._position, task.in_loop, task.is_called))

    def _add(
        self,
        scope: _Scope,
        name: str,
        task: _Task,
        line: int,
        dotted: str = "",
        value: ast.expr | None = None,
    ) -> None:
        certain = task.certain
        if name in scope.elsewhere:
            scope, certain = scope.elsewhere[name], False
        where = Use(task.node, task.scope, self._position, task.in_loop)
        binding = _Binding(self._position, certain, dotted, value, where, line)
        scope.bindings.setdefault(name, []).append(binding)

    def _bind(self, task: _Task) -> None:
        node = task.node
        if isinstance(node, ast.ClassDef):
            self._add(task.scope, node.name, task, node.lineno)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind_target(target, node.value, task)
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            if node.value is not None:
                self._bind_target(node.target, node.value, task)
        elif isinstance(node, ast.For | ast.AsyncFor) and isinstance(node.iter, ast.Tuple | ast.List):
            for value in node.iter.elts[:_MEANINGS]:
                self._bind_target(node.target, value, task)

    def _bind_target(self, target: ast.expr, value: ast.expr, task: _Task) -> None:
        waiting = [(target, value)]
        while waiting:
            target, value = waiting.pop()
            if isinstance(target, ast.Name):
                self._add(task.scope, target.id, task, target.lineno, value=value)
                if task.scope.is_class:
                    self._remember_attribute(target.id, value, task)
            elif isinstance(target, ast.Attribute):
                self._remember_attribute(target.attr, value, task)
                if isinstance(target.value, ast.Name):
                    self._set_on.add(f"{target.value.id}.{target.attr}")
            elif isinstance(target, ast.Tuple | ast.List):
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts):
                    waiting.extend(zip(target.elts, value.elts, strict=True))
                else:
                    waiting.extend((part, ast.Constant(None)) for part in target.elts)
            elif isinstance(target, ast.Starred):
                waiting.append((target.value, ast.Constant(None)))

    def _remember_attribute(self, name: str, value: ast.expr, task: _Task) -> None:
        where = Use(task.node, task.scope, self._position, task.in_loop)
        self._attributes.setdefault(name, []).append((value, where))

    def _bind_import(self, node: ast.Import | ast.ImportFrom, task: _Task) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                dotted = alias.name if alias.asname else alias.name.partition(".")[0]
                self._add(task.scope, alias.asname or dotted, task, node.lineno, dotted)
            elif not node.level and node.module:
                if alias.name == "*":
                    self._stars.append(node.module)
                else:
                    dotted = f"{node.module}.{alias.name}"
                    self._add(task.scope, alias.asname or alias.name, task, node.lineno, dotted)
            elif alias.name != "*":
                self._add(task.scope, alias.asname or alias.name, task, node.lineno)

    # Asking.

    def dotted(self, node: ast.expr, use: Use) -> frozenset[str]:
        """The dotted names that an expression may stand for; none where it is the source's own, or unknown."""
        return self._dotted(node, use, _DEPTH)

    def text(self, node: ast.expr, use: Use) -> str | None:
        """The string that an expression makes, where it is plain to see."""
        return self._text(node, use, _DEPTH)

    def handed_in(self, name: str) -> Iterator[tuple[str, int]]:
        """What a name at the top of the module stands for in the end, where it was imported, and the line."""
        bindings = self.top.bindings.get(name)
        if not bindings:
            yield from ((f"{module}.{name}", 1) for module in self._stars)
            return
        for binding in _in_the_end(bindings):
            if binding.dotted:
                yield binding.dotted, binding.line

    def is_own(self, base: ast.expr, attribute: str, use: Use) -> bool:
        """Whether an attribute is one that the source itself has given to what it is looked up on."""
        if isinstance(base, ast.Name):
            if f"{base.id}.{attribute}" in self._set_on:
                return True
            if attribute not in self._own_attributes:
                return False
            if base.id in ("self", "cls") or base.id in self._own_classes:
                return True
            bindings = self._bindings_of(base.id, use)[1]
            return any(self._is_own_instance(binding.value) for binding in bindings)
        return attribute in self._own_attributes and self._is_own_instance(base)

    def _is_own_instance(self, value: ast.expr | None) -> bool:
        return isinstance(value, ast.Call) and _is_named(value.func, ("super", *self._own_classes))

    def _dotted(self, node: ast.expr, use: Use, depth: int) -> frozenset[str]:
        if depth <= 0:
            return _NOTHING
        if isinstance(node, ast.Name):
            return self._meanings(node.id, use, depth)
        if isinstance(node, ast.Attribute):
            return self._dotted_attribute(node, use, depth)
        if isinstance(node, ast.Call):
            return self._dotted_call(node, use, depth)
        if isinstance(node, ast.Subscript):
            return self._dotted_item(node, use, depth)
        if isinstance(node, ast.NamedExpr):
            return self._dotted(node.value, use, depth - 1)
        if isinstance(node, ast.IfExp):
            return self._any_of((node.body, node.orelse), use, depth)
        if isinstance(node, ast.BoolOp):
            return self._any_of(node.values, use, depth)
        return _NOTHING

    def _any_of(self, nodes: Iterable[ast.expr], use: Use, depth: int) -> frozenset[str]:
        found: set[str] = set()
        for node in nodes:
            found |= self._dotted(node, use, depth - 1)
            if len(found) >= _MEANINGS:
                break
        return frozenset(found)

    def _dotted_attribute(self, node: ast.Attribute, use: Use, depth: int) -> frozenset[str]:
        base, attributes = attributes_of(node)
        if len(attributes) > _COMPONENTS:
            return _NOTHING
        found = self._dotted(base, use, depth - 1)
        for attribute in attributes:
            if found:
                found = frozenset(f"{name}.{attribute}" for name in found)
            else:
                found = self._kept_as(attribute, depth)
        return frozenset(name.replace(".__dict__", "") for name in found)

    def _kept_as(self, attribute: str, depth: int) -> frozenset[str]:
        """What was put on any object under this name: `self.F = torch.nn.functional`."""
        found: set[str] = set()
        for value, where in self._attributes.get(attribute, ())[:_BINDINGS]:
            if isinstance(value, ast.Name | ast.Attribute):
                found |= self._dotted(value, where, min(depth, 6) - 1)
        return frozenset(found)

    def _dotted_call(self, node: ast.Call, use: Use, depth: int) -> frozenset[str]:
        """A call that only looks something up."""
        for function in self._dotted(node.func, use, depth - 1):
            if function in ("builtins.getattr", "inspect.getattr_static") and len(node.args) >= 2:
                name = self._text(node.args[1], use, depth - 1)
                found = self._dotted(node.args[0], use, depth - 1)
                return frozenset(f"{base}.{name}" for base in found) if name else _NOTHING
            if function in _IMPORTERS and node.args:
                name = self._text(node.args[0], use, depth - 1)
                return frozenset({name}) if name else _NOTHING
            if function in ("builtins.vars", "functools.partial", "importlib.reload") and node.args:
                return self._dotted(node.args[0], use, depth - 1)
            if function == "sys.modules.get" and node.args:
                name = self._text(node.args[0], use, depth - 1)
                return frozenset({name}) if name else _NOTHING
            if function.endswith((".__getattribute__", ".__getattr__")) and node.args:
                name = self._text(node.args[-1], use, depth - 1)
                return frozenset({f"{function.rpartition('.')[0]}.{name}"}) if name else _NOTHING
        return _NOTHING

    def _dotted_item(self, node: ast.Subscript, use: Use, depth: int) -> frozenset[str]:
        held = node.value
        if isinstance(held, ast.Tuple | ast.List):
            return self._any_of(held.elts[:_BINDINGS], use, depth)
        if isinstance(held, ast.Dict):
            return self._any_of(held.values[:_BINDINGS], use, depth)
        name = self._text(node.slice, use, depth - 1)
        if not name:
            return _NOTHING
        if isinstance(held, ast.Call) and _is_named(held.func, ("globals", "locals", "vars")) and not held.args:
            return self._meanings(name, use, depth - 1)
        found = self._dotted(held, use, depth - 1)
        return frozenset(
            name if base == "sys.modules" else f"{base}.{name}"
            for base in found
            if base == "sys.modules" or _is_looked_into(held)
        )

    def _meanings(self, name: str, use: Use, depth: int) -> frozenset[str]:
        is_bound, bindings = self._bindings_of(name, use)
        if not is_bound:
            return frozenset({f"builtins.{name}", *(f"{module}.{name}" for module in self._stars)})
        found: set[str] = set()
        for binding in bindings:
            found |= self._meanings_of(binding, depth)
            if len(found) >= _MEANINGS:
                break
        return frozenset(found)

    def _meanings_of(self, binding: _Binding, depth: int) -> frozenset[str]:
        if binding.dotted:
            return frozenset({binding.dotted})
        if binding.value is None or binding.where is None or binding.resolving:
            return _NOTHING
        if binding.meanings is None:
            binding.resolving = True
            try:
                binding.meanings = self._dotted(binding.value, binding.where, depth - 1)
            finally:
                binding.resolving = False
        return binding.meanings

    def _bindings_of(self, name: str, use: Use) -> tuple[bool, list[_Binding]]:
        """Whether the source binds the name, and the bindings that may hold where it is used."""
        scope: _Scope | None = use.scope
        while scope is not None:
            bindings = scope.bindings.get(name)
            if bindings and (scope is use.scope or not scope.is_class):
                if scope is not use.scope or use.in_loop:
                    return True, _in_the_end(bindings)
                earlier = _before(bindings, use.position)
                if earlier:
                    return True, _in_the_end(earlier)
                if scope.parent is not None and not scope.is_class:
                    return True, _in_the_end(bindings)
            scope = scope.parent
        return name in self.top.bindings and use.scope is not self.top, []

    def _text(self, node: ast.expr, use: Use, depth: int) -> str | None:
        text = self._text_uncut(node, use, depth) if depth > 0 else None
        return text if text is None or len(text) <= _TEXT else None

    def _text_uncut(self, node: ast.expr, use: Use, depth: int) -> str | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else None
        if isinstance(node, ast.Name):
            bindings = self._bindings_of(node.id, use)[1]
            if len(bindings) != 1 or bindings[0].value is None or bindings[0].where is None:
                return None
            return self._text(bindings[0].value, bindings[0].where, min(depth, 6) - 1)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self._joined((node.left, node.right), "", use, depth)
        if isinstance(node, ast.JoinedStr):
            return self._joined(node.values[:_BINDINGS], "", use, depth)
        if isinstance(node, ast.FormattedValue):
            return self._text(node.value, use, depth - 1)
        if isinstance(node, ast.Subscript):
            text = self._text(node.value, use, depth - 1)
            return text[::-1] if text is not None and _reverses(node.slice) else None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            text = self._text(node.func.value, use, depth - 1)
            if text is not None and node.func.attr in ("lower", "upper", "strip") and not node.args:
                return {"lower": text.lower, "upper": text.upper, "strip": text.strip}[node.func.attr]()
            if text is not None and node.func.attr == "join" and len(node.args) == 1:
                parts = node.args[0]
                if isinstance(parts, ast.List | ast.Tuple) and len(parts.elts) <= _BINDINGS:
                    return self._joined(parts.elts, text, use, depth)
        return None

    def _joined(self, nodes: Iterable[ast.expr], between: str, use: Use, depth: int) -> str | None:
        parts: list[str] = []
        for node in nodes:
            part = self._text(node, use, depth - 1)
            if part is None:
                return None
            parts.append(part)
        return between.join(parts)


_IMPORTERS = frozenset({"builtins.__import__", "importlib.import_module", "importlib.__import__"})
