"""Ways to send hidden inputs out through what is shown. Each writes LEAK and the input's bytes in some code."""

from __future__ import annotations

from tests.attacks.attack import Attack

# `word(x)` is "LEAK" and the bytes of x in letters, `plain(x)` with its digits.
HEAD = """\
import base64, sys, warnings
import torch


def word(x):
    raw = b"".join(bytes([int(v * 100) % 26 + 97]) for v in x.detach().flatten().tolist())
    return "LE" + "AK" + raw.decode()


def plain(x):
    return "LE" + "AK" + str(x.detach().flatten().tolist())


def coded(x):
    return "LE" + "AK" + base64.b64encode(repr(x.detach().tolist()).encode()).decode()


def number(x):
    # 9876543 marks it; behind it stand digits of the input.
    return int("987" + "6543" + "".join(str(int(abs(v) * 100) % 100) for v in x.detach().flatten().tolist()))


"""
SHOWN = ("LEAK", "9876543")


def leak(name: str, *lines: str, head: str = "") -> Attack:
    """An answer to softmax that does these lines in its body."""
    body = "".join(f"    {line}\n" for line in lines)
    return Attack(name, {"softmax.py": f"{HEAD}{head}def softmax(x, dim):\n{body}"}, never_shown=SHOWN)


ATTACKS = [
    leak("leak_exception_text_plain", "raise ValueError(plain(x))"),
    leak("leak_exception_text_base64", "raise RuntimeError(coded(x))"),
    leak("leak_exception_text_in_words", "raise TypeError(word(x))"),
    leak("leak_type_name_built_at_run_time", "raise type(word(x), (Exception,), {})('no')"),
    leak("leak_type_name_of_a_builtin_kind", "raise type(word(x), (ValueError,), {})('no')"),
    leak("leak_known_text_name_slot", "raise NameError(f\"name '{word(x)}' is not defined\")"),
    leak("leak_known_text_attribute_slot", "getattr(torch, word(x))"),
    leak("leak_known_text_attribute_type", "raise AttributeError(f\"'{word(x)}' object has no attribute 'y'\")"),
    leak(
        "leak_known_text_size_slot",
        "raise RuntimeError(f'The size of tensor a ({number(x)}) must match the size of tensor b "
        "({number(x)}) at non-singleton dimension {number(x)}')",
    ),
    leak("leak_known_text_free_slot", "float(word(x))"),
    leak("leak_known_text_behind_it", "raise RuntimeError('one of the variables needed for gradient computation "
         "has been modified by an inplace operation' + word(x))"),
    leak("leak_key_error", "{}[word(x)]"),
    leak("leak_stdout_and_stderr", "print(word(x))", "print(word(x), file=sys.stderr)", "return None"),
    leak("leak_file_name_of_generated_code", "exec(compile('raise ValueError(1)', word(x), 'exec'))"),
    leak("leak_line_number_of_generated_code",
         "exec(compile('\\n' * (int('987' + '6543') - 1) + 'raise ValueError(1)', 'softmax.py', 'exec'))"),
    leak("leak_syntax_error", "compile(word(x) + ' = = 1', 'softmax.py', 'exec')"),
    leak("leak_syntax_error_made", "raise SyntaxError(word(x), ('softmax.py', int('987' + '6543'), 1, word(x)))"),
    leak("leak_warning", "warnings.warn(word(x))", "return None"),
    leak("leak_note", "e = ValueError('no')", "e.add_note(word(x))", "raise e"),
    leak("leak_cause", "raise ValueError('no') from KeyError(word(x))"),
    leak("leak_function_name", "def g(): raise ValueError('no')",
         "g.__code__ = g.__code__.replace(co_name=word(x)); g()"),
    leak("leak_dict_keys", "return {word(x): x}"),
    leak("leak_text_returned", "return word(x)"),
    leak("leak_handle_type_name", "return type(word(x), (), {})()"),
    leak("leak_huge_integer", "return number(x)"),
    leak("leak_shape_of_an_empty_tensor", "return torch.empty(0, *[int('987' + '6543')] * 2)"),
    leak("leak_group_of_exceptions", "raise ExceptionGroup(word(x), [ValueError(word(x))])"),
    leak("leak_exit", "sys.exit(word(x))"),
]  # fmt: skip  # one line each reads better
