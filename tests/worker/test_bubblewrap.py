from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

import grader
from grader.worker import bubblewrap
from grader.worker.libraries import readable_paths, standard_library

pytestmark = pytest.mark.skipif(bubblewrap.available() is not None, reason=str(bubblewrap.available()))


@pytest.fixture(scope="module")
def readable() -> list[str]:
    return readable_paths()


def run(readable: list[str], code: str, *, environment: dict[str, str] | None = None, **options):
    command = bubblewrap.command(
        [sys.executable, "-I", "-B", "-c", f"import json, os, sys\n{code}"],
        readable=readable,
        environment=environment or {},
    )
    outside = {"A_SECRET": "1"}
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, env=outside, **options)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


TRY = """
def outcome(function, *arguments):
    try:
        function(*arguments)
    except Exception as error:
        return type(error).__name__
    return "done"
"""


def test_nothing_of_the_course_or_the_machine_is_there(readable, tmp_path):
    package = os.path.dirname(grader.__file__)
    hidden = [str(tmp_path), package, os.path.dirname(package), "/etc/passwd", "/home", "/var", "/proc/self"]
    hidden += [
        path for path in sys.path if path.endswith("-packages") and path.startswith("/usr/lib/python3/")
    ]
    found = run(readable, f"print(json.dumps([p for p in {hidden!r} if os.path.lexists(p)]))")
    # A folder is there as an empty one where the interpreter lies below it: a checkout may hold its .venv.
    above = {str(folder) for folder in Path(sys.prefix).resolve().parents}
    assert set(found) <= {"/home", "/var", *above}
    course = [os.path.join(os.path.dirname(package), name) for name in ("solutions", "course.toml", "grader")]
    assert run(readable, f"print(json.dumps([p for p in {course!r} if os.path.lexists(p)]))") == []


def test_packages_are_there_one_by_one(readable):
    found = run(
        readable,
        f"{TRY}\nimport importlib.util as u\n"
        "names = ['torch', 'typing_extensions', 'sympy', 'pydantic', 'pytest', 'grader', 'pip']\n"
        "print(json.dumps([n for n in names if u.find_spec(n)]))",
    )
    assert found == ["torch", "typing_extensions", "sympy"]


def test_other_packages_beside_the_standard_library_are_covered_up(readable):
    folders = [os.path.join(standard_library(), name) for name in ("site-packages", "dist-packages")]
    found = run(
        readable,
        f"folders = [f for f in {folders!r} if os.path.isdir(f)]\n"
        "print(json.dumps([os.path.join(f, name) for f in folders for name in os.listdir(f)]))",
    )
    assert set(found) <= {*readable, *(os.path.join(folder, "__pycache__") for folder in folders)}


def test_our_part_is_only_what_a_worker_runs(readable):
    found = run(
        readable,
        f"{TRY}\nsys.path.insert(0, {bubblewrap.IMPORT_ROOT!r})\n"
        "import grader.worker.walls, grader.worker.probes\n"
        f"print(json.dumps(sorted(os.listdir({bubblewrap.IMPORT_ROOT + '/grader'!r}))))",
    )
    assert {"worker", "wire"} <= set(found)
    assert not {"examiner", "course", "gradebook", "submission", "_course"} & set(found)


def test_files_cannot_be_changed_and_scratch_is_small(readable):
    found = run(
        readable,
        f"{TRY}\n"
        "places = ['/', '/usr', os.path.dirname(os.__file__), '/torchgrade', '/dev', '/etc', sys.prefix]\n"
        "places = [p for p in places if not p.startswith('/tmp')]\n"
        "write = lambda p, n: open(os.path.join(p, 'x'), 'wb').write(bytes(n))\n"
        "made = [outcome(write, p, 1) for p in places]\n"
        "print(json.dumps([sorted(set(made)), os.getcwd(), outcome(write, '/tmp', 1 << 20), "
        "outcome(write, '/tmp', 17 << 20)]))",
    )
    refused, folder, small, large = found
    assert set(refused) <= {"OSError", "PermissionError"}
    assert folder == "/tmp"
    assert (small, large) == ("done", "OSError")


def test_there_is_no_network(readable):
    found = run(
        readable,
        f"{TRY}\nimport socket\n"
        "connect = lambda: socket.create_connection(('127.0.0.1', 22), 2)\n"
        "send = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('8.8.8.8', 53))\n"
        "print(json.dumps([[n for _, n in socket.if_nameindex()], outcome(connect), outcome(send)]))",
    )
    interfaces, connected, sent = found
    assert interfaces == ["lo"]
    assert "done" not in (connected, sent)


def test_there_are_no_other_processes(readable):
    outside = os.getpid()
    pid, others = run(
        readable,
        f"{TRY}\nprint(json.dumps([os.getpid(), outcome(os.kill, {outside}, 0)]))",
    )
    assert pid <= 3
    assert others == "ProcessLookupError"


def test_the_environment_is_what_was_given(readable):
    found = run(readable, "print(json.dumps(dict(os.environ)))", environment={"OMP_NUM_THREADS": "1"})
    found.pop("PWD", None)
    found.pop("LC_CTYPE", None)  # the interpreter's own
    assert found == {"OMP_NUM_THREADS": "1"}


def test_descriptors_come_along(readable):
    reader, writer = os.pipe()
    found = run(readable, f"os.write({writer}, b'inside'); print(json.dumps(True))", pass_fds=[writer])
    os.close(writer)
    assert found
    assert os.read(reader, 10) == b"inside"
    os.close(reader)


@pytest.mark.skipif(os.geteuid() != 0, reason="capabilities are root's")
def test_root_keeps_only_what_it_needs(readable):
    """Asked of the kernel, for /proc is not there."""
    found = run(
        readable,
        f"{TRY}\nimport ctypes\n"
        "libc = ctypes.CDLL(None)\n"
        "sets = (ctypes.c_uint32 * 6)()\n"
        "libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), sets)\n"
        "print(json.dumps([sets[1] | sets[4] << 32]))",
    )
    setuid, setgid, kill, read_search = 1 << 7, 1 << 6, 1 << 5, 1 << 2
    assert found[0] & ~read_search == setuid | setgid | kill


_PROBE = """
import tempfile
sys.path.insert(0, {root!r})
from grader.worker.limits import ResourceLimits
from grader.worker.probes import level, run_probes
from grader.worker.walls import prepare
walls = prepare({readable!r}, ResourceLimits(memory_mb=64))
os.environ.clear()
reader, writer = os.pipe()
parent = os.getpid()
if os.fork() == 0:
    walls.enter(number=1, descriptor=writer, parent=parent)
    rows = run_probes(descriptor=writer, hidden=[{hidden!r}], siblings=[parent], memory_mb=64)
    open_ = [row.name for row in rows if not row.held]
    os.write(writer, json.dumps([open_, level(rows, bubblewrap=True)]).encode())
    os._exit(0)
os.close(writer)
print(os.read(reader, 65536).decode())
"""


def test_with_the_inner_walls_nothing_comes_through(readable, tmp_path):
    secret = tmp_path / "reference.py"
    secret.write_text("")
    code = _PROBE.format(root=bubblewrap.IMPORT_ROOT, readable=readable, hidden=str(secret))
    assert run(readable, code) == [[], 3]


def test_it_dies_with_the_launcher(readable):
    command = bubblewrap.command(
        [sys.executable, "-I", "-c", "import time; print('up', flush=True); time.sleep(60)"],
        readable=readable,
        environment={},
    )
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={})
    assert process.stdout.readline() == b"up\n"
    process.kill()
    process.wait()
    ended, _, _ = select.select([process.stdout], [], [], 10)
    assert ended, "somebody still holds the other end"
    assert process.stdout.read() == b""
    process.stdout.close()


def test_processors_are_told_apart_inside_as_outside(readable):
    """torch chooses its kernels by them, and other kernels give other last digits."""
    found = run(
        readable, "print(json.dumps(['flags' in open('/proc/cpuinfo').read().lower(), os.cpu_count()]))"
    )
    assert found[1] == os.cpu_count()


def test_without_the_program_it_says_so(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda _: None)
    bubblewrap.available.cache_clear()
    try:
        assert bubblewrap.available() == "bwrap is not installed"
    finally:
        bubblewrap.available.cache_clear()
