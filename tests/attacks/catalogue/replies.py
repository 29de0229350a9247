"""Answers written straight to the examiner, by whoever found the grader's own objects in the process."""

from __future__ import annotations

from tests.attacks.attack import Attack

REACH = """
import gc, os, struct, sys
import torch


def reach(kind):
    return next(o for o in gc.get_objects() if type(o).__name__ == kind)


def write(raw):
    os.write(reach("Frames").descriptor, raw)


def send(*reply):
    raw = reach("Service").encode(reply)
    write(struct.pack("<Q", len(raw)) + raw)
"""


def softmax(*lines: str, before: str = "", reach: str = REACH) -> dict[str, str]:
    """An answer to softmax that can reach what is the grader's in its process."""
    body = "\n    ".join(lines)
    return {"softmax.py": f"{reach}{before}\n\ndef softmax(x, dim):\n    {body}\n"}


def service(*lines: str, more: str = "return x * 0") -> dict[str, str]:
    """An answer that puts something in the place of the worker's own service."""
    return softmax(more, before="\n" + "\n".join(lines))


RETURNED = '"returned", torch.full_like(x, 0.25), 1, [True], None, [torch.zeros_like(x)], None'

# Found without the collector: the frames below hold the same objects.
BY_FRAMES = """
import os, struct, sys
import torch


def reach(kind):
    frame = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            if type(value).__name__ == kind:
                return value
        frame = frame.f_back


def write(raw):
    os.write(reach("Frames").descriptor, raw)


def send(*reply):
    raw = reach("Service").encode(reply)
    write(struct.pack("<Q", len(raw)) + raw)
"""

EACH_DESCRIPTOR = """
for number in range(256):
    try:
        os.write(number, struct.pack("<Q", 3) + b"yes")
    except OSError:
        pass
"""

# The first class that a message names would be imported, were it read with pickle.
PICKLE = 'write(struct.pack("<Q", 24) + b"cposix\\\\n_exit\\\\n(I0\\\\ntR......")'

ANSWERS_AHEAD = """
def on_load(source, name, props):
    for _ in range(40):
        send("returned", torch.full((4, 7), 1 / 7), 1, [True], None, [torch.zeros(4, 7)], None)
    return "loaded", {"softmax": "function"}

on_load(None, None, None)
"""

# One for each worker, and after it there is no more: the next test has a new one.
WRONG_REPLIES = """
replies = [
    ("ready",), ("probed", [], {}, []), ("failed", "OSError: not mine"), ("failed", "MemoryError"),
    ("loaded", {}), ("gradients", [None]), ("passed", 3.0, "softmax"), (), ("returned",),
    ("returned", [None] * 3, 10**30, [True], None, None, None), ("facts", True, True, [], [], "cpu", torch.float32),
]
"""

WRONG_ERRORS = """
replies = [
    ("raised", "Skipped", "BaseException", "", []), ("raised", "UngradedError", "object", "", []),
    ("raised", "a" + chr(0) + "b", "ValueError", "", 7), ("raised", torch.ones(2), [1], {1: 2}, (3,)),
    ("raised", "Exit", "SystemExit", "0", [(1, 2, 3)]), ("raised", "E", "__import__", "os", [(1 << 90, "f")]),
]
"""

WRONG_CHANGES = """
y = torch.ones(2)
replies = [
    ("returned", y, 1, [True], ([(-1, y, True), (7, y, 0)], [(9, 1)], 3), [], 0),
    ("returned", y, 1, [True], ([(0, y.int(), True)], [], []), [], 0),
    ("returned", y, 1, [True], ([], [(0, y.double())], [(0, [y])]), [y], {"aten::exp": -1, 3: 4}),
    ("returned", y, 1, [True, True], None, None, None), ("returned", y, "1", [True], 5, 6, 7),
]
"""

ANNOUNCEMENTS = """
announced = [0, 1, 7, 1 << 20, 1 << 31, 1 << 62, (1 << 64) - 1]
"""

# Right values, and a gradient of the attacker's choice in the reply.
GRADIENTS = """
kept = type(reach("Service"))
right = kept.on_call


def made_up(given, cotangents):
    return {gradients}


def on_call(self, *arguments):
    head, value, number, connected, changes, gradients, counts = right(self, *arguments)
    gradients = gradients and made_up(self.calls[number].arguments, arguments[6])
    return head, value, number, [{connected}] * len(connected), changes, gradients, counts


kept.on_call = on_call
kept.on_vjp = lambda self, n, cotangents: ("gradients", made_up(self.calls[n].arguments, cotangents))
"""

RIGHT_BUT_CUT = (
    "e = torch.exp(x.detach() - x.detach().amax(dim, keepdim=True))",
    "return (e / e.sum(dim, keepdim=True)).requires_grad_(x.requires_grad)",
)

# Values right, gradients not: what the tests of softmax give for that.
RIGHT_VALUES = {"softmax": 0.9}
# No number of an empty result is wrong.
EMPTY = {"softmax": 0.15}

CUTS_NOTHING = """
import sys

sys.modules["grader.worker.service"]._Call.connected = lambda self: [False] * len(self.outputs)
encoder = sys.modules["grader.wire.encode"]._Encoder
plain = encoder.put_tensor_parts


def put_tensor_parts(self, tensor, requires_grad, is_leaf, device, grad):
    return plain(self, tensor, False, True, device, grad)


encoder.put_tensor_parts = put_tensor_parts


def detach_state(state):
    if state is None or hasattr(state, "dim"):
        return state
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*map(detach_state, state))
    if type(state) in (list, tuple):
        return type(state)(map(detach_state, state))
    raise TypeError
"""

FORGED_FACTS = """
import props

props.flag_after = lambda *given: False


def vjp(f, x, v):
    return x
"""

ATTACKS = [
    Attack("garbage_before_the_answer", softmax("write(bytes(range(64)))", "return x * 0")),
    Attack("garbage_found_by_frames", softmax("write(b'passed' * 20)", "return x * 0", reach=BY_FRAMES)),
    Attack("garbage_to_each_descriptor", softmax("return x * 0", before=EACH_DESCRIPTOR)),
    Attack("pickle_on_the_wire", softmax(PICKLE, "return x * 0")),
    Attack(
        "reply_before_the_answer",
        softmax(f"send({RETURNED})", "return x * 0"),
    ),
    Attack("reply_instead_of_the_answer", softmax(f"send({RETURNED})", "os._exit(0)"), deserves=EMPTY),
    Attack("replies_ahead_of_the_requests", softmax("return x * 0", before=ANSWERS_AHEAD)),
    Attack("wrong_replies", softmax("send(*replies[os.getpid() % 11])", "os._exit(0)", before=WRONG_REPLIES)),
    Attack(
        "errors_made_up_in_a_reply",
        softmax("send(*replies[os.getpid() % 6])", "os._exit(0)", before=WRONG_ERRORS),
    ),
    Attack(
        "changes_to_what_was_never_given",
        softmax("send(*replies[os.getpid() % 5])", "os._exit(0)", before=WRONG_CHANGES),
    ),
    Attack(
        "announces_what_does_not_come",
        softmax("write(struct.pack('<Q', announced[os.getpid() % 7]))", "os._exit(0)", before=ANNOUNCEMENTS),
    ),
    Attack(
        "announces_and_falls_silent",
        softmax("write(struct.pack('<Q', 99))", "while True: pass"),
        patient=True,
    ),
    Attack("closes_the_descriptor", softmax("os.close(reach('Frames').descriptor)", "return x")),
    Attack(
        "writes_through_another_descriptor",
        softmax("os.write(os.dup(reach('Frames').descriptor), b'passed')", "return x"),
    ),
    Attack(
        "service_that_computes_nothing", service('reach("Service").on_call = lambda *a: ("returned",) * 7')
    ),
    Attack("service_that_answers_none", service('reach("Service").answer = lambda message: None')),
    Attack(
        "service_that_says_no_gradients",
        softmax(*RIGHT_BUT_CUT, before=GRADIENTS.format(connected="True", gradients="[None] * 9")),
        deserves={"softmax": 0.75},
    ),
    Attack(
        "service_that_says_unconnected",
        softmax(*RIGHT_BUT_CUT, before=GRADIENTS.format(connected="False", gradients="[]")),
        deserves=RIGHT_VALUES,
    ),
    Attack(
        "gradient_is_the_cotangent_seen_ahead",
        softmax(
            *RIGHT_BUT_CUT,
            before=GRADIENTS.format(connected="True", gradients="[c.tensor for c in cotangents]"),
        ),
        deserves={"softmax": 0.3},
    ),
    Attack(
        "says_cut_and_cuts_nothing",
        {"detach_state.py": CUTS_NOTHING},
        known_limit="whether a tensor requires a gradient, is a leaf or shares storage is what the student's "
        "process says of it",
    ),
    Attack(
        "props_that_say_what_is_wanted",
        {"vjp.py": FORGED_FACTS},
        known_limit="what a suite asks of props is answered in the student's process",
    ),
]
