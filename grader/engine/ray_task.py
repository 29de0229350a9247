"""What runs inside Ray's worker processes: a task is handed to a process that grades, which stays for the next.

A Ray worker may be killed at any moment. The process that grades then gets a signal from the kernel, and the
course's folder has a keeper; nothing here has to be tidied by hand.
"""

from __future__ import annotations

import hashlib
import os
import platform
import select
from dataclasses import replace
from typing import Any

from grader.engine.course_copy import CourseCopy
from grader.engine.node import Node, NodeLost
from grader.engine.summary import versions
from grader.engine.tasks import Done, EngineSetting, Task, task_from
from grader.errors import GraderError, UngradedError

__all__ = ["grade_remotely"]

_TRIALS = 2
"""A task that has cost so many processes their life is not tried again."""
_STARTS_IN_A_ROW = 3
"""So many processes that die before they are ready are no accident."""


class _Grader:
    """The process that grades for one setting on the GPU that Ray gave, and its course."""

    def __init__(self, setting: EngineSetting, course: bytes, key: str) -> None:
        self.key = key
        self.copy = CourseCopy(course)
        self.node = Node(replace(setting, course=self.copy.folder))

    def close(self) -> None:
        self.node.close()
        self.copy.close()


_here: _Grader | None = None


def grade_remotely(
    setting: dict[str, Any], wanted: dict[str, str], course: bytes, task: dict[str, Any]
) -> dict[str, Any]:
    """One task, on whichever node Ray has chosen.

    Args:
        setting: an `EngineSetting`; its course means nothing here.
        wanted: the versions that the receipt will name.
        course: packed.
        task: a `Task`.

    Returns:
        A `Done`, or the name and message of a `GraderError` under "failed" and "message".
    """
    try:
        _same_versions(wanted)
        return _answer(EngineSetting(**setting), course, task_from(task)).to_record()
    except GraderError as error:
        return {"failed": type(error).__name__, "message": f"{error.message} (node {platform.node()})"}


def _same_versions(wanted: dict[str, str]) -> None:
    found = versions().model_dump()
    other = [name for name in found if found[name] != wanted.get(name)]
    if other:
        theirs = ", ".join(f"{name} {found[name]}" for name in other)
        ours = ", ".join(f"{name} {wanted.get(name)}" for name in other)
        raise UngradedError(
            f"a node of the cluster has {theirs} where this machine has {ours}: install the same on all"
        )


def _answer(setting: EngineSetting, course: bytes, task: Task) -> Done:
    lost = unready = 0
    while lost < _TRIALS:
        grader = _grader(setting, course)
        try:
            return _ask(grader.node, task)
        except NodeLost:
            ready = grader.node.isolation is not None
            _drop()
        except BaseException:
            # What it has in hand nobody waits for any more, or it has said that it cannot grade at all.
            _drop()
            raise
        lost += ready
        unready += not ready
        if unready >= _STARTS_IN_A_ROW:
            raise UngradedError(
                "the process that grades ends before it is ready, time and again: try `grade doctor` there"
            )
    return Done(task.number, (), 0, "the process that grades it was ended twice while it did")


def _grader(setting: EngineSetting, course: bytes) -> _Grader:
    global _here
    # Ray may give a worker another GPU from one task to the next, and a process keeps the one that it has.
    key = hashlib.sha256(
        course + repr((setting, os.environ.get("CUDA_VISIBLE_DEVICES"))).encode()
    ).hexdigest()
    if _here is not None and _here.key != key:
        _drop()
    if _here is None:
        # The folder this runs in is whoever started Ray's to choose: no module is to be imported from there.
        os.environ["PYTHONSAFEPATH"] = "1"
        _here = _Grader(setting, course, key)
    return _here


def _drop() -> None:
    global _here
    if _here is not None:
        _here.close()
        _here = None


def _ask(node: Node, task: Task) -> Done:
    node.send(task)
    while True:
        readable, writable, _ = select.select([node], [node] if node.is_writing else [], [])
        if writable:
            node.flush()
        for done in node.receive() if readable else ():
            return done
