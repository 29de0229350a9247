"""Uploads that are made to hurt whoever opens them, or that were only hurt on their way.

What carries a right answer in an odd wrapping keeps its points: `full_marks`. What cannot be read at all ends
with one line and exit code 2.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import stat
import struct
import unicodedata
import warnings
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.attacks.attack import Attack, course_root, right_answer

Entry = tuple[str | zipfile.ZipInfo, str | bytes]
Make = Callable[[Path], Path]

RIGHT = "conv_output_size"
"""The exercise that is answered rightly beside the attack, or by it."""

FULL = frozenset({RIGHT})
NOTHING_ELSE = frozenset({"not_attempted"})
UNREAD = frozenset({"not_attempted", "error"})
ATTEMPTED = frozenset({"not_attempted", "error", "failed", "crashed", "forbidden"})

WRONG = "def conv_output_size(*args, **kwargs):\n    return 0\n"
WRONG_SOFTMAX = "def softmax(x, dim):\n    return None\n"
SECRET = "root:x:0:0"  # how /etc/passwd begins


def right() -> str:
    return right_answer(RIGHT)


def beside() -> Entry:
    return (f"{RIGHT}.py", right())


# --- archives


def packed(entries: Iterable[Entry], compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in entries:
            archive.writestr(name, content)
        archive.comment = comment
    return buffer.getvalue()


def archive(
    entries: Callable[[], Iterable[Entry]],
    change: Callable[[bytes], bytes] = bytes,
    compression: int = zipfile.ZIP_DEFLATED,
    name: str = "hw.zip",
) -> Make:
    """Makes a zip of these entries, which `change` may then hurt."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(change(packed(entries(), compression)))
        return path

    return make


def named(*names: str) -> Make:
    """A zip in which a wrong file has each of these names, with a right one beside."""
    return archive(lambda: [*((name, WRONG_SOFTMAX) for name in names), beside()])


def special(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def link_entries() -> list[Entry]:
    reference = course_root() / "solutions" / "losses" / "softmax" / "reference.py"
    return [
        (special("softmax.py", stat.S_IFLNK), str(reference)),
        (special("perplexity.py", stat.S_IFLNK), "/etc/passwd"),
        (special("sequences", stat.S_IFLNK), str(course_root() / "solutions" / "sequences")),
        beside(),
    ]


def through_a_link() -> list[Entry]:
    """Unpacked on a disk, the file would land where the link leads."""
    return [(special("convolution", stat.S_IFLNK), "/tmp"), (f"convolution/{RIGHT}.py", right())]


def field_set(at_local: int, at_central: int, layout: str, value: int) -> Callable[[bytes], bytes]:
    """Sets a field in both headers of the first entry."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        struct.pack_into(layout, changed, data.index(b"PK\x03\x04") + at_local, value)
        struct.pack_into(layout, changed, data.index(b"PK\x01\x02") + at_central, value)
        return bytes(changed)

    return change


def with_zip64_lies(data: bytes) -> bytes:
    """The directory says of its first entry that it has 2^63 bytes, and lies beyond the end."""
    at = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    extra = struct.pack("<HHQQQ", 1, 24, 1 << 63, 1 << 63, 0)
    name_length = struct.unpack_from("<H", data, at + 28)[0]
    changed = bytearray(data)
    struct.pack_into("<III", changed, at + 16, 0, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", changed, at + 30, len(extra))
    struct.pack_into("<I", changed, at + 42, 0xFFFFFFFF)
    struct.pack_into("<I", changed, end + 12, end - at + len(extra))
    place = at + 46 + name_length
    return bytes(changed[:place] + extra + changed[place:])


def overlapping(data: bytes) -> bytes:
    """Three thousand entries of the directory that all mean the first entry's data."""
    at, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    first_end = data.index(b"PK\x01\x02", at + 4)
    first = data[at:first_end]
    copies = b"".join(first.replace(b"0000.ipynb", b"%04d.ipynb" % number) for number in range(200))
    directory = copies + data[first_end:end]
    count = 200 + data[first_end:end].count(b"PK\x01\x02")
    return (
        data[:at]
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), at, 0)
    )


def nested(levels: int) -> list[Entry]:
    data = packed([(f"{RIGHT}.py", right()), ("bomb", b"\0" * 1_000_000)])
    for level in range(levels):
        data = packed((f"{level}-{copy}.zip", data) for copy in range(4))
    return [("inner.zip", data)]


def with_wrong_crc(data: bytes) -> bytes:
    return field_set(14, 16, "<I", 0xDEADBEEF)(data)


def not_utf8(data: bytes) -> bytes:
    return data.replace("作业".encode(), b"\xff\xfe\xfd\xff\xfe\xfd")


def in_cp437(data: bytes) -> bytes:
    return data.replace(b"abcd", "é/ß"[:1].encode("cp437") * 4)


def two_normal_forms() -> list[Entry]:
    composed, apart = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    return [(f"{composed}/{RIGHT}.py", right()), (f"{apart}/{RIGHT}.py", right())]


# --- folders


def files(contents: Callable[[], dict[str, str | bytes]], handed_in: str = ".") -> Make:
    def make(folder: Path) -> Path:
        for name, content in contents().items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder / handed_in if handed_in != "." else folder

    return make


def only(name: str, content: str | bytes) -> Make:
    return files(lambda: {name: content}, name)


def with_right(content: dict[str, str | bytes]) -> Make:
    return files(lambda: {**content, f"{RIGHT}.py": right()})


def links_to_what_is_hidden(folder: Path) -> Path:
    solutions = course_root() / "solutions"
    (folder / "softmax.py").symlink_to(solutions / "losses" / "softmax" / "reference.py")
    (folder / "perplexity.py").symlink_to("/etc/passwd")
    (folder / "autograd").symlink_to(solutions / "autograd", target_is_directory=True)
    (folder / "answers.ipynb").symlink_to(solutions / "losses" / "softmax" / "reference.py")
    return with_right({})(folder)


def link_loops(folder: Path) -> Path:
    (folder / "a").mkdir()
    (folder / "a" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "softmax.py").symlink_to("perplexity.py")
    (folder / "perplexity.py").symlink_to("softmax.py")
    (folder / "self").symlink_to("self")
    return with_right({})(folder)


def a_link(folder: Path) -> Path:
    (folder / "hw").symlink_to(course_root() / "exercises", target_is_directory=True)
    return folder / "hw"


def what_keeps_waiting(folder: Path) -> Path:
    os.mkfifo(folder / "softmax.py")
    directory = os.open(folder, os.O_RDONLY)
    try:
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"/proc/self/fd/{directory}/perplexity.py")  # a socket's own path may not be long
        server.close()
    finally:
        os.close(directory)
    with contextlib.suppress(PermissionError):  # only root makes devices
        os.mknod(folder / "dropout.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    return with_right({})(folder)


def a_pipe_alone(folder: Path) -> Path:
    os.mkfifo(folder / "softmax.py")
    return folder / "softmax.py"


def a_pipe_as_zip(folder: Path) -> Path:
    os.mkfifo(folder / "hw.zip")
    return folder / "hw.zip"


def unreadable(folder: Path) -> Path:
    """Root reads them all the same: so what is in them is wrong."""
    with_right({"softmax.py": WRONG_SOFTMAX, "closed/perplexity.py": "x"})(folder)
    (folder / "softmax.py").chmod(0)
    (folder / "closed").chmod(0)
    return folder


def broad(folder: Path) -> Path:
    for number in range(21_000):
        (folder / f"{number}.txt").touch()
    return with_right({})(folder)


def deep(folder: Path) -> Path:
    bottom = folder.joinpath(*("d" * 200))
    bottom.mkdir(parents=True)
    (bottom / "softmax.py").write_text(right_answer("softmax"), encoding="utf-8")
    return with_right({})(folder)


def sparse(folder: Path) -> Path:
    with (folder / "softmax.py").open("wb") as file:
        file.truncate(1 << 40)
    with (folder / "hw.ipynb").open("wb") as file:
        file.truncate(1 << 40)
    return with_right({})(folder)


def name_of_bytes(folder: Path) -> Path:
    inner = os.fsencode(folder) + b"/\xff\xfe\x1b[2J"
    os.mkdir(inner)
    Path(os.fsdecode(inner), f"{RIGHT}.py").write_text(right(), encoding="utf-8")
    return folder


PASSES_ALL = """\
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"
"""

INTRUDERS: dict[str, str | bytes] = {
    "softmax.py": WRONG_SOFTMAX,
    "conftest.py": PASSES_ALL,
    "losses/conftest.py": PASSES_ALL,
    "pytest.ini": "[pytest]\npython_functions = nothing\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
    "torch.py": "raise SystemExit(0)\n",
    "torch/__init__.py": "raise SystemExit(0)\n",
    "sitecustomize.py": "raise SystemExit(0)\n",
    "usercustomize.py": "raise SystemExit(0)\n",
    "evil.pth": "import os; os._exit(0)\n",
    "grader/__init__.py": "raise SystemExit(0)\n",
    "grader/errors.py": "raise SystemExit(0)\n",
    "course.toml": "[course]\nminimum_isolation = 0\n",
    "solutions/losses/softmax/reference.py": WRONG_SOFTMAX,
    "test_softmax.py": "def test_values(): pass\n",
    "__init__.py": "raise SystemExit(0)\n",
}


# --- notebooks


def cell(source: Any, **changes: Any) -> dict[str, Any]:
    made = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    return {**made, "source": source, **changes}


def notebook(*cells: dict[str, Any], **changes: Any) -> str:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **changes})


def in_notebook(text: Callable[[], str | bytes]) -> Make:
    return files(lambda: {"hw.ipynb": text()}, "hw.ipynb")


def with_magics() -> str:
    return notebook(
        cell(
            "%load_ext autoreload\n!touch /tmp/here; rm -rf $HOME\nfiles = !ls /\n?print\nget_ipython().system('id')"
        ),
        cell("%%bash\ncat /etc/passwd"),
        cell(f"%%time\n{right()}\n%timeit 1\n"),
        cell("import os\nos._exit(0)"),
    )


def older(major: int) -> str:
    cells = [{"cell_type": "code", "input": right(), "language": "python", "outputs": [], "metadata": {}}]
    sheets = [{"cells": [{"cell_type": "markdown", "source": "# old"}]}, {"cells": cells}]
    return json.dumps(
        {"nbformat": major, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": sheets}
    )


def oldest() -> str:
    return json.dumps({"cells": [{"cell_type": "code", "code": right()}]})


def with_large_outputs() -> str:
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * (30 << 20)}}
    return notebook(cell(right(), outputs=[output]))


def with_numbers_that_are_none() -> str:
    return notebook(cell(right(), execution_count=float("nan")), metadata={"a": float("inf"), "b": [-1e999]})


def with_keys_twice() -> str:
    first, last = (json.dumps([cell(source)]) for source in (WRONG, right()))
    return f'{{"nbformat": 4, "cells": {first}, "cells": {last}}}'


def bare() -> str:
    return json.dumps(
        {"cells": [{"cell_type": "code", "source": right().splitlines(keepends=True)}, None, 3]}
    )


def with_ids(*ids: Any) -> Callable[[], str]:
    def text() -> str:
        halves = [cell("import math\nimport torch", id=ids[0]), cell(right(), id=ids[1])]
        return notebook(*halves)

    return text


ZIPS = [
    Attack(
        "zip_names_with_dots_that_lead_out",
        make=named("../softmax.py", "a/../../softmax.py", "a/../softmax.py", "..\\softmax.py"),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_absolute_paths",
        make=named("/softmax.py", "//host/share/softmax.py", "/etc/cron.d/softmax.py"),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_windows_drives_and_shares",
        make=named("C:/softmax.py", "C:softmax.py", "C:\\hw\\softmax.py", "\\\\host\\share\\softmax.py"),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_nothing_but_paths_that_lead_out",
        make=archive(lambda: [("../../softmax.py", WRONG_SOFTMAX), ("/perplexity.py", "x = 1")]),
        exit_code=2,
    ),
    Attack(
        "zip_links_to_what_is_hidden",
        make=archive(link_entries),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
        never_shown=(SECRET,),
    ),
    Attack("zip_file_through_a_link", make=archive(through_a_link), full_marks=FULL, verdicts=NOTHING_ELSE),
    Attack(
        "zip_devices_pipes_and_sockets",
        make=archive(
            lambda: [
                (special("softmax.py", stat.S_IFCHR), WRONG_SOFTMAX),
                (special("perplexity.py", stat.S_IFIFO), ""),
                (special("dropout.py", stat.S_IFSOCK), ""),
                (special("vjp.py", stat.S_IFBLK), ""),
                beside(),
            ]
        ),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_name_twice_the_last_is_right",
        make=archive(lambda: [(f"{RIGHT}.py", WRONG), (f"./{RIGHT}.py", WRONG), beside()]),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_name_twice_the_last_is_wrong",
        make=archive(lambda: [beside(), (f"{RIGHT}.py", WRONG)]),
        verdicts=ATTEMPTED,
    ),
    Attack(
        "zip_bomb_of_one_file",
        make=archive(lambda: [("softmax.py", b"#" * (100 << 20)), beside()]),
        full_marks=FULL,
        verdicts=UNREAD,
    ),
    Attack(
        "zip_bomb_that_says_it_is_small",
        make=archive(
            lambda: [("softmax.py", b"#" * (30 << 20)), beside()], change=field_set(22, 24, "<I", 10)
        ),
        full_marks=FULL,
        verdicts=UNREAD,
    ),
    Attack(
        "zip_bomb_of_a_notebook",
        make=archive(lambda: [("a.ipynb", b" " * (31 << 20)), beside()]),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack("zip_bomb_of_zips_in_zips", make=archive(lambda: nested(4)), exit_code=2),
    Attack(
        "zip_entries_that_overlap",
        make=archive(lambda: [("0000.ipynb", b"[" * (4 << 20)), beside()], change=overlapping),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_of_thirty_thousand_files",
        make=archive(lambda: [*((f"{number}/x.txt", "") for number in range(30_000)), beside()]),
        exit_code=2,
    ),
    Attack(
        "zip_of_a_thousand_answers",
        make=archive(lambda: [(f"{number}/softmax.py", "") for number in range(1_000)]),
        exit_code=2,
    ),
    Attack("zip_locked", make=archive(lambda: [beside()], change=field_set(6, 8, "<H", 1)), exit_code=2),
    Attack("zip_cut_short", make=archive(lambda: [beside()], change=lambda data: data[:-30]), exit_code=2),
    Attack("zip_that_is_none", make=only("hw.zip", b"PK\x03\x04" + b"\xff" * 500), exit_code=2),
    Attack("zip_empty", make=archive(list), exit_code=2),
    Attack(
        "zip_wrong_checksum",
        make=archive(lambda: [("softmax.py", WRONG_SOFTMAX), beside()], change=with_wrong_crc),
        full_marks=FULL,
        verdicts=UNREAD,
    ),
    Attack(
        "zip_unknown_compression",
        make=archive(lambda: [("softmax.py", WRONG_SOFTMAX), beside()], change=field_set(8, 10, "<H", 99)),
        full_marks=FULL,
        verdicts=UNREAD,
    ),
    Attack(
        "zip64_sizes_that_are_lies",
        make=archive(lambda: [("softmax.py", WRONG_SOFTMAX), beside()], change=with_zip64_lies),
        full_marks=FULL,
        verdicts=UNREAD,
    ),
    Attack(
        "zip_with_a_zip_for_its_comment",
        make=archive(
            lambda: [beside()], change=lambda _: packed([beside()], comment=packed([(f"{RIGHT}.py", WRONG)]))
        ),
        verdicts=ATTEMPTED,
    ),
    Attack(
        "zip_with_an_end_in_its_comment",
        make=archive(
            lambda: [beside()], change=lambda _: packed([beside()], comment=b"PK\x05\x06" + b"\xff" * 18)
        ),
        exit_code=2,
    ),
    Attack(
        "zip_that_begins_as_a_program",
        make=archive(lambda: [beside()], change=lambda data: b"import os; os._exit(0)\n" + data),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "python_file_that_is_a_zip_too",
        make=archive(
            lambda: [beside()],
            change=lambda data: right_answer("softmax").encode() + b"\n'''" + data + b"'''",
            name="softmax.py",
        ),
        verdicts=UNREAD,
    ),
    Attack(
        "zip_folder_in_an_old_code_page",
        make=archive(lambda: [(f"abcd/{RIGHT}.py", right())], change=in_cp437),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_name_marked_as_utf8_that_is_none",
        make=archive(lambda: [(f"作业/{RIGHT}.py", right())], change=not_utf8),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_name_in_two_normal_forms",
        make=archive(two_normal_forms),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_name_with_a_zero_byte",
        make=archive(
            lambda: [("softmax.py_.txt", WRONG_SOFTMAX), beside()],
            change=lambda data: data.replace(b"softmax.py_", b"softmax.py\0"),
        ),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
    ),
    Attack(
        "zip_name_that_speaks_to_the_terminal",
        make=archive(lambda: [(f"\x1b[2J\u202e/{RIGHT}.py", right()), ("\x1b]0;x\x07.txt", "")]),
        full_marks=FULL,
        never_shown=("\x1b[2J", "\u202e", "\x1b]0;"),
    ),
]

FOLDERS = [
    Attack("folder_empty", make=files(dict), exit_code=2),
    Attack("folder_of_nothing_known", make=files(lambda: {"notes.txt": "", "a/b/main.py": ""}), exit_code=2),
    Attack(
        "files_that_are_no_python",
        make=with_right(
            {
                "softmax.py": b"\x7fELF\x02\x01\x01\0" + bytes(range(256)) * 40,
                "perplexity.py": "def perplexity(x):\n    return x\n".encode("utf-16"),
                "dropout.py": "x = '\0'\n",
                "vjp.py": "x = '中'\n".encode("gbk"),
                "train_step.py": "# coding: klingon\n",
                "cross_entropy.py": b"",
                "weighted_mse.py": "<!DOCTYPE html><html></html>",
            }
        ),
        full_marks=FULL,
        verdicts=ATTEMPTED,
    ),
    Attack(
        "file_too_large",
        make=with_right({"softmax.py": b"#" * (10 << 20)}),
        full_marks=FULL,
        verdicts=UNREAD,
    ),
    Attack("files_of_a_terabyte", make=sparse, full_marks=FULL, verdicts=UNREAD),
    Attack(
        "folder_links_to_what_is_hidden",
        make=links_to_what_is_hidden,
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
        never_shown=(SECRET,),
    ),
    Attack("folder_link_loops", make=link_loops, full_marks=FULL, verdicts=NOTHING_ELSE),
    Attack("submission_that_is_a_link", make=a_link, exit_code=2),
    Attack("submission_that_is_a_device", make=lambda folder: Path("/dev/zero"), exit_code=2),
    Attack("submission_that_is_a_pipe", make=a_pipe_alone, exit_code=2),
    Attack("zip_that_is_a_pipe", make=a_pipe_as_zip, exit_code=2),
    Attack("folder_pipe_socket_and_device", make=what_keeps_waiting, full_marks=FULL, verdicts=NOTHING_ELSE),
    Attack("folder_files_that_may_not_be_read", make=unreadable, full_marks=FULL, verdicts=ATTEMPTED),
    Attack("folder_of_twenty_thousand_files", make=broad, exit_code=2),
    Attack("folder_of_two_hundred_levels", make=deep, full_marks=FULL, verdicts=NOTHING_ELSE),
    Attack("folder_whose_name_is_no_text", make=name_of_bytes, full_marks=FULL, verdicts=NOTHING_ELSE),
    Attack(
        "files_that_would_stand_before_the_grader",
        make=with_right(INTRUDERS),
        full_marks=FULL,
        verdicts=ATTEMPTED,
    ),
    Attack("archive_of_another_kind", make=only("hw.rar", b"Rar!\x1a\x07\x01\0"), exit_code=2),
]

NOTEBOOKS = [
    Attack(
        "notebook_with_magics_and_shell_lines",
        make=in_notebook(with_magics),
        full_marks=FULL,
        verdicts=NOTHING_ELSE,
        never_shown=(SECRET,),
    ),
    Attack("notebook_ids_twice", make=in_notebook(with_ids("a", "a")), full_marks=FULL),
    Attack("notebook_ids_gone", make=in_notebook(with_ids(None, "")), full_marks=FULL),
    Attack("notebook_ids_that_are_none", make=in_notebook(with_ids([], {"a": 1})), full_marks=FULL),
    Attack("notebook_without_metadata", make=in_notebook(bare), full_marks=FULL),
    Attack(
        "notebook_cells_turned_to_markdown",
        make=in_notebook(
            lambda: notebook(cell(right(), cell_type="markdown"), cell(right(), cell_type="raw"))
        ),
        exit_code=2,
    ),
    Attack(
        "notebook_answer_in_a_file_cell",
        make=in_notebook(lambda: notebook(cell(f"%%writefile {RIGHT}.py\n{right()}"))),
        exit_code=2,
    ),
    Attack("notebook_outputs_of_30_megabytes", make=in_notebook(with_large_outputs), full_marks=FULL),
    Attack("notebook_of_format_3", make=in_notebook(lambda: older(3)), full_marks=FULL),
    Attack("notebook_of_format_2", make=in_notebook(lambda: older(2)), full_marks=FULL),
    Attack("notebook_of_format_1", make=in_notebook(oldest), full_marks=FULL),
    Attack(
        "notebook_of_the_future",
        make=in_notebook(lambda: notebook(cell(right(), cell_type="code"), nbformat=7, nbformat_minor=1)),
        full_marks=FULL,
    ),
    Attack("notebook_in_utf16", make=in_notebook(lambda: bare().encode("utf-16")), full_marks=FULL),
    Attack("notebook_with_nan_and_infinity", make=in_notebook(with_numbers_that_are_none), full_marks=FULL),
    Attack("notebook_with_keys_twice", make=in_notebook(with_keys_twice), full_marks=FULL),
    Attack("notebook_as_deep_as_a_stack", make=only("hw.ipynb", "[" * 1_000_000), exit_code=2),
    Attack(
        "notebook_of_deep_metadata",
        make=in_notebook(lambda: bare()[:-1] + ', "metadata": ' + '{"a": ' * 900_000 + "0" + "}" * 900_001),
        exit_code=2,
    ),
    Attack(
        "notebook_of_a_hundred_thousand_cells",
        make=in_notebook(lambda: notebook(*[cell("x = 1")] * 100_000)),
        exit_code=2,
    ),
    Attack(
        "notebook_of_many_small_values", make=only("hw.ipynb", "[" + "0," * 8_000_000 + "0]"), exit_code=2
    ),
    Attack("notebook_larger_than_is_taken", make=only("hw.ipynb", b" " * (40 << 20) + b"{}"), exit_code=2),
    Attack("notebook_cut_short", make=in_notebook(lambda: bare()[:-20]), exit_code=2),
    Attack("notebook_empty", make=only("hw.ipynb", ""), exit_code=2),
    Attack(
        "notebook_with_an_integer_without_end",
        make=only("hw.ipynb", '{"a": ' + "9" * 10**6 + "}"),
        exit_code=2,
    ),
]

ATTACKS = [*ZIPS, *FOLDERS, *NOTEBOOKS]
