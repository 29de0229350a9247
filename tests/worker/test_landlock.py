from __future__ import annotations

import os
import shutil
import signal
import socket

import pytest

from grader.worker import landlock

pytestmark = pytest.mark.skipif(landlock.abi() == 0, reason="the kernel has no Landlock")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "open" / "deep").mkdir(parents=True)
    (tmp_path / "open" / "deep" / "file").write_text("to be read")
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "file").write_text("secret")
    (tmp_path / "single").write_text("to be read")
    return tmp_path


def test_only_what_is_allowed_can_be_read(folder, in_a_fork, outcome):
    def child(_):
        landlock.restrict(landlock.build_ruleset([str(folder / "open"), str(folder / "single")]))
        return {
            "below": outcome((folder / "open" / "deep" / "file").read_text),
            "listed": outcome(os.listdir, folder / "open"),
            "single": outcome((folder / "single").read_text),
            "closed": outcome((folder / "closed" / "file").read_text),
            "closed listed": outcome(os.listdir, folder / "closed"),
            "above": outcome(os.listdir, folder),
            "through a link of its own": outcome(os.listdir, folder / "open" / ".." / "closed"),
        }

    assert in_a_fork(child) == {
        "below": "done",
        "listed": "done",
        "single": "done",
        "closed": "PermissionError",
        "closed listed": "PermissionError",
        "above": "PermissionError",
        "through a link of its own": "PermissionError",
    }


def test_nothing_can_be_written_but_devices(folder, in_a_fork, outcome):
    inside = folder / "open"
    shutil.copy("/bin/true", inside / "program")
    libraries = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"]  # so that nothing else keeps it from running

    def child(_):
        landlock.restrict(landlock.build_ruleset([str(inside), *libraries], ["/dev/null"]))
        return {
            "a new file": outcome((inside / "new").write_text, ""),
            "an old file": outcome((inside / "deep" / "file").write_text, ""),
            "cut short": outcome(os.truncate, inside / "deep" / "file", 0),
            "removed": outcome((inside / "deep" / "file").unlink),
            "renamed": outcome((inside / "deep" / "file").rename, inside / "deep" / "other"),
            "a folder": outcome((inside / "folder").mkdir),
            "a link": outcome((inside / "link").symlink_to, "/"),
            "run": outcome(os.execv, inside / "program", ["true"]),
            "null": outcome(open("/dev/null", "w").write, "lost"),
        }

    found = in_a_fork(child)
    assert found.pop("null") == "done"
    if landlock.abi() < 3:
        found.pop("cut short")
    assert set(found.values()) == {"PermissionError"}, found
    assert (inside / "deep" / "file").read_text() == "to be read"


@pytest.mark.skipif(landlock.abi() < 4, reason="Landlock knows TCP from ABI 4")
def test_no_server_can_be_reached_or_be(in_a_fork, outcome):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def child(_):
            landlock.restrict(landlock.build_ruleset([]))
            return [
                outcome(socket.socket().connect, ("127.0.0.1", port)),
                outcome(socket.socket().bind, ("127.0.0.1", 0)),
            ]

        assert in_a_fork(child) == ["PermissionError"] * 2


@pytest.mark.skipif(landlock.abi() < 6, reason="Landlock keeps signals in from ABI 6")
def test_no_other_process_can_be_signalled(in_a_fork, outcome):
    parent = os.getpid()

    def child(_):
        landlock.restrict(landlock.build_ruleset([]))
        return [outcome(os.kill, parent, 0), outcome(os.kill, os.getpid(), 0)]

    assert in_a_fork(child) == ["PermissionError", "done"]


def test_a_ruleset_serves_many_processes(folder, in_a_fork, outcome):
    ruleset = landlock.build_ruleset([str(folder / "open")])

    def child(_):
        landlock.restrict(ruleset)
        return outcome(os.listdir, folder / "open"), outcome(os.listdir, folder / "closed")

    assert [in_a_fork(child) for _ in range(3)] == [["done", "PermissionError"]] * 3
    os.close(ruleset)
    assert os.listdir(folder / "closed") == ["file"]


@pytest.mark.parametrize("version", range(1, 8))
def test_it_holds_on_older_kernels(version, folder, in_a_fork, outcome):
    if version > landlock.abi():
        pytest.skip(f"the kernel speaks ABI {landlock.abi()}")

    def child(_):
        landlock.restrict(landlock.build_ruleset([str(folder / "open")], version=version), version=version)
        return (
            outcome(os.listdir, folder / "open"),
            outcome(os.listdir, folder / "closed"),
            outcome(os.kill, os.getppid(), signal.SIG_DFL),
        )

    listed, closed, signalled = in_a_fork(child)
    assert (listed, closed) == ("done", "PermissionError")
    assert signalled == ("done" if version < 6 else "PermissionError")


def test_what_an_old_version_cannot_do_is_said():
    assert landlock.missing(0) == ["Landlock"]
    assert landlock.missing(5) == ["signals and abstract sockets"]
    assert "TCP" in landlock.missing(3)
    assert landlock.missing(7) == []


def test_a_missing_path_opens_nothing(folder, in_a_fork, outcome):
    def child(_):
        landlock.restrict(landlock.build_ruleset([str(folder / "nowhere"), str(folder / "single" / "below")]))
        return outcome((folder / "single").read_text)

    assert in_a_fork(child) == "PermissionError"


def test_without_landlock_it_refuses():
    with pytest.raises(OSError, match="no Landlock"):
        landlock.build_ruleset([], version=0)
