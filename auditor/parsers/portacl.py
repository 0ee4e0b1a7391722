"""The rules of FreeBSD's mac_portacl(4), as `sysctl security.mac.portacl.rules` has them (sys/security/mac_portacl/mac_portacl.c).

    uid:80:tcp:80,uid:80:tcp:443,gid:1001:udp:514

Ids and ports are numbers, one port a rule, empty elements count for nothing. The kernel takes an empty number for 0, and cuts a port to 16
bits: a port beyond them is no rule here.
"""

from __future__ import annotations

import re

from auditor.parsers.rows import number
from auditor.port_range import PORT_MAX

_RULE = re.compile(r"(?P<kind>uid|gid):\s*\+?(?P<id>\d*):(?P<protocol>tcp|udp):\s*\+?(?P<port>\d*)", re.ASCII)
_ID_MAX = (1 << 32) - 1


class PortRule:
    """One rule: `kind` is uid or gid, `id` its number, `protocol` tcp or udp, `port` the one port; `text` is the rule as it stands."""

    __slots__ = ("id", "kind", "port", "protocol", "text")

    def __init__(self, text: str, kind: str, id: int, protocol: str, port: int) -> None:
        self.text = text
        self.kind = kind
        self.id = id
        self.protocol = protocol
        self.port = port

    @property
    def holder(self) -> str:
        """As `user 80` or `group 1001`."""
        return f"{'user' if self.kind == 'uid' else 'group'} {self.id}"


def rules(text: str) -> tuple[list[PortRule], list[str]]:
    """The rules of a list in their order, each once, and the elements that are none."""
    found: dict[str, PortRule] = {}
    odd: list[str] = []
    for element in text.split(","):
        if not element.strip():
            continue
        parts = _RULE.fullmatch(element.rstrip("\r\n"))
        numbers = [number(parts[name] or "0", most) for name, most in (("id", _ID_MAX), ("port", PORT_MAX))] if parts else []
        if parts and None not in numbers:
            identity, port = (one for one in numbers if one is not None)
            text_of = f"{parts['kind']}:{identity}:{parts['protocol']}:{port}"
            found.setdefault(text_of, PortRule(text_of, parts["kind"], identity, parts["protocol"], port))
        else:
            odd.append(element.strip())
    return list(found.values()), odd
