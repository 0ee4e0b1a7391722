"""The sockets of two snapshots, side by side: a host of thousands is compared in the time that it takes to read it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor.differences import Change
from auditor.facts import Facts
from auditor.model import Socket
from auditor.owner import Owner
from auditor.socket_differences import of_sockets
from tests.bundles import host

MANY = 4000


def client(number: int, executable: str = "/usr/bin/x", unit: str | None = None, **shown: Any) -> Socket:
    """A UDP socket on a port that the kernel gave; ... takes a key away."""
    holder = Owner(pid=number + 1, process="x", executable=executable, user="ann", uid=1000, unit=unit, container=None)
    words = {"protocol": "udp", "family": "ipv4", "address": "0.0.0.0", "port": 30000 + number % 30000, "state": "listening", "uid": 1000,
             "device": None, "reach": "private", "kernel_given": True, "owner_state": "known", "owners_seen": [holder]}  # fmt: skip
    return Socket(**{key: word for key, word in {**words, **shown}.items() if word is not ...})


def changes(before: list[Socket], after: list[Socket]) -> list[Change]:
    snapshot = host().snapshot()
    return list(of_sockets(Facts(before, "sock_diag"), Facts(after, "sock_diag"), snapshot, snapshot))


@pytest.mark.parametrize(
    ("before", "after", "signs"),
    [
        (client, lambda n: client(n + 1), {}),
        (lambda n: client(n, f"/opt/x{n}"), lambda n: client(n, f"/opt/y{n}"), {"-": MANY, "+": MANY}),
        (lambda n: client(n, unit=f"x{n}"), lambda n: client(n, unit=f"y{n}"), {"-": MANY, "+": MANY}),
        (lambda n: client(53, address=f"127.0.{n >> 8}.{n & 255}", kernel_given=False),
         lambda n: client(53, address=f"127.1.{n >> 8}.{n & 255}", kernel_given=False), {"-": MANY, "+": MANY}),
    ],
    ids=["restarted", "other programs", "other units", "other addresses of one port"],
)  # fmt: skip
def test_thousands_of_sockets_are_not_compared_each_with_each(
    before: Callable[[int], Socket], after: Callable[[int], Socket], signs: dict[str, int]
) -> None:
    """By pairs each of these would take minutes."""
    found = changes([before(n) for n in range(MANY)], [after(n) for n in range(MANY)])
    assert {sign: sum(change.sign == sign for change in found) for sign in {change.sign for change in found}} == signs


@pytest.mark.parametrize(
    "perhaps",
    [
        client(7, kernel_given=...),
        client(7, unit="a.service", owner_state="unknown", owners_seen=[]),
        client(7, unit="a.service", address="*", family=...),
        client(7, device=..., owners_seen=[Owner(executable="/usr/bin/x", unit="a.service")]),
        client(7, unit="a.service", family="unknown", address="0.0", address_cut=True),
        client(7, port=..., protocol=..., kernel_given=...),
    ],
    ids=[
        "not known whether the kernel gave it",
        "holders not seen",
        "either family",
        "less of its holder",
        "address cut",
        "hardly anything",
    ],
)
def test_a_socket_that_may_be_one_of_another_subject_is_neither_new_nor_gone(perhaps: Socket) -> None:
    given = client(6, unit="a.service")
    for before, after in (([given], [perhaps]), ([perhaps], [given])):
        assert {change.sign for change in changes(before, after)} == {"?"}, [str(change) for change in changes(before, after)]


@pytest.mark.parametrize(
    "other",
    [
        client(7, "/usr/bin/y"),
        client(7, protocol="udplite"),
        client(7, address="127.0.0.1"),
        client(7, device="eth0"),
        client(7, kernel_given=False),
    ],
)
def test_one_that_shows_otherwise_in_any_point_is_another(other: Socket) -> None:
    assert sorted(change.sign for change in changes([client(6)], [other])) == ["+", "-"]
