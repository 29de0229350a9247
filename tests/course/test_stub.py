"""Cutting stubs: what goes, what stays, and which references are refused."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from grader.course import cut_stub, is_unedited
from grader.course.stub import public_names
from grader.errors import CourseError

REFERENCE = '''\
"""Softmax, along any dimension."""

from __future__ import annotations

import torch  # all that is needed

EPS = 1e-6  # where the contract says so


# solution begins
def _shift(x, dim):
    return x - x.amax(dim, keepdim=True)


# solution ends


def softmax(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Softmax along `dim`.

    The text "# solution begins" may be quoted in a docstring:
    # solution begins
    """
    # solution begins
    e = torch.exp(_shift(x, dim))  # the secret
    return e / e.sum(dim, keepdim=True)
    # solution ends


class Scale(torch.autograd.Function):
    """Times two."""

    factor = 2

    # solution begins
    def _secret(self):
        return 2

    # solution ends

    @staticmethod
    def forward(ctx, x):
        """Twice x."""
        # solution begins
        return x * 2
        # solution ends

    @staticmethod
    def backward(ctx, g):
        """Twice g."""
        # solution begins
        return g * 2
        # solution ends
'''

STUB = '''\
"""Softmax, along any dimension."""

from __future__ import annotations

import torch  # all that is needed

EPS = 1e-6  # where the contract says so


def softmax(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Softmax along `dim`.

    The text "# solution begins" may be quoted in a docstring:
    # solution begins
    """
    raise NotImplementedError("softmax is not written yet")


class Scale(torch.autograd.Function):
    """Times two."""

    factor = 2

    @staticmethod
    def forward(ctx, x):
        """Twice x."""
        raise NotImplementedError("Scale.forward is not written yet")

    @staticmethod
    def backward(ctx, g):
        """Twice g."""
        raise NotImplementedError("Scale.backward is not written yet")
'''


def test_stub_keeps_all_but_the_solution() -> None:
    assert cut_stub(REFERENCE) == STUB


def test_public_names_leave_out_helpers() -> None:
    assert public_names(cut_stub(REFERENCE)) == ("softmax", "Scale")


def test_cut_functions_raise_not_implemented() -> None:
    namespace: dict[str, object] = {}
    exec(cut_stub('"""D."""\n\n' + function()), namespace)
    with pytest.raises(NotImplementedError, match="f is not written yet"):
        namespace["f"](1)  # type: ignore[operator]  # a function, as the source says


def test_generator_raises_when_called() -> None:
    source = '"""D."""\n\n' + function("yield x")
    namespace: dict[str, object] = {}
    exec(cut_stub(source), namespace)
    with pytest.raises(NotImplementedError):
        namespace["f"](1)  # type: ignore[operator]  # a function, as the source says


def test_given_lines_before_the_block_stay() -> None:
    source = '"""D."""\n\n' + function().replace("    # solution begins", "    n = 2\n    # solution begins")
    assert "    n = 2\n    raise NotImplementedError" in cut_stub(source)


def test_nothing_is_left_of_a_block_at_the_end() -> None:
    source = (
        '"""D."""\n\n' + function() + "\n\n# solution begins\ndef _g():\n    return 1\n\n\n# solution ends\n"
    )
    assert cut_stub(source) == cut_stub('"""D."""\n\n' + function())


def test_bodies_of_a_protocol_need_no_block() -> None:
    source = '"""D."""\n\n\nclass P:\n    """P."""\n\n    def f(self):\n        """Do."""\n        ...\n'
    assert cut_stub(source) == source


def test_form_feed_does_not_shift_the_cut() -> None:
    source = '"""D."""\n\nPAGE = "\x0c\u2028"\n\n' + function()
    assert 'PAGE = "\x0c\u2028"' in cut_stub(source)
    assert "return" not in cut_stub(source)


def function(body: str = "return x", begins: str = "# solution begins", ends: str = "# solution ends") -> str:
    return f'def f(x):\n    """Do."""\n    {begins}\n    {body}\n    {ends}\n'


FAULTS = {
    "is not Python": "def f(:",
    "has no docstring: begin it with": "import torch\n" + function(),
    "f: has no docstring": '"""D."""\n' + function().replace('    """Do."""\n', ""),
    "f: has no marked block": '"""D."""\n' + function(begins="# here", ends="# there"),
    "without an end": '"""D."""\n' + function(ends="# and so on"),
    "without a beginning": '"""D."""\n' + function(begins="# so"),
    "twice, first in line 4": '"""D."""\n' + function(ends="# solution begins"),
    "is nearly a marker": '"""D."""\n' + function(ends="# Solution end"),
    "is not indented as its beginning": '"""D."""\n' + function(ends="    # solution ends"),
    "code stands after the marked block": '"""D."""\n' + function() + "    return 3\n",
    "two marked blocks": '"""D."""\n'
    + function()
    + "    # solution begins\n    y = 1\n    # solution ends\n    z = 1\n",
    "not at the level of the body": dedent('''\
        """D."""
        def f(x):
            """Do."""
            if x:
                # solution begins
                return 1
                # solution ends
            return 2
        '''),
    "does not compile": dedent('''\
        """D."""
        def f(x):
            """Do."""
            return [
            # solution begins
                1,
            # solution ends
            ]
        '''),
    "C.g: has no marked block": dedent('''\
        """D."""
        class C:
            """C."""
            def g(self):
                """G."""
                return 1
        '''),
    "_secret: has no marked block": '"""D."""\n\n\ndef _secret():\n    return 1\n',
    "would be handed out": '"""D."""\n\nsecret = lambda x: x\n',
}


@pytest.mark.parametrize("message", FAULTS)
def test_bad_reference_is_refused(message: str) -> None:
    with pytest.raises(CourseError) as raised:
        cut_stub(FAULTS[message], file="solutions/t/f/reference.py")
    assert message in raised.value.message
    assert raised.value.message.startswith("solutions/t/f/reference.py:")


def test_definition_that_hides_in_an_if_is_refused() -> None:
    source = '"""D."""\n\nif True:\n    def _secret():\n        return 1\n'
    with pytest.raises(CourseError, match="would be handed out"):
        cut_stub(source)


class TestUnedited:
    def test_stub_itself(self) -> None:
        assert is_unedited(STUB, STUB)

    def test_stub_in_another_dress(self) -> None:
        dressed = "\ufeff" + STUB.replace('"""Softmax along', '"""My softmax along').replace("    ", "  ")
        assert is_unedited(dressed.replace("\n", "\r\n") + "\n# I will do this tomorrow\n", STUB)

    def test_docstring_taken_away(self) -> None:
        assert is_unedited(STUB.replace('        """Twice g."""\n', ""), STUB)

    def test_any_change_of_code(self) -> None:
        assert not is_unedited(STUB.replace("EPS = 1e-6", "EPS = 1e-5"), STUB)
        assert not is_unedited(
            STUB.replace('raise NotImplementedError("softmax is not written yet")', "pass"), STUB
        )

    @pytest.mark.parametrize(
        "source",
        [
            "def f(:",
            "a\0b",
            "(" * 1000,
            "-" * 100_000 + "1",
            "[" * 5000 + "]" * 5000,
            "a" + ".b" * 100_000,
            "1" + "+1" * 100_000,
        ],
        ids=["syntax", "null", "open", "minus", "nested", "dots", "sum"],
    )
    def test_what_cannot_be_parsed_is_edited(self, source: str) -> None:
        assert not is_unedited(source, STUB)

    def test_warnings_about_the_source_are_not_ours(self, recwarn: pytest.WarningsRecorder) -> None:
        assert not is_unedited('x = "\\d"', STUB)
        assert not recwarn.list


def test_stub_parses_to_the_same_signatures() -> None:
    def signatures(source: str) -> list[str]:
        nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
        return [ast.dump(node.args) for node in nodes if not node.name.startswith("_")]

    assert signatures(cut_stub(REFERENCE)) == signatures(REFERENCE)
