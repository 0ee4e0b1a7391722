"""Facts of Ansible's listen_ports_facts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.parsers import ansible
from auditor.reading import Output, Reading

SSH: dict[str, Any] = {
    "address": "0.0.0.0",
    "name": "sshd",
    "pid": 711,
    "port": 22,
    "protocol": "tcp",
    "stime": "Thu Jan  2",
    "user": "root",
}
NOBODY = {**SSH, "pid": 0, "name": "", "user": "", "port": 2049}


def record(**changed: Any) -> dict[str, Any]:
    return {**SSH, **changed}


def facts(tcp: list[Any], udp: list[Any] | None = None) -> dict[str, Any]:
    return {"ansible_facts": {"tcp_listen": tcp, "udp_listen": udp or []}, "changed": False}


def read(given: dict[str, Any] | str) -> Reading:
    text = given if isinstance(given, str) else json.dumps(given, indent=4)
    reading = ansible.parse(Output("ansible web1 -m listen_ports_facts", text))
    if not isinstance(given, str):
        records = given["ansible_facts"]["tcp_listen"] + given["ansible_facts"]["udp_listen"]
        assert len(reading.taken) + len(reading.passed) + sum(gap.line is not None for gap in reading.gaps) == len(records)
    return reading


def shown(reading: Reading, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(seen.shown.get(key, "absent") for key in keys) for seen in reading.seen]


def test_records_are_sockets_with_their_process() -> None:
    reading = read(facts([SSH, NOBODY], [record(protocol="udp", port=123, name="ntpd", pid=640, user="ntp", address="::")]))
    assert shown(reading, "protocol", "family", "address", "port", "state") == [
        ("tcp", "ipv4", "0.0.0.0", 22, "listening"), ("tcp", "ipv4", "0.0.0.0", 2049, "listening"), ("udp", "ipv6", "::", 123, "listening"),
    ]  # fmt: skip
    assert [seen.owners for seen in reading.seen] == [
        [{"pid": 711, "process": "sshd", "user": "root"}], [], [{"pid": 640, "process": "ntpd", "user": "ntp"}],
    ]  # fmt: skip
    assert reading.gaps == []
    assert reading.per_descriptor


def test_a_socket_without_a_process_shows_that_all_are_listed() -> None:
    assert set(read(facts([SSH, NOBODY])).covers.values()) == {None}
    assert None not in read(facts([SSH])).covers.values()


def test_an_asterisk_is_dual_stack_where_ss_shows_its_age() -> None:
    assert shown(read(facts([record(address="*"), SSH])), "address", "family", "v6only")[0] == ("::", "ipv6", False)
    assert shown(read(facts([record(address="*")])), "address", "family", "v6only") == [("*", "unknown", "absent")]


def test_zones_and_devices_as_ss_has_them() -> None:
    reading = read(facts([record(address="fe80::9]%eth3"), record(address="127.0.0.9%lo")]))
    assert shown(reading, "address", "zone", "device") == [("fe80::9", "eth3", "absent"), ("127.0.0.9", "absent", "lo")]


@pytest.mark.parametrize(("address", "cut"), [("2001:db8:77:1::abc", True), ("2001:db8:77:1::ab", False), ("2001:db8:77:1:ab::", True)])
def test_an_address_as_long_as_netstat_cuts_it_may_be_cut(address: str, cut: bool) -> None:
    assert ("address_cut" in read(facts([record(address=address, port=8080), NOBODY])).seen[0].shown) is cut


def test_an_address_that_ss_gave_is_not_cut() -> None:
    reading = read(facts([record(address="2001:db8:77:1::abc", port=8080), record(address="*")]))
    assert "address_cut" not in reading.seen[0].shown


def test_a_cut_address_need_not_be_one() -> None:
    reading = read(facts([record(address="2001:db8:1:2:345:", port=54776), NOBODY]))
    assert shown(reading, "address", "address_cut")[0] == ("2001:db8:1:2:345:", True)


def test_connections_are_passed_over_where_they_were_asked_for() -> None:
    connection = {"foreign_address": "192.0.2.9:53", "state": "ESTABLISHED"}
    reading = read(facts([record(**connection), record(state="LISTEN", foreign_address="0.0.0.0:*")],
                         [record(protocol="udp", **connection),
                          record(protocol="udp", state="", foreign_address="0.0.0.0:*")]))  # fmt: skip
    assert shown(reading, "protocol") == [("tcp",), ("udp",)]
    assert len(reading.passed) == 2


@pytest.mark.parametrize("changed", [{"port": "22"}, {"port": 65536}, {"port": True}, {"pid": None}, {"protocol": "icmp"},
                                     {"protocol": None},
                                     {"address": "x"}, {"address": None}])  # fmt: skip
def test_a_record_that_cannot_be_read_is_a_gap(changed: dict[str, Any]) -> None:
    reading = read(facts([record(**changed), SSH]))
    assert len(reading.gaps) == len(reading.seen) == 1
    assert len(read(facts([5, SSH])).gaps) == 1


@pytest.mark.parametrize("prefix", ["web1 | SUCCESS => ", "web1 | CHANGED => ", ""])
def test_the_host_s_name_may_stand_before_the_facts(prefix: str) -> None:
    reading = read(prefix + json.dumps(facts([SSH, NOBODY]), indent=4) + "\n")
    assert len(reading.seen) == 2
    assert reading.gaps == []
    assert len(read(json.dumps(facts([SSH])["ansible_facts"])).seen) == 1


@pytest.mark.parametrize("text", ["", "{}", "[]", "web1 | UNREACHABLE! => {\n",
                                  "web1 | FAILED! => " + json.dumps(facts([SSH])), "{" * 100_000,
                                  '{"ansible_facts": {"tcp_listen": []}}', '{"ansible_facts": 5}'])  # fmt: skip
def test_what_has_no_such_facts_covers_nothing_and_is_a_gap(text: str) -> None:
    reading = read(text)
    assert reading.seen == []
    assert reading.gaps
    assert None not in reading.covers.values()


def test_answers_of_several_hosts_belong_to_none() -> None:
    one = json.dumps(facts([SSH, NOBODY]))
    reading = read(f"web1 | SUCCESS => {one}\nweb2 | SUCCESS => {one}\n")
    assert reading.seen == []
    assert len(reading.gaps) == 2
    assert None not in reading.covers.values()
