"""Address translation of a made host: what nft and both kinds of iptables were told there, and that asking changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from auditor.evidence import Answer
from auditor.live import nat
from auditor.model import Snapshot
from tests.bundles import judged, outcomes
from tests.hosts import NEEDED, NOBODY, Host, as_if_initial, host, interpreted, listener, stack

PROGRAMS = ("nft", "iptables-nft", "iptables-legacy")
pytestmark = [
    NEEDED,
    pytest.mark.skipif(bool(missing := [p for p in PROGRAMS if shutil.which(p) is None]),
                       reason=f"needs {', '.join(missing)} (packages nftables, iptables)"),
]  # fmt: skip
RULESET = """\
table inet mill {
    map ports { type inet_service : ipv4_addr . inet_service; elements = { 8000 : 10.0.0.9 . 80 }; }
    chain pre {
        type nat hook prerouting priority dstnat;
        tcp dport { 6001, 6003-6005 } redirect to :9100 comment "x}}, {rule: dnat to 1"
        dnat ip to tcp dport map @ports
    }
}
"""


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    with host() as one:
        one.write("/run/ruleset", RULESET)
        asked_first = one.run("nft", "add", "table", "inet", "mill")
        if asked_first.code:
            pytest.skip(f"this kernel takes no rules of nf_tables: {asked_first.err.strip()}")
        one.run("nft", "-f", "/run/ruleset", check=True)
        yield one


def asked(made: Host, user: int | None = None) -> Snapshot:
    bundle = made.collect("--only", "ports,nat", user=user)
    return interpreted(bundle if user else as_if_initial(bundle))


def published(snapshot: Snapshot) -> list[str]:
    translations = stack(snapshot).translations
    assert [gap.why for gap in translations.gaps] == []
    return sorted(f"{one} to {one.to}" for one in translations)


def test_what_nft_was_told_is_read(made: Host) -> None:
    wanted = {"tcp/any:6001 to port 9100 of this host", "tcp/any:6003-6005 to port 9100 of this host", "tcp/any:8000 to 10.0.0.9:80"}
    assert wanted <= set(published(asked(made)))


def test_what_iptables_was_told_is_read_of_both_kinds(made: Host) -> None:
    for words in (
        "iptables-nft -t nat -A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.2:80",
        "ip6tables-nft -t nat -A PREROUTING -p udp --dport 53 -j REDIRECT --to-ports 5353",
    ):
        made.run(*words.split(), check=True)
    assert {"tcp/any:8080 to 10.0.0.2:80", "udp/any:53 to port 5353 of this host"} <= set(published(asked(made)))
    if made.run("iptables-legacy", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", "7777", "-j", "REDIRECT").code:
        pytest.skip("this kernel has no ip_tables")
    assert "tcp/any:7777 to this host" in published(asked(made))


def test_a_published_port_without_a_socket_is_found_and_one_with_a_socket_is_not(made: Host) -> None:
    process = made.start(listener("tcp", "0.0.0.0", 8000), listener("tcp", "::", 6001, v6only=False))
    found = outcomes(judged(asked(made), "", "port-published-without-listener"))
    process.stop()
    assert "fail low host tcp/any:6003-6005" in found
    assert not [one for one in found if one.endswith((":8000", ":6001"))]


def test_without_root_it_is_a_gap(made: Host) -> None:
    snapshot = asked(made, NOBODY)
    (own,) = [one for one in snapshot.stacks.seen if "translations" in one.shown]
    assert own.translations.seen == ()
    assert any("ermission denied" in gap.why or "not permitted" in gap.why for gap in own.translations.gaps)


def test_nobody_is_asked_whom_the_kernel_would_load_a_module_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(probe: str, argv: tuple[str, ...], timeout: int) -> Answer:
        ran.append(" ".join(argv))
        return Answer(probe, " ".join(argv), b"", "0")

    monkeypatch.setattr(nat, "run", run)
    for known, names, expected in (
        (False, False, []),
        (None, None, []),
        (True, False, ["nft -j list ruleset"]),
        (False, True, ["iptables-legacy-save -t nat", "ip6tables-legacy-save -t nat"]),
    ):
        monkeypatch.setattr(nat, "_nf_tables", lambda known=known: known)
        monkeypatch.setattr(nat, "_has_nat", lambda path, failures, names=names: names)
        ran.clear()
        answers = list(nat.ask({}))
        assert ran == expected
        assert answers[0].command == "builtin:nat"
