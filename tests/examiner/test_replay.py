"""The ops of a call, run again apart from the student's code: what agrees, what does not, what cannot be told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from grader.course.load import Course, load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.examiner.conversation import WorkerLost
from grader.examiner.ops import ForgedProgram, Program, Undecided, read_program
from grader.examiner.replay import DISAGREES, UNDECIDED, Recorded, Recording, Replayer
from grader.result import ExerciseResult, Finding
from grader.submission.families import forbidden_names
from grader.wire import Handle, InputRef, Name, TensorRecord, WireLimits, decode, encode
from grader.worker.launch import Forkserver, LaunchOptions
from grader.worker.recording import CONSTANT_BYTES, MAX_OPS, Recorder
from grader.worker.replay import ReplayService

ROOT = Path(__file__).resolve().parents[2]
LIMITS = WireLimits()
NOTHING = forbidden_names(())
X = torch.tensor([[0.5, 1.5, -0.25], [2.5, 0.75, 1.25]])


class InProcess:
    """A port to a replaying service in this process."""

    def ask(self, message: bytes) -> bytes:
        return ReplayService(LIMITS).answer(message)

    def close(self) -> None:
        """Nothing is to be ended."""


def wired(value: object) -> object:
    """As it arrives over the wire."""
    return decode(encode(value, limits=LIMITS), LIMITS)


def recorded(function: Callable[..., Any], *args: torch.Tensor) -> Recorded:
    """A call as an honest worker reports it."""
    recorder = Recorder(list(args))
    with recorder:
        result = function(*args)
    return made_up(wired(recorder.program([result])), result, *args)


def made_up(program: object, result: torch.Tensor, *args: torch.Tensor) -> Recorded:
    return Recorded(1, "f", tuple(arg.detach() for arg in args), {}, [result.detach()], program, b"")


def judged(call: Recorded, reference: Callable[..., Any], *, all_passed: bool = True) -> Finding | None:
    replayer = Replayer(InProcess, LIMITS)
    return replayer.finding([call], SimpleNamespace(f=reference), 7, NOTHING, all_passed=all_passed)


def softmax(x: torch.Tensor) -> torch.Tensor:
    e = torch.exp(x - x.amax(1, keepdim=True))
    return e / e.sum(1, keepdim=True)


# -- honest answers ---------------------------------------------------------------------------------------


def in_place(x: torch.Tensor) -> torch.Tensor:
    y = x.clone()
    y[:, 0].sub_(1.0)
    y[:, 0] += 1
    e = y.sub_(y.max(1, keepdim=True).values).exp_()
    return e.div_(e.sum(1)[:, None])


def with_constants(x: torch.Tensor) -> torch.Tensor:
    e = torch.exp(x - x.amax(1, keepdim=True))
    return e / (e @ torch.tensor([1.0, 1.0, 1.0])).unsqueeze(1)


def by_rows(x: torch.Tensor) -> torch.Tensor:
    rows = []
    for row in x:
        e = [torch.exp(value - row.max()) for value in row]
        rows.append(torch.stack(e) / sum(e))
    return torch.stack(rows)


class _Function(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return softmax(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> torch.Tensor:
        return grad


def with_a_question(x: torch.Tensor) -> torch.Tensor:
    # A number leaves the tensors, and nothing comes of it.
    return softmax(x) if float(x.detach().max()) < 1e30 else x


@pytest.mark.parametrize(
    "function", [softmax, in_place, with_constants, by_rows, _Function.apply, with_a_question]
)
def test_ops_that_give_the_answer_agree(function: Callable[..., Any]) -> None:
    assert judged(recorded(function, X.clone().requires_grad_()), softmax) is None


def test_an_argument_that_is_no_ordinary_block_of_memory() -> None:
    assert judged(recorded(softmax, X.t().contiguous().t()), softmax) is None


# -- what cannot be told ------------------------------------------------------------------------------------


def by_lists(x: torch.Tensor) -> torch.Tensor:
    import math

    rows = [[math.exp(value) for value in row] for row in x.tolist()]
    return torch.tensor([[value / sum(row) for value in row] for row in rows])


def by_items(x: torch.Tensor) -> torch.Tensor:
    e = torch.exp(x)
    return torch.stack([row / row.sum().item() for row in e])


def drawing(x: torch.Tensor) -> torch.Tensor:
    return softmax(x) + 0 * torch.rand(3)


def slowly(x: torch.Tensor) -> torch.Tensor:
    y = softmax(x)
    for _ in range(MAX_OPS):
        y = y + 0
    return y


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (by_lists, "numbers leave its tensors"),
        (by_items, "numbers leave its tensors"),
        (drawing, "aten::rand, which is not on the list"),
        (slowly, "more than 400 ops"),
        (lambda x: softmax(x) + torch.zeros(CONSTANT_BYTES)[0], "too many"),
    ],
)
def test_what_cannot_be_told_is_said(function: Callable[..., Any], reason: str) -> None:
    recorder = recorded(function, X)
    finding = judged(recorder, softmax)
    if reason == "too many":
        # Made by an op that is recorded, so it is no constant after all.
        assert finding is None
        return
    assert finding is not None
    assert finding.kind == UNDECIDED
    assert reason in finding.message


@pytest.mark.parametrize("rows", [150, 500, 5000])
def test_an_op_of_many_results_is_no_forgery(rows: int) -> None:
    def by_rows(x: torch.Tensor) -> torch.Tensor:
        return torch.stack(x.unbind(0)).split([1] * rows)[0] * 2

    finding = judged(recorded(by_rows, torch.rand(rows, 2)), lambda x: x[:1] * 2)
    assert finding is None if rows < 2000 else finding is not None and finding.kind == UNDECIDED


@pytest.mark.parametrize("spare", [-3, -2, -1, 0, 1])
def test_a_program_at_its_limit_is_no_forgery(spare: int) -> None:
    constants = [torch.tensor(1.0) for _ in range(2)]

    def long(x: torch.Tensor) -> torch.Tensor:
        for _ in range(MAX_OPS + spare - 4):
            x = x + 0
        return x * constants[0] + constants[1]

    finding = judged(recorded(long, X), lambda x: x + 1)
    assert finding is None or finding.kind == UNDECIDED


def test_a_large_constant_is_not_sent() -> None:
    table = torch.zeros(CONSTANT_BYTES)
    finding = judged(recorded(lambda x: softmax(x) + table[0], X), softmax)
    assert finding is not None
    assert (finding.kind, "too many numbers" in finding.message) == (UNDECIDED, True)


def test_where_a_test_failed_wrong_ops_may_be_honest() -> None:
    call = recorded(lambda x: x + 1, X)
    finding = judged(made_up(call.program, X + 1, X), lambda x: x * 3, all_passed=False)
    assert finding is not None
    assert finding.kind == UNDECIDED


# -- what does not agree --------------------------------------------------------------------------------------


def test_a_table_of_constants() -> None:
    table = softmax(X)
    finding = judged(recorded(lambda x: table.clone(), X), softmax)
    assert finding is not None
    assert finding.kind == DISAGREES
    assert "comes from elsewhere" in finding.message


def test_ops_that_were_not_run() -> None:
    call = recorded(lambda x: x.exp(), X)
    finding = judged(made_up(call.program, softmax(X), X), softmax)
    assert finding is not None
    assert (finding.kind, finding.message) == (
        DISAGREES,
        "the ops that its process reports do not give what it returned",
    )


def ops(*listed: object) -> tuple[list[object], list[int], list[object], list[str]]:
    return (list(listed), [1], [], [])


NEG = ("aten::neg", [InputRef(0)], {}, 1)


@pytest.mark.parametrize(
    "program",
    [
        7,
        "ops",
        [],
        (),
        ([], [], []),
        (7, [], [], []),
        ops(7),
        ops(("aten::neg", [InputRef(0)], {})),
        ops((7, [InputRef(0)], {}, 1)),
        ops(("aten::neg", InputRef(0), {}, 1)),
        ops(("aten::neg", [InputRef(1)], {}, 1)),
        ops(("aten::neg", [InputRef(4_000_000_000)], {}, 1)),
        ops(("aten::neg", [[[[[[[[[[[InputRef(0)]]]]]]]]]]], {}, 1)),
        ops(("aten::neg", [TensorRecord(X)], {}, 1)),
        ops(("aten::neg", [Handle(1, "x")], {}, 1)),
        ops(("aten::neg", [Name("softmax")], {}, 1)),
        ops(("aten::neg", [0] * 5000, {}, 1)),
        ops(("aten::neg", [InputRef(0)], {7: 1}, 1)),
        ops(("aten::neg", [InputRef(0)], {"a b": 1}, 1)),
        ops(("aten::neg", [InputRef(0)], {}, -1)),
        ops(("aten::neg", [InputRef(0)], {}, True)),
        ops(("aten::neg", [InputRef(0)], {}, 10**9)),
        ops(*[("aten::unbind.int", [InputRef(0)], {}, 300)] * 20),
        ops(*[NEG] * (MAX_OPS + 1)),
        ops(("constant", [], {}, 1)),
        ops(("constant", [1], {}, 1)),
        ([NEG], [2], [], []),
        ([NEG], [-1], [], []),
        ([NEG], [True], [], []),
        ([NEG], [1, 1], [], []),
        ([NEG], [1], [7], []),
        ([NEG], [1], [TensorRecord(X)], []),
        ([("constant", [], {}, 1)], [1], [TensorRecord(torch.zeros(CONSTANT_BYTES))], []),
        ([NEG], [1], [], ["why not"]),
        ([NEG], [1], [], [7]),
    ],
)
def test_what_is_no_program_is_forged(program: object) -> None:
    with pytest.raises(ForgedProgram):
        read_program(program, 1, 1, NOTHING)
    finding = judged(made_up(program, softmax(X), X), softmax)
    assert finding is not None
    assert finding.kind == DISAGREES


@pytest.mark.parametrize(
    "name",
    [
        "aten::load",
        "aten::save",
        "aten::from_file",
        "aten::set_.source_Storage",
        "aten::resize_",
        "aten::as_strided",
        "aten::_reshape_alias",
        "aten::_cummax_helper",
        "aten::native_batch_norm",
        "aten::add.out",
        "aten::bernoulli",
        "aten::_foreach_add.List",
        "aten::__class__",
        "aten::neg.__class__.x",
        "aten::",
        "neg",
        "prims::neg",
        "mylib::neg",
        "aten::neg\n",
        "aten::nég",
        "aten::\x1b[31m",
    ],
)
def test_only_listed_ops_are_run(name: str) -> None:
    found = read_program(ops((name, [InputRef(0)], {}, 1)), 1, 1, NOTHING)
    assert isinstance(found, Undecided)
    assert "which is not on the list" in found.reason
    assert found.reason.isprintable()


def test_a_forbidden_op_is_not_run_either() -> None:
    program = ops(("aten::_softmax", [InputRef(0), 1, False], {}, 1))
    assert isinstance(read_program(program, 1, 1, NOTHING), Program)
    assert isinstance(read_program(program, 1, 1, forbidden_names(("torch.softmax",))), Undecided)


@pytest.mark.parametrize("argument", [torch.device("cuda:0"), "../../etc", "x" * 50])
def test_arguments_that_no_listed_op_takes(argument: object) -> None:
    program = ops(("aten::zeros", [[2]], {"device": argument}, 1))
    assert isinstance(read_program(program, 1, 1, NOTHING), Undecided)


@pytest.mark.parametrize(
    "op",
    [
        ("aten::neg", [], {}, 1),
        ("aten::neg", [InputRef(0), 7, 8], {"nothing": None}, 1),
        ("aten::neg", ["text"], {}, 1),
        ("aten::neg.nothing", [InputRef(0)], {}, 1),
        ("aten::neg", [InputRef(0)], {}, 2),
        ("aten::index_select", [InputRef(0), 99, InputRef(0)], {}, 1),
        ("aten::zeros", [[1 << 40, 1 << 40]], {}, 1),
    ],
)
def test_an_op_that_cannot_be_run_decides_nothing(op: tuple[object, ...]) -> None:
    finding = judged(made_up(([op], [1], [], []), softmax(X), X), softmax)
    assert finding is not None
    assert finding.kind == UNDECIDED


# -- the worker that runs them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message", [b"", b"rubbish", encode(7), encode(("call", 1)), encode(("replay", 1, 2, 3, 4))]
)
def test_what_is_no_request_gets_an_answer_all_the_same(message: bytes) -> None:
    reply = decode(ReplayService(LIMITS).answer(message))
    assert isinstance(reply, tuple)
    assert reply[0] == "replayed"


def test_a_replaying_worker_answers_no_other_request() -> None:
    with Forkserver(LaunchOptions(walls=False)) as server:
        worker = server.spawn(replay=True)
        try:
            worker.frames.send(encode(("load", "import os\nos._exit(7)\n", "answer", None)), 10.0)
            reply = decode(worker.frames.receive(10.0))
            assert reply == ("replayed", ["ValueError"])
        finally:
            worker.end()


class Dying(InProcess):
    """A port whose worker dies of each request, or of the first alone."""

    opened = 0

    def __init__(self, deaths: int) -> None:
        self.deaths = deaths

    def ask(self, message: bytes) -> bytes:
        if self.deaths:
            raise WorkerLost("memory", "no memory")
        return super().ask(message)


def test_a_program_that_kills_its_worker_decides_nothing() -> None:
    replayer = Replayer(lambda: Dying(1), LIMITS)
    finding = replayer.finding(
        [recorded(softmax, X)], SimpleNamespace(f=softmax), 7, NOTHING, all_passed=True
    )
    assert finding is not None
    assert (finding.kind, "too long, or too much memory" in finding.message) == (UNDECIDED, True)


def test_a_worker_that_was_worn_out_by_others_is_replaced() -> None:
    ports = [InProcess(), InProcess()]
    replayer = Replayer(ports.pop, LIMITS)
    calls, reference = [recorded(softmax, X)], SimpleNamespace(f=softmax)
    assert replayer.finding(calls, reference, 7, NOTHING, all_passed=True) is None
    replayer._port = Dying(1)
    assert replayer.finding(calls, reference, 7, NOTHING, all_passed=True) is None
    assert ports == []


# -- which calls are recorded ---------------------------------------------------------------------------------


def test_the_secret_picks_the_tests() -> None:
    starts = {Recording(10, seed).start for seed in range(100)}
    assert starts == {1, 2, 3, 4, 5}
    assert Recording(1, 5).start == 1


@pytest.mark.parametrize(
    ("target", "args"),
    [
        (Name("props.f"), (X,)),
        (Handle(7, "x"), (X,)),
        ("next", (X,)),
        (Name("f"), ()),
        (Name("f"), (torch.tensor(1.5),)),
        (Name("f"), (torch.tensor([1.0, 2.0]),)),
        (Name("f"), (torch.tensor([1, 2]),)),
        (Name("f"), (X, Name("props.loss"))),
        (Name("f"), (X, X)),
        (Name("f"), (X[0].expand(4, 3),)),
        (Name("f"), (X.repeat(100, 100),)),
        (Name("f"), (X.to_sparse(),)),
    ],
)
def test_calls_that_tell_nothing_are_not_recorded(target: object, args: tuple[object, ...]) -> None:
    assert not Recording(1, 0).wants(1, target, args, {})


def test_one_call_of_a_test_and_two_in_all() -> None:
    recording = Recording(4, 0)
    wanted = []
    for test in (1, 1, 2, 3):
        wanted.append(recording.wants(test, Name("f"), (X,), {}))
        recording.keep(test, TensorRecord(X), ([], [0], [], []), b"")
    assert wanted == [True, False, True, False]


# -- through real workers -------------------------------------------------------------------------------------

EXERCISES = ("weighted_mse", "softmax", "cross_entropy", "perplexity", "encode_offsets")
# Numbers that torch's own functions never saw leave by a capsule.
ELSEWHERE = """
import ctypes
import torch

def numbers(tensor):
    tensor = tensor.contiguous().double()
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    capsule = torch.utils.dlpack.to_dlpack(tensor)
    address = pointer(capsule, b'dltensor')
    return list((ctypes.c_double * tensor.numel()).from_address(ctypes.c_void_p.from_address(address).value))
"""
LISTS = """
import torch

def numbers(tensor):
    return tensor.reshape(-1).tolist()
"""
WEIGHTED_MSE = """
class WeightedMSE(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pred, target, weight):
        ctx.save_for_backward(pred, target, weight)
        p, t, w = map(numbers, (pred, target, weight))
        return torch.tensor(sum(c * (a - b) ** 2 for a, b, c in zip(p, t, w)) / len(p), dtype=pred.dtype)

    @staticmethod
    def backward(ctx, g):
        p, t, w = ctx.saved_tensors
        d, n = g * 2 * w * (p - t) / p.numel(), ctx.needs_input_grad
        return d if n[0] else None, -d if n[1] else None, g * (p - t) ** 2 / p.numel() if n[2] else None
"""
FORGED = """
import sys
import torch

def softmax(x, dim):
    e = torch.exp(x - x.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)

recording = sys.modules['grader.worker.recording']
recording.Recorder.program = lambda self, outputs: (PROGRAM)
"""


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(ROOT)


@pytest.fixture(scope="module")
def graded(course: Course) -> dict[str, ExerciseResult]:
    exercises = [course.exercise(name) for name in EXERCISES]
    engine = LocalEngine(course, exercises, Setting(seed="a secret"))

    def grade_all(opened: OpenEngine) -> dict[str, ExerciseResult]:
        results = {}
        for exercise in exercises:
            right = [exercise.reference_source]
            right += [path.read_text() for path in (ROOT / "tests/right_answers" / exercise.id).glob("*.py")]
            right += [path.read_text() for path in (ROOT / "examples/all_right").glob(f"*/{exercise.id}.py")]
            for secret in ("practice", "first", "second"):
                opened.grading.session.bench.secret = secret
                for n, source in enumerate(right):
                    results[f"{exercise.id}/{n}/{secret}"] = opened.grading.grade(
                        exercise, source, refuse=True
                    )
        grade = opened.grading.grade
        weighted, plain = course.exercise("weighted_mse"), course.exercise("softmax")
        results["elsewhere"] = grade(weighted, ELSEWHERE + WEIGHTED_MSE, refuse=True)
        results["elsewhere, reported"] = grade(weighted, ELSEWHERE + WEIGHTED_MSE)
        results["lists"] = grade(weighted, LISTS + WEIGHTED_MSE, refuse=True)
        for name, program in (
            ("other", "[('aten::exp', [recording.InputRef(0)], {}, 1)], [1], [], []"),
            ("none", "7"),
        ):
            results[name] = grade(plain, FORGED.replace("PROGRAM", program), refuse=True)
        results["after all that"] = grade(plain, plain.reference_source, refuse=True)
        return results

    return engine.run(grade_all)


def test_no_right_answer_disagrees(graded: dict[str, ExerciseResult]) -> None:
    honest = {name: result for name, result in graded.items() if "/" in name}
    assert len(honest) > 90
    wrong = {name: r.findings for name, r in honest.items() if r.verdict != "passed"}
    assert wrong == {}
    kinds = [finding.kind for result in honest.values() for finding in result.findings]
    assert set(kinds) <= {UNDECIDED}
    assert len(kinds) < len(honest) / 20


@pytest.mark.parametrize("name", ["elsewhere", "other", "none"])
def test_a_contradiction_costs_what_a_forbidden_call_costs(
    graded: dict[str, ExerciseResult], name: str
) -> None:
    result = graded[name]
    assert (result.verdict, result.score) == ("forbidden", 0)
    assert [finding.kind for finding in result.findings] == [DISAGREES]


def test_where_forbidden_calls_are_only_reported_it_costs_nothing(graded: dict[str, ExerciseResult]) -> None:
    result = graded["elsewhere, reported"]
    assert (result.verdict, [finding.kind for finding in result.findings]) == ("passed", [DISAGREES])


def test_plain_python_is_undecided_and_costs_nothing(graded: dict[str, ExerciseResult]) -> None:
    result = graded["lists"]
    assert (result.verdict, [finding.kind for finding in result.findings]) == ("passed", [UNDECIDED])


def test_the_next_one_is_graded_as_ever(graded: dict[str, ExerciseResult]) -> None:
    assert (graded["after all that"].verdict, graded["after all that"].findings) == ("passed", ())
