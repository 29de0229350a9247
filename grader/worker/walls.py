"""The walls around one worker.

What can be computed is computed once, in the forkserver (`prepare`). A child that was just forked goes
behind the walls with about twenty system calls (`Walls.enter`), before it has read a byte of a submission.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from grader.worker import landlock, seccomp
from grader.worker._libc import (
    PR_GET_DUMPABLE,
    PR_SET_DUMPABLE,
    PR_SET_KEEPCAPS,
    PR_SET_PDEATHSIG,
    WallError,
    libc,
    prctl,
)
from grader.worker.libraries import covered
from grader.worker.limits import ResourceLimits, address_space, apply

__all__ = ["ALL_WALLS", "WallError", "Walls", "not_dumpable", "prepare", "refuse_covering"]

# In the order in which they are put up.
ALL_WALLS = (
    "descriptors",  # /dev/null, and the one that leads to the examiner
    "session",  # no terminal, a process group of its own
    "uid",  # nobody else's user; asked for where the grader is root
    "capabilities",
    "parent",  # dies when the forkserver does
    "not dumpable",  # no debugger, no core, /proc/self closed
    "limits",
    "landlock",
    "seccomp",
)

# Far above what systems give to people; then, for containers that map only the first 65,536, what is
# free there between people's and systemd's.
_UIDS = (range(1_000_000_000, 1_500_000_000), range(40_000, 50_000))
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_THREADS_OF_CUDA = 512


@dataclass(frozen=True)
class Walls:
    """What every child of this forkserver goes behind. Made by `prepare`."""

    limits: ResourceLimits
    missing: Mapping[str, str]
    _null: int
    _address_space: int | None
    _rlimits: Sequence[tuple[int, tuple[int, int]]]
    _uids: range | None
    _first: int
    _reads_past_modes: bool
    _ruleset: int | None
    _landlock: int
    _program: seccomp.Program | None
    _capabilities: tuple[ctypes.Array[ctypes.c_uint32], ctypes.Array[ctypes.c_uint32]] = field(repr=False)

    def enter(
        self, *, number: int, descriptor: int, parent: int, limits: Mapping[str, float] | None = None
    ) -> list[str]:
        """Go behind the walls, for good. To be called in a fresh child of the process that prepared them.

        Args:
            number: which worker of the forkserver this is; two that live at once need different ones.
            descriptor: the one that stays open, besides 0, 1 and 2, which become /dev/null.
            parent: the forkserver's pid.
            limits: fields of `ResourceLimits` in which this worker differs from the others.

        Returns:
            The walls that stand, by name. Those that cannot stand on this machine are in `missing`.

        Raises:
            WallError: a wall that can stand here was refused. The child must exit.
        """
        standing: list[str] = []
        steps: tuple[tuple[str, Callable[[], object]], ...] = (
            ("descriptors", lambda: self._close_descriptors(descriptor)),
            ("session", os.setsid),
            ("uid", lambda: self._change_user(number)),
            ("capabilities", self._drop_capabilities),
            # A change of user clears the two that follow, so they come after it.
            ("parent", lambda: _die_with(parent)),
            ("not dumpable", not_dumpable),
            ("limits", lambda: apply(self._rlimits_with(limits))),
            ("landlock", self._restrict_files),
            ("seccomp", self._filter_calls),
        )
        for name, put_up in steps:
            if name in self.missing:
                continue
            try:
                put_up()
            except (OSError, ValueError) as error:
                raise WallError(f"the wall {name!r} does not stand: {error}") from error
            standing.append(name)
        return standing

    def _rlimits_with(self, limits: Mapping[str, float] | None) -> Iterable[tuple[int, tuple[int, int]]]:
        if not limits:
            return self._rlimits
        return replace(self.limits, **limits).rlimits(self._address_space)  # type: ignore[arg-type]  # its fields by name

    def close(self) -> None:
        """Give back the forkserver's descriptors."""
        os.close(self._null)
        if self._ruleset is not None:
            os.close(self._ruleset)

    def uid_of(self, number: int) -> int | None:
        """The user that a worker becomes; None where it stays the forkserver's."""
        if self._uids is None:
            return None
        return self._uids[(self._first + number) % len(self._uids)]

    def _close_descriptors(self, descriptor: int) -> None:
        if descriptor < 3:
            raise ValueError("descriptors 0, 1 and 2 lead nowhere in a worker: it needs another")
        for standard in range(3):
            os.dup2(self._null, standard)
        stay = sorted({descriptor} if self._ruleset is None else {descriptor, self._ruleset})
        for below, above in zip([2, *stay], [*stay, 1 << 20], strict=True):
            os.closerange(below + 1, above)

    def _change_user(self, number: int) -> None:
        uid = self.uid_of(number)
        if uid is None:
            return
        if self._reads_past_modes:
            prctl(PR_SET_KEEPCAPS, 1)
        _become(uid)

    def _drop_capabilities(self) -> None:
        _check(libc.capset(*self._capabilities))

    def _restrict_files(self) -> None:
        assert self._ruleset is not None
        landlock.restrict(self._ruleset, version=self._landlock)
        os.close(self._ruleset)

    def _filter_calls(self) -> None:
        assert self._program is not None
        seccomp.load(self._program)


def prepare(
    readable: Sequence[str],
    limits: ResourceLimits,
    *,
    profile: seccomp.Profile = "cpu",
    devices: Sequence[str] = (),
) -> Walls:
    """Compute what the workers need to go behind their walls. Once, in the forkserver, all imports done.

    Args:
        readable: the only files and folders that a worker may read (`libraries.readable_paths`).
        limits: what a worker may use.
        profile: "cuda" lets a worker start threads and drive devices, and holds no limit of memory.
        devices: device files that a worker may write to, besides /dev/null.

    Raises:
        WallError: this is no Linux, or workers could not read what they need.
    """
    if sys.platform != "linux":
        raise WallError("workers are walled off on Linux only")
    missing: dict[str, str] = {}
    uids, reads_past_modes = None, False
    if os.geteuid() != 0:
        missing["uid"] = "only root can give workers users of their own: they are this user's"
    else:
        uids, reads_past_modes = _free_users(readable)
        if reads_past_modes and not _holds(_CAP_DAC_READ_SEARCH):
            raise WallError(
                "workers have users of their own, and these cannot read the interpreter or torch: install them "
                "where everybody may read, or run the grader as an ordinary user"
            )
        if uids is None:
            missing["uid"] = "no other user is mapped here, so that a worker stays root, without its powers"
    program = None
    if reason := seccomp.supported():
        missing["seccomp"] = reason
    else:
        program = seccomp.build_program(profile)
    version = landlock.abi()
    ruleset = None
    if version:
        ruleset = landlock.build_ruleset(readable, ["/dev/null", *devices], version=version)
    else:
        missing["landlock"] = "this kernel has no Landlock, or it is switched off"
    if profile == "cuda" and limits.processes == 0:
        # The driver's threads count. Of a user that others use too, nobody knows how many it has.
        limits = replace(limits, processes=_THREADS_OF_CUDA if uids else None)
    _fill_import_caches()
    space = address_space() if profile == "cpu" else None
    return Walls(
        limits=limits,
        missing=missing,
        _null=os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC),
        _address_space=space,
        _rlimits=limits.rlimits(space),
        _uids=uids,
        # Forkservers that run beside each other should not share users: they do not know of each other.
        _first=int.from_bytes(os.urandom(4), "little"),
        _reads_past_modes=reads_past_modes,
        _ruleset=ruleset,
        _landlock=version,
        _program=program,
        _capabilities=_capability_sets([_CAP_DAC_READ_SEARCH] if reads_past_modes else []),
    )


def refuse_covering(readable: Iterable[str], hidden: Iterable[str]) -> None:
    """See to it that no worker may read what is hidden.

    Args:
        readable: what workers may read.
        hidden: the course, the grader's package, gradebooks.

    Raises:
        WallError: one of them lies in a place that workers may read.
    """
    for path, opened in covered(readable, hidden):
        raise WallError(f"{path} must be hidden from submissions, but they may read {opened}, which holds it")


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _die_with(parent: int) -> None:
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The forkserver may have died before the kernel knew what to do then.
    if os.getppid() != parent:
        raise OSError("the forkserver is gone")


def not_dumpable() -> None:
    """Close the calling process to debuggers, and its files in /proc to all but root.

    Raises:
        OSError: the kernel refuses.
    """
    prctl(PR_SET_DUMPABLE, 0)
    if prctl(PR_GET_DUMPABLE) != 0:
        raise OSError("the process stays dumpable")


def _free_users(readable: Sequence[str]) -> tuple[range | None, bool]:
    """User ids that workers can have, and whether these need a capability to read what they may read."""
    for uids in _UIDS:
        outcome = _as_user(uids[0], readable)
        if outcome != _NO_SUCH_USER:
            return uids, outcome == _CANNOT_READ
    return None, False


_CAN_READ, _CANNOT_READ, _NO_SUCH_USER = range(3)


def _as_user(uid: int, readable: Sequence[str]) -> int:
    """Try in a child whether another user can read the files.

    Often it cannot: an interpreter in root's home lies in a folder that is closed to all others. Workers
    then keep one capability, which reads past the modes of files. It opens nothing that Landlock does not,
    and the calls that would go around Landlock with it are not on seccomp's list.
    """
    child = os.fork()
    if child == 0:
        outcome = _NO_SUCH_USER
        try:
            _become(uid)
            outcome = _CANNOT_READ
            for path in readable:
                os.close(os.open(path, os.O_RDONLY))
            outcome = _CAN_READ
        finally:
            os._exit(outcome)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _capability_sets(
    kept: Sequence[int],
) -> tuple[ctypes.Array[ctypes.c_uint32], ctypes.Array[ctypes.c_uint32]]:
    """The two arguments of capset: the process itself, and effective, permitted and inheritable sets."""
    low = sum(1 << capability for capability in kept)
    return (
        (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0),
        (ctypes.c_uint32 * 6)(low, low, 0, 0, 0, 0),
    )


def _holds(capability: int) -> bool:
    header, sets = _capability_sets([])
    _check(libc.capget(header, sets))
    return bool(sets[1] >> capability & 1)  # the lower half of the permitted set


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _fill_import_caches() -> None:
    """Have the import system list the folders of sys.path: a worker may import from them, not list them."""
    importlib.machinery.PathFinder.find_spec("a_module_that_nobody_has")
