"""Submissions that take too much: time, memory, depth, or more room on the wire than an answer needs."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent, indent

from grader.result import Verdict
from tests.attacks.attack import Attack

_BEFORE = """\
import collections, copy, ctypes, functools, itertools, json, mmap, os, re, struct, sys, time
import torch


def right(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


def descriptor():
    for number in range(3, 64):
        try:
            os.fstat(number)
        except OSError:
            continue
        return number


"""


def _softmax(
    name: str,
    body: str,
    *,
    before: str = "",
    verdicts: Sequence[Verdict] = (),
    patient: bool = False,
    deserves: float = 0.0,
) -> Attack:
    """An attack that does something in each call of softmax."""
    source = _BEFORE + dedent(before) + "\n\ndef softmax(x, dim):\n" + indent(dedent(body), "    ")
    return Attack(
        name,
        {"softmax.py": source},
        deserves={"softmax": deserves},
        verdicts=frozenset(verdicts),
        patient=patient,
    )


def _endless(name: str, body: str, *, before: str = "") -> Attack:
    return _softmax(name, body, before=before, verdicts=["timeout"], patient=True)


_SLOW: tuple[Verdict, ...] = ("failed", "memory", "timeout")


def _returns(name: str, expression: str, verdicts: Sequence[Verdict] = ("failed",)) -> Attack:
    """An attack by what is handed to the examiner."""
    return _softmax(name, f"return {expression}\n", verdicts=verdicts)


_TIME = [
    _endless("loop_in_python", "while True: pass\n"),
    _endless("loop_in_c", "sum(range(10**15))\n"),
    _endless("loop_over_an_endless_iterator", "collections.deque(itertools.count(), maxlen=0)\n"),
    _endless("search_without_end", "0 in itertools.cycle([1])\n"),
    _endless("catastrophic_regex", "re.match(r'(a|a)*$', 'a' * 64 + 'b')\n"),
    _endless("power_of_large_integers", "pow(3, 10**9)\n"),
    _endless("power_with_a_modulus", "pow(3, 1 << 800_000, (1 << 90_000) + 1)\n"),
    _endless("factor_by_factor", "import math\nmath.factorial(10**8)\n"),
    _endless("large_matrices", "a = torch.ones(2500, 2500)\nwhile True: a @ a\n"),
    _endless("sleep", "time.sleep(10**6)\n"),
    _endless(
        "a_lock_that_is_held", "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n"
    ),
    _endless("reads_its_own_descriptor", "while True: os.read(descriptor(), 1)\n"),
    _endless(
        "loop_that_lets_no_exception_out",
        """\
        while True:
            try:
                raise KeyboardInterrupt
            except BaseException:
                continue
        """,
    ),
    _endless(
        "loop_in_backward",
        "return Loop.apply(right(x, dim))\n",
        before="""\
        class Loop(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x): return x.clone()

            @staticmethod
            def backward(ctx, g):
                while True: pass
        """,
    ),
    Attack(
        "loop_at_import",
        {"softmax.py": _BEFORE + "while True: pass\n"},
        verdicts=frozenset({"timeout"}),
        patient=True,
    ),
    Attack(
        "generator_without_end",
        {
            "sequential_batches.py": "import torch\n\n\ndef sequential_batches(*args, **kwargs):\n"
            "    while True: yield torch.zeros(1000), torch.zeros(1000)\n"
        },
        patient=True,
    ),
]

_DRIPS = [
    _endless(
        "one_byte_at_a_time",
        """\
        for byte in struct.pack("<Q", 1000) + bytes(1000):
            os.write(descriptor(), bytes([byte]))
            time.sleep(0.3)
        """,
    ),
    _endless(
        "many_bytes_of_a_larger_message",
        """\
        os.write(descriptor(), struct.pack("<Q", 30 << 20))
        while True:
            os.write(descriptor(), bytes(100))
            time.sleep(0.01)
        """,
    ),
    _endless("each_answer_just_in_time", "time.sleep(1.7)\nreturn x\n"),
    _endless(
        "each_error_just_in_time",
        "raise Late\n",
        before="""\
        class Late(ValueError):
            def __str__(self): time.sleep(1.7); return "late"
        """,
    ),
]

_MEMORY_VERDICTS: tuple[Verdict, ...] = ("memory", "timeout", "crashed")


def _hog(name: str, body: str, *, before: str = "", patient: bool = False, deserves: float = 0.0) -> Attack:
    return _softmax(name, body, before=before, verdicts=_MEMORY_VERDICTS, patient=patient, deserves=deserves)


_MEMORY = [
    _hog("a_terabyte_in_one_piece", "bytearray(1 << 40)\n"),
    _hog("a_terabyte_of_tensor", "torch.ones(1 << 38)\n"),
    _hog("a_gigabyte_touched", "bytearray(b'x') * (1 << 30)\n"),
    _hog("many_small_objects", "kept = []\nwhile True: kept.append(object())\n"),
    _hog("many_small_tensors", "kept = []\nwhile True: kept.append(torch.ones(64))\n"),
    _hog("a_list_that_doubles", "kept = [0]\nwhile True: kept += kept\n"),
    _hog("a_text_that_doubles", "kept = 'x'\nwhile True: kept += kept\n"),
    _hog("a_graph_that_grows", "while True: x = x * torch.ones(1000, 1, 1).requires_grad_()\n"),
    _hog("an_integer_that_doubles", "kept = 3\nwhile True: kept = kept << kept.bit_length()\n"),
    _softmax("anonymous_mappings", "kept = []\nwhile True: kept.append(mmap.mmap(-1, 1 << 20))\n"),
    _hog("a_matrix_product_of_views", "torch.ones(1, 1).expand(60_000, 60_000) @ torch.ones(60_000, 400)\n"),
    _hog(
        "malloc",
        """\
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        while True:
            piece = libc.malloc(ctypes.c_size_t(1 << 20))
            if not piece: raise MemoryError
            ctypes.memset(piece, 1, 1 << 20)
        """,
    ),
    _hog(
        "memory_touched_slowly",
        """\
        while True:
            kept.append(bytearray(b"x") * (1 << 20))
            time.sleep(0.02)
        """,
        before="kept = []\n",
        patient=True,
    ),
    _hog(
        "memory_a_little_more_each_call",
        "kept.append(torch.ones(12 << 18))\nreturn x\n",
        before="kept = []\nfor _ in range(19): kept.append(torch.ones(3 << 20))\n",
    ),
    _hog(
        "memory_errors_that_are_caught",
        """\
        while True:
            try:
                kept.append(bytes(1 << 16))
            except MemoryError:
                pass
        """,
        before="kept = []\n",
        patient=True,
    ),
    # Of a tensor without elements the input is the right answer.
    _hog(
        "no_memory_left_for_the_answer",
        """\
        for size in (1 << 20, 1 << 10, 1 << 5):
            try:
                while True: kept.append(bytes(size))
            except MemoryError:
                pass
        return x
        """,
        before="kept = []\n",
        deserves=0.15,
    ),
    _softmax(
        "memory_in_backward",
        "return Hog.apply(right(x, dim))\n",
        before="""\
        class Hog(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x): return x.clone()

            @staticmethod
            def backward(ctx, g): return torch.ones(1 << 30)[: g.numel()].view_as(g)
        """,
        verdicts=["memory"],
        deserves=1.6,  # where no gradient is asked for
    ),
]

_FLOODS = [
    _endless("prints_without_end", "while True: print('x' * 10_000)\n"),
    _endless(
        "prints_to_the_real_descriptors", "while True: os.write(1, bytes(65536)), os.write(2, bytes(65536))\n"
    ),
    _softmax("one_very_long_line", "print('x' * (1 << 26))\nraise ValueError\n"),
    _softmax("prints_through_the_first_stdout", "sys.__stdout__.write('x' * (1 << 20)); raise ValueError\n"),
    _softmax("a_very_long_message", "raise ValueError('x' * (1 << 26))\n", verdicts=["failed"]),
    _softmax(
        "a_name_that_is_very_long",
        "raise type('E' * (1 << 24), (ValueError,), {})('x')\n",
        verdicts=_SLOW,
    ),
    _softmax(
        "floods_the_descriptor", "while True: os.write(descriptor(), b'x' * 65536)\n", verdicts=["crashed"]
    ),
    _softmax(
        "floods_with_empty_messages",
        "while True: os.write(descriptor(), bytes(65536))\n",
        verdicts=["crashed"],
    ),
    _softmax(
        "announces_more_than_is_allowed",
        "os.write(descriptor(), b'\\xff' * 8)\nreturn x\n",
        verdicts=["crashed"],
    ),
]

_DEPTH = [
    _softmax("recursion", "return softmax(x, dim)\n", verdicts=["failed"]),
    _softmax(
        "recursion_without_a_limit",
        "return deeper(x)\n",
        before="sys.setrecursionlimit(1 << 30)\n\ndef deeper(x): return deeper(x)\n",
        verdicts=_MEMORY_VERDICTS,
    ),
    _softmax(
        "recursion_in_c",
        """\
        nest = []
        for _ in range(10**6): nest = [nest]
        repr(nest)
        """,
        before="sys.setrecursionlimit(1 << 30)\n",
    ),
    _softmax(
        "recursion_in_c_of_a_chain",
        """\
        chain = iter(())
        for _ in range(10**6): chain = itertools.chain((), chain)
        next(chain)
        """,
    ),
    _softmax(
        "recursion_of_the_parser", "compile('(' * 10**5 + ')' * 10**5, '', 'eval')\n", verdicts=["failed"]
    ),
    _softmax("recursion_of_json", "json.loads('[' * 10**6)\n"),
    _softmax(
        "recursion_of_an_error_in_its_text",
        "raise Endless\n",
        before="class Endless(ValueError):\n    def __str__(self): return str(self)\n",
        verdicts=["failed"],
    ),
    _returns("nested_deeply", "functools.reduce(lambda nest, _: [nest], range(10**5), x)"),
    _returns("a_list_in_itself", "(lambda a: (a.append(a), a)[1])([])"),
    _returns("a_dict_in_itself", "(lambda a: (a.update(a=a), a)[1])({})"),
    _returns("a_tuple_in_itself", "(lambda a: (a[0].append(a), a)[1])(([],))"),
]

_SIZES = [
    _returns("a_terabyte_by_expanding", "torch.zeros(()).expand(1 << 40)"),
    _returns("shapes_beyond_64_bits", "torch.zeros(()).expand(*[1 << 8] * 7)"),
    _returns("an_empty_tensor_with_a_huge_side", "torch.empty(0, 1 << 60)"),
    _returns("a_meta_tensor", "torch.empty(1 << 45, device='meta')"),
    _returns("a_meta_tensor_of_the_right_shape", "x.to('meta')"),
    _returns("a_sparse_tensor", "torch.sparse_coo_tensor([[0]], [1.0], (1 << 50,))"),
    _returns("more_dimensions_than_a_tensor_has", "x.reshape(*[1] * 64, *x.shape)"),
    _returns("thousands_of_tensors", "[torch.zeros(1) for _ in range(20_000)]", _SLOW),
    _returns("the_same_tensor_a_million_times", "[x] * 10**6", _SLOW),
    _returns("a_message_beyond_the_limit", "torch.zeros(12 << 20)", _SLOW),
    _returns("answers_as_large_as_can_be", "torch.zeros(7 << 20)", _SLOW),
    _returns("a_huge_integer", "1 << (1 << 24)"),
    _returns("a_huge_text", "'x' * (1 << 25)"),
    _returns("a_huge_dict", "dict.fromkeys(range(10**5))"),
    _returns(
        "a_dict_whose_keys_collide",
        "dict.fromkeys(((1 << 61) - 1) * n for n in range(1, 4000))",
        ("crashed", "timeout"),
    ),
    _returns("values_by_the_million", "[None] * 10**7", _SLOW),
    _returns("thousands_of_live_handles", "[object() for _ in range(10**4)]"),
    _returns("a_generator_without_end", "(x for _ in itertools.count())"),
    _returns("a_range_without_end", "range(1 << 62)"),
    _softmax(
        "a_handle_more_each_call",
        "kept.extend(map(object.__new__, [object] * 200)); return kept\n",
        before="kept = []\n",
        verdicts=["failed"],
    ),
]

_SOURCES = {
    "brackets": "x = " + "(" * 10_000 + ")" * 10_000,
    "minus_signs": "x = " + "-" * 100_000 + "1",
    "a_long_sum": "x = " + "+".join(["1"] * 100_000),
    "attributes_of_attributes": "x = lambda a: a" + ".a" * 100_000,
    "calls_of_calls": "x = lambda a: a" + "()" * 50_000,
    "branches": "if 0: pass\n" + "elif 0: pass\n" * 20_000,
    "blocks_in_blocks": "".join(f"{' ' * n}if 1:\n" for n in range(99)) + " " * 99 + "pass",
    "a_long_integer": "x = " + "9" * 1_000_000,
    "an_integer_in_hexadecimal": "x = 0x" + "f" * 1_500_000,
    "folded_constants": "x = 'x' * 4096 * 4096 * 4096, 7 ** 7 ** 7 ** 7, 1 << 10**9",
    "lambdas": "x = " + "lambda: " * 20_000 + "0",
    "names_by_the_thousand": "\n".join(f"torch_{n} = torch_{n - 1 if n else 'x'}" for n in range(40_000)),
    "formatted_texts": "x = " + "f'{" * 20 + "1" + "}'" * 20,
}

ATTACKS = [
    *_TIME,
    *_DRIPS,
    *_MEMORY,
    *_FLOODS,
    *_DEPTH,
    *_SIZES,
    # These are read by the examiner before a worker sees them.
    *(
        Attack(
            f"source_of_{name}", {"softmax.py": f"def softmax(x, dim):\n    raise ValueError\n\n\n{source}\n"}
        )
        for name, source in _SOURCES.items()
    ),
]
