"""The rules of `nft list ruleset` as it prints them for people; of maps, and of sets in more than one dimension, only the JSON is read.

table inet mill {
        set web {
                type inet_service
                elements = { 7000-7010, 7100 }
        }
        chain pre {
                type nat hook prerouting priority dstnat; policy accept;
                tcp dport { 6001, 6003-6005 } counter packets 0 bytes 0 redirect to :9100
        }
}
"""

from __future__ import annotations

import re

from auditor.parsers.nat_rules import JUMP, PORTED, TRANSLATE, UNREAD, Match, NatRule, NatRules, Place, complement, of_protocols
from auditor.parsers.typed_lines import pass_over_echo, typed
from auditor.port_range import PortRange
from auditor.reading import Output

_QUOTED = re.compile(r'"[^"]*+"')
_TABLE = re.compile(r"table (?:(?P<family>[a-z0-9]+) )?(?P<name>\S+) \{")
_BLOCK = re.compile(r"(?P<kind>chain|set|map|flowtable|counter|quota|limit|ct \w+|secmark|synproxy) (?P<name>\S+) \{")
_HOOK = re.compile(r"type (?P<type>\w+) hook (?P<hook>\w+)\b.*")
_ELEMENTS = re.compile(r"elements = \{(?P<some>[^}]*)\}?")
_DONE = re.compile(
    r"(?:^|(?<= ))(?:(?P<jump>jump|goto) (?P<chain>\S+)|dnat(?: (?P<family>ip6?))? to (?P<to>\S+)"
    r"|(?P<redirect>redirect)(?: to :(?P<port>\S+))?)"
    r"(?: (?:persistent|random|fully-random|prefix))*(?: comment \"\")?$"
)
_VALUE = r"(?P<not>!= )?(?P<value>\{[^}]*+\}|\S++)"
_PORTS = re.compile(rf"(?:(?<= )|^)(?P<protocol>{'|'.join(PORTED)}|th) dport {_VALUE}")
_PROTOCOL = re.compile(rf"(?:(?<= )|^)(?:meta l4proto|ip protocol|ip6 nexthdr) {_VALUE}")
_DESTINATION = re.compile(rf"(?:(?<= )|^)ip6? daddr {_VALUE}")
_HARMLESS = re.compile(
    r"(?:(?<= )|^)(?:counter packets \d+ bytes \d+|counter|counter name \S+|(?:meta )?[io]if(?:name|group)? (?:!= )?(?:\{[^}]*\}|\S+)"
    r"|ip6? saddr (?:!= )?(?:\{[^}]*\}|\S+)|ct (?:state|status) (?:!= )?(?:\{[^}]*\}|\S+)|fib [a-z. ]+ type (?:!= )?(?:\{[^}]*\}|\S+)"
    r"|meta (?:nfproto|protocol|pkttype) (?:!= )?\S+|(?:tcp|udp|sctp) sport (?:!= )?(?:\{[^}]*\}|\S+)|ether (?:saddr|daddr|type) \S+"
    r"|limit rate (?:over )?\S+ ?\w*(?: burst \d+ \w+)?|log(?: prefix \"\")?(?: level \w+)?|ip dscp \S+)(?= |$)"
)
_LEAVING = re.compile(
    r"(?:(?<= )|^)(?:accept|drop|return|continue|masquerade\b.*|snat\b.*|reject\b.*|queue\b.*|notrack|(?:meta|ct) \w+ set \S+)$"
)


def read(rules: NatRules, output: Output) -> None:
    """Take in each line: what opens and closes blocks, elements of sets, and rules."""
    lines = output.lines()
    blocks: list[tuple[str, str, str]] = []
    sets: dict[tuple[str, str, str], str] = {}
    later: list[tuple[Place, str]] = []
    for line in lines:
        text = _QUOTED.sub('""', line.strip())
        table, block = _TABLE.fullmatch(text), _BLOCK.fullmatch(text)
        if table and not blocks:
            blocks.append(("table", table["family"] or "ip", table["name"]))
            rules.pass_over(line, "the name of a table")
        elif block and len(blocks) == 1:
            blocks.append((block["kind"], block["name"], ""))
            if block["kind"] == "chain":
                rules.chains.setdefault((*blocks[0][1:], block["name"]), [])
            rules.pass_over(line, "the name of what follows")
        elif text == "}" and blocks:
            blocks.pop()
            rules.pass_over(line, "an end")
        elif text.startswith("#") and not blocks:
            rules.pass_over(line, "a remark")
        elif len(blocks) == 2 and blocks[1][0] == "chain":
            _in_chain(rules, (*blocks[0][1:], blocks[1][1]), line, text, later)
        elif len(blocks) == 2:
            if blocks[1][0] == "set":
                place = (*blocks[0][1:], blocks[1][1])
                sets[place] = sets.get(place, "") + " " + text
            rules.pass_over(line, f"of a {blocks[1][0]}")
        elif len(blocks) == 1 and (text in ("", "flags dormant", "flags owner") or text.startswith("comment ")):
            rules.pass_over(line, "a flag or remark of a table")
        elif not blocks and typed(line, "nft") is not None:
            pass_over_echo(rules, line)
        else:
            rules.gap("a line of nft cannot be read", line)
    if blocks:
        rules.gap("the end of a table is missing: the output was cut")
    for place, line in later:
        _rule(rules, place, line, sets)


def _in_chain(rules: NatRules, place: Place, line: str, text: str, later: list[tuple[Place, str]]) -> None:
    if hook := _HOOK.fullmatch(text):
        if (hook["type"], hook["hook"]) == ("nat", "prerouting"):
            rules.arriving.append(place)
        rules.pass_over(line, "the hook of a chain")
    elif text.startswith(("comment ", "policy ")):
        rules.pass_over(line, "a remark or the policy of a chain")
    else:
        later.append((place, line))


def _rule(rules: NatRules, place: Place, line: str, sets: dict[tuple[str, str, str], str]) -> None:
    text = _QUOTED.sub('""', line.strip()).removesuffix(' comment ""').strip()
    told = f"nft, table {place[0]} {place[1]}, chain {place[2]}: {line.strip()}"
    done = _DONE.search(text)
    match = Match() if done is None else _conditions(_HARMLESS.sub("", text[: done.start()]), place, sets)
    if not match.about_ports:
        rules.pass_over(line, "a rule of protocols without ports")
        return
    rules.taken.append(line)
    if done is None:
        if not _LEAVING.search(text):
            rules.chains[place].append(NatRule(Match(), UNREAD, "", told))
    elif done["jump"]:
        rules.chains[place].append(NatRule(match, JUMP, done["chain"], told))
    elif done["redirect"]:
        rules.chains[place].append(NatRule(match, TRANSLATE, f"port {done['port']} of this host" if done["port"] else "this host", told))
    else:
        rules.chains[place].append(NatRule(match, TRANSLATE, done["to"], told, done["family"]))


def _conditions(text: str, place: Place, sets: dict[tuple[str, str, str], str]) -> Match:
    """What the conditions ask that name ports, protocols and destinations; `unread` where something else is left."""
    match: Match | None = Match(unread=" . " in text)
    try:
        for pattern in () if " . " in text else (_PORTS, _PROTOCOL, _DESTINATION):
            while match is not None and (found := pattern.search(text)):
                text = f"{text[: found.start()]} {text[found.end() :]}"
                match = match.both(_asked(pattern, found, place, sets))
    except ValueError:
        return Match(unread=True)
    if match is None:
        return Match(ports=())
    return match if not text.strip() else match.both(Match(unread=True)) or match


def _asked(pattern: re.Pattern[str], found: re.Match[str], place: Place, sets: dict[tuple[str, str, str], str]) -> Match:
    values = _values(found["value"], place, sets)
    if pattern is _PORTS:
        protocols = None if found["protocol"] == "th" else (found["protocol"],)
        ports = tuple(PortRange.parse(value) for value in values)
        return Match(protocols=protocols, ports=complement(ports) if found["not"] else ports)
    if pattern is _PROTOCOL:
        return Match(unread=True) if found["not"] else of_protocols(values)
    return Match() if found["not"] else Match(destinations=tuple(values))


def _values(value: str, place: Place, sets: dict[tuple[str, str, str], str]) -> list[str]:
    if value.startswith("@"):
        elements = _ELEMENTS.search(sets.get((*place[:2], value[1:]), ""))
        if elements is None:
            raise ValueError(value)
        value = elements["some"]
    return [part.strip() for part in value.strip("{}").split(",") if part.strip()]
