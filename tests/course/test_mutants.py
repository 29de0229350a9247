"""Mutants: which changes are made, where, and what they are called."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, NamedTuple

import pytest
import torch

from grader.course.mutants import Mutant, mutants_of
from grader.errors import CourseError

ROOT = Path(__file__).parents[2]
REFERENCES = sorted(ROOT.glob("solutions/*/*/reference.py"))


def of_body(body: str, signature: str = "f(x, y, n)", docstring: str = "Compute it.") -> tuple[Mutant, ...]:
    """The mutants of a function with this body, all of it marked."""
    return mutants_of(
        f'"""A reference."""\n\nimport torch\nfrom torch.nn import functional as F\n\n\n'
        f'def {signature}:\n    """{docstring}"""\n    # solution begins\n'
        f"{indent(dedent(body).strip(), '    ')}\n    # solution ends\n"
    )


def changes(body: str, **of: str) -> set[tuple[str, str]]:
    return {(mutant.operator, mutant.after) for mutant in of_body(body, **of)}


def operators(body: str, **of: str) -> set[str]:
    return {mutant.operator for mutant in of_body(body, **of)}


def run(mutant: Mutant) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(mutant.source, "mutant", "exec", dont_inherit=True), names)
    return names


# ---- the references there are


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.parent.name)
def test_every_mutant_of_a_reference_compiles_and_is_itself(path: Path) -> None:
    reference = path.read_text(encoding="utf-8")
    mutants = mutants_of(reference)
    assert mutants
    for mutant in mutants:
        compile(mutant.source, mutant.key, "exec", dont_inherit=True)
        assert "\n" not in mutant.key
        assert mutant.before != mutant.after
    trees = {ast.unparse(ast.parse(source)) for source in [reference, *(m.source for m in mutants)]}
    assert len(trees) == len(mutants) + 1
    assert len({mutant.key for mutant in mutants}) == len(mutants)
    assert mutants_of(reference) == mutants


# ---- which changes


@pytest.mark.parametrize(
    ("body", "operator", "after"),
    [
        ("return x + y", "swap operator", "return x - y"),
        ("return x * y", "swap operator", "return x / y"),
        ("return x // y", "swap operator", "return x / y"),
        ("return x ** y", "swap operator", "return x * y"),
        ("return x @ y", "swap operator", "return x * y"),
        ("x += y", "swap operator", "x -= y"),
        ("x += y", "drop accumulation", "x = y"),
        ("x = y - n", "add minus", "x = -(y - n)"),
        ("return x - y", "add minus", "return -(x - y)"),
        ("return x, y", "add minus", "return (x, -y)"),
        ("return x * -y", "drop minus", "return x * y"),
        ("return x.sum(-1)", "drop minus", "return x.sum(1)"),
        ("return x.sum(-1)", "move constant", "return x.sum(0)"),
        ("return x.sum(-1)", "move constant", "return x.sum(-2)"),
        ("return x.sum(1)", "drop dim", "return x.sum()"),
        ("return x.sum(1, keepdim=True)", "drop dim", "return x.sum()"),
        ("return x.sum(dim=1, keepdim=True)", "drop keyword", "return x.sum()"),
        ("return x.sum(1, keepdim=True)", "flip boolean", "return x.sum(1, keepdim=False)"),
        ("return x.var(0, correction=n)", "drop keyword", "return x.var(0)"),
        ("return 0.5 * x", "scale constant", "return 1.0 * x"),
        ("return 0.5 * x", "flip sign", "return -0.5 * x"),
        ("return x + 0.0", "move constant", "return x + 1.0"),
        ("return x.fill_(-float('inf'))", "drop minus", "return x.fill_(float('inf'))"),
        ("if x < y:\n    n = y\nreturn n", "move comparison", "if x <= y:"),
        ("if x < y:\n    n = y\nreturn n", "negate comparison", "if x >= y:"),
        ("if x is None:\n    n = y\nreturn n", "negate comparison", "if x is not None:"),
        ("if x < y:\n    n = y\nreturn n", "force condition", "if True:"),
        ("if x < y:\n    n = y\nreturn n", "force condition", "if False:"),
        ("return x if n else y", "force condition", "return y"),
        ("return [a for a in x if a]", "force condition", "return [a for a in x if True]"),
        ("if x and y:\n    n = y\nreturn n", "swap and with or", "if x or y:"),
        ("if x and y:\n    n = y\nreturn n", "drop operand", "if y:"),
        ("if not x:\n    n = y\nreturn n", "drop not", "if x:"),
        ("if n < 0:\n    raise ValueError('negative')\nreturn x", "force condition", "if False:"),
        ("if n < 0:\n    raise ValueError('negative')\nreturn x", "move comparison", "if n <= 0:"),
        ("if n < 0:\n    x = y\nelse:\n    raise ValueError('no')\nreturn x", "delete statement", "pass"),
        ("y.append(x)\nreturn y", "delete statement", "pass"),
        ("return x", "return None", "return None"),
        ("return x", "detach result", "return _mutant_detached(x)"),
        ("return x", "round result to half", "return _mutant_halved(x)"),
        ("yield x", "detach result", "yield _mutant_detached(x)"),
        ("return torch.sub(x, y)", "swap arguments", "return torch.sub(y, x)"),
        ("return torch.where(n, x, y)", "swap branches", "return torch.where(n, y, x)"),
        ("return x.where(n, y)", "swap branches", "return y.where(n, x)"),
        ("return x.clamp(min=n)", "swap bounds", "return x.clamp(max=n)"),
        ("return torch.clamp(x, y, n)", "swap bounds", "return torch.clamp(x, n, y)"),
        ("return x.amax(n)", "swap function", "return x.amin(n)"),
        ("x.add_(y)", "swap function", "x.sub_(y)"),
        ("return torch.log(x)", "swap function", "return torch.log2(x)"),
        ("return max(x, y)", "swap function", "return min(x, y)"),
        ("return torch.relu(x)", "swap function", "return torch.abs(x)"),
        ("return torch.sqrt(x)", "drop call", "return x"),
        ("return (x * y).sqrt()", "drop call", "return x * y"),
        ("return x.detach() * y", "drop call", "return x * y"),
        ("return x.clone()", "drop call", "return x"),
        ("return x.contiguous().view(n)", "drop call", "return x.view(n)"),
        ("return x.to(y.dtype)", "drop call", "return x"),
        ("return x @ y.T", "drop transposition", "return x @ y"),
        ("return [x for _ in range(n)]", "move bound", "return [x for _ in range(n + 1)]"),
        ("for i in range(y, n):\n    x[i] = n", "move bound", "for i in range(y, n - 1):"),
        ("for i in x:\n    if i:\n        break\n    n += i", "swap break and continue", "continue"),
        ("with torch.no_grad():\n    x.add_(y)", "drop with", "if True:"),
        (
            "match n:\n    case 'a':\n        return x\n    case 'b':\n        return y",
            "swap string",
            "case 'b':",
        ),
    ],
)
def test_change(body: str, operator: str, after: str) -> None:
    assert (operator, after) in changes(body)


@pytest.mark.parametrize(
    ("body", "operator"),
    [
        ("raise ValueError('mean' + 'sum' * 2)", "swap operator"),
        ("return F.relu(x)", "swap function"),  # F has no abs
        ("return torch.zeros(n, device=x.device)", "drop keyword"),
        ("return x.to(y.device)", "drop call"),
        ("return list(zip(x, y, strict=True))", "flip boolean"),
        ("x: tuple[int, 2] = y", "move constant"),
        ("x.sqrt()\nreturn y", "drop call"),  # nothing is left but a deletion
        ("return torch.maximum(x, y)", "swap arguments"),
        ("return torch.cat([x, y], n)", "swap arguments"),
        ("return float(x)", "drop call"),
        ("return float(x)", "detach result"),
        ("return x == y", "add minus"),
        ("return x.clamp(min=n)", "drop keyword"),
        ("while x < n:\n    x = y", "force condition"),
        ("return f'{x + 1}'", "move constant"),
    ],
)
def test_what_is_left_alone(body: str, operator: str) -> None:
    assert operator not in operators(body)


def test_a_condition_is_forced_and_its_only_statement_not_deleted_as_well() -> None:
    body = "for p in x:\n    if p is None:\n        continue\n    p.add_(y)"
    deleted = [mutant.before for mutant in of_body(body) if mutant.operator == "delete statement"]
    assert deleted == ["for p in x:", "p.add_(y)"]


def test_an_option_is_swapped_with_the_next_of_the_function() -> None:
    body = "if n == 'mean':\n    x = y\nif n == 'sum':\n    x = 2 * y\nreturn x"
    assert {("swap string", "if n == 'sum':"), ("swap string", "if n == 'mean':")} <= changes(body)


def test_a_lone_option_is_swapped_with_one_that_the_docstring_names() -> None:
    body = "return x if n == 'mean' else y"
    assert ("swap string", "return x if n == 'sum' else y") in changes(body, docstring="n: 'mean' or 'sum'.")
    assert "swap string" not in operators(body)


def test_only_results_that_may_hold_a_tensor_are_detached() -> None:
    for annotation in ("int", "tuple[int, float | None]", "Callable[[Tensor], Tensor]", "str", "torch.dtype"):
        assert "detach result" not in operators("return x", signature=f"f(x) -> {annotation}")
    for annotation in ("Tensor", "torch.Tensor | None", "tuple[Tensor, int]", "'Tensor'", "Any"):
        assert "detach result" in operators("return x", signature=f"f(x) -> {annotation}")


# ---- where


MARKED_IN_PART = '''\
"""A reference."""

import torch

SIZE = 3


def left_alone(x):
    return x + 1


class Scaled(torch.autograd.Function):
    """A node."""

    @staticmethod
    def forward(ctx, x, factor: float = 2.0):
        """Scale by 2 + 2."""
        # solution begins
        ctx.factor = factor
        return x * factor
        # solution ends

    @staticmethod
    def backward(ctx, g):
        """Scale by 2 + 2."""
        # solution begins
        return g * ctx.factor, None
        # solution ends


# solution begins
def _half(x):
    def inner(y):
        return y / 2

    return inner(x)
# solution ends
'''


def test_only_what_is_marked_and_its_defaults_are_changed() -> None:
    lines = MARKED_IN_PART.splitlines()
    for mutant in mutants_of(MARKED_IN_PART):
        begins = lines.index("        # solution begins")
        assert mutant.line > begins or "factor: float = 2.0" in lines[mutant.line - 1]
        assert ast.get_docstring(ast.parse(mutant.source)) == "A reference."
        for kept in ("SIZE = 3", "return x + 1", "Scale by 2 + 2.", "class Scaled(torch.autograd.Function):"):
            assert kept in mutant.source


def test_methods_helpers_and_inner_functions_are_named_in_full() -> None:
    keys = [mutant.key for mutant in mutants_of(MARKED_IN_PART)]
    assert "Scaled.forward: factor=2.0 -> factor=4.0" in keys
    assert "Scaled.forward: ctx.factor = factor -> pass" in keys
    assert "Scaled.backward: return (g * ctx.factor, None) -> return (g / ctx.factor, None)" in keys
    assert "_half.inner: return y / 2 -> return y * 2" in keys
    assert "_half: return inner(x) -> return None" in keys


def test_a_forward_records_no_graph_so_nothing_is_detached_there() -> None:
    detached = [mutant for mutant in mutants_of(MARKED_IN_PART) if mutant.operator == "detach result"]
    assert [mutant.key.split(":")[0] for mutant in detached] == ["Scaled.backward", "_half.inner", "_half"]


def test_line_is_that_of_the_change() -> None:
    mutants = of_body("x = y\nreturn x.sum(\n    0\n)")
    assert {(m.operator, m.line) for m in mutants} >= {("delete statement", 10), ("move constant", 12)}


# ---- keys


def test_keys_do_not_depend_on_line_numbers_or_layout() -> None:
    moved = MARKED_IN_PART.replace('"""A reference."""', '"""A reference.\n\nAnd more.\n"""')
    moved = moved.replace("return x * factor", "return (  # a comment\n            x * factor)")
    assert [m.key for m in mutants_of(moved)] == [m.key for m in mutants_of(MARKED_IN_PART)]


def test_equal_changes_are_numbered() -> None:
    keys = [mutant.key for mutant in of_body("if n:\n    x.add_(y)\n    x.add_(y)")]
    assert "f: x.add_(y) -> pass" in keys
    assert "f: x.add_(y) -> x.sub_(y)" in keys
    assert "f: x.add_(y) -> x.sub_(y) #2" in keys


def test_keys_hold_no_words_of_messages() -> None:
    keys = [m.key for m in of_body("if n:\n    x = y\nelse:\n    raise ValueError(f'not {n}')\nreturn x")]
    assert "f: raise ValueError(...) -> pass" in keys


# ---- results that are detached or rounded


class Pair(NamedTuple):
    first: object
    second: object


def changed_result(operator: str, value: object) -> Any:
    (mutant,) = [mutant for mutant in of_body("return x", signature="f(x)") if mutant.operator == operator]
    return run(mutant)["f"](value)


def test_detached_result_keeps_its_structure() -> None:
    x = torch.ones(2, requires_grad=True)
    result = changed_result("detach result", {"a": [x * 2, 3], "b": Pair(x * 3, "text"), "c": (x * 4, None)})
    assert type(result["b"]) is Pair
    assert result["a"][1:] == [3]
    assert result["b"].second == "text"
    assert type(result["c"]) is tuple
    for tensor in (result["a"][0], result["b"].first, result["c"][0]):
        assert not tensor.requires_grad


def test_result_that_is_no_tensor_is_left_alone() -> None:
    handle = object()
    assert changed_result("detach result", handle) is handle
    assert changed_result("round result to half", handle) is handle


def test_rounded_result_keeps_dtype_and_graph_but_not_digits() -> None:
    x = torch.tensor([1.0 + 2.0**-15], dtype=torch.float64, requires_grad=True)
    result, index = changed_result("round result to half", (x * 1, torch.tensor([70000])))
    assert result.dtype == torch.float64
    assert result.requires_grad
    assert result.item() == 1.0
    assert index.item() == 70000


def test_result_of_a_reduction_with_names_keeps_its_type() -> None:
    found = torch.tensor([[1.0, 2.0]]).max(dim=1)
    assert type(changed_result("detach result", found)) is type(found)


# ---- the rest


def test_source_that_is_not_python_is_the_courses_fault() -> None:
    with pytest.raises(CourseError):
        mutants_of("def f(:\n")


def test_a_marker_without_an_end_is_the_courses_fault() -> None:
    with pytest.raises(CourseError):
        mutants_of("def f():\n    # solution begins\n    return 1\n")


def test_torch_is_not_imported() -> None:
    code = "import sys, grader.course.mutants; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
