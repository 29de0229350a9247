"""What was thought of last: sources that are slow to read, records that do harm, and answers that do nothing."""

from __future__ import annotations

import json
from pathlib import Path

from tests.attacks.attack import Attack, right_answer

BY_THE_LIBRARY = """\
import torch


def softmax(x, dim):
    return torch.softmax(x, dim)
"""

_ACCENTS = "\u0327\u0301" * 60_000
"""Python puts them in order in quadratic time: minutes for a file, hours for a notebook."""

ACCENTS_IN_A_NAME = f"a{_ACCENTS} = 1\n{right_answer('softmax')}"

ACCENTS_IN_A_TEXT = "eval('a" + r"\u0327\u0301" * 18_000 + "') if 0 else 0\n" + BY_THE_LIBRARY

_LAST = "f(x)," * 300
_MIDDLE = f"t = {_LAST!r}\n{'eval(t),' * 60}"
TEXTS_THAT_RUN_TEXTS = f"""\
{BY_THE_LIBRARY}

def never():
    s = {_MIDDLE!r}
    {"eval(s);" * 60}


never
"""

DEEP_TEXT = f"""\
{BY_THE_LIBRARY}

def never():
    eval("{"-" * 90_000}1")


never
"""

# The student's process takes it; one with more calls on its stack would not.
NEARLY_TOO_DEEP = f"never = lambda a: {'+'.join(['a'] * 2940)}\n{BY_THE_LIBRARY}"

CROWDED_OUT = "import torch\n" + "".join(f"torch.a{n} = {n}\n" for n in range(60)) + BY_THE_LIBRARY

_REWRITTEN = """\

import torch
from torch.utils._python_dispatch import _get_current_dispatch_mode

_right = softmax


def softmax(x, dim):
    y = _right(x, dim)
    recorder = _get_current_dispatch_mode()
    if hasattr(recorder, "ops"):
        from grader.wire import InputRef

        n = recorder._count
        {then}
    return y
"""

RECORD_THAT_WRITES_PAST_AN_END = right_answer("softmax") + _REWRITTEN.replace(
    "{then}",
    """\
recorder.ops.append(("aten::_reshape_alias", [InputRef(0), [1 << 16], [1]], {}, 1))
        recorder.ops.append(("aten::add_.Scalar", [InputRef(n), 0.0], {}, 1))
        recorder._count += 2""",
)

RECORD_THAT_OVERRUNS = right_answer("softmax") + _REWRITTEN.replace(
    "{then}",
    """\
recorder.ops.append(("aten::zeros", [[1 << 14]], {}, 1))
        recorder.ops.append(("aten::zeros", [[1]], {}, 1))
        recorder.ops.append(("aten::zeros", [[1]], {"dtype": torch.int64}, 1))
        numbers = [InputRef(n), InputRef(n + 1), InputRef(n + 2), 0]
        recorder.ops.append(("aten::_cummax_helper", numbers, {}, 0))
        recorder._count += 3""",
)

FREED_STORAGE = """\
def softmax(x, dim):
    y = x.exp() / x.exp().sum(dim, keepdim=True)
    y.untyped_storage().resize_(0)
    return y
"""

TENSOR_OF_NO_MEMORY = """\
import torch


def softmax(x, dim):
    return torch._efficientzerotensor(x.shape, dtype=x.dtype)
"""

THROWS_ALL_AWAY = """\
def dropout(x, p, training):
    return x * 0
"""

GIVES_BACK = """\
def dropout(x, p, training):
    return x
"""

REFUSES = """\
def conv_output_size(n, kernel_size, padding=0, stride=1, dilation=1):
    raise ValueError("no")
"""

GIVES_BACK_THE_STATE = """\
def detach_state(state):
    return state
"""

REFUSES_EVERY_STATE = """\
def detach_state(state):
    raise TypeError("no")
"""

YIELDS_NOTHING = """\
def sequential_batches(corpus, batch_size, num_steps, offset=0):
    return
    yield
"""

ALWAYS_ZERO = """\
import torch


def vjp(f, x, v):
    return torch.zeros_like(x)
"""

RETURNS_NO_TENSOR = """\
class WeightedMSE:
    @staticmethod
    def apply(*inputs):
        return []
"""

ALL_ALIKE = """\
import torch


def softmax(x, dim):
    return torch.ones_like(x)
"""


def _notebook(*cells: str) -> str:
    return json.dumps(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{number}",
                    "metadata": {},
                    "outputs": [],
                    "execution_count": None,
                    "source": cell,
                }
                for number, cell in enumerate(cells)
            ],
        }
    )


def _beside_a_right_answer(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    (folder / "perplexity.py").write_text(right_answer("perplexity"), encoding="utf-8")
    return folder


ATTACKS = [
    Attack("accents_without_end_in_a_name", {"softmax.py": ACCENTS_IN_A_NAME}, verdicts=frozenset({"error"})),
    Attack(
        "accents_without_end_in_a_text_that_is_run",
        {"softmax.py": ACCENTS_IN_A_TEXT},
        findings=frozenset({"forbidden_call"}),
    ),
    Attack(
        "accents_without_end_in_a_notebook",
        make=lambda folder: _beside_a_right_answer(
            folder, "hw.ipynb", _notebook(right_answer("softmax"), f"a{_ACCENTS} = 1")
        ),
        full_marks=frozenset({"perplexity"}),
    ),
    Attack(
        "a_notebook_of_nothing_but_statements",
        make=lambda folder: _beside_a_right_answer(
            folder, "hw.ipynb", _notebook(right_answer("softmax"), "a=1\n" * 200_000)
        ),
        full_marks=frozenset({"perplexity"}),
    ),
    Attack(
        "texts_that_run_texts_that_run_texts",
        {"softmax.py": TEXTS_THAT_RUN_TEXTS},
        findings=frozenset({"forbidden_call"}),
    ),
    Attack(
        "a_text_too_deep_to_be_looked_at",
        {"softmax.py": DEEP_TEXT},
        findings=frozenset({"forbidden_call"}),
    ),
    Attack("a_source_nearly_too_deep", {"softmax.py": NEARLY_TOO_DEEP}),
    Attack(
        "so_many_findings_that_the_last_is_lost",
        {"softmax.py": CROWDED_OUT},
        findings=frozenset({"forbidden_call"}),
    ),
    # Right answers, with a record that would do harm where it is run again.
    *(
        Attack(
            name,
            {"softmax.py": source},
            deserves={"softmax": 3.0},
            verdicts=frozenset({"passed"}),
            findings=frozenset({"replay_undecided"}),
        )
        for name, source in (
            ("record_that_writes_past_a_tensors_end", RECORD_THAT_WRITES_PAST_AN_END),
            ("record_that_overruns_a_tensor", RECORD_THAT_OVERRUNS),
        )
    ),
    # Of fourteen tests one is of a tensor without elements.
    Attack("storage_freed_before_it_is_read", {"softmax.py": FREED_STORAGE}, deserves={"softmax": 0.3}),
    Attack("tensor_of_no_memory", {"softmax.py": TENSOR_OF_NO_MEMORY}, deserves={"softmax": 0.15}),
    # What does nothing earns what a test or two see in it, and no more.
    Attack("all_slices_alike", {"softmax.py": ALL_ALIKE}, deserves={"softmax": 0.15}),
    Attack("throws_everything_away", {"dropout.py": THROWS_ALL_AWAY}, deserves={"dropout": 0.15}),
    Attack("gives_its_input_back", {"dropout.py": GIVES_BACK}, deserves={"dropout": 0.3}),
    Attack("refuses_every_kernel", {"conv_output_size.py": REFUSES}),
    Attack(
        "gives_the_state_back", {"detach_state.py": GIVES_BACK_THE_STATE}, deserves={"detach_state": 0.15}
    ),
    Attack("refuses_every_state", {"detach_state.py": REFUSES_EVERY_STATE}),
    Attack("yields_no_batch", {"sequential_batches.py": YIELDS_NOTHING}),
    Attack("a_product_that_is_always_zero", {"vjp.py": ALWAYS_ZERO}, deserves={"vjp": 0.15}),
    Attack("a_loss_that_is_no_tensor", {"weighted_mse.py": RETURNS_NO_TENSOR}),
]
