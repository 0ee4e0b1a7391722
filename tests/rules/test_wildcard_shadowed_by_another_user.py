"""wildcard-shadowed-by-another-user: one user's address goes before another user's wildcard."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Socket
from auditor.socket_users import NAMED_MAX
from tests.bundles import NO_RIGHTS, Process, changed, host, interpreted, judged, outcomes, port, service, stack_of, with_sockets
from tests.saved_hosts import FREEBSD, SavedHost

NAME = "wildcard-shadowed-by-another-user"
NTPD = service(123, "ntpd")
ANNS = Process(1123, "/home/ann/time", 1000)


def test_the_message_names_both_with_executable_user_and_creator() -> None:
    (finding,) = judged(host(port("udp/0.0.0.0:123", NTPD), port("udp/10.0.0.5:123", ANNS, uid=1000)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", "udp/10.0.0.5:123")
    assert finding.message == (
        "udp/10.0.0.5:123, held by process time, executable /home/ann/time, user ann, unit none, created by user 1000, takes what arrives "
        "for its address from udp/0.0.0.0:123, held by process ntpd, executable /usr/sbin/ntpd, user root, unit ntpd.service, "
        "created by user 0"
    )
    assert finding.observed == "udp/10.0.0.5:123 beside udp/0.0.0.0:123"


@pytest.mark.parametrize(
    ("wildcard", "at", "meet"),
    [
        ("udp/*:123", "udp/10.0.0.5:123", True),
        ("udp/*:123", "udp/[2001:db8::1]:123", True),
        ("udp/[::]:123", "udp/[fe80::1%eth0]:123", True),
        ("udp/*:123", "udp/[::ffff:10.0.0.5]:123", True),
        ("udp/0.0.0.0:123", "udp/[::ffff:10.0.0.5]:123", True),
        ("udp/0.0.0.0:123", "udp/127.0.0.1:123", True),
        ("udp/[::]:123", "udp/10.0.0.5:123", False),
        ("udp/0.0.0.0:123", "udp/[2001:db8::1]:123", False),
        ("udp/0.0.0.0:124", "udp/10.0.0.5:123", False),
        ("tcp/0.0.0.0:123", "udp/10.0.0.5:123", False),
        ("udp/0.0.0.0%eth1:123", "udp/10.0.0.5%eth0:123", False),
        ("udp/0.0.0.0:123", "udp/224.0.0.251:123", False),
        ("udp/*:123", "udp/[ff02::fb]:123", False),
        ("udp/0.0.0.0:123", "udp/255.255.255.255:123", False),
        ("udp/0.0.0.0:123", "udp/0.0.0.0:123", False),
    ],
)
def test_an_address_goes_before_a_wildcard_of_its_family_port_and_protocol(wildcard: str, at: str, meet: bool) -> None:
    found = outcomes(judged(host(port(wildcard, NTPD), port(at, ANNS, uid=1000)), "", NAME))
    assert found == ([f"fail high host {at}"] if meet else ["pass host"])


def test_a_users_own_wildcard_is_no_others() -> None:
    assert outcomes(judged(host(port("udp/0.0.0.0:123", NTPD), port("udp/10.0.0.5:123", NTPD)), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("bound", [0, 1])
def test_one_that_does_not_listen_takes_nothing_and_has_nothing_to_lose(bound: int) -> None:
    states = ["bound" if at == bound else "listening" for at in range(2)]
    of = host(port("tcp/0.0.0.0:123", NTPD, state=states[0]), port("tcp/10.0.0.5:123", ANNS, uid=1000, state=states[1]))
    assert outcomes(judged(of, "", NAME)) == ["pass host"]


def test_where_neither_creators_nor_holders_tell_it_is_unknown() -> None:
    pair = (port("udp/0.0.0.0:123"), port("udp/10.0.0.5:123"))
    assert outcomes(judged(host(*pair, rights=NO_RIGHTS, unreadable=[5]), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(pair[0], port("udp/10.0.0.5:123", uid=7)), "", NAME)) == ["fail high host udp/10.0.0.5:123"]
    assert outcomes(judged(host(pair[1]), "", NAME)) == ["pass host"]


def test_where_it_is_not_shown_whether_a_wildcard_takes_ipv4_it_is_unknown() -> None:
    pair = host(port("udp/*:123", NTPD), port("udp/10.0.0.5:123", ANNS, uid=1000))
    assert outcomes(judged(with_sockets(pair, v6only=...), "", NAME)) == ["unknown host"]


def test_a_wildcard_that_was_not_listed_makes_nothing_pass() -> None:
    of = host(port("udp/10.0.0.5:123", ANNS))
    gapped = changed(of, listening=Facts(stack_of(of).listening.seen, "sock_diag", [Gap("refused", family="ipv6")]))
    assert "unknown host" in outcomes(judged(gapped, "", NAME))


def freebsd(user: str) -> SavedHost:
    listed = FREEBSD.texts["sockstat -46l"].replace(
        "?        ?          ?     ?   udp4   *:2049                *:*\n",
        f"{user:8} timed      1300  3   udp4   *:123                 *:*\n",
    )
    tables = FREEBSD.texts["netstat -anW -f inet"].replace("*.2049", "*.123 ")
    return SavedHost(
        FREEBSD.system, FREEBSD.release, {**FREEBSD.texts, "sockstat -46l": listed, "netstat -anW -f inet": tables}, FREEBSD.missing
    )


@pytest.mark.parametrize(("user", "outcome"), [("root", "fail"), ("ntpd", "pass")])
def test_where_creators_are_not_shown_the_holders_tell(user: str, outcome: str) -> None:
    of = interpreted(freebsd(user).bundle())
    ps = {"root": 0, "ntpd": 123}
    for one in stack_of(of).listening.seen:
        for owner in one.shown.get("owners_seen", []):
            owner.shown.setdefault("uid", ps.get(owner.shown.get("user", ""), 80))
    assert [one.outcome for one in judged(of, "", NAME)] == [outcome]


@pytest.mark.parametrize("users", [1, 2, 2000])
def test_thousands_of_wildcards_and_addresses_are_not_compared_each_with_each(users: int) -> None:
    """By pairs this would take minutes."""
    pair = host(port("udp/0.0.0.0:123", ANNS, uid=1000), port("udp/10.0.0.5:123", ANNS, uid=1000))
    wildcard, at = stack_of(pair).listening.seen
    sockets = [Socket(**{**wildcard.shown, "uid": 1000 + (n + 1) % users}) for n in range(2000)]
    sockets += [Socket(**{**at.shown, "address": f"127.0.{n >> 8}.{n & 255}"}) for n in range(2000)]
    found = judged(changed(pair, listening=Facts(sockets, "sock_diag")), "", NAME)
    if users == 1:
        assert outcomes(found) == ["pass host"]
    else:
        assert {(one.outcome, one.count) for one in found} == {("fail", min(users - 1, NAMED_MAX))}
        assert len(found) == 2000
