from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest

from grader.course.load import Exercise
from grader.course.stub import is_unedited
from grader.errors import SubmissionError
from grader.submission import Caps, Submission, read_submission

Lay = Callable[[dict[str, str | bytes]], Path]
Exercises = Sequence[Exercise]
Read = Callable[..., Submission]

SOFTMAX = "def softmax(x, dim):\n    return x\n"


def notebook(*cells: str | dict[str, Any]) -> str:
    """A notebook as Jupyter saves it: texts are code cells."""
    made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return nbformat.writes(nbformat.v4.new_notebook(cells=made))


def markdown(text: str) -> dict[str, Any]:
    return nbformat.v4.new_markdown_cell(text)


@pytest.fixture
def read(lay: Lay, exercises: Exercises) -> Read:
    def of(*cells: str | dict[str, Any]) -> Submission:
        return read_submission(lay({"hw.ipynb": notebook(*cells)}) / "hw.ipynb", exercises)

    return of


def run(source: str | None) -> ModuleType:
    module = ModuleType("answer")
    exec(compile(source or "", "answer.py", "exec"), module.__dict__)
    return module


class TestWhatIsTaken:
    def test_each_exercise_is_found_by_the_names_it_defines(self, read: Read) -> None:
        submission = read(
            markdown("# Homework"),
            "import torch",
            SOFTMAX,
            "class WeightedMSE(torch.autograd.Function):\n    pass",
            "def encode_offsets(a, b):\n    return a",
        )
        assert list(submission.answers) == ["softmax", "encode_offsets", "weighted_mse"]
        assert submission.answers["softmax"].source == "# cell 3\n" + SOFTMAX
        assert submission.answers["softmax"].origin == "hw.ipynb"
        assert (
            submission.answers["weighted_mse"].source
            == "# cell 2\nimport torch\n\n# cell 4\nclass WeightedMSE(torch.autograd.Function):\n    pass\n"
        )

    def test_notebooks_lie_anywhere_in_a_folder_or_an_archive(
        self, lay: Lay, pack: Callable[..., Path], exercises: Exercises
    ) -> None:
        files = {"a/losses.IPYNB": notebook(SOFTMAX), "cross_entropy.py": "a = 1"}
        for path in (lay({**files}), pack(files)):
            assert list(read_submission(path, exercises).answers) == ["softmax", "cross_entropy"]

    def test_helpers_constants_and_imports_come_along_and_nothing_else(self, read: Read) -> None:
        submission = read(
            "import math\nimport torch, os\nfrom math import *",
            "BASE: float = 2.0\nSCALE = BASE * 2\nUNUSED = print('never')",
            "def shift(x):\n    return x + SCALE",
            "def unused():\n    return UNUSED",
            SOFTMAX.replace("return x", "return math.floor(shift(x))"),
            "for epoch in range(10**9):\n    loss = softmax(1, 2)\nprint(loss)",
            "SCALE += 1",
        )
        source = submission.answers["softmax"].source
        assert run(source).softmax(1.5, 0) == 6
        for word in ("UNUSED", "unused", "epoch", "print", "os", "import *"):
            assert word not in (source or "").replace("import torch, os", "")

    def test_plain_statements_do_not_run(self, read: Read) -> None:
        submission = read(SOFTMAX, "raise SystemExit", "softmax(1, 2).backward()", "x = softmax(1, 2) / 0")
        run(submission.answers["softmax"].source)
        assert "SystemExit" not in (submission.answers["softmax"].source or "")

    def test_the_last_definition_counts(self, read: Read) -> None:
        submission = read("def softmax(x, dim):\n    return 1", "def softmax(x, dim):\n    return 2")
        assert run(submission.answers["softmax"].source).softmax(0, 0) == 2
        assert submission.answers["softmax"].notes == (
            "softmax is defined in cells 1 and 2: the last one counts",
        )
        assert submission.notes == ("hw.ipynb: softmax is defined in cells 1 and 2: the last one counts",)

    def test_a_result_of_the_same_name_does_not_hide_the_function(self, read: Read) -> None:
        submission = read("x = 3", SOFTMAX, "softmax = softmax(x, 0)")
        assert run(submission.answers["softmax"].source).softmax(5, 0) == 5

    def test_nor_does_it_hide_a_helper(self, read: Read) -> None:
        submission = read(
            "def shift(x):\n    return x + 1",
            SOFTMAX.replace("return x", "return shift(x)"),
            "shift = shift(0)",
        )
        assert run(submission.answers["softmax"].source).softmax(1, 0) == 2

    def test_a_constant_that_a_condition_may_change(self, read: Read) -> None:
        submission = read("BASE = 1", "if len(''):\n    BASE = 2", SOFTMAX.replace("return x", "return BASE"))
        assert run(submission.answers["softmax"].source).softmax(0, 0) == 1

    def test_an_import_that_only_plots_need_is_left_out(self, read: Read) -> None:
        submission = read(
            "import no_such_plots as plt\nimport math", SOFTMAX.replace("x\n", "math.e\n"), "plt.x()"
        )
        assert run(submission.answers["softmax"].source).softmax(0, 0) > 2

    def test_all_forms_of_an_import_count(self, read: Read) -> None:
        submission = read("import os\nimport os.path", SOFTMAX.replace("return x", "return os.path.sep"))
        assert "import os\nimport os.path" in (submission.answers["softmax"].source or "")

    def test_a_star_import_comes_along_where_a_name_is_unknown(self, read: Read) -> None:
        submission = read("from math import *", SOFTMAX.replace("return x", "return floor(x)"))
        assert run(submission.answers["softmax"].source).softmax(1.5, 0) == 1

    def test_cells_that_were_run_in_another_order(self, read: Read) -> None:
        submission = read(
            "TABLE = build(3)",
            SOFTMAX.replace("return x", "return TABLE"),
            "def build(n):\n    return [n] * n",
        )
        assert run(submission.answers["softmax"].source).softmax(0, 0) == [3, 3, 3]

    def test_names_that_need_each_other(self, read: Read) -> None:
        submission = read(
            "def even(n):\n    return n == 0 or odd(n - 1)",
            "def odd(n):\n    return n != 0 and even(n - 1)",
            "A = [B for _ in range(1)]\nB = [A]",
            SOFTMAX.replace("return x", "return even(4)"),
        )
        assert run(submission.answers["softmax"].source).softmax(0, 0) is True

    def test_locals_and_parameters_pull_nothing_in(self, read: Read) -> None:
        submission = read(
            "x = 1 / 0\ny = 1 / 0\nz = 1 / 0",
            "def softmax(x, dim):\n    y = [z for z in (x,)]\n    return (lambda z: z)(y)",
        )
        assert submission.answers["softmax"].source is not None
        assert "1 / 0" not in submission.answers["softmax"].source

    def test_conditions_attributes_and_decorators_come_along(self, read: Read) -> None:
        submission = read(
            "try:\n    import no_such_module as fast\nexcept ImportError:\n    fast = None",
            "cache = {}\ncache['a'] = 7\ncache.clear()",
            "def twice(f):\n    return lambda *a: 2 * f(*a)",
            "@twice\ndef softmax(x, dim):\n    return cache['a'] if fast is None else 0",
        )
        assert run(submission.answers["softmax"].source).softmax(0, 0) == 14

    def test_two_names_of_one_exercise_may_lie_far_apart(self, read: Read) -> None:
        submission = read(
            "def encode_offsets(a, b):\n    return 1", SOFTMAX, "decode_offsets = lambda a, b: 2"
        )
        module = run(submission.answers["encode_offsets"].source)
        assert (module.encode_offsets(0, 0), module.decode_offsets(0, 0)) == (1, 2)
        assert not hasattr(module, "softmax")

    def test_the_future_comes_first(self, read: Read) -> None:
        submission = read(
            "import math",
            "from __future__ import annotations\ndef softmax(x: Nowhere, dim):\n    return math.e",
        )
        assert run(submission.answers["softmax"].source).softmax(0, 0) > 2

    def test_statements_on_one_line_and_wide_characters_are_cut_cleanly(self, read: Read) -> None:
        submission = read("名 = '汉'; é = 2; print(é)", SOFTMAX.replace("return x", "return 名 * é"))
        assert run(submission.answers["softmax"].source).softmax(0, 0) == "汉汉"


class TestUnedited:
    def test_a_stub_left_as_it_was_is_not_attempted(self, read: Read, softmax: Exercise) -> None:
        submission = read("import torch\nSCALE = 1.0", "# my work\n" + softmax.stub_source.split("1.0\n")[1])
        assert is_unedited(submission.answers["softmax"].source or "", softmax.stub_source)

    def test_one_of_two_names_written_is_an_attempt(self, read: Read, exercises: Exercises) -> None:
        stub = exercises[2].stub_source
        submission = read(stub.replace('"encode_offsets is not', '"', 1), "x = 1")
        assert not is_unedited(submission.answers["encode_offsets"].source or "", stub)

    def test_an_edited_file_goes_before_an_unedited_notebook(
        self, lay: Lay, exercises: Exercises, softmax: Exercise
    ) -> None:
        folder = lay({"losses/a.ipynb": notebook(softmax.stub_source), "softmax.py": SOFTMAX})
        assert read_submission(folder, exercises).answers["softmax"].source == SOFTMAX


class TestForTheNotebookItself:
    def test_magics_shell_lines_and_help_are_left_out(self, read: Read) -> None:
        submission = read(
            "%matplotlib inline\n!pip install torch \\\n  --quiet\nimport math\nmath?\n?math.e\nfiles = !ls\n"
            "!echo it's \"\nmath.e??\n%load_ext autoreload",
            "def softmax(x, dim):\n    %time y = 1\n    if dim:\n        !date\n    return (x\n    % 4)\n",
        )
        assert run(submission.answers["softmax"].source).softmax(6, 1) == 2
        assert submission.notes == (
            "hw.ipynb: 10 lines that are for the notebook itself, such as %matplotlib inline, left out",
        )

    @pytest.mark.parametrize(
        "line",
        [
            "%time x",
            "%%html",
            "!ls",
            "!!ls",
            "?x",
            "x?",
            "x.y??",
            "x = !ls",
            "a, b = !ls",
            "x = %pwd",
            "x[0] = !ls",
        ],
    )
    def test_each_is_left_out_and_reported(self, line: str, read: Read) -> None:
        submission = read(f"import math\n{line}\n{SOFTMAX}")
        assert submission.answers["softmax"].source == f"# cell 1\n{SOFTMAX}"
        assert submission.notes == (
            f"hw.ipynb: 1 line that is for the notebook itself, such as {line}, left out",
        )

    def test_what_only_looks_like_a_magic_stays(self, read: Read) -> None:
        text = '"""\n%time\n!ls\nwhat?\n"""'
        submission = read(f"%pylab\nTEXT = {text}\n%who\ndef softmax(x, dim):\n    return TEXT  # why?\n")
        assert run(submission.answers["softmax"].source).softmax(0, 0) == "\n%time\n!ls\nwhat?\n"

    @pytest.mark.parametrize("magic", ["%%time", "%%timeit -n 1", "%%capture out", "\n  \n%%time"])
    def test_a_timed_cell_is_python(self, magic: str, read: Read) -> None:
        assert read(f"{magic}\n{SOFTMAX}").answers["softmax"].source == "# cell 1\n" + SOFTMAX

    @pytest.mark.parametrize(
        "magic", ["%%bash", "%%html", "%%writefile softmax.py", "%%sh -s", "\n  \n%%bash"]
    )
    def test_a_cell_in_another_language_is_none(self, magic: str, read: Read) -> None:
        submission = read(f"{magic}\n{SOFTMAX}", "def cross_entropy(): pass")
        assert list(submission.answers) == ["cross_entropy"]
        (note,) = submission.notes
        assert note.startswith(
            f"hw.ipynb: cell 1 is for {magic.split()[0]}, and is not run: its definition of"
        )

    def test_a_definition_in_a_text_cell_does_not_count_and_is_noted(self, read: Read) -> None:
        submission = read(markdown(f"```python\n{SOFTMAX}```"), "def cross_entropy(): pass")
        assert list(submission.answers) == ["cross_entropy"]
        assert submission.notes == (
            "hw.ipynb: cell 1 is text, not code: its definition of softmax does not count",
        )


class TestBrokenCells:
    def test_a_broken_answer_reaches_its_author_as_it_is(self, read: Read) -> None:
        broken = "def softmax(x, dim):\n    return x +\n"
        submission = read("import torch", SOFTMAX, broken)
        assert submission.answers["softmax"].source == broken
        assert submission.answers["softmax"].notes == ("cell 3 is not valid Python",)

    def test_a_later_answer_mends_it(self, read: Read) -> None:
        submission = read("def softmax(x, dim):\n    return x +\n", SOFTMAX)
        assert run(submission.answers["softmax"].source).softmax(1, 0) == 1

    def test_one_of_two_names_broken(self, read: Read) -> None:
        broken = "def encode_offsets(a, b)\n    return 1"
        submission = read(broken, "def decode_offsets(a, b):\n    return 2")
        assert submission.answers["encode_offsets"].source == broken

    def test_another_broken_cell_is_passed_over(self, read: Read) -> None:
        submission = read("x = = 1", "print 'two'", SOFTMAX)
        assert run(submission.answers["softmax"].source).softmax(1, 0) == 1
        assert "hw.ipynb: cell 1 is not valid Python, and is left out" in submission.notes


class TestFormats:
    @pytest.mark.parametrize("version", [3, 2, 1])
    def test_an_older_format(self, version: int, lay: Lay, exercises: Exercises) -> None:
        text = notebook(SOFTMAX, markdown("# hm"))
        if version == 3:
            text = json.dumps(nbformat.convert(nbformat.reads(text, as_version=4), 3))
        elif version == 2:
            cell = {"cell_type": "code", "input": SOFTMAX, "outputs": [], "language": "python"}
            text = json.dumps({"nbformat": 2, "worksheets": [{"cells": [cell]}]})
        else:
            text = json.dumps({"nbformat": 1, "cells": [{"cell_type": "code", "code": SOFTMAX}]})
        read = read_submission(lay({"hw.ipynb": text}), exercises)
        assert read.answers["softmax"].source == "# cell 1\n" + SOFTMAX

    @pytest.mark.parametrize(
        "cell",
        [
            {"cell_type": "code", "source": SOFTMAX},
            {"cell_type": "code", "source": SOFTMAX.splitlines(keepends=True)},
            {"cell_type": "code", "source": SOFTMAX.replace("\n", "\r\n"), "id": 3, "metadata": None},
            {"cell_type": "code", "source": SOFTMAX, "outputs": "nonsense", "execution_count": {}},
            {"cell_type": "code", "source": ["\ufeff", SOFTMAX, None, 3]},
        ],
    )
    def test_what_is_missing_or_odd_in_a_cell_does_not_matter(
        self, cell: dict[str, Any], lay: Lay, exercises: Exercises, caplog: pytest.LogCaptureFixture
    ) -> None:
        cells = [
            cell,
            {"id": "a"},
            {"id": "a", "cell_type": "code"},
            None,
            [],
            3,
            {"cell_type": "raw", "source": "x"},
        ]
        with caplog.at_level(logging.DEBUG):
            read = read_submission(lay({"hw.ipynb": json.dumps({"cells": cells})}), exercises)
        assert read.answers["softmax"].source == "# cell 1\n" + SOFTMAX
        assert not caplog.records

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
    def test_its_encoding_does_not_matter(self, encoding: str, lay: Lay, exercises: Exercises) -> None:
        text = notebook(SOFTMAX + "# 汉字\n")
        assert read_submission(lay({"hw.ipynb": text.encode(encoding)}), exercises).answers

    def test_half_a_surrogate_pair_does_no_harm(self, lay: Lay, exercises: Exercises) -> None:
        text = json.dumps({"cells": [{"cell_type": "code", "source": SOFTMAX.replace("x\n", "'\ud800'\n")}]})
        read = read_submission(lay({"hw.ipynb": text}), exercises)
        assert run(read.answers["softmax"].source).softmax(0, 0) == "?"

    def test_outputs_of_many_megabytes_do_not_matter(self, lay: Lay, exercises: Exercises) -> None:
        cell = nbformat.v4.new_code_cell(SOFTMAX)
        image = {"image/png": "A" * (16 << 20)}
        cell.outputs = [nbformat.v4.new_output("display_data", data=image)]
        assert read_submission(lay({"hw.ipynb": notebook(cell)}), exercises).answers["softmax"].source

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("", "it is empty"),
            (" \n\0", "it is empty"),
            ("{", "is not a notebook"),
            ("[" * 100_000, "is not a notebook"),
            ("import torch\n", "is not a notebook"),
            (b"\xff\xfe\x00", "is not saved as UTF-8"),
            ('{"cells": [{"source": "汉"}]}'.encode("gbk"), "is not saved as UTF-8"),
            ("\n<!DOCTYPE html>", "is a web page, not a notebook: download the file itself"),
            ('{\n<<<<<<< HEAD\n"a": 1\n=======\n>>>>>>> b\n}', "conflict marks"),
            ('{"cells": [' + "{}," * 10_000 + "{}]}", "more than 10000 cells"),
            ('{"nbformat": 4, "cells": []}', "no cells"),
            ('{"a": ' + "9" * 5000 + "}", "is not a notebook"),
            ("3", "no cells"),
            ('{"cells": {"a": 1}}', "no cells"),
            ('{"worksheets": [3, {"cells": null}]}', "no cells"),
            ("[" + "[]," * 2_100_000 + "0]", "there is too much in it"),
            (" " * (32 << 20) + "{}", "larger than 32 MiB"),
        ],
    )
    def test_a_hopeless_one_is_noted_and_costs_nothing_else(
        self, content: str | bytes, words: str, lay: Lay, exercises: Exercises
    ) -> None:
        read = read_submission(lay({"hw.ipynb": content, "softmax.py": SOFTMAX}), exercises)
        assert list(read.answers) == ["softmax"]
        assert any(words in note and note.startswith("hw.ipynb cannot be read") for note in read.notes)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (
                "{",
                "hw.ipynb cannot be read as a notebook: it is not a notebook: open it in Jupyter, save it, and "
                "hand it in again",
            ),
            (notebook("x = 1"), "hw.ipynb defines no name that an exercise asks for"),
            (
                notebook(markdown(SOFTMAX)),
                "hw.ipynb: cell 1 is text, not code: its definition of softmax does not count; hw.ipynb defines no "
                "name that an exercise asks for",
            ),
        ],
    )
    def test_one_alone_that_answers_nothing_is_refused(
        self, content: str, words: str, lay: Lay, exercises: Exercises
    ) -> None:
        with pytest.raises(SubmissionError) as refused:
            read_submission(lay({"hw.ipynb": content}) / "hw.ipynb", exercises)
        assert refused.value.message == words


class TestCaps:
    def test_an_answer_that_is_too_long(self, lay: Lay, exercises: Exercises) -> None:
        text = notebook(f"TEXT = '{'x' * 2000}'", SOFTMAX.replace("return x", "return TEXT"))
        read = read_submission(lay({"hw.ipynb": text}), exercises, Caps(file_bytes=1000))
        assert read.answers["softmax"].source is None
        assert "longer than 1000 bytes" in (read.answers["softmax"].unreadable or "")

    def test_too_much_code_in_all(self, lay: Lay, exercises: Exercises) -> None:
        with pytest.raises(SubmissionError, match="more than 1 KiB of Python"):
            read_submission(
                lay({"hw.ipynb": notebook(SOFTMAX, "#" * 2000)}), exercises, Caps(code_bytes=1024)
            )

    def test_too_many_statements(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"hw.ipynb": notebook(SOFTMAX, "a = 1\n" * 50)})
        assert read_submission(folder, exercises, Caps(notebook_statements=100)).answers
        with pytest.raises(SubmissionError, match="more than 40 statements"):
            read_submission(folder, exercises, Caps(notebook_statements=40))

    def test_more_accents_on_a_letter_than_python_can_order(self, lay: Lay, exercises: Exercises) -> None:
        folder = lay({"hw.ipynb": notebook(SOFTMAX, "x = 1\na" + "\u0327\u0301" * 50_000 + " = 1")})
        with pytest.raises(SubmissionError, match="cell 2: line 2 has more than 30 accents"):
            read_submission(folder, exercises)

    @pytest.mark.parametrize(
        "cell",
        [
            "a = a\n" * 20_000,
            "".join(f"a{n} = a{n + 1}\n" for n in range(8_000)),
            "import a.b\n" * 4_000 + "a = a\n" * 4_000,
            "".join(f"import a\nb{n} = a\n" for n in range(4_000))
            + "a = ["
            + ", ".join(f"b{n}" for n in range(4_000))
            + "]",
            "a = a\na[0] = a\n" * 8_000,
            "!x\n" * 40_000,
            "if a:\n" + "    a = a\n" * 12_000,
            "a[0] = a\n" * 14_000,
            "(" * 200_000,
            "'" * 250_001 + "\n!x",
            "x?" + " " * 200_000 + "!",
            "\n".join(" " * 3 + "def" + " " * 50 for _ in range(4_000)) + "\n?",
            "=" + " = %" * 50_000,
            "a." * 100_000 + "= !",
        ],
        ids=lambda cell: cell[:12],
    )
    def test_hostile_cells_are_read_in_one_go(self, cell: str, read: Read) -> None:
        """Anything quadratic in their length would keep this test for hours."""
        submission = read("a = a0 = 0", cell, SOFTMAX.replace("return x", "return a, a0"))
        assert submission.answers["softmax"].origin
