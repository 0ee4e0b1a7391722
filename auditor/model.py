"""The nouns. No I/O, no operating system, no policy: values that collectors make, rules ask and reporters show.

Unknown is a word here. A `Record` reads like an object, and reading a key that the evidence does not show raises
`UnknownFact`; `Facts` gives what was seen and then raises if that was not all. Neither can be mistaken for false, zero or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, NoReturn, TypeVar, overload

T = TypeVar("T")

PORT_MAX = 0xFFFF
"""The highest port: the field is 16 bits wide (RFC 6335 section 6)."""

SEVERITIES = ("info", "low", "medium", "high", "critical")
OUTCOMES = ("fail", "error", "unknown", "waived", "notchecked", "pass", "notapplicable", "notselected")
"""XCCDF 1.2's words and `waived`, in the order in which a reader wants them."""
BASES = ("read", "derived", "documented")


class UnknownFact(BaseException):
    """A check read what the evidence does not show. Not an Exception, so that no `except Exception` can swallow it."""


class Malformed(ValueError):
    """A snapshot's JSON has a key of the wrong type."""


class PortRange:
    """Ports `first` to `last`, both included, as RFC 6335 and every sysctl count. Refuses nonsense with ValueError."""

    __slots__ = ("first", "last")

    def __init__(self, first: int, last: int) -> None:
        if not 0 <= first <= last <= PORT_MAX:
            raise ValueError(f"not a port range: {first}-{last}")
        self.first = first
        self.last = last

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read "22" or "1024-5000"; ValueError for anything else, signs, blanks and digits of other scripts included."""
        first, dash, last = text.partition("-")
        for part in (first, last) if dash else (first,):
            if not (part.isascii() and part.isdigit()):
                raise ValueError(f"not a port or range: {text!r}")
        return cls(int(first), int(last) if dash else int(first))

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PortRange) and (self.first, self.last) == (other.first, other.last)

    def __lt__(self, other: PortRange) -> bool:
        return (self.first, self.last) < (other.first, other.last)

    def __hash__(self) -> int:
        return hash((self.first, self.last))

    def __repr__(self) -> str:
        return f"PortRange({self.first}, {self.last})"

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def overlap(self, other: PortRange) -> PortRange | None:
        """The ports in both, or None."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return PortRange(first, last) if first <= last else None

    def minus(self, others: Iterable[PortRange]) -> list[PortRange]:
        """What is left of this range, in order, without any port of `others`."""
        left, first = [], self.first
        for other in sorted(others):
            if other.last < first or other.first > self.last:
                continue
            if other.first > first:
                left.append(PortRange(first, other.first - 1))
            first = max(first, other.last + 1)
        if first <= self.last:
            left.append(PortRange(first, self.last))
        return left


class Gap:
    """A failed attempt to see: why, the line it came from, and the scope (protocol, family, stack) where it is narrower than all."""

    __slots__ = ("family", "line", "protocol", "stack", "why")

    def __init__(
        self, why: str, line: str | None = None, *, protocol: str | None = None, family: str | None = None, stack: str | None = None
    ) -> None:
        self.why = why
        self.line = line
        self.protocol = protocol
        self.family = family
        self.stack = stack

    def to_json(self) -> dict[str, Any]:
        return {name: value for name in ("why", "line", "protocol", "family", "stack") if (value := getattr(self, name)) is not None}

    @classmethod
    def from_json(cls, value: Any, where: str) -> Gap:
        given = _mapping(value, where)
        texts = {name: _typed(given[name], str, f"{where}.{name}") for name in cls.__slots__ if name in given}
        if "why" not in texts:
            raise Malformed(f"{where}: a gap without 'why'")
        return cls(**texts)


def _never_bare(self: object, *_: object) -> NoReturn:
    raise TypeError(f"{type(self).__name__} has no truth, size or equality: read .value, or iterate")


class _Known:
    """Shared by Fact and Facts: where it came from, and no truth value of its own."""

    __slots__ = ("basis", "source")
    __bool__ = _never_bare
    __len__ = _never_bare
    __eq__ = _never_bare
    __hash__ = object.__hash__

    def __init__(self, source: str, basis: str) -> None:
        if basis not in BASES:
            raise Malformed(f"basis {basis!r} is none of {', '.join(BASES)}")
        self.source = source
        self.basis = basis


class Fact(_Known, Generic[T]):
    """One thing known of a host, or unknown and why. `basis`: read (the host said it), derived (a kernel rule applied to what it
    said) or documented (a table's word)."""

    __slots__ = ("_unknown", "_value")

    def __init__(self, value: T, source: str, basis: str = "read") -> None:
        super().__init__(source, basis)
        self._value = value
        self._unknown: str | None = None

    @classmethod
    def unknown(cls, why: str, source: str) -> Fact[T]:
        fact: Fact[T] = cls.__new__(cls)
        _Known.__init__(fact, source, "read")
        fact._unknown = why
        return fact

    @property
    def value(self) -> T:
        """The value; raises UnknownFact where there is none."""
        if self._unknown is not None:
            raise UnknownFact(self._unknown)
        return self._value

    def to_json(self) -> dict[str, Any]:
        if self._unknown is not None:
            return {"source": self.source, "unknown": self._unknown}
        return {"source": self.source, "basis": self.basis, "value": _plain(self._value)}


class Facts(_Known, Generic[T]):
    """Many things of a kind: those `seen`, and `gaps` where there may be more. Iterating gives the seen and then raises UnknownFact
    if that was not all, so that "none of them" is never concluded from part of them."""

    __slots__ = ("gaps", "seen")

    def __init__(self, seen: Iterable[T], source: str, gaps: Iterable[Gap] = (), basis: str = "read") -> None:
        super().__init__(source, basis)
        self.seen = tuple(seen)
        self.gaps = tuple(gaps)

    def __iter__(self) -> Iterator[T]:
        yield from self.seen
        if self.gaps:
            raise UnknownFact(self.gaps[0].why)

    def to_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "basis": self.basis,
            "seen": [_plain(x) for x in self.seen],
            "gaps": [g.to_json() for g in self.gaps],
        }


class Key(Generic[T]):
    """One key of a Record. `kind` reads it from JSON; `null` says that None may stand there (looked, and there is none)."""

    def __init__(self, kind: Callable[[Any, str], T] | type, null: bool = False) -> None:
        self.kind = kind
        self.null = null
        self.name = ""

    def __set_name__(self, owner: type[Record], name: str) -> None:
        self.name = name
        owner.keys = {**owner.keys, name: self}

    @overload
    def __get__(self, record: None, owner: type[Record]) -> Key[T]: ...
    @overload
    def __get__(self, record: Record, owner: type[Record]) -> T: ...
    def __get__(self, record: Record | None, owner: type[Record]) -> Key[T] | T:
        if record is None:
            return self
        try:
            value: T = record.shown[self.name]
        except KeyError:
            raise UnknownFact(record.why_unknown(self.name)) from None
        return value

    def from_json(self, value: Any, where: str) -> Any:
        if value is None and self.null:
            return None
        return _typed(value, self.kind, where) if isinstance(self.kind, type) else self.kind(value, where)


class Record:
    """A thing with keys, some of which the evidence may not show: those are absent from `shown`, and reading them raises."""

    __slots__ = ("shown",)
    keys: Mapping[str, Key[Any]] = {}

    def __init__(self, **shown: Any) -> None:
        if unknown := shown.keys() - self.keys.keys():
            raise TypeError(f"{type(self).__name__} has no key {', '.join(sorted(unknown))}")
        self.shown = shown

    def why_unknown(self, key: str) -> str:
        """What an UnknownFact says when `key` is not shown."""
        return f"the evidence does not show {key}"

    def to_json(self) -> dict[str, Any]:
        return {key: _plain(self.shown[key]) for key in self.keys if key in self.shown}

    @classmethod
    def from_json(cls, value: Any, where: str) -> Any:
        """Read a JSON object; keys it does not know are ignored (contract), a wrong type is Malformed."""
        given = _mapping(value, where)
        return cls(**{name: key.from_json(given[name], f"{where}.{name}") for name, key in cls.keys.items() if name in given})


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{where} is not an object")
    return value


def _typed(value: Any, kind: Any, where: str) -> Any:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(f"{where} is not {kind.__name__}: {value!r:.60}")
    return value


def port(value: Any, where: str) -> int:
    """A port number from JSON."""
    if not 0 <= _typed(value, int, where) <= PORT_MAX:
        raise Malformed(f"{where} is not a port: {value!r:.60}")
    return int(value)


def facts_of(kind: type[Record]) -> Callable[[Any, str], Facts[Any]]:
    """A reader of FACTS whose things are `kind`."""

    def read(value: Any, where: str) -> Facts[Any]:
        given = _mapping(value, where)
        seen = [kind.from_json(item, f"{where}.seen[{i}]") for i, item in enumerate(_typed(given.get("seen"), list, f"{where}.seen"))]
        gaps = [Gap.from_json(item, f"{where}.gaps[{i}]") for i, item in enumerate(_typed(given.get("gaps"), list, f"{where}.gaps"))]
        return Facts(seen, _typed(given.get("source"), str, f"{where}.source"), gaps, _typed(given.get("basis"), str, f"{where}.basis"))

    return read


def texts(value: Any, where: str) -> list[str]:
    """A JSON array of strings."""
    return [_typed(item, str, f"{where}[{i}]") for i, item in enumerate(_typed(value, list, where))]


def text_by_name(value: Any, where: str) -> dict[str, str]:
    """A JSON object whose values are strings."""
    return {name: _typed(item, str, f"{where}.{name}") for name, item in _mapping(value, where).items()}


def list_of(kind: type[Record]) -> Callable[[Any, str], list[Any]]:
    """A reader of a JSON array of `kind`."""

    def read(value: Any, where: str) -> list[Any]:
        return [kind.from_json(item, f"{where}[{i}]") for i, item in enumerate(_typed(value, list, where))]

    return read


class Owner(Record):
    """A process that holds a socket. `process` is the name it gave itself and proves nothing; `executable` is the kernel's word,
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
        given = {key: item for key, item in _mapping(value, where).items() if key != "owners_seen"}
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
    given = _mapping(value, where)
    parts = {name: _mapping(given[name], f"{where}.{name}") for name in ("rights", "processes", "owners", "namespaces") if name in given}
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
