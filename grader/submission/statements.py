"""A statement at the top of a notebook's cell: the names that it gives a meaning to, and those that it needs."""

from __future__ import annotations

import ast
import symtable
import warnings
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["Statement", "statement_of"]

_COMPREHENSIONS = frozenset({"listcomp", "setcomp", "dictcomp", "genexpr"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = _Function | ast.ClassDef
_Binding = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | ast.AugAssign
_Compound = ast.If | ast.Try | ast.TryStar | ast.With


@dataclass(eq=False)
class Statement:
    """A statement at the top of a cell that gives a name its meaning.

    `binds`: the names that it gives a meaning to. `defines`: those of them that are functions or classes.
    `changes`: names whose attribute or item it sets. `may_not`: whether it may leave them as they were.
    """

    cell: int
    node: ast.stmt
    text: str
    binds: set[str] = field(default_factory=set)
    defines: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    may_not: bool = False

    @cached_property
    def needs(self) -> tuple[set[str], set[str]]:
        """The names that it needs when it runs, and those that its functions need when they are called."""
        now: set[str] = set(self.binds) if isinstance(self.node, ast.AugAssign) else set()
        later: set[str] = set()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                top = symtable.symtable(self.text, "cell", "exec")
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return now, later  # the worker will meet the same error, and report it
        now.update(symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced())
        waiting = [(child, _is_called_later(child)) for child in top.get_children()]
        while waiting:
            table, deferred = waiting.pop()
            (later if deferred else now).update(
                symbol.get_name()
                for symbol in table.get_symbols()
                if symbol.is_global() and symbol.is_referenced()
            )
            waiting.extend((child, deferred or _is_called_later(child)) for child in table.get_children())
        return now, later


def _is_called_later(table: symtable.SymbolTable) -> bool:
    return table.get_type() == "function" and table.get_name() not in _COMPREHENSIONS


def statement_of(cell: int, node: ast.stmt, lines: list[bytes]) -> Statement:
    """The statement at a node; `lines` are those of its cell, as UTF-8."""
    statement = Statement(cell, node, _text_of(node, lines))
    _bind(node, statement)
    return statement


def _text_of(node: ast.stmt, lines: list[bytes]) -> str:
    first, start = node.lineno, node.col_offset
    if isinstance(node, _Definition) and node.decorator_list:
        first, start = min(decorator.lineno for decorator in node.decorator_list), 0
        while first > 1 and lines[first - 2].endswith(b"\\"):
            first -= 1
    end_line, end = node.end_lineno or node.lineno, node.end_col_offset
    if first == end_line:
        return lines[first - 1][start:end].decode()
    return b"\n".join(
        (lines[first - 1][start:], *lines[first : end_line - 1], lines[end_line - 1][:end])
    ).decode()


def _bind(node: ast.stmt, statement: Statement) -> None:
    if isinstance(node, _Definition):
        statement.binds.add(node.name)
        statement.defines.add(node.name)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        statement.binds.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            _bind_target(target, statement)
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Lambda):
                statement.defines.add(target.id)
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        if node.value is not None:
            _bind_target(node.target, statement)
    elif isinstance(node, _Compound):
        statement.may_not = not isinstance(node, ast.With)
        for inner in _inner_statements(node):
            _bind(inner, statement)
    elif type(node).__name__ == "TypeAlias":  # from Python 3.12 on
        statement.binds.update(name.id for name in ast.walk(node) if isinstance(name, ast.Name))


def _bind_target(target: ast.expr, statement: Statement) -> None:
    waiting = [target]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Name):
            statement.binds.add(part.id)
        elif isinstance(part, ast.Tuple | ast.List):
            waiting.extend(part.elts)
        elif isinstance(part, ast.Starred):
            waiting.append(part.value)
        else:
            while isinstance(part, ast.Attribute | ast.Subscript):
                part = part.value
            if isinstance(part, ast.Name):
                statement.changes.add(part.id)


def _inner_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """The simple statements and definitions in a compound one, loops left out."""
    waiting = deque(ast.iter_child_nodes(node))
    while waiting:
        inner = waiting.popleft()
        if isinstance(inner, _Definition | _Binding):
            yield inner
        elif isinstance(inner, _Compound | ast.ExceptHandler):
            waiting.extend(ast.iter_child_nodes(inner))
