"""packet-socket-held: every packet socket, with what it is told of, where, and who holds it."""

from __future__ import annotations

from tests.bundles import INIT, NO_RIGHTS, Host, Net, bundle, host, interpreted, judged, outcomes, service
from tests.made_endpoints import Packet, Raw, Unix

NAME = "packet-socket-held"
DHCP = service(400, "dhclient")


def test_a_packet_socket_is_named_with_its_interface_protocol_and_holder() -> None:
    (finding,) = judged(host(endpoints=(Packet((DHCP,), 0x0800, 2, uid=7),)), "", NAME)
    assert (finding.outcome, finding.severity) == ("fail", "info")
    assert finding.subject == "packet eth0 (IPv4) by /usr/sbin/dhclient"
    assert finding.message == "a packet socket on eth0 is told of IPv4"
    assert finding.observed == "process dhclient, executable /usr/sbin/dhclient, user root, unit dhclient.service, created by user 7"
    assert finding.source == "/proc/net/packet"


def test_several_alike_are_one_finding_with_their_number() -> None:
    (finding,) = judged(host(endpoints=(Packet((DHCP,)), Packet((DHCP,)), Packet((DHCP,)))), "", NAME)
    assert (finding.message, finding.count) == ("a packet socket on every interface is told of every protocol", 3)


def test_an_interface_that_is_gone_is_said_to_be_not_shown() -> None:
    (finding,) = judged(host(endpoints=(Packet((DHCP,), ifindex=-1),)), "", NAME)
    assert finding.message == "a packet socket on an interface that is not shown is told of every protocol"


def test_one_that_nobody_in_view_holds_is_told_all_the_same() -> None:
    (finding,) = judged(host(endpoints=(Packet(),), rights=NO_RIGHTS, unreadable=(5,)), "", NAME)
    assert finding.subject == "packet every interface (every protocol) by nobody in view"
    assert finding.observed == "nobody in view: some processes may not be read, created by user 0"


def test_other_sockets_are_none() -> None:
    assert outcomes(judged(host(endpoints=(Raw((DHCP,)), Unix("/run/x", (INIT,)))), "", NAME)) == ["pass host"]


def test_where_they_could_not_be_read_it_is_unknown_and_what_was_seen_is_told() -> None:
    of = host(endpoints=(Packet((DHCP,)),))
    answers = [answer for answer in of.answers() if not answer.command.endswith("/raw")]
    found = outcomes(judged(interpreted(bundle(answers, of.head())), "", NAME))
    assert found == ["fail info host packet every interface (every protocol) by /usr/sbin/dhclient", "unknown host"]


def test_where_they_were_not_asked_about_it_is_not_checked() -> None:
    of = host(endpoints=(Packet((DHCP,)),))
    (finding,) = judged(interpreted(bundle(of.answers(), {**of.head(), "asked": "ports"})), "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "endpoints were not asked for (collect --only ...,endpoints)")


def test_those_of_other_stacks_are_theirs() -> None:
    of = Host(others=(Net(endpoints=(Packet((DHCP,)),), holder=DHCP),))
    assert outcomes(judged(of, "", NAME)) == [
        "fail info dhclient.service packet every interface (every protocol) by /usr/sbin/dhclient",
        "pass host",
    ]
