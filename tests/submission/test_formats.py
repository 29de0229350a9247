"""Notebooks as the programs of fifteen years saved them, one specimen of each."""

from __future__ import annotations

import contextlib
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.load import Exercise
from grader.submission import Caps, Submission, read_submission
from grader.submission.contents import UnreadableError
from grader.submission.formats import read_cells

Lay = Callable[[dict[str, str | bytes]], Path]
Exercises = Sequence[Exercise]

SOFTMAX = "def softmax(x, dim):\n    return x\n"
LINES = ["def softmax(x, dim):\n", "    return x\n"]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==\n"


def code(source: str | list[str], **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
        **more,
    }


def text(source: str | list[str], **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


def format_4(minor: int, cells: list[dict[str, Any]], **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": minor, "metadata": metadata, "cells": cells}


PYTHON_3 = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.11.4",
    },
}

FORMAT_1 = {
    "cells": [
        {"cell_type": "text", "text": "Homework"},
        {"cell_type": "code", "code": "import torch", "prompt_number": 1},
        {"cell_type": "code", "code": SOFTMAX},
    ]
}

FORMAT_2 = {
    "metadata": {"name": "hw"},
    "nbformat": 2,
    "worksheets": [
        {
            "cells": [
                {"cell_type": "markdown", "source": "# Homework"},
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": "import torch",
                    "language": "python",
                    "outputs": [{"output_type": "pyout", "png": PNG, "prompt_number": 1, "text": "<Axes>"}],
                    "prompt_number": 1,
                },
                {"cell_type": "code", "input": LINES, "language": "python", "outputs": []},
            ]
        }
    ],
}

FORMAT_3 = {
    "metadata": {"name": "", "signature": "sha256:0123"},
    "nbformat": 3,
    "nbformat_minor": 0,
    "worksheets": [
        {
            "cells": [
                {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Homework"]},
                {
                    "cell_type": "code",
                    "collapsed": False,
                    "input": ["import torch"],
                    "language": "python",
                    "metadata": {},
                    "outputs": [
                        {"output_type": "stream", "stream": "stdout", "text": ["1\n"]},
                        {"ename": "E", "evalue": "e", "output_type": "pyerr", "traceback": ["\x1b[31mE"]},
                    ],
                    "prompt_number": 1,
                },
            ],
            "metadata": {},
        },
        {
            "cells": [
                {
                    "cell_type": "code",
                    "input": LINES,
                    "language": "python",
                    "metadata": {},
                    "outputs": [],
                }
            ],
            "metadata": {},
        },
    ],
}

FORMAT_4_1 = format_4(
    1,
    [
        text("![a](attachment:a.png)", attachments={"a.png": {"image/png": PNG}}),
        code("import torch", metadata={"collapsed": True, "scrolled": "auto"}, execution_count=1),
        code(LINES),
    ],
    **PYTHON_3,
)

FORMAT_4_5 = format_4(
    5,
    [
        text("# Homework", id="b8f1c5a0"),
        code("import torch", id="0f6d2c88-6a53-4c7b-8a3c-2f1d9be0c001", execution_count=1),
        code(
            LINES,
            id="softmax",
            outputs=[{"output_type": "stream", "name": "stderr", "text": ["warning\n"]}],
            execution_count=2,
        ),
    ],
    **PYTHON_3,
)

COLAB = format_4(
    0,
    [
        text(
            [
                '<a href="https://colab.research.google.com/github/a/b/blob/main/hw.ipynb" target="_parent">'
                '<img src="https://colab.research.google.com/assets/colab-badge.svg"/></a>'
            ],
            metadata={"id": "view-in-github", "colab_type": "text"},
        ),
        code(
            [
                '#@title Set up { display-mode: "form" }\n',
                "!pip install -q torch\n",
                "%cd /content\n",
                "from google.colab import drive\n",
                "drive.mount('/content/drive')\n",
                "import torch",
            ],
            metadata={"cellView": "form", "id": "Xy1", "colab": {"base_uri": "https://localhost:8080/"}},
            execution_count=1,
            outputs=[{"output_type": "stream", "name": "stdout", "text": ["Mounted at /content/drive\n"]}],
        ),
        code(LINES, metadata={"id": "Xy2"}),
    ],
    accelerator="GPU",
    colab={"provenance": [], "authorship_tag": "ABX9", "gpuType": "T4", "include_colab_link": True},
    kernelspec={"name": "python3", "display_name": "Python 3"},
    language_info={"name": "python"},
    widgets={"application/vnd.jupyter.widget-state+json": {"a": {"model_name": "HBoxModel", "state": {}}}},
)

VS_CODE = format_4(
    2,
    [
        text(["# Homework\r\n"]),
        code("import torch", metadata={"vscode": {"languageId": "python"}}),
        # Without the Python extension, every cell is saved as plain text.
        code(
            [line.replace("\n", "\r\n") for line in LINES], metadata={"vscode": {"languageId": "plaintext"}}
        ),
        code("ls -l | grep py", metadata={"vscode": {"languageId": "shellscript"}}),
    ],
    language_info={"name": "python"},
    orig_nbformat=4,
    vscode={"interpreter": {"hash": "aee8b7b246df8f9039afb4144a1f6fd8"}},
)

# Ids in a format that knows none, states of execution, and cells that were merged in twice.
JUPYTERLAB_COLLABORATION = format_4(
    4,
    [
        text("# Homework", id="a1"),
        code("import torch", id="a2", execution_state="idle", metadata={"trusted": True}),
        code(SOFTMAX, id="a3", execution_state="running"),
        text("# Homework", id="a1"),
        code("import torch", id="a2"),
        code(SOFTMAX, id="a3"),
    ],
    **PYTHON_3,
)

NBGRADER = format_4(
    5,
    [
        text(
            "Before you turn this in, restart the kernel.", id="n1", metadata={"nbgrader": {"grade": False}}
        ),
        code(
            'NAME = ""\nCOLLABORATORS = ""',
            id="n2",
            metadata={"deletable": False, "nbgrader": {"grade": False, "locked": True, "schema_version": 3}},
        ),
        code(
            [
                "def softmax(x, dim):\n",
                "    ### BEGIN SOLUTION\n",
                "    return x\n",
                "    ### END SOLUTION\n",
            ],
            id="n3",
            metadata={
                "deletable": False,
                "nbgrader": {
                    "cell_type": "code",
                    "checksum": "f0d2",
                    "grade": False,
                    "grade_id": "cell-softmax",
                    "locked": False,
                    "schema_version": 3,
                    "solution": True,
                    "task": False,
                },
            },
        ),
        code(
            "assert softmax(1, 0) == 2\n### BEGIN HIDDEN TESTS\nassert False\n### END HIDDEN TESTS",
            id="n4",
            metadata={"deletable": False, "editable": False, "nbgrader": {"grade": True, "points": 2}},
        ),
    ],
    **PYTHON_3,
)

KAGGLE = format_4(
    4,
    [
        code(
            "import os\nfor folder, _, names in os.walk('/kaggle/input'):\n    print(folder, names)",
            metadata={
                "_uuid": "8f2839f25d086af736a60e9eeb907d3b93b6e0e5",
                "_cell_guid": "b1076dfc-b9ad-4769-8c92-a6c4dae69d19",
                "trusted": True,
                "execution": {"iopub.status.busy": "2024-05-01T10:00:00.0Z", "shell.execute_reply": None},
            },
        ),
        code(
            SOFTMAX, metadata={"execution": {"iopub.status.idle": "2024-05-01T10:00:01.0Z"}, "trusted": True}
        ),
    ],
    kaggle={
        "accelerator": "none",
        "dataSources": [],
        "isInternetEnabled": True,
        "language": "python",
        "sourceType": "notebook",
    },
    **PYTHON_3,
)

DATABRICKS = format_4(
    0,
    [
        code("%md\n# Homework", metadata={"application/vnd.databricks.v1+cell": {"nuid": "a", "title": ""}}),
        code("%python\n" + SOFTMAX, metadata={"application/vnd.databricks.v1+cell": {"inputWidgets": {}}}),
    ],
    **{"application/vnd.databricks.v1+notebook": {"language": "python"}},
)

SPECIMENS: dict[str, tuple[dict[str, Any], int]] = {
    "format 1": (FORMAT_1, 3),
    "format 2": (FORMAT_2, 3),
    "format 3 with two worksheets": (FORMAT_3, 3),
    **{
        f"format 4.{minor}": (format_4(minor, [text("# a"), code(LINES)], **PYTHON_3), 2)
        for minor in (0, 2, 3, 4)
    },
    "format 4.1 with attachments": (FORMAT_4_1, 3),
    "format 4.5": (FORMAT_4_5, 3),
    "Colab": (COLAB, 3),
    "VS Code": (VS_CODE, 3),
    "JupyterLab, edited together": (JUPYTERLAB_COLLABORATION, 6),
    "nbgrader": (NBGRADER, 3),
    "Kaggle": (KAGGLE, 2),
    "Databricks": (DATABRICKS, 2),
}


@pytest.fixture
def read(lay: Lay, exercises: Exercises) -> Callable[[Any], Submission]:
    def of(notebook: Any) -> Submission:
        data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
        return read_submission(lay({"hw.ipynb": data}), exercises)

    return of


Read = Callable[[Any], Submission]


@pytest.mark.parametrize("specimen", SPECIMENS.values(), ids=SPECIMENS)
def test_the_answer_is_found_in(
    specimen: tuple[dict[str, Any], int], read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    notebook, number = specimen
    with caplog.at_level(logging.DEBUG):
        answer = read(notebook).answers["softmax"]
    lines = [line for line in (answer.source or "").splitlines() if "###" not in line]
    assert lines == [f"# cell {number}", *SOFTMAX.splitlines()]
    assert not caplog.records  # the library grumbles at what was not mended


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_and_byte_order_marks_do_not_matter(indent: int | None, encoding: str, read: Read) -> None:
    notebook = format_4(5, [code(SOFTMAX + "# 汉字 é 😀\n", id="a")])
    data = json.dumps(notebook, ensure_ascii=False, indent=indent).encode(encoding)
    assert read(data).answers["softmax"].source == "# cell 1\n" + SOFTMAX


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_in_cells_and_in_the_file_do_not_matter(end: str, read: Read) -> None:
    notebook = format_4(5, [code(SOFTMAX.replace("\n", end), id="a")])
    data = json.dumps(notebook, indent=1).replace("\n", end).encode()
    assert read(data).answers["softmax"].source == "# cell 1\n" + SOFTMAX


class TestMended:
    @pytest.mark.parametrize(
        "notebook",
        [
            {"cells": [code(LINES)]},
            {"nbformat": 4, "cells": [code(LINES)]},
            {"nbformat": "4", "nbformat_minor": "5", "metadata": None, "cells": [code(LINES)]},
            {"nbformat": None, "metadata": [], "cells": [code(LINES)]},
            {"nbformat": 4.0, "cells": [code(LINES)]},
            {"nbformat": -1, "cells": [code(LINES)]},
            {"nbformat": True, "cells": [code(LINES)]},
            {"nbformat": 3, "cells": [code(LINES)]},
            {"nbformat": 4, "worksheets": FORMAT_3["worksheets"][1:]},  # type: ignore[index]  # it is a list
            {"nbformat": 4, "cells": [], "worksheets": [{"cells": [{"cell_type": "code", "input": LINES}]}]},
            {"nbformat": 4, "cells": [code(LINES)], "worksheets": [{"cells": [code("def softmax(): pass")]}]},
            {"nbformat": 3, "worksheets": [{"cells": [{"cell_type": "code", "source": SOFTMAX}]}]},
            {"nbformat": 4, "cells": [{"cell_type": "code", "input": SOFTMAX}]},
        ],
        ids=lambda notebook: json.dumps(notebook)[:40],
    )
    def test_what_a_notebook_says_of_its_format_need_not_be_so(
        self, notebook: dict[str, Any], read: Read
    ) -> None:
        submission = read(notebook)
        assert submission.answers["softmax"].source == "# cell 1\n" + SOFTMAX
        assert submission.notes == ()

    @pytest.mark.parametrize("number", [5, 99, 10**30, 4.7, float("inf")])
    def test_a_format_of_the_future_is_read_and_noted(self, number: float, read: Read) -> None:
        submission = read({"nbformat": number, "nbformat_minor": 9, "cells": [code(LINES)]})
        assert submission.answers["softmax"].source == "# cell 1\n" + SOFTMAX
        (note,) = submission.notes
        assert "which is read as if it were 4" in note

    @pytest.mark.parametrize(
        "changes",
        [
            {"metadata": None},
            {"metadata": {"a": [[[{}]]], "tags": "no list", "name": 3}},
            {"outputs": None},
            {"outputs": "nonsense"},
            {"outputs": [3, None, {"output_type": "no such"}]},
            {"execution_count": "1"},
            {"execution_count": -1.5},
            {"id": ""},
            {"id": 7},
            {"id": ["a"]},
            {"id": "x" * 100},
            {"id": "with spaces"},
            {"attachments": 3},
            {"unknown": {"a": 1}},
            {"cell_type": "Code"},
            {"cell_type": "python"},
            {"cell_type": None},
            {"cell_type": ["code"]},
        ],
        ids=repr,
    )
    def test_what_is_odd_in_a_cell_does_not_matter(self, changes: dict[str, Any], read: Read) -> None:
        submission = read(format_4(5, [{**code(LINES), **changes}]))
        assert submission.answers["softmax"].source == "# cell 1\n" + SOFTMAX
        assert submission.notes == ()

    @pytest.mark.parametrize("key", ["metadata", "outputs", "execution_count", "id", "cell_type"])
    def test_what_is_missing_in_a_cell_does_not_matter(self, key: str, read: Read) -> None:
        cell = {name: value for name, value in code(LINES, id="a").items() if name != key}
        assert read(format_4(5, [cell])).answers["softmax"].source == "# cell 1\n" + SOFTMAX

    @pytest.mark.parametrize("ids", [("a", "a"), (None, None), ("", ""), ([], {})], ids=repr)
    def test_ids_that_are_there_twice_or_none_do_not_matter(self, ids: tuple[Any, Any], read: Read) -> None:
        cells = [
            code("def helper(x):\n    return x", id=ids[0]),
            code("def softmax(x, dim):\n    return helper(x)"),
        ]
        cells[1]["id"] = ids[1]
        source = read(format_4(5, cells)).answers["softmax"].source
        assert source is not None
        assert "def helper" in source

    @pytest.mark.parametrize("source", [None, [], "", [None, 3]], ids=repr)
    def test_a_cell_without_a_text_is_empty(self, source: Any, read: Read) -> None:
        submission = read(format_4(5, [code(source), code(LINES)]))
        assert submission.answers["softmax"].source == "# cell 2\n" + SOFTMAX
        assert submission.notes == ()

    @pytest.mark.parametrize("source", [3, {"a": SOFTMAX}, True], ids=repr)
    def test_a_text_that_is_none_is_noted(self, source: Any, read: Read) -> None:
        submission = read(format_4(5, [code(source), code(LINES)]))
        assert submission.answers["softmax"].source == "# cell 2\n" + SOFTMAX
        assert submission.notes == ("hw.ipynb: cell 1 has no text that can be read",)

    def test_of_a_key_that_is_there_twice_the_last_one_counts(self, read: Read) -> None:
        first, last = (json.dumps([code(f"def softmax(x, dim):\n    return {n}\n")]) for n in (1, 2))
        submission = read(f'{{"cells": {first}, "cells": {last}}}'.encode())
        assert "return 2" in (submission.answers["softmax"].source or "")

    def test_numbers_that_are_none_do_no_harm(self, read: Read) -> None:
        data = json.dumps(format_4(5, [code(LINES, execution_count=float("nan"))], a=float("inf"), b=-1e999))
        assert "NaN" in data
        assert read(data.encode()).answers["softmax"].source == "# cell 1\n" + SOFTMAX

    def test_metadata_as_deep_as_json_can_be_does_no_harm(self, read: Read) -> None:
        deep: Any = []
        for _ in range(400):
            deep = [deep]
        notebook = format_4(5, [code(LINES, metadata={"a": deep}, outputs=deep)], a=deep)
        assert read(notebook).answers["softmax"].source == "# cell 1\n" + SOFTMAX


@pytest.mark.parametrize(
    ("notebook", "number"), [(FORMAT_1, 1), (FORMAT_2, 2), (FORMAT_3, 3), (FORMAT_4_1, 4)]
)
def test_the_library_upgrades_the_format_that_it_is_of(
    notebook: dict[str, Any], number: int, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    convert = nbformat.convert

    def watch(notebook: Any, to: int) -> Any:
        seen.append((notebook["nbformat"], to))
        return convert(notebook, to)

    monkeypatch.setattr(nbformat, "convert", watch)
    assert read(notebook).answers["softmax"].source
    assert seen == [(number, 4)]


def test_the_library_never_sees_what_is_large(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs, attachments and metadata go no further: to look through them takes seconds."""
    seen: list[str] = []
    validate = nbformat.validate

    def watch(notebook: Any, **options: Any) -> None:
        seen.append(json.dumps(notebook))
        validate(notebook, **options)

    monkeypatch.setattr(nbformat, "validate", watch)
    large = "A" * 10_000
    output = {"output_type": "display_data", "data": {"image/png": large}, "metadata": {}}
    cells = [
        code(LINES, outputs=[output], metadata={"a": large}),
        text("![a](attachment:a.png)", attachments={"a.png": {"image/png": large}}),
    ]
    assert read(format_4(5, cells, widgets={"a": large})).answers["softmax"].source
    assert seen
    assert all(large not in notebook for notebook in seen)


def test_another_language_is_noted(read: Read) -> None:
    submission = read(format_4(5, [code(LINES)], language_info={"name": "R\x1b[2J"}))
    assert submission.notes == (r"hw.ipynb: it says that it is written in R\x1b[2J: only Python is read",)


@pytest.mark.parametrize("kind", ["raw", "markdown", "heading", "unknown"])
@pytest.mark.parametrize("number", [3, 4])
def test_a_definition_that_was_turned_to_text_does_not_count(number: int, kind: str, read: Read) -> None:
    cells = [{"cell_type": kind, "metadata": {}, "source": LINES}, code("def cross_entropy(a, b): pass")]
    cells[1]["input"] = cells[1].pop("source") if number == 3 else ""
    if number == 4:
        cells[1]["source"] = "def cross_entropy(a, b): pass"
    notebook = {"nbformat": 3, "worksheets": [{"cells": cells}]} if number == 3 else format_4(5, cells)
    submission = read(notebook)
    assert list(submission.answers) == ["cross_entropy"]
    assert submission.notes == (
        "hw.ipynb: cell 1 is text, not code: its definition of softmax does not count",
    )


def test_what_the_library_refuses_is_read_all_the_same_and_noted(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(notebook: Any, **options: Any) -> None:
        raise nbformat.ValidationError("cells[1]: 'x'\nis a new rule")

    monkeypatch.setattr(nbformat, "validate", refuse)
    submission = read(FORMAT_3)
    assert submission.answers["softmax"].source == "# cell 3\n" + SOFTMAX
    assert submission.notes == (
        "hw.ipynb: it is no valid notebook (cells[1]: 'x' is a new rule): its cells are read all the same",
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("cell_type", "source", "input", "code", "text", "outputs", "metadata", "id", "level", "language")
ODD_CELLS = JSON | st.dictionaries(
    st.sampled_from(KEYS), JSON | st.sampled_from(["code", "markdown", "raw", "heading", "html", SOFTMAX])
)
ODD_SHEETS = JSON | st.fixed_dictionaries({}, optional={"cells": JSON | st.lists(ODD_CELLS, max_size=4)})
ODD_NOTEBOOKS = JSON | st.fixed_dictionaries(
    {},
    optional={
        "nbformat": JSON | st.integers(-1, 6),
        "nbformat_minor": JSON,
        "metadata": JSON | st.fixed_dictionaries({"language_info": JSON}),
        "cells": JSON | st.lists(ODD_CELLS, max_size=4),
        "worksheets": JSON | st.lists(ODD_SHEETS, max_size=3),
    },
)


@given(ODD_NOTEBOOKS)
@settings(max_examples=300, deadline=None)
def test_whatever_the_json_it_is_read_or_refused_and_the_library_has_nothing_against_it(
    notebook: Any,
) -> None:
    with contextlib.suppress(UnreadableError), warnings.catch_warnings():
        warnings.simplefilter("error")
        read = read_cells(json.dumps(notebook).encode(), Caps())
        assert not any("no valid notebook" in note for note in read.notes)
        assert [cell.number for cell in read.cells] == list(range(1, len(read.cells) + 1))
        for cell in read.cells:
            cell.text.encode()


WATCHED = """
import sys
seen = []
ROOTS = tuple({sys.prefix, sys.base_prefix, *sys.path} - {""})
def watch(event, arguments):
    if event == "open" and not str(arguments[0]).startswith(ROOTS):
        seen.append((event, arguments[0]))
    elif event.startswith(("socket.", "subprocess.", "sqlite3.", "tempfile.", "os.exec", "os.fork", "os.system",
                           "os.mkdir", "os.remove", "os.rename", "ctypes.")):
        seen.append((event, arguments))
from grader.submission.contents import Caps
from grader.submission.formats import read_cells
assert "nbformat" not in sys.modules
data = sys.stdin.buffer.read()
sys.addaudithook(watch)
cells = read_cells(data, Caps())
assert "nbformat" in sys.modules
assert not any(name.startswith(("nbformat.sign", "nbconvert", "jupyter_core")) for name in sys.modules)
print(len(cells.cells), seen)
"""


@pytest.mark.parametrize("notebook", [FORMAT_1, FORMAT_3, FORMAT_4_5], ids=["1", "3", "4.5"])
def test_a_notebook_opens_no_file_and_no_connection(notebook: dict[str, Any]) -> None:
    """Nothing but the library's own files: its modules and schemas."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], input=json.dumps(notebook).encode(), capture_output=True, check=False
    )
    assert done.stdout.decode() == "3 []\n", done.stderr.decode()
