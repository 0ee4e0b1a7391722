"""raw-socket-held: every raw socket, with the protocol that it takes and who holds it."""

from __future__ import annotations

import pytest

from tests.bundles import INIT, bundle, host, interpreted, judged, outcomes, service
from tests.made_endpoints import Packet, Raw, Unix

NAME = "raw-socket-held"
BIRD = service(400, "bird", 33)


def test_a_raw_socket_is_named_with_its_protocol_and_holder() -> None:
    (finding,) = judged(host(endpoints=(Raw((BIRD,), 89, "10.0.0.5"),)), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "info", "raw ipv4 ospf by /usr/sbin/bird")
    assert finding.message == "a raw ipv4 socket on 10.0.0.5 takes ospf"
    assert finding.observed == "process bird, executable /usr/sbin/bird, user www-data, unit bird.service, created by user 0"
    assert finding.source == "/proc/net/raw"


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (Raw((BIRD,), 58, "::"), "a raw ipv6 socket on :: takes icmpv6"),
        (Raw((BIRD,), 201), "a raw ipv4 socket on 0.0.0.0 takes protocol 201"),
        (Raw((BIRD,), 255), "a raw ipv4 socket on 0.0.0.0 takes nothing, to send alone"),
    ],
)
def test_the_protocol_is_told_by_name_or_number(one: Raw, message: str) -> None:
    assert [finding.message for finding in judged(host(endpoints=(one,)), "", NAME)] == [message]


def test_other_sockets_are_none() -> None:
    assert outcomes(judged(host(endpoints=(Packet((BIRD,)), Unix("@x", (INIT,)))), "", NAME)) == ["pass host"]


def test_where_a_table_was_not_read_it_is_unknown() -> None:
    of = host()
    answers = [answer for answer in of.answers() if not answer.command.endswith("/raw6")]
    (finding,) = judged(interpreted(bundle(answers, of.head())), "", NAME)
    assert (finding.outcome, finding.message, finding.facts) == ("unknown", "/proc/net/raw6 was not read", ("endpoints",))


def test_where_they_were_not_asked_about_it_is_not_checked() -> None:
    of = host()
    assert outcomes(judged(interpreted(bundle(of.answers(), {**of.head(), "asked": "ports"})), "", NAME)) == ["notchecked host"]
