from __future__ import annotations

import faulthandler
import json
import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest


class ForkedProcess:
    """Runs a function in a fork, for what it does to the process cannot be undone."""

    status: int = 0

    def __call__(self, function: Callable[[int], Any]) -> Any:
        """What the function returns, by way of JSON. It is given the descriptor that the answer takes."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            faulthandler.disable()  # a child that dies is what a test is after
            try:
                answer = {"returned": function(writer)}
            except BaseException as error:
                answer = {"raised": repr(error), "trace": traceback.format_exc()}
            try:
                os.write(writer, json.dumps(answer).encode())
            finally:
                os._exit(0)
        os.close(writer)
        message = b""
        while piece := os.read(reader, 1 << 16):
            message += piece
        os.close(reader)
        _, self.status = os.waitpid(child, 0)
        answer = json.loads(message or "{}")
        assert "raised" not in answer, answer["trace"]
        return answer.get("returned")


@pytest.fixture
def in_a_fork() -> ForkedProcess:
    return ForkedProcess()


@pytest.fixture
def outcome() -> Callable[..., str]:
    """The name of the error that a call raises, or "done"."""

    def named(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> str:
        try:
            function(*arguments, **keywords)
        except BaseException as error:
            return type(error).__name__
        return "done"

    return named
