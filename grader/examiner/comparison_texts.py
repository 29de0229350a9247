"""What a comparison or an assertion of the suite says, with what came from the student checked.

Of a mismatch a student may see shape, dtype, index and the two values there. But she decides what she
returns: a text, the keys of a dict, the name of a class, a shape of thirty dimensions or an integer of a
hundred digits can each spell out a hidden input. A value is therefore a number of six digits; strings, keys
and types are shown where they are known anyhow, and sizes where the call or the suite has such sizes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from torch import Tensor

from grader.examiner.comparison import Mismatch
from grader.examiner.error_texts import MASK, Known, words

_STRING = re.compile(r"""'(?:\\.|[^'\\])*(?:'|$)|"(?:\\.|[^"\\])*(?:"|$)""", re.DOTALL)
_LONG_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d_]*(?:\.\d*)?(?:e[-+]?\d+)?")
_KIND = re.compile(r"(?P<where>.*?) is an? (?P<kind>.*), and (?P<wanted>[^,]*) is expected", re.DOTALL)
_SHAPE = re.compile(r"(?P<before>.*) has shape \((?P<sizes>[^()]*)\), and (?P<after>.*)", re.DOTALL)
_LENGTH = re.compile(r"(?P<before>.*) has length (?P<length>\d+), and (?P<after>.*)", re.DOTALL)
_DEVICE = re.compile(r"(?P<before>.*?) is on (?P<device>.*), and its inputs are on (?P<after>.*)", re.DOTALL)
_TENSOR = re.compile(r"(?:bfloat|float|complex|uint|int|bool)\d*\[[\d, ]*\]")
_ARGUMENT = re.compile(
    rf"(?P<tensor>{_TENSOR.pattern})|(?P<keyword>[^\W\d]\w*)=|(?P<constant>True|False|None|\.\.\.)"
    r"|(?P<float>-?\d+\.\d*(?:e[-+]?\d+)?|-?\d+e[-+]?\d+|-?inf|nan)|(?P<int>-?\d+)|(?P<text>['\"].*?['\"])"
    r"|(?P<sign>[\[\](){}, ])|(?P<else>.)",
    re.DOTALL,
)
_MOST_DIMS = 6
_KEYS_SHOWN = 2
_NOT_ALLOWED = re.compile(r"(?P<before>.*?)(?P<has>has )(?P<keys>.*) too many", re.DOTALL)

_OF_ASSERT_CLOSE = words(
    "Tensor likes are not close equal Scalars Mismatched elements Greatest absolute relative difference at index "
    "up to allowed Expected but got The values for attribute do match shape dtype torch Size float float32 float64 "
    "int64 bool length sequences keys mappings item The failure occurred for None inf nan True False"
)


def mismatch_text(error: Mismatch, known: Known) -> str:
    """A mismatch in words, and the call with shapes and dtypes in place of all its values."""
    sizes = _sizes(error)
    text = _checked(error.text, known, sizes, frozenset(_strings(error.expected)))
    return f"{text} [{_call(error.call, known)}]" if error.call else text


def assertion_text(text: str, own: frozenset[str]) -> str:
    """What a suite's assertion says: its own words and at most four numbers; the rest may be the student's.

    Args:
        text: of the assertion.
        own: words that stand in the suite, the stub and the props.
    """
    text = " ".join(text.split())[:600]
    allowed, left = own | _OF_ASSERT_CLOSE, 4

    def checked(found: re.Match[str]) -> str:
        nonlocal left
        word = found[0]
        if word[0].isdigit():
            left -= 1
            return six_digits(word) if left >= 0 else MASK
        return word if word in allowed else MASK

    return re.sub(
        r"\d+(?:\.\d+)?(?:e[-+]?\d+)?|\w+", checked, re.sub(r"[^\x20-\x7e\u4e00-\u9fff]+", MASK, text)
    )


def six_digits(number: str) -> str:
    """A number with no more digits than a float is shown with."""
    digits = re.sub(r"\D", "", number.partition("e")[0]).lstrip("0")
    if len(digits) <= 6:
        return number
    try:
        return f"{float(number[:400].replace('_', '')):.6g}"
    except (ValueError, OverflowError):
        return MASK


def _checked(text: str, known: Known, sizes: frozenset[int], strings: frozenset[str]) -> str:
    if found := _DEVICE.fullmatch(text):
        device = found["device"]
        shown = device if re.fullmatch(r"(?:cpu|cuda|mps|meta|xpu)(?::\d)?", device) else "another device"
        return f"{found['before']} is on {shown}, and its inputs are on {found['after']}"
    if found := _SHAPE.fullmatch(text):
        shape = [part.strip() for part in found["sizes"].split(",") if part.strip()]
        allowed = sizes | known.numbers
        shown_sizes = [
            size if int(size) in allowed or int(size) <= 4 else MASK for size in shape[:_MOST_DIMS]
        ]
        inside = ", ".join([*shown_sizes, *([MASK] if len(shape) > _MOST_DIMS else [])])
        comma = "," if len(shape) == 1 else ""
        return f"{found['before']} has shape ({inside}{comma}), and {found['after']}"
    if found := _LENGTH.fullmatch(text):
        length = int(found["length"])
        shown = str(length) if length <= 16 or length in sizes | known.numbers else MASK
        return f"{found['before']} has length {shown}, and {found['after']}"
    if found := _NOT_ALLOWED.fullmatch(text):
        return f"{found['before']}has {_keys(found['keys'], known, strings)} too many"
    if found := _KIND.fullmatch(text):
        return f"{found['where']} is {_kind(found['kind'], known, sizes)}, and {found['wanted']} is expected"
    text = _STRING.sub(lambda quoted: _string(quoted[0], known, strings), text)
    return _LONG_NUMBER.sub(lambda number: six_digits(number[0]), text)


def _keys(said: str, known: Known, strings: frozenset[str]) -> str:
    keys = re.findall(r"'([^'\\]*)'", said)
    plain = ", ".join(f"'{key}'" for key in keys) == said
    if plain and len(keys) <= _KEYS_SHOWN and all(key in known.names or key in strings for key in keys):
        return said
    return "keys"


def _kind(kind: str, known: Known, sizes: frozenset[int]) -> str:
    if found := re.fullmatch(r"tensor of shape \(([\d, ]*)\)", kind):
        shape = [part.strip() for part in found[1].split(",") if part.strip()]
        allowed = sizes | known.numbers
        inside = ", ".join(n if int(n) in allowed or int(n) <= 4 else MASK for n in shape[:_MOST_DIMS])
        return f"a tensor of shape ({inside}{',' if len(shape) == 1 else ''})"
    if kind.startswith("tensor that is not dense"):
        return f"a {kind}"
    name, _, value = kind.partition(" ")
    if name not in known.types and name not in known.names:
        return "an object of another type"
    article = "an" if name[:1].lower() in "aeiou" else "a"
    number = re.fullmatch(r"\((-?[\d.]+(?:e[-+]?\d+)?|True|False|-?inf|nan)\)", value)
    return f"{article} {name} ({six_digits(number[1])})" if number else f"{article} {name}"


def _string(quoted: str, known: Known, strings: frozenset[str]) -> str:
    inside = quoted[1:-1]
    return quoted if inside in strings or inside in known.names else f"'{MASK}'"


def _call(call: str, known: Known) -> str:
    name, _, inside = re.sub(r"<a .* in the worker>|<a .*", MASK, call, flags=re.DOTALL).partition("(")
    if not re.fullmatch(r"[\w.]*", name):
        return MASK

    def shown(found: re.Match[str]) -> str:
        match found.lastgroup:
            case "tensor":
                dims = re.findall(r"\d+", found[0].partition("[")[2])
                return (
                    found[0] if len(dims) <= _MOST_DIMS and all(len(dim) <= 4 for dim in dims) else "tensor"
                )
            case "keyword":
                return found[0] if found["keyword"] in known.names else f"{MASK}="
            case "constant" | "sign":
                return found[0]
            case "float" | "int":
                return str(found.lastgroup)
            case "text":
                return "str"
            case _:
                return MASK

    said = _ARGUMENT.sub(shown, inside[:300])
    return f"{name}({re.sub(f'{MASK}+', MASK, said)}"[:200]


def _sizes(error: Mismatch) -> frozenset[int]:
    """Sizes that a wrong answer may well have: those of the call and of what is expected."""
    found: set[int] = set()
    for spec in _TENSOR.findall(error.call):
        dims = [int(dim) for dim in re.findall(r"\d{1,5}", spec.partition("[")[2])]
        found |= {a * b for a, b in pairwise(dims)} | set(dims)
    if isinstance(error.expected, Tensor):
        found |= set(error.expected.shape) | {error.expected.numel()}
    return frozenset(found)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(key)
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)
