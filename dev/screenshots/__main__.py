"""Takes the documentation's pictures of the page: ``make screenshots``.

``--all FOLDER`` takes every example at four widths in both colour schemes instead, to look at after a change.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error, sync_playwright

from dev.screenshots.browser import chromium
from dev.screenshots.examples import empty, ended, incident
from dev.screenshots.server import PageServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTHS = (320, 768, 1280, 1920)
SCHEMES = ("light", "dark")
# Text with coloured edges makes a PNG twice as large.
_ARGUMENTS = ["--disable-lcd-text"]


@contextmanager
def _opened(browser: Browser, server: PageServer, width: int, height: int, scheme: str) -> Iterator[Page]:
    with browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="Europe/London",
    ) as context:
        page = context.new_page()
        page.goto(server.url)
        page.locator("#shown").wait_for()
        yield page


def _for_documentation(browser: Browser) -> None:
    IMAGES.mkdir(exist_ok=True)
    for name, width, height, scheme in (("wide", 1200, 680, "light"), ("phone", 390, 800, "dark")):
        with PageServer(incident()) as server, _opened(browser, server, width, height, scheme) as page:
            page.screenshot(path=IMAGES / f"page-{name}.png")
            print(f"docs/images/page-{name}.png")


def _all(browser: Browser, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, example in (
        ("incident", incident),
        ("ended", ended),
        ("empty", empty),
        ("lost", incident),
        ("closed", empty),
    ):
        for width in WIDTHS:
            for scheme in SCHEMES:
                with PageServer(example()) as server, _opened(browser, server, width, 900, scheme) as page:
                    if name == "lost":
                        server.switch_off()
                        page.locator("#notice").wait_for()
                    if name == "closed":
                        page.goto(server.url_with(""))
                        page.locator("#notice").wait_for()
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(prog="dev.screenshots", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    program = chromium()
    if program is None:
        parser.exit(1, "No Chromium here. Install it (Debian: apt-get install chromium), then try again.\n")
    with ExitStack() as stack:
        driver = stack.enter_context(sync_playwright())
        try:
            browser = stack.enter_context(driver.chromium.launch(executable_path=program, args=_ARGUMENTS))
        except Error:
            parser.exit(1, f"{program} does not start as Chromium. Let CHROMIUM name one that does.\n")
        try:
            if arguments.all is None:
                _for_documentation(browser)
            else:
                _all(browser, arguments.all)
        except OSError as error:
            parser.exit(1, f"The pictures can't be written to {error.filename} ({error.strerror}).\n")


if __name__ == "__main__":
    main()
