"""listener-on-wildcard-address: off in the baseline; where a policy turns it on, whatever is bound to every address."""

from __future__ import annotations

import pytest

from tests.bundles import SSHD, host, judged, outcomes, port, service, with_sockets

NAME = "listener-on-wildcard-address"


@pytest.mark.parametrize("at", ["tcp/0.0.0.0:22", "tcp/[::]:22", "tcp/*:22", "udp/0.0.0.0:514", "tcp/[::ffff:0.0.0.0]:22"])
def test_every_wildcard_address_is_one(at: str) -> None:
    assert outcomes(judged(host(port(at, SSHD)), "", NAME)) == [f"fail low host {at}"]


@pytest.mark.parametrize("at", ["tcp/127.0.0.1:22", "tcp/[::1]:22", "tcp/10.0.0.5:22", "udp/0.0.0.0%virbr0:67", "tcp/[fe80::1%eth0]:22"])
def test_an_address_or_a_device_of_its_own_is_none(at: str) -> None:
    assert outcomes(judged(host(port(at, SSHD)), "", NAME)) == ["pass host"]


def test_a_clients_socket_and_one_that_does_not_listen_are_none() -> None:
    quiet = host(port("udp/0.0.0.0:45000", service(5, "chronyd")), port("tcp/0.0.0.0:99", SSHD, state="bound"))
    assert outcomes(judged(quiet, "", NAME)) == ["pass host"]


def test_a_wildcard_of_unknown_family_is_one() -> None:
    snapshot = with_sockets(host(port("tcp/0.0.0.0:22", SSHD)), address="*", family="unknown")
    assert outcomes(judged(snapshot, "", NAME)) == ["fail low host tcp/*:22"]


def test_an_address_that_was_not_seen_is_unknown() -> None:
    assert outcomes(judged(with_sockets(host(port("tcp/0.0.0.0:22", SSHD)), address=...), "", NAME)) == ["unknown host"]


def test_it_is_off_in_the_baseline() -> None:
    found = judged(host(port("tcp/0.0.0.0:22", SSHD)), "extends: baseline\n", NAME)
    assert outcomes(found) == ["notselected host"]
