"""osquery's listening_ports in JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.parsers import osquery
from auditor.reading import Output, Reading

COMMAND = 'osqueryi --json "select * from listening_ports"'
SSH: dict[str, Any] = {"address": "0.0.0.0", "family": "2", "fd": "3", "net_namespace": "4026531840", "path": "", "pid": "711",
                       "port": "22",
                       "protocol": "6", "socket": "20480"}  # fmt: skip


def row(**changed: Any) -> dict[str, Any]:
    return {**SSH, **changed}


def read(rows: list[Any] | str, command: str = COMMAND) -> Reading:
    reading = osquery.parse(Output(command, rows if isinstance(rows, str) else json.dumps(rows)))
    if not isinstance(rows, str):
        assert len(reading.taken) + len(reading.passed) + sum(gap.line is not None for gap in reading.gaps) == len(rows)
    return reading


def shown(reading: Reading, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(seen.shown.get(key, "absent") for key in keys) for seen in reading.seen]


def test_rows_are_sockets_with_their_process() -> None:
    reading = read([SSH, row(protocol="17", port="53", address="127.0.0.9", pid="-1", fd="-1", socket="20481")])
    assert shown(reading, "protocol", "family", "address", "port", "state") == [
        ("tcp", "ipv4", "0.0.0.0", 22, "listening"), ("udp", "ipv4", "127.0.0.9", 53, "listening"),
    ]  # fmt: skip
    assert [(seen.owners, seen.identity) for seen in reading.seen] == [([{"pid": 711}], "20480"), ([], "20481")]
    assert reading.per_descriptor
    assert reading.shows_owners
    assert reading.gaps == []
    assert set(reading.covers.values()) == {None}


@pytest.mark.parametrize("family", ["10", "30", "23", "28"])
def test_ipv6_has_the_number_of_the_system(family: str) -> None:
    reading = read([row(family=family, address="::"), row(family=family, address="fe80::7%lo0"), row(family=family, address="192.0.2.4")])
    assert shown(reading, "family", "address", "zone") == [
        ("ipv6", "::", "absent"), ("ipv6", "fe80::7", "lo0"), ("ipv6", "::ffff:192.0.2.4", "absent"),
    ]  # fmt: skip


def test_numbers_may_be_numbers_and_joined_columns_tell_of_the_process() -> None:
    reading = read([{**SSH, "port": 22, "protocol": 6, "family": 2, "pid": 711, "name": "sshd", "path": "/usr/sbin/sshd", "on_disk": "0"}])
    assert reading.seen[0].owners == [{"pid": 711, "process": "sshd", "executable": "/usr/sbin/sshd (deleted)"}]


def test_unix_sockets_and_sockets_without_a_port_are_passed_over() -> None:
    reading = read([row(family="1", protocol="0", port="0", path="/run/x"), row(port="0", protocol="58", family="10", address="::")])
    assert (reading.seen, reading.gaps, len(reading.passed)) == ([], [], 2)


@pytest.mark.parametrize("changed", [{"family": "9"}, {"protocol": "300"}, {"address": "x"},
                                     {"port": "-1"}, {"port": "65536"}, {"port": "٣"},
                                     {"pid": "?"},
                                     {"port": None}])  # fmt: skip
def test_a_row_that_cannot_be_read_is_a_gap(changed: dict[str, Any]) -> None:
    reading = read([row(**changed), SSH])
    assert len(reading.gaps) == len(reading.seen) == 1
    assert len(read([7, SSH]).gaps) == 1


def test_of_several_namespaces_the_host_s_is_the_one_of_process_1() -> None:
    inside = row(net_namespace="4026532999", port="80")
    assert shown(read([row(pid="1"), inside]), "port") == [(22,)]
    assert [gap.line for gap in read([row(pid="1"), inside]).gaps] == [json.dumps(inside, separators=(",", ":"), sort_keys=True)]
    unknown = read([SSH, inside])
    assert unknown.seen == []
    assert len(unknown.gaps) == 2


@pytest.mark.parametrize(
    "query",
    ["select * from listening_ports where port = 22", "select * from listening_ports limit 5", "select * from processes", "",
     "select * from listening_ports join processes using (pid)", "select l.* from listening_ports l, processes p",
     "select * from listening_ports where port != 0 and address != '127.0.0.1'", "select port from listening_ports group by port"],
)  # fmt: skip
def test_a_query_that_may_leave_sockets_out_covers_nothing(query: str) -> None:
    reading = read([SSH], f'osqueryi --json "{query}"')
    assert None not in reading.covers.values()
    assert len(reading.seen) == 1


@pytest.mark.parametrize(
    "query",
    ["SELECT * FROM listening_ports;", "select * from listening_ports lp left join processes p using (pid)",
     "select pid, port from listening_ports where port <> 0 order by port"],
)  # fmt: skip
def test_a_query_for_every_socket_covers_all(query: str) -> None:
    assert set(read([SSH], f'osqueryi --json "{query}"').covers.values()) == {None}


@pytest.mark.parametrize("text", ["", "+-----+\n| pid |\n", "[", '{"a":1}', "[" * 100_000, "[1e999999", "null"])
def test_what_is_no_array_covers_nothing_and_is_a_gap(text: str) -> None:
    reading = read(text)
    assert reading.gaps
    assert None not in reading.covers.values()


def test_warnings_before_the_array_are_gaps_and_it_is_read() -> None:
    reading = read("W0101 odd\n" + json.dumps([SSH], indent=2))
    assert [gap.line for gap in reading.gaps] == ["W0101 odd"]
    assert len(reading.seen) == 1


def test_half_a_surrogate_pair_is_made_printable() -> None:
    assert read([row(name="a\ud800")]).seen[0].owners[0]["process"] == "a\\ud800"


def test_no_cut_of_the_text_makes_it_raise_or_cover() -> None:
    text = json.dumps([SSH, row(family="10", address="::")])
    for at in range(len(text)):
        assert None not in read(text[:at]).covers.values()
