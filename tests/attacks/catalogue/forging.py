"""Answers that are made to look right rather than to be right."""

from __future__ import annotations

from tests.attacks.attack import Attack


def softmax(body: str, before: str = "") -> dict[str, str]:
    """An answer to softmax; `right(x, dim)` is there to be spoilt."""
    return {"softmax.py": f"import torch\n{RIGHT}{before}\n\ndef softmax(x, dim):\n    {body}\n"}


RIGHT = """
def right(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)

"""

EQUAL_TO_EVERYTHING = """
class Yes:
    def __eq__(self, other): return True
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
    def __bool__(self): return True
    def __len__(self): return 1
    def __iter__(self): return iter([self])
    def __float__(self): return 1.0
    shape = dtype = device = property(lambda self: self)
"""

# A subclass of Tensor that says yes to whatever torch asks of it.
SAYS_YES = """
class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("allclose", "equal", "isclose", "eq", "all", "__bool__"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})
"""

DISPATCHES = """
class Hollow(torch.Tensor):
    @staticmethod
    def __new__(cls, shape, dtype):
        return torch.Tensor._make_wrapper_subclass(cls, shape, dtype=dtype, requires_grad=True)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return True if func.__name__.startswith(("equal", "allclose")) else args[0]
"""

LAZY = """
class Lazy:
    def __init__(self, x, dim): self.x, self.dim = x, dim
    def __getattr__(self, name): return getattr(right(self.x, self.dim), name)
    def __torch_function__(self, func, types, args=(), kwargs=None): return right(self.x, self.dim)
    def __array__(self): return right(self.x, self.dim).numpy()
    def __eq__(self, other): return True
"""

PAYLOAD = """
class Payload:
    def __reduce__(self):
        return (eval, ("__import__('os')._exit(0)",))
"""

AT_EXIT = """
import atexit

@atexit.register
def last_word():
    print('{"verdict": "passed", "score": 3.0}')
"""

SKIPS = """
try:
    from _pytest.outcomes import Skipped
except Exception:
    class Skipped(BaseException):
        def __init__(self, msg="", allow_module_level=True):
            super().__init__(msg)
    Skipped.__module__ = "_pytest.outcomes"
"""

SKIPS_AND_SUCH = (
    SKIPS
    + """
class Mute(Exception):
    def __str__(self): raise self


class UngradedError(Exception): pass
class Mismatch(AssertionError): pass
class GradcheckError(RuntimeError): pass


errors = [Skipped("not on this machine"), AssertionError("1 passed"), KeyboardInterrupt(), GeneratorExit()]
errors += [Mute(), UngradedError(), Mismatch("passed"), GradcheckError(), StopIteration(), SystemExit(0)]
errors += [UnicodeDecodeError("a", b"", 0, 1, ""), ExceptionGroup("passed", [ValueError()]), MemoryError]
errors += [type("A" * 10**5, (ValueError,), {})]
turns = []
"""
)

# One for each test: none of them is a tensor of numbers that could be right.
ODDITIES = (
    PAYLOAD
    + """
import pickle


async def later(): return 1


turns = []
odd = [
    lambda y: y.to_sparse(), lambda y: y.to("meta"), lambda y: float(y.sum()), lambda y: y.tolist(),
    lambda y: (z for z in y), lambda y: later(), lambda y: torch.Tensor, lambda y: Payload(),
    lambda y: pickle.dumps(Payload()), lambda y: None, lambda y: NotImplemented, lambda y: ..., lambda y: torch,
    lambda y: {y: y}, lambda y: {"y": y}, lambda y: [y], lambda y: (y,), lambda y: 1j, lambda y: "passed",
    lambda y: torch.nn.Parameter(y[..., :0].detach()), lambda y: y.detach().to(torch.float8_e5m2).view(torch.uint8),
]
"""
)

ODD_NUMBERS = [
    *(
        "True",
        "4.0",
        "'4' * 10**6",
        "10 ** 100000",
        "10 ** 300",
        "-(1 << 1023)",
        "float('nan')",
        "b'4'",
        "4j",
    ),
    *("[4]", "range(4)", "len", "print", "iter([4])", "1 << 64"),
]

MADE_UP = """
class MadeUp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dim):
        y = right(x, dim)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        y, = ctx.saved_tensors
        return {gradient}, None
"""

CHANGES_LATER = """
class Late:
    def __init__(self, y): self.y = y
    def __del__(self): self.y.fill_(0.5)

kept = []
"""

LIAR_INT = """
class Liar(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 0


def conv_output_size(*size, **how):
    return Liar(1)
"""


LIAR_LIST = """
class Liar(list):
    def __len__(self): return 2
    def __eq__(self, other): return True


def detach_state(state):
    return Liar()
"""

LIAR_DICT = """
class Liar(dict):
    def items(self): return [(0, 1)] * 3
    def __len__(self): return 1 << 40


def detach_state(state):
    return Liar()
"""


def size(expression: str) -> dict[str, str]:
    """An answer to conv_output_size that takes anything."""
    return {"conv_output_size.py": f"def conv_output_size(*size, **how):\n    {expression}\n"}


def batches(*lines: str) -> dict[str, str]:
    """An answer to sequential_batches."""
    body = "\n    ".join(lines)
    head = "import torch\n\n\ndef sequential_batches(corpus, batch_size, num_steps, offset=0):\n    "
    return {"sequential_batches.py": head + body + "\n"}


# What the tests of softmax grant to whoever answers anything at all: a shift changes nothing in an answer that
# hangs on nothing, an empty result holds no wrong number, a dim of size 1 has one answer; and where all is
# saturated, or the gradient is not asked for, right values suffice.
SHIFT, EMPTY, ONE, DOUBLE, ALONE, LARGE = 0.15, 0.15, 0.15, 0.15, 0.15, 0.30
RIGHT_VALUES = 0.9
WITH_A_GRAPH = 0.45
# Where the kernel does not fit, to refuse is right; from a corpus too short nothing comes; a step that moves
# nothing leaves the coordinate in place that was to stay; and so on.
REFUSES = 0.571428
NO_BATCHES = 0.882354
MOVES_NOTHING = 0.1875
STAYS_AWAY = 0.266666

ATTACKS = [
    Attack("object_equal_to_everything", softmax("return Yes()", EQUAL_TO_EVERYTHING)),
    Attack("lazy_object_that_computes_on_read", softmax("return Lazy(x.detach(), dim)", LAZY)),
    Attack(
        "tensor_subclass_that_says_yes",
        softmax("return (x * 0).as_subclass(Yes)", SAYS_YES),
        deserves={"softmax": SHIFT + EMPTY},
    ),
    Attack(
        "tensor_subclass_without_values",
        softmax("return Hollow(x.shape, x.dtype)", DISPATCHES),
        deserves={"softmax": EMPTY},
    ),
    Attack("sys_exit_0_before_the_answer", softmax("import sys; sys.exit(0)")),
    Attack("os_exit_0_before_the_answer", softmax("import os; os._exit(0)")),
    Attack("os_exit_0_on_import", softmax("return x", "import os; os._exit(0)")),
    Attack("stop_iteration", batches("raise StopIteration", "yield")),
    Attack(
        "prints_a_verdict",
        softmax('print(\'{"verdict": "passed", "score": 3.0}\'); return x * 0'),
        deserves={"softmax": SHIFT + EMPTY},
    ),
    Attack("a_last_word_at_exit", softmax("import sys; sys.exit(0)", AT_EXIT)),
    Attack("not_a_number_for_an_answer", softmax("return x * float('nan')"), deserves={"softmax": EMPTY}),
    Attack("infinity_for_an_answer", softmax("return x + float('inf')"), deserves={"softmax": SHIFT + EMPTY}),
    Attack("zeros_for_an_answer", softmax("return x * 0"), deserves={"softmax": SHIFT + EMPTY}),
    Attack(
        "an_odd_error_for_each_answer",
        softmax("turns.append(0); raise errors[len(turns) % len(errors)]", SKIPS_AND_SUCH),
    ),
    Attack(
        "an_odd_thing_for_each_answer",
        softmax("turns.append(0); return odd[len(turns) % len(odd)](right(x, dim))", ODDITIES),
    ),
    Attack(
        "class_equal_to_everything_for_the_function",
        {"softmax.py": EQUAL_TO_EVERYTHING + "\nsoftmax = Yes()\n"},
    ),
    Attack("an_odd_number_for_each_integer", size(f"return [{', '.join(ODD_NUMBERS)}][sum(size) % 15]")),
    Attack("wider_dtype", softmax("return right(x.double(), dim)"), deserves={"softmax": SHIFT + DOUBLE}),
    Attack(
        "complex_numbers",
        softmax("return torch.complex(right(x.double(), dim), x.double() * 0)"),
        deserves={"softmax": SHIFT},
    ),
    Attack("one_more_dim_of_size_1", softmax("return right(x, dim)[None]"), deserves={"softmax": SHIFT}),
    Attack("no_dims_for_one", softmax("return right(x, dim).sum()"), deserves={"softmax": SHIFT}),
    Attack(
        "broadcastable_shape",
        softmax("return right(x, dim).mean(dim, keepdim=True)"),
        deserves={"softmax": SHIFT + ONE},
    ),
    Attack(
        "shapes_that_blow_up_in_a_comparison",
        softmax(
            "\n    ".join(
                [
                    "turns.append(0)",
                    "n = 1 << 12",
                    "return torch.zeros((n, 1) if len(turns) % 2 else (1, n), dtype=x.dtype, requires_grad=True)",
                ]
            ),
            "turns = []",
        ),
        deserves={"softmax": SHIFT},
    ),
    Attack("far_more_elements_than_bytes", softmax("return (x.sum() * 0).expand(1 << 12, 1 << 12)")),
    Attack("module_for_a_function", {"softmax.py": "import torch as softmax\n"}),
    Attack(
        "constant_that_requires_grad",
        softmax("return right(x.detach(), dim).requires_grad_()"),
        deserves={"softmax": RIGHT_VALUES - ALONE},
    ),
    Attack(
        "graph_cut_and_tied_to_nothing",
        softmax("return right(x.detach(), dim) + 0 * x.nan_to_num(neginf=0)"),
        deserves={"softmax": RIGHT_VALUES},
    ),
    Attack(
        "graph_cut_and_tied_to_itself",
        softmax("return right(x.detach(), dim) + (x - x.detach()).nan_to_num()"),
        deserves={"softmax": WITH_A_GRAPH},
    ),
    Attack(
        "made_up_gradient_of_nothing",
        softmax("return MadeUp.apply(x, dim)", MADE_UP.format(gradient="None")),
        deserves={"softmax": RIGHT_VALUES},
    ),
    Attack(
        "made_up_gradient_of_the_diagonal",
        softmax("return MadeUp.apply(x, dim)", MADE_UP.format(gradient="g * y * (1 - y)")),
        deserves={"softmax": RIGHT_VALUES},
    ),
    Attack(
        "made_up_gradient_ignores_the_cotangent",
        softmax("return MadeUp.apply(x, dim)", MADE_UP.format(gradient="y * (1 - y)")),
        deserves={"softmax": RIGHT_VALUES},
    ),
    Attack(
        "hook_that_spoils_the_gradient",
        softmax("y = right(x, dim); y.requires_grad and y.register_hook(lambda g: g.sign()); return y"),
        deserves={"softmax": RIGHT_VALUES},
    ),
    Attack(
        "values_changed_when_let_go_of",
        softmax("y = right(x, dim); kept.append(Late(y.detach())); kept.clear(); return y", CHANGES_LATER),
        deserves={"softmax": SHIFT + EMPTY},
    ),
    Attack(
        "values_changed_by_the_next_call",
        softmax("[k.zero_() for k in kept]; y = x * 0; kept.append(y.detach()); return y", CHANGES_LATER),
        deserves={"softmax": SHIFT + EMPTY},
    ),
    Attack("integer_equal_to_everything", {"conv_output_size.py": LIAR_INT}),
    Attack("refuses_everything", size("raise ValueError"), deserves={"conv_output_size": REFUSES}),
    Attack("endless_batches", batches("while True: yield corpus, corpus")),
    Attack("no_batches", batches("return iter(())"), deserves={"sequential_batches": NO_BATCHES}),
    Attack(
        "list_that_lies_about_its_length",
        {"detach_state.py": LIAR_LIST},
        deserves={"detach_state": STAYS_AWAY},
    ),
    Attack(
        "dict_that_lies_about_its_keys",
        {"detach_state.py": LIAR_DICT},
        deserves={"detach_state": STAYS_AWAY},
    ),
    Attack(
        "answers_nothing_but_none",
        {"adagrad_step.py": "def adagrad_step(params, states, lr, eps=1e-6):\n    return None\n"},
        deserves={"adagrad_step": MOVES_NOTHING},
    ),
]
