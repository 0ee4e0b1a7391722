"""A browser, and pages to open in it. What is not installed is said, and the tests that need it are left out."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import chromium, pages
from tests.node_packages import path_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Open = Callable[..., chromium.Opened]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], pages.Made]:
    """The page of that name; each is made once."""
    folder = tmp_path_factory.mktemp("pages")
    had: dict[str, pages.Made] = {}

    def page(name: str) -> pages.Made:
        if name not in had:
            had[name] = pages.made(name, folder)
        return had[name]

    return page


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if chromium.CHROMIUM is None:
        pytest.skip("no chromium is here: apt-get install chromium")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("no playwright is here: pip install '.[browser]'")
    with chromium.launched(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, made: Callable[[str], pages.Made]) -> Iterator[Open]:
    """Opens the page of a name; `made` stands beside it, with the same report for programs."""
    every: list[chromium.Opened] = []

    def page(name: str, **options: Any) -> chromium.Opened:
        every.append(chromium.Opened(browser, made(name).url, **options))
        return every[-1]

    yield page
    for one in every:
        one.close()


@pytest.fixture
def axe() -> str:
    return path_in("axe-core", "axe.min.js").read_text(encoding="utf-8")
