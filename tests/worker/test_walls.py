from __future__ import annotations

import dataclasses
import json
import mmap
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from grader.worker import landlock, seccomp, walls
from grader.worker._libc import PR_GET_DUMPABLE, prctl
from grader.worker.libraries import readable_paths
from grader.worker.limits import ResourceLimits
from grader.worker.probes import STAT, level, run_probes
from grader.worker.walls import WallError, prepare, refuse_covering

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="walls are Linux's")
full = pytest.mark.skipif(
    landlock.abi() < 6 or seccomp.supported() is not None, reason="not all walls can stand here"
)
root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")


@pytest.fixture(scope="module")
def readable() -> list[str]:
    return readable_paths()


@pytest.fixture
def prepared(readable):
    with closing(prepare(readable, ResourceLimits(memory_mb=64))) as made:
        yield made


def entered(prepared, writer: int, *, number: int = 1, **limits: float) -> list[str]:
    return prepared.enter(number=number, descriptor=writer, parent=os.getppid(), limits=limits)


@full
def test_all_walls_stand(prepared, in_a_fork):
    standing = in_a_fork(lambda writer: entered(prepared, writer))
    assert set(standing) | prepared.missing.keys() == set(walls.ALL_WALLS)
    assert prepared.missing.keys() <= ({"uid"} if os.geteuid() else set())


@full
def test_nothing_comes_through(prepared, in_a_fork, tmp_path, monkeypatch):
    for name in list(os.environ):
        monkeypatch.delenv(name)
    secret = tmp_path / "reference.py"
    secret.write_text("")

    def child(writer):
        entered(prepared, writer)
        # Far above the limit of 64: this process may have given back much since that was computed.
        return run_probes(descriptor=writer, hidden=[str(secret)], siblings=[os.getppid()], memory_mb=4096)

    probes = in_a_fork(child)
    assert [name for name, held, *_ in probes if not held] == [STAT]
    assert level(probes, bubblewrap=False) == 2


@full
def test_without_walls_everything_comes_through(in_a_fork, tmp_path, monkeypatch):
    """Otherwise the probes would prove nothing."""
    monkeypatch.setenv("A_SECRET", "1")
    secret = tmp_path / "reference.py"
    secret.write_text("")

    def child(writer):
        return run_probes(descriptor=writer, hidden=[str(secret)], siblings=[os.getppid()])

    probes = in_a_fork(child)
    held = {name for name, held, *_ in probes if held}
    # The rest is refused to an ordinary user, or in a container, by what stands there anyhow.
    assert not held & {
        "reach a server (TCP)",
        "reach a server (UDP)",
        "open a local socket",
        "read the solutions",
        STAT,
        "change the solutions",
        "list /",
        "write to /tmp",
        "signal the forkserver",
        "signal another worker",
        "make a process",
        "start a thread",
        "run a program",
        "become another program",
        "take more memory than allowed",
        "read the environment",
        "use a descriptor that it should not have",
    }
    assert level(probes, bubblewrap=True) == 0


@root
def test_each_worker_is_a_user_of_its_own(prepared, in_a_fork):
    def child(writer, number):
        entered(prepared, writer, number=number)
        return [*os.getresuid(), *os.getresgid()]

    users = [in_a_fork(lambda writer, number=number: child(writer, number)) for number in (1, 2)]
    for user in users:
        assert len(set(user)) == 1
        assert user[0] >= 40_000
    assert users[0] != users[1]
    assert users[0][0] == prepared.uid_of(1)


@root
def test_no_capability_is_kept_but_to_read_what_is_allowed(prepared, in_a_fork):
    # The filter would not let the child ask.
    unfiltered = dataclasses.replace(prepared, missing={"seccomp": "", "landlock": ""})

    def child(writer):
        entered(unfiltered, writer)
        return Path("/proc/thread-self/status").read_text()

    status = dict(line.split(":\t", 1) for line in in_a_fork(child).splitlines() if ":\t" in line)
    expected = f"{1 << 2 if prepared._reads_past_modes else 0:016x}"
    assert {status[name] for name in ("CapEff", "CapPrm")} == {expected}
    assert {status[name] for name in ("CapInh", "CapAmb")} == {f"{0:016x}"}
    assert status["Groups"].strip() == ""


def test_without_another_user_root_gives_up_its_powers(readable, in_a_fork, monkeypatch):
    monkeypatch.setattr(walls, "_UIDS", ())
    with closing(prepare(readable, ResourceLimits())) as made:
        assert "uid" in made.missing
        unfiltered = dataclasses.replace(made, missing={**made.missing, "seccomp": "", "landlock": ""})

        def child(writer):
            standing = entered(unfiltered, writer)
            return standing, Path("/proc/thread-self/status").read_text(), prctl(PR_GET_DUMPABLE)

        standing, status, dumpable = in_a_fork(child)
    assert "uid" not in standing
    assert dumpable == 0
    assert f"CapPrm:\t{0:016x}" in status


def test_a_wall_that_cannot_stand_is_named(readable, in_a_fork, monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr(seccomp, "supported", lambda: "no table")
    with closing(prepare(readable, ResourceLimits())) as made:
        standing = in_a_fork(lambda writer: entered(made, writer))
    assert {"landlock", "seccomp"} <= made.missing.keys()
    assert not {"landlock", "seccomp"} & set(standing)


def test_a_refused_wall_is_an_error(prepared, in_a_fork):
    def orphan(writer):
        with pytest.raises(WallError, match=r"'parent' does not stand: .*gone"):
            prepared.enter(number=1, descriptor=writer, parent=1 << 22)

    def no_descriptor(_):
        with pytest.raises(WallError, match="'descriptors'"):
            prepared.enter(number=1, descriptor=1, parent=os.getppid())

    in_a_fork(orphan)
    in_a_fork(no_descriptor)


def test_a_refusal_of_the_kernel_is_an_error(prepared, in_a_fork):
    broken = dataclasses.replace(prepared, missing={}, _program=seccomp.Program(b"\0" * 8, None))

    def child(writer):
        with pytest.raises(WallError, match="'seccomp'"):
            entered(broken, writer)

    in_a_fork(child)


@full
def test_only_one_descriptor_is_left(prepared, in_a_fork):
    spare = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]

    def child(writer):
        entered(prepared, writer)
        return [number for number in range(256) if _is_open(number)] == [0, 1, 2, writer]

    assert in_a_fork(child)
    for descriptor in spare:
        os.close(descriptor)


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


@full
def test_memory_ends_where_the_limit_says(prepared, in_a_fork, outcome):
    def child(writer):
        entered(prepared, writer)
        return (
            outcome(mmap.mmap, -1, 32 << 20),
            outcome(mmap.mmap, -1, 65 << 20),
            outcome(bytearray, 400 << 20),
        )

    assert in_a_fork(child) == ["done", "OSError", "MemoryError"]


@full
def test_an_exercise_may_have_other_limits(prepared, in_a_fork, outcome):
    def child(writer):
        entered(prepared, writer, memory_mb=200)
        return outcome(mmap.mmap, -1, 150 << 20), outcome(mmap.mmap, -1, 201 << 20)

    assert in_a_fork(child) == ["done", "OSError"]


@full
def test_an_endless_loop_ends(prepared, in_a_fork):
    def child(writer):
        entered(prepared, writer, cpu_seconds=1)
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    began = time.monotonic()
    in_a_fork(child)
    assert os.WTERMSIG(in_a_fork.status) == signal.SIGKILL
    assert time.monotonic() - began < 30


@full
def test_it_dies_with_its_parent(prepared):
    """A forkserver that is killed leaves no worker behind, though its workers are other users."""
    reader, writer = os.pipe()
    forkserver = os.fork()
    if forkserver == 0:
        os.close(reader)
        if os.fork() == 0:
            try:
                entered(prepared, writer)
                os.write(writer, b"up")
                while True:
                    time.sleep(60)
            finally:
                os._exit(1)
        os.close(writer)
        time.sleep(60)
        os._exit(0)
    os.close(writer)
    assert os.read(reader, 2) == b"up"
    os.kill(forkserver, signal.SIGKILL)
    os.waitpid(forkserver, 0)
    ready, _, _ = select.select([reader], [], [], 10)
    assert ready, "the worker lives on"
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_course_below_a_readable_folder_is_refused(tmp_path):
    torch = tmp_path / "site-packages" / "torch"
    (torch / "course").mkdir(parents=True)
    (tmp_path / "site-packages" / "torch_course").mkdir()
    (tmp_path / "link").symlink_to(torch / "course")
    for hidden in (torch, torch / "course", tmp_path / "link"):
        with pytest.raises(WallError, match="must be hidden"):
            refuse_covering([str(torch)], [str(hidden)])
    for hidden in (tmp_path, tmp_path / "site-packages", tmp_path / "site-packages" / "torch_course"):
        refuse_covering([str(torch)], [str(hidden)])


_WORK = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import torch
torch.set_num_threads(1)
from grader.worker.limits import ResourceLimits
from grader.worker._libc import PR_GET_DUMPABLE, prctl
from grader.worker.libraries import readable_paths
from grader.worker.walls import prepare

# The first optimizer of a process makes a folder for what it might compile.
torch.optim.SGD([torch.ones(1, requires_grad=True)])
walls = prepare(readable_paths(), ResourceLimits())

def backward():
    x = torch.randn(8, 8, requires_grad=True)
    x.softmax(1).pow(2).sum().backward()
    assert x.grad is not None

def module():
    from torch import nn
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList([nn.Linear(4, 3), nn.LSTM(3, 5), nn.MultiheadAttention(4, 2)])
            self.conv = nn.Conv2d(1, 2, 3)
        def forward(self, x):
            return self.parts[0](x)
    net = Net()
    net.conv(torch.randn(1, 1, 8, 8)).sum().backward()
    loss = nn.functional.cross_entropy(net(torch.randn(6, 4)), torch.randint(0, 3, (6,)))
    loss.backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()

def gradcheck():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x
        @staticmethod
        def backward(ctx, g):
            return 2 * ctx.saved_tensors[0] * g
    assert torch.autograd.gradcheck(Square.apply, (torch.ones(3, dtype=torch.float64, requires_grad=True),))

def lazy_imports():
    import decimal, fractions, lzma, sqlite3, statistics, uuid, xml.etree.ElementTree
    import torch.distributions, torch.func, torch.nn.utils.parametrize
    assert torch.func.vmap(torch.sin)(torch.ones(3)).shape == (3,)

def traceback_with_source():
    import traceback
    try:
        torch.nn.Linear(2, 3)(torch.ones(4))
    except RuntimeError:
        assert "F.linear" in traceback.format_exc()

def speak():
    print("lost")
    warnings.simplefilter("always")
    warnings.warn("lost as well")
    torch.tensor(torch.ones(2))

def memory():
    try:
        torch.zeros(10**10)
    except RuntimeError as error:
        assert "can't allocate" in str(error)
    else:
        raise AssertionError("40 GB were had")

reader, writer = os.pipe()
parent = os.getpid()
if os.fork() == 0:
    walls.enter(number=1, descriptor=writer, parent=parent)
    found = {}
    for work in (backward, module, gradcheck, lazy_imports, traceback_with_source, speak, memory):
        try:
            work()
        except BaseException as error:
            found[work.__name__] = repr(error)
        else:
            found[work.__name__] = "done"
    os.write(writer, json.dumps(found).encode())
    os._exit(0)
os.close(writer)
sys.stdout.write(os.read(reader, 65536).decode())
"""


@full
@pytest.mark.slow
def test_torch_works_behind_the_walls():
    """In an interpreter of its own: this one may have used threads, and cannot fork after that."""
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", _WORK], env=environment, capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert set(found.values()) == {"done"}, found
    assert len(found) == 7
