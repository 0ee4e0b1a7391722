"""SocketBindAllow= and SocketBindDeny= of systemd's units (systemd.resource-control(5)): which ports of a range they leave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from auditor.parsers import rows
from auditor.port_range import PORT_MAX, PortRange

FAMILIES = ("ipv4", "ipv6")
_WORDS = re.compile(r"(?:(ipv4|ipv6)(?::(?=.)|$))?(?:((?i:tcp|udp))(?::(?=.)|$))?(any|\+?[1-9][0-9]*(?:-[1-9][0-9]*)?)?")
_AFTER_COLON = re.compile(r":\s+")
_WITHOUT_COLON = re.compile(r"\b(tcp|udp)(?=[a0-9])")


class BindRule:
    """What a rule speaks of: family and protocol None for each, `ports` in order."""

    __slots__ = ("family", "ports", "protocol")

    def __init__(self, family: str | None, protocol: str | None, ports: PortRange) -> None:
        self.family = family
        self.protocol = protocol
        self.ports = ports

    @classmethod
    def parse(cls, words: str) -> BindRule | None:
        """A rule as a unit file has it. None where systemd passes it over."""
        bare = _AFTER_COLON.sub(":", words.strip())
        found = _WORDS.fullmatch(bare)
        if not bare or found is None:
            return None
        family, protocol, ports = found.groups()
        protocol = protocol and protocol.lower()
        if ports in (None, "any"):
            return cls(family, protocol, PortRange(1, PORT_MAX))
        first, _, last = ports.removeprefix("+").partition("-")
        numbers = rows.number(first, PORT_MAX), rows.number(last or first, PORT_MAX)
        if numbers[0] is None or numbers[1] is None or numbers[0] > numbers[1]:
            return None
        return cls(family, protocol, PortRange(numbers[0], numbers[1]))

    @classmethod
    def shown(cls, words: str) -> BindRule | None:
        """A rule as `systemctl show` prints it: systemd 252 leaves out the colon behind the protocol (`ipv4:tcp80-90`)."""
        return cls.parse(_WITHOUT_COLON.sub(r"\1:", words))

    def concerns(self, family: str, protocol: str) -> bool:
        return self.family in (None, family) and self.protocol in (None, protocol)


def left(ports: Iterable[PortRange], allow: Sequence[BindRule], deny: Sequence[BindRule], family: str, protocol: str) -> list[PortRange]:
    """What rules leave of ports: those that are allowed, and those that are not denied."""
    allowed = [rule.ports for rule in allow if rule.concerns(family, protocol)]
    denied = [rule.ports for rule in deny if rule.concerns(family, protocol)]
    return PortRange.joined(ports, PortRange.joined(denied, allowed))
