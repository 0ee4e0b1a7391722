"""socket-units-share-port: of two enabled units that declare one port only one can have it; which units are enabled is what links say."""

from __future__ import annotations

import pytest

from tests.bundles import Host, bundle, host, interpreted, judged, outcomes
from tests.saved_hosts import SAVED_HOSTS

NAME = "socket-units-share-port"
UNITS = "/etc/systemd/system"
WANTS = f"{UNITS}/sockets.target.wants"
VENDOR = "/usr/lib/systemd/system"


def wanted(*names: str, by: str = WANTS) -> tuple[tuple[str, str], ...]:
    return tuple((f"{by}/{name}", f"{UNITS}/{name}") for name in names)


def units(first: str, second: str, *more: tuple[str, str, str], kind: str = "ListenStream") -> Host:
    """Two enabled units, what each listens on, and more directives."""
    return host(units=(("a.socket", kind, first), ("b.socket", kind, second), *more), links=wanted("a.socket", "b.socket"))


def test_two_enabled_units_of_one_port_are_named_with_their_files_and_lines() -> None:
    (finding,) = judged(units("8080", "8080"), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "b.socket tcp/8080")
    assert finding.message == "a.socket and b.socket are both enabled and both declare tcp port 8080"
    assert finding.observed == f"a.socket on :: ({UNITS}/a.socket:1) and b.socket on :: ({UNITS}/b.socket:2)"
    assert finding.source == f"{UNITS}/a.socket:1, {UNITS}/b.socket:2"


@pytest.mark.parametrize(
    ("first", "second"),
    [("80", "81"), ("127.0.0.1:80", "10.0.0.1:80"), ("[::1]:80", "127.0.0.1:80"), ("[::1]:80", "0.0.0.0:80"), ("/run/80", "80"),
     ("[fe80::1%eth0]:80", "[fe80::1%eth1]:80"), ("[fe80::1]:80%eth0", "[fe80::1]:80%eth1"), ("@80", "80"), ("vsock::80", "80")],
)  # fmt: skip
def test_units_that_can_both_have_what_they_declare_pass(first: str, second: str) -> None:
    assert outcomes(judged(units(first, second), "", NAME)) == ["pass host"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("80", "[::]:80"), ("80", "127.0.0.1:80"), ("0.0.0.0:80", "10.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80"),
     ("[fe80::1%eth0]:80", "80"), ("*:80", "80")],
)  # fmt: skip
def test_a_wildcard_is_on_every_address(first: str, second: str) -> None:
    assert outcomes(judged(units(first, second), "", NAME)) == ["fail medium host b.socket tcp/80"]
    assert outcomes(judged(units(second, first), "", NAME)) == ["fail medium host b.socket tcp/80"]


def test_whether_a_wildcard_takes_ipv4_too_is_the_units_word_and_else_the_kernels() -> None:
    proviso = ", unless net.ipv6.bindv6only, which is 0 by default, is 1"
    (finding,) = judged(units("80", "0.0.0.0:80"), "", NAME)
    assert finding.message.endswith(f"tcp port 80{proviso}")
    (sure,) = judged(units("80", "0.0.0.0:80", ("a.socket", "BindIPv6Only", "both")), "", NAME)
    assert (sure.outcome, proviso in sure.message) == ("fail", False)
    assert outcomes(judged(units("80", "0.0.0.0:80", ("a.socket", "BindIPv6Only", "ipv6-only")), "", NAME)) == ["pass host"]
    assert outcomes(judged(units("80", "0.0.0.0:80", ("b.socket", "BindIPv6Only", "ipv6-only")), "", NAME))[0].startswith("fail")
    assert outcomes(judged(units("80", "[::]:80", ("b.socket", "BindIPv6Only", "ipv6-only")), "", NAME))[0].startswith("fail")


def test_streams_and_datagrams_are_apart() -> None:
    both = host(units=(("a.socket", "ListenStream", "53"), ("b.socket", "ListenDatagram", "53")), links=wanted("a.socket", "b.socket"))
    assert outcomes(judged(both, "", NAME)) == ["pass host"]
    assert outcomes(judged(units("53", "53", kind="ListenDatagram"), "", NAME)) == ["fail medium host b.socket udp/53"]


def test_devices_and_shared_ports_are_apart() -> None:
    def bound(*devices: str) -> Host:
        return units("80", "80", *((f"{unit}.socket", "BindToDevice", device) for unit, device in zip("ab", devices, strict=False)))

    assert outcomes(judged(bound("eth0", "eth1"), "", NAME)) == ["pass host"]
    assert outcomes(judged(bound("eth0", "eth0"), "", NAME)) == ["fail medium host b.socket tcp/80"]
    assert outcomes(judged(bound("eth0"), "", NAME)) == ["fail medium host b.socket tcp/80"]
    shared = units("80", "80", ("a.socket", "ReusePort", "yes"), ("b.socket", "ReusePort", "true"))
    assert outcomes(judged(shared, "", NAME)) == ["pass host"]
    assert outcomes(judged(units("80", "80", ("a.socket", "ReusePort", "yes")), "", NAME))[0].startswith("fail")


def test_one_unit_may_declare_a_port_twice_and_take_it_back() -> None:
    again = host(units=(("a.socket", "ListenStream", "80"), ("a.socket", "ListenStream", "0.0.0.0:80")), links=wanted("a.socket"))
    assert outcomes(judged(again, "", NAME)) == ["pass host"]
    moved = units("80", "80", ("b.socket", "ListenStream", ""), ("b.socket", "ListenStream", "81"))
    assert outcomes(judged(moved, "", NAME)) == ["pass host"]


@pytest.mark.parametrize(
    ("links", "counts"),
    [
        (wanted("a.socket"), False),
        (wanted("a.socket", "b.socket"), True),
        (wanted("a.socket", "b.socket", by=f"{VENDOR}/x.service.requires"), True),
        (wanted("a.socket", "b.socket", by=f"{VENDOR}/x.service.upholds"), True),
        (wanted("a.socket", "b.socket", by=f"{UNITS}/x.service.d"), False),
        ((*wanted("a.socket"), (f"{WANTS}/b.socket", "/dev/null")), False),
        ((*wanted("a.socket"), (f"{WANTS}/b.socket", "/dev/null"), *wanted("b.socket", by=f"{VENDOR}/sockets.target.wants")), False),
        ((*wanted("a.socket"), (f"{WANTS}/b.socket", "/dev/null"), *wanted("b.socket", by=f"{VENDOR}/x.target.wants")), True),
        ((*wanted("a.socket"), (f"{WANTS}/b.socket", None)), False),
        ((*wanted("a.socket"), (f"{WANTS}/b.socket", f"{UNITS}/c.socket")), True),
        ((*wanted("a.socket", "b.socket"), (f"{UNITS}/b.socket", "/dev/null")), False),
        ((*wanted("a.socket", "b.socket"), (f"{UNITS}/b.socket", f"{VENDOR}/a.socket")), False),
        ((*wanted("a.socket", "b.socket"), (f"{UNITS}/b.socket", "/opt/mill/mill.socket")), True),
        ((*wanted("a.socket", "c.socket"), (f"{UNITS}/c.socket", f"{UNITS}/b.socket")), True),
    ],
    ids=["one", "both", "requires", "upholds", "another folder", "dependency masked", "vendor's dependency masked", "another's dependency",
         "no link", "by its name", "masked", "another name of the first", "linked from elsewhere", "by another name"],
)  # fmt: skip
def test_a_unit_is_enabled_by_the_links_that_count(links: tuple[tuple[str, str | None], ...], counts: bool) -> None:
    said = (("a.socket", "ListenStream", "80"), ("b.socket", "ListenStream", "80"))
    found = outcomes(judged(host(units=said, links=links), "", NAME))
    assert found == (["fail medium host b.socket tcp/80"] if counts else ["pass host"])


def test_instances_of_a_template_share_its_port_and_the_template_itself_has_none() -> None:
    said = (("mill@.socket", "ListenStream", "7070"),)
    at = f"{UNITS}/mill@.socket"
    links = ((f"{WANTS}/mill@one.socket", at), (f"{WANTS}/mill@two.socket", at))
    assert outcomes(judged(host(units=said, links=links), "", NAME)) == ["fail medium host mill@two.socket tcp/7070"]
    assert outcomes(judged(host(units=said, links=links[:1]), "", NAME)) == ["pass host"]
    own = (*said, ("mill@two.socket", "ListenStream", "7071"))
    assert outcomes(judged(host(units=own, links=links), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("value", ["%i", "9%i", "0", "70000", "mill:80", "٣"])
def test_what_a_unit_declares_and_cannot_be_read_is_unknown_and_loses_nothing(value: str) -> None:
    found = judged(units("80", "80", ("c.socket", "ListenStream", value)), "", NAME)
    assert outcomes(found) == ["fail medium host b.socket tcp/80", "unknown host"]
    assert [f.message for f in found if f.outcome == "unknown"] == [f"{UNITS}/c.socket:3: what c.socket listens on cannot be read"]


def test_evidence_that_does_not_tell_of_links_leaves_it_unknown() -> None:
    whole = units("80", "80")
    older = bundle([answer for answer in whole.answers() if answer.command != "builtin:unit-links"], whole.head())
    (finding,) = judged(interpreted(older), "", NAME)
    assert (finding.outcome, finding.message) == ("unknown", "builtin:unit-links was not asked")


def test_other_systems_have_no_such_units() -> None:
    assert outcomes(judged(interpreted(SAVED_HOSTS["freebsd"].bundle()), "", NAME))[0].startswith("notapplicable")
