"""ephemeral-ports-sequential: the settings by which a kernel counts its ports through, by each system's own names and values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model import Finding
from tests.bundles import host, interpreted, judged, outcomes
from tests.saved_hosts import DARWIN, DRAGONFLY, FREEBSD, NETBSD, SavedHost

NAME = "ephemeral-ports-sequential"
RANDOMIZED = "net.inet.ip.portrange.randomized"
TCP, UDP = "net.inet.tcp.randomize_ports", "net.inet.udp.randomize_ports"
ALGORITHM, ALGORITHM6 = "net.inet.ip.anonportalgo.selected", "net.inet6.ip6.anonportalgo.selected"


def with_values(of: SavedHost, form: str, values: dict[str, str | None], absent: str = "") -> list[Finding]:
    """What the rule says of a host whose settings have these values; None is a command that was not run, or fails as `absent` says."""
    commands = {f"sysctl {name}": value for name, value in values.items()}
    texts = {command: text for command, text in of.texts.items() if command not in commands}
    texts |= {command: form.format(command.partition(" ")[2], value) for command, value in commands.items() if value is not None}
    missing = dict(of.missing) | {command: absent.format(command.partition(" ")[2]) for command in commands if absent}
    return judged(interpreted(replace(of, texts=texts, missing=missing).bundle()), "", NAME)


def freebsd(value: str | None) -> list[Finding]:
    return with_values(FREEBSD, "{}: {}\n", {RANDOMIZED: value})


def test_freebsd_counts_where_it_was_told_not_to_draw() -> None:
    (finding,) = freebsd("0")
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "stack")
    assert finding.message == f"{RANDOMIZED} is 0: each port that is handed out follows from the one before it"
    assert (finding.observed, finding.expected) == (f"{RANDOMIZED} = 0", "1")
    assert outcomes(freebsd("1")) == ["pass host"]


@pytest.mark.parametrize("value", [None, "", "yes", "-1", "01"])
def test_a_value_that_was_not_read_or_means_nothing_known_is_unknown(value: str | None) -> None:
    assert outcomes(freebsd(value)) == ["unknown host"]


@pytest.mark.parametrize(
    ("tcp", "udp", "counts"),
    [("0", "1", [TCP]), ("1", "0", [UDP]), ("0", "0", [TCP, UDP]), ("1", "1", [])],
)
def test_macos_has_a_setting_for_tcp_and_one_for_udp(tcp: str, udp: str, counts: list[str]) -> None:
    (finding,) = with_values(DARWIN, "{}: {}\n", {TCP: tcp, UDP: udp})
    assert finding.outcome == ("fail" if counts else "pass")
    assert (finding.observed or "") == "; ".join(f"{name} = 0" for name in counts)


def test_what_one_setting_says_is_told_although_the_other_was_not_read() -> None:
    found = with_values(DARWIN, "{}: {}\n", {TCP: "0", UDP: None})
    assert outcomes(found) == ["fail low host stack", "unknown host"]
    assert [f.message for f in found if f.outcome == "unknown"] == ["sysctl complained: sysctl: no such thing"]
    assert outcomes(with_values(DARWIN, "{}: {}\n", {TCP: None, UDP: "0"})) == ["fail low host stack", "unknown host"]
    assert outcomes(with_values(DARWIN, "{}: {}\n", {TCP: "1", UDP: None})) == ["unknown host"]


def test_an_old_kernel_that_has_no_such_setting_is_unknown_and_no_pass() -> None:
    assert outcomes(with_values(DARWIN, "", {TCP: None}, "sysctl: unknown oid '{}'\n")) == ["unknown host"]


@pytest.mark.parametrize(
    ("algorithm", "outcome"),
    [("bsd", "fail"), ("random_start", "pass"), ("random_pick", "pass"), ("hash", "pass"), ("doublehash", "pass"), ("randinc", "pass"),
     ("new", "unknown"), ("0", "unknown")],
)  # fmt: skip
def test_netbsd_names_its_algorithm(algorithm: str, outcome: str) -> None:
    found = with_values(NETBSD, "{} = {}\n", {ALGORITHM: algorithm, ALGORITHM6: "hash"})
    assert [f.outcome for f in found] == [outcome]


def test_netbsds_ipv6_has_an_algorithm_of_its_own_where_the_kernel_has_ipv6() -> None:
    assert outcomes(with_values(NETBSD, "{} = {}\n", {ALGORITHM: "hash", ALGORITHM6: "bsd"})) == ["fail low host stack"]
    assert outcomes(with_values(NETBSD, "{} = {}\n", {ALGORITHM: "hash", ALGORITHM6: None})) == ["unknown host"]


def test_a_kernel_without_ipv6_needs_no_setting_for_it() -> None:
    without = [f"net.inet6.ip6.{name}" for name in ("anonportmin", "anonportmax", "lowportmin", "lowportmax", "anonportalgo.reserve")]
    absent = "sysctl: second level name 'inet6' in '{}' is invalid\n"
    for algorithm, outcome in (("hash", "pass host"), ("bsd", "fail low host stack")):
        of = with_values(NETBSD, "{} = {}\n", {ALGORITHM: algorithm, ALGORITHM6: None, **dict.fromkeys(without)}, absent)
        assert outcomes(of) == [outcome]


def test_dragonfly_has_no_setting_and_the_others_are_not_meant() -> None:
    (finding,) = judged(interpreted(DRAGONFLY.bundle()), "", NAME)
    assert (finding.outcome, "DragonFly has no setting for it" in finding.message) == ("notchecked", True)
    assert outcomes(judged(host(), "", NAME)) == ["notapplicable host"]


def test_it_is_off_until_a_site_wants_it() -> None:
    assert outcomes(judged(interpreted(FREEBSD.bundle()), "extends: baseline\n", NAME)) == ["notselected host"]
