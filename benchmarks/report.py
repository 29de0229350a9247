"""How large the class report gets, and how long Chromium takes to open it.

    python benchmarks/report.py [--students 1000] [--exercises 14 --exercises 96] [--runs 5]

Needs Chromium on the machine, and playwright to drive it.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import click
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the made-up classes are those of the tests

from grader.gradebook.report import write_report
from tests.gradebook.report.a_class import a_class, titles_of

_COLUMNS = (
    "students",
    "exercises",
    "written s",
    "file MB",
    "elements",
    "open s",
    "least .. most",
    "a page s",
)

# Painted, and the script has run: what is clicked from then on answers.
_UNTIL_READY = """() => new Promise((done) => {
    const look = () => 'ready' in document.documentElement.dataset
        ? requestAnimationFrame(() => setTimeout(() => done(performance.now() / 1000)))
        : setTimeout(look, 1);
    look();
})"""

# The first page of a student reads the data of them all.
_FIRST_PAGE = """(slug) => new Promise((done) => {
    const start = performance.now();
    window.addEventListener('hashchange', () => requestAnimationFrame(() => setTimeout(
        () => done((performance.now() - start) / 1000))));
    location.hash = slug;
})"""


@click.command()
@click.option("--students", type=int, default=1000, show_default=True)
@click.option("--exercises", type=int, multiple=True, default=(14, 96), show_default=True)
@click.option("--runs", type=int, default=5, show_default=True)
def main(students: int, exercises: tuple[int, ...], runs: int) -> None:
    """Write class reports and open them."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        raise click.ClickException("there is no Chromium on this machine: install it")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable)
        click.echo(f"Chromium {browser.version}, load average {os.getloadavg()[0]:.1f}, medians of {runs}\n")
        click.echo("  ".join(_COLUMNS))
        for count in exercises:
            path = Path(folder, f"{count}.html")
            marks = a_class(students, count)
            start = time.perf_counter()
            write_report(marks, titles_of(count), path)
            written = time.perf_counter() - start
            opened, page, elements = _measure(browser, path, runs)
            cells = (
                f"{students}",
                f"{count}",
                f"{written:.2f}",
                f"{path.stat().st_size / 1e6:.2f}",
                f"{elements}",
                f"{statistics.median(opened):.2f}",
                f"{min(opened):.2f} .. {max(opened):.2f}",
                f"{statistics.median(page):.2f}",
            )
            click.echo("  ".join(cell.rjust(len(name)) for cell, name in zip(cells, _COLUMNS, strict=True)))
        browser.close()


def _measure(browser: Browser, path: Path, runs: int) -> tuple[list[float], list[float], int]:
    """Seconds until the report can be used, seconds until a first student's page is painted, elements."""
    opened, first, elements = [], [], 0
    for _ in range(runs):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(path.as_uri(), wait_until="commit")
        opened.append(page.evaluate(_UNTIL_READY))
        elements = page.evaluate("document.querySelectorAll('*').length")
        link = page.evaluate("document.querySelector('.heat a').getAttribute('href')")
        first.append(page.evaluate(_FIRST_PAGE, link))
        context.close()
    return opened, first, elements


if __name__ == "__main__":
    main()
