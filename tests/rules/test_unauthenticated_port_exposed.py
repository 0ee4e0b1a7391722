"""unauthenticated-port-exposed: by port number and process, on the host's own stack, where other hosts reach it."""

from __future__ import annotations

import pytest

from tests.bundles import (
    EPHEMERAL,
    IN_A_CONTAINER,
    ON_THE_INTERNET,
    Host,
    Net,
    container,
    host,
    judged,
    outcomes,
    port,
    service,
    with_sockets,
)

NAME = "unauthenticated-port-exposed"
REDIS = service(950, "redis-server", 110, "/usr/bin")


@pytest.mark.parametrize(
    "at",
    ["tcp/0.0.0.0:6379", "tcp/10.0.0.5:2375", "tcp/*:27017", "tcp/[2001:db8::5]:9200", "udp/0.0.0.0:11211", "tcp/[fe80::1%eth0]:10255"],
)
def test_a_port_that_is_known_to_ask_no_password_and_that_others_reach_is_high(at: str) -> None:
    assert outcomes(judged(host(port(at, REDIS)), "", NAME)) == [f"fail high host {at}"]


def test_the_message_names_the_port_and_the_finding_its_process() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:6379", REDIS), addresses=ON_THE_INTERNET), "", NAME)
    assert finding.message.startswith("port 6379, Redis by number, is reachable from other hosts")
    assert finding.observed is not None
    assert finding.observed.startswith("reach public, held by ")
    assert "/usr/bin/redis-server" in finding.observed


@pytest.mark.parametrize("at", ["tcp/127.0.0.1:6379", "tcp/[::1]:6379", "tcp/0.0.0.0:6380", "udp/0.0.0.0:6379", "tcp/0.0.0.0:2379"])
def test_loopback_other_ports_other_protocols_and_ports_of_many_uses_pass(at: str) -> None:
    assert outcomes(judged(host(port(at, REDIS)), "", NAME)) == ["pass host"]


def test_a_socket_that_only_holds_the_port_answers_nobody() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:6379", REDIS, state="bound")), "", NAME)) == ["pass host"]


def test_a_range_that_reaches_over_the_port_makes_its_service_no_client() -> None:
    wide = host(port("udp/0.0.0.0:11211", REDIS), settings={EPHEMERAL: "1024 65535"})
    assert [f.outcome for f in judged(wide, "", NAME)] == ["fail"]


def test_who_holds_it_need_not_be_seen() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:6379")), "", NAME)
    assert finding.outcome == "fail"
    assert "nobody in view" in str(finding.observed)


def test_where_the_addresses_were_not_seen_it_is_unknown() -> None:
    assert outcomes(judged(with_sockets(host(port("tcp/0.0.0.0:6379", REDIS)), reach="unknown"), "", NAME)) == ["unknown host"]


def test_a_container_stack_is_not_judged() -> None:
    boxed = Host(Net(), others=[container("ab" * 32, port("tcp/0.0.0.0:6379", REDIS), addresses=IN_A_CONTAINER)])
    assert outcomes(judged(boxed, "", NAME)) == ["notapplicable container:abababababab", "pass host"]


def test_the_wildcard_of_a_family_of_which_the_host_has_no_address_but_loopback_is_not_exposed() -> None:
    assert outcomes(judged(host(port("tcp/[::]:9200", REDIS)), "", NAME)) == ["pass host"]
    dual = host(port("tcp/*:9200", REDIS))
    assert outcomes(judged(dual, "", NAME)) == ["fail high host tcp/*:9200"]
