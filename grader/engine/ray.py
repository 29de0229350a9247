"""Gradings on a Ray cluster, for those who outgrow one machine.

Ray does what a cluster asks for: it places tasks, counts GPUs, and does a task again whose node died. Here is only
what a task is: hand some answers to a process that grades (`grader.engine.node`), which lives on in Ray's worker
from task to task. torchgrade must be installed on every node; the course travels with the tasks.
"""

from __future__ import annotations

import atexit
import hashlib
import io
import os
import select
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grader.errors
from grader.course.load import COURSE_FILE, SOLUTIONS, STUBS
from grader.engine.node import Node, NodeLost
from grader.engine.tasks import Done, EngineSetting, Task, done_from, task_from
from grader.errors import GraderError, UngradedError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["RayEngine"]

_AHEAD = 2
"""Tasks in flight for each that can run at once: the next one waits at the node."""
_RETRIES = 3
"""How often Ray does a task again whose node or process died."""
_TRIALS = 2


class RayEngine:
    """Grades on a Ray cluster.

    Args:
        setting: course, device, language.
        jobs: tasks at once; None for as many as the cluster has CPUs, or GPU shares.
        address: of a running cluster; None joins the one that Ray finds, or starts one on this machine.
        gpus: the share of a GPU that a task takes, where the device is one.
    """

    def __init__(
        self, setting: EngineSetting, jobs: int | None = None, address: str | None = None, gpus: float = 0.25
    ) -> None:
        self.setting = setting
        self.jobs = jobs
        self.address = address
        self.gpus = gpus if setting.device.startswith("cuda") else 0.0

    def grade(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """See `Engine.grade`."""
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            self._connect(ray)
        try:
            yield from self._grade(ray, iter(tasks))
        finally:
            if ours:
                ray.shutdown()

    def _connect(self, ray: ModuleType) -> None:
        try:
            ray.init(
                address=self.address,
                num_cpus=self.jobs if self.address is None else None,
                include_dashboard=False if self.address is None else None,
                log_to_driver=False,
                logging_level="error",
            )
        except Exception as error:
            where = self.address or "this machine"
            raise UsageError(
                f"no Ray cluster answers at {where} ({type(error).__name__}): start one with `ray start --head`, or "
                "leave --ray-address out"
            ) from None

    def _grade(self, ray: ModuleType, tasks: Iterator[Task]) -> Iterator[Done]:
        course = ray.put(pack(Path(self.setting.course)))
        remote = ray.remote(num_cpus=1, num_gpus=self.gpus, max_retries=_RETRIES)(_grade_remotely)
        setting = self.setting.to_record()
        at_once = _AHEAD * self._slots(ray)
        waiting: dict[Any, int] = {}
        while True:
            while len(waiting) < at_once and (task := next(tasks, None)) is not None:
                waiting[remote.remote(setting, course, task.to_record())] = task.number
            if not waiting:
                return
            ready, _ = ray.wait(list(waiting), num_returns=1)
            for reference in ready:
                yield self._done(ray, reference, waiting.pop(reference))

    def _slots(self, ray: ModuleType) -> int:
        if self.jobs is not None:
            return self.jobs
        resources = ray.cluster_resources()
        slots = resources.get("GPU", 0) / self.gpus if self.gpus else resources.get("CPU", 1)
        return max(1, int(slots))

    def _done(self, ray: ModuleType, reference: Any, number: int) -> Done:
        try:
            record = ray.get(reference)
        except ray.exceptions.RayError as error:
            return Done(
                number,
                (),
                0,
                f"the node that graded it was lost, {_RETRIES} times over ({type(error).__name__})",
            )
        if "failed" in record:
            kind = getattr(grader.errors, record["failed"], UngradedError)
            raised: GraderError = kind.__new__(kind)
            GraderError.__init__(raised, record["message"])
            raise raised
        return done_from(record)


# -- on a node ---------------------------------------------------------------------------------------------

_here: dict[str, Node] = {}
"""The processes that grade in this Ray worker, by setting and course."""


def _grade_remotely(setting: dict[str, Any], course: bytes, task: dict[str, Any]) -> dict[str, Any]:
    """One task, on whichever node Ray has chosen."""
    try:
        return _answer(EngineSetting(**setting), course, task_from(task)).to_record()
    except GraderError as error:
        return {"failed": type(error).__name__, "message": error.message}


def _answer(setting: EngineSetting, course: bytes, task: Task) -> Done:
    key = hashlib.sha256(course + repr(setting).encode()).hexdigest()
    for _ in range(_TRIALS):
        node = _here.get(key)
        try:
            if node is None:
                node = _here[key] = Node(replace(setting, course=_unpacked(course)))
                atexit.register(node.close)
            node.send(task)
            while True:
                readable, writable, _ = select.select([node], [node] if node.is_writing else [], [])
                if writable:
                    node.flush()
                for done in node.receive() if readable else ():
                    return done
        except NodeLost:
            lost = _here.pop(key, None)
            if lost is not None:
                lost.close()
    return Done(task.number, (), 0, "the process that grades it was ended twice while it did")


def pack(root: Path) -> bytes:
    """A course's folder as a zip, without what is not read of it. The same course is the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [
            root / COURSE_FILE,
            *sorted((root / SOLUTIONS).rglob("*")),
            *sorted((root / STUBS).rglob("*")),
        ]:
            if path.is_file() and "__pycache__" not in path.parts:
                archive.writestr(zipfile.ZipInfo(path.relative_to(root).as_posix()), path.read_bytes())
    return packed.getvalue()


_folders: dict[str, tempfile.TemporaryDirectory[str]] = {}


def _unpacked(course: bytes) -> str:
    """A folder of this process's own with the course in it: none but this user can open it."""
    key = hashlib.sha256(course).hexdigest()
    if key not in _folders:
        _folders[key] = tempfile.TemporaryDirectory(prefix="torchgrade-course-")
        with zipfile.ZipFile(io.BytesIO(course)) as archive:
            archive.extractall(_folders[key].name)
    return _folders[key].name


def _ray() -> ModuleType:
    # Nothing is to be sent anywhere, and GPUs are not to be hidden from tasks that ask for none.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with suppress(ModuleNotFoundError):
        import ray

        return ray
    raise UsageError("Ray is not installed: pip install 'torchgrade[ray]', or leave --engine ray out")
