"""The nouns. No I/O, no operating system, no policy: values that collectors make, rules ask and reporters show."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from auditor.binding import Endpoint, Grant, Measured
from auditor.facts import Facts, Gap, Key, Malformed, Record, UnknownFact, facts_of, list_of, mapping, port, text_by_name, texts
from auditor.owner import Held, Owner
from auditor.port_range import PORT_MAX, PortRange

FACTS = ("stacks", "listeners", "owners", "privileged", "ephemeral", "reserved", "addresses", "settings", "persisted",
         "socket_units", "service_names", "translations", "witnessed", "grants", "endpoints", "measured")  # fmt: skip
"""The kinds of facts that a verdict rests on, as a policy names them."""
HOST_STACK = "host"
"""What the host's own network stack is called."""
SEVERITIES = ("info", "low", "medium", "high", "critical")
OUTCOMES = ("fail", "error", "unknown", "waived", "notchecked", "pass", "notapplicable", "notselected")
"""XCCDF 1.2's words and `waived`, in the order in which a reader wants them."""


WILDCARDS = ("0.0.0.0", "::", "::ffff:0.0.0.0", "*")  # noqa: S104 - names them, binds nothing
"""The addresses that stand for every one of a stack; `*` where the evidence does not tell the family."""


class Socket(Held):
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

    def fact_of(self, key: str) -> str:
        return _FACTS_OF_SOCKETS.get(key, "listeners")

    @property
    def families(self) -> tuple[str, ...]:
        """The families of the traffic that it takes: both for a dual-stack wildcard. Raises UnknownFact where that is not shown."""
        if self.address.startswith("::ffff:"):
            return ("ipv4",)
        if self.family not in ("ipv4", "ipv6"):
            raise UnknownFact("the evidence does not tell the family", "listeners")
        return ("ipv4", "ipv6") if self.address == "::" and not self.v6only else (self.family,)

    @property
    def exposed(self) -> bool:
        """Whether more than this host and its private container networks reach it. Raises UnknownFact where that is not known."""
        if self.reach == "unknown":
            raise UnknownFact("how far it reaches is not known: the addresses of its stack were not seen", "addresses")
        return self.reach not in ("loopback", "container")

    @property
    def place(self) -> tuple[str, int, str]:
        """For order: by protocol and port, whatever order the kernel has them in."""
        return self.shown.get("protocol", ""), self.shown.get("port", -1), self.numbered_subject

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


_FACTS_OF_SOCKETS = {"owner_state": "owners", "owner_reason": "owners", "owners_seen": "owners", "cgroup": "owners", "reach": "addresses"}
"""What a socket's key is a fact of, where that is not the listing of sockets itself."""


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
        return _in_order(super().from_json(value, where), where)

    def __str__(self) -> str:
        first, last = self.shown.get("first", "?"), self.shown.get("last", "?")
        return str(first) if first == last else f"{first}-{last}"


def _in_order(ports: Record, where: str) -> Record:
    if ports.shown.get("first", 0) > ports.shown.get("last", PORT_MAX):
        raise Malformed(f"{where} is not a port range: {ports}")
    return ports


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

    def fact_of(self, key: str) -> str:
        return "settings"

    def __str__(self) -> str:
        return str(self.shown.get("name", "?"))


class Persisted(Setting):
    """A setting as a file of this host states it for the next boot, in the order in which they are applied (the last one wins)."""

    __slots__ = ()
    file: Key[str] = Key(str)
    line: Key[int] = Key(int)

    def fact_of(self, key: str) -> str:
        return "persisted"


class Witnessed(Record):
    """A listening socket as a second source saw it."""

    __slots__ = ()
    protocol: Key[str] = Key(str)
    address: Key[str] = Key(str)
    port: Key[int] = Key(port)


class DeclaredUnit(Record):
    """A port that a systemd socket unit declares. `address` is a wildcard where the unit names none; `v6only` is shown where the unit says
    it, else the kernel's net.ipv6.bindv6only decides; `enabled`: something has it started at boot."""

    __slots__ = ()
    unit: Key[str] = Key(str)
    protocol: Key[str] = Key(str)
    address: Key[str] = Key(str)
    port: Key[int] = Key(port)
    device: Key[str | None] = Key(str, null=True)
    v6only: Key[bool] = Key(bool)
    reuse_port: Key[bool] = Key(bool)
    enabled: Key[bool] = Key(bool)
    file: Key[str] = Key(str)
    line: Key[int] = Key(int)

    def __str__(self) -> str:
        return f"{self.shown.get('unit', '?')} {self.shown.get('protocol', '?')}/{self.shown.get('port', '?')}"


class ServiceName(Record):
    """A name that the host's own list of services gives a port; `alias`: not the first one on its line."""

    __slots__ = ()
    name: Key[str] = Key(str)
    port: Key[int] = Key(port)
    protocol: Key[str] = Key(str)
    alias: Key[bool] = Key(bool)
    file: Key[str] = Key(str)
    line: Key[int] = Key(int)

    def __str__(self) -> str:
        return f"{self.shown.get('name', '?')} {self.shown.get('port', '?')}/{self.shown.get('protocol', '?')}"


class Translation(Record):
    """Ports of arriving packets that the host translates to another destination (DNAT, redirect). `destination` is the address, prefix or
    range that the packets are for, null where any; `to` where they go, `rule` what says so. Conditions that name no port are left out."""

    __slots__ = ()
    protocol: Key[str] = Key(str)
    family: Key[str] = Key(str)
    destination: Key[str | None] = Key(str, null=True)
    first: Key[int] = Key(port)
    last: Key[int] = Key(port)
    to: Key[str] = Key(str)
    rule: Key[str] = Key(str)

    @property
    def ports(self) -> PortRange:
        return PortRange(self.first, self.last)

    @classmethod
    def from_json(cls, value: Any, where: str) -> Any:
        return _in_order(super().from_json(value, where), where)

    def __str__(self) -> str:
        first, last = self.shown.get("first", "?"), self.shown.get("last", "?")
        where = self.shown.get("destination") or "any"
        return f"{self.shown.get('protocol', '?')}/{where}:{first if first == last else f'{first}-{last}'}"


class Stack(Record):
    """One network stack of a host: a Linux network namespace, a FreeBSD vnet jail, an OpenBSD rdomain, an illumos zone."""

    __slots__ = ()
    name: Key[str] = Key(str)
    kind: Key[str] = Key(str)
    identities: Key[list[str]] = Key(texts)
    """What else it is known by: `netns:` and `procnet:` and the inodes of its ns/net and net/tcp below /proc/PID, until the next boot;
    `container:` and a container's id."""
    privileged: Key[Facts[Range]] = Key(facts_of(Range))
    ephemeral: Key[Facts[Range]] = Key(facts_of(Range))
    reserved: Key[Facts[Range]] = Key(facts_of(Range))
    listening: Key[Facts[Socket]] = Key(facts_of(Socket))
    addresses: Key[Facts[Address]] = Key(facts_of(Address))
    settings: Key[Facts[Setting]] = Key(facts_of(Setting))
    persisted: Key[Facts[Persisted]] = Key(facts_of(Persisted))
    witnessed: Key[Facts[Witnessed]] = Key(facts_of(Witnessed))
    socket_units: Key[Facts[DeclaredUnit]] = Key(facts_of(DeclaredUnit))
    service_names: Key[Facts[ServiceName]] = Key(facts_of(ServiceName))
    translations: Key[Facts[Translation]] = Key(facts_of(Translation))
    grants: Key[Facts[Grant]] = Key(facts_of(Grant))
    endpoints: Key[Facts[Endpoint]] = Key(facts_of(Endpoint))
    measured: Key[Facts[Measured]] = Key(facts_of(Measured))

    def __init__(self, **shown: Any) -> None:
        super().__init__(**shown)
        for name, known in shown.items():
            if isinstance(known, Facts):
                known.fact = self.fact_of(name)

    def fact_of(self, key: str) -> str:
        return "listeners" if key == "listening" else key

    def granted(self, paths: Collection[str]) -> Facts[Grant]:
        """The grants of some kinds alone (GRANT_PATHS). Raises UnknownFact where the evidence shows no grants."""
        known = self.grants
        gaps = [gap for gap in known.gaps if gap.path is None or gap.path in paths]
        if any("path" not in grant.shown for grant in known.seen):
            gaps.append(Gap("the evidence does not show of which kind a grant is"))
        seen = [grant for grant in known.seen if grant.shown.get("path") in paths]
        return Facts(seen, known.source, gaps, known.basis, known.fact)

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

    def __init__(self, **shown: Any) -> None:
        super().__init__(**shown)
        if "stacks" in shown:
            shown["stacks"].fact = "stacks"

    def fact_of(self, key: str) -> str | None:
        return "stacks" if key == "stacks" else None

    def __str__(self) -> str:
        return f"host {self.shown.get('host', '?')}"

    def to_json(self) -> dict[str, Any]:
        return {"schema": SNAPSHOT_SCHEMA, **super().to_json()}


SNAPSHOT_SCHEMA = "port-auditor/snapshot/1"


class Finding:
    """What became of one rule on one subject. Rule, host, stack and subject make the `fingerprint`: it outlives restarts.

    `inventory`: the policy's scope leaves it out of the verdict. `facts` are the kinds of facts that were missing where it is unknown;
    such a finding with a `waiver` is a gap that the policy accepts. `subjects` are the names of all that a finding of several is about, of
    which `examples` are for reading. `who` is who holds or may use what it is about, in words.
    `first_seen` is the stamp of the evidence that shows it first: the baseline's, which may not have been the first of all, where it was
    there already (`unchanged`), this one's where it was not (`new`). `baseline_state` is one of these words, None where there is no
    baseline, or it does not tell.
    """

    __slots__ = ("baseline_state", "controls", "count", "examples", "expected", "facts", "first_seen", "host", "inventory", "message",
                 "observed", "outcome", "rule", "severity", "source", "stack", "subject", "subjects", "waiver", "who")  # fmt: skip

    def __init__(
        self, rule: str, host: str, stack: str | None, subject: str, outcome: str, severity: str, message: str, *,
        observed: str | None = None, expected: str | None = None, source: str | None = None, count: int = 1,
        examples: tuple[str, ...] = (), waiver: dict[str, str] | None = None, inventory: bool = False, facts: tuple[str, ...] = (),
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
        self.inventory = inventory
        self.facts = facts
        self.controls: tuple[str, ...] = ()
        self.subjects: tuple[str, ...] = ()
        self.who: str | None = None
        self.baseline_state: str | None = None
        self.first_seen: str | None = None

    @property
    def elsewhere(self) -> str | None:
        """The stack, where it is not the host's own."""
        return None if self.stack == HOST_STACK else self.stack

    @property
    def leaves_open(self) -> bool:
        """Whether something that the verdict rests on is not known, and nobody accepted that."""
        return self.outcome == "error" or (self.outcome == "unknown" and not self.inventory and self.waiver is None)

    @property
    def fingerprint(self) -> str:
        from hashlib import sha256

        words = "\0".join((self.rule, self.host, self.stack or "", self.subject))
        return sha256(words.encode("utf-8", "backslashreplace")).hexdigest()[:32]

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = {name: getattr(self, name) for name in (
            "rule", "host", "stack", "subject", "outcome", "severity", "message", "observed", "expected", "source", "who", "count",
            "baseline_state", "first_seen")}  # fmt: skip
        return {
            **plain,
            "examples": list(self.examples),
            "waiver": self.waiver,
            "inventory": self.inventory,
            "facts": list(self.facts),
            "fingerprint": self.fingerprint,
            "controls": list(self.controls),
        }
