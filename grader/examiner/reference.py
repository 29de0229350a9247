"""The reference's names, in this process."""

from __future__ import annotations

import sys
import types
from typing import Any


class Reference:
    """`reference.softmax` is the right answer; `reference.props` holds the names of `props.py`."""

    def __init__(self, exercise: str, source: str, props: str | None) -> None:
        self._module = run_module(f"reference_{exercise}", source)
        self.props = None if props is None else run_module(f"props_{exercise}", props)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._module, name)


def run_module(name: str, source: str) -> types.ModuleType:
    """Run trusted source as a module of its own. The file name says which, for tracebacks."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, f"{name}.py", "exec", dont_inherit=True), module.__dict__)
    return module
