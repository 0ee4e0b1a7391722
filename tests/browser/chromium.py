"""Debian's Chromium, cut off from every network, and what it says of a page that it opens."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Route

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
ARGUMENTS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]
DESKTOP, PHONE = (1280, 900), (390, 844)
VIOLATIONS = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));
"""
TEXTS = "selector => [...document.querySelectorAll(selector)].map(e => e.textContent)"
SHOWN = TEXTS.replace(".map", ".filter(e => e.checkVisibility({ visibilityProperty: true })).map")
UNFOLD = "for (const fold of document.querySelectorAll('details')) fold.open = true"


@contextmanager
def launched(folder: Path) -> Iterator[Browser]:
    """A headless Chromium; where that is allowed, in a network namespace in which there is nothing to reach."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM
    program, arguments = CHROMIUM, list(ARGUMENTS)
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")  # Chromium refuses root without it
        if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode == 0:
            program = str(folder / "chromium")
            Path(program).write_text(f'#!/bin/sh\nexec unshare -n -- {CHROMIUM} "$@"\n', encoding="utf-8")
            Path(program).chmod(stat.S_IRWXU)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


class Opened:
    """A page as Chromium shows it. `requests` are those for anything but the file itself, `complaints` its errors and warnings."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        size = options.pop("size", DESKTOP)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-US", **options)
        self._context.set_offline(True)
        self._context.add_init_script(VIOLATIONS)
        self._context.route("**/*", lambda route: self._let(route, url))
        self.page: Page = self._context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(url)

    def _let(self, route: Route, url: str) -> None:
        asked = route.request.url
        if asked.partition("#")[0] == url:
            route.continue_()
        else:
            self.requests.append(asked)
            route.abort()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def close(self) -> None:
        self._context.close()

    def unfold(self) -> None:
        self.page.evaluate(UNFOLD)

    def texts(self, selector: str) -> list[str]:
        """The text of each element, blanks put together."""
        found: list[str] = self.page.evaluate(TEXTS, selector)
        return [" ".join(text.split()) for text in found]

    def shown(self, selector: str) -> list[str]:
        """The text of each element that is on the page to be read or used."""
        found: list[str] = self.page.evaluate(SHOWN, selector)
        return [" ".join(text.split()) for text in found]
