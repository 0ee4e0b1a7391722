"""The nouns. No I/O, no operating system, no policy: values that collectors make, rules ask and reporters show."""

from __future__ import annotations

from typing import Any

from auditor.facts import (
    PORT_MAX,
    Facts,
    Gap,
    Key,
    Malformed,
    PortRange,
    Record,
    UnknownFact,
    facts_of,
    list_of,
    mapping,
    port,
    text_by_name,
    texts,
)

SEVERITIES = ("info", "low", "medium", "high", "critical")
OUTCOMES = ("fail", "error", "unknown", "waived", "notchecked", "pass", "notapplicable", "notselected")
"""XCCDF 1.2's words and `waived`, in the order in which a reader wants them."""


class Owner(Record):
    """A process that holds a socket. `process` is the name it gave itself and proves nothing; `executable` is the kernel's word (with
    " (deleted)" or " (in another mount namespace)" where the file is not the one at that path),
    `unit` and `container` come from its control group. `uid` is its effective user id, in the reader's user namespace."""

    __slots__ = ()
    pid: Key[int] = Key(int)
    process: Key[str] = Key(str)
    executable: Key[str | None] = Key(str, null=True)
    user: Key[str] = Key(str)
    uid: Key[int] = Key(int)
    unit: Key[str | None] = Key(str, null=True)
    container: Key[str | None] = Key(str, null=True)
    started: Key[str] = Key(str)

    def __str__(self) -> str:
        return f"process {self.shown.get('pid', '?')}"


class Socket(Record):
    """A socket that holds a port: listening, or bound only (which blocks the port just as well)."""

    __slots__ = ()
    protocol: Key[str] = Key(str)
    family: Key[str] = Key(str)
    v6only: Key[bool] = Key(bool)
    address: Key[str] = Key(str)
    address_cut: Key[bool] = Key(bool)
    zone: Key[str] = Key(str)
    device: Key[str | None] = Key(str, null=True)
    port: Key[int] = Key(port)
    port_from_name: Key[bool] = Key(bool)
    kernel_given: Key[bool] = Key(bool)
    """Derived: an unconnected UDP socket on a port of the ephemeral range that nothing declares, most likely a client."""
    mptcp: Key[bool] = Key(bool)
    state: Key[str] = Key(str)
    uid: Key[int] = Key(int)
    """Who created the socket (the kernel's word, fixed at creation); the holders are in `owners`."""
    cgroup: Key[str | None] = Key(str, null=True)
    socket_unit: Key[str | None] = Key(str, null=True)
    """The systemd .socket unit that declares it, where pid 1 holds it; `activates` is the service that gets it."""
    activates: Key[str | None] = Key(str, null=True)
    owner_state: Key[str] = Key(str)
    owner_reason: Key[str] = Key(str)
    owners_seen: Key[list[Owner]] = Key(list_of(Owner))
    reach: Key[str] = Key(str)
    source: Key[str] = Key(str)

    @property
    def owners(self) -> Facts[Owner]:
        """All holders; unless every process was looked at and one was found, there is a gap."""
        seen = self.shown.get("owners_seen", [])
        if self.shown.get("owner_state") == "known":
            return Facts(seen, self.shown.get("source", ""))
        return Facts(seen, self.shown.get("source", ""), [Gap(self.shown.get("owner_reason", "the evidence does not show who holds it"))])

    @property
    def exposed(self) -> bool:
        """Whether more than this host and its private container networks reach it. Raises UnknownFact where that is not known."""
        if self.reach == "unknown":
            raise UnknownFact("how far it reaches is not known: the addresses of its stack were not seen")
        return self.reach not in ("loopback", "container")

    @property
    def numbered_subject(self) -> str:
        """As `tcp/0.0.0.0:22`, `udp/[::]:514`, `tcp/*:80` (dual-stack wildcard), `udp/0.0.0.0%virbr0:67`."""
        shown = self.shown
        address, family = shown.get("address", "?"), shown.get("family")
        if address == "::" and shown.get("v6only") is False:
            address, family = "*", None
        zone = shown.get("zone") or shown.get("device")
        if zone:
            address += f"%{zone}"
        if family == "ipv6" or ":" in address:
            address = f"[{address}]"
        return f"{shown.get('protocol', '?')}/{address}:{shown.get('port', '?')}"

    @property
    def subject(self) -> str:
        """`numbered_subject`, but with the holder in place of a port that the kernel chose, so that it outlives a restart."""
        if not self.shown.get("kernel_given"):
            return self.numbered_subject
        holders = sorted({o.shown.get("unit") or o.shown.get("executable") or "?" for o in self.shown.get("owners_seen", [])})
        return f"{self.numbered_subject.rpartition(':')[0]}:kernel-given ({', '.join(holders) or 'owner not visible'})"

    def __str__(self) -> str:
        return self.numbered_subject

    def to_json(self) -> dict[str, Any]:
        plain = super().to_json()
        if "owners_seen" in plain:
            plain["owners"] = plain.pop("owners_seen")
        return plain

    @classmethod
    def from_json(cls, value: Any, where: str) -> Any:
        given = {key: item for key, item in mapping(value, where).items() if key != "owners_seen"}
        if "owners" in given:
            given["owners_seen"] = given.pop("owners")
        return super().from_json(given, where)


class Range(Record):
    """A range of ports a stack treats as one: privileged, ephemeral or reserved (kept from ephemeral use)."""

    __slots__ = ()
    first: Key[int] = Key(port)
    last: Key[int] = Key(port)
    protocol: Key[str] = Key(str)
    family: Key[str] = Key(str)
    role: Key[str] = Key(str)
    descending: Key[bool] = Key(bool)
    wildcard_exempt: Key[bool] = Key(bool)
    needs: Key[str] = Key(str)

    @property
    def ports(self) -> PortRange:
        return PortRange(self.first, self.last)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The protocols and families that it speaks of; `any` is TCP and UDP, IPv4 and IPv6."""
        protocols = ("tcp", "udp") if self.protocol == "any" else (self.protocol,)
        families = ("ipv4", "ipv6") if self.family == "any" else (self.family,)
        return [(protocol, family) for protocol in protocols for family in families]

    def speaks_of(self, protocol: str, family: str) -> bool:
        """Whether it is about this protocol and family."""
        return self.protocol in ("any", protocol) and self.family in ("any", family)

    @classmethod
    def from_json(cls, value: Any, where: str) -> Any:
        ports = super().from_json(value, where)
        if ports.shown.get("first", 0) > ports.shown.get("last", PORT_MAX):
            raise Malformed(f"{where} is not a port range: {ports}")
        return ports

    def __str__(self) -> str:
        first, last = self.shown.get("first", "?"), self.shown.get("last", "?")
        return str(first) if first == last else f"{first}-{last}"


class Address(Record):
    """An address of an interface; `kind` is the kernel's word for a virtual one (veth, macvlan ...), null for a physical one."""

    __slots__ = ()
    address: Key[str] = Key(str)
    prefix: Key[int] = Key(int)
    device: Key[str] = Key(str)
    kind: Key[str | None] = Key(str, null=True)


class Setting(Record):
    """A kernel setting as it runs."""

    __slots__ = ()
    name: Key[str] = Key(str)
    value: Key[str] = Key(str)

    def __str__(self) -> str:
        return str(self.shown.get("name", "?"))


class Persisted(Setting):
    """A setting as a file of this host states it for the next boot, in the order in which they are applied (the last one wins)."""

    __slots__ = ()
    file: Key[str] = Key(str)
    line: Key[int] = Key(int)


class Witnessed(Record):
    """A listening socket as a second source saw it."""

    __slots__ = ()
    protocol: Key[str] = Key(str)
    address: Key[str] = Key(str)
    port: Key[int] = Key(port)


class Stack(Record):
    """One network stack of a host: a Linux network namespace, a FreeBSD vnet jail, an OpenBSD rdomain, an illumos zone."""

    __slots__ = ()
    name: Key[str] = Key(str)
    kind: Key[str] = Key(str)
    privileged: Key[Facts[Range]] = Key(facts_of(Range))
    ephemeral: Key[Facts[Range]] = Key(facts_of(Range))
    reserved: Key[Facts[Range]] = Key(facts_of(Range))
    listening: Key[Facts[Socket]] = Key(facts_of(Socket))
    addresses: Key[Facts[Address]] = Key(facts_of(Address))
    settings: Key[Facts[Setting]] = Key(facts_of(Setting))
    persisted: Key[Facts[Persisted]] = Key(facts_of(Persisted))
    witnessed: Key[Facts[Witnessed]] = Key(facts_of(Witnessed))

    @property
    def exposure(self) -> str:
        """`host`; for another namespace `routed` where an interface of it is on the network itself (macvlan, ipvlan, a physical
        one), else `private`. Raises UnknownFact where its interfaces are not known."""
        if self.kind == "host":
            return "host"
        kinds = [address.kind for address in self.addresses if address.device != "lo"]
        return "routed" if any(kind in ROUTED_LINK_KINDS for kind in kinds) else "private"

    def __str__(self) -> str:
        return f"stack {self.shown.get('name', '?')}"


ROUTED_LINK_KINDS = (None, "macvlan", "ipvlan", "macvtap", "ipvtap", "vlan")
"""IFLA_INFO_KIND of interfaces that put a namespace on the network itself; None is a physical one."""


def _visibility(value: Any, where: str) -> dict[str, Any]:
    """What a collector says of its own sight; the parts that every reader looks into are objects."""
    given = mapping(value, where)
    parts = {name: mapping(given[name], f"{where}.{name}") for name in ("rights", "processes", "owners", "namespaces") if name in given}
    texts(parts.get("namespaces", {}).get("not_entered", []), f"{where}.namespaces.not_entered")
    return given


class Snapshot(Record):
    """What one host's evidence means."""

    __slots__ = ()
    host: Key[str] = Key(str)
    machine_id: Key[str] = Key(str)
    boot_id: Key[str] = Key(str)
    system: Key[str] = Key(str)
    release: Key[str] = Key(str)
    taken: Key[str] = Key(str)
    stacks: Key[Facts[Stack]] = Key(facts_of(Stack))
    settings: Key[dict[str, str]] = Key(text_by_name)
    visibility: Key[dict[str, Any]] = Key(_visibility)
    limits: Key[list[str]] = Key(texts)

    def __str__(self) -> str:
        return f"host {self.shown.get('host', '?')}"

    def to_json(self) -> dict[str, Any]:
        return {"schema": SNAPSHOT_SCHEMA, **super().to_json()}


SNAPSHOT_SCHEMA = "port-auditor/snapshot/1"


class Finding:
    """What became of one rule on one subject. Rule, host, stack and subject make the `fingerprint`: it outlives restarts."""

    __slots__ = ("controls", "count", "examples", "expected", "host", "message", "observed", "outcome", "rule", "severity",
                 "source", "stack", "subject", "waiver")  # fmt: skip

    def __init__(
        self, rule: str, host: str, stack: str | None, subject: str, outcome: str, severity: str, message: str, *,
        observed: str | None = None, expected: str | None = None, source: str | None = None, count: int = 1,
        examples: tuple[str, ...] = (), waiver: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.rule = rule
        self.host = host
        self.stack = stack
        self.subject = subject
        self.outcome = outcome
        self.severity = severity
        self.message = message
        self.observed = observed
        self.expected = expected
        self.source = source
        self.count = count
        self.examples = examples
        self.waiver = waiver
        self.controls: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        from hashlib import sha256

        words = "\0".join((self.rule, self.host, self.stack or "", self.subject))
        return sha256(words.encode("utf-8", "backslashreplace")).hexdigest()[:32]

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = {name: getattr(self, name) for name in (
            "rule", "host", "stack", "subject", "outcome", "severity", "message", "observed", "expected", "source", "count")}  # fmt: skip
        return {
            **plain,
            "examples": list(self.examples),
            "waiver": self.waiver,
            "fingerprint": self.fingerprint,
            "controls": list(self.controls),
        }
