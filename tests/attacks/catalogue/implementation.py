"""Right values by ways that the exercise rules out: the library's own answer, by whatever name.

What the source shows is refused before anything is run; what is made up only while it runs shows in the ops.
"""

from __future__ import annotations

from tests.attacks.attack import Attack

HEAD = """
import base64, builtins, functools, importlib, inspect, operator, sys, types
import torch
import torch.nn.functional as F
from torch import nn

"""

ANSWERS = {
    "softmax": "softmax(x, dim)",
    "cross_entropy": 'cross_entropy(logits, target, reduction="mean")',
    "dropout": "dropout(x, p, training)",
    "vjp": "vjp(f, x, v)",
    "adagrad_step": "adagrad_step(params, states, lr, eps=1e-6)",
    "truncated_bptt": "truncated_bptt(inputs, state, w_x, w_h, b, steps)",
    "conv_output_size": "conv_output_size(size, kernel_size, padding=0, stride=1, dilation=1)",
}


def answers(before: str = "", **bodies: str) -> dict[str, str]:
    """Answers to some exercises, by the one expression that each of them returns."""
    return {
        f"{name}.py": f"{HEAD}{before}\n\ndef {ANSWERS[name]}:\n    return {body}\n"
        for name, body in bodies.items()
    }


def seen(name: str, files: dict[str, str]) -> Attack:
    """The scan sees it, and so it costs the exercise."""
    return Attack(
        name,
        files,
        verdicts=frozenset({"forbidden"}),
        findings=frozenset({"forbidden_call"}),
    )


def runs(name: str, files: dict[str, str]) -> Attack:
    """Only the ops that are run show it."""
    return Attack(name, files, findings=frozenset({"forbidden_op"}), verdicts=frozenset({"forbidden"}))


TRIES = """
import torch


def mine(x, dim):
    raise RuntimeError("not yet")


def softmax(x, dim):
    try:
        return mine(x, dim)
    except Exception:
        return torch.softmax(x, dim)
"""

INHERITS = """
from torch import nn


class BatchNorm(nn.BatchNorm1d):
    def __init__(self, channels, eps=1e-5, momentum=0.1):
        super().__init__(channels, eps, momentum)
"""

INHERITS_UNSEEN = """
from torch import nn

Base = next(value for name, value in sorted(vars(nn).items()) if len(name) == 11 and name.endswith("orm1d"))


class BatchNorm(Base):
    def _check_input_dim(self, x):
        pass
"""

SCRIPTED = """
import torch
import torch.nn.functional as F


@torch.jit.script
def ready(x, dim: int):
    return F.softmax(x, dim)


def softmax(x, dim):
    return ready(x, dim)
"""

FUNCTION_OF_GRAD = """
import torch
import torch.nn.functional as F


class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        return (weight * (pred - target) ** 2).mean()

    @staticmethod
    def backward(ctx, g):
        with torch.enable_grad():
            given = [t.detach().requires_grad_() for t in ctx.saved_tensors]
            pred, target, weight = given
            return torch.autograd.grad((weight * F.mse_loss(pred, target, reduction="none")).mean(), given, g)
"""

HALF = """
import torch


def softmax(x, dim):
    h = x.to(torch.bfloat16)
    e = torch.exp(h - h.amax(dim, keepdim=True))
    return (e / e.sum(dim, keepdim=True)).to(x.dtype)
"""

LEAVES_TORCH = """
import torch


class Outside(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.tensor(x.tolist(), dtype=x.dtype).reshape(x.shape)

    @staticmethod
    def backward(ctx, g):
        return g * 0


def softmax(x, dim):
    e = torch.exp(Outside.apply(x) - x.detach().amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""

# The answers to inputs that are the same for all: what the suite draws anew is in no table.
TABLE = """
import torch

TABLE = {(2, 3): [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], (3, 1): [[1.0]] * 3}


def softmax(x, dim):
    return x * 0 + torch.tensor(TABLE.get(tuple(x.shape), 0.0), dtype=x.dtype)
"""

BY_DIR = "[getattr(torch, name) for name in dir(torch) if name[:5] == 'softm'][0](x, dim)"
BY_MEANING = (
    "sorted((f for n, f in vars(F).items() if n[:4] == 'soft' and n[-2:] == 'ax'), key=str)[0](x, dim=dim)"
)
BY_CODE = """
def template(x, dim):
    return torch.logsumexp(x, dim)


word = "".join(sorted("fmotsax", key="softmax".find))
names = tuple(word if name == "logsumexp" else name for name in template.__code__.co_names)
mine = types.FunctionType(template.__code__.replace(co_names=names), globals())
"""

UNRECORDED = """
import threading, torch


def softmax(x, dim):
    with torch._C.DisableTorchFunction(), torch.utils._python_dispatch._disable_current_modes():
        return [getattr(torch, name) for name in dir(torch) if name[:5] == "softm"][0](x, dim)
"""

# The names of the ops are noted in the same process: whoever reaches the note can leave some out.
REWRITTEN = """
import sys, torch

sys.modules["grader.worker.recording"].OpNames._read = lambda self, events: None


def softmax(x, dim):
    return [getattr(torch, name) for name in dir(torch) if name[:5] == "softm"][0](x, dim)
"""

ATTACKS = [
    seen(
        "the_librarys_own_name",
        answers(
            softmax="torch.softmax(x, dim)",
            cross_entropy="F.cross_entropy(logits, target, reduction=reduction)",
            dropout="F.dropout(x, p, training)",
            vjp="torch.func.vjp(f, x)[1](v)[0]",
            adagrad_step="torch.optim.Adagrad(params, lr=lr, eps=eps).step()",
            conv_output_size="F.conv1d(torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size)).numel()",
        ),
    ),
    seen(
        "the_method_of_a_tensor",
        answers(softmax="x.softmax(dim)", cross_entropy="-logits.log_softmax(1).mean()"),
    ),
    seen(
        "the_module",
        answers(
            softmax="nn.Softmax(dim)(x)",
            cross_entropy="nn.CrossEntropyLoss(reduction=reduction)(logits, target)",
            dropout="nn.Dropout(p).train(training)(x)",
            truncated_bptt="nn.RNN(4, 3)(inputs, state)[0]",
        ),
    ),
    seen(
        "ops_of_aten",
        answers(
            softmax="torch.ops.aten._softmax(x, dim, False)",
            cross_entropy="torch.ops.aten.cross_entropy_loss(logits, target)",
            dropout="torch.ops.aten.native_dropout(x, p, training)[0]",
            truncated_bptt="torch.ops.aten.rnn_tanh(inputs, state)",
        ),
    ),
    seen(
        "torchs_private_parts",
        answers(
            softmax="torch._C._VariableFunctions.softmax(x, dim)",
            cross_entropy="torch._C._nn.cross_entropy_loss(logits, target)",
            dropout="torch._VF.dropout(x, p, training)",
            adagrad_step="torch.optim._functional.adagrad(params, [], states, [])",
            truncated_bptt="torch._VF.rnn_tanh_cell(inputs, state, w_x, w_h)",
        ),
    ),
    seen(
        "another_op_of_the_family",
        answers(
            softmax="F.softmin(-x, dim)",
            cross_entropy="F.nll_loss(logits - logits.logsumexp(1, keepdim=True), target, reduction=reduction)",
            dropout="F.alpha_dropout(x, p, training)",
            vjp="torch.autograd.functional.vjp(f, x, v)[1]",
        ),
    ),
    seen(
        "a_relative_that_does_its_work",
        answers(
            softmax="torch.distributions.Categorical(logits=x.movedim(dim, -1)).probs.movedim(-1, dim)",
            cross_entropy="-torch.distributions.Categorical(logits=logits).log_prob(target).mean()",
        ),
    ),
    seen("attention_that_is_a_softmax", answers(softmax="F.scaled_dot_product_attention(x, x, x)")),
    seen(
        "getattr_by_a_name",
        answers(softmax="getattr(x, 'softmax')(dim)", dropout="getattr(F, 'drop' + 'out')(x, p, training)"),
    ),
    seen(
        "a_name_put_together",
        answers(
            softmax="getattr(torch, ''.join(chr(c) for c in (115, 111, 102, 116, 109, 97, 120)))(x, dim)",
            cross_entropy="getattr(F, '%s_%s' % ('cross', 'entropy'))(logits, target, reduction=reduction)",
            dropout="getattr(F, 'tuopord'[::-1])(x, p, training)",
        ),
    ),
    seen(
        "a_name_decoded",
        answers(
            softmax="getattr(torch, base64.b64decode('c29mdG1heA==').decode())(x, dim)",
            dropout="getattr(F, bytes.fromhex('64726f706f7574').decode())(x, p, training)",
        ),
    ),
    seen(
        "a_name_in_a_loop",
        answers(softmax="[getattr(torch, name) for name in ('exp', 'softmax')][-1](x, dim)"),
    ),
    seen(
        "a_namespace_asked",
        answers(
            softmax="vars(torch)['softmax'](x, dim)",
            cross_entropy="F.__dict__.get('cross_entropy')(logits, target, reduction=reduction)",
            dropout="operator.getitem(vars(F), 'dropout')(x, p, training)",
        ),
    ),
    seen(
        "python_asked_for_an_attribute",
        answers(
            softmax="object.__getattribute__(F, 'softmax')(x, dim)",
            cross_entropy="inspect.getattr_static(F, 'cross_entropy')(logits, target, reduction=reduction)",
            dropout="F.__getattribute__('dropout')(x, p, training)",
        ),
    ),
    seen(
        "operators_that_look_up",
        answers(
            softmax="operator.methodcaller('softmax', dim)(x)",
            dropout="operator.attrgetter('nn.functional.dropout')(torch)(x, p, training)",
        ),
    ),
    seen(
        "imports_by_a_string",
        answers(
            softmax="importlib.import_module('torch.nn' + '.functional').softmax(x, dim)",
            cross_entropy="__import__('torch').nn.functional.cross_entropy(logits, target, reduction=reduction)",
            dropout="sys.modules['torch.nn.functional'].dropout(x, p, training)",
        ),
    ),
    seen(
        "code_in_a_string",
        answers(
            softmax="eval('torch.softmax(x, dim)')",
            cross_entropy="eval(compile('F.cross_entropy(logits, target)', '', 'eval'))",
            dropout="(exec('from torch.nn.functional import dropout as d', globals()), d(x, p, training))[1]",
        ),
    ),
    seen(
        "torchscript_in_a_string",
        {
            "softmax.py": HEAD
            + 'UNIT = torch.jit.CompilationUnit("def f(x, dim: int):\\n    return torch.softmax(x, dim)")\n'
            "\n\ndef softmax(x, dim):\n    return UNIT.f(x, dim)\n"
        },
    ),
    seen("torchscript", {"softmax.py": SCRIPTED}),
    seen(
        "an_alias_of_an_alias",
        answers(
            "a = b = F\nlib = {'it': [b]}\nmine = a.softmax\nyours = functools.partial(mine)\n",
            softmax="yours(x, dim)",
        ),
    ),
    seen(
        "letters_that_only_look_different",
        answers(softmax="x.\uff53\uff4f\uff46\uff54\uff4d\uff41\uff58(dim)"),
    ),
    seen("handed_in_as_it_is", {"softmax.py": "from torch import softmax\n"}),
    seen("handed_in_by_a_star", {"softmax.py": "from torch.nn.functional import *\n"}),
    seen(
        "inherited",
        {
            "batch_norm_module.py": INHERITS,
            "softmax.py": "from torch import nn\n\n\nclass softmax(nn.Softmax):\n    pass\n",
        },
    ),
    seen("falls_back_on_the_library", {"softmax.py": TRIES}),
    seen("a_gradient_by_autograd_where_it_is_to_be_written", {"weighted_mse.py": FUNCTION_OF_GRAD}),
    runs("looked_up_in_a_listing", answers(softmax=BY_DIR)),
    runs("looked_up_by_what_it_looks_like", answers(softmax=BY_MEANING)),
    runs("names_changed_in_the_code", answers(BY_CODE, softmax="mine(x, dim)")),
    runs("inherited_from_what_a_listing_holds", {"batch_norm_module.py": INHERITS_UNSEEN}),
    runs("the_record_switched_off", {"softmax.py": UNRECORDED}),
    Attack(
        "the_record_rewritten",
        {"softmax.py": REWRITTEN},
        known_limit="the ops are noted in the student's process: code that is written to hide them can",
    ),
    Attack("half_precision_inside", {"softmax.py": HALF}, deserves={"softmax": 0.9}),
    Attack("a_detour_through_python", {"softmax.py": LEAVES_TORCH}, deserves={"softmax": 0.9}),
    Attack("table_of_fixed_inputs", {"softmax.py": TABLE}, deserves={"softmax": 0.75}),
]
