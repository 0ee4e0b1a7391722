"""Each rule on real evidence: where it fails and how gravely, where it passes, where it cannot tell, and where it has no yardstick."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Finding, Range, Snapshot, Stack
from tests.bundles import (
    AGENT,
    AUTOBIND,
    EPHEMERAL,
    IN_A_CONTAINER,
    INIT,
    NGINX,
    ON_A_MACVLAN,
    RESERVED,
    SSHD,
    THRESHOLD,
    WEB_CONTAINER,
    Host,
    Net,
    Process,
    changed,
    container,
    host,
    judged,
    port,
    service,
    with_sockets,
)

RSYSLOG = service(300, "rsyslogd")


def told(of: Host | Snapshot, rule: str, by: str = "", **more: Any) -> list[str]:
    """What a rule says of a host: outcome, severity where it failed, and subject."""
    return sorted(_line(finding) for finding in judged(of, by, rule, **more))


def _line(finding: Finding) -> str:
    if finding.outcome == "fail":
        return f"fail {finding.severity} {finding.subject}" + (f" ({finding.count})" if finding.count > 1 else "")
    return finding.outcome


def failed(of: Host | Snapshot, rule: str, by: str = "") -> Finding:
    (finding,) = [finding for finding in judged(of, by, rule) if finding.outcome == "fail"]
    return finding


def gapped(of: Host | Snapshot, *kinds: str, **scope: str) -> Snapshot:
    """A host whose facts of these kinds may not be all."""
    snapshot = of.snapshot() if isinstance(of, Host) else of
    own = snapshot.stacks.seen[0].shown
    return changed(snapshot, **{k: Facts(own[k].seen, own[k].source, [Gap("refused", **scope)], own[k].basis) for k in kinds})


def settings(*ports: Any, **more: str) -> Host:
    """A host with these kernel settings: threshold, ephemeral, reserved."""
    names = {"threshold": THRESHOLD, "ephemeral": EPHEMERAL, "reserved": RESERVED}
    return host(*ports, settings={names[key]: value for key, value in more.items()})


# cleartext-listener


@pytest.mark.parametrize(
    ("at", "by", "says"),
    [
        ("tcp/10.0.0.5:23", INIT, "fail medium tcp/10.0.0.5:23"),
        ("tcp/0.0.0.0:21", AGENT, "fail medium tcp/0.0.0.0:21"),
        ("tcp/*:513", AGENT, "fail medium tcp/*:513"),
        ("tcp/[fe80::1%eth0]:23", AGENT, "fail medium tcp/[fe80::1%eth0]:23"),
        ("udp/0.0.0.0:69", AGENT, "fail medium udp/0.0.0.0:69"),
        ("tcp/0.0.0.0:514", AGENT, "fail medium tcp/0.0.0.0:514"),
        ("tcp/0.0.0.0:514", RSYSLOG, "pass"),
        ("udp/0.0.0.0:514", AGENT, "pass"),
        ("tcp/0.0.0.0:69", AGENT, "pass"),
        ("udp/0.0.0.0:23", AGENT, "pass"),
        ("tcp/127.0.0.1:23", AGENT, "pass"),
        ("tcp/[::1]:23", AGENT, "pass"),
        ("tcp/0.0.0.0:22", SSHD, "pass"),
        ("tcp/0.0.0.0:25", AGENT, "pass"),
    ],
)
def test_cleartext_listener_goes_by_protocol_port_reach_and_program(at: str, by: Process, says: str) -> None:
    assert told(host(port(at, by)), "cleartext-listener") == [says]


def test_cleartext_listener_counts_the_usual_tier_only_where_the_policy_asks_for_it() -> None:
    by = "rules: {cleartext-listener: {tiers: [always, usual]}}\n"
    assert told(host(port("tcp/0.0.0.0:25", AGENT)), "cleartext-listener", by) == ["fail medium tcp/0.0.0.0:25"]
    assert "by number" in failed(host(port("tcp/0.0.0.0:25", AGENT)), "cleartext-listener", by).message


def test_cleartext_listener_excuses_a_syslog_only_where_every_holder_is_one() -> None:
    rule = "cleartext-listener"
    assert told(host(port("tcp/0.0.0.0:514", RSYSLOG, AGENT)), rule) == ["fail medium tcp/0.0.0.0:514"]
    assert told(host(port("tcp/0.0.0.0:514")), rule) == ["unknown"], "nobody in view: perhaps the kernel, perhaps something hidden"
    assert told(host(port("tcp/0.0.0.0:514"), unreadable=[7]), rule) == ["unknown"]
    assert told(host(port("tcp/0.0.0.0:514", RSYSLOG), unreadable=[7]), rule) == ["unknown"], "others may hold it too"
    assert told(host(port("tcp/0.0.0.0:514", RSYSLOG, AGENT), unreadable=[7]), rule) == ["fail medium tcp/0.0.0.0:514"]
    assert told(with_sockets(host(port("tcp/0.0.0.0:514")), owner_state="known", owners_seen=[]), rule) == ["fail medium tcp/0.0.0.0:514"]


def test_cleartext_listener_does_not_need_to_see_who_holds_a_port_that_has_no_excuse() -> None:
    assert told(host(port("tcp/0.0.0.0:23")), "cleartext-listener") == ["fail medium tcp/0.0.0.0:23"]
    assert "nobody in view" in str(failed(host(port("tcp/0.0.0.0:23")), "cleartext-listener").observed)


def test_cleartext_listener_is_unknown_where_the_reach_is() -> None:
    assert told(with_sockets(host(port("tcp/0.0.0.0:23", AGENT)), reach="unknown"), "cleartext-listener") == ["unknown"]
    assert told(with_sockets(host(port("tcp/0.0.0.0:23", AGENT)), reach=...), "cleartext-listener") == ["unknown"]


def test_cleartext_listener_names_the_port_the_service_and_the_holder() -> None:
    found = failed(host(port("tcp/10.0.0.5:23", AGENT)), "cleartext-listener")
    assert found.message.startswith("port 23 is Telnet by number")
    assert "private" in str(found.observed)
    assert "/usr/sbin/agent" in str(found.observed)
    assert found.source == "RFC 854"


# unauthenticated-port-exposed


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("tcp/0.0.0.0:2375", "fail high tcp/0.0.0.0:2375"),
        ("tcp/10.0.0.5:6379", "fail high tcp/10.0.0.5:6379"),
        ("tcp/*:27017", "fail high tcp/*:27017"),
        ("udp/0.0.0.0:11211", "fail high udp/0.0.0.0:11211"),
        ("udp/0.0.0.0:6379", "pass"),
        ("tcp/127.0.0.1:6379", "pass"),
        ("tcp/[::1]:9200", "pass"),
        ("tcp/0.0.0.0:2049", "pass"),
    ],
)
def test_unauthenticated_port_exposed_goes_by_protocol_port_and_reach(at: str, says: str) -> None:
    assert told(host(port(at, AGENT)), "unauthenticated-port-exposed") == [says]


def test_unauthenticated_port_exposed_is_for_the_hosts_own_stack() -> None:
    boxed = container(WEB_CONTAINER, port("tcp/0.0.0.0:6379", AGENT))
    assert told(Host(others=[boxed]), "unauthenticated-port-exposed") == ["notapplicable", "pass"]


def test_unauthenticated_port_exposed_says_it_goes_by_the_number_and_names_the_process() -> None:
    found = failed(host(port("tcp/0.0.0.0:6379", service(950, "redis-server", 110, "/usr/bin"))), "unauthenticated-port-exposed")
    assert "port 6379, Redis by number" in found.message
    assert "/usr/bin/redis-server" in str(found.observed)


def test_unauthenticated_port_exposed_is_unknown_where_the_reach_or_a_protocol_is() -> None:
    seen = host(port("tcp/0.0.0.0:6379", AGENT))
    assert told(with_sockets(seen, reach="unknown"), "unauthenticated-port-exposed") == ["unknown"]
    assert told(gapped(seen, "listening", protocol="udp"), "unauthenticated-port-exposed") == ["fail high tcp/0.0.0.0:6379", "unknown"]
    assert told(gapped(host(), "listening", protocol="udp"), "unauthenticated-port-exposed") == ["unknown"]


# privileged-range-lowered


@pytest.mark.parametrize(
    ("threshold", "missing"),
    [("1024", None), ("2000", None), ("65536", None), ("1023", "1023"), ("80", "80-1023"), ("1", "1-1023"), ("0", "1-1023")],
)
def test_privileged_range_lowered_says_which_ports_any_user_may_bind(threshold: str, missing: str | None) -> None:
    of = settings(threshold=threshold)
    if missing is None:
        assert told(of, "privileged-range-lowered") == ["pass"]
    else:
        found = failed(of, "privileged-range-lowered")
        assert (found.severity, found.message) == ("high", f"any user may bind {missing}")
        assert found.subject == THRESHOLD
        assert str(found.expected).startswith("privileged: ")


@pytest.mark.parametrize(
    ("addresses", "severity"), [(IN_A_CONTAINER, "info"), (ON_A_MACVLAN, "medium"), ((("lo", "loopback", "127.0.0.1", 8),), "info")]
)
def test_privileged_range_lowered_is_grave_on_a_host_and_less_so_in_a_container(addresses: Any, severity: str) -> None:
    of = Host(others=[container(WEB_CONTAINER, addresses=addresses, settings={THRESHOLD: "0"})])
    assert told(of, "privileged-range-lowered") == [f"fail {severity} {THRESHOLD}", "pass"]


def test_privileged_range_lowered_takes_a_container_whose_interfaces_were_not_seen_for_one_on_the_network() -> None:
    snapshot = Host(others=[container(WEB_CONTAINER, settings={THRESHOLD: "0"})]).snapshot()
    own, boxed = snapshot.stacks.seen
    boxed = Stack(**{**boxed.shown, "addresses": Facts([], "rtnetlink", [Gap("refused")])})
    of = Snapshot(**{**snapshot.shown, "stacks": Facts([own, boxed], "/proc")})
    assert told(of, "privileged-range-lowered") == [f"fail medium {THRESHOLD}", "pass"]


def test_privileged_range_lowered_follows_the_policy_where_it_names_a_range() -> None:
    assert told(settings(threshold="80"), "privileged-range-lowered", "privileged: {expect: 0-79}\n") == ["pass"]
    found = failed(settings(threshold="1024"), "privileged-range-lowered", "privileged: {expect: 0-2047}\n")
    assert (found.message, found.severity) == ("any user may bind 1024-2047", "high")
    assert "site.yaml:2" in str(found.source)


@pytest.mark.parametrize("text", [None, "", "x", "-1", "1024 5", "65537"])
def test_privileged_range_lowered_is_unknown_where_the_threshold_is(text: str | None) -> None:
    assert told(host(settings={THRESHOLD: text}), "privileged-range-lowered") == ["unknown"]


def test_privileged_range_lowered_knows_the_kernels_that_had_no_threshold() -> None:
    assert told(host(settings={THRESHOLD: None}, release="3.10.0"), "privileged-range-lowered") == ["pass"]


def test_privileged_range_lowered_has_no_yardstick_for_a_release_without_a_row() -> None:
    assert told(host(settings={THRESHOLD: "0"}, release="0.9"), "privileged-range-lowered") == ["notchecked"]
    assert told(host(settings={THRESHOLD: "0"}, release=None), "privileged-range-lowered") == ["unknown"]


def test_a_documented_range_is_not_compared_with_the_table_that_it_is_from() -> None:
    own = host().snapshot().stacks.seen[0]
    documented = {kind: Facts(own.shown[kind].seen, "table", (), "documented") for kind in ("privileged", "ephemeral")}
    of = changed(host(), **documented)
    assert told(of, "privileged-range-lowered") == ["notchecked"]
    assert told(of, "ephemeral-range-differs-from-vendor") == ["notchecked"]
    assert told(of, "ephemeral-range-differs-from-policy", "ephemeral: {expect: vendor-default}\n") == ["notchecked"]
    assert told(of, "ephemeral-range-differs-from-policy", "ephemeral: {expect: 32768-60999}\n") == ["pass"]


# The ephemeral range


def test_ephemeral_range_differs_from_vendor_is_inventory_with_the_numbers() -> None:
    found = failed(settings(ephemeral="20000\t60999"), "ephemeral-range-differs-from-vendor")
    assert (found.severity, found.observed, found.expected) == ("info", "20000-60999 (41000 ports)", "32768-60999 (28232 ports)")
    assert told(host(), "ephemeral-range-differs-from-vendor") == ["pass"]
    assert told(host(release="0.9"), "ephemeral-range-differs-from-vendor") == ["notchecked"]
    assert told(settings(ephemeral="nonsense"), "ephemeral-range-differs-from-vendor") == ["unknown"]


def test_ephemeral_range_differs_from_vendor_has_no_yardstick_for_a_range_the_vendor_does_not_have() -> None:
    high = Range(first=49152, last=65535, role="high", protocol="any", family="any", descending=False)
    assert told(changed(host(), ephemeral=Facts([high], "sysctl")), "ephemeral-range-differs-from-vendor") == ["notchecked"]


@pytest.mark.parametrize(
    ("expect", "runs", "outside"),
    [
        ("32768-60999", "32768\t60999", None),
        ("20000-65535", "32768\t60999", None),
        ("49152-65535", "32768\t60999", "32768-49151"),
        ("40000-50000", "32768\t60999", "32768-39999, 50001-60999"),
        ("iana-dynamic", "49152\t65535", None),
        ("iana-dynamic", "49000\t65535", "49000-49151"),
        ("vendor-default", "32768\t60999", None),
        ("vendor-default", "32767\t60999", "32767"),
    ],
)
def test_ephemeral_range_differs_from_policy_says_which_ports_are_outside(expect: str, runs: str, outside: str | None) -> None:
    rule, by = "ephemeral-range-differs-from-policy", f"ephemeral: {{expect: {expect}}}\n"
    if outside is None:
        assert told(settings(ephemeral=runs), rule, by) == ["pass"]
    else:
        found = failed(settings(ephemeral=runs), rule, by)
        assert (found.severity, found.message) == ("medium", f"the kernel hands out {outside}, which the policy does not allow")


def test_ephemeral_range_differs_from_policy_is_notchecked_without_one_and_unknown_without_a_range() -> None:
    rule = "ephemeral-range-differs-from-policy"
    assert told(host(), rule) == ["notchecked"]
    assert told(host(release="0.9"), rule, "ephemeral: {expect: vendor-default}\n") == ["notchecked"]
    assert told(settings(ephemeral="1"), rule, "ephemeral: {expect: iana-dynamic}\n") == ["unknown"]


@pytest.mark.parametrize(
    ("ephemeral", "reserved", "left"),
    [
        ("32768\t60999", "", None), ("50000\t58191", "", None), ("50000\t58190", "", 8191), ("50000\t58191", "50000", 8191),
        ("32768\t60999", "32768-60000", 999), ("32768\t60999", "60000-60999,32768-59999", 0), ("50000\t58191", "1-1000", None),
        ("50000\t50000", "", 1),
    ],
)  # fmt: skip
def test_ephemeral_range_small_counts_what_is_left_after_the_reserved_ports(ephemeral: str, reserved: str, left: int | None) -> None:
    rule, by = "ephemeral-range-small", "rules: {ephemeral-range-small: {at_least: 8192}}\n"
    of = settings(ephemeral=ephemeral, reserved=reserved)
    if left is None:
        assert told(of, rule, by) == ["pass"]
    else:
        found = failed(of, rule, by)
        assert (found.severity, found.message, found.expected) == ("low", f"only {left} ports can be handed out", "at least 8192")


def test_ephemeral_range_small_is_notchecked_without_a_number_and_unknown_without_the_reserved_ports() -> None:
    by = "rules: {ephemeral-range-small: {at_least: 8192}}\n"
    assert told(host(), "ephemeral-range-small") == ["notchecked"]
    assert told(gapped(host(), "reserved"), "ephemeral-range-small", by) == ["unknown"]
    assert told(settings(reserved="garbage"), "ephemeral-range-small", by) == ["unknown"]


@pytest.mark.parametrize(
    ("threshold", "ephemeral", "reserved", "says"),
    [
        ("1024", "32768\t60999", "", None),
        ("1024", "1024\t65535", "", None),
        ("80", "1000\t65535", "", "the kernel may hand out 1000-1023, which are System Ports"),
        ("80", "1000\t65535", "1000-1023", None),
        ("80", "1000\t65535", "1001-1023", "the kernel may hand out 1000, which are System Ports"),
        ("2000", "1500\t65535", "", "the kernel may hand out 1500-1999, which are privileged here"),
        ("0", "1\t65535", "", "the kernel may hand out 1-1023, which are System Ports"),
    ],
)
def test_ephemeral_range_reaches_privileged_ports_names_the_ports(threshold: str, ephemeral: str, reserved: str, says: str | None) -> None:
    rule = "ephemeral-range-reaches-privileged-ports"
    of = settings(threshold=threshold, ephemeral=ephemeral, reserved=reserved)
    if says is None:
        assert told(of, rule) == ["pass"]
    else:
        found = failed(of, rule)
        assert (found.severity, found.message) == ("high", says)


def test_ephemeral_range_reaches_privileged_ports_is_unknown_where_the_privileged_are_not_known() -> None:
    rule = "ephemeral-range-reaches-privileged-ports"
    assert told(gapped(settings(ephemeral="1024\t65535"), "privileged"), rule) == ["unknown"]
    assert told(gapped(settings(threshold="80", ephemeral="1000\t65535"), "privileged"), rule) == [f"fail high {EPHEMERAL}"]


def test_ephemeral_range_reaches_privileged_ports_leaves_the_range_of_the_privileged_alone() -> None:
    low = Range(first=600, last=1023, role="low", protocol="any", family="any", descending=True)
    of = changed(host(), ephemeral=Facts([low], "net.inet.ip.portrange.lowfirst"))
    assert told(of, "ephemeral-range-reaches-privileged-ports") == ["pass"]


# listener-in-ephemeral-range


AGENT_ENTRY = "listening: {approved: [{name: agent, port: 40000, protocol: tcp}]}\n"


def test_listener_in_ephemeral_range_is_low_where_the_port_is_fixed_and_shows_the_arithmetic() -> None:
    of = settings(port("tcp/0.0.0.0:40000", AGENT), reserved="50000-50009")
    found = failed(of, "listener-in-ephemeral-range", AGENT_ENTRY)
    assert (found.severity, found.subject) == ("low", "tcp/0.0.0.0:40000")
    assert "site.yaml:2" in found.message
    assert found.observed == (
        "32768 <= 40000 <= 60999; 28232 ports, 10 of them reserved, 40000 is not: one of 28222 that may be handed out"
    )


def test_listener_in_ephemeral_range_knows_a_port_that_a_socket_unit_fixes() -> None:
    of = host(port("tcp/0.0.0.0:40000", INIT), units=[("fixed.socket", "ListenStream", "40000")])
    found = failed(of, "listener-in-ephemeral-range")
    assert (found.severity, "fixed.socket" in found.message) == ("low", True)


def test_listener_in_ephemeral_range_folds_what_the_kernel_may_have_chosen_into_one_line_of_inventory() -> None:
    of = host(port("tcp/0.0.0.0:40000", AGENT), port("udp/0.0.0.0:45000", AGENT), port("tcp/0.0.0.0:22", SSHD))
    assert told(of, "listener-in-ephemeral-range") == ["fail info ports of the ephemeral range, not known to be fixed (2)"]
    assert failed(of, "listener-in-ephemeral-range").examples == ("tcp/0.0.0.0:40000", "udp/0.0.0.0:45000")


@pytest.mark.parametrize("number", [32767, 61000])
def test_listener_in_ephemeral_range_is_content_just_outside(number: int) -> None:
    assert told(host(port(f"tcp/0.0.0.0:{number}", AGENT)), "listener-in-ephemeral-range") == ["pass"]


@pytest.mark.parametrize("number", [32768, 60999])
def test_listener_in_ephemeral_range_takes_both_ends(number: int) -> None:
    assert told(host(port(f"tcp/0.0.0.0:{number}", AGENT)), "listener-in-ephemeral-range")[0].startswith("fail info")


@pytest.mark.parametrize("reserved", ["40000", "39999-40001", "9000,40000", "50000,40000", "32768-60999"])
def test_listener_in_ephemeral_range_is_content_with_a_reserved_port(reserved: str) -> None:
    of = settings(port("tcp/0.0.0.0:40000", AGENT), reserved=reserved)
    assert told(of, "listener-in-ephemeral-range", AGENT_ENTRY) == ["pass"]


def test_listener_in_ephemeral_range_is_unknown_where_ranges_are() -> None:
    of, rule = host(port("tcp/0.0.0.0:40000", AGENT)), "listener-in-ephemeral-range"
    assert told(gapped(of, "reserved"), rule) == ["unknown"]
    assert told(settings(port("tcp/0.0.0.0:40000", AGENT), ephemeral="x"), rule) == ["unknown"]
    assert told(gapped(settings(port("tcp/0.0.0.0:40000", AGENT), reserved="40000"), "ephemeral"), rule) == ["unknown"]


def ranged(*ports: Any, **kinds: list[tuple[int, int, str, str]]) -> Snapshot:
    """A host whose ranges are of a protocol and family."""
    made = {}
    for kind, ranges in kinds.items():
        made[kind] = Facts([Range(first=a, last=b, protocol=p, family=f, role="default") for a, b, p, f in ranges], kind)
    return changed(host(*ports), **made)


@pytest.mark.parametrize(
    ("at", "ephemeral", "reserved", "fails"),
    [
        ("tcp/0.0.0.0:40000", ("udp", "any"), None, False),
        ("tcp/0.0.0.0:40000", ("tcp", "ipv6"), None, False),
        ("tcp/[::]:40000", ("tcp", "ipv4"), None, False),
        ("tcp/[::]:40000", ("tcp", "ipv6"), None, True),
        ("tcp/*:40000", ("any", "ipv4"), None, True),
        ("tcp/*:40000", ("any", "ipv6"), None, True),
        ("tcp/0.0.0.0:40000", ("any", "any"), ("tcp", "any"), False),
        ("tcp/0.0.0.0:40000", ("any", "any"), ("udp", "any"), True),
        ("tcp/0.0.0.0:40000", ("any", "any"), ("any", "ipv4"), False),
        ("tcp/0.0.0.0:40000", ("any", "any"), ("any", "ipv6"), True),
        ("tcp/*:40000", ("any", "any"), ("any", "ipv6"), True),
        ("tcp/*:40000", ("any", "any"), ("any", "any"), False),
    ],
)
def test_listener_in_ephemeral_range_keeps_protocols_and_families_apart(
    at: str, ephemeral: tuple[str, str], reserved: tuple[str, str] | None, fails: bool
) -> None:
    kinds = {"ephemeral": [(32768, 60999, *ephemeral)], "reserved": [(40000, 40000, *reserved)] if reserved else []}
    assert (told(ranged(port(at, AGENT), **kinds), "listener-in-ephemeral-range") != ["pass"]) is fails


def test_ranges_of_a_role_that_must_be_asked_for_and_reserved_ports_of_another_protocol_are_told_apart() -> None:
    low = Range(first=600, last=1023, role="low", protocol="any", family="any")
    assert told(changed(host(port("tcp/0.0.0.0:700", AGENT)), ephemeral=Facts([low], "sysctl")), "listener-in-ephemeral-range") == ["pass"]
    reaching = [(1000, 65535, "tcp", "any")]
    for protocol, says in (("udp", ["fail high ephemeral (tcp)"]), ("tcp", ["pass"]), ("any", ["pass"])):
        of = ranged(ephemeral=reaching, reserved=[(1000, 1023, protocol, "any")], privileged=[(1, 79, "any", "any")])
        assert told(of, "ephemeral-range-reaches-privileged-ports") == says


# listener-on-wildcard-address


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:22", "tcp/[::]:22", "tcp/*:22"])
def test_listener_on_wildcard_address_takes_every_wildcard(at: str) -> None:
    found = failed(host(port(at, SSHD)), "listener-on-wildcard-address")
    assert (found.severity, found.subject) == ("low", at)


@pytest.mark.parametrize("at", ["tcp/10.0.0.5:22", "tcp/[::1]:22", "udp/0.0.0.0%virbr0:67", "udp/0.0.0.0:45000"])
def test_listener_on_wildcard_address_leaves_bound_ones_and_the_kernels_choice_alone(at: str) -> None:
    assert told(host(port(at, SSHD)), "listener-on-wildcard-address") == ["pass"]


def test_listener_on_wildcard_address_is_unknown_where_it_may_be_the_kernels_choice_or_bound_to_a_device() -> None:
    rule = "listener-on-wildcard-address"
    assert told(settings(port("udp/0.0.0.0:45000", AGENT), ephemeral="x"), rule) == ["unknown"]
    assert told(settings(port("tcp/0.0.0.0:45000", AGENT), ephemeral="x"), rule) == ["fail low tcp/0.0.0.0:45000"]
    assert told(with_sockets(host(port("tcp/0.0.0.0:22", SSHD)), device=...), rule) == ["unknown"]
    assert told(with_sockets(host(port("tcp/10.0.0.5:22", SSHD)), device=...), rule) == ["pass"]
    declared = host(port("udp/0.0.0.0:45000", INIT), units=[("fixed.socket", "ListenDatagram", "45000")])
    assert told(declared, rule) == ["fail low udp/0.0.0.0:45000"]


# listener-not-approved, listener-forbidden, required-listener-absent


APPROVED = "listening: {approved: [{name: ssh, port: 22, protocol: tcp, executable: /usr/sbin/sshd, user: root}]}\n"


@pytest.mark.parametrize(
    ("holders", "more", "says"),
    [
        ((SSHD,), {}, "pass"),
        ((AGENT,), {}, "fail medium tcp/0.0.0.0:22"),
        ((SSHD, AGENT), {}, "fail medium tcp/0.0.0.0:22"),
        ((Process(5, "/usr/sbin/sshd", 1000),), {}, "fail medium tcp/0.0.0.0:22"),
        ((), {}, "unknown"),
        ((SSHD,), {"unreadable": [7]}, "unknown"),
        ((AGENT,), {"unreadable": [7]}, "fail medium tcp/0.0.0.0:22"),
    ],
)
def test_listener_not_approved_asks_for_every_holder(holders: tuple[Process, ...], more: dict[str, Any], says: str) -> None:
    assert told(host(port("tcp/0.0.0.0:22", *holders), **more), "listener-not-approved", APPROVED) == [says]


def test_listener_not_approved_names_the_entry_that_is_near() -> None:
    found = failed(host(port("tcp/0.0.0.0:22", AGENT)), "listener-not-approved", APPROVED)
    assert "it differs from 'ssh'" in found.message
    assert "site.yaml:2" in found.message
    assert "/usr/sbin/agent" in str(found.observed)
    other = failed(host(port("tcp/0.0.0.0:2222", AGENT)), "listener-not-approved", APPROVED)
    assert "differs" not in other.message


def test_listener_not_approved_without_a_list_is_notchecked_and_with_an_empty_one_fails_all() -> None:
    assert told(host(port("tcp/0.0.0.0:22", SSHD)), "listener-not-approved") == ["notchecked"]
    empty = "listening: {approved: []}\n"
    assert told(host(port("tcp/0.0.0.0:22", SSHD)), "listener-not-approved", empty) == ["fail medium tcp/0.0.0.0:22"]
    assert told(host(), "listener-not-approved", empty) == ["pass"]


FORBIDDEN = "listening: {forbidden: [{port: [23, 512-514], protocol: tcp, except: {executable: /usr/sbin/rsyslogd}, why: cleartext}]}\n"


@pytest.mark.parametrize(
    ("at", "holders", "says"),
    [
        ("tcp/127.0.0.1:23", (AGENT,), "fail high tcp/127.0.0.1:23"),
        ("tcp/0.0.0.0:514", (RSYSLOG,), "pass"),
        ("tcp/0.0.0.0:514", (RSYSLOG, AGENT), "fail high tcp/0.0.0.0:514"),
        ("tcp/0.0.0.0:514", (), "unknown"),
        ("udp/0.0.0.0:23", (AGENT,), "pass"),
        ("tcp/0.0.0.0:515", (AGENT,), "pass"),
    ],
)
def test_listener_forbidden_is_broken_by_any_holder(at: str, holders: tuple[Process, ...], says: str) -> None:
    assert told(host(port(at, *holders)), "listener-forbidden", FORBIDDEN) == [says]


def test_listener_forbidden_says_why_and_is_notchecked_without_a_list() -> None:
    assert failed(host(port("tcp/0.0.0.0:23", AGENT)), "listener-forbidden", FORBIDDEN).message == "tcp/0.0.0.0:23 is forbidden: cleartext"
    assert told(host(), "listener-forbidden") == ["notchecked"]


REQUIRED = "listening: {required: [{name: ssh, port: 22, protocol: tcp, executable: /usr/sbin/sshd}]}\n"


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (host(port("tcp/0.0.0.0:22", SSHD)), "pass"),
        (host(), "fail medium ssh"),
        (host(port("tcp/0.0.0.0:2222", SSHD)), "fail medium ssh"),
        (host(port("tcp/0.0.0.0:22", AGENT)), "fail medium ssh"),
        (host(port("udp/0.0.0.0:22", SSHD)), "fail medium ssh"),
        (host(port("tcp/0.0.0.0:22", SSHD, state="bound")), "fail medium ssh"),
        (host(port("tcp/0.0.0.0:22")), "unknown"),
        (gapped(host(), "listening"), "unknown"),
        (gapped(host(port("tcp/0.0.0.0:22", SSHD)), "listening"), "pass"),
    ],
)
def test_required_listener_absent_concludes_absence_only_from_all_there_is(of: Any, says: str) -> None:
    assert told(of, "required-listener-absent", REQUIRED) == [says]


def test_required_listener_absent_is_notchecked_without_a_list_and_looks_on_the_host_itself() -> None:
    assert told(host(), "required-listener-absent") == ["notchecked"]
    boxed = Host(others=[Net((port("tcp/0.0.0.0:22", SSHD),), mounted="/run/netns/blue")])
    assert told(boxed, "required-listener-absent", REQUIRED) == ["fail medium ssh", "notapplicable"]


# setting-not-persisted


def kept(value: str, running: str = "80", name: str = THRESHOLD) -> Host:
    return host(settings={name: running}, files={"/etc/sysctl.d/50-x.conf": f"{name} = {value}\n"})


def test_setting_not_persisted_says_what_a_reboot_will_change_and_where_it_stands() -> None:
    found = failed(kept("1024"), "setting-not-persisted")
    assert (found.severity, found.subject) == ("low", THRESHOLD)
    assert found.message == f"{THRESHOLD} runs as 80, and after a reboot it will be 1024"
    assert found.source == "/etc/sysctl.d/50-x.conf:1"


def test_setting_not_persisted_says_where_nothing_sets_it() -> None:
    assert "set by something not read" in failed(settings(threshold="80"), "setting-not-persisted").message


@pytest.mark.parametrize(
    "of",
    [
        host(),
        kept("80"),
        kept("1024", running="1024"),
        host(settings={EPHEMERAL: "20000\t60999"}, files={"/etc/sysctl.conf": f"{EPHEMERAL} = 20000   60999\n"}),
        host(settings={RESERVED: "8080,9100-9102"}, files={"/etc/sysctl.conf": f"{RESERVED} = 9100-9102, 8080\n"}),
        host(settings={RESERVED: "9100-9102"}, files={"/etc/sysctl.conf": f"{RESERVED} = 9102,9101,9100\n"}),
        host(settings={AUTOBIND: "0"}),
        host(settings={AUTOBIND: None}),
        host(
            settings={THRESHOLD: "80"},
            files={"/etc/a.conf": f"{THRESHOLD} = 1\n", "/etc/b.conf": "net/ipv4/ip_unprivileged_port_start=80\n"},
        ),
        host(settings={THRESHOLD: "80"}, files={"/etc/a.conf": f"{THRESHOLD} = 80\n", "/etc/b.conf": "net.ipv4.ip_unpriv* = 1\n"}),
    ],
)
def test_setting_not_persisted_is_content_where_the_next_boot_gives_the_same(of: Host) -> None:
    assert told(of, "setting-not-persisted") == ["pass"]


def test_setting_not_persisted_takes_the_line_that_is_applied_last() -> None:
    files = {"/etc/a.conf": f"{THRESHOLD} = 80\n", "/etc/b.conf": f"\n{THRESHOLD} = 443\n"}
    found = failed(host(settings={THRESHOLD: "80"}, files=files), "setting-not-persisted")
    assert (found.expected, found.source) == ("443", "/etc/b.conf:2")


def test_setting_not_persisted_is_unknown_where_a_file_was_not_read_and_notchecked_without_a_yardstick() -> None:
    assert told(gapped(settings(threshold="80"), "persisted"), "setting-not-persisted") == ["unknown"]
    assert told(gapped(kept("80"), "persisted"), "setting-not-persisted") == ["unknown"], "a file that was not read may set another value"
    assert told(host(release="0.9"), "setting-not-persisted") == ["notchecked"]
    assert told(host(release=None), "setting-not-persisted") == ["unknown"]


# owner-not-visible, evidence-incomplete


def test_owner_not_visible_is_one_unknown_a_stack_with_the_number() -> None:
    of = host(*(port(f"tcp/0.0.0.0:{n}") for n in range(1, 6)), unreadable=[7])
    (found,) = judged(of, "", "owner-not-visible")
    assert (found.outcome, found.count) == ("unknown", 5)
    assert told(host(port("tcp/0.0.0.0:22", SSHD)), "owner-not-visible") == ["pass"]
    assert told(host(port("tcp/0.0.0.0:2049")), "owner-not-visible") == ["unknown"]


@pytest.mark.parametrize("kind", ["privileged", "ephemeral", "reserved", "listening", "addresses", "settings", "persisted"])
def test_evidence_incomplete_tells_of_a_gap_in_any_kind_of_facts(kind: str) -> None:
    assert told(host(), "evidence-incomplete") == ["pass"]
    (found,) = judged(gapped(host(), kind), "", "evidence-incomplete")
    assert (found.outcome, found.subject, found.message) == ("unknown", kind, "refused")


def test_evidence_incomplete_groups_what_one_reason_hides() -> None:
    (found,) = judged(gapped(host(), "ephemeral", "reserved", "settings"), "", "evidence-incomplete")
    assert (found.subject, found.count) == ("several kinds of facts", 3)


# listening-sources-disagree


SAME = (("tcp", "0.0.0.0", 22),)


@pytest.mark.parametrize(
    ("witnessed", "says"),
    [(None, "notchecked"), (SAME, "pass"), ((), "fail medium stack"), ((*SAME, ("tcp", "10.0.0.5", 31337)), "fail medium stack")],
)
def test_listening_sources_disagree_compares_with_a_second_witness(witnessed: Any, says: str) -> None:
    assert told(host(port("tcp/0.0.0.0:22", SSHD), witnessed=witnessed), "listening-sources-disagree") == [says]


def test_listening_sources_disagree_names_who_sees_what() -> None:
    of = host(port("tcp/0.0.0.0:22", SSHD), witnessed=(("tcp", "10.0.0.5", 31337),))
    found = failed(of, "listening-sources-disagree")
    assert "2 listeners" in found.message
    assert "only psutil: tcp 10.0.0.5 port 31337" in str(found.observed)
    assert "only sock_diag: tcp 0.0.0.0 port 22" in str(found.observed)


def test_listening_sources_disagree_passes_over_what_a_client_may_have_closed_and_what_only_holds_a_port() -> None:
    of = host(port("udp/0.0.0.0:45000", AGENT), port("tcp/0.0.0.0:5000", AGENT, state="bound"), witnessed=())
    assert told(of, "listening-sources-disagree") == ["pass"]
    assert told(gapped(of, "listening"), "listening-sources-disagree") == ["unknown"]


# waiver-expired, waiver-unused


WAIVER = """\
waivers:
  - {id: EXC-1, rule: cleartext-listener, subject: "tcp/0.0.0.0:23", reason: old, owner: ops, expires: 2026-11-30}
"""


@pytest.mark.parametrize(("day", "says"), [("2026-11-30", "pass"), ("2026-12-01", "fail medium EXC-1")])
def test_waiver_expired_fails_on_the_day_after(day: str, says: str) -> None:
    today = datetime.date.fromisoformat(day)
    assert told(host(), "waiver-expired", WAIVER, today=today) == [says]


def test_waiver_expired_says_how_long_it_is_over() -> None:
    (found,) = judged(host(), WAIVER, "waiver-expired", today=datetime.date(2026, 12, 2))
    assert "held through 2026-11-30 and ended 2 days ago" in found.message
    assert told(host(), "waiver-expired") == ["pass"]


def unused(of: Host | Snapshot, by: str = WAIVER, *names: str, **more: Any) -> list[str]:
    findings = judged(of, by, *(names or ("cleartext-listener", "waiver-unused")), **more)
    return [_line(finding) for finding in findings if finding.rule == "waiver-unused"]


def test_waiver_unused_fails_only_where_everything_it_could_cover_was_judged() -> None:
    assert unused(host(port("tcp/0.0.0.0:23", AGENT))) == ["pass"]
    assert unused(host()) == ["fail low EXC-1"]
    assert unused(gapped(host(), "listening")) == ["unknown"]
    assert unused(host(), WAIVER, "waiver-unused") == ["notchecked"], "the rule it is for was not asked"
    assert unused(host(), only_stack="host") == ["notchecked"]
    assert unused(host(), today=datetime.date(2027, 1, 1)) == ["pass"], "expired is another rule's word"
    assert unused(host(), "") == ["pass"]


def test_waiver_unused_for_a_rule_that_is_off_covers_nothing() -> None:
    assert unused(host(port("tcp/0.0.0.0:23", AGENT)), "rules: {cleartext-listener: off}\n" + WAIVER) == ["fail low EXC-1"]


# The whole


def test_a_quiet_well_kept_host_has_nothing_open_and_nothing_unknown_by_the_baseline() -> None:
    of = host(port("tcp/10.0.0.5:22", SSHD), port("tcp/0.0.0.0:443", NGINX), port("tcp/127.0.0.1:25", AGENT))
    by = "extends: baseline\n"
    assert {finding.outcome for finding in judged(of, by)} == {"pass", "notchecked", "notselected", "notapplicable"}
    assert {finding.rule for finding in judged(of, by) if finding.outcome == "notchecked"} == {
        "bindresvport-may-take-approved-port", "port-granting-file-not-approved",
        "privileged-port-given-to-others", "nodeport-range-in-ephemeral-range", "reserved-ports-incomplete",
        "ephemeral-range-differs-from-policy", "listener-forbidden", "listener-not-approved", "listening-sources-disagree",
        "required-listener-absent", "listener-appeared", "listener-disappeared", "listener-owner-changed", "setting-changed",
        "host-without-policy", "host-identity-mismatch", "privileged-port-held-by-others", "listener-count-above-approved",
        "approval-review-overdue", "wildcard-serves-unapproved-family", "bind-differs-from-prediction",
        "automatic-port-outside-ephemeral-range",
    }  # fmt: skip
