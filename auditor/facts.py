"""How things are known: facts, gaps, and records some of whose keys the evidence may not show.

Unknown is a word here. A `Record` reads like an object, and reading a key that the evidence does not show raises
`UnknownFact`; `Facts` gives what was seen and then raises if that was not all. Neither can be mistaken for false, zero or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, NoReturn, TypeVar, overload

from auditor.port_range import PORT_MAX, PortRange

T = TypeVar("T")

BASES = ("read", "derived", "documented")


class UnknownFact(BaseException):
    """A check read what the evidence does not show. Not an Exception, so that no `except Exception` can swallow it. `fact` is the kind of
    fact that is missing, as a policy's scope and accepted gaps name it; None where it is none of them."""

    def __init__(self, why: str, fact: str | None = None) -> None:
        super().__init__(why)
        self.fact = fact


class Malformed(ValueError):
    """A snapshot's JSON has a key of the wrong type."""


class Gap:
    """A failed attempt to see: why, the line it came from, and the scope (protocol, family, stack, ports) where it is narrower than all.
    Of grants, `path` is the kind of way that there may be more of."""

    __slots__ = ("family", "line", "path", "ports", "protocol", "stack", "why")

    def __init__(
        self, why: str, line: str | None = None, *, protocol: str | None = None, family: str | None = None, stack: str | None = None,
        ports: PortRange | None = None, path: str | None = None,
    ) -> None:  # fmt: skip
        self.why = why
        self.path = path
        self.line = line
        self.protocol = protocol
        self.family = family
        self.stack = stack
        self.ports = ports

    def concerns(self, protocol: str, family: str, port: int | None) -> bool:
        """Whether what was not seen may be of this protocol, family (`any` and `unknown` are either) and port (None: any)."""
        return (
            (self.protocol is None or protocol in ("any", self.protocol))
            and (self.family is None or family in ("any", "unknown", self.family))
            and (self.ports is None or port is None or port in self.ports)
        )

    def to_json(self) -> dict[str, Any]:
        words = {name: getattr(self, name) for name in ("why", "line", "protocol", "family", "stack", "path")}
        words["ports"] = None if self.ports is None else str(self.ports)
        return {name: value for name, value in words.items() if value is not None}

    @classmethod
    def from_json(cls, value: Any, where: str) -> Gap:
        given = mapping(value, where)
        texts: dict[str, Any] = {name: typed(given[name], str, f"{where}.{name}") for name in cls.__slots__ if name in given}
        if "why" not in texts:
            raise Malformed(f"{where}: a gap without 'why'")
        if "ports" in texts:
            try:
                texts["ports"] = PortRange.parse(texts["ports"])
            except ValueError as problem:
                raise Malformed(f"{where}.ports: {problem}") from None
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
    if that was not all, so that "none of them" is never concluded from part of them. `fact` is their kind, once a record has them."""

    __slots__ = ("fact", "gaps", "seen")

    def __init__(
        self, seen: Iterable[T], source: str, gaps: Iterable[Gap] = (), basis: str = "read", fact: str | None = None
    ) -> None:  # fmt: skip
        super().__init__(source, basis)
        self.seen = tuple(seen)
        self.gaps = tuple(gaps)
        self.fact = fact

    def __iter__(self) -> Iterator[T]:
        yield from self.seen
        if self.gaps:
            raise UnknownFact(self.gaps[0].why, self.fact)

    def about(self, protocol: str, family: str, port: int | None = None) -> Facts[T]:
        """The same, without the gaps that concern other protocols, families or ports alone."""
        gaps = [gap for gap in self.gaps if gap.concerns(protocol, family, port)]
        return Facts(self.seen, self.source, gaps, self.basis, self.fact)

    def ports_in_doubt(self, protocol: str, family: str) -> int:
        """How many ports there may be more: those that gaps name which concern this protocol and family."""
        return sum(len(gap.ports) for gap in self.gaps if gap.ports is not None and gap.concerns(protocol, family, None))

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
            raise UnknownFact(record.why_unknown(self.name), record.fact_of(self.name)) from None
        return value

    def from_json(self, value: Any, where: str) -> Any:
        if value is None and self.null:
            return None
        return typed(value, self.kind, where) if isinstance(self.kind, type) else self.kind(value, where)


class Record:
    """A thing with keys, some of which the evidence may not show: those are absent from `shown`, and reading them raises."""

    __slots__ = ("shown",)
    keys: Mapping[str, Key[Any]] = {}

    def __init__(self, **shown: Any) -> None:
        if unknown := shown.keys() - self.keys.keys():
            raise TypeError(f"{type(self).__name__} has no key {', '.join(sorted(unknown))}")
        self.shown = shown

    def fact_of(self, key: str) -> str | None:
        """The kind of fact that is missing where `key` is not shown."""
        return None

    def why_unknown(self, key: str) -> str:
        """What an UnknownFact says when `key` is not shown."""
        return f"the evidence does not show {key}"

    def facts(self, key: str) -> Facts[Any]:
        """The facts of a kind, to be looked at without raising: none, with a gap, where the evidence does not show them at all."""
        shown: Facts[Any] | None = self.shown.get(key)
        return Facts((), "", [Gap(self.why_unknown(key))], fact=self.fact_of(key)) if shown is None else shown

    def to_json(self) -> dict[str, Any]:
        return {key: _plain(self.shown[key]) for key in self.keys if key in self.shown}

    @classmethod
    def from_json(cls, value: Any, where: str) -> Any:
        """Read a JSON object; keys it does not know are ignored (contract), a wrong type is Malformed."""
        given = mapping(value, where)
        return cls(**{name: key.from_json(given[name], f"{where}.{name}") for name, key in cls.keys.items() if name in given})


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def mapping(value: Any, where: str) -> dict[str, Any]:
    """A JSON object, or Malformed."""
    if not isinstance(value, dict):
        raise Malformed(f"{where} is not an object")
    return value


def typed(value: Any, kind: Any, where: str) -> Any:
    """A value of JSON that is a `kind`, or Malformed; true is no number."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Malformed(f"{where} is not {kind.__name__}: {value!r:.60}")
    return value


def port(value: Any, where: str) -> int:
    """A port number from JSON."""
    if not 0 <= typed(value, int, where) <= PORT_MAX:
        raise Malformed(f"{where} is not a port: {value!r:.60}")
    return int(value)


def facts_of(kind: type[Record]) -> Callable[[Any, str], Facts[Any]]:
    """A reader of FACTS whose things are `kind`."""

    def read(value: Any, where: str) -> Facts[Any]:
        given = mapping(value, where)
        seen = [kind.from_json(item, f"{where}.seen[{i}]") for i, item in enumerate(typed(given.get("seen"), list, f"{where}.seen"))]
        gaps = [Gap.from_json(item, f"{where}.gaps[{i}]") for i, item in enumerate(typed(given.get("gaps"), list, f"{where}.gaps"))]
        return Facts(seen, typed(given.get("source"), str, f"{where}.source"), gaps, typed(given.get("basis"), str, f"{where}.basis"))

    return read


def texts(value: Any, where: str) -> list[str]:
    """A JSON array of strings."""
    return [typed(item, str, f"{where}[{i}]") for i, item in enumerate(typed(value, list, where))]


def text_by_name(value: Any, where: str) -> dict[str, str]:
    """A JSON object whose values are strings."""
    return {name: typed(item, str, f"{where}.{name}") for name, item in mapping(value, where).items()}


def list_of(kind: type[Record]) -> Callable[[Any, str], list[Any]]:
    """A reader of a JSON array of `kind`."""

    def read(value: Any, where: str) -> list[Any]:
        return [kind.from_json(item, f"{where}[{i}]") for i, item in enumerate(typed(value, list, where))]

    return read
