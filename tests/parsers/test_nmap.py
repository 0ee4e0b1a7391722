"""nmap's XML: what a scan from outside saw."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.parsers import nmap
from auditor.reading import Output, Reading

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n<?xml-stylesheet href="file:///x.xsl" type="text/xsl"?>\n'
SCAN = '<scaninfo type="syn" protocol="tcp" numservices="3" services="22-24"/><scaninfo type="udp" protocol="udp" services="53,123"/>'
END = '<runstats><finished time="1"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'


def port(protocol: str, number: str, state: str) -> str:
    return f'<port protocol="{protocol}" portid="{number}"><state state="{state}" reason="x"/><service name="y" method="table"/></port>'


def host(*ports: str, address: str = "192.0.2.7", kind: str = "ipv4") -> str:
    addresses = f'<address addr="02:00:00:00:00:01" addrtype="mac"/><address addr="{address}" addrtype="{kind}"/>'
    return f'<host><status state="up"/>{addresses}<hostnames/><ports>{"".join(ports)}</ports></host>'


def scan(*hosts: str) -> str:
    return f'{HEAD}<nmaprun scanner="nmap">{SCAN}{"".join(hosts)}{END}\n'


def read(text: str) -> Reading:
    return nmap.parse(Output("nmap -oX - 192.0.2.7", text))


def records(reading: Reading) -> int:
    return len(reading.taken) + len(reading.passed) + sum(gap.line is not None for gap in reading.gaps)


def sockets(reading: Reading) -> list[tuple[Any, ...]]:
    return [tuple(seen.shown.get(key) for key in ("protocol", "family", "address", "port", "state", "zone")) for seen in reading.seen]


def test_open_ports_are_sockets_at_the_scanned_address_and_nothing_is_covered() -> None:
    reading = read(scan(host('<extraports state="closed" count="1"/>', port("tcp", "22", "open"), port("tcp", "23", "closed"),
                             port("tcp", "24", "filtered"), port("udp", "53", "open"), port("udp", "123", "open|filtered"))))  # fmt: skip
    assert sockets(reading) == [("tcp", "ipv4", "192.0.2.7", 22, "listening", None), ("udp", "ipv4", "192.0.2.7", 53, "listening", None)]
    assert [(gap.why, gap.protocol, gap.family) for gap in reading.gaps] == [("no answer came: it may be open", "udp", "ipv4")]
    assert records(reading) == 6
    assert set(reading.covers.values()) == {"seen from outside, by nmap: tcp 22-24, udp 53,123"}
    assert len(reading.covers) == 4
    assert [seen.owners for seen in reading.seen] == [[], []]
    assert not reading.shows_owners


def test_an_ipv6_address_may_have_a_zone() -> None:
    assert sockets(read(scan(host(port("tcp", "22", "open"), address="fe80::7%eth0", kind="ipv6")))) == [
        ("tcp", "ipv6", "fe80::7", 22, "listening", "eth0")
    ]


def test_of_several_hosts_it_is_not_known_which_is_the_bundle_s() -> None:
    reading = read(scan(host(port("tcp", "22", "open")), host(port("tcp", "80", "open"), address="192.0.2.8")))
    assert reading.seen == []
    assert [gap.line for gap in reading.gaps] == ["192.0.2.7 port tcp 22 open", "192.0.2.8 port tcp 80 open"]


def test_a_host_that_was_down_is_passed_over() -> None:
    down = '<host><status state="down"/><address addr="192.0.2.9" addrtype="ipv4"/></host>'
    reading = read(scan(down, host(port("tcp", "22", "open"))))
    assert len(reading.seen) == len(reading.passed) == 1
    assert reading.gaps == []


@pytest.mark.parametrize(
    ("record", "read_as"),
    [(port("ip", "6", "open"), "passed"), (port("tcp", "0", "open"), "gap"), (port("tcp", "70000", "open"), "gap"),
     (port("tcp", "x", "open"), "gap"),
     (port("tcp", "80", "odd"), "gap"), ('<port protocol="tcp" portid="80"/>', "gap"),
     ('<extraports state="open|filtered" count="5"/>', "gap"),
     ("<odd/>", "gap"), (port("tcp", "80", "unfiltered"), "passed"), (port("sctp", "80", "open"), "taken")],
)  # fmt: skip
def test_each_record_is_taken_passed_over_or_a_gap(record: str, read_as: str) -> None:
    reading = read(scan(host(record)))
    assert {"taken": len(reading.taken), "passed": len(reading.passed), "gap": len(reading.gaps)}[read_as] == records(reading) == 1


def test_an_address_that_is_none_is_a_gap() -> None:
    assert [gap.why for gap in read(scan(host(port("tcp", "22", "open"), address="x"))).gaps] == ["the address of a host cannot be read"]


def test_entities_are_refused_before_anything_is_parsed() -> None:
    bomb = HEAD.replace("<!DOCTYPE nmaprun>", '<!DOCTYPE nmaprun [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>') + "<nmaprun>&c;</nmaprun>"
    for text in (bomb, bomb.replace("ENTITY", "entity")):
        reading = read(text)
        assert [gap.why for gap in reading.gaps] == ["the output is no XML of nmap"]
        assert reading.seen == []


@pytest.mark.parametrize(
    "text", ["", "Starting Nmap\n22/tcp open ssh\n", "<a/>", "<nmaprun", "\0", '<?xml version="1.0" encoding="odd"?><nmaprun/>x']
)
def test_what_is_no_xml_of_nmap_is_a_gap_and_covers_nothing(text: str) -> None:
    reading = read(text)
    assert [gap.why for gap in reading.gaps] == ["the output is no XML of nmap"]
    assert None not in reading.covers.values()


def test_a_scan_that_did_not_finish_is_a_gap_and_no_cut_makes_it_raise_or_cover() -> None:
    text = scan(host(port("tcp", "22", "open")))
    assert [gap.why for gap in read(text.replace('<finished time="1"/>', "")).gaps] == ["the scan did not finish, or its XML is cut"]
    for at in range(len(text)):
        assert None not in read(text[:at]).covers.values()
