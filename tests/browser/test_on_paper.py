"""The page printed, as it is signed and filed: PDF pages from Chromium, read back with pypdf."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable

import pytest

from tests.browser.conftest import Open
from tests.browser.pages import BANNER, Made

pypdf = pytest.importorskip("pypdf", reason="no pypdf is here: pip install '.[browser]'")
A4 = {"format": "A4"}
FOOT = "Shows what was seen at one moment; it does not demonstrate compliance."


class Paper:
    """A report on paper: the words of each sheet."""

    def __init__(self, pdf: bytes) -> None:
        self.reader = pypdf.PdfReader(io.BytesIO(pdf))
        self.sheets = [" ".join(sheet.extract_text().split()) for sheet in self.reader.pages]

    @property
    def words(self) -> str:
        """All of it as letters alone: where a line or a sheet breaks, or a hyphen stands, is the printer's."""
        return letters(" ".join(self.sheets))


def letters(text: str) -> str:
    return re.sub(r"\W", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def papers() -> dict[str, Paper]:
    return {}


Printed = Callable[[str], Paper]


@pytest.fixture
def printed(opened: Open, papers: dict[str, Paper]) -> Printed:
    """The page of a name on A4, as it opens: nothing is unfolded. Each is printed once."""

    def paper(name: str) -> Paper:
        if name not in papers:
            papers[name] = Paper(opened(name).page.pdf(prefer_css_page_size=True, **A4))
        return papers[name]

    return paper


@pytest.mark.parametrize(("name", "least", "most"), [("web1", 5, 30), ("rich", 40, 120), ("several", 30, 120)])
def test_the_pages_are_numbered_and_as_many_as_they_say(name: str, least: int, most: int, printed: Printed) -> None:
    sheets = printed(name).sheets
    assert least <= len(sheets) <= most
    numbers = [re.findall(r"Page (\d+) of (\d+)", sheet) for sheet in sheets]
    assert numbers == [[(str(n), str(len(sheets)))] for n in range(1, len(sheets) + 1)]


@pytest.mark.parametrize("name", ["web1", "rich", "several"])
def test_every_sheet_says_whose_report_it_is_of_when_and_what_it_does_not_show(
    name: str, printed: Printed, made: Callable[[str], Made]
) -> None:
    finished = str(made(name).report["finished"])
    for sheet in printed(name).sheets:
        assert "Port audit of " in sheet
        assert finished in sheet
        assert FOOT in sheet


def test_a_banner_stands_on_every_sheet_at_its_head_and_its_foot(printed: Printed) -> None:
    for sheet in printed("rich").sheets:
        assert sheet.count(BANNER) >= 2
    assert BANNER not in "".join(printed("web1").sheets)


def test_the_head_of_a_table_stands_on_every_sheet_that_it_runs_over(printed: Printed) -> None:
    """Of the table of what was checked, in which these words stand."""
    sheets = [sheet for sheet in printed("rich").sheets if "judged, none failed" in sheet]
    assert len(sheets) > 2
    assert all("Outcome" in sheet for sheet in sheets)


@pytest.mark.parametrize("name", ["web1", "rich", "several"])
def test_no_sheet_is_empty_or_holds_nothing_but_a_heading(name: str, opened: Open, printed: Printed) -> None:
    sheets = printed(name).sheets
    running = len(letters(" ".join(opened(name).texts(".running"))))
    own = {n: len(letters(sheet.replace(f"Page {n} of {len(sheets)}", ""))) - running for n, sheet in enumerate(sheets, 1)}
    assert min(own.values()) > 0
    assert {n: length for n, length in own.items() if length < 100 and n < len(sheets)} == {}


@pytest.mark.parametrize("name", ["web1", "rich", "several"])
def test_every_section_finding_and_listener_is_on_paper_folded_or_not(name: str, opened: Open, printed: Printed) -> None:
    one, words = opened(name, java_script_enabled=False), printed(name).words
    assert one.page.locator("details:not([open])").count()
    for selector in (
        "header h1, main h2, main h3, main h4",
        ".finding .what code",
        ".finding dd code",
        "table.listeners tbody th > span",
        "table.listeners tbody td:nth-child(2) > code",
    ):
        texts = one.texts(selector)
        assert texts, selector
        assert not [text for text in texts if letters(text) not in words], selector


def test_a_page_that_was_filtered_and_scrolled_is_the_same_on_paper(opened: Open, printed: Printed) -> None:
    one = opened("shop")
    one.unfold()
    before = len(one.shown("table.listeners tbody tr"))
    for box in one.page.get_by_role("searchbox").all():
        box.fill("sshd")
    one.page.wait_for_function("() => document.querySelectorAll('.listeners .sifted').length")
    assert len(one.shown("table.listeners tbody tr")) < before
    one.page.evaluate("scrollTo(0, 3000)")
    filtered = Paper(one.page.pdf(prefer_css_page_size=True, **A4))
    assert filtered.words == printed("shop").words


def test_what_is_printed_is_dark_on_white_even_where_the_screen_is_dark(opened: Open) -> None:
    one = opened("web1", color_scheme="dark")
    one.page.emulate_media(media="print", color_scheme="dark")
    ink = "getComputedStyle(document.body).color.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    paper = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    assert one.page.evaluate(ink) < 150
    assert one.page.evaluate(paper) > 700


def test_the_cards_stand_in_one_row_and_what_is_signed_has_a_sheet_of_its_own(opened: Open, printed: Printed) -> None:
    one = opened("rich")
    one.page.set_viewport_size({"width": 688, "height": 1000})  # 182 mm, what the margins of A4 leave
    one.page.emulate_media(media="print")
    tops = "Array.from(document.querySelectorAll('.tally > div'), card => card.getBoundingClientRect().top)"
    assert len(set(one.page.evaluate(tops))) == 1
    assert one.page.evaluate("Array.from(document.querySelectorAll('.tally dt')).every(name => name.scrollWidth <= name.clientWidth)")
    (sheet,) = [sheet for sheet in printed("rich").sheets if "Second reviewer" in sheet]
    assert "First reviewer" in sheet
    assert "Whoever reviews this report" in sheet
    assert "What was checked" not in sheet
