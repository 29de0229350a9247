"""What is printed: laid out by rich on a terminal, plain text in a pipe or a file."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import click

__all__ = ["is_terminal", "show_code", "show_markdown", "show_table"]

_DISPLAYED = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_INLINE = re.compile(r"\$([^$\n]+)\$")


def is_terminal() -> bool:
    """Whether somebody is looking, rather than another program reading."""
    return sys.stdout.isatty()


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """A table; in a pipe one line a row, its cells parted by tabs.

    Args:
        columns: their headings.
        rows: as many cells each as there are columns.
        numbers: the columns to be set flush right.
    """
    if not is_terminal():
        for row in (columns, *rows):
            click.echo("\t".join(" ".join(cell.split()) for cell in row))
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def show_markdown(text: str) -> None:
    """Markdown; in a pipe as it was written."""
    if not is_terminal():
        click.echo(text.strip())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    # To Markdown the backslashes and underscores of a formula are its own: as code, it leaves them alone.
    text = _DISPLAYED.sub(lambda found: f"\n```latex\n{found[1].strip()}\n```\n", text)
    text = _INLINE.sub(r"`\1`", text)
    Console().print(Markdown(text, code_theme="ansi_dark"))


def show_code(source: str) -> None:
    """Python; in a pipe as a fenced block, so that it goes with the Markdown around it."""
    if not is_terminal():
        click.echo(f"```python\n{source.rstrip()}\n```")
        return
    from rich.console import Console
    from rich.syntax import Syntax

    code = Syntax(source.rstrip(), "python", theme="ansi_dark", background_color="default", word_wrap=True)
    Console().print(code)
