"""port-shared-by-users: two sockets on one address and port, of different users; one socket that several processes hold is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Snapshot, Socket
from auditor.owner import Owner
from auditor.socket_users import NAMED_MAX
from tests.bundles import (
    NGINX,
    NO_RIGHTS,
    SSHD,
    Process,
    changed,
    host,
    interpreted,
    judged,
    outcomes,
    port,
    service,
    stack_of,
    with_sockets,
)
from tests.saved_hosts import FREEBSD

NAME = "port-shared-by-users"
ROOTS = service(53, "unbound")
ANNS = Process(1053, "/home/ann/dns", 1000)
WORKER = service(902, "nginx", 33)
MASTER = service(901, "nginx")


def test_two_users_on_one_port_are_one_finding_that_names_both() -> None:
    shared = host(port("tcp/0.0.0.0:8053", ROOTS), port("tcp/0.0.0.0:8053", ANNS, uid=1000))
    (finding,) = judged(shared, "", NAME)
    assert (finding.outcome, finding.severity, finding.subject, finding.count) == ("fail", "medium", "tcp/0.0.0.0:8053", 2)
    assert finding.message == "different users hold sockets on tcp/0.0.0.0:8053"
    assert finding.observed == (
        "process dns, executable /home/ann/dns, user ann, unit none, created by user 1000 | "
        "process unbound, executable /usr/sbin/unbound, user root, unit unbound.service, created by user 0"
    )


@pytest.mark.parametrize("protocol", ["udp", "udplite"])
def test_sharing_a_udp_port_is_worth_knowing(protocol: str) -> None:
    shared = host(port(f"{protocol}/0.0.0.0:8053", ROOTS), port(f"{protocol}/0.0.0.0:8053", ANNS, uid=1000))
    assert outcomes(judged(shared, "", NAME)) == [f"fail info host {protocol}/0.0.0.0:8053"]


def test_ipv4s_wildcard_and_a_dual_stack_one_meet_and_are_one_finding() -> None:
    shared = host(port("udp/0.0.0.0:8053", ROOTS), port("udp/*:8053", ANNS, uid=1000))
    (finding,) = judged(shared, "", NAME)
    assert (finding.subject, finding.count) == ("udp/*:8053", 1)
    assert finding.message == "different users hold sockets on udp/*:8053 and udp/0.0.0.0:8053"


@pytest.mark.parametrize("other", ["udp/[::]:8053", "udp/10.0.0.5:8053", "tcp/0.0.0.0:8053", "udp/0.0.0.0:8054", "udp/0.0.0.0%virbr0:8053"])
def test_another_address_family_protocol_port_or_device_is_not_shared(other: str) -> None:
    apart = host(port("udp/0.0.0.0:8053", ROOTS), port(other, ANNS, uid=1000))
    assert outcomes(judged(apart, "", NAME)) == ["pass host"]


def test_link_local_addresses_of_two_links_are_two() -> None:
    apart = host(port("udp/[fe80::1%eth0]:8053", ROOTS), port("udp/[fe80::1%eth1]:8053", ANNS, uid=1000))
    assert outcomes(judged(apart, "", NAME)) == ["pass host"]


def test_one_socket_that_master_and_worker_hold_is_one_and_sockets_of_one_user_are_fine() -> None:
    one = host(port("tcp/0.0.0.0:80", MASTER, WORKER))
    several = host(*(port("tcp/0.0.0.0:80", MASTER, WORKER) for _ in range(3)))
    assert outcomes(judged(one, "", NAME)) == outcomes(judged(several, "", NAME)) == ["pass host"]


def test_daemons_that_root_started_and_that_have_no_user_in_common_share_it() -> None:
    dropped = host(port("udp/0.0.0.0:8053", service(5, "one", 201)), port("udp/0.0.0.0:8053", service(6, "other", 202)))
    assert outcomes(judged(dropped, "", NAME)) == ["fail info host udp/0.0.0.0:8053"]


def test_a_socket_that_does_not_listen_takes_nothing() -> None:
    bound = host(port("tcp/0.0.0.0:8053", ROOTS), port("tcp/0.0.0.0:8053", ANNS, uid=1000, state="bound"))
    assert outcomes(judged(bound, "", NAME)) == ["pass host"]


def test_what_is_shared_on_purpose_is_named_with_its_protocol() -> None:
    shared = host(port("udp/0.0.0.0:5353", ROOTS), port("udp/0.0.0.0:5353", ANNS, uid=1000))
    assert outcomes(judged(shared, "extends: baseline\n", NAME)) == ["pass host"]
    assert outcomes(judged(shared, "rules: {port-shared-by-users: {except: [tcp/5353, udp/535]}}\n", NAME)) == [
        "fail info host udp/0.0.0.0:5353"
    ]


def test_where_holders_are_not_seen_it_is_unknown_unless_the_creators_tell() -> None:
    blind = {"rights": NO_RIGHTS, "unreadable": [53]}
    pair = (port("udp/0.0.0.0:8053"), port("udp/0.0.0.0:8053"))
    assert outcomes(judged(host(*pair, **blind), "", NAME)) == ["unknown host"]
    assert outcomes(judged(host(pair[0], port("udp/0.0.0.0:8053", uid=1000), **blind), "", NAME)) == ["fail info host udp/0.0.0.0:8053"]
    assert outcomes(judged(host(port("udp/0.0.0.0:8053"), port("udp/0.0.0.0:99"), **blind), "", NAME)) == ["pass host"]


def test_where_the_device_is_not_shown_it_is_unknown() -> None:
    pair = host(port("udp/0.0.0.0:8053", ROOTS), port("udp/0.0.0.0:8053", ANNS, uid=1000))
    assert outcomes(judged(with_sockets(pair, device=...), "", NAME)) == ["unknown host"]


def test_a_listing_that_may_have_left_out_a_socket_makes_nothing_pass_and_loses_nothing() -> None:
    shared = host(port("udp/0.0.0.0:8053", ROOTS), port("udp/0.0.0.0:8053", ANNS, uid=1000))
    for of, says in ((shared, "fail info host udp/0.0.0.0:8053"), (host(port("tcp/0.0.0.0:22", SSHD)), "unknown host")):
        own = stack_of(of).listening
        seen = judged(changed(of, listening=Facts(own.seen, own.source, [Gap("refused")])), "", NAME)
        assert says in outcomes(seen)
        assert "unknown host" in outcomes(seen)
    narrow = Facts(stack_of(host(port("tcp/*:80", NGINX))).listening.seen, "sock_diag", [Gap("refused", protocol="udp")])
    found = judged(changed(host(port("tcp/*:80", NGINX)), listening=narrow), "", NAME)
    assert [(one.outcome, one.subject) for one in found] == [("unknown", "what was not seen")], "what is missing is of another protocol"


def test_commands_of_other_systems_list_descriptors_and_not_sockets() -> None:
    assert {one.outcome for one in judged(interpreted(FREEBSD.bundle()), "", NAME)} == {"notapplicable"}


def sharing(count: int, **keys: Callable[[int], Any]) -> Snapshot:
    """A host whose sockets share a port, each with its own `keys`."""
    (one,) = stack_of(host(port("udp/0.0.0.0:8053", ANNS, uid=1000))).listening.seen
    sockets = [Socket(**{**one.shown, **{key: of(n) for key, of in keys.items()}}) for n in range(count)]
    return changed(host(), listening=Facts(sockets, "sock_diag"))


def test_thousands_of_sockets_that_share_a_port_are_not_compared_each_with_each() -> None:
    """By pairs each of these would take minutes."""
    assert outcomes(judged(sharing(5000), "", NAME)) == ["pass host"]
    (two,) = judged(sharing(5000, uid=lambda n: n % 2), "", NAME)
    assert (two.outcome, two.count) == ("fail", 5000)
    ann = sharing(1).stacks.seen[0].listening.seen[0].owners_seen[0]
    both = [[ann, Owner(**{**ann.shown, "uid": 2000 + n})] for n in range(5000)]
    assert outcomes(judged(sharing(5000, owners_seen=lambda n: both[n]), "", NAME)) == ["pass host"]
    (apart,) = judged(sharing(5000, owners_seen=lambda n: both[n][1:]), "", NAME)
    assert (apart.outcome, apart.count) == ("fail", 5000 * NAMED_MAX)
    assert outcomes(judged(sharing(5000, device=lambda n: f"eth{n}"), "", NAME)) == ["pass host"]


def test_of_thousands_of_users_each_is_named_but_not_each_pair_of_them() -> None:
    (many,) = judged(sharing(5000, uid=lambda n: n), "", NAME)
    named = {int(user) for user in re.findall(r"created by user (\d+)", str(many.observed))}
    assert named == set(range(5000))
    assert many.count == 5000 * NAMED_MAX


def test_a_holder_that_was_not_seen_is_unknown_however_many_users_are_certain() -> None:
    of = sharing(50, uid=lambda n: max(0, n - 1), owner_state=lambda n: "known" if n > 1 else "unknown")
    assert outcomes(judged(of, "", NAME)) == ["fail info host udp/0.0.0.0:8053", "unknown host"]


def test_of_a_few_users_every_pair_is_named() -> None:
    (three,) = judged(sharing(3, uid=lambda n: n), "", NAME)
    who = "process dns, executable /home/ann/dns, user ann, unit none, created by user "
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert sorted(three.observed.split("; ")) == [f"{who}{one} | {who}{other}" for one, other in pairs]
