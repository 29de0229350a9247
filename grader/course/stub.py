"""The stub that a student gets, cut from the reference.

Between `# solution begins` and `# solution ends` lies what is cut. In a function or a method the marked block
becomes `raise NotImplementedError`; at the level of the module, or of a class, it vanishes. The work is done
on the lines of the source, so that the formatting and the comments of what stays are kept.

No definition may stay as it is: a function that stands outside every block and has none inside is refused,
because a forgotten marker would hand out the solution.
"""

from __future__ import annotations

import ast
import functools
import io
import re
import tokenize
import warnings
from dataclasses import dataclass
from pathlib import PurePath

from grader.errors import CourseError

__all__ = ["BEGINS", "ENDS", "cut_stub", "declarations", "is_unedited", "public_names"]

BEGINS = "# solution begins"
ENDS = "# solution ends"

_NEARLY_A_MARKER = re.compile(r"#\s*solution\s+(begin|end)", re.IGNORECASE)

_FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_DefinitionNode = _FunctionNode | ast.ClassDef


@dataclass(frozen=True)
class _Block:
    """A marked block: the line numbers of its two markers, from 1, and how far they are indented."""

    begins: int
    ends: int
    indent: int

    def holds(self, node: ast.stmt) -> bool:
        return self.begins < node.lineno <= self.ends


@dataclass(frozen=True)
class _Definition:
    """A definition that stays in the stub, and its dotted name."""

    node: _DefinitionNode
    name: str


def cut_stub(reference: str, *, file: str | PurePath = "reference.py") -> str:
    """The stub of a reference.

    Args:
        reference: the source of the reference.
        file: what to call it in an error.

    Raises:
        CourseError: the source does not parse, its markers do not match, or a docstring or a marker is
        missing.
    """
    tree = parse(reference, file)
    lines = source_lines(reference)
    if ast.get_docstring(tree) is None:
        raise CourseError("has no docstring", file=file, mend="begin it with one line that says what it is")

    blocks = _find_blocks(reference, file)
    definitions = _definitions(tree, blocks, file)
    cuts = dict.fromkeys(blocks, "")
    for definition in definitions:
        _require_docstring(definition, file)
        if isinstance(definition.node, _FunctionNode):
            block = _block_of_function(definition, definition.node, blocks, file)
            if block is not None:
                message = f"{definition.name} is not written yet"
                cuts[block] = f'{" " * block.indent}raise NotImplementedError("{message}")\n'

    stub = _replace(lines, cuts)
    try:
        compile(stub, str(file), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise CourseError(
            f"the stub cut from it does not compile ({error.msg}, line {error.lineno} of the stub)",
            file=file,
            mend="let each marked block hold whole statements",
        ) from None
    return stub


_UNWRITTEN = "NotImplementedError"


def is_unedited(submitted: str, stub: str) -> bool:
    """Whether a submission is still the stub, whatever was done to comments, docstrings and spaces."""
    if _UNWRITTEN not in submitted:
        # Most submissions end here: what raises nothing of the kind is no stub.
        return False
    try:
        return _shape(submitted) == _shape(stub)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # All four are what the parser makes of a submission that is no Python, however hostile: it was
        # edited.
        return False


def public_names(stub: str) -> tuple[str, ...]:
    """The functions and classes that a stub asks for, in its order."""
    return tuple(
        node.name
        for node in ast.parse(stub).body
        if isinstance(node, _DefinitionNode) and not _is_private(node.name)
    )


def declarations(stub: str) -> str:
    """The signatures and docstrings of what a stub asks for: the stub without its imports and bodies."""
    lines = source_lines(stub)
    shown: list[str] = []
    for node in ast.parse(stub).body:
        if isinstance(node, _DefinitionNode) and not _is_private(node.name):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            raises = {inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.Raise)}
            numbers = range(first, (node.end_lineno or node.lineno) + 1)
            shown.append("".join(lines[number - 1] for number in numbers if number not in raises).rstrip())
    return "\n\n\n".join(shown) + "\n"


def parse(source: str, file: str | PurePath) -> ast.Module:
    """The source's tree.

    Raises:
        CourseError: where it is not Python.
    """
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise CourseError(
            f"is not Python: {error.msg}", file=file, line=error.lineno, mend="mend the line it names"
        ) from None
    except ValueError as error:
        raise CourseError(f"is not Python: {error}", file=file, mend="save it as plain UTF-8 text") from None


def source_lines(source: str) -> list[str]:
    """The lines as the parser counts them: unlike `splitlines`, it goes on after a form feed or U+2028."""
    return io.StringIO(source).readlines()


def _find_blocks(source: str, file: str | PurePath) -> list[_Block]:
    blocks: list[_Block] = []
    open_at: tuple[int, int] | None = None
    for line, column, comment in _comments(source):
        if comment not in (BEGINS, ENDS):
            if _NEARLY_A_MARKER.match(comment):
                raise CourseError(
                    f"{comment!r} is nearly a marker",
                    file=file,
                    line=line,
                    mend=f"write {BEGINS!r} or {ENDS!r}",
                )
            continue
        if comment == BEGINS:
            if open_at is not None:
                raise CourseError(
                    f"{BEGINS!r} twice, first in line {open_at[0]}",
                    file=file,
                    line=line,
                    mend=f"add {ENDS!r} between",
                )
            open_at = (line, column)
            continue
        if open_at is None:
            raise CourseError(
                f"{ENDS!r} without a beginning",
                file=file,
                line=line,
                mend=f"add {BEGINS!r} where the solution begins",
            )
        if column != open_at[1]:
            raise CourseError(
                f"{ENDS!r} is not indented as its beginning in line {open_at[0]}",
                file=file,
                line=line,
                mend="indent both as the statements between them",
            )
        blocks.append(_Block(begins=open_at[0], ends=line, indent=column))
        open_at = None
    if open_at is not None:
        raise CourseError(
            f"{BEGINS!r} without an end",
            file=file,
            line=open_at[0],
            mend=f"add {ENDS!r} where the solution ends",
        )
    return blocks


def _comments(source: str) -> list[tuple[int, int, str]]:
    """Line, column and text of the comments that have a line of their own."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [
        (*token.start, token.string.rstrip())
        for token in tokens
        if token.type == tokenize.COMMENT and not token.line[: token.start[1]].strip()
    ]


def _definitions(tree: ast.Module, blocks: list[_Block], file: str | PurePath) -> list[_Definition]:
    """The functions, classes and methods that stay in the stub, in order.

    Raises:
        CourseError: one hides where no marker is looked for: in an `if`, in an assigned lambda.
    """

    def walk(body: list[ast.stmt], prefix: str) -> list[_Definition]:
        found: list[_Definition] = []
        for node in body:
            if any(block.holds(node) for block in blocks):
                continue
            if isinstance(node, _DefinitionNode):
                found.append(_Definition(node, prefix + node.name))
            if isinstance(node, ast.ClassDef):
                found.extend(walk(node.body, f"{prefix}{node.name}."))
            elif not isinstance(node, _FunctionNode) and any(map(_is_code, ast.walk(node))):
                raise CourseError(
                    "a function that is no plain definition would be handed out",
                    file=file,
                    line=node.lineno,
                    mend=f"put {BEGINS!r} and {ENDS!r} round the statement, or write it as a def",
                )
        return found

    return walk(tree.body, "")


def _is_code(node: ast.AST) -> bool:
    return isinstance(node, _FunctionNode | ast.Lambda)


def _require_docstring(definition: _Definition, file: str | PurePath) -> None:
    if _is_private(definition.node.name) or ast.get_docstring(definition.node) is not None:
        return
    raise CourseError(
        "has no docstring",
        file=file,
        key=definition.name,
        line=definition.node.lineno,
        mend="say what it computes: the student sees nothing else",
    )


def _is_private(name: str) -> bool:
    return name.startswith("_")


def _block_of_function(
    definition: _Definition, node: _FunctionNode, blocks: list[_Block], file: str | PurePath
) -> _Block | None:
    """The one block of a function, or None where there is nothing to cut: a body of `...` alone."""
    statements = node.body[1:] if ast.get_docstring(node) is not None else node.body
    inside = [block for block in blocks if node.lineno < block.begins <= (node.end_lineno or node.lineno)]

    def fault(problem: str, mend: str, line: int) -> CourseError:
        return CourseError(problem, file=file, key=definition.name, line=line, mend=mend)

    if not inside:
        if all(_says_nothing(statement) for statement in statements):
            return None
        mend = (
            f"put {BEGINS!r} and {ENDS!r} round its body, or round all of it where students shall not see it"
        )
        raise fault("has no marked block", mend, node.lineno)
    if len(inside) > 1:
        raise fault("has two marked blocks", "mark one block, to the end of the body", inside[1].begins)
    block = inside[0]
    if block.indent != node.body[0].col_offset:
        raise fault(
            "the marked block is not at the level of the body", "indent its markers as the body", block.begins
        )
    after = [statement for statement in statements if statement.lineno > block.ends]
    if after:
        mend = f"move {ENDS!r} below the last statement: what stands after it would be handed out"
        raise fault("code stands after the marked block", mend, after[0].lineno)
    return block


def _says_nothing(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and (statement.value.value is Ellipsis or isinstance(statement.value.value, str))
    )


def _replace(lines: list[str], cuts: dict[_Block, str]) -> str:
    """The lines with each block replaced by its text, and the usual gap where one vanished."""
    kept: list[str] = []
    position = 0
    for block, replacement in cuts.items():
        kept.extend(lines[position : block.begins - 1])
        position = block.ends
        if replacement:
            kept.append(replacement)
            continue
        while kept and not kept[-1].strip():
            kept.pop()
        while position < len(lines) and not lines[position].strip():
            position += 1
        if kept and position < len(lines):
            kept.extend(["\n"] * (2 if block.indent == 0 else 1))
    kept.extend(lines[position:])
    return "".join(kept)


@functools.lru_cache(maxsize=512)
def _shape(source: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on a student's "\\d", say: it is nothing to us
        tree = ast.parse(source.removeprefix("\ufeff"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | _DefinitionNode)
            and ast.get_docstring(node, clean=False) is not None
        ):
            del node.body[0]
    return ast.dump(tree)
