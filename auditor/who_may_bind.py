"""Who may take privileged ports in a stack, in words: one row for each way, for every reporter and command alike."""

from __future__ import annotations

from auditor.binding import Grant
from auditor.model import Stack
from auditor.port_range import PortRange

PATHS = {
    "root": "root",
    "process": "process with the capability",
    "file-capability": "file with the capability",
    "setuid": "setuid-root program that listens",
    "unit": "systemd service",
    "socket-unit": "systemd socket",
    "authbind": "authbind",
    "threshold": "threshold",
    "namespace-owner": "owner of the user namespace",
    "program": "BPF program on bind",
    "wildcard": "wildcard address",
    "portacl": "mac_portacl",
    "jail": "jail",
    "privilege": "privilege",
}
"""GRANT_PATHS, for a reader."""


class Way:
    """A grant for a reader: `who` can use it, `ports` that it gives ("none" where it gives nothing), `by` the kind of path and `subject`
    what has it ("" where that is all), `steps` of the reasoning, `source`; `open_to_all` where any user can, `root` where only who
    is root already can. `order` is what they are sorted by."""

    __slots__ = ("_grant", "by", "open_to_all", "order", "ports", "root", "source", "steps", "subject", "who")

    def __init__(self, grant: Grant) -> None:
        shown = grant.shown
        path = shown.get("path", "unknown")
        gives = shown.get("ports") != []
        self.who: str = shown.get("scope", "unknown") if gives else "nobody by this alone"
        self.ports = _ports(shown.get("ports"), shown.get("protocol", "any"))
        self.by: str = PATHS.get(path, path)
        subject: str = shown.get("subject", "unknown")
        self.subject = "" if subject == self.by else subject
        self.steps: list[str] = shown.get("via", [])
        self.source: str = shown.get("source", "unknown")
        self._grant = grant
        self.root: bool = shown.get("root", False)
        self.open_to_all: bool = shown.get("everyone", False) and gives and "ports" in shown
        self.order = (not gives, not self.open_to_all, self.root)

    def gives(self, protocol: str, port: int) -> bool:
        """Whether it is known to give this port."""
        return (
            "ports" in self._grant.shown
            and self._grant.shown.get("protocol", "any") in ("any", protocol)
            and any(port in ports for ports in self._grant.ports)
        )


def _ports(ports: list[PortRange] | None, protocol: str) -> str:
    if ports is None:
        return "unknown"
    words = ", ".join(map(str, ports)) or "none"
    return words if protocol == "any" or not ports else f"{words} ({protocol})"


def ways(stack: Stack) -> tuple[list[Way], list[str]]:
    """Every way of a stack that was seen, those that any user can go first, those that give nothing last; and why there may be more. What
    systemd runs as root is told with root."""
    known = stack.facts("grants")
    told = [grant for grant in known.seen if not (grant.shown.get("root") and grant.shown.get("path") == "unit")]
    return sorted(map(Way, told), key=lambda way: way.order), list(dict.fromkeys(gap.why for gap in known.gaps))


def takers(stack: Stack, protocol: str, port: int) -> tuple[list[Way], list[str]]:
    """Who may take one port, in the order of `ways`, where it is a privileged one or a grant speaks of it; and why there may be more."""
    found, _ = ways(stack)
    gaps = [gap.why for gap in stack.facts("grants").gaps if gap.concerns(protocol, "any", port)]
    return [way for way in found if way.gives(protocol, port)], list(dict.fromkeys(gaps))
