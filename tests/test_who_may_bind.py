"""Who may bind, in words: every way that was seen, what any user can use first, and what may be missing."""

from __future__ import annotations

from auditor.binding import GRANT_PATHS
from auditor.facts import Facts, Gap
from auditor.port_range import PortRange
from auditor.report import Report
from auditor.who_may_bind import PATHS, takers, ways
from tests.reports import grant, rendered, report, snapshot, stack

HTTP = PortRange(80, 80)


def said(made: Report) -> str:
    """The text without its line breaks."""
    return " ".join(rendered("text", made).replace("\n", " ").split(" "))


def test_every_path_has_words() -> None:
    assert set(PATHS) == set(GRANT_PATHS)


def test_what_any_user_can_use_stands_first_and_root_before_others() -> None:
    shown = stack(grants=Facts([
        grant(), grant("root", "root", scope="root"), grant("authbind", "byport/80", scope="everyone", everyone=True, ports=[HTTP]),
    ], "/proc"))  # fmt: skip
    found, gaps = ways(shown)
    assert [(way.who, way.ports, way.by, way.open_to_all) for way in found] == [
        ("everyone", "80", "authbind", True),
        ("user ann", "1-1023", "process with the capability", False),
        ("root", "1-1023", "root", False),
    ]
    assert gaps == []


def test_what_gives_nothing_stands_last_and_what_systemd_runs_as_root_is_roots() -> None:
    shown = stack(grants=Facts([
        grant("file-capability", "/opt/x", ports=[], scope="everyone", everyone=True), grant("root", "root", scope="root", root=True),
        grant("unit", "/usr/bin/install as user root in a.service", root=True), grant(),
    ], "/proc"))  # fmt: skip
    assert [(way.who, way.by) for way in ways(shown)[0]] == [
        ("user ann", "process with the capability"), ("root", "root"), ("nobody by this alone", "file with the capability"),
    ]  # fmt: skip


def test_a_grant_that_gives_nothing_says_none_and_is_open_to_nobody() -> None:
    (way,), _ = ways(stack(grants=Facts([grant("portacl", "uid:80:tcp:80", ports=[], everyone=True)], "sysctl")))
    assert (way.ports, way.open_to_all) == ("none", False)


def test_a_grant_for_one_protocol_names_it_and_takes_no_other() -> None:
    shown = stack(grants=Facts([grant("portacl", "uid:80:udp:80", ports=[HTTP], protocol="udp")], "sysctl"))
    assert [way.ports for way in ways(shown)[0]] == ["80 (udp)"]
    assert [way.subject for way in takers(shown, "udp", 80)[0]] == ["uid:80:udp:80"]
    assert takers(shown, "tcp", 80)[0] == []
    assert takers(shown, "udp", 81)[0] == []


def test_what_could_not_be_seen_is_said_once_for_a_reason_and_only_of_ports_that_it_concerns() -> None:
    gaps = [Gap("a file may not be read", ports=HTTP), Gap("no rights"), Gap("no rights")]
    shown = stack(grants=Facts([], "/proc", gaps))
    assert ways(shown)[1] == ["a file may not be read", "no rights"]
    assert takers(shown, "tcp", 443)[1] == ["no rights"]


def test_of_evidence_without_grants_nothing_is_promised() -> None:
    assert ways(stack(without=("grants",))) == ([], ["the evidence does not show grants"])


def test_a_grant_of_which_little_is_shown_is_shown_all_the_same() -> None:
    from auditor.binding import Grant

    (way,), _ = ways(stack(grants=Facts([Grant(path="process")], "/proc")))
    assert (way.who, way.ports, way.subject, way.steps, way.source) == ("unknown", "unknown", "unknown", [], "unknown")


def test_the_text_names_the_ways_and_what_may_be_missing() -> None:
    hostile = grant("file-capability", "/srv/\x1b[2Ja", scope="whoever may run /srv/\x1b[2Ja")
    told = said(report(of=snapshot(stack(grants=Facts([hostile], "xattr", [Gap("time ran out")])))))
    assert "may bind: whoever may run /srv/" in told
    assert "may bind: perhaps others: time ran out" in told
    assert "\x1b" not in told


def test_the_text_leaves_long_lists_to_the_other_reports() -> None:
    told = said(report(of=snapshot(stack(grants=Facts([grant(subject=f"/usr/bin/app{n}") for n in range(40)], "/proc")))))
    assert "may bind: ... and 28 more; the html and json reports have all" in told
