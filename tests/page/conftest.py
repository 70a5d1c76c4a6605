"""The page in a real browser, watched while a server's answers change."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from dev.screenshots.browser import chromium
from dev.screenshots.examples import incident
from dev.screenshots.server import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page


@dataclass
class Watched:
    """A page that somebody has opened, its server, and what the browser reported."""

    server: PageServer
    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """Return the visible text of the first match."""
        return self.page.locator(selector).first.inner_text()

    def wait_for(self, selector: str, text: str) -> None:
        """Wait until a part of the page shows a string."""
        self.page.locator(selector, has_text=text).first.wait_for(timeout=10_000)

    def pass_time(self, seconds: int) -> None:
        """Let the page's clock run, second by second, with time for the server's answers in each."""
        for _ in range(seconds):
            self.page.clock.run_for(1_000)
            self.page.evaluate("() => fetch('page').then(() => {}, () => {})")

    def hide(self, *, hidden: bool) -> None:
        """Put another tab before this one, or this one before the other."""
        self.page.evaluate(
            "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
            " document.dispatchEvent(new Event('visibilitychange')); }",
            hidden,
        )


class Watch(Protocol):
    def __call__(
        self,
        live: dict[str, Any] | None = None,
        *,
        fragment: str | None = None,
        width: int = 1280,
        frozen: bool = False,
        refusal: int | None = None,
    ) -> Watched: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: while its driver runs, nothing else on this thread can start an event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as driver, driver.chromium.launch(executable_path=chromium()) as started:
        yield started


@pytest.fixture
def watch(browser: Browser) -> Iterator[Watch]:
    """Open the page on an example call; all is closed after the test."""
    with ExitStack() as stack:

        def opened(
            live: dict[str, Any] | None = None,
            *,
            fragment: str | None = None,
            width: int = 1280,
            frozen: bool = False,
            refusal: int | None = None,
        ) -> Watched:
            server = stack.enter_context(PageServer(live or incident(), refusal=refusal))
            context = stack.enter_context(
                browser.new_context(
                    viewport={"width": width, "height": 900},
                    reduced_motion="reduce",
                    locale="en-GB",
                    timezone_id="Europe/London",
                )
            )
            page = context.new_page()
            watched = Watched(server, page)

            def complain(message: ConsoleMessage) -> None:
                if message.type == "error" and "Failed to load resource" not in message.text:
                    watched.complaints.append(message.text)

            page.on("request", lambda request: watched.requested.append(request.url))
            page.on("console", complain)
            page.on("pageerror", lambda error: watched.complaints.append(str(error)))
            if frozen:
                now = time.time()
                page.clock.install(time=now)
                page.clock.pause_at(now + 1)
            page.goto(server.url if fragment is None else server.url_with(fragment))
            page.locator("#shown:not([hidden]), #notice:not([hidden])").first.wait_for(timeout=10_000)
            return watched

        yield opened
