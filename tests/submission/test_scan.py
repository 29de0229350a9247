from __future__ import annotations

import ast
import time
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.load import Exercise, load_exercise
from grader.submission import scan
from grader.submission.families import TENSOR_METHODS, forbidden_names, plain

SOLUTIONS = Path(__file__).parents[2] / "solutions"


@dataclass(frozen=True)
class Asked:
    """What the scan asks of an exercise."""

    names: tuple[str, ...] = ("softmax",)
    forbidden: tuple[str, ...] = ("torch.softmax",)


def findings(source: str, asked: Asked | Exercise = Asked()) -> list[tuple[str, int | None]]:
    return [(finding.kind, finding.line) for finding in scan(source, asked)]


def messages(source: str, forbidden: Sequence[str] = ("torch.softmax",)) -> str:
    asked = Asked(forbidden=tuple(forbidden))
    return "\n".join(finding.message for finding in scan(source, asked))


def answer(expression: str, *before: str) -> str:
    lines = ["import torch", "import torch.nn.functional as F", "from torch import nn", *before]
    return "\n".join([*lines, "def softmax(x, dim):", f"    return {expression}", ""])


class TestForbiddenCalls:
    @pytest.mark.parametrize(
        "expression",
        [
            "torch.softmax(x, dim)",
            "F.softmax(x, dim)",
            "nn.functional.softmax(x, dim)",
            "x.softmax(dim)",
            "x.T.softmax(dim)",
            "(x - x.max()).softmax(dim)",
            "torch.Tensor.softmax(x, dim)",
            "type(x).softmax(x, dim)",
            "nn.Softmax(dim)(x)",
            "nn.Softmax2d()(x)",
            "torch.special.softmax(x, dim)",
            "torch.nn.modules.activation.Softmax(dim)(x)",
            "torch._softmax(x, dim, False)",
            "torch._C._nn.softmax(x)",
            "torch._VF.softmax(x, dim)",
            "torch.ops.aten.softmax(x, dim)",
            "torch.ops.aten.softmax.int(x, dim)",
            "torch.ops.aten._softmax.default(x, dim, False)",
            "torch.ops.aten._safe_softmax(x, dim)",
            "torch.sparse.softmax(x, dim)",
            "torch.masked.softmax(x, dim)",
            "F.torch.softmax(x, dim)",
            "getattr(torch, 'softmax')(x, dim)",
            "getattr(torch, 'soft' + 'max')(x, dim)",
            "getattr(torch, ''.join(['soft', 'max']))(x, dim)",
            "getattr(torch, f'soft{\"max\"}')(x, dim)",
            "getattr(torch, 'xamtfos'[::-1])(x, dim)",
            "getattr(nn, 'Softmax')(dim)(x)",
            "getattr(x, 'softmax')(dim)",
            "getattr(torch.nn, 'functional').softmax(x, dim)",
            "vars(torch)['softmax'](x, dim)",
            "torch.__dict__['softmax'](x, dim)",
            "globals()['F'].softmax(x, dim)",
            "(F or torch).softmax(x, dim)",
            "(torch if dim else F).softmax(x, dim)",
            "[torch, F][0].softmax(x, dim)",
            "{'lib': F}['lib'].softmax(x, dim)",
            "(lib := F).softmax(x, dim)",
            "list(map(torch.softmax, [x], [dim]))[0]",
            "[f(x, dim) for f in (F.softmax,)][0]",
            "(lambda f=F.softmax: f)()(x, dim)",
            "torch.vmap(F.softmax)(x)",
            "torch._C._jit_get_operation('aten::softmax')[0](x, dim)",
            "torch._masked_softmax(x, x)",
            "torch.ops.aten.__getattr__('softmax')(x, dim)",
            "object.__getattribute__(F, 'softmax')(x, dim)",
            "x.__getattribute__('softmax')(dim)",
            "type(x).__dict__['softmax'](x, dim)",
            "vars(type(x)).get('softmax')(x, dim)",
            "vars(F).get('softmax')(x, dim)",
            "vars(torch).__getitem__('softmax')(x, dim)",
            "__import__('operator').getitem(vars(torch), 'softmax')(x, dim)",
            "__import__('inspect').getattr_static(torch, 'softmax')(x, dim)",
            "__builtins__['getattr'](torch, 'softmax')(x, dim)",
            "getattr(torch, '%s%s' % ('soft', 'max'))(x, dim)",
            "getattr(torch, 'soft{}'.format('max'))(x, dim)",
            "getattr(torch, '_softmax'[1:])(x, dim)",
            "getattr(torch, 'softmin'.replace('in', 'ax'))(x, dim)",
            "getattr(torch, ''.join('s o f t m a x'.split()))(x, dim)",
            "getattr(torch, ''.join(chr(c - 1) for c in (116, 112, 103, 117, 110, 98, 121)))(x, dim)",
            "getattr(torch, ''.join(map(chr, [115, 111, 102, 116, 109, 97, 120])))(x, dim)",
            "getattr(torch, bytes.fromhex('736f66746d6178').decode())(x, dim)",
            "getattr(torch, __import__('base64').b64decode('c29mdG1heA==').decode())(x, dim)",
            "getattr(torch, __import__('codecs').decode('fbsgznk', 'rot13'))(x, dim)",
            "getattr(torch, ''.join(reversed('xamtfos')))(x, dim)",
            "getattr(torch, ['relu', 'softmax'][-1])(x, dim)",
            "getattr(torch, {'a': 'softmax'}['a'])(x, dim)",
            "getattr(torch, 'softmax' if dim else 'exp')(x, dim)",
            "[getattr(x, name)(dim) for name in ['softmax']][0]",
            "eval('torch.softmax(x, dim)')",
            "eval('x.softmax(dim)')",
            "eval(compile('F.softmax(x, dim)', '', 'eval'))",
            "torch.jit.CompilationUnit('def f(x):\\n    return torch.softmax(x, 1)').f(x)",
            "__import__('torch').softmax(x, dim)",
            "__import__('torch.nn.functional').nn.functional.softmax(x, dim)",
        ],
    )
    def test_however_it_is_spelled(self, expression: str) -> None:
        assert ("forbidden_call", 5) in findings(answer(expression))

    @pytest.mark.parametrize(
        "before",
        [
            "from torch import softmax as s",
            "from torch.nn.functional import softmax as s",
            "s = torch.softmax",
            "a = b = torch; s = b.softmax",
            "G, s = 1, F.softmax",
            "(a, [s]) = 1, [F.softmax]",
            "s: object = F.softmax",
            "import importlib; s = importlib.import_module('torch').softmax",
            "import importlib as i; G = i.import_module('torch.nn' + '.functional'); s = G.softmax",
            "import sys; s = sys.modules['torch'].softmax",
            "import importlib; s = importlib.import_module('.functional', 'torch.nn').softmax",
            "exec('def s(x, dim):\\n    return torch.softmax(x, dim)')",
            "exec(\"exec('s = torch.softmax')\")",
            "exec('from torch import softmax as s')",
            "for name in ('exp', 'softmax'): s = getattr(torch, name)",
            "def s(x, dim, name='softmax'): return getattr(x, name)(dim)",
            "from functools import partial; s = partial(F.softmax)",
            "from operator import methodcaller; s = methodcaller('softmax', 1)",
            "import operator; s = operator.attrgetter('nn.functional.softmax')(torch)",
            "NAME = 'softmax'; s = getattr(torch, NAME)",
            "class Lib: G = F\ns = Lib.G.softmax",
            "class Lib: pass\nlib = Lib()\nlib.G = torch.nn.functional\ns = lib.G.softmax",
            "for lib in (torch, F): s = lib.softmax",
            "try:\n    from torch import softmax as s\nexcept ImportError:\n    s = None",
            "def s(x, dim, G=F): return G.softmax(x, dim)",
            "def s(x, dim):\n    from torch import softmax\n    return softmax(x, dim)",
            "def outer():\n    global G\n    G = torch\nouter()\ns = G.softmax",
            "s = lambda x, dim: x.softmax(dim)",
            "class My(nn.Softmax): pass\ns = My()",
            "@nn.Softmax\ndef s(): pass",
        ],
    )
    def test_wherever_it_is_looked_up(self, before: str) -> None:
        assert any(kind == "forbidden_call" for kind, _ in findings(answer("s(x, dim)", before)))

    @pytest.mark.parametrize(
        "source",
        [
            "from torch import softmax",
            "from torch.nn.functional import *",
            "import torch\nsoftmax = torch.softmax",
            "def softmax(x, dim): ...\nfrom torch import softmax",
            "from torch import *\ndef softmax_(x, dim): return softmax(x, dim)",
        ],
    )
    def test_the_library_handed_in_as_the_answer(self, source: str) -> None:
        assert any(kind == "forbidden_call" for kind, _ in findings(source))

    @pytest.mark.parametrize(
        "source",
        [
            "__name__ = '__main__'\nif __name__ == '__main__':\n    F.linear(1)",
            "if __name__ == '__main__':\n    pass\nelse:\n    F.linear(1)",
            "@print\ndef called_by_its_decorator():\n    F.linear(1)",
            "def called_by_name():\n    F.linear(1)\nglobals()['called_by_name']()",
            "def __getattr__(name):\n    return F.linear",
            "lib = None\nfor _ in 1, 2:\n    lib and lib.linear(1)\n    lib = F",
            "class A:\n    F = 1\n    def f(self):\n        return F.linear(1)",
        ],
    )
    def test_it_is_not_hidden_by_where_it_stands(self, source: str) -> None:
        asked = Asked(forbidden=("torch.nn.functional.linear",))
        found = findings("from torch.nn import functional as F\n" + source, asked)
        assert any(kind == "forbidden_call" for kind, _ in found)

    def test_it_says_what_and_where(self) -> None:
        (finding,) = scan(answer("F.softmax(x, dim)"), Asked())
        assert finding.message == (
            "calls torch.nn.functional.softmax, which this exercise asks you to write yourself"
        )
        assert finding.line == 5

    def test_it_says_whose_work_a_relative_does(self) -> None:
        assert messages(answer("F.log_softmax(x, dim).exp()")) == (
            "calls torch.nn.functional.log_softmax, which does the work of torch.softmax, "
            "which this exercise asks you to write yourself"
        )

    def test_a_name_cannot_speak_to_the_terminal(self) -> None:
        source = "import importlib\nx = importlib.import_module('torch.\\x1b[2J\\u202e').softmax"
        assert r"\x1b[2J\u202e" in messages(source)


class TestRelatives:
    @pytest.mark.parametrize(
        ("forbidden", "expressions"),
        [
            (
                "torch.softmax",
                [
                    "F.log_softmax(x, dim).exp()",
                    "x.log_softmax(dim).exp()",
                    "F.softmin(-x, dim)",
                    "F.gumbel_softmax(x)",
                    "torch.distributions.Categorical(logits=x).probs",
                    "F.scaled_dot_product_attention(x, x, x)",
                    "torch._scaled_dot_product_flash_attention(x, x, x)",
                    "nn.MultiheadAttention(1, 1)",
                    "F.cross_entropy(x, x)",
                    "nn.CrossEntropyLoss()(x, x)",
                    "nn.LogSoftmax(dim)(x).exp()",
                ],
            ),
            (
                "torch.nn.functional.cross_entropy",
                ["nn.CrossEntropyLoss()(x, dim)", "torch._C._nn.cross_entropy_loss(x, dim)"],
            ),
            ("torch.nn.functional.mse_loss", ["nn.MSELoss()(x, x)", "torch._C._nn.mse_loss(x, x)"]),
            ("torch.sigmoid", ["x.sigmoid()", "x.sigmoid_()", "torch.special.expit(x)", "F.silu(x)"]),
            ("torch.nn.functional.sigmoid", ["nn.Sigmoid()(x)", "torch.ops.aten.sigmoid.out(x)"]),
            ("torch.nn.functional.binary_cross_entropy_with_logits", ["nn.BCEWithLogitsLoss()(x, x)"]),
            ("torch.nn.functional.batch_norm", ["nn.BatchNorm2d(3)", "torch.native_batch_norm(x)"]),
            ("torch.nn.BatchNorm1d", ["nn.LazyBatchNorm1d()", "F.instance_norm(x)"]),
            ("torch.nn.functional.dropout", ["nn.Dropout2d()(x)", "F.alpha_dropout(x)"]),
            (
                "torch.nn.functional.conv2d",
                ["torch.conv1d(x, x)", "nn.Conv3d(1, 1, 1)", "nn.LazyConv2d(1, 1)"],
            ),
            ("torch.nn.functional.linear", ["nn.Linear(1, 1)(x)", "nn.LazyLinear(1)(x)"]),
            ("torch.nn.RNN", ["nn.RNNCell(1, 1)", "torch.rnn_tanh(x)"]),
            ("torch.nn.LSTMCell", ["nn.LSTM(1, 1)", "torch._VF.lstm_cell(x)"]),
            ("torch.optim.AdamW", ["torch.optim.Adam([x])", "torch._fused_adamw_([x])"]),
            ("torch.optim.Adagrad", ["torch.optim._functional.adagrad()", "torch.optim.adagrad.adagrad()"]),
            ("torch.func.vjp", ["torch.autograd.functional.vjp(x)", "__import__('functorch').vjp(x)"]),
            ("torchvision.ops.nms", ["__import__('torchvision').ops.batched_nms(x)"]),
            ("torch.linalg.norm", ["x.norm()", "torch.norm(x)", "torch.linalg.vector_norm(x)"]),
            ("torch.Tensor.backward", ["x.backward()", "torch.autograd.backward(x)"]),
            ("math.exp", ["__import__('math').exp(x)"]),
        ],
    )
    def test_what_amounts_to_it_is_found(self, forbidden: str, expressions: list[str]) -> None:
        for expression in expressions:
            asked = Asked(forbidden=(forbidden,))
            found = findings(answer(expression), asked)
            assert ("forbidden_call", 5) in found, expression

    @pytest.mark.parametrize(
        ("forbidden", "expression"),
        [
            ("torch.softmax", "torch.exp(x - x.logsumexp(dim, keepdim=True))"),
            ("torch.log_softmax", "torch.softmax(x, dim).log()"),
            ("torch.sigmoid", "(1 + torch.tanh(x / 2)) / 2"),
            ("torch.nn.functional.conv2d", "x.unfold(2, 3, 1)"),
            ("torch.nn.functional.conv2d", "F.unfold(x, 3)"),
            ("torch.nn.functional.conv_transpose2d", "F.conv2d(x, x)"),
            ("torch.nn.RNN", "nn.utils.rnn.pad_sequence([x])"),
            ("torch.optim.Adagrad", "torch.optim.SGD([x])"),
            ("torch.autograd.grad", "x.grad"),
            ("torch.nn.functional.linear", "dim.linear(x)"),
            ("torch.nn.functional.huber_loss", "torch.where(x > 1, x, x * x)"),
            ("numpy.exp", "torch.exp(x)"),
        ],
    )
    def test_what_an_answer_may_be_built_of_is_not(self, forbidden: str, expression: str) -> None:
        assert findings(answer(expression), Asked(forbidden=(forbidden,))) == []

    def test_spellings_of_an_op_are_one(self) -> None:
        for spellings in (
            "softmax _softmax softmax_ Softmax _safe_softmax _softmax_backward_data",
            "mse_loss MSELoss mse_loss_backward",
            "batch_norm BatchNorm native_batch_norm cudnn_batch_norm LazyBatchNorm",
            "adamw AdamW _fused_adamw_ _multi_tensor_adamw",
            "sigmoid expit Sigmoid",
        ):
            assert len({plain(name) for name in spellings.split()}) == 1, spellings
        assert plain("loss") == "loss"
        assert plain("_") == ""

    def test_the_table_of_methods_is_torchs(self) -> None:
        torch = pytest.importorskip("torch")
        assert [name for name in sorted(TENSOR_METHODS) if not hasattr(torch.Tensor, name)] == []

    def test_all_that_the_course_forbids_is_known_as_a_method_too(self) -> None:
        torch = pytest.importorskip("torch")
        for exercise in course():
            for name in exercise.forbidden:
                method = name.rpartition(".")[2]
                is_op = name.startswith(("torch.nn.functional.", "torch.special.")) or name.count(".") == 1
                if is_op and method != "unfold" and callable(getattr(torch.Tensor, method, None)):
                    assert forbidden_names(exercise.forbidden).match_method(method), name


class TestHonestCode:
    @pytest.mark.parametrize(
        "source",
        [
            answer("x  # torch.softmax(x, dim)"),
            answer("x", "'''F.softmax(x, dim)'''", "NOTE = 'torch.softmax'"),
            "def softmax(x, dim):\n    return x\ndef twice(x):\n    return softmax(softmax(x, 0), 0)\n",
            "from torch import softmax\ndef softmax(x, dim):\n    return x\ny = softmax(1, 2)\n",
            "from torch import softmax as s\ndef softmax(x, dim, s=None):\n    return s(x)\n",
            "import torch\ndef softmax(x, dim):\n    torch = x\n    return torch.exp()\n",
            "if 1:\n    def softmax(x, dim):\n        from torch import softmax as s\n        s = x\n        s(x)\n",
            "from torch import nn\nclass Net(nn.Module):\n    def softmax(self, x): ...\n"
            "    def forward(self, x): return self.softmax(x)\n"
            "net = Net()\nnet.softmax(1)\nNet.softmax(net, 1)\n"
            "class Sub(Net):\n    def f(self): return super().softmax(1)\n",
            "def softmax(ctx, dim):\n    ctx.softmax = 1\n    return ctx.softmax\n",
            "import torch\ndef f(x: torch.softmax) -> 'torch.softmax': ...\ny: torch.softmax = 1\nf(y)\n",
            "from torch import nn\ndef softmax(m, dim):\n    return isinstance(m, (nn.Softmax, nn.Linear))\n",
            answer("x", "def check():\n    assert torch.softmax(1, 2)\n"),
            answer("x") + "if __name__ == '__main__':\n    print(torch.softmax(1, 2), open('x'))\n",
            "import numpy as np\nimport math\ny = np.special.softmax(1) + math.softmax\n",
            answer("x", "import os, sys, gc, inspect", "torch.backends.cudnn.deterministic = True"),
            answer(
                "x.eval() or dim.compile()",
                "import re; R = re.compile('x')",
                "sys = 3",
                "torch.manual_seed(0)",
            ),
            answer(
                "x", "import os.path; P = os.path.join('a', 'b')", "model = nn.Linear(1, 1); model.weight = 3"
            ),
            answer(
                "x",
                "class A:\n    def __init__(self):\n        self.a = super().__init__\n        self.a.b = 1",
            ),
            "def softmax(x, dim):\n    match x:\n        case {'a': softmax, **rest}: return softmax(rest)\n",
            "softmax = 1",
            "",
        ],
    )
    def test_it_raises_no_alarm(self, source: str) -> None:
        ast.parse(source)
        assert scan(source, Asked()) == ()

    def test_no_reference_stub_or_known_misconception_raises_one(self) -> None:
        exercises = course()
        for exercise in exercises:
            sources = {
                "the reference": exercise.reference_source,
                "the stub": exercise.stub_source,
                **{wrong.misconception: wrong.source for wrong in exercise.wrong_answers},
            }
            for name, source in sources.items():
                assert scan(source, exercise) == (), f"{exercise.id}: {name}"

    @pytest.mark.parametrize("folder", ["tests/right_answers", "examples/all_right", "examples/half_right"])
    def test_no_answer_of_those_kept_here_raises_one(self, folder: str) -> None:
        exercises = {exercise.id: exercise for exercise in course()}
        answers = [
            path for path in sorted((SOLUTIONS.parent / folder).rglob("*.py")) if _asked_for(path, exercises)
        ]
        assert answers
        for path in answers:
            exercise = exercises[_asked_for(path, exercises)]
            assert scan(path.read_text(encoding="utf-8"), exercise) == (), path

    @pytest.mark.parametrize("source", ["def softmax(", "x = \0", "\ud800", "return = 1", "((" * 300])
    def test_what_is_no_python_is_left_to_others(self, source: str) -> None:
        assert scan(source, Asked()) == ()


class TestEscapeHatches:
    @pytest.mark.parametrize(
        ("source", "what"),
        [
            ("import ctypes\nctypes.memset(0, 0, 1)", "uses ctypes"),
            ("from ctypes import *", "uses ctypes"),
            ("from ctypes import CDLL as c\nc(None)", "uses ctypes"),
            ("import gc\ngc.get_objects()", "uses gc"),
            ("import inspect as i\ni.stack()", "uses inspect"),
            ("import sys\nsys._getframe(1).f_back.f_locals", "uses sys._getframe"),
            ("import sys as s\ns.modules['torch']", "uses sys.modules"),
            ("import importlib\nimportlib.reload(1)", "uses importlib"),
            ("__import__('os').system('ls')", "uses os"),
            ("exec('1')", "uses exec"),
            ("import builtins\nbuiltins.eval('1')", "uses eval"),
            ("run = compile\nrun('1', '', 'exec')", "uses compile"),
            ("__builtins__['exec']", "uses __builtins__"),
            ("open('/etc/passwd')", "uses open"),
            ("import os\nos._exit(0)", "uses os"),
            ("import subprocess\nsubprocess.run('ls')", "uses subprocess"),
            ("import socket\nsocket.socket()", "uses socket"),
            ("import pickle\npickle.loads(b'')", "uses pickle"),
            ("import threading\nthreading.Thread()", "uses threading"),
            ("import torch\ntorch.Tensor.__eq__ = lambda a, b: True", "replaces torch.Tensor.__eq__"),
            ("import torch\ntorch.allclose, x = 1, 2", "replaces torch.allclose"),
            ("import torch.nn.functional as F\nF.softmax = 1", "replaces torch.nn.functional.softmax"),
            ("import torch\ndel torch.allclose", "replaces torch.allclose"),
            ("import torch\nsetattr(torch, 'allclose', 1)", "replaces torch.allclose"),
            ("import torch\nsetattr(torch, 'all' + input(), 1)", "replaces something in torch"),
            ("import torch\ntorch.__dict__['allclose'] = 1", "replaces torch.allclose"),
            ("import torch\nvars(torch)['allclose'] = 1", "replaces torch.allclose"),
            ("import time\ntime.monotonic = lambda: 0", "replaces time.monotonic"),
            ("import builtins\nbuiltins.abs = 1", "replaces builtins.abs"),
            ("().__class__.__mro__[1].__subclasses__()", "uses __subclasses__"),
            ("def f(): ...\nf.__globals__", "uses __globals__"),
            ("try: 1\nexcept E as e: e.__traceback__.tb_frame", "uses tb_frame"),
            ("class T:\n    def __torch_function__(self): ...", "defines __torch_function__"),
            ("import torch\ntorch.jit.CompilationUnit('def f(): pass')", "uses torch.jit.CompilationUnit"),
            ("import torch\ntorch.utils.cpp_extension.load('x')", "uses torch.utils.cpp_extension"),
            ("import torch\nn = input()\ngetattr(torch, n)", "made while it runs"),
            ("import torch\ngetattr(torch.nn, input() + 'oftmax')", "made while it runs"),
            ("globals()[input()]", "made while it runs"),
            ("import torch\nvars(torch)[input()]", "made while it runs"),
        ],
    )
    def test_it_is_pointed_out(self, source: str, what: str) -> None:
        found = scan(source, Asked())
        assert any(finding.kind == "escape_hatch" and what in finding.message for finding in found), found

    def test_each_is_said_once(self) -> None:
        assert findings("import os\n" + "os.a\n" * 100) == [("escape_hatch", 2)]

    def test_findings_come_in_the_order_of_lines_and_have_an_end(self) -> None:
        found = findings("import torch, os\n" + "torch.softmax(os.a)\n" * 100)
        lines = [line or 0 for _, line in found]
        assert lines == sorted(lines)
        assert len(found) == 50


class TestHostileSources:
    @pytest.mark.parametrize(
        "source",
        [
            "x" + ".a" * 100_000,
            "-" * 100_000 + "1",
            "x" + " + x" * 60_000,
            "if a: pass\n" + "elif a: pass\n" * 20_000,
        ],
        ids=lambda source: source[:8],
    )
    def test_what_is_nested_too_deeply_is_said_to_be(self, source: str) -> None:
        assert findings(source) == [("not_scanned", None)]

    @pytest.mark.parametrize(
        "source",
        [
            "a = a\n" * 20_000,
            "import torch as a\n" + "if x: a = a\na.softmax\n" * 6_000,
            "from torch import *\n" * 3_000 + "a\n" * 30_000,
            "import torch\n" + "self.a = self.a.a.a\n" * 6_000 + "y.a.a.softmax",
            "import torch\n" + "".join(f"x.a{n} = x.a{n + 1}\n" for n in range(9_000)) + "y.a0.softmax",
            "import torch\na = 'x'\n" + "a = a + a\n" * 10_000 + "getattr(torch, a)\n" * 1_000,
            "import torch\nF = " + " or ".join(["torch"] * 20_000) + "\n" + "F.softmax\n" * 9_000,
            ("getattr(" * 80 + "torch" + ", 'softmax')" * 80 + "\n") * 60,
            ("(" * 50 + "x" + " or torch).a" * 50 + "\n") * 150,
            "\n".join("x" + ".a" * 500 for _ in range(250)),
            "".join(f"def f{n}(): f{n + 1}()\n" for n in range(11_000)),
            "import torch\n" + "getattr(torch, ''.join(chr(c) for c in [115] * 90))\n" * 3_000,
            "import torch\na = 'x'\n"
            + "a = 'x'.join(a.replace('x', a))\n" * 500
            + "getattr(torch, a)\n" * 500,
            "import torch\n" + "getattr(torch, 'x' * 4000 * 4000 % 7 ** 9 ** 9)\n" * 500,
            "eval('" + "1;" * 30_000 + "')\n" * 20,
        ],
        ids=lambda source: source[:24],
    )
    def test_they_take_no_more_than_seconds(self, source: str) -> None:
        began = time.monotonic()
        scan(source, Asked())
        assert time.monotonic() - began < 20

    def test_texts_that_run_texts_are_looked_at_a_bounded_number_of_times(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parsed: list[str] = []
        parse = ast.parse
        monkeypatch.setattr(ast, "parse", lambda text: (parsed.append(text), parse(text))[1])
        middle = "t = 'f(x)'\n" + "eval(t),\n" * 30
        scan(f"s = {middle!r}\n" + "eval(s)\n" * 30, Asked())
        assert len(parsed) <= 65

    @pytest.mark.parametrize(
        "before",
        [
            "eval('" + "-" * 90_000 + "1')\n",
            "eval('a" + r"\u0327\u0301" * 9_000 + "')\n",
            "import torch\n" + "".join(f"torch.a{n} = {n}\n" for n in range(60)),
        ],
        ids=["too_deep", "accents", "many_other_findings"],
    )
    def test_nothing_before_it_hides_a_forbidden_call(self, before: str) -> None:
        found = findings(before + answer("torch.softmax(x, dim)"))
        assert "forbidden_call" in [kind for kind, _ in found]

    def test_it_sees_whatever_python_compiles_though_more_is_on_the_stack(self) -> None:
        def deeper(levels: int) -> list[tuple[str, int | None]]:
            if levels:
                return deeper(levels - 1)
            return findings(f"n = lambda a: {'+'.join(['a'] * 2900)}\n" + answer("torch.softmax(x, dim)"))

        assert [kind for kind, _ in deeper(200)] == ["forbidden_call"]

    @given(st.text(alphabet="abF.()[]{}=:,'\"\n \\\t*@#x1", max_size=80))
    @settings(max_examples=200, deadline=None)
    def test_no_text_makes_it_fail(self, text: str) -> None:
        scan("import torch\n" + text, Asked())


def _asked_for(path: Path, exercises: Container[str]) -> str:
    """The exercise that an answer is to: its own name says so, or its folder's."""
    return next((name for name in (path.stem, path.parent.name) if name in exercises), "")


def course() -> list[Exercise]:
    return [load_exercise(path.parent) for path in sorted(SOLUTIONS.glob("*/*/exercise.toml"))]
