"""Text that a terminal, a browser or a spreadsheet would obey, wherever a student can put some."""

from __future__ import annotations

from tests.attacks.attack import Attack

ESCAPE = "\x1b[2J\x1b[31m"
LINK = "\x1b]8;;http://example.invalid\x07click\x1b]8;;\x07"
BACKWARDS = "\u202etxt\u2066"
CONTROLS = "\x07\x08\x0d\x9b"
INVISIBLE = "\u200b\u2060\ufeff"
# JSON on standard output may hold what JSON escapes; none of these raw.
RAW = ("\x1b", "\x07", "\x08", "\x9b", "\u202e", "\u2066", "\u200b", "\u2060", "\ufeff")
ALL = ESCAPE + LINK + BACKWARDS + CONTROLS + INVISIBLE


def says(name: str, line: str, head: str = "") -> Attack:
    """An answer whose body is the line; `ALL` is spelt out in it with escapes."""
    source = f"import torch\nALL = {ALL!a}\n{head}\n\ndef softmax(x, dim):\n    {line}\n"
    return Attack(name, {"softmax.py": source}, never_shown=RAW)


def raw_line(name: str, text: str) -> Attack:
    """The text stands in the source itself, in the line that is quoted."""
    source = f"import torch\n\n\ndef softmax(x, dim):\n    raise ValueError('{text}')\n"
    return Attack(name, {"softmax.py": source}, never_shown=RAW)


ATTACKS = [
    says("text_escapes_in_an_exception", "raise ValueError(ALL)"),
    says("text_escapes_in_a_type_name", "raise type(ALL, (Exception,), {})(ALL)"),
    says("text_escapes_on_loading", "return x", head="raise ValueError(ALL)"),
    says("text_type_name_on_loading", "return x", head="raise type(ALL, (Exception,), {})('no')"),
    says("text_escapes_printed", "print(ALL); return None"),
    says("text_escapes_as_keys", "return {ALL: x}"),
    says("text_escapes_returned", "return ALL"),
    says("text_escapes_in_the_type_of_a_handle", "return type(ALL, (), {})()"),
    says("text_escapes_in_a_docstring", "raise ValueError(softmax.__doc__)", head="ALL.__doc__"),
    raw_line("text_raw_escapes_in_a_line", ESCAPE),
    raw_line("text_raw_link_in_a_line", LINK),
    raw_line("text_raw_right_to_left_in_a_line", BACKWARDS),
    raw_line("text_raw_zero_width_in_a_line", INVISIBLE),
    Attack(
        "text_escapes_in_a_file_name",
        {"softmax.py": "def softmax(x, dim):\n    return None\n", f"note{ESCAPE}{BACKWARDS}.txt": "hello"},
        never_shown=RAW,
    ),
    Attack(
        "text_markup_in_an_exception",
        {"softmax.py": "def softmax(x, dim):\n    raise ValueError('<script>alert(1)</script>' + str(x))\n"},
        never_shown=("\x1b",),
    ),
]
