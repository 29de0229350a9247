"""One-change mutants of a reference: what the hidden suite must tell from it.

A mutant is the reference with one thing changed between its markers: an operator swapped, a constant moved,
a keyword or a statement dropped, the result cut from its graph. A suite that passes one has a hole, unless
the mutant computes the same as the reference; then `exercise.toml` lists its key with the reason.

Where two changes come to the same, one is made: `keepdim=True` is made False and not dropped as well, an `if`
of one statement is forced False and the statement not deleted as well. What a suite on a CPU cannot see, such
as `device=`, is left alone, and so are annotations and the words of messages.
"""

from __future__ import annotations

import ast
import copy
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from grader.course.stub import _Block, _find_blocks, parse

__all__ = ["Mutant", "mutants_of"]

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_DefinitionNode = _FunctionNode | ast.ClassDef
_Node = TypeVar("_Node", bound=ast.AST)


@dataclass(frozen=True)
class Mutant:
    """The reference with one change.

    `line` is that of the change in the reference. `before` and `after` are the changed statement on one line
    each, of a compound one its head. `key` names the mutant by function and statement, so that it outlives
    changes elsewhere in the file. `source` is a complete module.
    """

    operator: str
    line: int
    before: str
    after: str
    key: str
    source: str


def mutants_of(reference_source: str) -> tuple[Mutant, ...]:
    """The mutants of a reference, statement by statement, each different from it and from all others.

    Beyond the marked regions only the defaults of the marked functions are changed. The keys are what
    `ast.unparse` writes, which may differ in small things between versions of Python.

    Raises:
        CourseError: the source is not Python, or its markers do not match.
    """
    tree = parse(reference_source, "reference.py")
    changes = list(_Changes(tree, _find_blocks(reference_source, "reference.py")))
    seen = {ast.unparse(tree)}
    times: dict[str, int] = {}
    mutants: list[Mutant] = []
    for change in changes:
        before = change.text()
        with change:
            after = change.text()
            source = ast.unparse(tree)
        if source in seen or not _compiles(source):
            continue
        seen.add(source)
        key = f"{change.function}: {before} -> {after}"
        times[key] = times.get(key, 0) + 1
        if times[key] > 1:
            key += f" #{times[key]}"
        source = "\n\n\n".join([source, *(text for name, text in _INJECTED.items() if f"{name}(" in source)])
        mutants.append(Mutant(change.operator, change.line, before, after, key, source + "\n"))
    return tuple(mutants)


def _compiles(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a moved constant may make an `is` with a literal, say
        try:
            compile(source, "mutant", "exec", dont_inherit=True)
        except SyntaxError:
            return False
    return True


# ---- what is put round a result

_DETACHED, _HALVED = "_mutant_detached", "_mutant_halved"

_OVER_A_NEST = """\
def {name}(value):
    import torch

    if isinstance(value, torch.Tensor):
        return {changed}
    if isinstance(value, tuple):
        items = [{name}(item) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if type(value) is list:
        return [{name}(item) for item in value]
    if type(value) is dict:
        return {{key: {name}(item) for key, item in value.items()}}
    return value"""

_INJECTED = {
    _DETACHED: _OVER_A_NEST.format(name=_DETACHED, changed="value.detach()"),
    _HALVED: _OVER_A_NEST.format(
        name=_HALVED,
        changed="value.to(torch.float16).to(value.dtype) if value.is_floating_point() else value",
    ),
}
"""Functions of these names map over a result, whatever it is, and leave what is no tensor alone."""


# ---- a place in the tree, and a change to it


@dataclass(frozen=True)
class _Place:
    """Where a node hangs: in a field of its parent, and where that is a list, at an index."""

    parent: ast.AST
    name: str
    index: int | None = None

    @property
    def node(self) -> ast.AST:
        held = getattr(self.parent, self.name)
        return cast(ast.AST, held if self.index is None else held[self.index])

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.name, node)
        else:
            getattr(self.parent, self.name)[self.index] = node


@dataclass
class _Change:
    """A node to put in the place of another; as a context manager it does so for a while.

    `shown` is the place whose text tells the reader what changed, `label` what stands before that text.
    """

    operator: str
    function: str
    place: _Place
    replacement: ast.AST
    shown: _Place
    label: str = ""
    original: ast.AST = field(init=False)

    def __post_init__(self) -> None:
        self.original = self.place.node

    @property
    def line(self) -> int:
        node = self.original if hasattr(self.original, "lineno") else self.shown.node
        return cast(int, getattr(node, "lineno", 0))

    def text(self) -> str:
        return self.label + _one_line(self.shown.node)

    def __enter__(self) -> None:
        self.place.put(self.replacement)

    def __exit__(self, *_: object) -> None:
        self.place.put(self.original)


def _one_line(node: ast.AST) -> str:
    """The node's source; of a compound statement its head, and of what is raised not the message."""
    shown = copy.copy(node)
    for name in ("body", "orelse", "cases"):
        if isinstance(getattr(shown, name, None), list):
            setattr(shown, name, [])
    if isinstance(shown, ast.Raise) and isinstance(shown.exc, ast.Call):
        shown.exc = ast.Call(shown.exc.func, [ast.Constant(...)], [])
    return " ".join(line.strip() for line in ast.unparse(shown).splitlines())


# ---- where changes are made


@dataclass(frozen=True)
class _Scope:
    """What an operator may want to know of the function that it works in.

    `imported`: names that imports bind, to tell `torch.sqrt(x)` from `x.sqrt()`. `classes`: those that the
    module defines and that are no tuples. `strings`: the function's options ("mean", "sum"); `described`:
    those that its docstring names.
    """

    imported: frozenset[str]
    classes: frozenset[str]
    name: str = "module"
    function: _FunctionNode | None = None
    owner: ast.ClassDef | None = None
    strings: tuple[str, ...] = ()
    described: tuple[str, ...] = ()

    @classmethod
    def of_module(cls, tree: ast.Module) -> _Scope:
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names]
        classes = [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and not any(_leaf(base) == "NamedTuple" for base in node.bases)
        ]
        return cls(frozenset(names), frozenset(classes))

    def inside(self, node: _DefinitionNode) -> _Scope:
        at_the_top = self.function is None and self.owner is None
        name = node.name if at_the_top else f"{self.name}.{node.name}"
        described = (*self.described, *re.findall(r"""["'](\w+)["']""", ast.get_docstring(node) or ""))
        if isinstance(node, ast.ClassDef):
            return _Scope(self.imported, self.classes, name, None, node, (), described)
        owner = self.owner if self.function is None else None
        strings = tuple(dict.fromkeys(_options(node)))
        return _Scope(self.imported, self.classes, name, node, owner, strings, described)

    def is_function(self, callee: ast.expr) -> bool:
        """Whether the call's first argument is the operand, as in `torch.sqrt(x)`, unlike in `x.sqrt()`."""
        root = callee
        while isinstance(root, ast.Attribute):
            root = root.value
        return root is callee or (isinstance(root, ast.Name) and root.id in self.imported)

    def operand(self, call: ast.Call) -> ast.expr | None:
        """What the call works on, be it written as a function or as a method."""
        if self.is_function(call.func):
            return call.args[0] if call.args and not isinstance(call.args[0], ast.Starred) else None
        return call.func.value if isinstance(call.func, ast.Attribute) else None


class _Changes:
    """All changes to a tree, statement by statement; within one, from the outside in."""

    def __init__(self, tree: ast.Module, blocks: Sequence[_Block]) -> None:
        self._tree = tree
        self._blocks = blocks

    def __iter__(self) -> Iterator[_Change]:
        yield from self._statements(self._tree, _Scope.of_module(self._tree))

    def _marked(self, node: ast.stmt) -> bool:
        return any(block.holds(node) for block in self._blocks)

    def _has_mark(self, node: ast.stmt) -> bool:
        last = node.end_lineno or node.lineno
        return any(node.lineno < block.begins <= last for block in self._blocks)

    def _statements(self, parent: ast.AST, scope: _Scope) -> Iterator[_Change]:
        for place in _children(parent):
            node = place.node
            if isinstance(node, _DefinitionNode):
                inner = scope.inside(node)
                if isinstance(node, _FunctionNode) and (self._marked(node) or self._has_mark(node)):
                    yield from self._defaults(node, inner)
                yield from self._statements(node, inner)
            elif isinstance(node, ast.stmt):
                if self._marked(node):
                    for operator, statement in _changed_statements(place, scope):
                        yield _Change(operator, scope.name, place, statement, place)
                    yield from self._expressions(node, scope, place)
                yield from self._statements(node, scope)
            elif isinstance(node, ast.ExceptHandler | ast.match_case):
                yield from self._statements(node, scope)

    def _expressions(self, parent: ast.AST, scope: _Scope, shown: _Place) -> Iterator[_Change]:
        for place in _children(parent):
            node = place.node
            if isinstance(node, ast.stmt | ast.ExceptHandler):
                continue
            if isinstance(node, ast.expr):
                for operator, expression in _changed_expressions(place, scope):
                    yield _Change(operator, scope.name, place, expression, shown)
                if _number(node) is not None or _is_infinity(node):
                    continue
            yield from self._expressions(node, scope, place if isinstance(node, ast.match_case) else shown)

    def _defaults(self, function: _FunctionNode, scope: _Scope) -> Iterator[_Change]:
        """A default is part of the contract, although it stands in the signature, outside of the markers."""
        arguments = function.args
        positional = [*arguments.posonlyargs, *arguments.args]
        with_default = positional[len(positional) - len(arguments.defaults) :]
        places = [(name.arg, _Place(arguments, "defaults", index)) for index, name in enumerate(with_default)]
        places += [
            (name.arg, _Place(arguments, "kw_defaults", index))
            for index, name in enumerate(arguments.kwonlyargs)
            if arguments.kw_defaults[index] is not None
        ]
        for name, place in places:
            for operator, value in _changed_constants(place.node, scope):
                yield _Change(operator, scope.name, place, value, place, label=f"{name}=")


_NO_CODE = {"annotation", "returns", "decorator_list", "type_params", "ctx"}


def _children(parent: ast.AST) -> Iterator[_Place]:
    """Where the nodes hang that changes may touch: no annotations, no words of messages, no devices."""
    if isinstance(parent, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom) or _is_text(parent):
        return
    for name, held in ast.iter_fields(parent):
        if name in _NO_CODE or (isinstance(parent, ast.Assert) and name == "msg"):
            continue
        if isinstance(held, ast.AST):
            yield _Place(parent, name)
        elif isinstance(held, list):
            places = [_Place(parent, name, at) for at, item in enumerate(held) if isinstance(item, ast.AST)]
            yield from filter(_is_seen, places) if isinstance(parent, ast.Call) else places


def _is_seen(place: _Place) -> bool:
    """Whether a suite can see an argument of a call: messages and types are words, a CPU has one device.

    `zip(..., strict=True)` guards against the caller, not against a mistake in the solution.
    """
    call = cast(ast.Call, place.parent)
    name = _leaf(call.func)
    if place.name == "keywords":
        keyword = cast(ast.keyword, place.node).arg
        return keyword != "device" and not (name == "zip" and keyword == "strict")
    return not (name == "warn" or (name == "cast" and place.index == 0))


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _options(node: ast.AST) -> Iterator[str]:
    """The strings in a function that look like options or keys, in their order."""
    for place in _children(node):
        if _is_infinity(place.node):
            continue
        if _is_option(place.node):
            yield cast(str, cast(ast.Constant, place.node).value)
        yield from _options(place.node)


def _is_option(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.isidentifier()
        and node.value not in {"cpu", "cuda", "inf", "nan"}
    )


# ---- reading nodes


def _leaf(node: ast.AST | None) -> str:
    """The last name of a dotted one: `sqrt` of `torch.sqrt` and of `(x + 1).sqrt`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _number(node: ast.AST) -> int | float | None:
    """The value of a written number, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _number(node.operand) if isinstance(node.operand, ast.Constant) else None
        return None if value is None else -value
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return cast(float, node.value)
    return None


def _written(value: int | float) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _is_infinity(node: ast.AST) -> bool:
    """`math.inf`, `torch.inf`, `float("inf")`, with a minus or without."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return _is_infinity(node.operand)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
        return [getattr(argument, "value", None) for argument in node.args] in (["inf"], ["-inf"])
    return _leaf(node) == "inf"


def _plus(expression: ast.expr, difference: int) -> ast.expr:
    operator = ast.Add() if difference > 0 else ast.Sub()
    return ast.BinOp(expression, operator, ast.Constant(abs(difference)))


def _without(items: Sequence[_Node], index: int) -> list[_Node]:
    return [item for position, item in enumerate(items) if position != index]


def _swapped(items: Sequence[_Node], first: int, second: int) -> list[_Node]:
    result = list(items)
    result[first], result[second] = result[second], result[first]
    return result


def _rebuilt(node: _Node, **fields: object) -> _Node:
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


# ---- statements

_Changed = tuple[str, ast.AST]


def _changed_statements(place: _Place, scope: _Scope) -> Iterator[_Changed]:
    node = place.node
    match node:
        case ast.Return(value=value):
            if value is not None and not _is_none(value):
                yield "return None", ast.Return(ast.Constant(None))
            elif scope.function is not None and node is not scope.function.body[-1]:
                yield "delete statement", ast.Pass()
        case ast.Break():
            yield "swap break and continue", ast.Continue()
        case ast.Continue():
            yield "swap break and continue", ast.Break()
        case ast.With(items=items) | ast.AsyncWith(items=items):
            yield from _with_unwrapped(node, items)
        case ast.AugAssign(target=target, op=operator, value=value):
            if type(operator) in _SWAPPED_OPERATORS:
                yield "swap operator", _rebuilt(node, op=_SWAPPED_OPERATORS[type(operator)]())
            yield "drop accumulation", ast.Assign([target], value, lineno=node.lineno)
        case ast.Assign(value=ast.BinOp() as value):
            yield "add minus", _rebuilt(node, value=ast.UnaryOp(ast.USub(), value))
    if _is_deletable(place):
        yield "delete statement", ast.Pass()


def _with_unwrapped(node: ast.With | ast.AsyncWith, items: list[ast.withitem]) -> Iterator[_Changed]:
    for index, item in enumerate(items):
        if item.optional_vars is None:
            rest = _without(items, index)
            bare = ast.If(ast.Constant(True), node.body, [])
            yield "drop with", _rebuilt(node, items=rest) if rest else bare


def _is_deletable(place: _Place) -> bool:
    """Whether deleting the statement is more than what another change does already."""
    node, parent = place.node, place.parent
    if isinstance(parent, ast.If) and len(parent.body) == 1 and not parent.orelse:
        return False  # the condition is forced False
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        return len(node.body) > 1
    if isinstance(node, ast.Delete):
        return not all(isinstance(target, ast.Name) for target in node.targets)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    return isinstance(node, ast.Assign | ast.AugAssign | ast.Raise | ast.Assert | ast.Break | ast.Continue)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


# ---- expressions

_SWAPPED_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}

_MOVED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}

_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _changed_expressions(place: _Place, scope: _Scope) -> Iterator[_Changed]:
    yield from _forced_conditions(place)
    yield from _changed_results(place, scope)
    node = place.node
    yield from _changed_constants(node, scope)
    match node:
        case ast.BinOp(op=operator) if type(operator) in _SWAPPED_OPERATORS:
            yield "swap operator", _rebuilt(node, op=_SWAPPED_OPERATORS[type(operator)]())
        case ast.Compare():
            yield from _changed_comparisons(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield "swap and with or", _rebuilt(node, op=other)
            for index in range(len(node.values)):
                rest = _without(node.values, index)
                yield "drop operand", _rebuilt(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(op=operator, operand=operand):
            name = {ast.Not: "drop not", ast.USub: "drop minus", ast.Invert: "drop ~"}
            if type(operator) in name and _number(node) is None:  # a number's sign is the constant's affair
                yield name[type(operator)], operand
        case ast.Attribute(value=value, attr="T" | "mT" | "H" | "mH", ctx=ast.Load()):
            yield "drop transposition", value
        case ast.Call():
            yield from _changed_calls(place, node, scope)


def _changed_constants(node: ast.AST, scope: _Scope) -> Iterator[_Changed]:
    number = _number(node)
    if isinstance(number, int):
        yield "move constant", _written(number + 1)
        yield "move constant", _written(number - 1)
        if number < 0:
            yield "drop minus", _written(-number)
    elif number is not None and number == 0.0:
        yield "move constant", _written(1.0)
    elif number is not None:
        yield "scale constant", _written(2 * number)
        yield "flip sign", _written(-number)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "flip boolean", ast.Constant(not node.value)
    elif _is_infinity(node) and not isinstance(node, ast.UnaryOp):
        yield "flip sign", ast.UnaryOp(ast.USub(), cast(ast.expr, node))
    elif _is_option(node):
        value = cast(str, cast(ast.Constant, node).value)
        other = _other_option(value, scope.strings) or _other_option(value, scope.described)
        if other is not None:
            yield "swap string", ast.Constant(other)


def _other_option(value: str, options: Sequence[str]) -> str | None:
    """The option after this one, the first after the last; None where there is no other."""
    others = list(dict.fromkeys(options))
    if value in others:
        index = others.index(value)
        others = others[index + 1 :] + others[:index]
    return others[0] if others else None


def _changed_comparisons(node: ast.Compare) -> Iterator[_Changed]:
    for name, table in (("move comparison", _MOVED), ("negate comparison", _NEGATED)):
        for index, operator in enumerate(node.ops):
            if type(operator) in table:
                ops = [*node.ops[:index], table[type(operator)](), *node.ops[index + 1 :]]
                yield name, _rebuilt(node, ops=ops)


def _forced_conditions(place: _Place) -> Iterator[_Changed]:
    """A `while` is left alone: forced True it never ends, and forced False it is deleted."""
    node, parent = place.node, place.parent
    if (isinstance(parent, ast.If) and place.name == "test") or (
        isinstance(parent, ast.comprehension) and place.name == "ifs"
    ):
        yield "force condition", ast.Constant(True)
        yield "force condition", ast.Constant(False)
    if isinstance(node, ast.IfExp):
        yield "force condition", node.body
        yield "force condition", node.orelse


# ---- results

_NO_TENSORS = {
    "bool", "int", "float", "complex", "str", "bytes", "None", "Size", "dtype", "device", "Callable",
    "Literal", "Module", "Optimizer", "Sequence", "Iterator", "Iterable", "Generator", "Self",
}  # fmt: skip
"""Types that neither are a tensor nor, by themselves, hold one."""

_NOT_NEGATED = {
    "bool", "str", "list", "tuple", "dict", "Callable", "Iterator", "Generator", "Module", "Optimizer"
}  # fmt: skip
"""Types that a minus only makes fail."""

_PYTHON_NUMBERS = {"int", "float", "bool", "len", "item", "tolist"}
"""Calls that make no tensor."""

_EXACT = {
    "zeros", "zeros_like", "new_zeros", "ones", "ones_like", "new_ones", "argmax", "argmin", "argsort",
    "nonzero", "long", "isnan", "isfinite", "isinf",
}  # fmt: skip
"""Calls whose result carries no graph and survives half precision."""


def _changed_results(place: _Place, scope: _Scope) -> Iterator[_Changed]:
    """What a function returns or yields, cut from its graph, rounded, or with its sign changed."""
    if not isinstance(place.parent, ast.Return | ast.Yield) or _is_plain(place.node):
        return
    result = cast(ast.expr, place.node)
    annotation = scope.function.returns if scope.function is not None else None
    call = _leaf(result.func) if isinstance(result, ast.Call) else ""
    if _may_hold_tensor(annotation, scope) and call not in _PYTHON_NUMBERS | _EXACT:
        if call != "detach" and not _runs_without_graph(scope):
            yield "detach result", ast.Call(ast.Name(_DETACHED), [result], [])
        yield "round result to half", ast.Call(ast.Name(_HALVED), [result], [])
    if isinstance(result, ast.Tuple | ast.List):
        for index, item in enumerate(result.elts):
            if _is_negatable(item):
                items = [*result.elts[:index], ast.UnaryOp(ast.USub(), item), *result.elts[index + 1 :]]
                yield "add minus", _rebuilt(result, elts=items)
    elif isinstance(place.parent, ast.Return) and _is_negatable(result):
        root = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        if _leaf(root) not in _NOT_NEGATED:
            yield "add minus", ast.UnaryOp(ast.USub(), result)


def _is_plain(node: ast.AST) -> bool:
    """Whether a result is written so that it can be no tensor of numbers."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not) or _number(node) is not None
    return isinstance(node, ast.Constant | ast.Lambda | ast.Compare | ast.JoinedStr | ast.Starred)


def _is_negatable(node: ast.expr) -> bool:
    """Whether a minus before it can be more than an error, or than a zero or a minus taken away."""
    if isinstance(node, ast.Call) and _leaf(node.func) in {"zeros", "zeros_like", "new_zeros"}:
        return False
    no_number = ast.UnaryOp | ast.Dict | ast.ListComp | ast.DictComp | ast.BoolOp
    return not _is_plain(node) and not isinstance(node, no_number)


def _runs_without_graph(scope: _Scope) -> bool:
    """Whether autograd records nothing there, so that there is nothing to detach: in a Function's forward."""
    return (
        scope.owner is not None
        and scope.function is not None
        and scope.function.name == "forward"
        and any(_leaf(base) == "Function" for base in scope.owner.bases)
    )


def _may_hold_tensor(annotation: ast.AST | None, scope: _Scope) -> bool:
    """Whether a result with this annotation can be a tensor or hold one; what is unknown can."""
    match annotation:
        case ast.Constant(value=str() as text):
            return _may_hold_tensor(ast.parse(text, mode="eval").body, scope)
        case ast.Constant():
            return False
        case ast.Name() | ast.Attribute():
            return _leaf(annotation) not in _NO_TENSORS | scope.classes
        case ast.Subscript(value=value, slice=inner):
            return _leaf(value) not in {"Callable", "Literal"} and _may_hold_tensor(inner, scope)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return any(_may_hold_tensor(item, scope) for item in items)
        case ast.BinOp(left=left, right=right):
            return _may_hold_tensor(left, scope) or _may_hold_tensor(right, scope)
    return True


# ---- calls


def _both_ways(*pairs: tuple[str, str]) -> dict[str, str]:
    return {one: other for pair in pairs for one, other in (pair, pair[::-1])}


_SWAPPED_BUILTINS = _both_ways(("max", "min"), ("any", "all"))

_SWAPPED_NAMES = {
    **_SWAPPED_BUILTINS,
    **_both_ways(
        ("amax", "amin"), ("maximum", "minimum"), ("argmax", "argmin"), ("clamp_min", "clamp_max"),
        ("sum", "mean"), ("cumsum", "cumprod"), ("var", "std"), ("add", "sub"), ("add_", "sub_"),
        ("mul", "div"), ("mul_", "div_"), ("addcmul", "addcdiv"), ("addcmul_", "addcdiv_"), ("exp", "expm1"),
        ("log", "log2"), ("ceil", "floor"), ("sin", "cos"), ("tanh", "sigmoid"), ("zeros", "ones"),
        ("zeros_like", "ones_like"), ("new_zeros", "new_ones"), ("triu", "tril"),
        ("logical_and", "logical_or"), ("eq", "ne"), ("lt", "le"), ("gt", "ge"),
    ),
    "relu": "abs",
    "log1p": "log",
    "log10": "log",
    "rsqrt": "sqrt",
    "round": "floor",
    "scatter_add": "scatter",
    "scatter_add_": "scatter_",
    "index_add": "index_copy",
    "index_add_": "index_copy_",
}  # fmt: skip

_DROPPED = {
    "sqrt", "rsqrt", "exp", "expm1", "log", "log1p", "log2", "abs", "pow", "square", "neg", "reciprocal",
    "sigmoid", "tanh", "relu", "clamp", "clamp_min", "clamp_max", "nan_to_num", "softmax", "floor", "ceil",
    "round", "masked_fill", "triu", "tril", "flip", "detach", "detach_", "clone", "contiguous", "float",
    "double", "half", "to", "type", "type_as", "long", "int", "bool", "requires_grad_", "t", "transpose",
    "reversed", "sorted",
}  # fmt: skip
"""Calls that give way to what they work on."""

_CASTS = {"float", "int", "bool", "type"}
"""Methods of tensors. As builtins of these names they make a Python number, which is more than a cast."""

_WITH_DIM = {
    "sum", "mean", "prod", "amax", "amin", "argmax", "argmin", "var", "std", "any", "all", "norm", "sort",
    "argsort",
}  # fmt: skip
"""Reductions and the like that mean something else without a dim, rather than nothing."""

_ORDERLESS = {
    "max", "min", "maximum", "minimum", "add", "add_", "mul", "mul_", "multiply", "logaddexp", "hypot", "gcd",
    "equal", "allclose", "isclose", "logical_and", "logical_or", "logical_xor", "eq", "ne", "dot",
    "broadcast_shapes", "transpose", "swapaxes", "swapdims",
}  # fmt: skip
"""Calls that mean the same with their two arguments swapped, or their two dims."""

_NOT_SWAPPED = _ORDERLESS | _WITH_DIM | {
    "isinstance", "issubclass", "getattr", "setattr", "hasattr", "where", "masked_fill", "masked_fill_",
    "einsum", "softmax", "log_softmax", "logsumexp", "unsqueeze", "squeeze", "gather", "scatter", "scatter_",
    "scatter_add", "scatter_add_", "index_select", "index_add", "index_add_", "take_along_dim", "full_like",
    "flatten", "register_buffer",
}  # fmt: skip
"""The orderless, and those that only fail."""


def _changed_calls(place: _Place, call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    yield from _with_function_swapped(call, scope)
    # Of a call that is a statement nothing would be left: that is a deletion.
    if not isinstance(place.parent, ast.Expr):
        yield from _with_call_dropped(call, scope)
    yield from _with_arguments_swapped(call, scope)
    yield from _with_branches_swapped(call, scope)
    yield from _with_bounds_swapped(call, scope)
    yield from _with_keyword_dropped(call)
    yield from _with_dim_dropped(call, scope)
    yield from _with_bound_moved(call)


def _with_function_swapped(call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    match call.func:
        case ast.Name(id=name) if name in _SWAPPED_BUILTINS:
            yield "swap function", _rebuilt(call, func=ast.Name(_SWAPPED_BUILTINS[name]))
        case ast.Attribute(value=value, attr=name) if name in _SWAPPED_NAMES:
            other = _SWAPPED_NAMES[name]
            if not (name == "relu" and scope.is_function(call.func) and _leaf(value) != "torch"):
                yield "swap function", _rebuilt(call, func=_rebuilt(call.func, attr=other))


def _with_call_dropped(call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    name = _leaf(call.func)
    operand = scope.operand(call)
    if name not in _DROPPED or operand is None:
        return
    if isinstance(call.func, ast.Name) and name in _CASTS:
        return
    if name == "to" and all(map(_is_device, [*call.args, *(keyword.value for keyword in call.keywords)])):
        return
    yield "drop call", operand


def _is_device(node: ast.expr) -> bool:
    return "device" in _leaf(node) or (isinstance(node, ast.Constant) and node.value in ("cpu", "cuda"))


def _with_arguments_swapped(call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    if len(call.args) < 2 or any(isinstance(argument, ast.Starred) for argument in call.args[:2]):
        return
    first, second = call.args[:2]
    name = _leaf(call.func)
    if name in _NOT_SWAPPED or _is_clamp(call):
        return
    # `torch.cat([a, b], 0)`: the other way round it only fails.
    sequence = ast.List | ast.Tuple | ast.ListComp | ast.GeneratorExp
    if isinstance(first, sequence) != isinstance(second, sequence):
        return
    yield "swap arguments", _rebuilt(call, args=_swapped(call.args, 0, 1))


def _with_branches_swapped(call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    if _leaf(call.func) != "where":
        return
    if scope.is_function(call.func) and len(call.args) == 3:
        yield "swap branches", _rebuilt(call, args=_swapped(call.args, 1, 2))
    elif isinstance(call.func, ast.Attribute) and not scope.is_function(call.func) and len(call.args) == 2:
        condition, other = call.args
        func = _rebuilt(call.func, value=other)
        yield "swap branches", _rebuilt(call, func=func, args=[condition, call.func.value])


def _is_clamp(call: ast.Call) -> bool:
    return _leaf(call.func) in {"clamp", "clamp_", "clip", "clip_"}


def _with_bounds_swapped(call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    if not _is_clamp(call):
        return
    low = 1 if scope.is_function(call.func) else 0
    if len(call.args) == low + 2:
        yield "swap bounds", _rebuilt(call, args=_swapped(call.args, low, low + 1))
    elif len(call.args) == low + 1 and not call.keywords:
        bound = ast.keyword("max", call.args[low])
        yield "swap bounds", _rebuilt(call, args=call.args[:low], keywords=[bound])
    if any(keyword.arg in ("min", "max") for keyword in call.keywords):
        other = {"min": "max", "max": "min"}
        keywords = [
            _rebuilt(keyword, arg=other.get(keyword.arg or "", keyword.arg)) for keyword in call.keywords
        ]
        yield "swap bounds", _rebuilt(call, keywords=keywords)


def _with_keyword_dropped(call: ast.Call) -> Iterator[_Changed]:
    for index, keyword in enumerate(call.keywords):
        if keyword.arg is None or not _is_seen(_Place(call, "keywords", index)):
            continue
        if isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool):
            continue  # it is flipped
        rest = _without(call.keywords, index)
        if keyword.arg == "dim" and _leaf(call.func) in _WITH_DIM:
            rest = _without_keepdim(rest)
        if not (_is_clamp(call) and not rest):
            yield "drop keyword", _rebuilt(call, keywords=rest)


def _without_keepdim(keywords: Sequence[ast.keyword]) -> list[ast.keyword]:
    """Without a dim, most reductions take no keepdim either: it would be an error, not a wrong answer."""
    return [keyword for keyword in keywords if keyword.arg != "keepdim"]


def _with_dim_dropped(call: ast.Call, scope: _Scope) -> Iterator[_Changed]:
    operands = 1 if scope.is_function(call.func) else 0
    if isinstance(call.func, ast.Attribute) and call.func.attr in _WITH_DIM and len(call.args) > operands:
        keywords = _without_keepdim(call.keywords)
        yield "drop dim", _rebuilt(call, args=call.args[:operands], keywords=keywords)


def _with_bound_moved(call: ast.Call) -> Iterator[_Changed]:
    """The ends of a range; where they are numbers they are moved as such."""
    if _leaf(call.func) not in {"range", "arange"}:
        return
    for index, argument in enumerate(call.args[:2]):
        if _number(argument) is None and not isinstance(argument, ast.Starred):
            for difference in (1, -1):
                args = [*call.args[:index], _plus(argument, difference), *call.args[index + 1 :]]
                yield "move bound", _rebuilt(call, args=args)
