"""ephemeral-range-reaches-privileged-ports: what the kernel hands out is neither privileged nor a System Port, but where reserved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Finding, Range
from tests.bundles import EPHEMERAL, RESERVED, THRESHOLD, changed, host, interpreted, judged, outcomes
from tests.saved_hosts import DARWIN, DRAGONFLY, FREEBSD, NETBSD, OPENBSD, SavedHost

NAME = "ephemeral-range-reaches-privileged-ports"


@pytest.mark.parametrize(
    ("span", "threshold", "reserved", "says"),
    [
        ("1024 65535", "1024", "", None),
        ("32768 60999", "0", "", None),
        ("1023 65535", "1023", "", "1023, which are System Ports"),
        ("500 65535", "0", "", "500-1023, which are System Ports"),
        ("500 65535", "0", "1-1023", None),
        ("500 65535", "0", "600-700,22", "500-599, 701-1023, which are System Ports"),
        ("1500 65535", "2000", "", "1500-1999, which are privileged here"),
        ("1500 65535", "2000", "1500-1998", "1999, which are privileged here"),
        ("1500 65535", "2000", "1500-1999", None),
        ("1000 65535", "2000", "", "1000-1023, which are System Ports"),
    ],
)
def test_what_may_be_handed_out_is_named(span: str, threshold: str, reserved: str, says: str | None) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span, THRESHOLD: threshold, RESERVED: reserved}), "", NAME)
    assert (finding.outcome, finding.message) == (
        ("pass", finding.message) if says is None else ("fail", f"the kernel may hand out {says}")
    )
    assert finding.severity == "high"


def test_the_finding_shows_both_ranges() -> None:
    (finding,) = judged(host(settings={EPHEMERAL: "1500 65535", THRESHOLD: "2000"}), "", NAME)
    assert finding.observed == "ephemeral: 1500-65535; privileged: 1-1999"
    assert finding.source == f"{EPHEMERAL}; {THRESHOLD}"


def facts(first: int = 0, last: int = 0, gaps: tuple[Gap, ...] = (), **more: Any) -> Facts[Range]:
    """One range, or none."""
    one = Range(**{"first": first, "last": last, "protocol": "any", "family": "any", "role": "default", **more})
    return Facts([one] if last else [], "a test", gaps)


@pytest.mark.parametrize(
    ("ephemeral", "privileged", "reserved", "outcome"),
    [
        (facts(600, 1023, role="low"), facts(1, 1023), facts(), "pass"),
        (facts(1500, 3000, protocol="udp"), facts(1, 2000, protocol="tcp"), facts(), "pass"),
        (facts(1500, 3000, protocol="tcp"), facts(1, 2000, protocol="tcp"), facts(), "fail"),
        (facts(1500, 3000, family="ipv6"), facts(1, 2000, family="ipv4"), facts(), "pass"),
        (facts(500, 3000), facts(1, 1023), facts(500, 1023, protocol="udp", family="ipv6"), "fail"),
        (facts(500, 3000), facts(1, 1023), facts(500, 1023, protocol="udp"), "fail"),
        (facts(500, 3000), facts(1, 1023), facts(500, 1023, family="ipv6"), "fail"),
        (facts(500, 3000, protocol="udp"), facts(1, 1023), facts(500, 1023, protocol="udp"), "pass"),
        (facts(500, 3000, family="ipv6"), facts(1, 1023), facts(500, 1023, family="ipv6"), "pass"),
        (facts(500, 3000, protocol="udp"), facts(1, 1023), facts(500, 1023), "pass"),
        (facts(1500, 3000, protocol="udp"), facts(1, 2000), facts(), "fail"),
        (facts(1500, 3000), facts(1, 2000, family="ipv4"), facts(), "fail"),
        (facts(1500, 3000), facts(2049, 2049, protocol="tcp"), facts(2049, 2049, protocol="tcp"), "pass"),
        (facts(1500, 3000), facts(2049, 2049, protocol="tcp"), facts(2049, 2049, protocol="udp"), "fail"),
        (facts(500, 3000, (Gap("cut"),)), facts(1, 1023), facts(), "fail"),
        (facts(2000, 3000), facts(1, 1023, (Gap("cut"),)), facts(), "unknown"),
        (facts(500, 3000), facts(1, 1023), Facts[Range]([], "t", [Gap("cut")]), "unknown"),
        (facts(2000, 3000), facts(1, 1023), Facts[Range]([], "t", [Gap("cut")]), "pass"),
    ],
)
def test_ranges_of_one_protocol_family_or_role_speak_of_that_alone(
    ephemeral: Facts[Range], privileged: Facts[Range], reserved: Facts[Range], outcome: str
) -> None:
    snapshot = changed(host(), ephemeral=ephemeral, privileged=privileged, reserved=reserved)
    assert judged(snapshot, "", NAME)[0].outcome == outcome


def test_a_range_that_was_not_read_is_unknown() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: None}), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(settings={THRESHOLD: None}), "", NAME)) == ["unknown host"]


def test_ports_reserved_of_each_protocol_and_family_are_reserved_of_all() -> None:
    parts = [Range(first=500, last=1023, protocol=p, family=f) for p, f in (("tcp", "any"), ("udp", "ipv4"), ("udp", "ipv6"))]
    for reserved, outcome in ((parts, "pass"), (parts[:2], "fail"), (parts[1:], "fail")):
        snapshot = changed(host(), ephemeral=facts(500, 3000), privileged=facts(1, 1023), reserved=Facts(reserved, "a test"))
        assert [f.outcome for f in judged(snapshot, "", NAME)] == [outcome]


def test_ports_reserved_in_pieces_are_told_as_those_that_are_left() -> None:
    reserved = Facts(
        [Range(first=500, last=899, protocol="tcp", family="any"), Range(first=600, last=999, protocol="udp", family="any")], "t"
    )
    (finding,) = judged(changed(host(), ephemeral=facts(500, 3000), privileged=facts(1, 1023), reserved=reserved), "", NAME)
    assert finding.message == "the kernel may hand out 500-599, 900-1023, which are System Ports"


# Systems that ask for no privilege where they choose the port


def of(saved: SavedHost, form: str, **values: str | None) -> list[Finding]:
    """What the rule says of a host whose settings have these values (`__` is a dot); None is one that could not be read."""
    settings = {f"sysctl {name.replace('__', '.')}": value for name, value in values.items()}
    texts = {command: text for command, text in saved.texts.items() if command not in settings}
    texts |= {command: form.format(command.partition(" ")[2], value) for command, value in settings.items() if value is not None}
    return judged(interpreted(replace(saved, texts=texts).bundle()), "", NAME)


def given(words: str) -> str:
    return f": any user's program that names no port may be given {words}, for only a named port asks for the privilege"


def openbsd(first: str, last: str, **lists: str | None) -> list[Finding]:
    return of(OPENBSD, "{}={}\n", net__inet__ip__portfirst=first, net__inet__ip__portlast=last,
              **{f"net__inet__{name}": value for name, value in lists.items()})  # fmt: skip


def test_openbsd_gives_privileged_ports_to_any_user_who_names_none() -> None:
    """As a running OpenBSD 2.8 did with portfirst 700 and portlast 800."""
    (finding,) = openbsd("700", "800", tcp__baddynamic="", udp__baddynamic="")
    assert (finding.outcome, finding.severity) == ("fail", "high")
    assert finding.message == f"the kernel may hand out 700-800, which are System Ports{given('700-800')}"
    assert (finding.observed, finding.expected) == ("ephemeral: 700-800", "none of 0-1023")


def test_of_a_range_that_goes_on_above_the_privileged_ports_those_alone_are_told() -> None:
    (finding,) = openbsd("1000", "3000", tcp__baddynamic="2049", udp__baddynamic="2049")
    assert finding.message == f"the kernel may hand out 1000-1023, which are System Ports{given('1000-1023')}"


def test_what_baddynamic_of_both_protocols_keeps_is_given_to_nobody() -> None:
    (finding,) = openbsd("700", "800", tcp__baddynamic="740-800", udp__baddynamic="750-800")
    assert finding.message == f"the kernel may hand out 700-749, which are System Ports{given('700-749')}"


def test_a_port_of_rootonly_that_is_not_kept_back_is_given_to_any_user() -> None:
    (finding,) = openbsd("1024", "49151", tcp__baddynamic="2049", udp__baddynamic="")
    assert finding.message == f"the kernel may hand out 2049, which are privileged here{given('2049')}"
    assert {one.outcome for one in openbsd("1024", "49151")} == {"pass"}, "as OpenBSD is shipped"


def test_where_the_privileged_ports_are_not_known_the_range_is_found_all_the_same() -> None:
    found = openbsd("700", "800", tcp__baddynamic="", udp__baddynamic="", tcp__rootonly=None)
    assert [one.message for one in found if one.outcome == "fail"] == ["the kernel may hand out 700-800, which are System Ports"]


@pytest.mark.parametrize(("saved", "first"), [(FREEBSD, "1000"), (DRAGONFLY, "1000")])
def test_freebsd_and_dragonfly_do_not_ask_either(saved: SavedHost, first: str) -> None:
    (finding,) = (one for one in of(saved, "{}: {}\n", net__inet__ip__portrange__first=first) if one.outcome == "fail")
    assert finding.message == f"the kernel may hand out 1000-1023, which are System Ports{given('1000-1023')}"


def test_freebsd_gives_no_privileged_port_away_where_none_is_privileged() -> None:
    values = {"net__inet__ip__portrange__first": "1000", "net__inet__ip__portrange__reservedhigh": "0"}
    assert of(FREEBSD, "{}: {}\n", **values)[0].message == "the kernel may hand out 1000-1023, which are System Ports"


@pytest.mark.parametrize(
    ("saved", "form", "name"),
    [(NETBSD, "{} = {}\n", "net__inet__ip__anonportmin"), (DARWIN, "{}: {}\n", "net__inet__ip__portrange__first")],
)
def test_of_systems_that_do_ask_it_is_not_said(saved: SavedHost, form: str, name: str) -> None:
    (finding,) = (one for one in of(saved, form, **{name: "1000"}) if one.outcome == "fail")
    assert finding.message == "the kernel may hand out 1000-1023, which are System Ports"
