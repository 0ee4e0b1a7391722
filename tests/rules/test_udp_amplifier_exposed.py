"""udp-amplifier-exposed: by port number, on public addresses, and servers alone."""

from __future__ import annotations

import pytest

from tests.bundles import (
    EPHEMERAL,
    IN_A_CONTAINER,
    ON_A_LAN,
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

NAME = "udp-amplifier-exposed"
SERVER = service(950, "server")
ALL = "rules: {udp-amplifier-exposed: {tiers: [always, usual]}}\n"


def public(*at: str, **more: object) -> Host:
    return host(*(port(one, SERVER) for one in at), addresses=ON_THE_INTERNET, **more)


@pytest.mark.parametrize("number", [17, 19, 53, 69, 111, 123, 137, 161, 389, 520, 1434, 1900, 3702, 5683, 11211])
@pytest.mark.parametrize("at", ["udp/0.0.0.0", "udp/*", "udp/9.9.9.9"])
def test_a_known_amplifier_on_a_public_address_is_found(at: str, number: int) -> None:
    assert outcomes(judged(public(f"{at}:{number}"), ALL, NAME)) == [f"fail medium host {at}:{number}"]


@pytest.mark.parametrize(("number", "says"), [(53, "pass"), (123, "pass"), (161, "pass"), (111, "fail"), (19, "fail")])
def test_what_amplifies_only_by_its_set_up_counts_where_the_policy_asks_for_it(number: int, says: str) -> None:
    for by in ("", "extends: baseline\n"):
        assert [f.outcome for f in judged(public(f"udp/0.0.0.0:{number}"), by, NAME)] == [says]


def test_the_message_goes_by_number_and_gives_factor_source_and_holder() -> None:
    (finding,) = judged(public("udp/0.0.0.0:19"), ALL, NAME)
    assert finding.message == "port 19 is CharGEN by number, and amplifies: characters for an empty datagram: factor 358.8"
    assert finding.observed == "reach public, held by process server, executable /usr/sbin/server, user root, unit server.service"
    assert str(finding.source).startswith("TA14-017A")


@pytest.mark.parametrize("at", ["udp/127.0.0.1:53", "udp/10.0.0.5:53", "tcp/0.0.0.0:53", "udp/0.0.0.0:54", "udp/[fe80::1%eth0]:53"])
def test_other_addresses_protocols_and_ports_are_not_it(at: str) -> None:
    assert outcomes(judged(public(at), ALL, NAME)) == ["pass host"]


def test_a_host_without_a_public_address_exposes_nothing() -> None:
    assert outcomes(judged(host(port("udp/0.0.0.0:53", SERVER), addresses=ON_A_LAN), ALL, NAME)) == ["pass host"]


def test_a_wildcard_of_a_family_without_a_public_address_exposes_nothing() -> None:
    of = host(port("udp/0.0.0.0:53", SERVER), port("udp/[::]:53", SERVER), addresses=(*ON_A_LAN, ("eth0", None, "2a00::5", 64)))
    assert outcomes(judged(of, ALL, NAME)) == ["fail medium host udp/[::]:53"]


def test_a_client_is_no_server_and_where_that_is_not_known_it_is_unknown() -> None:
    wide = public("udp/0.0.0.0:5683", settings={EPHEMERAL: "1024 65535"})
    assert outcomes(judged(wide, ALL, NAME)) == ["pass host"]
    assert outcomes(judged(public("udp/0.0.0.0:5683", settings={EPHEMERAL: "x"}), ALL, NAME)) == ["unknown host"]


def test_where_the_addresses_were_not_seen_it_is_unknown() -> None:
    assert outcomes(judged(with_sockets(public("udp/0.0.0.0:53"), reach="unknown"), ALL, NAME)) == ["unknown host"]
    assert outcomes(judged(with_sockets(public("udp/0.0.0.0:54"), reach="unknown"), ALL, NAME)) == ["pass host"]


def test_a_socket_that_only_holds_the_port_answers_nobody() -> None:
    assert outcomes(judged(with_sockets(public("udp/0.0.0.0:53"), state="bound"), ALL, NAME)) == ["pass host"]


def test_a_container_behind_the_host_is_not_on_a_public_address() -> None:
    boxed = Host(Net(), others=[container("ab" * 32, port("udp/0.0.0.0:53", SERVER), addresses=IN_A_CONTAINER)])
    assert outcomes(judged(boxed, ALL, NAME)) == ["pass container:abababababab", "pass host"]
