"""nft: rulesets as JSON and as text, and what arriving packets are translated to."""

# ruff: noqa: E501, W291 - what nft prints is as it is

from __future__ import annotations

import json
from typing import Any

import pytest

from auditor.model import Translation
from auditor.parsers import nft
from auditor.parsers.nat_rules import Followed, NatRules
from auditor.reading import Output
from tests.parsers import laws

COMMAND = "nft list ruleset"
# as nft 1.0.6 printed them, the JSON a line an object
REAL_JSON = r"""{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
{"table": {"family": "ip", "name": "nat", "handle": 1}},
{"chain": {"family": "ip", "table": "nat", "name": "DOCKER", "handle": 1}},
{"chain": {"family": "ip", "table": "nat", "name": "PREROUTING", "handle": 2, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}},
{"rule": {"family": "ip", "table": "nat", "chain": "DOCKER", "handle": 8, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "docker0"}}, {"counter": {"packets": 0, "bytes": 0}}, {"return": null}]}},
{"rule": {"family": "ip", "table": "nat", "chain": "DOCKER", "handle": 9, "expr": [{"match": {"op": "!=", "left": {"meta": {"key": "iifname"}}, "right": "docker0"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8080}}, {"counter": {"packets": 0, "bytes": 0}}, {"xt": {"type": "target", "name": "DNAT"}}]}},
{"rule": {"family": "ip", "table": "nat", "chain": "PREROUTING", "handle": 3, "expr": [{"xt": {"type": "match", "name": "addrtype"}}, {"counter": {"packets": 0, "bytes": 0}}, {"jump": {"target": "DOCKER"}}]}},
{"rule": {"family": "ip", "table": "nat", "chain": "PREROUTING", "handle": 11, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": "tcp"}}, {"xt": {"type": "match", "name": "multiport"}}, {"xt": {"type": "match", "name": "comment"}}, {"counter": {"packets": 0, "bytes": 0}}, {"xt": {"type": "target", "name": "REDIRECT"}}]}},
{"rule": {"family": "ip", "table": "nat", "chain": "PREROUTING", "handle": 12, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "10.0.0.5"}}, {"counter": {"packets": 0, "bytes": 0}}, {"xt": {"type": "target", "name": "DNAT"}}]}},
{"table": {"family": "ip6", "name": "nat", "handle": 2}},
{"chain": {"family": "ip6", "table": "nat", "name": "PREROUTING", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}},
{"rule": {"family": "ip6", "table": "nat", "chain": "PREROUTING", "handle": 2, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 8081}}, {"counter": {"packets": 0, "bytes": 0}}, {"xt": {"type": "target", "name": "DNAT"}}]}},
{"table": {"family": "inet", "name": "mine", "handle": 3}},
{"map": {"family": "inet", "name": "ports", "table": "mine", "type": "inet_service", "handle": 3, "map": "ipv4_addr . inet_service", "elem": [[8000, {"concat": ["10.0.0.9", 80]}], [8001, {"concat": ["10.0.0.10", 81]}]]}},
{"set": {"family": "inet", "name": "web", "table": "mine", "type": "inet_service", "handle": 4, "flags": ["interval"], "elem": [{"range": [7000, 7010]}, 7100]}},
{"map": {"family": "inet", "name": "verd", "table": "mine", "type": "inet_service", "handle": 5, "map": "verdict", "elem": [[5000, {"jump": {"target": "svc"}}]]}},
{"chain": {"family": "inet", "table": "mine", "name": "svc", "handle": 1}},
{"chain": {"family": "inet", "table": "mine", "name": "pre", "handle": 2, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}},
{"rule": {"family": "inet", "table": "mine", "chain": "svc", "handle": 6, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"range": [5000, 5001]}}}, {"dnat": {"family": "ip", "addr": "10.1.1.1", "port": 5001}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 7, "comment": "a \\ b dnat to 1", "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 6000}}, {"dnat": {"family": "ip", "addr": "10.0.0.1", "port": 60}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 9, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [6001, {"range": [6003, 6005]}]}}}, {"redirect": {"port": 9100}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 10, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": "@web"}}, {"dnat": {"family": "ip6", "addr": "fd00::9", "port": 70}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 11, "expr": [{"dnat": {"family": "ip", "addr": {"map": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@ports"}}}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 13, "expr": [{"dnat": {"family": "ip", "addr": {"map": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": {"set": [[8100, {"concat": ["10.0.0.9", 80]}], [8101, {"concat": ["10.0.0.10", 81]}]]}}}}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 14, "expr": [{"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@verd"}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 16, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"set": ["tcp", "udp"]}}}, {"match": {"op": "==", "left": {"payload": {"protocol": "th", "field": "dport"}}, "right": 5300}}, {"redirect": {"port": 53}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 17, "expr": [{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "eth0"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": "192.0.2.1"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}}, {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}, {"counter": {"packets": 0, "bytes": 0}}, {"dnat": {"family": "ip", "addr": "10.0.0.3"}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 18, "expr": [{"match": {"op": "!=", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 5000}}, {"redirect": {"port": 1}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 20, "expr": [{"match": {"op": "==", "left": {"concat": [{"payload": {"protocol": "ip", "field": "daddr"}}, {"payload": {"protocol": "tcp", "field": "dport"}}]}, "right": {"set": [{"concat": ["10.0.0.5", 4444]}]}}}, {"dnat": {"family": "ip", "addr": "10.0.0.6", "port": 44}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 22, "expr": [{"dnat": {"family": "ip", "addr": {"map": {"key": {"concat": [{"payload": {"protocol": "ip", "field": "daddr"}}, {"payload": {"protocol": "tcp", "field": "dport"}}]}, "data": {"set": [[{"concat": ["10.0.0.5", 8080]}, {"concat": ["10.1.0.1", 80]}]]}}}}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 23, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "protocol"}}, "right": "tcp"}}, {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": "new"}}, {"redirect": null}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 24, "expr": [{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 9999}}, {"goto": {"target": "svc"}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 26, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 3000}}, {"dnat": {"family": "ip", "addr": {"map": {"key": {"jhash": {"mod": 2, "expr": {"payload": {"protocol": "ip", "field": "saddr"}}}}, "data": {"set": [[0, "10.0.0.1"], [1, "10.0.0.2"]]}}}}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 28, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 3001}}, {"dnat": {"family": "ip", "addr": {"map": {"key": {"numgen": {"mode": "inc", "mod": 2, "offset": 0}}, "data": {"set": [[0, {"concat": ["10.0.0.1", 80]}], [1, {"concat": ["10.0.0.2", 81]}]]}}}}}]}},
{"rule": {"family": "inet", "table": "mine", "chain": "pre", "handle": 29, "expr": [{"match": {"op": "in", "left": {"payload": {"protocol": "tcp", "field": "flags"}}, "right": "syn"}}, {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 3002}}, {"tproxy": {"port": 50}}]}},
{"table": {"family": "ip", "name": "nat2", "handle": 4}},
{"chain": {"family": "ip", "table": "nat2", "name": "out", "handle": 1, "type": "nat", "hook": "output", "prio": -100, "policy": "accept"}},
{"chain": {"family": "ip", "table": "nat2", "name": "pre2", "handle": 2, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}},
{"rule": {"family": "ip", "table": "nat2", "chain": "out", "handle": 3, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 25}}, {"dnat": {"addr": "127.0.0.1", "port": 2525}}]}},
{"rule": {"family": "ip", "table": "nat2", "chain": "pre2", "handle": 4, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 2222}}, {"dnat": {"addr": "10.0.0.8", "flags": "persistent"}}]}}]}
"""
REAL_TEXT = r"""table ip6 nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 8081 counter packets 0 bytes 0 
	}
}
table inet mine {
	map ports {
		type inet_service : ipv4_addr . inet_service
		elements = { 8000 : 10.0.0.9 . 80, 8001 : 10.0.0.10 . 81 }
	}

	set web {
		type inet_service
		flags interval
		elements = { 7000-7010, 7100 }
	}

	map verd {
		type inet_service : verdict
		elements = { 5000 : jump svc }
	}

	chain svc {
		tcp dport 5000-5001 dnat ip to 10.1.1.1:5001
	}

	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 6000 dnat ip to 10.0.0.1:60 comment "a \ b dnat to 1"
		tcp dport { 6001, 6003-6005 } redirect to :9100
		tcp dport @web dnat ip6 to [fd00::9]:70
		dnat ip to tcp dport map @ports
		dnat ip to tcp dport map { 8100 : 10.0.0.9 . 80, 8101 : 10.0.0.10 . 81 }
		tcp dport vmap @verd
		meta l4proto { tcp, udp } th dport 5300 redirect to :53
		iifname "eth0" ip daddr 192.0.2.1 tcp dport 443 ct state new counter packets 0 bytes 0 dnat ip to 10.0.0.3
		udp dport != 5000 redirect to :1
		ip daddr . tcp dport { 10.0.0.5 . 4444 } dnat ip to 10.0.0.6:44
		dnat ip to ip daddr . tcp dport map { 10.0.0.5 . 8080 : 10.1.0.1 . 80 }
		ip protocol tcp ct state new redirect
		fib daddr type local tcp dport 9999 goto svc
		tcp dport 3000 dnat ip to jhash ip saddr mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }
		tcp dport 3001 dnat ip to numgen inc mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 81 }
		tcp flags syn tcp dport 3002 tproxy to :50
	}
}
table ip nat2 {
	chain out {
		type nat hook output priority -100; policy accept;
		tcp dport 25 dnat to 127.0.0.1:2525
	}

	chain pre2 {
		type nat hook prerouting priority dstnat; policy accept;
		tcp dport 2222 dnat to 10.0.0.8 persistent
	}
}
"""
IN_JSON = [
    "ipv4 tcp/None:6000-6000 10.0.0.1:60",
    "any tcp/None:6001-6001 port 9100 of this host",
    "any tcp/None:6003-6005 port 9100 of this host",
    "ipv6 tcp/None:7000-7010 [fd00::9]:70",
    "ipv6 tcp/None:7100-7100 [fd00::9]:70",
    "ipv4 tcp/None:8000-8000 10.0.0.9:80",
    "ipv4 tcp/None:8001-8001 10.0.0.10:81",
    "ipv4 tcp/None:8100-8100 10.0.0.9:80",
    "ipv4 tcp/None:8101-8101 10.0.0.10:81",
    "any tcp/None:5300-5300 port 53 of this host",
    "any udp/None:5300-5300 port 53 of this host",
    "ipv4 tcp/192.0.2.1:443-443 10.0.0.3",
    "any udp/None:1-4999 port 1 of this host",
    "any udp/None:5001-65535 port 1 of this host",
    "ipv4 tcp/10.0.0.5:4444-4444 10.0.0.6:44",
    "ipv4 tcp/10.0.0.5:8080-8080 10.1.0.1:80",
    "any tcp/None:1-65535 this host",
    "ipv4 tcp/None:3000-3000 10.0.0.1",
    "ipv4 tcp/None:3000-3000 10.0.0.2",
    "ipv4 tcp/None:3001-3001 10.0.0.1:80",
    "ipv4 tcp/None:3001-3001 10.0.0.2:81",
    "ipv4 tcp/None:2222-2222 10.0.0.8",
    "ipv4 tcp/None:5000-5000 10.1.1.1:5001",
]
IN_MAPS = ("8000-8000", "8001-8001", "8100-8100", "8101-8101", "4444-4444", "8080-8080", "3000-3000", "3001-3001", "5000-5000")
"""Ports that the text names in maps and sets of several dimensions alone, which are read of the JSON."""


def read(text: str, command: str = COMMAND) -> NatRules:
    return nft.parse(Output(command, text))


def translations(rules: NatRules) -> list[str]:
    found = Followed(rules.chains, rules.arriving).found
    return [f"{x['family']} {x['protocol']}/{x['destination']}:{x['first']}-{x['last']} {x['to']}" for x in found]


def gaps(rules: NatRules) -> list[str]:
    return [gap.why for gap in (*rules.gaps, *Followed(rules.chains, rules.arriving).gaps)]


def in_json(*expressions: Any, **more: Any) -> NatRules:
    """One chain through which packets arrive, and a rule in it."""
    place = {"family": "inet", "table": "mill"}
    chain = {**place, "name": "pre", "handle": 1, "type": "nat", "hook": "prerouting", "prio": -100, "policy": "accept"}
    rule = {**place, "chain": "pre", "handle": 2, "expr": list(expressions), **more}
    sets = {
        "family": "inet",
        "table": "mill",
        "name": "web",
        "type": "inet_service",
        "elem": [{"elem": {"val": 80, "timeout": 9}}, {"range": [90, 91]}],
    }
    return read(
        json.dumps({"nftables": [{"chain": chain}, {"chain": {**place, "name": "next", "handle": 3}}, {"rule": rule}, {"set": sets}]})
    )


def equal(protocol: str, field: str, right: Any, op: str = "==") -> dict[str, Any]:
    return {"match": {"op": op, "left": {"payload": {"protocol": protocol, "field": field}}, "right": right}}


def in_text(*rules: str) -> NatRules:
    lines = "".join(f"\t\t{rule}\n" for rule in rules)
    text = f"table inet mill {{\n\tset web {{\n\t\ttype inet_service\n\t\telements = {{ 80,\n\t\t\t     90-91 }}\n\t}}\n\n\tchain pre {{\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n{lines}\t}}\n}}\n"
    output = Output(COMMAND, text)
    found = nft.parse(output)
    laws.accounted(output, found)
    return found


REDIRECT = {"redirect": {"port": 8080}}
TO_8080 = "port 8080 of this host"


def test_what_nft_really_prints_as_json_is_read_whole_and_what_it_does_not_print_is_a_gap() -> None:
    rules = read(REAL_JSON, "nft -j list ruleset")
    assert (rules.flavour, rules.families, rules.gaps) == ("nf_tables", ("ip", "ip6", "inet"), [])
    assert translations(rules) == IN_JSON
    assert sorted(gaps(rules)) == sorted([
        *["what a rule of table ip nat does cannot be read"] * 3,
        "what a rule of table ip6 nat does cannot be read",
        "what a rule of table inet mine does cannot be read",
    ])  # fmt: skip
    assert len(rules.taken) + len(rules.passed) == len(REAL_JSON.splitlines())


def test_the_text_tells_the_same_but_for_maps_which_are_gaps() -> None:
    output = Output(COMMAND, REAL_TEXT)
    rules = nft.parse(output)
    laws.accounted(output, rules)
    assert translations(rules) == [one for one in IN_JSON if not any(f":{ports} " in one for ports in IN_MAPS)]
    unread = Followed(rules.chains, rules.arriving).gaps
    assert [str(gap.line).partition(": ")[2] for gap in unread] == [
        "tcp dport 8081 counter packets 0 bytes 0",
        "dnat ip to tcp dport map @ports",
        "dnat ip to tcp dport map { 8100 : 10.0.0.9 . 80, 8101 : 10.0.0.10 . 81 }",
        "tcp dport vmap @verd",
        "ip daddr . tcp dport { 10.0.0.5 . 4444 } dnat ip to 10.0.0.6:44",
        "dnat ip to ip daddr . tcp dport map { 10.0.0.5 . 8080 : 10.1.0.1 . 80 }",
        "tcp dport 3000 dnat ip to jhash ip saddr mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }",
        "tcp dport 3001 dnat ip to numgen inc mod 2 map { 0 : 10.0.0.1 . 80, 1 : 10.0.0.2 . 81 }",
        "tcp flags syn tcp dport 3002 tproxy to :50",
    ]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ([equal("tcp", "dport", 80)], [f"any tcp/None:80-80 {TO_8080}"]),
        ([equal("tcp", "dport", "@web")], [f"any tcp/None:80-80 {TO_8080}", f"any tcp/None:90-91 {TO_8080}"]),
        ([equal("tcp", "dport", "@web", "!=")], [f"any tcp/None:{ports} {TO_8080}" for ports in ("1-79", "81-89", "92-65535")]),
        ([equal("tcp", "dport", 80), equal("udp", "dport", 80)], []),
        ([equal("tcp", "dport", 80), equal("tcp", "dport", 81)], []),
        ([equal("tcp", "sport", 80)], [f"any tcp/None:1-65535 {TO_8080}"]),
        ([equal("ip", "saddr", "10.0.0.1"), equal("tcp", "dport", 80)], [f"any tcp/None:80-80 {TO_8080}"]),
        ([equal("ip", "daddr", {"prefix": {"addr": "10.0.0.0", "len": 8}}), equal("tcp", "dport", 80)], [f"any tcp/10.0.0.0/8:80-80 {TO_8080}"]),
        ([equal("ip", "daddr", {"set": ["10.0.0.1", {"range": ["10.0.0.7", "10.0.0.9"]}]}), equal("tcp", "dport", 80)],
         [f"any tcp/10.0.0.1:80-80 {TO_8080}", f"any tcp/10.0.0.7-10.0.0.9:80-80 {TO_8080}"]),
        ([equal("ip", "daddr", "10.0.0.1", "!="), equal("tcp", "dport", 80)], [f"any tcp/None:80-80 {TO_8080}"]),
        ([equal("ip", "protocol", 17)], [f"any udp/None:1-65535 {TO_8080}"]),
        ([equal("ip", "protocol", "icmp")], []),
        ([{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}], ["which ports a rule translates cannot be read"]),
        ([{"match": {"op": "==", "left": {"meta": {"key": "mark"}}, "right": 1}}, equal("tcp", "dport", 80)], [f"any tcp/None:80-80 {TO_8080}"]),
        ([{"match": {"op": "==", "left": {"ct": {"key": "proto-dst", "dir": "original"}}, "right": 80}}], ["which ports a rule translates cannot be read"]),
        ([{"match": {"op": "==", "left": {"&": [{"meta": {"key": "mark"}}, 1]}, "right": 1}}], ["which ports a rule translates cannot be read"]),
        ([{"xt": {"type": "match", "name": "bpf"}}], ["which ports a rule translates cannot be read"]),
        ([{"xt": None}], ["what a rule of table inet mill does cannot be read", "which ports a rule translates cannot be read"]),
        ([{"xt": {"type": "target", "name": "LOG"}}, equal("tcp", "dport", 80)], [f"any tcp/None:80-80 {TO_8080}"]),
        ([equal("tcp", "dport", "@gone")], ["a rule cannot be read"]),
        ([equal("tcp", "dport", "http")], ["a rule cannot be read"]),
        ([equal("tcp", "dport", 99999)], ["a rule cannot be read"]),
        ([7], ["a rule cannot be read"]),
        ([{"from the future": None}], ["what a rule of table inet mill does cannot be read", "which ports a rule translates cannot be read"]),
        ([{"counter": {"packets": 1, "bytes": 2}}, {"jump": {"target": "gone"}}],
         ["where a rule of table inet mill leads is not shown: gone is no chain in it", f"any any/None:1-65535 {TO_8080}"]),
    ],
)  # fmt: skip
def test_a_rule_is_what_its_expressions_say(conditions: list[Any], found: list[str]) -> None:
    rules = in_json(*conditions, REDIRECT)
    assert gaps(rules) + translations(rules) == found


@pytest.mark.parametrize("broken", ["", "{", "[]", '{"nftables": {}}', '{"nftables": [7]}', '{"nftables": [{"rule": 7}]}', '{"nftables": [{"chain": {}}]}',
                                    '{"nftables": [{"new thing": {}}]}', '{"nftables": [{"rule": {"family": [], "table": {}, "chain": 1}}]}'])  # fmt: skip
def test_json_of_another_shape_is_a_gap(broken: str) -> None:
    assert read(broken, "nft -j list ruleset").gaps or not broken
    assert translations(read(broken, "nft -j list ruleset")) == []


def test_chains_of_other_hooks_are_not_on_the_way_of_arriving_packets() -> None:
    text = REAL_JSON.replace('"hook": "prerouting"', '"hook": "output"')
    assert translations(read(text)) == []
    assert gaps(read(text)) == []


@pytest.mark.parametrize("command", ["nft list table ip nat", "nft list chain inet mill pre", "nft -a list ruleset ip", "nft"])
def test_a_part_of_the_rules_is_not_taken_for_all(command: str) -> None:
    rules = read(REAL_TEXT, command)
    assert rules.families == ()
    assert f"{command}: not the whole ruleset was asked for" in gaps(rules)


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("tcp dport 80 redirect", ["any tcp/None:80-80 this host"]),
        ("tcp dport @web redirect to :8080", [f"any tcp/None:80-80 {TO_8080}", f"any tcp/None:90-91 {TO_8080}"]),
        ("tcp dport @gone redirect to :8080", ["which ports a rule translates cannot be read"]),
        ("meta l4proto 6 th dport 80 redirect to :8080", [f"any tcp/None:80-80 {TO_8080}"]),
        ("meta mark 0x00000001 tcp dport 80 redirect to :8080", [f"any tcp/None:80-80 {TO_8080}"]),
        ("meta mark 0x00000001 redirect to :8080", ["which ports a rule translates cannot be read"]),
        ("ct original proto-dst 80 redirect to :8080", ["which ports a rule translates cannot be read"]),
        ('iifname "tcp dport 1" tcp dport 80 redirect to :8080', [f"any tcp/None:80-80 {TO_8080}"]),
        ('tcp dport 80 redirect to :8080 comment "accept"', [f"any tcp/None:80-80 {TO_8080}"]),
        ('tcp dport 80 counter packets 0 bytes 0 comment "dnat to 10.0.0.1"', ["what a rule of table inet mill does cannot be read"]),
        ('tcp dport 80 log prefix "redirect" accept', []),
        ("fib daddr . iif type local tcp dport 80 redirect to :8080", [f"any tcp/None:80-80 {TO_8080}"]),
        ("tcp dport . ip saddr { 80 . 10.0.0.1 } redirect to :8080", ["which ports a rule translates cannot be read"]),
        ("tcp dport 80 jump gone", ["where a rule of table inet mill leads is not shown: gone is no chain in it"]),
        ("tcp dport 80 tcp dport 81 redirect", []),
        ("tcp dport 80 return", []),
    ],
)  # fmt: skip
def test_a_rule_is_what_its_words_say(rule: str, found: list[str]) -> None:
    rules = in_text(rule)
    assert gaps(rules) + translations(rules) == found


@pytest.mark.parametrize(
    ("protocol", "found"),
    [
        (6, [f"any tcp/None:1-65535 {TO_8080}"]), (33, [f"any dccp/None:1-65535 {TO_8080}"]), ("sctp", [f"any sctp/None:1-65535 {TO_8080}"]),
        (0, []), (47, []), ("icmp", []), ("ipv6-icmp", []),
        (253, "which ports a rule translates cannot be read"), ("nonsense", "which ports a rule translates cannot be read"),
    ],
)  # fmt: skip
def test_a_protocol_has_a_name_or_a_number(protocol: Any, found: list[str] | str) -> None:
    meta = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": protocol}}
    for rules in (
        in_text(f"meta l4proto {protocol} redirect to :8080"), in_text(f"ip protocol {protocol} redirect to :8080"),
        in_text(f"meta l4proto {{ {protocol} }} redirect to :8080"), in_json(meta, REDIRECT), in_json(equal("ip", "protocol", protocol), REDIRECT),
    ):  # fmt: skip
        assert (translations(rules), gaps(rules)) == (([], [found]) if isinstance(found, str) else (found, []))


def test_a_range_of_protocols_loses_nothing() -> None:
    span = {"match": {"op": "==", "left": {"meta": {"key": "l4proto"}}, "right": {"range": [6, 17]}}}
    for rules in (in_text("meta l4proto 6-17 redirect to :8080"), in_json(span, REDIRECT)):
        assert (translations(rules), gaps(rules)) == ([], ["which ports a rule translates cannot be read"])
    for rules in (in_text("meta l4proto 6-17 tcp dport 80 redirect to :8080"), in_json(span, equal("tcp", "dport", 80), REDIRECT)):
        assert (translations(rules), gaps(rules)) == ([f"any tcp/None:80-80 {TO_8080}"], [])


def test_a_rule_of_a_protocol_without_ports_is_passed_over_and_says_why() -> None:
    for end in ("redirect to :8080", "jump elsewhere", "tproxy to :50"):
        found = in_text(f"meta l4proto {{ icmp, 47 }} {end}").passed[-3:]
        told = (f"\t\tmeta l4proto {{ icmp, 47 }} {end}", "a rule of protocols without ports")
        assert (told in found) == (not end.startswith("tproxy")), "what is not known to translate is not known to have conditions alone"


def test_a_ruleset_that_was_cut_or_is_none_is_a_gap() -> None:
    assert "the end of a table is missing: the output was cut" in gaps(read(REAL_TEXT[: len(REAL_TEXT) // 2]))
    assert gaps(read("Operation not permitted (you must be root)\n")) == ["a line of nft cannot be read"]
    assert gaps(read("# root\nweb1# nft list ruleset\n")) == []


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    laws.total(nft.parse, COMMAND, REAL_TEXT)
    for at in range(0, len(REAL_JSON), 97):
        assert nft.parse(Output("nft -j list ruleset", REAL_JSON[:at])).gaps or at == 0


def broken(value: Any, wrong: Any) -> list[Any]:
    """A value with each of the places in it wrong, one at a time."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [wrong]
    for key, item in items:
        for one in broken(item, wrong):
            found.append({**value, key: one} if isinstance(value, dict) else [*value[:key], one, *value[key + 1 :]])
    return found


@pytest.mark.parametrize("wrong", [None, [], {}, "@x", 7, [[7]], {"set": [7]}, {"concat": ["*"]}])
def test_a_wrong_type_anywhere_in_the_json_makes_it_neither_raise_nor_find_what_is_no_translation(wrong: Any) -> None:
    listed = json.loads(REAL_JSON)["nftables"]
    others = [one for one in listed if "chain" in one]
    for rule in (one for one in listed if "rule" in one or "map" in one or "chain" in one):
        for instead in broken(rule, wrong):
            rules = read(json.dumps({"nftables": [*others, instead]}))
            for shown in Followed(rules.chains, rules.arriving).found:
                assert Translation.from_json(json.loads(json.dumps(shown)), "a test")
