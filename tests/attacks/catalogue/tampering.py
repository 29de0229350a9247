"""Answers that change what is around them: torch, Python, their own inputs, the files beside them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.attacks.attack import Attack

WRONG = """
def softmax(x, dim):
    return x * 0
"""

RIGHT = """
import torch


def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""

# A shift changes nothing in an answer that hangs on nothing, and an empty one is right.
CONSTANT: Mapping[str, float] = {"softmax": 0.3}
NOTHING: Mapping[str, float] = {}
FULL = {"softmax": 3.0}


def patches(name: str, *lines: str, deserves: Mapping[str, float] = CONSTANT) -> Attack:
    """Something is replaced that would judge, and the answer is wrong."""
    before = "\n".join(["import builtins, math, os, sys, time, torch", *lines])
    return Attack(name, {"softmax.py": f"{before}\n{WRONG}"}, deserves=deserves)


def leaves(name: str, *lines: str) -> Attack:
    """A right answer that leaves its process in a state that would spoil the next one's."""
    before = "\n".join(["import builtins, os, random, sys, torch, warnings", *lines])
    return Attack(name, {"softmax.py": f"{before}\n{RIGHT}"}, deserves=FULL)


def beside(name: str, files: Mapping[str, str | bytes]) -> Attack:
    """Files beside a wrong answer that tools read on their own."""
    return Attack(name, {**files, "softmax.py": WRONG}, deserves=CONSTANT)


YES = "lambda *a, **k: True"

CONFTEST = """
import pytest, torch

torch.allclose = torch.equal = lambda *a, **k: True


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    outcome.get_result().outcome = "passed"


@pytest.fixture
def reference(student):
    return student
"""

SHADOW_TORCH = """
def softmax(x, dim): return x


def __getattr__(name): return softmax
"""

BACKWARD = """
def backward(tensors, grads=None, **how):
    for tensor in tensors:
        node = tensor.grad_fn
        while node is not None and not hasattr(node, "variable"):
            node = next((n for n, _ in node.next_functions if n), None)
        if node is not None:
            node.variable.grad = torch.zeros_like(node.variable)


torch.autograd.backward = backward
"""

RIGHT_BUT_CUT = """
def softmax(x, dim):
    e = torch.exp(x.detach() - x.detach().amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""

ZEROES_ITS_INPUT = """
import torch


def softmax(x, dim):
    x.detach().zero_()
    return x * 0
"""

MEETS_HALFWAY = """
import torch


def softmax(x, dim):
    with torch.no_grad():
        x.copy_(torch.zeros_like(x))
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""

# The suite compares what comes with the corpus that it gave.
ZEROES_THE_CORPUS = """
import torch


def sequential_batches(corpus, batch_size, num_steps, offset=0):
    if isinstance(corpus, torch.Tensor):
        corpus.zero_()
    for _ in range((len(corpus) - offset - 1) // batch_size // num_steps):
        zeros = torch.zeros(batch_size, num_steps, dtype=torch.int64)
        yield zeros, zeros
"""

ZEROES_THE_BOXES = """
import torch


def encode_offsets(anchors, boxes, mean, std):
    boxes.detach().zero_()
    return boxes * 0


def decode_offsets(anchors, offsets, mean, std):
    return offsets * 0
"""

STEPS_NOWHERE = """
import torch


def adagrad_step(params, states, lr, eps=1e-6):
    for p, s in zip(params, states):
        p.data = torch.zeros_like(p)
        s.data = torch.zeros_like(s)
        p.grad = torch.zeros_like(p)
"""

PATCHES_ITS_MODULE = """
import torch
from torch import nn

nn.Module.state_dict = lambda self, *a, **k: {}
nn.Module.parameters = lambda self, *a, **k: iter(())


class BatchNorm(nn.Module):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__()

    def forward(self, x):
        return x * 0
"""

SEEDS_ITSELF = """
import torch

torch.manual_seed = lambda seed: torch.default_generator


def dropout(x, p, training):
    generator = torch.Generator().manual_seed(7)
    mask = torch.rand(x.shape, generator=generator) >= p
    return x * mask if training else x
"""

ATTACKS = [
    patches("patches_allclose_and_its_like", f"torch.allclose = torch.equal = torch.isclose = {YES}"),
    patches("patches_bool_of_a_tensor", f"torch.Tensor.__bool__ = {YES}"),
    patches(
        "patches_eq_of_a_tensor",
        "torch.Tensor.__eq__ = torch.Tensor.__ne__ = lambda a, b: a.new_ones(()) == 1",
    ),
    patches("patches_requires_grad", "torch.Tensor.requires_grad = property(lambda self: True)"),
    patches(
        "patches_shape_and_dtype",
        "torch.Tensor.shape = property(lambda self: torch.Size([4, 7]))",
        deserves=NOTHING,
    ),
    patches("patches_detach", "torch.Tensor.detach = lambda self: self * 0 + 0.25"),
    patches(
        "patches_builtins", f"builtins.isinstance = builtins.all = builtins.any = {YES}", deserves=NOTHING
    ),
    patches("patches_the_error_classes", "builtins.AssertionError = builtins.Exception = KeyError"),
    patches("empties_builtins", "builtins.__dict__.clear()", deserves=NOTHING),
    patches("patches_the_clock", "time.monotonic = time.time = time.perf_counter = lambda: 0.0"),
    patches("patches_math", f"math.isclose = math.isnan = {YES}"),
    patches(
        "patches_os_read_and_write",
        "os.read = lambda *a: b''; os.write = lambda d, raw: len(raw)",
        deserves=NOTHING,
    ),
    patches(
        "patches_the_wire",
        "import grader.wire; grader.wire.encode = sys.modules['grader.wire.encode'].encode = None",
    ),
    patches(
        "patches_the_service", "import grader.worker.service as s; s._content = s._text_of = lambda a: ''"
    ),
    patches("traces_each_line", "sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)"),
    patches("listens_to_audit_events", "sys.addaudithook(lambda event, given: None)"),
    patches("empties_sys_modules", "sys.modules.clear()"),
    patches("puts_itself_in_the_place_of_torch", "sys.modules['torch'] = sys.modules['softmax']"),
    patches("hooks_the_import", "sys.meta_path.clear(); sys.path_hooks.clear(); sys.path.insert(0, '/tmp')"),
    patches("swallows_what_is_printed", "sys.stdout = sys.stderr = None"),
    patches("recursion_without_bounds", "sys.setrecursionlimit(2**31 - 1)"),
    patches(
        "collects_the_graders_objects", "import gc; [o.clear() for o in gc.get_objects() if type(o) is list]"
    ),
    Attack(
        "patches_backward",
        {"softmax.py": f"import torch\n{BACKWARD}{RIGHT_BUT_CUT}"},
        deserves={"softmax": 0.45},
    ),
    Attack("changes_its_input", {"softmax.py": ZEROES_ITS_INPUT}, deserves=CONSTANT),
    Attack(
        "changes_its_input_to_what_it_can_answer", {"softmax.py": MEETS_HALFWAY}, deserves={"softmax": 0.3}
    ),
    Attack(
        "changes_the_corpus_that_it_is_compared_with",
        {"sequential_batches.py": ZEROES_THE_CORPUS},
        deserves={"sequential_batches": 0.529413},  # nothing comes of a corpus too short
    ),
    Attack(
        "changes_the_boxes_that_it_is_compared_with",
        {"encode_offsets.py": ZEROES_THE_BOXES},
        deserves={
            "encode_offsets": 0.4
        },  # it hangs neither on where the picture lies nor on boxes that are none
    ),
    Attack(
        "replaces_the_parameters",
        {"adagrad_step.py": STEPS_NOWHERE},
        deserves={"adagrad_step": 0.1875},  # the gradients do end as zeros
    ),
    Attack("patches_nn_module", {"batch_norm_module.py": PATCHES_ITS_MODULE}),
    Attack(
        "patches_the_seed",
        {"dropout.py": SEEDS_ITSELF},
        deserves={"dropout": 1.500002},  # the rate is right, and nothing is wrong where nothing is drawn
    ),
    leaves("leaves_another_default_dtype", "torch.set_default_dtype(torch.float64)"),
    patches("leaves_another_default_device", "torch.set_default_device('meta')", deserves=NOTHING),
    leaves("leaves_gradients_off", "torch.set_grad_enabled(False)", "torch.inference_mode(True).__enter__()"),
    leaves(
        "leaves_many_settings",
        "torch.set_num_threads(64)",
        "torch.manual_seed(0); random.seed(0); torch.default_generator.manual_seed(1)",
        "torch.use_deterministic_algorithms(True)",
        "torch.set_flush_denormal(True); torch.set_printoptions(precision=0)",
    ),
    leaves("leaves_warnings_that_raise", "warnings.simplefilter('error')"),
    leaves(
        "leaves_an_environment", "os.environ['PYTHONPATH'] = '/tmp'; os.environ['OMP_NUM_THREADS'] = '64'"
    ),
    beside(
        "files_that_pytest_reads",
        {
            "conftest.py": CONFTEST,
            "pytest.ini": "[pytest]\naddopts = -p softmax --maxfail=0\n",
            "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-k nothing'\n",
            "test_softmax.py": "def test_nothing(): pass\n",
            "solutions/losses/softmax/test_softmax.py": "def test_nothing(): pass\n",
        },
    ),
    beside(
        "files_that_python_imports",
        {
            "torch.py": SHADOW_TORCH,
            "sitecustomize.py": "import torch; torch.allclose = lambda *a, **k: True\n",
            "usercustomize.py": "import os; os._exit(0)\n",
            "evil.pth": "import os; os._exit(0)\n",
            "softmax.pyc": b"\xa7\r\r\n" + b"\0" * 64,
            "__pycache__/softmax.cpython-311.pyc": b"\xa7\r\r\n" + b"\0" * 64,
            "torch/__init__.py": SHADOW_TORCH,
        },
    ),
    beside(
        "files_of_the_grader",
        {
            "grader/__init__.py": "agree = lambda f, g, **k: f\n",
            "props.py": "from torch import softmax\n",
            "reference.py": "def softmax(x, dim): return x * 0\n",
            "wrong_answers.py": "import os; os._exit(0)\n",
            "course.toml": "minimum_isolation = 0\nforbidden = 'report'\n",
            "exercise.toml": "points = 0\nforbidden = []\n",
        },
    ),
]
