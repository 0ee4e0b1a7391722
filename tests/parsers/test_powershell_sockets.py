from __future__ import annotations

import pytest

from auditor.parsers import powershell_sockets
from tests.parsers import laws
from tests.parsers.listings import place, reader

read = reader(powershell_sockets.parse, "Get-NetTCPConnection")
TCP = (
    "\r\nLocalAddress                LocalPort RemoteAddress               RemotePort State       AppliedSetting OwningProcess\r\n"
    "------------                --------- -------------               ---------- -----       -------------- -------------\r\n"
    "::                          7703      ::                          0          Listen                     4120\r\n"
    "0.0.0.0                     7704      0.0.0.0                     0          Listen                     4121\r\n"
    "10.77.0.9                   50200     10.77.0.1                   443        Established Internet       4122\r\n"
    "0.0.0.0                     50200     0.0.0.0                     0          Bound                      4122\r\n"
    "fe80::21%7                  7705      ::                          0          Listen                     4120\r\n"
)
UDP = (
    "\r\nLocalAddress                             LocalPort\r\n"
    "------------                             ---------\r\n"
    "::                                       7701\r\n"
    "127.0.0.1                                50123\r\n"
)


def test_a_blank_setting_does_not_shift_the_owner() -> None:
    reading = read(TCP)
    assert [(seen.shown, seen.owners) for seen in reading.seen] == [
        (place("tcp", "ipv6", "::", 7703), [{"pid": 4120}]),
        (place("tcp", "ipv4", "0.0.0.0", 7704), [{"pid": 4121}]),
        (place("tcp", "ipv4", "0.0.0.0", 50200, "bound"), [{"pid": 4122}]),
        (place("tcp", "ipv6", "fe80::21", 7705, zone="7"), [{"pid": 4120}]),
    ]
    assert not reading.gaps
    assert reading.covers == {("tcp", "ipv4"): None, ("tcp", "ipv6"): None}


def test_udp_endpoints_have_no_owner_column_of_themselves() -> None:
    reading = read(UDP, "Get-NetUDPEndpoint")
    assert [seen.shown for seen in reading.seen] == [place("udp", "ipv6", "::", 7701), place("udp", "ipv4", "127.0.0.1", 50123)]
    assert not reading.shows_owners
    assert reading.covers == {("udp", "ipv4"): None, ("udp", "ipv6"): None}


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(powershell_sockets.parse, "Get-NetTCPConnection", TCP)
    laws.total(powershell_sockets.parse, "Get-NetUDPEndpoint", UDP)


@pytest.mark.parametrize("end", ["...", "\N{HORIZONTAL ELLIPSIS}"])
def test_a_cut_address_is_marked(end: str) -> None:
    (seen,) = read(UDP[: UDP.index("::  ")] + f"2001:db8:77:1:2:3{end} 7701\r\n", "Get-NetUDPEndpoint").seen
    assert seen.shown == place("udp", "ipv6", "2001:db8:77:1:2:3", 7701, address_cut=True)


def test_selected_columns_say_listening_only_where_that_was_asked_for() -> None:
    text = "LocalAddress LocalPort OwningProcess\n------------ --------- -------------\n0.0.0.0 7703 4120\n"
    (seen,) = read(text, 'powershell -Command "Get-NetTCPConnection -State Listen | Select LocalAddress,LocalPort,OwningProcess"').seen
    assert seen.shown == place("tcp", "ipv4", "0.0.0.0", 7703)
    reading = read(text, "Get-NetTCPConnection | Select-Object LocalAddress,LocalPort,OwningProcess")
    assert [(gap.line, gap.protocol, gap.family) for gap in reading.gaps] == [("0.0.0.0 7703 4120", "tcp", "ipv4")]


@pytest.mark.parametrize("command", ["Get-NetTCPConnection -LocalPort 80", "Get-NetTCPConnection -State Established"])
def test_what_was_narrowed_is_not_complete(command: str) -> None:
    assert all(read(TCP, command).covers.values())


def test_asking_for_listeners_is_complete() -> None:
    assert not any(read(TCP, "Get-NetTCPConnection -State Listen").covers.values())


def test_without_header_or_cmdlet_lines_are_gaps() -> None:
    reading = read("0.0.0.0 7703 0.0.0.0 0 Listen 4120\n")
    assert len(reading.gaps) == 1
    assert all(reading.covers.values())
    reading = read(TCP, "powershell -File coop.ps1")
    assert not reading.covers
    assert len(reading.gaps) == 5
