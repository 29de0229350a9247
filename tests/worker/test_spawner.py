"""Workers where forking is not safe: the same service, an interpreter each, no walls."""

from __future__ import annotations

import pytest
import torch

from grader.errors import WorkerStartError
from grader.examiner.conversation import Clock, Conversation, WorkerLost, WorkerPort
from grader.examiner.student import Student
from grader.worker.launch import LaunchOptions, WorkerLimits, open_workers
from grader.worker.spawner import Spawner

SOURCE = """
def double(x):
    return 2 * x

def hang(x):
    while True:
        pass
"""


def test_a_spawned_worker_answers_and_is_ended_when_it_hangs() -> None:
    limits = WorkerLimits(call_seconds=1.0)
    with open_workers(LaunchOptions(walls=False, fork=False, limits=limits)) as workers:
        assert isinstance(workers, Spawner)
        assert workers.probe().level == 0
        conversation = Conversation(
            lambda: WorkerPort(workers.spawn(), limits, Clock(20.0)), SOURCE, "answer", None
        )
        conversation.begin_test(1)
        student = Student(conversation)
        x = torch.ones(2, requires_grad=True)
        student.double(x).sum().backward()
        assert torch.equal(x.grad, torch.full((2,), 2.0))
        with pytest.raises(WorkerLost, match="did not answer"):
            student.hang(x)
        conversation.close()


def test_for_marks_it_refuses() -> None:
    with pytest.raises(WorkerStartError, match="walls stand on Linux only"):
        open_workers(LaunchOptions(walls=True, fork=False)).spawn()


def test_a_worker_that_cannot_go_behind_its_walls_is_the_graders_fault() -> None:
    """Its failure comes before any line of the student's, so it cannot be forged, nor blamed on her."""
    with open_workers(LaunchOptions(limits=WorkerLimits(memory_mb=256))) as workers:
        workers.ready()
        with pytest.raises(WorkerStartError, match="cannot go behind its walls"):
            workers.spawn(limits={"no_such_limit": 1})
        workers.spawn().end()
