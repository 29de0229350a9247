"""Answers that look for what is hidden: solutions, expected values, inputs that are still to come.

Whatever one of them finds, it tells in the only way out that it has: from then on its answers are right, which
is more than it deserves.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

TELL = """
import torch


class Found(Exception): pass


def tell(found):
    raise Found(found)


def right(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)

"""


def softmax(*lines: str, before: str = "") -> dict[str, str]:
    """An answer to softmax that is right if it finds something."""
    body = "\n        ".join(lines)
    return {
        "softmax.py": f"{TELL}{before}\n\ndef softmax(x, dim):\n    try:\n        {body}\n"
        "    except Found:\n        return right(x, dim)\n    return x * 0\n"
    }


def looks(name: str, *lines: str, before: str = "") -> Attack:
    """It looks when it is called: what it answers after that hangs on nothing."""
    return Attack(name, softmax(*lines, before=before), deserves=CONSTANT)


# A shift changes nothing in an answer that hangs on nothing, and an empty one is right.
CONSTANT = {"softmax": 0.3}
LEAKED = ("LEAKED",)
# A caller's state that is not touched is left alone.
STAYS_AWAY = {"detach_state": 0.266666}

# What only the examiner's side holds, in a pattern that does not hold it: this very text is no find.
WORDS = """
import ctypes, gc, re

WORDS = re.compile(rb"(?:solution) (?:begins)|(?:wrong)_(?:answer[(])|(?:a_shift)_(?:changes)")
"""

WALK = """
import os


def walk(*roots):
    for root in roots:
        for folder, _, names in os.walk(root):
            for name in names:
                if name in ("reference.py", "wrong_" + "answers.py", "exercise.toml", "course.toml"):
                    tell(os.path.join(folder, name))
"""

# Where the modules come from the course may not be far.
PLACES = """
import os, sys


def places():
    for module in list(sys.modules.values()):
        name = getattr(module, "__file__", None) or ""
        while len(name) > 1:
            name = os.path.dirname(name)
            yield name


def look(ask):
    for place in set(places()):
        for name in ("course.toml", "_course/course.toml", "solutions/losses/softmax/reference.py"):
            try:
                ask(os.path.join(place, name))
            except OSError:
                continue
            tell(os.path.join(place, name))
"""

HEAP = """
def look():
    try:
        open("/proc/self/maps").close()
        tell("maps")
    except OSError:
        pass
    # Without a map: the page around each object that is known.
    for page in sorted({id(found) >> 12 for found in gc.get_objects()}):
        if WORDS.search(ctypes.string_at(page << 12, 1 << 12)):
            tell("heap")
"""

# Freed memory keeps what it held: ask for much of it, and do not clear it.
FREED = """
def look():
    for size in range(4, 24):
        held = torch.empty(1 << size, dtype=torch.uint8)
        if WORDS.search(ctypes.string_at(held.data_ptr(), 1 << size)):
            tell("freed memory")
"""

OBJECTS = """
def look():
    for found in gc.get_objects():
        name = type(found).__name__
        if name in ("Exercise", "Course", "Reference", "Bench", "Session", "_Expectation", "Make"):
            tell(name)
        if isinstance(found, (dict, list, tuple)):
            for value in list(found.values() if isinstance(found, dict) else found):
                if isinstance(value, str):
                    value = value.encode("utf-8", "replace")
                if isinstance(value, bytes) and WORDS.search(value):
                    tell(value)
"""

FRAMES = """
import sys


def look():
    frame = sys._getframe()
    while frame is not None:
        for name, value in frame.f_locals.items():
            if name in ("expected", "reference", "known", "exercise", "course", "make", "suite", "secret"):
                tell(name)
        frame = frame.f_back
"""

PARENT = """
import os


def look():
    for pid in {os.getppid(), 1, *range(2, 40)} - {os.getpid()}:
        for name in ("environ", "cmdline", "maps", "mem", "root", "cwd"):
            try:
                held = open(f"/proc/{pid}/{name}", "rb").read(1 << 12)
            except OSError:
                continue
            if held:
                tell((pid, name))
"""

ENVIRONMENT = """
import os


def look():
    wanted = ("HOME", "PATH", "USER", "PYTEST_CURRENT_TEST", "PWD", "PYTHONPATH", "VIRTUAL_ENV")
    found = [name for name in wanted if os.environ.get(name) or os.getenv(name)]
    try:
        raw = open("/proc/self/environ", "rb").read()
    except OSError:
        raw = b""
    found += [name for name in wanted if name.encode() + b"=" in raw and b"HOME=/\\0" not in raw]
    if found:
        tell(found)
"""

GUESS_THE_SEED = """
import sys


def look():
    for name, module in list(sys.modules.items()):
        if name.startswith(("grader.examiner", "grader.course", "grader.engine", "grader.cli", "reference_")):
            tell(name)
"""

IMPORTS = """
def look():
    for name in ("grader.examiner.bench", "grader.course", "test_softmax", "reference", "solutions"):
        try:
            module = __import__(name, fromlist=["x"])
        except BaseException:
            continue
        if getattr(module, "__file__", None):
            tell(module)
"""

TABLE = """
seen = set()


def look(x, dim):
    key = (repr(x.tolist()), dim)
    if key in seen:
        tell("the same input twice")
    seen.add(key)
"""

# Numbers of the hidden input in the text of an error, as they are and one letter for each digit.
ROWS = """
def softmax(x, dim):
    raise ValueError(repr([n / 2 for n in range(9)] + x.flatten().tolist()))
"""

LETTERS = """
def softmax(x, dim):
    digits = repr([n / 2 for n in range(9)] + x.flatten().tolist())
    raise ValueError(digits.translate({48 + n: 97 + n for n in range(10)}))
"""

NAMED = """
def softmax(x, dim):
    raise type("zq" + chr(106) + "x" * x.dim(), (Exception,), {})
"""

RETURNED = """
def softmax(x, dim):
    return "zq" + chr(106) + "x" * x.dim()
"""

KEYS = """
def detach_state(state):
    return {"zq" + chr(106): state}
"""

PRINTS = """
import sys


def softmax(x, dim):
    print("LEA" "KED", x)
    sys.stderr.write("LEA" "KED")
    sys.__stdout__ and sys.__stdout__.write("LEA" "KED")
    sys.__stderr__ and sys.__stderr__.write("LEA" "KED")
    return x * 0
"""

WARNS = """
import logging, warnings


def softmax(x, dim):
    warnings.warn("LEA" "KED")
    logging.getLogger().error("LEA" "KED %s", x)
    return x * 0
"""

WRITES = """
import os


def softmax(x, dim):
    for number in (0, 1, 2):
        try:
            os.write(number, b"LEA" b"KED")
        except OSError:
            pass
    return x * 0
"""

NET = """
import socket


def look():
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                found = socket.socket(family, kind)
            except OSError:
                continue
            try:
                found.sendto(b"hidden", ("127.0.0.1", 53))
            except (OSError, TypeError):
                continue
            tell((family, kind))
"""

NOTE = """
import os

PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", os.path.expanduser("~"), "/", ".")


def leave():
    for folder in PLACES:
        for make in (lambda path: open(path, "x").close(), os.mkdir, os.mkfifo):
            try:
                make(os.path.join(folder, "note-of-" + make.__name__.strip("<>")))
            except (OSError, AttributeError):
                pass


def look():
    for folder in PLACES:
        for name in ("lambda", "mkdir", "mkfifo"):
            path = os.path.join(folder, "note-of-" + name)
            if os.path.exists(path):
                tell(path)
"""

FINDS_THE_NOTE = """

def cross_entropy(logits, target, reduction="mean"):
    try:
        look()
    except Found:
        return (logits.logsumexp(1) - logits.gather(1, target[:, None])[:, 0]).mean()
    return logits
"""

ATTACKS = [
    looks("walks_all_folders", "walk('/')", before=WALK),
    looks("opens_the_solutions", "look(open)", "look(os.listdir)", before=PLACES),
    Attack(
        "stats_the_solutions",
        softmax("look(os.stat)", before=PLACES),
        deserves=CONSTANT,
        known_limit="at level 2, without bubblewrap, a worker can ask for the size and the times of a file "
        "whose path it guesses, not for what is in it",
    ),
    looks("scans_the_heap", "look()", before=WORDS + HEAP),
    looks("reads_freed_memory", "look()", before=WORDS + FREED),
    looks("asks_the_collector", "look()", before=WORDS + OBJECTS),
    looks("walks_the_frames", "look()", before=FRAMES),
    looks("reads_other_processes", "look()", before=PARENT),
    looks("reads_the_environment", "look()", before=ENVIRONMENT),
    looks("finds_the_examiners_modules", "look()", before=GUESS_THE_SEED),
    looks("imports_the_examiner", "look()", before=IMPORTS),
    looks("sends_over_the_network", "look()", before=NET),
    Attack(
        "leaves_a_note_for_the_next_worker",
        softmax("look()", "leave()", "os._exit(0)", before=NOTE),
    ),
    Attack(
        "leaves_a_note_for_the_next_exercise",
        softmax("leave()", before=NOTE) | {"cross_entropy.py": TELL + NOTE + FINDS_THE_NOTE},
        deserves=CONSTANT,
    ),
    looks("table_of_seen_inputs", "look(x, dim)", before=TABLE),
    Attack("prints_it", {"softmax.py": PRINTS}, deserves=CONSTANT, never_shown=LEAKED),
    Attack("warns_and_logs_it", {"softmax.py": WARNS}, deserves=CONSTANT, never_shown=LEAKED),
    Attack("writes_it_to_what_is_open", {"softmax.py": WRITES}, deserves=CONSTANT, never_shown=LEAKED),
    Attack("rows_of_numbers_in_an_error", {"softmax.py": ROWS}, never_shown=("1.5, 2",)),
    Attack("numbers_as_letters_in_an_error", {"softmax.py": LETTERS}, never_shown=("b.f, c.a",)),
    Attack("letters_in_the_name_of_an_error", {"softmax.py": NAMED}, never_shown=("zqj",)),
    Attack("letters_in_a_returned_text", {"softmax.py": RETURNED}, never_shown=("zqj",)),
    Attack(
        "letters_in_the_keys_of_a_dict", {"detach_state.py": KEYS}, never_shown=("zqj",), deserves=STAYS_AWAY
    ),
]
