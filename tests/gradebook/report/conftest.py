"""A real Chromium for the tests that look at a report as its reader does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Opened:
    """A page in the browser, and what it complained of and asked the network for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def evaluate(self, script: str) -> Any:
        """What a script gives in the page."""
        return self.page.evaluate(script)

    def width(self) -> int:
        """How wide the page's content is, in pixels."""
        return int(self.evaluate("document.scrollingElement.scrollWidth"))

    def unfold(self) -> None:
        """Lay out all of it: what is off the screen, or folded away, would not be looked at."""
        self.evaluate(
            "document.querySelectorAll('#class > section').forEach((one) => {"
            " one.style.contentVisibility = 'visible'; })"
        )
        self.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    def text(self, selector: str) -> str:
        """What is to be read there."""
        return self.page.inner_text(selector)


@pytest.fixture(scope="module")  # no longer: while it stands, no other test can run an event loop of its own
def chromium() -> Iterator[Browser]:
    """The machine's own Chromium, headless."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright, which drives Chromium, is missing"
    )
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    if executable is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Opened]]:
    """Open a file; it is closed with the test."""
    contexts = []

    def open_file(
        path: Path,
        *,
        width: int = 1280,
        scheme: str = "light",
        scripts: bool = True,
        policy: bool = True,
        at: str = "",
    ) -> Opened:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            java_script_enabled=scripts,
            bypass_csp=not policy,
        )
        contexts.append(context)
        page = context.new_page()
        seen = Opened(page)
        page.on("console", lambda message: seen.errors.append(message.text))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri() + at)
        return seen

    yield open_file
    for context in contexts:
        context.close()
