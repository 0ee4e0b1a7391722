"""The ticket, as CommonMark and GFM parsers read it: markdown-it (with and without links made of bare addresses) and GitHub's own cmark."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest

from auditor.coverage import Drift, SiteCoverage
from auditor.differences import ADDED, Change
from auditor.display import harmless
from auditor.facts import Gap
from auditor.host_report import HostReport
from auditor.markdown_words import code, prose
from auditor.model import OUTCOMES, SEVERITIES
from auditor.presentation import Presentation, RuleDocument
from auditor.remedy import Remedy
from auditor.report import Report
from tests.hostile import HOSTILE, hostile_bundle, hostile_report
from tests.reports import Origin, finding, listener, policy, rendered, report, snapshot, stack

markdown_it = pytest.importorskip("markdown_it", reason="a CommonMark parser: pip install '.[formats]'")
cmarkgfm = pytest.importorskip("cmarkgfm", reason="GitHub's Markdown parser: pip install '.[formats]'")
pytest.importorskip("linkify_it", reason="finds bare addresses: pip install '.[formats]'")
from cmarkgfm.cmark import Options  # noqa: E402 - behind importorskip

WAIVER = {"id": "EXC-1", "reason": "a migration", "owner": "web-platform", "expires": "2027-01-31", "origin": "web.yaml:9"}
MARKUP = [
    "`", "``", "```", "a`b``c", "` `", "`x", "x`", "```sh\nrm", "~~~", "|", "a|b", "\\|", "\\", "[x](http://evil.example)", "![x](//evil)",
    "[x]: http://evil.example", "<http://evil.example>", "http://evil.example", "www.evil.example", "evil.example", "a@evil.example",
    "mailto:a@b.c", "@root", "@org/team", "#1", "GH-1", "o/r#1", "!1", "~label", "EXC-118", "deadbeef1", "1234567", ":smile:", "**bold**",
    "_it_", "*", "~~gone~~", "# head", "> quote", "- item", "+ item", "1. item", "1) item", "===", "---", "***", "    code", "<b>", "<!--",
    "<details>", "<?x", "&lt;", "&#60;", "$x$", "[^1]", "[x]", "[ ]", "/close", "a  b", "Note:", "x\\", "(", ")", "](", "`](", "<a`b>",
]  # fmt: skip
WORDS = [*HOSTILE, *MARKUP]
BLOCKS = {"heading", "paragraph", "inline", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td"}
SPANS = {"text", "code_inline", "strong", "softbreak"}
TAGS = {"h2", "h3", "h4", "p", "ul", "li", "strong", "code", "table", "thead", "tbody", "tr", "th", "td"}
PLAIN = re.compile(r"[A-Za-z0-9 ,.;:()'\n-]*")
"""What stands outside of code spans."""


def tokens(text: str, linkify: bool = True) -> list[Any]:
    return list(markdown_it.MarkdownIt("gfm-like", {"linkify": linkify, "html": True}).parse(text))


def within(blocks: list[Any]) -> list[Any]:
    """What stands in the lines of blocks: text, spans, links."""
    return [token for block in blocks for token in block.children or ()]


def spans(text: str) -> set[str]:
    """What stands in code spans."""
    return {token.content for token in within(tokens(text)) if token.type == "code_inline"}


class Page(HTMLParser):
    """A ticket as GitHub's parser renders it, with nothing filtered out: its elements and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.others: list[str] = []
        self.text = ""
        extensions = ["table", "autolink", "strikethrough", "tasklist"]
        self.feed(cmarkgfm.markdown_to_html_with_extensions(text, Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES, extensions))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.others += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def words(text: str) -> str:
    return " ".join(Page(text).text.split())


def assert_ours_alone(text: str, linkify: bool = True) -> None:
    """No element but those that the report made, and outside of code spans nothing that a forge makes a link or a mention of."""
    blocks = tokens(text, linkify)
    inner = within(blocks)
    assert {re.sub("_(open|close)$", "", token.type) for token in blocks} <= BLOCKS
    assert {re.sub("_(open|close)$", "", token.type) for token in inner} <= SPANS
    for token in inner:
        assert token.type != "text" or PLAIN.fullmatch(token.content), token.content
    page = Page(text)
    assert page.tags.keys() <= TAGS
    assert not page.others
    assert page.tags["td"] == 8 * page.tags["tr"] - page.tags["th"]


def section(text: str, title: str) -> str:
    return text.partition(f"### {title}")[2].partition("\n### ")[0]


def hostile(word: str) -> Report:
    """A report in whose every text the word stands; each section has one entry."""
    said = {"host": word, "stack": word, "message": word, "observed": word, "expected": word, "source": word}
    found = [finding("a-rule", word, outcome, waiver=dict.fromkeys(WAIVER, word) if outcome in ("waived", "unknown") else None, **said)
             for outcome in OUTCOMES]  # fmt: skip
    for one in found:
        one.who = one.first_seen = word
        one.baseline_state = "new"
    seen = {"namespaces": {"not_entered": [word]}, "not_read": [word]}
    of = snapshot(stack(listener(22), name=word), gaps=(Gap(word),), host=word or "x", system=word, release=word, taken=word, limits=[word],
                  visibility=seen)  # fmt: skip
    host = HostReport(Origin(of), policy(word), found)
    host.given, host.gone, host.changes = word, [found[0]], [Change(ADDED, word, word, aspect=word, after=word)]
    made = report(
        hosts=[host], bad_sources=[(word, word)], narrowed=[word], drift=Drift([word], [word], [word]), tables={word: {"date": word}},
        site=SiteCoverage(word, [word], word, hosts=2, audited=1, missing=[word]), shown_as=Presentation(banner=word, organisation=word),
        documents={"a-rule": RuleDocument(word, word, Remedy(word))},
    )  # fmt: skip
    for one in found:
        one.controls = (word, word)
    return made


@pytest.mark.parametrize("word", WORDS)
def test_no_name_becomes_markup_a_link_or_a_mention(word: str) -> None:
    text = rendered("markdown", hostile(word))
    assert_ours_alone(text)
    shown = harmless(word).replace("|", "\\x7c")[:300]
    if shown:
        assert shown in spans(text), "and it is shown as it is"


def test_a_host_that_calls_everything_by_such_names_makes_none() -> None:
    for linkify in (False, True):
        assert_ours_alone(rendered("markdown", hostile_bundle()), linkify)
        assert_ours_alone(rendered("markdown", hostile_report(*HOSTILE)), linkify)


@pytest.mark.parametrize("template", ["{}", "is {} here", "({}), then", "`{}`", "a`{}", "{} {}", "{}`x`{}", "- {}", "# {}: {}."])
def test_a_sentence_with_names_in_it_is_a_sentence(template: str) -> None:
    bare = re.compile("[` ]")
    for word in filter(str.strip, WORDS):
        sentence = template.replace("{}", word)
        text = f"said: {prose(sentence, 10_000)}"
        assert_ours_alone(text)
        told = "".join(token.content for token in within(tokens(text)))
        assert bare.sub("", told) == bare.sub("", "said:" + harmless(sentence).replace("|", "\\x7c"))


@pytest.mark.parametrize("word", [word for word in WORDS if word and len(word) < 300])
@pytest.mark.parametrize("lead", ["", "- ", "| ", "#### "])
def test_a_span_is_exactly_its_text(lead: str, word: str) -> None:
    text = f"{lead}{code(word)}" if lead != "| " else f"| a | b |\n|---|---|\n| {code(word)} | {code(word)} |"
    assert spans(text) == {harmless(word).replace("|", "\\x7c")}


def test_ordinary_sentences_stay_as_they_are() -> None:
    sentence = "any user may bind 80-1023 (the policy's words); see RFC 6056: nothing else, well-kept."
    assert prose(sentence) == sentence
    assert prose("web1.example`x`web2") == "`web1.example` `x` `web2`"
    assert prose("`memfd_create(2)` is used by web1.example, and bind(2).") == "`memfd_create(2)` is used by `web1.example`, and `bind(2)`."


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    assert code("x" * 310) == f"`{'x' * 300}` ... and 10 characters more"
    assert code("") == prose(" ") == "(empty)"
    assert prose("word " * 100).endswith(" word ... and 199 characters more")


def test_the_first_line_is_the_verdict_and_all_that_qualifies_it_follows() -> None:
    made = report(finding(severity="high"), finding(outcome="unknown"))
    text = rendered("markdown", made)
    assert text.startswith("## FAIL (and incomplete): 1 open finding (1 high)\n")
    assert words(text.partition("### ")[0]) == words(prose(made.statement, 5000)).replace("(1 high); ", "(1 high) ")


@pytest.mark.parametrize(("outcome", "word"), [("fail", "FAIL"), ("unknown", "INCOMPLETE"), ("pass", "PASS for"), ("waived", "PASS for")])
def test_the_verdict_is_the_reports(outcome: str, word: str) -> None:
    waiver = WAIVER if outcome == "waived" else None
    assert rendered("markdown", report(finding(outcome=outcome, severity="high", waiver=waiver))).startswith(f"## {word}")


def test_an_open_finding_says_what_why_who_since_when_and_what_to_do_on_that_system() -> None:
    one = finding(observed="sshd", expected="nothing", source="policy web", severity="critical", count=3)
    one.who, one.first_seen, one.baseline_state = "root", "2026-11-20T02:17:00Z", "new"
    made = report(one)
    one.controls = ("NIST SP 800-53 r5 CM-7",)
    said = section(rendered("markdown", made), "Open (1)")
    told = words(said)
    for clause in (
        "CRITICAL listener-not-approved: Title of listener-not-approved", "tcp/0.0.0.0:22 (3 of them) on web1:",
        "observed: sshd", "expected: nothing", "source: policy web", "who: root", "controls: NIST SP 800-53 r5 CM-7",
        "first seen: 2026-11-20T02:17:00Z, new since the baseline", f"fingerprint: {one.fingerprint}",
        "Remedy: Stop it, or waive it. Here: stop listener-not-approved.",
    ):  # fmt: skip
        assert clause in told
    assert "stop listener-not-approved" in spans(said)
    assert "rcctl" not in told


def test_what_to_do_is_said_for_each_system_that_has_the_finding() -> None:
    systems = {"a1": "Linux", "b2": "OpenBSD"}
    made = report(hosts=[HostReport(Origin(snapshot(host=name, system=system)), policy(), [finding(host=name)])
                         for name, system in systems.items()])  # fmt: skip
    told = words(section(rendered("markdown", made), "Open (2)"))
    assert "Linux: Here: stop listener" in told
    assert "rcctl stop" in told
    assert told.count("Remedy") == 1


def test_every_finding_that_is_open_or_waived_is_there_and_counted() -> None:
    found = [finding("a-rule", f"s{n}", outcome, severity=severity, waiver=WAIVER if outcome == "waived" else None)
             for n, (outcome, severity) in enumerate((o, s) for o in OUTCOMES for s in SEVERITIES)]  # fmt: skip
    made = report(*found)
    text = rendered("markdown", made)
    assert set(re.findall("[0-9a-f]{32}", section(text, f"Open ({len(made.open)})"))) == {one.fingerprint for one in made.open}
    for title in ("Waived (5)", "Unknown (5)", "Our errors (5)", "Inventory, not open (1)"):
        assert section(text, title), title
    assert "`web1.evidence` sha256 `cdcdcdcdcdcd` | `2026-11-20T02:17:00Z` | `web@efefefef` | 4 | 5 | 5 |" in text


def test_a_waived_finding_says_until_when_by_whom_and_why_and_is_not_open() -> None:
    text = rendered("markdown", report(finding(outcome="waived", waiver=WAIVER)))
    told = words(section(text, "Waived (1)"))
    assert "accepted (EXC-1) until 2027-01-31, 71 days left; owner web-platform, approver not stated: a migration" in told
    assert "### Open" not in text


def test_what_is_unknown_stands_under_its_reason() -> None:
    found = [finding("a-rule", f"s{n}", "unknown", message="no right to look", stack=None) for n in range(3)]
    accepted = finding("b-rule", outcome="unknown", message="no right to look", waiver=WAIVER)
    aside = finding("c-rule", outcome="unknown", message="no right to look", inventory=True)
    text = rendered("markdown", report(*found, accepted, aside))
    assert "web1: no right to look not judged: a-rule (3)" in words(section(text, "Unknown (3)"))
    assert "accepted (EXC-1) until 2027-01-31" in words(section(text, "Accepted gaps (1)"))
    assert "c-rule" in words(section(text, "Inventory, not open (1)"))


def test_what_could_not_be_seen_and_what_was_not_checked_is_said() -> None:
    of = snapshot(stack(without=("privileged",)), gaps=(Gap("no right to enter"),))
    made = report(
        finding(outcome="notchecked", message="the policy lists none"), finding("b-rule", outcome="notselected"), of=of,
        bad_sources=[("a.evidence", "it was cut")], drift=Drift([], [], ["mx1"]),
    )  # fmt: skip
    text = rendered("markdown", made)
    unseen = words(section(text, "What could not be seen"))
    for clause in (
        "a.evidence: it was cut", "host mx1: no evidence of it was given", "web1: stacks: no right to enter", "web1: not entered: shop",
        "web1: not read: /etc/systemd: permission denied", "web1, stack host: privileged: the evidence does not show privileged",
    ):  # fmt: skip
        assert clause in unseen
    assert "the policy lists none: listener-not-approved" in words(section(text, "Not checked"))
    assert "b-rule" in section(text, "Off in the policy (1)")
    assert "Landlock was not examined." in section(text, "Never shown by this method")


def test_what_changed_since_the_baseline_is_said() -> None:
    host = HostReport(Origin(snapshot()), policy(), [])
    host.changes = [Change(ADDED, "socket", "tcp/0.0.0.0:80", after="nginx")]
    host.gone = [finding("a-rule", "tcp/0.0.0.0:23")]
    text = rendered("markdown", report(hosts=[host]))
    assert "web1: + socket tcp/0.0.0.0:80: nginx" in words(section(text, "Changed since the baseline"))
    assert "web1: a-rule tcp/0.0.0.0:23" in words(section(text, "No longer found, and not necessarily mended (1)"))


def test_listeners_are_counted_and_not_listed() -> None:
    text = rendered("markdown", report(of=snapshot(stack(*(listener(port) for port in range(1000, 1070))))))
    assert "### Listeners (70)" in text
    assert "1069" not in text


def test_what_does_not_fit_a_ticket_is_counted_and_the_gravest_come_first() -> None:
    found = [finding("a-rule", f"s{n}", severity=severity, observed="x" * 250) for n in range(100) for severity in ("low", "critical")]
    hosts = [HostReport(Origin(snapshot(host=f"h{n}")), policy(), found if n == 0 else []) for n in range(300)]
    text = rendered("markdown", report(hosts=hosts))
    assert len(text) <= 32_000
    said = section(text, "Open (200)")
    shown = len(re.findall("fingerprint", said))
    assert shown > 30
    assert f"{200 - shown} of 200 are left out here" in words(said)
    assert "CRITICAL" in said
    assert "LOW" not in said
    rows = len(re.findall(r"^\| `h", text, flags=re.MULTILINE))
    assert f"{300 - rows} of 300 are left out here" in words(section(text, "Audited (300)"))
    assert_ours_alone(text)


def test_a_ticket_of_hostile_names_alone_is_taken_by_github_and_shows_the_gravest_finding() -> None:
    text = rendered("markdown", hostile_report("\U0001f980|`" * 1400))
    assert len(text) < 65_536
    assert "fingerprint" in section(text, "Open")
    assert "listeners" in text


def test_the_clauses_that_say_what_was_not_judged_stay_where_there_are_many() -> None:
    text = rendered("markdown", report(narrowed=[f"only {n} was judged" for n in range(50)]))
    first = text.partition("### ")[0]
    assert "clauses left out here" in first
    assert "the host firewall and the network path were not examined." in first


def test_banner_and_organisation_stand_before_the_verdict() -> None:
    text = rendered("markdown", report(shown_as=Presentation(organisation="Example Bank", banner="INTERNAL")))
    assert text.startswith("**INTERNAL**\n\n**Example Bank**\n\n## PASS")


def test_hosts_of_which_nothing_is_known_and_no_hosts_at_all_are_a_ticket() -> None:
    bare = snapshot()
    bare.shown = {"stacks": bare.shown["stacks"], "visibility": ["odd"]}
    text = rendered("markdown", report(hosts=[HostReport(Origin(bare), policy(), [])]))
    assert "| `unknown host` | `unknown unknown` |" in text
    assert_ours_alone(text)
    none = rendered("markdown", report(hosts=[]))
    assert none.startswith("## INCOMPLETE: nothing was audited\n")
    assert_ours_alone(none)
