"""The port map on the page: what a reader sees, and that whoever does not see the picture is told the same."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, tostring

import html5lib
import pytest

from auditor.facts import Facts, Gap
from auditor.host_report import VendorDefault
from auditor.listener_outcomes import KINDS, ListenerOutcomes
from auditor.model import Range
from auditor.places import shipped
from auditor.port_axis import HIGH, LOW
from auditor.port_map import port_maps
from auditor.port_range import PortRange
from auditor.report import Report
from tests.bundles import judged, rich
from tests.reports import finding, listener, rendered, report, snapshot, stack

SVG = "{http://www.w3.org/2000/svg}"
WAIVER = {"reason": "a migration", "owner": "ann", "expires": "2027-01-31", "origin": "web.yaml:9"}
CSS = Path(shipped("reports", "templates"), "port_map.css").read_text(encoding="utf-8")


class Page:
    def __init__(self, made: Report) -> None:
        self.source = rendered("html", made)
        self.tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(self.source)

    def maps(self) -> list[Element]:
        return [one for one in self.tree.iter(f"{SVG}svg") if one.attrib.get("role") == "img"]

    @property
    def key(self) -> list[str]:
        return [words(one) for one in self.tree.iterfind(".//ul[@class='map-key']/li")]

    def tables(self, caption: str) -> list[list[list[str]]]:
        found = [one for one in self.tree.iter("table") if words(one.find("caption")).startswith(caption)]
        return [[[words(cell) for cell in row] for row in table.iterfind("tbody/tr")] for table in found]


def words(element: Any) -> str:
    return "" if element is None else " ".join(" ".join(element.itertext()).split())


def every_kind() -> Report:
    """A listener of each kind that there is."""
    found = [finding("a", f"tcp/0.0.0.0:{port}", severity=severity)
             for port, severity in ((1, "critical"), (201, "high"), (401, "medium"), (601, "low"), (801, "info"))]  # fmt: skip
    found += [finding("a", "tcp/0.0.0.0:10001", "unknown"), finding("a", "tcp/0.0.0.0:20001", "waived", waiver=WAIVER),
              finding("a", "tcp/0.0.0.0:30001", inventory=True)]  # fmt: skip
    sockets = map(listener, (1, 201, 401, 601, 801, 10001, 20001, 30001, 40001))
    return report(*found, of=snapshot(stack(*sockets)), fail_on="info")


@cache
def of_containers() -> Report:
    made = report(of=rich().snapshot())
    made.hosts[0].findings = judged(rich())
    return made


@pytest.fixture(scope="module")
def containers() -> Page:
    return Page(of_containers())


def test_each_stack_has_one_picture_with_a_name_and_a_description(containers: Page) -> None:
    stacks = [one.name for one in of_containers().hosts[0].snapshot.stacks.seen]
    assert len(containers.maps()) == len(stacks) > 2
    by_id = {element.attrib["id"]: words(element) for element in containers.tree.iter() if "id" in element.attrib}
    for name, picture in zip(stacks, containers.maps(), strict=True):
        title, told = (by_id[one] for one in picture.attrib["aria-labelledby"].split())
        assert title == f"Port map of web1, stack {name}"
        assert re.match(r"\d+ listeners?: |Nothing listens here\.", told)


def test_every_range_and_every_mark_of_a_picture_is_told_in_words(containers: Page) -> None:
    made = of_containers()
    drawings = port_maps(made.hosts[0], made.iana_ranges, ListenerOutcomes(made.hosts[0], made.state))
    ranges, marks = containers.tables("Ranges that the map of"), containers.tables("Marks that the map of")
    assert len(ranges) == len(marks) == len(drawings)
    for drawing, picture, told_ranges, told_marks in zip(drawings, containers.maps(), ranges, marks, strict=True):
        assert told_ranges == [[kind, of, " ".join(lines)] for kind, of, lines in drawing["ranges_in_words"]]
        assert told_marks == [[protocol, where, " ".join(names), what] for protocol, where, names, what in drawing["listeners_in_words"]]
        bars = [one for group in drawing["groups"] for row in group["rows"] for one in row["drawn"]]
        classes = [one.attrib.get("class", "") for one in picture.iter(f"{SVG}rect")]
        assert sum(name.endswith((" map-own", " map-shipped")) for name in classes) == len(bars)
        assert {(row["of"], kind) for kind, row in ((g["kind"], row) for g in drawing["groups"] for row in g["rows"])} <= {
            (row[1], row[0]) for row in told_ranges
        }
        drawn = [words(one.find(f"{SVG}title")) for one in picture.iter(f"{SVG}g") if one.find(f"{SVG}title") is not None]
        assert drawn == [f"{row[0]} {row[1]}: {row[3]}" for row in told_marks if row[1] not in ("?", "none")]


def test_what_is_told_leads_to_where_each_listener_stands_whole(containers: Page) -> None:
    links = [one for one in containers.tree.iter("a") if words(one) == "Every listener"]
    ids = {element.attrib["id"] for element in containers.tree.iter() if "id" in element.attrib}
    assert len(links) == len(containers.maps())
    assert {one.attrib["href"][1:] for one in links} <= ids


def test_each_outcome_has_a_shape_of_its_own_and_a_line_in_the_key() -> None:
    page = Page(every_kind())
    keys = [one for one in page.tree.iterfind(".//ul[@class='map-key']/li") if re.search(r": \d+$", words(one))]
    assert [words(one) for one in keys] == [
        "open (critical): 1", "open (high): 1", "open (medium): 1", "open (low): 1", "open (info): 1", "unknown: 1", "waived: 1",
        "inventory: 1", "without a finding: 1",
    ]  # fmt: skip
    shapes = {re.sub(r'class="[^"]*"|ns\d+', "", tostring(one.find(f"{SVG}svg"), "unicode").rpartition("</")[0]) for one in keys}
    assert len(shapes) == len(KINDS)
    (picture,) = page.maps()
    marks = [one for one in picture.iter(f"{SVG}g") if "transform" in one.attrib]
    assert [next(iter(mark)).attrib["class"].split()[-1] for mark in marks] == list(KINDS)


def test_each_mark_bears_the_number_of_its_port() -> None:
    (picture,) = Page(every_kind()).maps()
    labels = [words(one) for one in picture.iter(f"{SVG}text") if one.attrib.get("class") == "map-port"]
    assert labels == ["1", "201", "401", "601", "801", "10001", "20001", "30001", "40001"]


def test_what_is_open_on_a_range_is_marked_there_and_told_in_words_with_a_link() -> None:
    found = [finding("range-lowered", "threshold", severity="high", message="any user may bind 80-1023"), finding("other", "threshold")]
    page = Page(report(*found, of=snapshot(stack(privileged=Facts([Range(first=1, last=79)], "threshold")))))
    (picture,) = page.maps()
    assert [words(one) for one in picture.iter(f"{SVG}text") if one.attrib.get("class") == "map-found"] == [
        "high: range-lowered and 1 more"
    ]
    assert "map-full high" in tostring(picture, "unicode")
    assert "Open (high) on the privileged ports: any user may bind 80-1023." in words(picture.find(f"{SVG}desc"))
    said = page.tree.find(".//figcaption")
    assert "Open (high) on the privileged ports: range-lowered , any user may bind 80-1023" in words(said)
    ids = {element.attrib["id"]: words(element) for element in page.tree.iter() if "id" in element.attrib}
    links = [one for one in said.iter("a") if words(one) == "range-lowered"]
    assert ["any user may bind 80-1023" in ids[one.attrib["href"][1:]] for one in links] == [True]


def test_what_is_said_of_a_whole_row_stands_between_its_halves() -> None:
    (picture,) = Page(report(of=snapshot(stack()))).maps()
    said = [one for one in picture.iter(f"{SVG}text") if one.attrib.get("class") == "map-said"]
    assert said
    assert {(float(one.attrib["x"]), one.attrib["text-anchor"]) for one in said} == {((LOW.right + HIGH.left) / 2, "middle")}


def test_the_scale_is_labelled_and_says_where_it_changes() -> None:
    (picture,) = Page(report()).maps()
    ticks = [words(one) for one in picture.iter(f"{SVG}text") if one.attrib.get("class") == "map-tick"]
    assert ticks[:1] + ticks[5:7] + ticks[-2:] == ["0", "1023", "1024", "49152", "65535"]
    assert "as wide" in words(picture)
    for name in ("System Ports", "User Ports", "Dynamic Ports"):
        assert name in words(picture)


def test_what_is_not_known_is_hatched_and_said_in_the_picture_the_key_and_in_words() -> None:
    holed = Facts([Range(first=1, last=9, protocol="tcp", family="any")], "x", [Gap("refused", protocol="udp")])
    page = Page(report(of=snapshot(stack(ephemeral=holed, without=("listening", "privileged")))))
    (picture,) = page.maps()
    hatched = [one for one in picture.iter(f"{SVG}svg") if one.attrib.get("class") == "map-doubt"]
    assert len(hatched) == 2 * 5
    assert [words(one) for one in picture.iter(f"{SVG}text") if one.attrib.get("class") == "map-said"] == [
        "? not known", "? not known", "? not known", "? not known", "none", "? not stated"
    ]  # fmt: skip
    assert "not known, or not stated" in page.key
    assert words(picture).startswith("Port map of web1, stack host It is not known what listens here.")
    ((*rows,),) = page.tables("Ranges that the map of")
    assert ["ephemeral", "this stack, udp", "not known: refused"] in rows


def test_a_map_of_which_all_is_known_has_no_hatching_and_no_key_for_it() -> None:
    whole = VendorDefault("x", "X", "high", privileged=[], ephemeral=[(PortRange(32768, 60999), "")], reserved=[])
    page = Page(report(of=snapshot(stack(listener(22))), vendor=whole))
    (picture,) = page.maps()
    assert not [one for one in picture.iter(f"{SVG}svg") if one.attrib.get("class") == "map-doubt"]
    assert page.key == ["without a finding: 1", "this stack", "as the vendor ships it",
                        "behind listeners: this stack\u2019s ephemeral ports, as far as they are known"]  # fmt: skip


def test_a_page_of_ten_thousand_listeners_has_a_small_map_that_counts_them_all() -> None:
    source = rendered("html", report(of=snapshot(stack(*map(listener, range(1, 10001))))))
    figure = source[source.index('<figure class="port-map">') :]
    told = figure[: figure.index("</details>")]
    assert len(told) < 60_000
    several = re.findall(r"<td>(\d+) ports of [\d-]+</td>", told)
    alone = re.findall(r'<th scope="row">tcp</th><td>\d+</td>', told)
    assert sum(map(int, several)) + len(alone) == 10_000


def test_the_pictures_need_nothing_that_a_strict_policy_forbids() -> None:
    page = Page(every_kind())
    for picture in page.maps():
        for element in picture.iter():
            assert str(element.tag).removeprefix(SVG) in {"svg", "title", "desc", "g", "rect", "path", "circle", "text"}
            assert not {"style", "href", "fill", "onclick"} & {str(name) for name in element.attrib}


def test_every_class_of_the_template_has_a_rule_and_every_rule_a_use() -> None:
    template = Path(shipped("reports", "templates"), "port_map.html").read_text(encoding="utf-8")
    used = set(re.findall(r"map-[a-z-]+", re.sub(r"{{ anchor }}-map-\w+", "", template)))
    styled = set(re.findall(r"\.(map-[a-z-]+)", CSS))
    assert used - {"map-port"} == styled


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_marks_and_ranges_stand_out_from_what_is_behind_them_in_both_schemes(scheme: int) -> None:
    """WCAG 2.2, 1.4.11: 3 to 1 for what must be seen, and 1.4.3: 4.5 to 1 for text."""
    colours = dict(re.findall(r"--map-([a-z]+): (#[0-9a-f]{6})", re.findall(r"\.port-map \{([^}]*)\}", CSS)[scheme]))
    assert set(KINDS) < colours.keys()
    behind = luminance(colours["panel"])
    for name in colours.keys() - {"panel", "paper", "line"}:
        lighter, darker = sorted((luminance(colours[name]), behind), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= (4.5 if name in ("ink", "quiet") else 3), name
