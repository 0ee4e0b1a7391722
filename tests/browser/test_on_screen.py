"""The page in a browser: what it asks for, what of it can be read and by whom, what its script does."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from auditor.display import harmless
from tests.browser import chromium
from tests.browser.conftest import Open
from tests.browser.pages import LISTENERS, Made

PAGES = ["web1", "rich", "several", "hostile"]
LIGHT = {"color_scheme": "light"}
DARK = {"color_scheme": "dark"}
PHONE = {"size": chromium.PHONE, "color_scheme": "light", "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_without_a_complaint_and_asks_for_nothing_but_itself(name: str, opened: Open) -> None:
    one = opened(name)
    one.unfold()
    one.page.mouse.wheel(0, 100_000)
    one.page.wait_for_load_state("networkidle")
    assert one.complaints == []
    assert one.requests == []
    assert one.page.evaluate("violations") == []
    assert one.page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)") == []
    assert one.page.evaluate("document.contentType") == "text/html"


def test_the_browser_tells_of_what_a_page_may_not_do(opened: Open) -> None:
    """So that the test above can fail."""
    one = opened("web1")
    one.page.evaluate("""() => {
        document.body.append(Object.assign(document.createElement("img"), { src: "http://192.0.2.1/x.png" }));
        document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = true" }));
    }""")
    one.page.wait_for_function("() => violations.length == 2")
    assert sorted(one.page.evaluate("violations")) == ["img-src http://192.0.2.1/x.png", "script-src-elem inline"]
    assert one.page.evaluate("window.ran === undefined")
    assert len(one.complaints) == 2


def fold_out(one: chromium.Opened) -> None:
    """Opens what is folded: the first as a reader does, by a click; the others are like it."""
    folded = one.page.locator("details:not([open])")
    count = folded.count()
    folded.locator("summary").first.click()
    assert folded.count() == count - 1
    one.unfold()
    assert len(one.shown("summary")) == one.page.locator("details").count() > 0


def listeners(made: Made) -> list[dict[str, Any]]:
    return [one for host in made.report["hosts"] for stack in host["stacks"]["seen"] for one in stack["listening"]["seen"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["web1", "rich", "several"])
def test_without_a_script_every_section_finding_and_listener_can_be_read(name: str, opened: Open, made: Callable[[str], Made]) -> None:
    one = opened(name, java_script_enabled=False)
    report: Any = made(name).report
    fold_out(one)
    assert one.shown("section > h2") == one.texts("section > h2") != []
    assert (
        one.page.evaluate("[...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).length")
        == 0
    )
    rows = Counter(one.shown("table.listeners tbody tr th"))
    assert rows.total() == len(listeners(made(name)))
    words = one.page.inner_text("main")
    for finding in report["findings"]:
        assert finding["rule"] in words, finding
        if finding["outcome"] in ("fail", "waived", "error"):
            assert (harmless(finding["subject"]) if finding["severity"] == "info" else finding["fingerprint"]) in words, finding


def test_without_a_script_nothing_is_shown_that_needs_one(opened: Open) -> None:
    one = opened("rich", java_script_enabled=False)
    fold_out(one)
    assert one.shown("button, input, select, textarea, [role=button], [aria-sort], .tools") == []


def test_the_browser_shows_what_needs_a_script_where_there_is_one(opened: Open) -> None:
    """So that the test above can fail."""
    one = opened("rich")
    one.unfold()
    assert one.shown("button")
    assert one.shown(".tools")


ROWS = "[...document.querySelector('table.listeners').tBodies[0].rows].filter(row => row.checkVisibility())"
TOOLS = ".tools:has(+ .scroll table.listeners)"


def rows(one: chromium.Opened) -> list[list[str]]:
    """The cells of the rows that are on the page, of the first table of listeners."""
    found = one.page.evaluate(f"{ROWS}.map(row => [...row.cells].map(cell => cell.textContent))")
    return [[" ".join(cell.split()) for cell in row] for row in found]


def port(row: list[str]) -> int:
    return int(re.match(r"\d+", row[2])[0])  # type: ignore[index]


def head(one: chromium.Opened, name: str) -> Any:
    return one.page.locator("table.listeners").first.locator("thead").get_by_role("button", name=name, exact=False)


def test_a_click_on_a_head_sorts_up_then_down_then_as_it_was(opened: Open) -> None:
    one = opened("rich")
    one.unfold()
    before = rows(one)
    assert len(before) > 10
    way = "document.querySelector('table.listeners [aria-sort]')?.ariaSort ?? null"
    head(one, "Address").click()
    head(one, "Port").click()
    assert one.page.evaluate(way) == "ascending"
    assert [port(row) for row in rows(one)] == sorted(port(row) for row in before)
    head(one, "Port").press("Enter")
    assert one.page.evaluate(way) == "descending"
    assert [port(row) for row in rows(one)] == sorted((port(row) for row in before), reverse=True)
    head(one, "Port").press("Space")
    assert one.page.evaluate(way) is None
    assert rows(one) == before


def test_the_filter_leaves_the_rows_with_all_its_words_and_says_how_many(opened: Open) -> None:
    one = opened("rich")
    one.unfold()
    before = rows(one)
    tools = one.page.locator(TOOLS).first
    search, count = tools.get_by_role("searchbox"), tools.get_by_role("status")
    wanted = [row for row in before if "nginx" in " ".join(row).lower() and "tcp" in " ".join(row).lower()]
    assert 0 < len(wanted) < len(before)
    search.fill("NGINX  tcp")
    one.page.wait_for_function(
        "([n, all]) => document.querySelector('.listeners').tBodies[0].querySelectorAll('.sifted').length == all - n",
        arg=[len(wanted), len(before)],
    )
    assert rows(one) == wanted
    assert count.inner_text().startswith(f"{len(wanted)} of {len(before)} shown")
    search.fill("")
    one.page.wait_for_function("() => !document.querySelector('.listeners .sifted')")
    assert rows(one) == before


def test_a_kind_that_is_unchecked_is_not_shown(opened: Open) -> None:
    one = opened("rich")
    one.unfold()
    before = rows(one)
    tools = one.page.locator(TOOLS).first
    boxes = tools.get_by_role("checkbox")
    assert boxes.count() > 1
    kind = boxes.first.get_attribute("value")
    for at in range(1, boxes.count()):
        boxes.nth(at).uncheck()
    left = rows(one)
    assert 0 < len(left) < len(before)
    kinds = one.page.evaluate(f"{ROWS}.map(row => row.dataset.kind.split('|'))")
    assert all(kind in of_row for of_row in kinds)


TICKS = "[...document.querySelectorAll('.tools:has(+ .group) input[type=checkbox]')].map(box => box.checked)"
IN_VIEW = """id => {
    const { top, bottom } = document.getElementById(id).getBoundingClientRect();
    return document.getElementById(id).checkVisibility() && bottom > 0 && top < innerHeight;
}"""


def test_a_click_on_a_link_to_a_finding_that_was_filtered_out_shows_it_and_takes_the_filter_back(opened: Open) -> None:
    one = opened("rich")
    for box in one.page.locator(".tools:has(+ .group)").get_by_role("checkbox").all():
        box.uncheck()
    assert one.shown(".finding:is(#open ~ * *)") == []
    link = one.page.locator(".verdict a[href='#finding-1']")
    for _ in range(2):
        link.click()
        one.page.wait_for_function(IN_VIEW, arg="finding-1")
        assert all(one.page.evaluate(TICKS))
        for box in one.page.locator(".tools:has(+ .group)").get_by_role("checkbox").all():
            box.uncheck()
    assert one.complaints == []


def test_the_address_of_a_finding_that_was_filtered_out_shows_it(opened: Open) -> None:
    one = opened("rich")
    one.page.locator(".tools:has(+ .group)").get_by_role("searchbox").fill("no finding has these words")
    one.page.wait_for_function("() => document.querySelectorAll('.finding.sifted').length > 4")
    one.page.evaluate("location.hash = '#finding-2'")
    one.page.wait_for_function(IN_VIEW, arg="finding-2")
    assert one.page.locator(".tools:has(+ .group)").get_by_role("searchbox").input_value() == ""


def test_a_link_to_what_is_folded_unfolds_it(opened: Open) -> None:
    one = opened("rich")
    fold = one.page.locator("details#never-shown")
    assert fold.get_attribute("open") is None
    one.page.locator("a[href='#never-shown']").click()
    assert fold.get_attribute("open") is not None


def test_findings_that_share_a_card_are_counted_each(opened: Open, made: Callable[[str], Made]) -> None:
    one, report = opened("several"), made("several").report
    assert one.page.locator(".finding[data-findings]").count() > 0
    tools = one.page.locator(".tools:has(+ .group)")
    total = len([f for f in report["findings"] if f["outcome"] == "fail" and f["severity"] != "info"])  # type: ignore[attr-defined]
    assert tools.get_by_role("status").inner_text() == f"{total} of {total} shown"
    assert sum(int(number) for number in re.findall(r"\((\d+)\)", tools.locator("fieldset").inner_text())) == total


# Who cannot see it, or sees it small or in the dark


@pytest.mark.parametrize(
    ("name", "options"), [("rich", LIGHT), ("several", DARK), ("several", PHONE)], ids=["rich-light", "several-dark", "several-phone"]
)
def test_axe_finds_nothing_serious(name: str, options: dict[str, Any], opened: Open, axe: str) -> None:
    one = opened(name, **options)
    one.unfold()
    one.page.evaluate(axe)
    found = one.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert len(found["inapplicable"]) + len(found["passes"]) > 30, "axe looked"
    grave = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    assert not grave, json.dumps([(one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]]) for one in grave], indent=1)


def test_axe_finds_what_is_wrong(opened: Open, axe: str) -> None:
    """So that the test above can fail."""
    one = opened("web1")
    one.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    one.page.evaluate(axe)
    found = one.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    assert "button-name" in [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("width", [320, 390, 768, 1280, 2560])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_does_not_scroll_sideways(name: str, width: int, opened: Open) -> None:
    one = opened(name, size=(width, 800))
    one.unfold()
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_the_dark_the_page_is_dark(opened: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)"
    assert opened("web1", **LIGHT).page.evaluate(paper) > 600
    assert opened("web1", **DARK).page.evaluate(paper) < 150


# What is large


def test_a_page_of_ten_thousand_open_listeners_is_under_15_megabytes_and_opens(opened: Open, made: Callable[[str], Made]) -> None:
    page = made("crowded")
    assert page.path.stat().st_size < 15_000_000
    one = opened("crowded")
    assert one.complaints == []
    assert one.page.locator("table.listeners tbody tr").count() == LISTENERS
