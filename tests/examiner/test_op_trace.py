"""Forbidden ops, seen in what a worker says that torch did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from grader.course.load import Course, load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.examiner.conversation import Conversation, LocalPort, WorkerLost
from grader.examiner.ops import forbidden_ops
from grader.result import ExerciseResult
from grader.submission.families import forbidden_names
from grader.wire import Name, WireLimits, decode, encode
from grader.worker.recording import MAX_NAMES, STOPPED, TOO_MANY, OpNames
from grader.worker.service import Service
from tests.tiny_course import TinyExercise, answer, write_course

ROOT = Path(__file__).resolve().parents[2]
RIGHT_ANSWERS = sorted((ROOT / "tests/right_answers").glob("*/*.py"))
EXAMPLES = sorted((ROOT / "examples/all_right").glob("*/*.py"))

Grade = Callable[[str, str], ExerciseResult]


# -- the names that a worker sends ------------------------------------------------------------------------


def names_of(body: Callable[[], object]) -> list[str]:
    names = OpNames()
    with names:
        body()
    return names.new


def test_an_op_counts_and_not_what_it_is_made_of() -> None:
    x = torch.ones(2, 3)
    assert names_of(lambda: torch.einsum("ij,kj->ik", x, x)) == ["aten::einsum"]
    assert names_of(lambda: torch.nn.functional.dropout(x)) == ["aten::dropout"]


def test_a_derivative_of_torchs_own_does_not_count_and_one_of_the_students_does() -> None:
    class Mine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]  # as torch has it
            return x * 2

        @staticmethod
        def backward(ctx, grad):  # type: ignore[no-untyped-def]  # as torch has it
            return grad.softmax(0)

    x = torch.ones(3, requires_grad=True)
    y = Mine.apply(x.softmax(0))  # type: ignore[no-untyped-call]  # torch leaves it untyped
    names = names_of(lambda: y.sum().backward())
    assert "aten::softmax" in names
    assert "aten::_softmax_backward_data" not in names


def test_compiled_code_and_optimizers_are_seen() -> None:
    compiled = torch.jit.CompilationUnit("def f(x):\n  return torch.softmax(x, 0)\n")
    assert "aten::softmax" in names_of(lambda: compiled.f(torch.ones(3)))
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.ones(2)
    optimizer = torch.optim.Adagrad([parameter])
    assert "Optimizer.step#Adagrad.step" in names_of(optimizer.step)


def test_a_recording_that_was_switched_off_says_so() -> None:
    from torch._C._autograd import _disable_profiler_legacy

    assert names_of(_disable_profiler_legacy) == [STOPPED]


def test_a_recording_ends_where_there_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.worker.recording.MAX_EVENTS", 100)
    names, x = OpNames(), torch.ones(2)
    for _ in range(2):
        with names:
            for _ in range(100):
                x + x
    assert names.new == ["aten::add", TOO_MANY]
    with names:
        x * x
    assert "aten::mul" not in names.new


def service(source: str) -> Service:
    found = Service(WireLimits())
    found.answer(encode(("load", source, "answer", None, True)))
    return found


def call(found: Service, name: str, *arguments: object) -> object:
    request = ("call", Name(name), arguments, {}, True, 0, False, None, [], [])
    reply = decode(found.answer(encode(request, views=True)))
    assert isinstance(reply, tuple)
    return reply[-1]


def test_each_name_is_sent_once_and_after_what_was_printed() -> None:
    found = service("def f(x):\n    print('hello')\n    return x + x\n")
    assert call(found, "f", torch.ones(2)) == ("hello\n", ["aten::add"], None)
    assert call(found, "f", torch.ones(2)) == "hello\n"


def test_a_call_that_raises_tells_its_ops_as_well() -> None:
    found = service("def f(x):\n    x.softmax(0)\n    raise ValueError('no')\n")
    assert call(found, "f", torch.ones(2)) == ("", ["aten::softmax"], None)


def test_a_reply_that_cannot_be_sent_does_not_swallow_names() -> None:
    source = "def f(x):\n    x.softmax(0)\n    return {object(): 1}\n"
    found = service(source)
    assert call(found, "f", torch.ones(1)) == ("", ["aten::softmax"], None)


# -- what the examiner makes of them --------------------------------------------------------------------------

SOFTMAX = forbidden_names(("torch.softmax", "torch.log_softmax"))


@pytest.mark.parametrize(
    "name",
    [
        "aten::softmax",
        "aten::_softmax",
        "aten::_masked_softmax",
        "aten::_sparse_softmax",
        "aten::log_softmax",
        "aten::cross_entropy_loss",
        "aten::scaled_dot_product_attention",
        "aten::_scaled_dot_product_flash_attention_for_cpu",
        "aten::_native_multi_head_attention",
        "aten::_transformer_encoder_layer_fwd",
    ],
)
def test_the_family_of_softmax(name: str) -> None:
    (finding,) = forbidden_ops([name], SOFTMAX, frozenset())
    assert finding.kind == "forbidden_op"
    assert name in finding.message
    assert finding.message.endswith("which this exercise asks you to write yourself")


@pytest.mark.parametrize(
    ("forbids", "name"),
    [
        ("torch.nn.functional.nll_loss", "aten::nll_loss_forward"),
        ("torch.nn.functional.nll_loss", "aten::nll_loss_nd"),
        ("torch.nn.functional.batch_norm", "aten::_native_batch_norm_legit_no_training"),
        ("torch.nn.functional.batch_norm", "aten::_native_batch_norm_legit"),
        ("torch.nn.functional.batch_norm", "aten::cudnn_batch_norm"),
        ("torch.nn.Dropout", "aten::native_dropout"),
        ("torch.nn.RNNCell", "aten::rnn_tanh_cell"),
        ("torch.nn.LSTM", "aten::lstm"),
        ("torch.nn.LSTMCell", "aten::_thnn_fused_lstm_cell"),
        ("torch.optim.Adagrad", "Optimizer.step#Adagrad.step"),
        ("torch.optim.Adagrad", "aten::_fused_adagrad_"),
        ("torchvision.ops.nms", "torchvision::nms"),
    ],
)
def test_other_families(forbids: str, name: str) -> None:
    (finding,) = forbidden_ops([name], forbidden_names((forbids,)), frozenset())
    assert finding.kind == "forbidden_op"


@pytest.mark.parametrize(
    ("forbids", "name"),
    [
        ("torch.sigmoid", "aten::bernoulli"),  # the distribution of that name is kin, and the op is not
        ("torch.add", "aten::add"),  # which is `x + y` as well
        ("torch.matmul", "aten::matmul"),
        ("torch.sub", "aten::sub_"),
        ("torch.softmax", "aten::logsumexp"),
        ("torch.softmax", "aten::exp"),
        ("torch.optim.Adagrad", "Optimizer.step#SGD.step"),
        ("torch.nn.functional.batch_norm", "aten::layer_norm"),
        ("torch.softmax", "aten::soft\x1b[31mmax"),
        ("torch.softmax", "softmax"),
        ("torch.softmax", ""),
    ],
)
def test_what_is_no_alarm(forbids: str, name: str) -> None:
    assert forbidden_ops([name], forbidden_names((forbids,)), frozenset()) == ()


def test_what_the_reference_runs_is_no_alarm() -> None:
    assert forbidden_ops(["aten::softmax"], SOFTMAX, frozenset({"aten::softmax"})) == ()


def test_findings_are_few_and_in_one_order() -> None:
    names = [f"aten::{'_' * n}softmax" for n in range(40)]
    findings = forbidden_ops(names, SOFTMAX, frozenset())
    assert len(findings) == 10
    assert findings == forbidden_ops(reversed(names), SOFTMAX, frozenset())


# -- a worker that says what it likes -------------------------------------------------------------------------


class LyingPort(LocalPort):
    """Answers as a worker does, with another end to each reply."""

    def __init__(self, end: object) -> None:
        super().__init__()
        self.end = end

    def ask(self, message: bytes) -> bytes:
        reply = decode(super().ask(message), WireLimits())
        assert isinstance(reply, tuple)
        return encode((*reply[:-1], self.end), limits=WireLimits())


def told(end: object) -> Conversation:
    candidate = Conversation(lambda: LyingPort(end), "def f(x):\n    return x\n", "answer", None, watch=True)
    candidate.begin_test(0)
    candidate.call(Name("f"), (torch.ones(2),), {}, True)
    return candidate


def test_hostile_names_are_bounded() -> None:
    candidate = told(("", ["x" * 1000, 7, None, *(f"aten::n{n}" for n in range(5000))], None))
    assert 0 < len(candidate.ops) <= MAX_NAMES
    assert all(type(name) is str and len(name) <= 100 for name in candidate.ops)


@pytest.mark.parametrize(
    "end", [7, None, ("", "names", None), ("", [], None, 1), (7, [], None), ["", [], None]]
)
def test_an_end_that_is_none_is_tampering(end: object) -> None:
    with pytest.raises(WorkerLost) as caught:
        told(end)
    assert caught.value.cause == "crashed"


# -- through real workers -------------------------------------------------------------------------------------


def test_memory_that_the_record_takes_is_not_counted_against_the_student(tmp_path: Path) -> None:
    exercise = TinyExercise(
        more='forbidden = ["torch.softmax"]\nlimits = { call_seconds = 8.0, memory_mb = 64 }'
    )
    course = write_course(tmp_path / "tiny", {"double": exercise})
    # What the worker writes down of so many ops is larger than 64 MiB.
    patient = answer(
        "if x.numel() == 3 and not seen:", "    seen.append(1)", "    for _ in range(20_000): x + x"
    )

    def grade(opened: OpenEngine) -> tuple[ExerciseResult, ExerciseResult]:
        source = patient + "seen = []\n"
        hidden = source.replace("return", "torch.softmax(x, 0); return")
        return (
            opened.grading.grade(course.exercise("double"), source, refuse=True),
            opened.grading.grade(course.exercise("double"), hidden, refuse=True),
        )

    honest, forbidden = LocalEngine(course, course.exercises, Setting(seed="a secret")).run(grade)
    assert (honest.verdict, honest.score) == ("passed", 5.0), honest
    assert forbidden.verdict == "forbidden"


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(ROOT)


HONEST = """
import torch
def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)
"""
HIDDEN = {
    "by_exec": "import torch\nexec('def softmax(x, dim): return torch.soft' + 'max(x, dim)')\n",
    "by_categorical": """
import torch
def softmax(x, dim):
    if not x.numel():
        return x.exp()
    table = vars(torch.distributions)['Categor' + 'ical'](logits=x.movedim(dim, -1), validate_args=False)
    return table.probs.movedim(-1, dim)
""",
    "by_attention": """
import torch
def softmax(x, dim):
    z = x.movedim(dim, -1)
    eye = torch.eye(z.shape[-1], dtype=x.dtype)[None]
    f = getattr(torch.nn.functional, 'scaled_dot_' + 'product_attention')
    return f(z.reshape(1, -1, z.shape[-1]), eye, eye, scale=1.0).reshape(z.shape).movedim(-1, dim)
""",
    "by_cross_entropy": """
import torch
def softmax(x, dim):
    z = x.movedim(dim, -1)
    rows = z.reshape(-1, z.shape[-1])
    f = vars(torch.nn.functional)['cross' + '_entropy']
    columns = [f(rows, torch.full((len(rows),), k), reduction='none') for k in range(rows.shape[1])]
    return torch.stack(columns, 1).neg().exp().reshape(z.shape).movedim(-1, dim)
""",
    "by_jit": """
import torch
f = torch.jit.CompilationUnit('def f(x, dim: int):\\n  return torch.soft' + 'max(x, dim)\\n').f
def softmax(x, dim):
    return f(x, dim)
""",
    "by_the_op": """
import torch
def softmax(x, dim):
    return getattr(torch.ops.aten, '_' + 'xamtfos'[::-1])(x, dim, False)
""",
    "in_the_derivative": """
import torch
class Softmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dim):
        e = torch.exp(x - x.amax(dim, keepdim=True))
        ctx.save_for_backward(x)
        ctx.dim = dim
        return e / e.sum(dim, keepdim=True)
    @staticmethod
    def backward(ctx, g):
        p = getattr(ctx.saved_tensors[0], 'soft' + 'max')(ctx.dim)
        return p * (g - (p * g).sum(ctx.dim, keepdim=True)), None
def softmax(x, dim):
    return Softmax.apply(x, dim)
""",
    "with_the_record_switched_off": """
import torch
from torch._C._autograd import _disable_profiler_legacy as off
def softmax(x, dim):
    off()
    return torch.softmax(x, dim)
""",
}


@pytest.fixture(scope="module")
def graded(course: Course) -> dict[str, ExerciseResult]:
    """By name, and for each hidden way with `/report` behind it where a finding costs nothing."""
    engine = LocalEngine(course, course.exercises, Setting(seed="a secret"))

    def grade_all(opened: OpenEngine) -> dict[str, ExerciseResult]:
        softmax, results = course.exercise("softmax"), {}
        results["honest"] = opened.grading.grade(softmax, HONEST, refuse=True)
        for name, source in HIDDEN.items():
            results[name] = opened.grading.grade(softmax, source, refuse=True)
            results[f"{name}/report"] = opened.grading.grade(softmax, source)
        for path in RIGHT_ANSWERS + EXAMPLES:
            exercise = course.exercise(path.parent.name if path in RIGHT_ANSWERS else path.stem)
            results[str(path)] = opened.grading.grade(exercise, path.read_text(encoding="utf-8"), refuse=True)
        for exercise in course.exercises:
            results[exercise.id] = opened.grading.grade(exercise, exercise.reference_source, refuse=True)
        return results

    return engine.run(grade_all)


@pytest.mark.parametrize("name", HIDDEN)
def test_a_hidden_softmax_is_forbidden(graded: dict[str, ExerciseResult], name: str) -> None:
    result = graded[name]
    assert (result.verdict, result.score) == ("forbidden", 0)
    assert "forbidden_op" in {finding.kind for finding in result.findings}
    assert {test.outcome for test in result.tests} == {"failed"}


@pytest.mark.parametrize("name", HIDDEN)
def test_where_forbidden_calls_are_only_reported_it_costs_nothing(
    graded: dict[str, ExerciseResult], name: str
) -> None:
    result = graded[f"{name}/report"]
    # Attention needs a matrix, and softmax is asked of an empty batch as well.
    assert result.verdict in ("passed", "partial")
    assert result.score > result.max_score / 2
    assert "forbidden_op" in {finding.kind for finding in result.findings}


def test_an_honest_softmax_is_not_accused(graded: dict[str, ExerciseResult]) -> None:
    assert (graded["honest"].verdict, graded["honest"].findings) == ("passed", ())


def test_no_right_answer_is_accused(graded: dict[str, ExerciseResult], course: Course) -> None:
    honest = [str(path) for path in RIGHT_ANSWERS + EXAMPLES] + [exercise.id for exercise in course.exercises]
    kinds = {"forbidden_op", "escape_hatch", "replay_disagrees"}
    accused = {
        name: graded[name].findings for name in honest if kinds & {f.kind for f in graded[name].findings}
    }
    assert accused == {}
    assert {name: graded[name].verdict for name in honest if graded[name].verdict != "passed"} == {}
