"""The page: what stands on it, in which order, and that a host can put nothing on it but text."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

from auditor.binding import Endpoint
from auditor.differences import Change
from auditor.facts import Facts, Gap
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, Finding, Range, Setting, Snapshot, Stack
from auditor.places import shipped
from auditor.port_range import PortRange
from auditor.presentation import Presentation
from auditor.report import Report
from tests.reports import Origin, finding, grant, listener, owner, policy, ports, rendered, report, snapshot, stack

ROOT = Path(__file__).resolve().parent.parent.parent
SVG = "{http://www.w3.org/2000/svg}"
SECTIONS = [
    "verdict", "audited", "visibility", "unknown", "open", "changes", "map", "may-bind", "listeners", "approvals", "waived", "controls",
    "review", "inventory", "checked", "settings", "limits", "appendix",
]  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='x", "</td></tr></table><b>", "</style><b>", "</title>",
    "{{7*7}}", "{% include 'x' %}", "&lt;b&gt;&#60;", "-->", "\x1b[31mred\x1b[0m", "a\x00b", "\u202egnp.exe", "\u2028", "\udcff", "a\nb",
)  # fmt: skip
WAIVER = {"id": "EXC-1", "reason": "a migration", "owner": "web-platform", "expires": "2027-01-31", "origin": "web.yaml:9"}


class Page:
    """A rendered report, parsed as a browser would."""

    def __init__(self, made: Report) -> None:
        self.source = rendered("html", made)
        self.tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(self.source)

    def all(self, path: str, within: Element | None = None) -> list[Element]:
        return list((self.tree if within is None else within).iterfind(path))

    def section(self, name: str) -> Element:
        (found,) = self.all(f".//section[@aria-labelledby='{name}']")
        return found

    def words(self, element: Element | None = None) -> str:
        """The text of an element, blanks put together, with one between elements."""
        return " ".join(" ".join((self.tree if element is None else element).itertext()).split())

    def table(self, caption: str, within: Element | None = None) -> list[list[str]]:
        """The rows of the table whose caption begins so, in words."""
        tables = [one for one in self.all(".//table", within) if self.words(one.find("caption")).startswith(caption)]
        assert len(tables) == 1, caption
        return [[self.words(cell) for cell in row] for row in self.all("tbody/tr", tables[0])]


def hostile(word: str) -> Report:
    """A report that says `word` wherever a host, a policy or a source may say something."""
    holder = owner(7, process=word, executable=f"/{word}", user=word, unit=word, container=word)
    sockets = (
        listener(22, holder, address=word, zone=word, device=word, socket_unit=word, activates=word),
        listener(23, protocol=word, reach=word, state=word, owner_state=word, owner_reason=word),
    )
    holed = Facts([Range(first=1, last=2, protocol=word, role=word)], word, [Gap(word, word, protocol=word)])
    settings = Facts([Setting(name=word, value=word)], word)
    endpoints = Facts([Endpoint(kind="unix", path=f"/{word}", protocol=word, owner_state="known", owners_seen=[holder])], word, [Gap(word)])
    host = snapshot(
        stack(*sockets, name=word, kind=word, ephemeral=holed, settings=settings, endpoints=endpoints),
        gaps=(Gap(word, word),), host=word, system=word, release=word, taken=word,
        machine_id=word, boot_id=word, limits=[word], visibility={"rights": {word: word}, word: [word]},
    )  # fmt: skip
    said = {"host": word, "stack": word, "message": word, "observed": word, "expected": word, "source": word, "examples": (word,)}
    found = [
        finding("a-rule", word, outcome, waiver=dict.fromkeys(WAIVER, word) if outcome == "waived" else None, **said)
        for outcome in OUTCOMES
    ]
    found.append(finding("b-rule", word, severity="info", **said))
    for one in found:
        one.who, one.baseline_state, one.first_seen = word, "new", word
    origin = Origin(host)
    origin.evidence, origin.sha256 = f"{word}\n{word}".encode("utf-8", "surrogateescape"), word
    made = HostReport(origin, policy(word), found)
    made.baseline = snapshot(taken=word)
    made.changes = [Change(sign, word, word, before=word, after=word, why=word, stack=word) for sign in "+-~?"]
    made.gone = [finding("c-rule", word, **said)]
    made.accepted = [
        {**dict.fromkeys(WAIVER, word), "name": word, "kind": "waiver", "about": word, "asks": {"subject": word}, "ticket": word}
    ]
    whole = report(
        hosts=[made], bad_sources=[(word, word)], tables={word: {"source": word, "date": word, "sha256": word}},
        narrowed=[word], shown_as=Presentation(organisation=word, banner=word),
    )  # fmt: skip
    for one in found:
        one.controls = (word,)
    return whole


def shape(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    return [(str(element.tag), tuple(sorted(map(str, element.attrib)))) for element in page.tree.iter()]


@pytest.fixture(scope="module")
def tame() -> Page:
    return Page(hostile("x"))


@pytest.mark.parametrize("word", HOSTILE)
def test_no_name_makes_an_element_or_an_attribute_and_every_name_is_there_to_read(word: str, tame: Page) -> None:
    page = Page(hostile(word))
    assert shape(page) == shape(tame)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]", page.source)
    shown = word.translate({0: "\\x00", 0x1B: "\\x1b", 0x0A: "\\n", 0x202E: "\\u202e", 0x2028: "\\u2028", 0xDCFF: "\\udcff"})
    assert page.words().count(" ".join(shown.split())) > 110


def test_nothing_is_fetched_and_nothing_runs(tame: Page) -> None:
    ids = [element.attrib["id"] for element in tame.tree.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert len(tame.all(".//script")) == 1
    assert not {"img", "iframe", "object", "embed", "link", "base", "form", "use", "image"} & {
        str(e.tag).removeprefix(SVG) for e in tame.tree.iter()
    }
    for element in tame.tree.iter():
        attributes = {str(name): str(value) for name, value in element.attrib.items()}
        assert not {"src", "srcset", "data", "action", "style", "background"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        if "href" in attributes:
            assert attributes["href"][:1] == "#"
            assert attributes["href"][1:] in ids
    assert not re.search(r"url\(|@import", tame.source)


def digest(element: Element) -> str:
    return base64.b64encode(hashlib.sha256((element.text or "").encode()).digest()).decode()


def test_the_content_policy_allows_the_one_style_and_the_one_script_by_their_hashes_and_nothing_else() -> None:
    page = Page(report())
    (style,), (script,) = page.all(".//style"), page.all(".//script")
    (meta,) = page.all(".//meta[@http-equiv='Content-Security-Policy']")
    assert meta.attrib["content"].split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{digest(style)}'",
        f"script-src 'sha256-{digest(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_script_makes_no_markup_of_text_and_asks_nothing_of_the_network() -> None:
    script = Path(shipped("reports", "templates", "report.js")).read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|fetch|XMLHttp|WebSocket|import|https?:", script
    )


def test_no_template_has_a_way_around_the_escaping() -> None:
    for path in Path(shipped("reports", "templates")).glob("*.html"):
        for code in re.findall(r"\{[{%].*?[%}]\}", path.read_text(encoding="utf-8"), flags=re.DOTALL):
            filters = set(re.findall(r"\|\s*(\w+)", code))
            assert filters <= {"length", "counted", "dictsort", "join", "int"}, (path.name, code)
            assert not re.search(r"~|autoescape|%\s*raw", code), (path.name, code)


def test_the_sections_stand_in_the_order_in_which_a_reader_wants_them(tame: Page) -> None:
    ids = [element.attrib["id"] for element in tame.tree.iter() if element.attrib.get("id") in SECTIONS]
    assert ids == [name for name in SECTIONS if name not in ("approvals", "controls")]
    assert [tame.words(one) for one in tame.all(".//h1")] == ["Port audit of x"]
    assert (tame.all(".")[0].attrib["lang"], bool(tame.words(tame.all(".//title")[0]))) == ("en", True)


def test_every_table_has_a_caption_or_a_heading_and_names_its_columns(tame: Page) -> None:
    for table in tame.all(".//table"):
        assert all("scope" in cell.attrib for cell in tame.all(".//th", table))
        columns = tame.all("thead/tr/*", table)
        assert not columns or all(len(row) in (len(columns), 2) for row in tame.all("tbody/tr", table))


def test_the_verdict_and_all_that_qualifies_it_come_first() -> None:
    made = report(finding(severity="high"), finding(outcome="unknown"))
    page = Page(made)
    (verdict,) = page.all(".//div[@class='verdict fail']")
    assert page.words(verdict).startswith("FAIL (and incomplete): 1 open finding (1 high) ")
    for clause in made.qualifications():
        assert clause in page.words(verdict)


def test_who_may_bind_is_a_table_with_each_step_of_the_reasoning() -> None:
    anybody = grant("threshold", "net.ipv4.ip_unprivileged_port_start", scope="everyone", everyone=True, ports=[PortRange(80, 1023)],
                    via=["the threshold is 80", "so any user may bind 80-1023"])  # fmt: skip
    page = Page(report(of=snapshot(stack(grants=Facts([grant(), anybody], "/proc", [Gap("2 processes may not be read")])))))
    section = page.section("may-bind")
    assert "There may be more than are listed: 2 processes may not be read" in page.words(section)
    assert page.table("Who may bind") == [
        ["everyone ANY USER", "80-1023", "threshold net.ipv4.ip_unprivileged_port_start",
         "the threshold is 80 so any user may bind 80-1023 /proc"],
        ["user ann", "1-1023", "process with the capability /usr/bin/app as user ann", "it holds the capability /proc"],
    ]  # fmt: skip


def test_of_evidence_that_shows_no_grants_the_page_says_that_it_does_not() -> None:
    page = Page(report(of=snapshot(stack(without=("grants",)))))
    assert "There may be more than are listed: the evidence does not show grants" in page.words(page.section("may-bind"))


def test_every_finding_is_counted_as_in_the_json_report() -> None:
    made = report(*(finding("a-rule", f"s{n}", outcome) for n, outcome in enumerate(OUTCOMES * 3)), finding(severity="info"))
    told = json.loads(rendered("json", made))
    page = Page(made)
    rows = page.table("All outcomes")
    assert sum(int(row[4]) for row in rows) == len(told["findings"])
    by_outcome = Counter({row[0].lower(): int(row[1]) for row in page.table("Each rule gives")})
    assert by_outcome == Counter(told["counts"])
    assert [page.words(one) for one in page.all(".//nav//a") if "Open" in page.words(one)] == [
        f"Open findings ({told['counts']['fail'] - 1})"
    ]


def test_an_open_finding_shows_what_was_seen_what_was_wanted_says_who_and_the_remedy() -> None:
    found = finding(observed="sshd", expected="nothing", source="policy web", severity="critical")
    page = Page(report(found))
    said = page.words(page.section("open"))
    for words in ("Critical (1)", "tcp/0.0.0.0:22 is not approved", "Observed sshd", "Expected nothing", "Source policy web",
                  "Remedy Stop it, or waive it. Here: stop listener-not-approved .", "Why it matters Why listener-not-approved matters.",
                  found.fingerprint):  # fmt: skip
        assert words in said, words


def test_findings_stand_by_severity_the_gravest_first() -> None:
    page = Page(report(*(finding("a-rule", f"s{n}", severity=s) for n, s in enumerate(("low", "critical", "medium", "low", "high")))))
    assert [page.words(one) for one in page.all(".//h3", page.section("open"))] == ["Critical (1)", "High (1)", "Medium (1)", "Low (2)"]


@pytest.mark.parametrize(("fail_on", "place"), [("medium", "inventory"), ("info", "open")])
def test_info_is_inventory_unless_it_was_asked_for(fail_on: str, place: str) -> None:
    page = Page(report(finding("a-rule", "the-subject", severity="info"), fail_on=fail_on))
    assert [name for name in ("open", "inventory") if "the-subject" in page.words(page.section(name))] == [place]


def test_what_is_unknown_stands_by_reason_with_the_rules_that_could_not_judge() -> None:
    found = [finding(rule, outcome="unknown", message="no rights", count=3) for rule in ("a-rule", "b-rule")]
    page = Page(report(*found, finding("c-rule", outcome="unknown", message="no netlink", stack=None)))
    (rights, netlink) = page.table("Reasons", page.section("unknown"))
    assert rights[:3] == ["no rights", "web1", "a-rule (3) b-rule (3)"]
    assert netlink[:3] == ["no netlink", "web1", "c-rule (1)"]


def test_a_waived_finding_says_why_who_and_until_when_and_is_not_open() -> None:
    page = Page(report(finding(outcome="waived", waiver=WAIVER)))
    said = page.words(page.section("waived"))
    for words in ("a migration", "web-platform", "Expires 2027-01-31", "EXC-1", "web.yaml:9", "is not met"):
        assert words in said
    assert "Nothing is open." in page.words(page.section("open"))


def test_an_error_is_shown_as_ours_and_only_where_there_is_one() -> None:
    assert "That is a defect of port-auditor" in Page(report(finding(outcome="error"))).words()
    assert not Page(report(finding())).all(".//section[@aria-labelledby='errors']")


def test_what_was_not_checked_is_in_sight_with_its_reason() -> None:
    page = Page(report(finding("a-rule", outcome="notchecked", message="the policy lists none")))
    assert page.table("Not checked") == [["a-rule", "the policy lists none"]]


def test_rights_processes_owners_and_namespaces_are_told_and_what_a_host_adds_as_well() -> None:
    page = Page(report(of=snapshot(visibility={**snapshot().visibility, "made_up": {"a_b": 3}, "odd": None})))
    said = {row[0]: row[1] for row in page.table("Seen on web1")}
    assert said["Rights"] == "uid: 0 CAP_SYS_PTRACE: held CAP_SYS_ADMIN: not held"
    assert said["Processes"] == "looked at: 80 unreadable: 2"
    assert said["Owners of listeners"] == "known: 1 partial: 0 unreadable: 1 none: 0"
    assert said["Network namespaces"] == "seen: 2 not entered: shop"
    assert (said["Not read"], said["Made up"], said["Odd"]) == ("/etc/systemd: permission denied", "a b: 3", "none")
    assert "Landlock was not examined." in page.words(page.section("visibility"))


@pytest.mark.parametrize("odd", [None, [], "words", {"rights": 7, "owners": ["x"], "processes": None, "namespaces": "all"}])
def test_a_visibility_of_another_shape_is_shown_and_breaks_nothing(odd: object) -> None:
    assert len(Page(report(of=snapshot(visibility=odd))).table("Seen on web1")) == 7


def test_gaps_are_listed_once_for_each_reason_and_what_is_not_shown_is_one() -> None:
    holed = Facts[Range]([], "sysctl", [Gap("refused", "a line", protocol="udp")] * 2)
    page = Page(report(of=snapshot(stack(privileged=holed, ephemeral=holed, without=("listening",)), gaps=(Gap("no netns"),))))
    assert page.table("Gaps") == [
        ["all", "stacks", "no netns", "all of it", "none"],
        ["host", "privileged, ephemeral", "refused", "udp", "a line"],
        ["host", "listening", "the evidence does not show it", "all of it", "none"],
    ]
    assert "No gaps" not in page.words()
    assert "Unknown: the evidence does not show what listens here." in page.words(page.section("listeners"))


def test_no_gaps_is_said_only_where_there_are_none() -> None:
    assert "No gaps in the stacks" in Page(report()).words()


def test_a_stacks_ranges_stand_beside_the_vendors_and_ianas() -> None:
    page = Page(report(of=snapshot(stack(reserved=ports(9100, 9100)))))
    (own, vendor, iana) = page.table("Ranges of the host\u2019s own stack")
    assert own == ["This stack", "1-1023 (1023 ports) a setting (read)", "32768-60999 (28232 ports) a setting (read)",
                   "9100 (1 port) a setting (read)"]  # fmt: skip
    assert vendor == ["Linux as shipped vendor table, linux-4.2-plus; confidence high", "1-1023 (1023 ports)", "32768-60999 (28232 ports)",
                      "not stated"]  # fmt: skip
    assert iana == ["IANA registry RFC 6335 section 6, 2011-08", "System Ports 0-1023 (1024 ports) User Ports 1024-49151 (48128 ports) "
                    "Dynamic Ports 49152-65535 (16384 ports)"]  # fmt: skip


def test_each_stack_has_a_map_with_a_link_to_its_listeners() -> None:
    page = Page(report(of=snapshot(stack(listener(22), listener(40000)), stack(listener(80), name="blue", kind="netns"))))
    section = page.section("map")
    assert len([one for one in page.all(f".//{SVG}svg", section) if one.attrib.get("role") == "img"]) == 2
    headings = [page.all(f".//h3[@id='host-1-stack-{number}']", page.section("listeners")) for number in (1, 2)]
    assert [page.words(one) for (one,) in headings] == ["web1", "web1 , stack blue"]


def test_a_range_that_is_unknown_or_nonsense_says_so_and_is_not_drawn() -> None:
    holed = Facts([Range(first=5, last=1)], "sysctl", [Gap("cut")])
    page = Page(
        report(of=snapshot(stack(privileged=Facts[Range]([], "x", [Gap("refused")]), ephemeral=holed, without=("reserved",))), vendor=None)
    )
    (own, vendor, _) = page.table("Ranges of the host\u2019s own stack")
    assert own[1:] == ["unknown: refused x (read)", "5-1, which is no range unknown whether more: cut sysctl (read)",
                       "unknown: the evidence does not show it"]  # fmt: skip
    assert vendor[1] == "no row of the vendor table is for Linux 6.12.1"


def test_a_listener_is_shown_whole() -> None:
    sockets = (
        listener(22, owner(812), owner(913), address="::", family="ipv6", v6only=False, device="bond0"),
        listener(80, owner(1, process="systemd", container="web"), state="bound", socket_unit="nginx.socket", activates="nginx.service"),
        listener(9, uid=33, owner_state="unreadable", owner_reason="no rights"),
    )
    page = Page(report(finding(subject="tcp/0.0.0.0:80"), of=snapshot(stack(*sockets))))
    (nine, ssh, web) = page.table("Listeners of web1")
    assert ssh == ["tcp", ":: only on device bond0 IPv4 as well (dual-stack)", "22", "ssh", "private", "listening",
                   "/usr/sbin/sshd root (uid 0), ssh.service calls itself sshd , pid 812, 913", ""]  # fmt: skip
    assert web[5:] == ["bound only", "/usr/sbin/sshd root (uid 0), ssh.service, container web calls itself systemd , pid 1 "
                       "nginx.socket activates nginx.service", "medium: listener-not-approved"]  # fmt: skip
    assert nine[6] == "not visible: see note 1 created by uid 33"
    assert "Note 1: no rights" in page.words(page.section("listeners"))


@pytest.mark.parametrize("state", ["partial", "unreadable", "none", "a word of another version"])
def test_owners_are_never_taken_for_known_unless_the_evidence_says_so(state: str) -> None:
    page = Page(report(of=snapshot(stack(listener(22, owner(1), owner_state=state, owner_reason="why not")))))
    assert "see note 1" in page.table("Listeners of web1")[0][6]


def test_many_listeners_are_folded_and_all_there() -> None:
    few, many = (Page(report(of=snapshot(stack(*(listener(n, owner(n)) for n in range(1, last)))))) for last in (4, 501))
    for page, folded in ((few, False), (many, True)):
        (details,) = page.all(".//details", page.section("listeners"))
        assert ("open" not in details.attrib) is folded
    assert [row[2] for row in many.table("Listeners of web1")] == [str(n) for n in range(1, 501)]


def test_ten_thousand_listeners_with_a_finding_each_stay_under_15_megabytes() -> None:
    count = 1000
    sockets = [listener(n, owner(n, executable="/usr/lib/some/long/path/to/a-worker")) for n in range(1, count + 1)]
    found = [finding(subject=f"tcp/0.0.0.0:{n}", observed="process a-worker, user www-data, unit a.service", expected="one of 12",
                     source="policy web") for n in range(1, count + 1)]  # fmt: skip
    assert len(rendered("html", report(*found, of=snapshot(stack(*sockets))))) * 10_000 / count < 15_000_000


def test_settings_are_shown_as_they_run_and_as_files_set_them() -> None:
    rows = Page(report()).table("Settings of web1")
    assert rows == [["net.ipv4.ip_local_port_range", "32768 60999", "as it runs"],
                    ["net.ipv4.ip_local_port_range", "32768 60999", "/etc/sysctl.conf:7"]]  # fmt: skip


def test_the_appendix_holds_every_digest_whole() -> None:
    said = Page(report()).words(Page(report()).section("appendix"))
    for digest in ("cd" * 32, "ef" * 32, "ab" * 32, "port-auditor/report/1"):
        assert digest in said


def test_the_words_that_a_verdict_may_not_use_are_not_used(tame: Page) -> None:
    assert not re.search(r"\b(is|are) compliant\b|\bsatisfied\b", tame.words(), flags=re.IGNORECASE)


def test_a_report_without_a_host_says_so() -> None:
    page = Page(report(hosts=[], bad_sources=[("a.evidence", "it was cut")]))
    assert "INCOMPLETE: nothing was audited" in page.words()
    assert "No host was audited." in page.words(page.section("audited"))
    assert page.table("Sources that could not be read") == [["a.evidence", "it was cut"]]


def test_a_host_of_which_nothing_is_known_is_shown_as_unknown() -> None:
    nothing = Snapshot(stacks=Facts([Stack(name="host", kind="host")], "", [Gap("the bundle is empty")]))
    page = Page(report(finding(outcome="unknown", host="unknown host"), of=nothing, vendor=None))
    assert page.words(page.all(".//h1")[0]) == "Port audit of unknown host"
    assert page.table("Ranges of the host\u2019s own stack")[0][1:] == ["unknown: the evidence does not show it"] * 3


def test_many_hosts_stand_each_with_its_own_stacks() -> None:
    hosts = [HostReport(Origin(snapshot(stack(listener(22, owner(1))), host=name)), policy(), []) for name in ("a", "b", "c", "d")]
    page = Page(report(hosts=hosts))
    assert page.words(page.all(".//h1")[0]) == "Port audit of 4 hosts"
    assert [row[0] for row in page.table("Hosts, what")] == ["a", "b", "c", "d"]
    assert all(page.table(f"Listeners of {name}") for name in "abcd")


def test_the_same_report_is_the_same_bytes_whatever_order_sets_have() -> None:
    pages = set()
    for order in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-m", "auditor", "audit", "-f", "html", "--today", "2026-11-21", "web1.evidence"],
            cwd=ROOT / "tests" / "evidence", capture_output=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": order, "SOURCE_DATE_EPOCH": "1795000000"},
        )  # fmt: skip
        assert b"</html>" in done.stdout, done.stderr
        pages.add(done.stdout)
    assert len(pages) == 1


ON_LINUX, ON_BSD = "Here: stop a-rule .", "rcctl stop a-rule ."
EVERYWHERE = f"Linux: {ON_LINUX} OpenBSD, NetBSD: {ON_BSD}"


@pytest.mark.parametrize(
    ("systems", "remedy"),
    [
        (("Linux",), ON_LINUX),
        (("OpenBSD",), ON_BSD),
        (("AIX",), ""),
        (("Linux", "NetBSD"), EVERYWHERE),
        (("OpenBSD", "NetBSD"), f"OpenBSD, NetBSD: {ON_BSD}"),
        (("AIX", "Linux"), f"Linux: {ON_LINUX}"),
        ((None,), EVERYWHERE),
        (("Linux", None), EVERYWHERE),
    ],
)
def test_a_remedy_is_that_of_the_systems_on_which_something_was_found(systems: tuple[str | None, ...], remedy: str) -> None:
    hosts = [host_report(f"h{n}", system, finding("a-rule", host=f"h{n}")) for n, system in enumerate(systems)]
    page = Page(report(hosts=[*hosts, host_report("quiet", "Linux")]))
    (card,) = page.all(".//article", page.section("open"))
    said = page.words(card.find(".//div[@class='document']"))
    assert said.partition(" Remedy ")[2] == f"Stop it, or waive it. {remedy}".strip()


def test_hosts_that_share_a_name_are_all_told_what_to_do() -> None:
    page = Page(report(hosts=[host_report("h", "Linux", finding("a-rule", host="h")), host_report("h", "NetBSD")]))
    assert EVERYWHERE in page.words(page.section("open"))


def host_report(name: str, system: str | None, *findings: Finding) -> HostReport:
    of = snapshot(host=name, **({"system": system} if system else {}))
    if system is None:
        del of.shown["system"]
    return HostReport(Origin(of), policy(), list(findings), None)
