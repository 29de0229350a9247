"""The same class on a Ray cluster: the same bytes, whatever dies on the way, and nothing left on a node."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.engine import course_keeper
from grader.engine.course_copy import CourseCopy, pack
from grader.engine.ray import RayEngine
from grader.engine.tasks import Done, EngineSetting, Task
from grader.errors import DeviceError, UngradedError
from grader.result import Versions
from grader.submission.intake import Answer
from tests.engine.a_class import TINY, assert_each_once, batch, command, descendants, results, write_class
from tests.tiny_course import GOOD, SUITE, TinyExercise, write_course

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="finds the processes of the cluster in /proc")

STUDENTS = 8
MARK = f"TORCHGRADE_TEST_RUN={os.getpid()}"


@pytest.fixture(scope="module", autouse=True)
def marked() -> Iterator[None]:
    """What this module starts can be told from what else runs here: by its environment."""
    name, value = MARK.split("=")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(name, value)
        # Whoever runs the tests may have a token of Ray's at home, which this cluster does not ask for.
        patch.setenv("RAY_AUTH_MODE", "disabled")
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("ray") / "course", TINY).root


@pytest.fixture(scope="module")
def handed_in(course: Path) -> Path:
    return write_class(course.parent / "class", STUDENTS)


@pytest.fixture(scope="module")
def alone(handed_in: Path, course: Path) -> dict[str, str]:
    """The class graded on this machine."""
    batch(handed_in, course, "--out", str(course.parent / "alone"))
    return results(course.parent / "alone")


@pytest.fixture(scope="module")
def cluster(marked: None) -> Iterator[Any]:
    """A head that grades nothing, and a node with a GPU that is none."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    cluster.add_node(num_cpus=4, num_gpus=1)
    yield cluster
    cluster.shutdown()


def engine(cluster: Any, course: Path, **how: Any) -> RayEngine:
    return RayEngine(EngineSetting(str(course), how.pop("device", "cpu")), address=cluster.address, **how)


def task(number: int = 0, source: str = GOOD) -> Task:
    return Task(number, "a seed", (Answer("double", source, "double.py"),))


# -- what grades on a node, and what it leaves there -----------------------------------------------------


def argument_lists() -> Iterator[tuple[int, bytes]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if arguments := (folder / "cmdline").read_bytes():  # a zombie has none
                yield int(folder.name), arguments


def of_gradings() -> set[int]:
    """Processes of this test run that grade, or keep a course."""
    found = set()
    for pid, arguments in argument_lists():
        if b"grader.engine.node" in arguments or b"course_keeper" in arguments:
            with suppress(OSError):
                if MARK.encode() in Path(f"/proc/{pid}/environ").read_bytes():
                    found.add(pid)
    return found


def alive(pids: set[int]) -> set[int]:
    return pids & {pid for pid, _ in argument_lists()}


def copies() -> set[Path]:
    return {
        folder for place in course_keeper._places() for folder in Path(place).glob(f"{course_keeper.PREFIX}*")
    }


def soon(holds: Any, seconds: float = 60.0) -> bool:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def nothing_left() -> Iterator[None]:
    processes, folders = of_gradings(), copies()
    yield
    assert soon(lambda: not of_gradings() - processes), of_gradings() - processes
    assert soon(lambda: not copies() - folders), copies() - folders


def test_a_copy_of_the_course_is_this_users_alone_and_goes_when_it_is_closed(course: Path) -> None:
    with nothing_left():
        copy = CourseCopy(pack(course))
        folder = Path(copy.folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert pack(folder) == pack(course)
        # Another keeper, which sweeps, lets it be.
        CourseCopy(pack(course)).close()
        assert folder.is_dir()
        copy.close()
        assert not folder.exists()


HOLD = "import sys; from grader.engine.course_copy import *; from pathlib import Path; import time; \
copy = CourseCopy(pack(Path(sys.argv[1]))); print(copy.folder, flush=True); time.sleep(600)"


def test_a_copy_of_the_course_goes_when_its_user_is_killed(course: Path) -> None:
    with nothing_left():
        user = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(course)], stdout=subprocess.PIPE, start_new_session=True
        )
        assert user.stdout is not None
        with user.stdout:
            assert Path(user.stdout.readline().decode().strip()).is_dir()
            os.killpg(user.pid, signal.SIGKILL)
            user.wait()


def test_a_copy_whose_keeper_was_killed_as_well_is_deleted_by_the_next(course: Path) -> None:
    with nothing_left():
        before = of_gradings()
        copy = CourseCopy(pack(course))
        for pid in of_gradings() - before:
            os.kill(pid, signal.SIGKILL)
        copy.close()
        assert Path(copy.folder).is_dir()
        CourseCopy(pack(course)).close()
        assert not Path(copy.folder).exists()


# -- what goes wrong before a task is graded -------------------------------------------------------------


@contextmanager
def listener(greeting: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket, sys; socket.socket(fileno=int(sys.argv[1])).accept()[0].sendall({greeting})"
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(server.fileno())], pass_fds=[server.fileno()]
        )
        yield f"127.0.0.1:{server.getsockname()[1]}"
        other.kill()
        other.wait()


def refused(done: subprocess.CompletedProcess[str], says: str) -> bool:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.count("\n") == 1
    return says in done.stderr


def test_an_address_where_no_cluster_is_is_told_in_a_line(
    handed_in: Path, course: Path, tmp_path: Path
) -> None:
    asked = partial(batch, handed_in, course, "--out", str(tmp_path), "--engine", "ray", "--ray-address")
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    assert refused(asked(closed), f"no Ray cluster answers at {closed}")
    with listener(b"SSH-2.0-OpenSSH_9.6\r\n") as other:
        assert refused(asked(other), f"no Ray cluster answers at {other} (something else does)")
    assert refused(asked("auto"), "'auto' is no address of a Ray cluster")


def test_ray_that_is_not_installed_is_told_in_a_line(
    handed_in: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError(\"No module named 'ray'\", name='ray')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = batch(handed_in, course, "--out", str(tmp_path / "out"), "--engine", "ray")
    assert refused(done, "pip install 'torchgrade[ray]'")


@pytest.mark.parametrize("option", ["--ray-address=127.0.0.1:6379", "--gpus-per-task=0.5"])
def test_rays_options_go_with_ray(handed_in: Path, course: Path, tmp_path: Path, option: str) -> None:
    assert refused(batch(handed_in, course, "--out", str(tmp_path), option), "goes with --engine ray")


# -- on a cluster ----------------------------------------------------------------------------------------


def test_four_quarters_of_a_gpu_are_graded_at_once_and_ray_says_which(
    cluster: Any, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = str(tmp_path)

    # Defined here, so that it travels by value: a worker of the cluster does not know this file.
    def grade_remotely(*given: Any) -> dict[str, Any]:
        import os
        import time
        from pathlib import Path

        mine = Path(here, f"{given[-1]['number']}")
        mine.touch()
        end = time.monotonic() + 30
        while (together := len(list(Path(here).iterdir()))) < 4 and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.5)  # a fifth would come
        together = max(together, len(list(Path(here).iterdir())))
        mine.rename(Path(here).with_name(f"done-{mine.name}"))
        said = f"{together} at once on GPU {os.environ['CUDA_VISIBLE_DEVICES']}, process {os.getpid()}"
        return {"number": given[-1]["number"], "results": [], "isolation": 0, "failure": said}

    monkeypatch.setattr("grader.engine.ray_task.grade_remotely", grade_remotely)
    found = list(engine(cluster, course, device="cuda", gpus=0.25).grade(task(number) for number in range(8)))
    assert sorted(done.number for done in found) == list(range(8))
    assert {done.failure.split(",")[0] for done in found} == {"4 at once on GPU 0"}
    # Ray's worker stays for the next task: what grades in it would take seconds to start again.
    assert len({done.failure for done in found}) == 4


def test_more_of_a_gpu_than_there_is_is_told(cluster: Any, course: Path) -> None:
    with pytest.raises(DeviceError, match="has a GPU to give"):
        list(engine(cluster, course, device="cuda", gpus=2).grade([task()]))


@pytest.mark.gpu
def test_a_real_gpu_grades(handed_in: Path, course: Path, tmp_path: Path) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    found = {}
    for kind in ("local", "ray"):
        done = batch(handed_in, course, "--device", "cuda", "--engine", kind, "--out", str(tmp_path / kind))
        assert done.returncode == 1, done.stderr
        found[kind] = results(tmp_path / kind)
    assert found["ray"] == found["local"]


def test_a_node_with_another_torch_is_refused(
    cluster: Any, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Versions(torchgrade="0.1.0", torch="1.13.1", python="3.9.2")
    monkeypatch.setattr("grader.engine.ray.versions", lambda: other)
    with (
        nothing_left(),
        pytest.raises(UngradedError, match=r"has .*torch .* where this machine has .*torch 1\.13\.1"),
    ):
        list(engine(cluster, course).grade([task()]))


def test_a_suite_that_is_broken_on_a_node_is_the_commands_own_error(
    cluster: Any, handed_in: Path, tmp_path: Path
) -> None:
    broken = {**TINY, "again": TinyExercise(suite="import nothing_of_this_name\n" + SUITE)}
    course = write_course(tmp_path / "course", broken).root
    with nothing_left():
        here, there = (
            batch(handed_in, course, "--out", str(tmp_path / kind), *options)
            for kind, options in (
                ("local", ()),
                ("ray", ("--engine", "ray", "--ray-address", cluster.address)),
            )
        )
    assert (here.returncode, there.returncode) == (3, 3)
    assert "nothing_of_this_name" in here.stderr
    assert there.stderr.startswith(here.stderr.rstrip("\n"))
    assert there.stderr.count("\n") == 1


def test_interrupted_it_ends_in_a_line_and_leaves_nothing(
    cluster: Any, handed_in: Path, course: Path, tmp_path: Path
) -> None:
    options = ("--out", str(tmp_path), "--engine", "ray", "--ray-address", cluster.address)
    with nothing_left():
        before = of_gradings()
        running = subprocess.Popen(
            command(handed_in, course, *options), stderr=subprocess.PIPE, encoding="utf-8"
        )
        assert soon(lambda: of_gradings() - before)
        below = {child for pid in of_gradings() - before for child in (pid, *descendants(pid))}
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said.strip()) == (130, "grade: interrupted")
    assert soon(lambda: not alive(below)), alive(below)


def test_a_node_that_is_killed_costs_nobody_a_mark(
    cluster: Any, handed_in: Path, course: Path, tmp_path: Path, alone: dict[str, str]
) -> None:
    victim = cluster.add_node(num_cpus=2)
    raylet = victim.all_processes["raylet"][0].process
    options = ("--out", str(tmp_path), "--engine", "ray", "--ray-address", cluster.address, "--jobs", "6")
    with nothing_left():
        running = subprocess.Popen(
            command(handed_in, course, *options), stderr=subprocess.PIPE, encoding="utf-8"
        )
        # A process grades on that node: all that Ray runs there is killed, and not what torchgrade started.
        assert soon(lambda: of_gradings() & set(descendants(raylet.pid)))
        below = set(descendants(raylet.pid))
        for pid, arguments in list(argument_lists()):
            if pid in below and arguments.startswith(b"ray::"):
                os.kill(pid, signal.SIGKILL)
        raylet.kill()
        raylet.wait()
        _, said = running.communicate(timeout=180)
    assert soon(lambda: not alive(below)), alive(below)
    assert running.returncode == 1, said
    assert_each_once(tmp_path, alone)


def daemons() -> set[int]:
    """Ray's own, the module's cluster's among them."""
    names = (b"/raylet", b"/gcs_server")
    return {pid for pid, arguments in argument_lists() if arguments.split(b"\0")[0].endswith(names)}


def test_without_an_address_a_cluster_comes_and_goes_with_the_run(
    handed_in: Path,
    course: Path,
    tmp_path: Path,
    alone: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE")
    # Run inside the class's folder, where a student has put a module: nobody on the trusted side imports it.
    (handed_in / "torch.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n")
    grade = [str(Path(sys.executable).with_name("grade")), *command(handed_in, course)[3:]]
    before = daemons()
    try:
        with nothing_left():
            done = subprocess.run(
                [*grade, "--out", str(tmp_path / "out"), "--engine", "ray"],
                cwd=handed_in,
                capture_output=True,
                encoding="utf-8",
                timeout=180,
                check=False,
            )
    finally:
        (handed_in / "torch.py").unlink()
    assert done.returncode == 1, done.stderr
    assert results(tmp_path / "out") == alone
    assert not (tmp_path / "imported").exists()
    assert soon(lambda: not daemons() - before)


def test_a_class_that_is_graded_already_needs_no_cluster(course: Path) -> None:
    nowhere = RayEngine(EngineSetting(str(course)), address="127.0.0.1:1")
    assert list[Done](nowhere.grade([])) == []
