"""From a notebook to one module for each exercise that it answers.

A notebook is a record of work: imports, trials, plots, training loops, and somewhere among them the functions
that were asked for. For an exercise the last definition of each of its names is taken, and of the rest only
what these use: imports, helper functions, constants. What merely does something, such as a loop or a print,
is not run: it could fail for reasons of its own, or take an hour.
"""

from __future__ import annotations

import ast
import builtins
import heapq
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from grader.course.load import Exercise
from grader.course.stub import is_unedited
from grader.submission.cells import Cell, parse_quietly, python_of
from grader.submission.contents import Budget, UnreadableError, in_words
from grader.submission.decoding import refuse_too_many_marks
from grader.submission.formats import read_cells
from grader.submission.shown import for_name
from grader.submission.statements import Statement, statement_of

__all__ = ["NotebookAnswers", "Piece", "read_notebook"]

_DEFINITION = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_BUILT_IN: Final = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__builtins__"}
_NOTES_OF_A_KIND = 5
_IMPORTS_OF_A_NAME = 20


@dataclass(frozen=True, slots=True)
class Piece:
    """What a notebook answers to an exercise."""

    source: str
    notes: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class NotebookAnswers:
    """The exercises that a notebook answers, by their ids, and what there is to say of the notebook."""

    pieces: dict[str, Piece]
    notes: tuple[str, ...]


def read_notebook(data: bytes, exercises: Sequence[Exercise], budget: Budget) -> NotebookAnswers:
    """The exercises' answers in a notebook.

    Raises:
        UnreadableError: it is no notebook.
        SubmissionError: there is more code in the submission than is taken.
    """
    read = read_cells(data, budget.caps)
    budget.take_code(sum(len(cell.text.encode()) for cell in read.cells if cell.is_code))
    for cell in read.cells:
        if cell.is_code:
            try:
                refuse_too_many_marks(cell.text)
            except UnreadableError as fault:
                raise UnreadableError(f"cell {cell.number}: {fault}") from None
    asked = frozenset(name for exercise in exercises for name in exercise.names)
    notebook = _Notebook(read.cells, asked, budget.caps.notebook_statements)
    pieces = {
        exercise.id: piece
        for exercise in exercises
        if (piece := _answer(notebook, exercise, budget.caps.file_bytes)) is not None
    }
    return NotebookAnswers(pieces, (*read.notes, *notebook.notes()))


def _answer(notebook: _Notebook, exercise: Exercise, limit: int) -> Piece | None:
    roots: list[int] = []
    notes: list[str] = []
    for name in exercise.names:
        places = notebook.definitions.get(name, [])
        numbers = list(dict.fromkeys(notebook.statements[place].cell for place in places))
        broken = notebook.broken.get(name)
        if broken is not None and broken.number > max(numbers, default=0):
            # Handed on as it is, so that its author sees the error.
            fault = _too_long(broken.text, limit)
            return Piece(broken.text, (f"cell {broken.number} is not valid Python",), fault)
        roots.extend(places[-1:])
        if len(numbers) > 1:
            listed = ", ".join(map(str, numbers[:-1]))
            notes.append(f"{name} is defined in cells {listed} and {numbers[-1]}: the last one counts")
    if not roots:
        return None
    if notebook.is_unedited(exercise):
        return Piece(exercise.stub_source, tuple(notes))
    source = notebook.module(roots)
    return Piece(source, tuple(notes), _too_long(source, limit))


def _too_long(source: str, limit: int) -> str:
    size = len(source.encode())
    return f"the answer and what it uses are longer than {in_words(limit)}" if size > limit else ""


def _defined_in(cell: Cell) -> set[str]:
    return set(_DEFINITION.findall(cell.text))


class _Notebook:
    """The statements of all cells, in order, and where they give names their meaning.

    `definitions`: the places of the functions and classes of a name. `broken`: the last cell that defines it
    and is no Python.
    """

    def __init__(self, cells: Sequence[Cell], asked: frozenset[str], most: int) -> None:
        self.statements: list[Statement] = []
        self._most = most
        self.definitions: dict[str, list[int]] = {}
        self.broken: dict[str, Cell] = {}
        self._asked = asked
        self._bindings: dict[str, list[int]] = {}
        self._changes: dict[str, list[int]] = {}
        self._stars: list[int] = []
        self._futures: list[int] = []
        self._no_python: list[Cell] = []
        self._left_out: list[str] = []
        self._no_code: list[tuple[Cell, str]] = []
        for cell in cells:
            self._take(cell)

    def notes(self) -> Iterator[str]:
        """What its author should know about how it was read."""
        for cell, kind in self._no_code[:_NOTES_OF_A_KIND]:
            names = ", ".join(sorted(_defined_in(cell) & self._asked))
            yield f"cell {cell.number} is {kind}: its definition of {names} does not count"
        if self._left_out:
            count = len(self._left_out)
            shown = for_name(self._left_out[0], limit=40)
            lines = "line that is" if count == 1 else "lines that are"
            yield f"{count} {lines} for the notebook itself, such as {shown}, left out"
        for cell in self._no_python[:_NOTES_OF_A_KIND]:
            yield f"cell {cell.number} is not valid Python, and is left out"

    def is_unedited(self, exercise: Exercise) -> bool:
        """Whether what it defines of the exercise is what the stub has."""
        there = [name for name in exercise.names if name in self.definitions]
        stub = _Notebook([Cell(1, True, exercise.stub_source)], self._asked, self._most)
        return is_unedited(self._definitions_of(there), stub._definitions_of(there))

    def module(self, roots: Iterable[int]) -> str:
        """A module of these statements and of all that they use."""
        order = self._in_order(self._all_needed(roots))
        parts: list[str] = []
        cell = 0
        for place in order:
            statement = self.statements[place]
            if statement.cell != cell:
                cell = statement.cell
                parts.append(f"{'' if not parts else chr(10)}# cell {cell}")
            parts.append(statement.text)
        return "\n".join(parts) + "\n"

    def _take(self, cell: Cell) -> None:
        if not cell.is_code:
            if _defined_in(cell) & self._asked:
                self._no_code.append((cell, "text, not code"))
            return
        code = python_of(cell)
        if code.other_language:
            if _defined_in(cell) & self._asked:
                self._no_code.append((cell, f"for {for_name(code.other_language)}, and is not run"))
            return
        self._left_out.extend(code.left_out)
        tree = parse_quietly(code.text)
        if tree is None:
            broken = Cell(cell.number, True, code.text)
            defined = _defined_in(broken) & self._asked
            self.broken.update(dict.fromkeys(defined, broken))
            if not defined:
                self._no_python.append(broken)
            return
        if len(self.statements) + len(tree.body) > self._most:
            raise UnreadableError(
                f"it has more than {self._most:,} statements: hand in the exercises' cells only"
            )
        lines = [line.encode() for line in code.text.split("\n")]
        for node in tree.body:
            self._add(statement_of(cell.number, node, lines))

    def _add(self, statement: Statement) -> None:
        place = len(self.statements)
        self.statements.append(statement)
        for name in statement.binds:
            self._bindings.setdefault(name, []).append(place)
        for name in statement.defines:
            self.definitions.setdefault(name, []).append(place)
        for name in statement.changes:
            self._changes.setdefault(name, []).append(place)
        if isinstance(statement.node, ast.ImportFrom):
            if statement.node.module == "__future__":
                self._futures.append(place)
            elif statement.node.names[0].name == "*":
                self._stars.append(place)

    def _definitions_of(self, names: Sequence[str]) -> str:
        return "\n".join(self.statements[self.definitions[name][-1]].text for name in names)

    def _all_needed(self, roots: Iterable[int]) -> dict[int, set[int]]:
        """The statements needed, each with those that must run before it."""
        needed: dict[int, set[int]] = {}
        changed_from: dict[str, int] = {}
        unknown = False
        waiting = list(roots)
        while waiting:
            place = waiting.pop()
            if place in needed:
                continue
            before = needed[place] = set()
            now, later = self.statements[place].needs
            for names, runs_now in ((now, True), (later, False)):
                for name in names:
                    found = self._meaning(name, place if runs_now else None)
                    unknown = unknown or (not found and name not in _BUILT_IN)
                    waiting.extend(found)
                    if runs_now:
                        before.update(found)
            for name in self.statements[place].binds:
                changes = self._changes.get(name, [])
                done = changed_from.get(name, len(changes))
                changed_from[name] = min(done, bisect_left(changes, place))
                waiting.extend(changes[changed_from[name] : done])
                if self.statements[place].may_not:
                    waiting.extend(_before(self._bindings[name], place)[-1:])
        if unknown:
            for place in self._stars:
                needed.setdefault(place, set())
        for place in self._futures:
            needed.setdefault(place, set())
        return needed

    def _meaning(self, name: str, at: int | None) -> list[int]:
        """The statements that give the name its meaning: for the statement at a place, or in the end.

        A notebook's cells may have been run in any order: what is not there before is taken from below. A
        definition goes before a variable of the same name, such as `loss = loss(x, y)` further down.
        """
        bindings = self.definitions.get(name) or self._bindings.get(name, [])
        if at is not None:
            bindings = _before(bindings, at) or [place for place in bindings[-2:] if place != at]
        bindings = bindings[-_IMPORTS_OF_A_NAME:]
        if bindings and isinstance(self.statements[bindings[-1]].node, ast.Import):
            # `import torch` and `import torch.nn.functional` both mean torch, and both count.
            return [place for place in bindings if isinstance(self.statements[place].node, ast.Import)]
        return bindings[-1:]

    def _in_order(self, needed: dict[int, set[int]]) -> list[int]:
        """The notebook's own order, but where something is used before it is there."""
        futures = set(self._futures)
        waits_for = {place: {other for other in before if other != place} for place, before in needed.items()}
        followers: dict[int, list[int]] = {}
        for place, before in waits_for.items():
            for other in before:
                followers.setdefault(other, []).append(place)

        def rank(place: int) -> tuple[bool, int]:
            return (place not in futures, place)

        everything = [rank(place) for place in waits_for]
        heapq.heapify(everything)
        ready = [rank(place) for place, before in waits_for.items() if not before]
        heapq.heapify(ready)
        order: dict[int, None] = {}
        while everything:
            # In a circle nobody is ready: then the first of all goes.
            _, place = heapq.heappop(ready if ready else everything)
            if place in order:
                continue
            order[place] = None
            for follower in followers.get(place, ()):
                waits_for[follower].discard(place)
                if not waits_for[follower]:
                    heapq.heappush(ready, rank(follower))
        return list(order)


def _before(places: list[int], place: int) -> list[int]:
    """The places before this one, the last of them."""
    end = bisect_left(places, place)
    return places[max(0, end - _IMPORTS_OF_A_NAME) : end]
