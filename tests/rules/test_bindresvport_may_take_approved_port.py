"""bindresvport-may-take-approved-port: an approved low port in the window of an RPC client, and who leaves it alone."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Finding, Setting, Snapshot
from tests.bundles import WEB_CONTAINER, Host, Net, changed, container, host, interpreted, judged, outcomes
from tests.saved_hosts import NETBSD

NAME = "bindresvport-may-take-approved-port"
WINDOW = "rules: {bindresvport-may-take-approved-port: {library_window: 600-1023}}\n"
LOADED = ("665\n", "1023\n")
BLACKLIST = "# left alone\n873 # rsync\n\n 993\n"


def approving(*entries: str, window: str = WINDOW) -> str:
    return "listening:\n  approved:\n" + "".join(f"    - {{{entry}}}\n" for entry in entries) + window


def approved(port: str, protocol: str = "tcp", **more: str) -> str:
    return approving(f"name: one, port: {port}, protocol: {protocol}, purpose: a test", **more)


def told(of: Host | Snapshot, by: str) -> list[str]:
    return [f"{f.outcome} {f.message}" if f.outcome == "fail" else f.outcome for f in judged(of, by, NAME)]


def test_a_port_in_both_windows_may_be_taken_from_either_side() -> None:
    (finding,) = judged(host(resvports=LOADED), approved("873"), NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "one")
    assert finding.message == (
        "bindresvport may take 873, not in /etc/bindresvport.blacklist, before the service starts; "
        "an RPC client of the kernel may take 873 before the service starts"
    )
    assert finding.observed == (
        "taken from 600-1023 (policy, rules: bindresvport-may-take-approved-port); "
        "taken from 665-1023 (sunrpc.min_resvport, sunrpc.max_resvport)"
    )


@pytest.mark.parametrize(
    ("port", "library", "kernel"),
    [
        ("599", False, False),
        ("600", True, False),
        ("664", True, False),
        ("665", True, True),
        ("1023", True, True),
        ("1024", False, False),
        ("22", False, False),
    ],
)
def test_each_window_has_its_own_ends(port: str, library: bool, kernel: bool) -> None:
    said = " ".join(told(host(resvports=LOADED), approved(port)))
    assert (f"bindresvport may take {port}," in said, f"kernel may take {port} " in said) == (library, kernel)
    assert ("fail" in said) == (library or kernel)


def test_the_blacklist_binds_the_library_and_not_the_kernel() -> None:
    assert told(host(blacklist=BLACKLIST), approved("873")) == ["pass"]
    assert told(host(blacklist=BLACKLIST, resvports=LOADED), approved("873")) == [
        "fail an RPC client of the kernel may take 873 before the service starts"
    ]
    (some,) = told(host(blacklist=BLACKLIST), approved("[873, 990-995]"))
    assert some.startswith("fail bindresvport may take 990-992, 994-995 (5 ports), not in")


def test_a_kernel_without_the_module_takes_no_port() -> None:
    (only,) = told(host(), approved("873"))
    assert only.startswith("fail bindresvport may take 873")
    assert "kernel" not in only


def test_the_kernels_window_is_the_one_that_is_set() -> None:
    assert told(host(resvports=("900\n", "1023\n"), blacklist=BLACKLIST), approved("873")) == ["pass"]
    (moved,) = told(host(resvports=("2000\n", "2100\n")), approved("2049"))
    assert moved == "fail an RPC client of the kernel may take 2049 before the service starts"


@pytest.mark.parametrize(
    ("port", "protocol"),
    [("any", "tcp"), ("kernel-given", "tcp"), ("1-65535", "any"), ("600-1023", "[tcp, udp]"), ("873", "sctp"), ("8080", "tcp")],
)
def test_entries_that_fix_no_such_port_are_not_meant(port: str, protocol: str) -> None:
    assert told(host(resvports=LOADED), approved(port, protocol)) == ["pass"]


@pytest.mark.parametrize("protocol", ["udp", "any", "[sctp, udp]"])
def test_udp_and_an_entry_of_any_protocol_are_meant(protocol: str) -> None:
    (said,) = told(host(), approved("873", protocol))
    assert said.startswith("fail bindresvport may take 873")


def test_an_entry_that_names_another_stack_alone_is_not_meant() -> None:
    by = approving('name: one, port: 873, protocol: tcp, stack: "container:*", purpose: a test')
    assert told(host(), by) == ["pass"]
    by = approving('name: one, port: 873, protocol: tcp, stack: ["container:*", host], purpose: a test')
    assert told(host(), by)[0].startswith("fail")


def test_each_entry_is_judged_by_its_own_name_and_only_on_the_hosts_own_stack() -> None:
    by = approving("name: one, port: 873, protocol: tcp, purpose: a", "name: two, port: 22, protocol: tcp, purpose: b")
    two = Host(Net(), others=[container(WEB_CONTAINER)], containers={WEB_CONTAINER: "web"})
    assert outcomes(judged(two, by, NAME)) == ["fail medium host one", "notapplicable container:web"]


def test_a_blacklist_that_could_not_be_read_whole_makes_the_library_unknown_and_not_the_kernel() -> None:
    found = judged(host(blacklist="some words\n", resvports=LOADED), approved("873"), NAME)
    assert outcomes(found) == ["fail medium host one", "unknown host"]
    assert [f.message for f in found if f.outcome == "fail"] == ["an RPC client of the kernel may take 873 before the service starts"]
    assert told(host(blacklist="993\nsome words\n", resvports=LOADED), approved("640")) == ["unknown"]


def with_settings(values: dict[str, str], *gaps: Gap) -> Snapshot:
    return changed(host(), settings=Facts([Setting(name=name, value=value) for name, value in values.items()], "a test", gaps))


def test_settings_that_were_not_read_are_unknown() -> None:
    def outcomes_of(found: list[Finding]) -> set[str]:
        return {f.outcome for f in found}

    assert outcomes_of(judged(with_settings({}, Gap("refused")), approved("873"), NAME)) == {"unknown"}
    assert outcomes_of(judged(with_settings({}, Gap("refused")), approved("873", window=""), NAME)) == {"unknown"}
    half = with_settings({"sunrpc.min_resvport": "665"}, Gap("refused"))
    assert outcomes_of(judged(half, approved("873", window=""), NAME)) == {"unknown"}


@pytest.mark.parametrize(("least", "most"), [("1023", "665"), ("x", "1023"), ("665", ""), ("665", "65536"), ("-1", "5")])
def test_a_window_that_is_none_is_unknown(least: str, most: str) -> None:
    odd = with_settings({"sunrpc.min_resvport": least, "sunrpc.max_resvport": most, "/etc/bindresvport.blacklist": "873"})
    assert told(odd, approved("873")) == ["unknown"]


def test_a_blacklist_of_a_snapshot_from_elsewhere_that_is_no_list_is_unknown() -> None:
    assert told(with_settings({"/etc/bindresvport.blacklist": "873 and more"}), approved("873")) == ["unknown"]


def test_without_a_window_of_either_nothing_is_checked() -> None:
    (finding,) = judged(host(), approved("873", window=""), NAME)
    assert (finding.outcome, "no `library_window`" in finding.message) == ("notchecked", True)
    assert told(host(resvports=LOADED), approved("873", window="")) == [
        "fail an RPC client of the kernel may take 873 before the service starts"
    ]
    assert outcomes(judged(host(), WINDOW, NAME)) == ["notchecked host"], "a policy that approves nothing"


def test_the_baseline_knows_the_librarys_window() -> None:
    (said,) = told(host(), "extends: baseline\n" + approved("873", window=""))
    assert said.startswith("fail bindresvport may take 873")


def test_it_is_for_linux() -> None:
    assert {f.outcome for f in judged(interpreted(NETBSD.bundle()), approved("873"), NAME)} == {"notapplicable"}
