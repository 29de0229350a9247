"""Gradings on a Ray cluster, for those who outgrow one machine.

Ray does what a cluster asks for: it places tasks, counts GPUs, and does a task again whose node died. A task is to
hand a submission's answers to a process that grades (`grader.engine.ray_task`), which lives on in Ray's worker from
task to task. torchgrade must be installed on every node, in one version; the course travels with the tasks.
"""

from __future__ import annotations

import os
import secrets
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import chdir, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grader.errors
from grader.engine.pool import cores
from grader.engine.summary import versions
from grader.engine.tasks import Done, EngineSetting, Task, done_from
from grader.errors import DeviceError, GraderError, UngradedError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["GPUS_PER_TASK", "RayEngine"]

GPUS_PER_TASK = 0.25
"""The share of a GPU that a task takes, if nothing else is said."""
_AHEAD = 2
"""Tasks in flight for each that can run at once: the next one waits at the node."""
_RETRIES = 3
"""How often Ray does a task again whose node or process died."""
_COUNT_SECONDS = 10.0
"""Nodes come and go: so often they are counted."""
_PATIENCE_SECONDS = 120.0
"""So long a run waits for another node when the last one that could grade is gone."""
_REACH_SECONDS = 5.0


class RayEngine:
    """Grades on a Ray cluster.

    Args:
        setting: course, device, language.
        jobs: tasks at once; None for as many as the cluster has CPUs, or GPU shares.
        address: of a running cluster, "host:port"; None for the one that RAY_ADDRESS names, or else for one
            that is started on this machine and ends with the run.
        gpus: the share of a GPU that a task takes, where the device is one.
    """

    def __init__(
        self,
        setting: EngineSetting,
        jobs: int | None = None,
        address: str | None = None,
        gpus: float = GPUS_PER_TASK,
    ) -> None:
        self.setting = setting
        self.jobs = jobs
        self.address = address or os.environ.get("RAY_ADDRESS") or None
        self.gpus = gpus if setting.device.startswith("cuda") else 0.0

    def grade(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """See `Engine.grade`.

        Raises:
            UsageError: Ray is not installed, or no cluster can be joined at the address.
            DeviceError: the cluster has no GPU, and one is asked for.
            UngradedError: a node cannot grade as this machine would, or none is left.
        """
        # A cluster is asked for a task only: a class that is graded already needs none.
        tasks = iter(tasks)
        first = next(tasks, None)
        if first is None:
            return
        if self.address is not None:
            _reach(self.address)
        ray = _ray(alone=self.address is None)
        joined = not ray.is_initialized()
        try:
            if joined:
                self._join(ray)
            yield from _Running(self, ray, _chained(first, tasks))
        finally:
            if joined:
                ray.shutdown()

    def _join(self, ray: ModuleType) -> None:
        here: dict[str, Any] = {"num_cpus": self.jobs or cores(), "include_dashboard": False}
        try:
            # Ray would have its workers import from the folder that this process runs in, and that may be the
            # class's, with a student's torch.py in it.
            with chdir("/"):
                ray.init(
                    address=self.address or "local",
                    log_to_driver=False,
                    logging_level="critical",
                    **(here if self.address is None else {}),
                )
        except (Exception, SystemExit) as error:
            if (
                "AuthenticationError"
                in f"{error!r} {error.__cause__!r} {error.__context__!r} {error.__cause__}"
            ):
                raise UsageError(
                    f"the Ray cluster at {self.address} wants its token: set RAY_AUTH_MODE=token, and "
                    "RAY_AUTH_TOKEN to what `ray get-auth-token` prints on its head"
                ) from None
            if self.address is None:
                raise UngradedError(f"Ray cannot be started here ({_last_line(error)})") from None
            raise UsageError(
                f"the Ray cluster at {self.address} cannot be joined from here ({_last_line(error)}): run the command "
                f"on a machine of the cluster, which `ray start --address={self.address}` makes of this one"
            ) from None


class _Running:
    """One run: what is in flight, and how much may be."""

    def __init__(self, engine: RayEngine, ray: ModuleType, tasks: Iterator[Task]) -> None:
        self.engine = engine
        self.ray = ray
        self.tasks = tasks
        self.in_flight: dict[Any, int] = {}
        self.counted = self.could_grade = time.monotonic()
        self.slots = self._count()
        if not self.slots:
            if engine.gpus:
                raise DeviceError(
                    "no node of the Ray cluster has a GPU to give: leave --device out, or start nodes with --num-gpus"
                )
            raise UngradedError("no node of the Ray cluster has a CPU to give: start nodes with --num-cpus")

    def __iter__(self) -> Iterator[Done]:
        from grader.engine.ray_task import grade_remotely

        remote = self.ray.remote(
            num_cpus=1,
            num_gpus=self.engine.gpus,
            max_retries=_RETRIES,
            # Or each task on a GPU would cost a Ray worker, and a start of all that grades in it.
            max_calls=0,
        )(grade_remotely)
        setting = self.engine.setting.to_record()
        wanted = versions().model_dump()
        course = self.ray.put(_packed(self.engine.setting))
        while True:
            while len(self.in_flight) < self._at_once() and (task := next(self.tasks, None)) is not None:
                self.in_flight[remote.remote(setting, wanted, course, task.to_record())] = task.number
            if not self.in_flight:
                return
            ready, _ = self.ray.wait(list(self.in_flight), num_returns=1, timeout=_COUNT_SECONDS)
            while ready:
                # Named no longer than needed: what a name holds, Ray keeps.
                reference = ready.pop()
                yield self._done(reference, self.in_flight.pop(reference))
                del reference

    def _at_once(self) -> int:
        if time.monotonic() - self.counted > _COUNT_SECONDS:
            self.slots = self._count()
        if self.slots:
            self.could_grade = time.monotonic()
        elif time.monotonic() - self.could_grade > _PATIENCE_SECONDS:
            raise UngradedError(
                "no node of the Ray cluster is left that can grade: start another, and the same command again"
            )
        # Where the number is the user's, none may wait at a node that has room for it.
        return _AHEAD * self.slots if self.engine.jobs is None else self.engine.jobs

    def _count(self) -> int:
        self.counted = time.monotonic()
        found = self.ray.cluster_resources()
        slots = found.get("CPU", 0.0)
        if self.engine.gpus:
            slots = min(slots, found.get("GPU", 0.0) / self.engine.gpus)
        return int(slots)

    def _done(self, reference: Any, number: int) -> Done:
        try:
            record = self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            raise UngradedError(_failure(error)) from None
        except self.ray.exceptions.RayError as error:
            reason = f"the node that graded it was lost, {_RETRIES + 1} times over ({type(error).__name__})"
            return Done(number, (), 0, reason)
        if "failed" in record:
            kind = getattr(grader.errors, record["failed"], UngradedError)
            raised: GraderError = kind.__new__(kind)
            GraderError.__init__(raised, record["message"])
            raise raised
        return done_from(record)


def _packed(setting: EngineSetting) -> bytes:
    from grader.engine.course_copy import pack

    return pack(Path(setting.course))


def _chained(first: Task, rest: Iterator[Task]) -> Iterator[Task]:
    # itertools.chain would hold the first for the whole run.
    yield first
    del first
    yield from rest


def _failure(error: Exception) -> str:
    if "No module named 'grader" in str(error):
        return (
            f"a node of the Ray cluster has no torchgrade {versions().torchgrade}: install it on every node"
        )
    return f"{_last_line(error)}: this is a fault of torchgrade"


def _last_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def _reach(address: str) -> None:
    """Knock at a cluster's door. Ray itself would knock for minutes.

    Raises:
        UsageError: nobody answers, or nobody of Ray's kind.
    """
    host, _, port = address.rpartition(":")
    if "//" in address or not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UsageError(
            f"{address!r} is no address of a Ray cluster: host:port is, as `ray start` prints it"
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH_SECONDS) as door:
            if os.environ.get("RAY_USE_TLS", "0") == "0":
                # HTTP/2's greeting and empty settings; who speaks it answers with settings, of type 4.
                door.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
                if door.recv(9)[3:4] != b"\x04":
                    raise OSError("something else does")
    except OSError as error:
        raise UsageError(
            f"no Ray cluster answers at {address} ({error.strerror or error}): start one with `ray start --head`, or "
            "leave --ray-address out"
        ) from None


def _ray(*, alone: bool) -> ModuleType:
    if sys.platform == "win32":
        raise UsageError("--engine ray needs Linux or macOS")
    # Nothing is to be sent anywhere; and Ray is to say nothing of a change to come, which is about tasks without
    # GPUs on machines with some.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray's ports are open to the network, and whoever may talk to them may read the course. `ray start` asks for a
    # token where the user has one; a program that joins has to be told. Ray reads this when it is imported.
    # To another's cluster a token is sent where the user says so (RAY_AUTH_MODE=token): one that asks for none keeps
    # who sends one waiting.
    if alone and "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
        os.environ["RAY_AUTH_MODE"] = "token"
    with suppress(ModuleNotFoundError):
        import ray

        return ray
    raise UsageError("Ray is not installed: pip install 'torchgrade[ray]', or leave --engine ray out")
