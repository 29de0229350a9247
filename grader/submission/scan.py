"""Looking through a source for what the exercise forbids, and for ways round the grader.

It reads the tree and runs nothing. What it finds is evidence for a human, not a grade and not a proof: it
sees the ordinary ways to call what is forbidden, whatever it was imported as.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator

from grader.course.load import Exercise
from grader.errors import one_line
from grader.result import Finding
from grader.submission.decoding import line_of_too_many_marks
from grader.submission.families import Forbidden, forbidden_names
from grader.submission.hatches import HATCH_ATTRIBUTES, HATCHES, NO_HATCHES
from grader.submission.names import GETTERS, Names, attributes_of, namespace_of
from grader.submission.scopes import Source, Use, take_apart

__all__ = ["scan"]

_FINDINGS = 50
_NAME_CHARACTERS = 80

_TAKES_OVER = frozenset({"__torch_function__", "__torch_dispatch__"})

# Settings that are meant to be set.
_SETTINGS = ("torch.backends.",)

_RUNS_TEXT = frozenset({"builtins.exec", "builtins.eval", "builtins.compile", "torch.jit.CompilationUnit"})
_IMPORTS = 64
_TEXTS, _TEXTS_IN_TEXTS = 64, 3
"""Texts that are run, in all and inside each other: each may be long, and be run many times over."""
_ASKS_FOR_AN_ATTRIBUTE = frozenset({"__getattribute__", "__getattr__"})
_ASKS_A_NAMESPACE = frozenset({"get", "pop", "setdefault", "__getitem__"})
_GETTERS = frozenset({"operator.attrgetter", "operator.methodcaller"})
_SETTERS = frozenset({"builtins.setattr", "builtins.delattr"})


def scan(source: str, exercise: Exercise) -> tuple[Finding, ...]:
    """What a human should look at in an answer, by its lines; nothing where the source is no Python.

    The kinds are `forbidden_call`, `escape_hatch`, and `not_scanned` for a source that is too much for it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on a student's "\d", say: it is nothing to us
            tree = _parsed(source)
        found = take_apart(tree, exercise.names)
        findings = list(_Scan(found, forbidden_names(exercise.forbidden)).findings(exercise.names))
    except (SyntaxError, ValueError):
        return ()
    except (RecursionError, MemoryError):
        return (Finding(kind="not_scanned", message="could not be scanned: it is nested too deeply"),)
    # What costs marks is not to be crowded out by what does not.
    findings.sort(key=lambda finding: (finding.kind != "forbidden_call", finding.line or 0))
    return tuple(sorted(findings[:_FINDINGS], key=lambda finding: finding.line or 0))


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except RecursionError:
        # The student's process has fewer calls on its stack, and takes what is nested a little deeper.
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(2 * limit)
        try:
            return ast.parse(source)
        finally:
            sys.setrecursionlimit(limit)


class _Scan:
    def __init__(
        self, source: Source, forbidden: Forbidden, inside: int = 0, texts_left: list[int] | None = None
    ) -> None:
        self._inside = inside
        self._texts_left = [_TEXTS] if texts_left is None else texts_left  # shared with what is inside
        self._source = source
        self._names = Names(source)
        self._forbidden = forbidden
        self._seen: set[tuple[str, str, int]] = set()

    def findings(self, asked: tuple[str, ...]) -> Iterator[Finding]:
        for use in self._source.uses:
            match use.node:
                case ast.Name() as node:
                    yield from self._looked_up(node, use)
                case ast.Attribute() as node:
                    yield from self._attribute(node, use)
                case ast.Call() as node:
                    yield from self._call(node, use)
                case ast.Subscript() as node:
                    yield from self._item(node, use)
                case ast.ImportFrom(module=str(module), names=[ast.alias(name="*")]) as node:
                    yield from self._hatch(module, node.lineno)
                case ast.ClassDef() as node:
                    yield from self._class(node)
        for name in asked:
            for dotted, line in self._names.handed_in(name):
                yield from self._forbidden_name(dotted, line, "hands in")

    def _looked_up(self, node: ast.expr, use: Use) -> Iterator[Finding]:
        for dotted in sorted(self._names.dotted(node, use)):
            yield from self._forbidden_name(dotted, node.lineno, "calls" if use.is_called else "uses")
            yield from self._hatch(dotted, node.lineno)

    def _attribute(self, node: ast.Attribute, use: Use) -> Iterator[Finding]:
        base, attributes = attributes_of(node)
        for attribute in attributes:
            if attribute in HATCH_ATTRIBUTES:
                yield from self._found(
                    "escape_hatch", f"uses {attribute}, which no exercise needs", attribute, 0, node
                )
        if not isinstance(node.ctx, ast.Load):
            yield from self._tampering(node.value, node.attr, use, node)
            return
        if self._names.dotted(node, use):
            yield from self._looked_up(node, use)
            return
        while len(attributes) > 1 and attributes[-1].startswith("__"):
            attributes.pop()
        on = base if len(attributes) == 1 else node.value
        yield from self._method(on, attributes[-1], use, node)

    def _method(self, base: ast.expr, attribute: str, use: Use, node: ast.expr) -> Iterator[Finding]:
        """An attribute of what may be a tensor."""
        why = self._forbidden.match_method(attribute)
        if why and not self._names.is_own(base, attribute, use):
            verb = "calls" if use.is_called or isinstance(node, ast.Call) else "uses"
            yield from self._forbidden_because(f"torch.Tensor.{attribute}", why, node.lineno, verb)

    def _call(self, node: ast.Call, use: Use) -> Iterator[Finding]:
        yield from self._looked_up(node, use)
        functions = self._names.dotted(node.func, use)
        if functions & _SETTERS and len(node.args) >= 2:
            yield from self._tampering(node.args[0], self._names.text(node.args[1], use) or "", use, node)
        if functions & GETTERS and len(node.args) >= 2:
            yield from self._got(node.args[0], node.args[1], use, node)
        elif isinstance(node.func, ast.Attribute) and node.args:
            yield from self._got_by_a_method(node.func, node.args[0], use, node)
        if functions & _RUNS_TEXT and node.args:
            yield from self._run_text(node, use)
        if functions & _GETTERS:
            yield from self._getter(node, use)
        if any(name.startswith("torch.") for name in functions):
            yield from self._op_by_its_name(node, use)

    def _got(self, held: ast.expr, name: ast.expr, use: Use, node: ast.Call) -> Iterator[Finding]:
        """`getattr(x, "softmax")`, where x is no module: that was seen to already."""
        bases = self._names.dotted(held, use)
        texts = self._names.texts(name, use)
        if not texts and any(map(_is_torch, bases)):
            yield from self._hidden_name(node)
        for text in () if bases else texts:
            yield from self._method(namespace_of(held) or held, text, use, node)

    def _got_by_a_method(
        self, function: ast.Attribute, name: ast.expr, use: Use, node: ast.Call
    ) -> Iterator[Finding]:
        """`x.__getattribute__("softmax")`, or `vars(x).get("softmax")`."""
        if function.attr in _ASKS_FOR_AN_ATTRIBUTE:
            yield from self._got(function.value, name, use, node)
        elif function.attr in _ASKS_A_NAMESPACE:
            held = namespace_of(function.value)
            if held is not None:
                yield from self._got(held, name, use, node)

    def _run_text(self, node: ast.Call, use: Use) -> Iterator[Finding]:
        """`eval("torch.softmax(x, dim)")`: what is imported around it means the same in it."""
        if self._inside >= _TEXTS_IN_TEXTS:
            return
        for text in self._names.texts(node.args[0], use):
            if self._texts_left[0] <= 0:
                return
            self._texts_left[0] -= 1
            try:
                inner = None if line_of_too_many_marks(text) else ast.parse(text.strip())
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue  # what is nested too deeply is so for the student's process, too
            if inner is None:
                continue
            names = tuple(part.name for part in ast.walk(inner) if isinstance(part, ast.FunctionDef))
            asked = [
                alias.asname or alias.name
                for part in ast.walk(inner)
                if isinstance(part, ast.ImportFrom)
                for alias in part.names
            ]
            inner.body = [*self._source.imports[:_IMPORTS], *inner.body]
            found = _Scan(take_apart(inner, names), self._forbidden, self._inside + 1, self._texts_left)
            for finding in found.findings(tuple(asked)):
                if finding.kind == "forbidden_call" and self._is_new(
                    finding.kind, finding.message, node.lineno
                ):
                    yield finding.model_copy(update={"line": node.lineno})

    def _getter(self, node: ast.Call, use: Use) -> Iterator[Finding]:
        """`operator.methodcaller("softmax", 1)`."""
        for argument in node.args:
            for name in (self._names.text(argument, use) or "").split("."):
                why = self._forbidden.match_op(name)
                if why:
                    yield from self._forbidden_because(f"torch.{name}", why, node.lineno, "looks up")

    def _op_by_its_name(self, node: ast.Call, use: Use) -> Iterator[Finding]:
        """`torch._C._jit_get_operation("aten::softmax")`."""
        for argument in node.args:
            text = self._names.text(argument, use)
            if text and "::" in text:
                namespace, _, name = text.partition("::")
                yield from self._forbidden_name(f"torch.ops.{namespace}.{name}", node.lineno, "looks up")

    def _item(self, node: ast.Subscript, use: Use) -> Iterator[Finding]:
        held = node.value
        if isinstance(node.ctx, ast.Load):
            yield from self._looked_up(node, use)
        is_namespace = isinstance(held, ast.Attribute) and held.attr == "__dict__"
        if isinstance(held, ast.Call):
            is_namespace = bool(
                self._names.dotted(held.func, use) & {"builtins.vars", "builtins.globals", "builtins.locals"}
            )
        if not is_namespace:
            return
        if not isinstance(node.ctx, ast.Load):
            yield from self._tampering(held, self._names.text(node.slice, use) or "", use, node)
            return
        texts = self._names.texts(node.slice, use)
        base = namespace_of(held)
        if base is not None and not self._names.dotted(base, use):
            for text in texts:
                yield from self._method(base, text, use, node)
        if not texts:
            of_the_source = isinstance(held, ast.Call) and not held.args
            if of_the_source or any(map(_is_torch, self._names.dotted(held, use))):
                yield from self._hidden_name(node)

    def _class(self, node: ast.ClassDef) -> Iterator[Finding]:
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name in _TAKES_OVER:
                words = f"defines {statement.name}, which no exercise needs"
                yield from self._found("escape_hatch", words, statement.name, 0, statement)

    def _tampering(self, base: ast.expr, attribute: str, use: Use, node: ast.expr) -> Iterator[Finding]:
        """An attribute is set on what was imported; its name is empty where it is not plain to see."""
        for dotted in sorted(self._names.dotted(base, use)):
            name = f"{dotted}.{attribute}" if attribute else f"something in {dotted}"
            if not name.startswith((*_SETTINGS, "builtins.")) or dotted == "builtins":
                yield from self._found("escape_hatch", f"replaces {_shown(name)}", f"={name}", 0, node)

    def _hidden_name(self, node: ast.expr) -> Iterator[Finding]:
        words = "looks something up by a name that is made while it runs"
        yield from self._found("escape_hatch", words, "hidden", 0, node)

    def _forbidden_name(self, dotted: str, line: int, verb: str) -> Iterator[Finding]:
        why = self._forbidden.match(dotted)
        if why:
            yield from self._forbidden_because(dotted, why, line, verb)

    def _forbidden_because(self, dotted: str, why: str, line: int, verb: str) -> Iterator[Finding]:
        if self._is_new("forbidden_call", dotted, line):
            message = f"{verb} {_shown(dotted)}{why}"
            yield Finding(kind="forbidden_call", message=message, line=line)

    def _hatch(self, dotted: str, line: int) -> Iterator[Finding]:
        parts = dotted.split(".")
        prefixes = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if any(prefix in NO_HATCHES for prefix in prefixes):
            return
        for prefix in prefixes:
            # Once for each is enough: they are no calls to be mended one by one.
            if prefix in HATCHES and self._is_new("escape_hatch", prefix, 0):
                shown = prefix.removeprefix("builtins.")
                yield Finding(
                    kind="escape_hatch", message=f"uses {shown}, which no exercise needs", line=line
                )

    def _found(
        self, kind: str, message: str, what: str, place: int, node: ast.expr | ast.stmt
    ) -> Iterator[Finding]:
        if self._is_new(kind, what, place):
            yield Finding(kind=kind, message=message, line=node.lineno)

    def _is_new(self, kind: str, what: str, place: int) -> bool:
        key = (kind, what, place)
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


def _is_torch(dotted: str) -> bool:
    return dotted == "torch" or dotted.startswith("torch.")


def _shown(name: str) -> str:
    name = one_line(name)
    return name if len(name) <= _NAME_CHARACTERS else name[: _NAME_CHARACTERS - 1] + "…"
