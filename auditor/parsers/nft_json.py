"""What expressions of `nft -j` (libnftables-json(5)) ask of packets and make of them. A value of a shape that is not foreseen raises one
of UNFORESEEN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.parsers.nat_rules import JUMP, PORTED, TRANSLATE, UNREAD, XT_LEAVING_THE_DESTINATION, Match, NatRule, complement, of_protocols
from auditor.port_range import PortRange

UNFORESEEN = (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError)
Sets = Mapping[str, list[Any]]
"""The elements of a table's sets and maps, by name."""
_PORTS, _PROTOCOL, _DESTINATION, _OTHER, _UNREAD = "ports", "protocol", "destination", "other", "unread"
_META_WITHOUT_PORTS = {
    "iif", "iifname", "iiftype", "iifgroup", "iifkind", "oif", "oifname", "oiftype", "oifgroup", "oifkind", "nfproto", "protocol",
    "pkttype", "skuid", "skgid", "time", "day", "hour", "cpu", "random", "length", "ibrname", "obrname", "sdif", "sdifname",
    "rtclassid", "cgroup",
}  # fmt: skip
_CT_WITHOUT_PORTS = {"state", "status", "direction", "expiration", "helper", "zone", "l3proto", "saddr", "bytes", "packets", "id"}
_LEAVING_THE_DESTINATION = {
    "counter", "log", "limit", "quota", "comment", "accept", "drop", "return", "continue", "reject", "queue", "masquerade", "snat",
    "mangle", "notrack", "set", "map", "ct helper", "ct timeout", "ct count", "ct expectation", "flow", "last", "synproxy", "secmark",
    "meter",
}  # fmt: skip
_MOST = 1 << 14


def rules(expressions: list[Any], sets: Sets, line: str) -> list[NatRule]:
    """What one rule does, once for each way to meet its conditions; none where it leaves the destination as it is."""
    matches = [Match()]
    found: list[NatRule] = []
    for expression in expressions:
        ((name, value),) = expression.items()
        if name == "match":
            matches = _met(matches, _asked(value["left"], value["op"], value["right"], sets))
        elif name in ("jump", "goto"):
            found += [NatRule(match, JUMP, _word(value["target"]), line) for match in matches]
        elif name == "vmap":
            for key, verdict in _pairs(value["data"], sets):
                leads = verdict.get("jump") or verdict.get("goto")
                here = _met(matches, _equal(_fields(value["key"]), [key])) if leads else []
                found += [NatRule(match, JUMP, _word(leads["target"]), line) for match in here]
        elif name in ("dnat", "redirect"):
            found += _translated(name, value or {}, matches, sets, line)
        elif name == "xt" and value and value.get("type") == "match":
            matches = _met(matches, [Match(unread=True)])
        elif name == "xt" and value and value.get("name") in XT_LEAVING_THE_DESTINATION:
            continue
        elif name not in _LEAVING_THE_DESTINATION:
            found += [NatRule(match, UNREAD, "", line) for match in matches]
            matches = _met(matches, [Match(unread=True)])
    return found


def _met(some: list[Match], others: list[Match]) -> list[Match]:
    if len(some) * len(others) > _MOST:
        raise ValueError(f"it can be met in more than {_MOST} ways")
    return [both for one in some for other in others if (both := one.both(other)) is not None]


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a word")
    return value


def _translated(name: str, value: Mapping[str, Any], matches: list[Match], sets: Sets, line: str) -> list[NatRule]:
    """Addresses and ports to translate to may each be looked up in a map."""
    family = _word(value["family"]) if "family" in value else None
    found = []
    for at_address, address in _looked_up(value.get("addr"), sets):
        for at_port, port in _looked_up(value.get("port"), sets):
            if name == "redirect":
                to = f"port {port} of this host" if port else "this host"
            else:
                to = _with_port(address or "the same address", port)
            found += [NatRule(match, TRANSLATE, to, line, family) for match in _met(_met(matches, at_address), at_port)]
    return found


def _looked_up(value: Any, sets: Sets) -> list[tuple[list[Match], str]]:
    if not isinstance(value, dict) or "map" not in value:
        return [([Match()], "" if value is None else _text(value))]
    fields = _fields(value["map"]["key"])
    return [(_equal(fields, [key]), _text(target)) for key, target in _pairs(value["map"]["data"], sets)]


def _pairs(data: Any, sets: Sets) -> list[tuple[Any, Any]]:
    return [(key, value) for key, value in map(_bare, _elements(data, sets))]


def _elements(right: Any, sets: Sets) -> list[Any]:
    """The elements of a set, named or not; of anything else that itself."""
    if isinstance(right, str) and right.startswith("@"):
        return sets[right[1:]]
    return list(right["set"]) if isinstance(right, dict) and "set" in right else [right]


def _bare(element: Any) -> Any:
    """An element without its timeout, comment or counter; of a map's, [key, value]."""
    if isinstance(element, dict) and "elem" in element:
        return _bare(element["elem"]["val"])
    return [_bare(element[0]), element[1]] if isinstance(element, list) else element


def _text(value: Any) -> str:
    if isinstance(value, dict) and "concat" in value:
        address, *ports = map(_text, value["concat"])
        return _with_port(address, ":".join(ports))
    if isinstance(value, dict) and "prefix" in value:
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    if isinstance(value, dict) and "range" in value:
        first, last = map(_text, value["range"])
        return f"{first}-{last}"
    if not isinstance(value, (str, int)):
        raise ValueError("neither an address nor a port")
    return str(value)


def _with_port(address: str, port: str) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _fields(left: Any) -> list[tuple[str, str | None]]:
    """What a left side is about, each with the protocol that it implies."""
    if isinstance(left, dict) and "concat" in left:
        return [field for part in left["concat"] for field in _fields(part)]
    ((kind, of),) = left.items()
    if kind == "payload":
        return [_of_payload(of.get("protocol"), of.get("field"))]
    if kind == "meta":
        key = of["key"]
        return [(_PROTOCOL if key == "l4proto" else _OTHER if key in _META_WITHOUT_PORTS else _UNREAD, None)]
    if kind == "ct":
        return [(_OTHER if of["key"] in _CT_WITHOUT_PORTS and "dir" not in of else _UNREAD, None)]
    return [(_OTHER if kind in ("fib", "numgen", "jhash", "symhash", "osf", "ipsec", "rt") else _UNREAD, None)]


def _of_payload(protocol: Any, field: Any) -> tuple[str, str | None]:
    if field == "dport" and protocol in (*PORTED, "th"):
        return _PORTS, None if protocol == "th" else protocol
    if (protocol, field) in (("ip", "daddr"), ("ip6", "daddr")):
        return _DESTINATION, None
    if (protocol, field) in (("ip", "protocol"), ("ip6", "nexthdr")):
        return _PROTOCOL, None
    if protocol in PORTED:
        return _OTHER, protocol
    return (_OTHER, None) if protocol in ("ip", "ip6", "ether", "vlan", "arp", "icmp", "icmpv6", "igmp") else (_UNREAD, None)


def _asked(left: Any, op: str, right: Any, sets: Sets) -> list[Match]:
    """What a comparison asks: alternatives."""
    fields = _fields(left)
    if op in ("==", "in"):
        if all(kind == _OTHER for kind, _ in fields):
            return [_implied(protocol for _, protocol in fields)]
        return _equal(fields, [_bare(element) for element in _elements(right, sets)])
    if op == "!=" and len(fields) == 1 and fields[0][0] == _PORTS:
        (equal,) = _equal(fields, [_bare(element) for element in _elements(right, sets)])
        return [Match(protocols=equal.protocols, ports=complement(equal.ports or ()))]
    named = any(kind in (_PORTS, _PROTOCOL, _UNREAD) for kind, _ in fields)
    return [Match(unread=True)] if named else [_implied(protocol for _, protocol in fields)]


def _implied(protocols: Any) -> Match:
    known = tuple(dict.fromkeys(protocol for protocol in protocols if protocol))
    return Match(protocols=known or None)


def _equal(fields: list[tuple[str, str | None]], elements: list[Any]) -> list[Match]:
    """Alternatives: fields alike to one of the elements. Of one field they are one."""
    if len(fields) == 1:
        ((kind, protocol),) = fields
        implied = _implied([protocol])
        if "*" in elements:
            return [implied]
        both = implied.both(_of(kind, elements))
        return [] if both is None else [both]
    found = []
    for element in elements:
        matches = [Match()]
        for (kind, protocol), value in zip(fields, ["*"] * len(fields) if element == "*" else element["concat"], strict=True):
            matches = _met(matches, _equal([(kind, protocol)], [value]))
        found += matches
    return found


def _of(kind: str, values: list[Any]) -> Match:
    if kind == _PORTS:
        return Match(ports=tuple(PortRange.parse(_text(value)) for value in values))
    if kind == _PROTOCOL:
        return of_protocols(map(_text, values))
    if kind == _DESTINATION:
        return Match(destinations=tuple(_text(value) for value in values))
    return Match(unread=kind == _UNREAD)
