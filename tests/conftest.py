"""What several rooms' tests share: one warm forkserver for the whole run, and ways to talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.examiner.conversation import Clock, Conversation, LocalPort, WorkerPort
from grader.worker.launch import Forkserver, LaunchOptions, WorkerLimits

ROOT = Path(__file__).resolve().parent.parent
LIMITS = WorkerLimits(call_seconds=5.0, exercise_seconds=20.0, memory_mb=512)

Converse = Callable[..., Conversation]


@pytest.fixture(scope="session")
def forkserver() -> Iterator[Forkserver]:
    """A forkserver with all walls that stand on this machine."""
    options = LaunchOptions(warm=("nn", "optim"), limits=LIMITS, hidden=(str(ROOT / "solutions"),))
    with Forkserver(options) as server:
        server.ready()
        yield server


@pytest.fixture
def converse_with_worker(forkserver: Forkserver) -> Iterator[Converse]:
    """Make conversations with walled workers; they end with the test."""
    opened: list[Conversation] = []

    def converse(source: str, *, props: str | None = None, limits: WorkerLimits = LIMITS) -> Conversation:
        clock = Clock(limits.exercise_seconds)
        kernel = {"memory_mb": limits.memory_mb, "cpu_seconds": limits.exercise_seconds}
        conversation = Conversation(
            lambda: WorkerPort(forkserver.spawn(limits=kernel), limits, clock), source, "answer", props
        )
        opened.append(conversation)
        return conversation

    yield converse
    for conversation in opened:
        conversation.close()


@pytest.fixture(params=["here", "worker"])
def converse(request: pytest.FixtureRequest) -> Converse:
    """The same behind both doors: trusted code in this process, and a walled worker."""
    if request.param == "worker":
        found: Converse = request.getfixturevalue("converse_with_worker")
        return found

    def locally(source: str, *, props: str | None = None) -> Conversation:
        return Conversation(LocalPort, source, "answer", props)

    return locally
