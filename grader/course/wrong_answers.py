"""Known misconceptions: the decorator that marks one in `wrong_answers.py`, and the reader of that file.

The reader takes a file apart without running it, and puts a complete module together for each misconception:
the reference, and after it what the wrong answer defines anew.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

from grader.course.stub import parse, source_lines
from grader.errors import CourseError, did_you_mean

__all__ = ["WrongAnswer", "read_wrong_answers", "wrong_answer"]

Definition = TypeVar("Definition", bound=Callable[..., object])

_DECORATOR = "wrong_answer"
_TEXTS = ("zh", "hint", "hint_zh")


def wrong_answer(
    misconception: str, *, zh: str, hint: str, hint_zh: str
) -> Callable[[Definition], Definition]:
    """Mark a function or class as what somebody with this misconception writes.

    Args:
        misconception: what is believed wrongly, as the end of "it looks as if your code ...".
        zh: the same in Chinese.
        hint: what to think about; it does not give the solution.
        hint_zh: the same in Chinese.
    """
    mark = (misconception, zh, hint, hint_zh)

    def marked(definition: Definition) -> Definition:
        definition.__wrong_answer__ = mark  # type: ignore[attr-defined]  # any function or class takes it
        return definition

    return marked


@dataclass(frozen=True)
class WrongAnswer:
    """A misconception, and the module that somebody who has it would hand in.

    `names` are the exercise's names that it defines otherwise than the reference, `source` is a complete
    module.
    """

    misconception: str
    zh: str
    hint: str
    hint_zh: str
    names: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class _Marked:
    node: ast.FunctionDef | ast.ClassDef
    decorator: ast.Call
    misconception: str
    zh: str
    hint: str
    hint_zh: str


def read_wrong_answers(
    source: str,
    reference: str,
    names: Sequence[str],
    *,
    file: str | PurePath = "wrong_answers.py",
) -> tuple[WrongAnswer, ...]:
    """The wrong answers of a file, in its order, without running it.

    Args:
        source: the source of `wrong_answers.py`.
        reference: the source of the reference; it gives the names that a wrong answer does not define.
        names: what the exercise asks for.
        file: what to call the file in an error.

    Raises:
        CourseError: the source is not Python, or a decorator is not written out in full.
    """
    tree = parse(source, file)
    imports = [node for node in tree.body if _imports_decorator(node, file)]
    marked = [
        _read_mark(node, decorator, names, file)
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and (decorator := _decorator_of(node, file)) is not None
    ]
    groups: dict[str, list[_Marked]] = {}
    for mark in marked:
        groups.setdefault(mark.misconception, []).append(mark)
    right = _part(reference)
    return tuple(_wrong_answer(group, marked, imports, source, right, file) for group in groups.values())


def _imports_decorator(node: ast.stmt, file: str | PurePath) -> bool:
    if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "grader" for alias in node.names):
        found = True
    elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "grader":
        found = True
        if [(alias.name, alias.asname) for alias in node.names] == [(_DECORATOR, None)]:
            return True
    else:
        found = False
    if found:
        raise CourseError(
            "imports something else of grader, which a student's code has not",
            file=file,
            line=node.lineno,
            mend=f'write "from grader import {_DECORATOR}", alone',
        )
    return False


def _decorator_of(node: ast.FunctionDef | ast.ClassDef, file: str | PurePath) -> ast.Call | None:
    for decorator in node.decorator_list:
        call = decorator if isinstance(decorator, ast.Call) else None
        name = call.func if call is not None else decorator
        if isinstance(name, ast.Name) and name.id == _DECORATOR:
            if call is None:
                raise CourseError(
                    f"@{_DECORATOR} has no arguments",
                    file=file,
                    key=node.name,
                    line=decorator.lineno,
                    mend="give it the misconception, zh, hint and hint_zh",
                )
            return call
    return None


def _read_mark(
    node: ast.FunctionDef | ast.ClassDef, decorator: ast.Call, names: Sequence[str], file: str | PurePath
) -> _Marked:
    def fault(problem: str, mend: str) -> CourseError:
        return CourseError(problem, file=file, key=node.name, line=decorator.lineno, mend=mend)

    if node.name not in names:
        raise fault("the exercise has no such name", did_you_mean(node.name, names))
    if len(decorator.args) != 1:
        raise fault(
            "the misconception is missing", f'write @{_DECORATOR}("...", zh="...", hint="...", hint_zh="...")'
        )
    texts: dict[str, str] = {}
    given: list[tuple[str | None, ast.expr]] = [("misconception", decorator.args[0])]
    given += [(keyword.arg, keyword.value) for keyword in decorator.keywords]
    for name, value in given:
        if name is None or name not in ("misconception", *_TEXTS):
            raise fault(f"{name or '**'} is not an argument", did_you_mean(name or "", _TEXTS))
        if not isinstance(value, ast.Constant) or not isinstance(value.value, str) or not value.value.strip():
            raise fault(f"{name} is not a text", "write it out in quotes: the file is read, not run")
        texts[name] = value.value
    for name in _TEXTS:
        if name not in texts:
            raise fault(f"{name} is missing", f'add {name}="..."')
    return _Marked(node, decorator, texts["misconception"], texts["zh"], texts["hint"], texts["hint_zh"])


def _wrong_answer(
    group: list[_Marked],
    marked: list[_Marked],
    imports: list[ast.stmt],
    source: str,
    reference: _Part,
    file: str | PurePath,
) -> WrongAnswer:
    first = group[0]
    names = tuple(mark.node.name for mark in group)
    for position, mark in enumerate(group):
        if mark.node.name in names[:position]:
            raise _fault(
                mark, "is defined twice for one misconception", "give the two texts of their own", file
            )
        if (mark.zh, mark.hint, mark.hint_zh) != (first.zh, first.hint, first.hint_zh):
            raise _fault(mark, "has other texts than the first of it", "repeat zh, hint and hint_zh", file)

    gone: list[ast.stmt | ast.expr] = [*imports]
    gone += [mark.decorator for mark in group]
    gone += [mark.node for mark in marked if mark not in group]
    module = _without(source, gone)
    return WrongAnswer(
        misconception=first.misconception,
        zh=first.zh,
        hint=first.hint,
        hint_zh=first.hint_zh,
        names=names,
        source=_joined(reference, _part(module)),
    )


def _fault(mark: _Marked, problem: str, mend: str, file: str | PurePath) -> CourseError:
    return CourseError(problem, file=file, key=mark.node.name, line=mark.decorator.lineno, mend=mend)


def _lines_of(node: ast.stmt | ast.expr) -> range:
    """The numbers of the lines that a statement takes, its decorators included, or that a decorator takes."""
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    return range(first, (node.end_lineno or node.lineno) + 1)


def _without(source: str, nodes: Sequence[ast.stmt | ast.expr]) -> str:
    gone = {line for node in nodes for line in _lines_of(node)}
    return "".join(line for number, line in enumerate(source_lines(source), start=1) if number not in gone)


@dataclass(frozen=True)
class _Part:
    """A part of a module: what it takes from `__future__`, and the rest of it."""

    features: tuple[str, ...]
    rest: str


def _part(source: str) -> _Part:
    futures = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    features = tuple(alias.name for node in futures for alias in node.names)
    return _Part(features, _without(source, futures).strip("\n"))


def _joined(*parts: _Part) -> str:
    """One module of several parts: `from __future__` counts only at the top, so all of it stands there."""
    features = dict.fromkeys(feature for part in parts for feature in part.features)
    top = [f"from __future__ import {', '.join(features)}"] if features else []
    return "\n\n\n".join([*top, *(part.rest for part in parts)]) + "\n"
