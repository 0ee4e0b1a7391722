"""`nft list ruleset`, and the same as JSON (`nft -j list ruleset`): what nf_tables makes of arriving packets.

Of rules that iptables made in nf_tables, nft may not print what they do: those are to be read of iptables-save, and are UNREAD here.
"""

from __future__ import annotations

from typing import Any

from auditor.parsers import json_text, nft_json, nft_text
from auditor.parsers.nat_rules import NatRules, Place
from auditor.reading import Output

_PASSED = {
    "metainfo": "the version of nft", "table": "a table", "flowtable": "a flow table", "counter": "a counter", "quota": "a quota",
    "limit": "a limit", "secmark": "a security mark", "synproxy": "a proxy of connections", "ct helper": "a helper",
    "ct timeout": "a time-out", "ct expectation": "an expectation",
}  # fmt: skip


def parse(output: Output) -> NatRules:
    """The chains of every table. In JSON each object counts as a line."""
    read = NatRules()
    read.flavour = "nf_tables"
    if [word for word in output.command.arguments if not word.startswith("-")] == ["list", "ruleset"]:
        read.families = ("ip", "ip6", "inet")
    else:
        read.gap(f"{output.command.text}: not the whole ruleset was asked for")
    if any(line.lstrip("\ufeff \t").startswith("{") for line in output.lines()):
        _json(read, output.text)
    else:
        nft_text.read(read, output)
        read.gap_where_empty(output)
    return read


def _json(read: NatRules, text: str) -> None:
    said = json_text.loaded(read, text, "{")
    listed = said.get("nftables") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        if said is not None:
            read.gap("not the JSON of nft", json_text.compact(said))
        return
    sets: dict[tuple[str, str], dict[str, list[Any]]] = {}
    later = []
    for one in listed:
        try:
            ((kind, value),) = one.items()
            if kind == "chain":
                _chain(read, value)
                read.taken.append(json_text.compact(one))
            elif kind in ("set", "map"):
                sets.setdefault((value["family"], value["table"]), {})[value["name"]] = list(value.get("elem", []))
                read.taken.append(json_text.compact(one))
            elif kind == "rule":
                later.append(one)
            elif kind in _PASSED:
                read.pass_over(json_text.compact(one), _PASSED[kind])
            else:
                read.gap("an object that is not known", json_text.compact(one))
        except nft_json.UNFORESEEN:
            read.gap("an object cannot be read", json_text.compact(one))
    for one in later:
        _rule(read, one, sets)


def _place(of: dict[str, Any], chain: str) -> Place:
    family, table = of["family"], of["table"]
    if not all(isinstance(word, str) for word in (family, table, chain)):
        raise ValueError("no place of a chain")
    return family, table, chain


def _chain(read: NatRules, chain: dict[str, Any]) -> None:
    place = _place(chain, chain["name"])
    read.chains.setdefault(place, [])
    if chain.get("hook") == "prerouting" and chain.get("type") == "nat":
        read.arriving.append(place)


def _rule(read: NatRules, one: dict[str, Any], sets: dict[tuple[str, str], dict[str, list[Any]]]) -> None:
    rule = one["rule"]
    line = json_text.compact(one)
    try:
        place = _place(rule, rule["chain"])
        told = f"nft, table {place[0]} {place[1]}, chain {place[2]}, handle {int(rule['handle'])}"
        found = nft_json.rules(rule["expr"], sets.get(place[:2], {}), told)
        read.chains[place] += found
    except nft_json.UNFORESEEN:
        read.gap("a rule cannot be read", line)
    else:
        read.taken.append(line)
