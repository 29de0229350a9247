from __future__ import annotations

from pathlib import Path

import pytest

from grader.worker.advice import advise, missing_walls, refusal
from grader.worker.launch import Isolation
from grader.worker.probes import STAT, Probe

NOT_INSTALLED = "bwrap is not installed"
FAILS = "bwrap fails: bwrap: No permissions to create new namespace"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine on which nothing is forbidden."""
    for name, value in {
        "kernel/unprivileged_userns_clone": "1",
        "user/max_user_namespaces": "63000",
        "kernel/apparmor_restrict_unprivileged_userns": "0",
    }.items():
        switch(tmp_path, name, value)
    return tmp_path


def switch(machine: Path, name: str, value: str) -> None:
    path = machine / "proc/sys" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{value}\n")


def isolation(
    level: int, *, bubblewrap: str | None = None, open_: str | None = None, **missing: str
) -> Isolation:
    rows = (Probe("reach a server (TCP)", True, "seccomp", ""),)
    if open_ is not None:
        rows += (Probe(open_, False, "", "it came through"),)
    return Isolation(level, rows, (), missing, bubblewrap)


@pytest.mark.parametrize(
    ("system", "command"),
    [
        ("ID=debian", "apt-get install bubblewrap"),
        ("ID=linuxmint\nID_LIKE='ubuntu debian'", "apt-get install bubblewrap"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"', "dnf install bubblewrap"),
        ("ID=alpine", "apk add bubblewrap"),
        ("ID=of_their_own", "install the package `bubblewrap`"),
        ("", "install the package `bubblewrap`"),
    ],
)
def test_how_this_system_installs_it(machine, system, command):
    (machine / "etc").mkdir()
    (machine / "etc/os-release").write_text(system)
    assert advise({"bubblewrap": NOT_INSTALLED}, machine=machine, root=False) == {"bubblewrap": command}


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces="),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ],
)
def test_the_switch_that_forbids_namespaces_is_named(machine, name, value, mend):
    assert "sysctl" not in advise({"bubblewrap": FAILS}, machine=machine, root=False)["bubblewrap"]
    switch(machine, name, value)
    assert mend in advise({"bubblewrap": FAILS}, machine=machine, root=False)["bubblewrap"]
    # Root needs no user namespace.
    assert mend not in advise({"bubblewrap": FAILS}, machine=machine, root=True)["bubblewrap"]


def test_in_a_container_it_names_the_flags(machine):
    (machine / ".dockerenv").touch()
    ordinary = advise({"bubblewrap": FAILS}, machine=machine, root=False)["bubblewrap"]
    assert "seccomp=unconfined" in ordinary
    assert "SYS_ADMIN" not in ordinary
    assert "SYS_ADMIN" in advise({"bubblewrap": FAILS}, machine=machine, root=True)["bubblewrap"]
    assert "Docker" in advise({"landlock": "none"}, machine=machine, root=False)["landlock"]


def test_each_missing_wall_has_its_line(machine):
    missing = dict.fromkeys(("bubblewrap", "uid", "landlock", "seccomp", "all"), "for some reason")
    advice = advise(missing, machine=machine)
    assert advice.keys() == missing.keys()
    assert len(set(advice.values())) == len(missing)
    assert not any("\n" in line for line in advice.values())


def test_what_is_missing_begins_outside():
    found = isolation(0, bubblewrap=NOT_INSTALLED, seccomp="none")
    assert list(missing_walls(found).items()) == [("bubblewrap", NOT_INSTALLED), ("seccomp", "none")]
    assert missing_walls(isolation(3, uid="none")) == {"uid": "none"}
    elsewhere = isolation(0, bubblewrap="walls stand on Linux only", all="walls stand on Linux only")
    assert list(missing_walls(elsewhere)) == ["all"]


def test_a_refusal_names_what_would_raise_the_level_and_no_more():
    two = refusal(isolation(0, bubblewrap=NOT_INSTALLED, uid="none", landlock="none"), 2)
    assert "landlock: " in two
    assert "bubblewrap: " not in two
    assert "uid: " not in two
    three = refusal(isolation(2, bubblewrap=NOT_INSTALLED, uid="none"), 3)
    assert "isolation level 2" in three
    assert "asks for 3" in three
    assert "bubblewrap: " in three
    assert "uid: " not in three
    assert "\n" not in three


def test_a_refusal_without_a_missing_wall_names_the_hole():
    assert f"a worker can {STAT}" in refusal(isolation(2, open_=STAT), 3)
