"""One entry of a policy's list of listeners: what it asks, and whether a socket is what it asks for.

The answer has three values. A socket that shows otherwise in any point does not match, whatever else is unknown of it; one that
shows all that is asked matches; else `UnknownFact` says which point the evidence does not show. An approval must hold for every
holder of a socket, and a prohibition is broken by any: a second holder can neither hide behind an approved one nor behind a decent one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import auditor.policy_wants as wants
from auditor.errors import PolicyError
from auditor.facts import UnknownFact
from auditor.model import Socket, Stack
from auditor.owner import Owner
from auditor.policy_keys import Reader, as_mapping, date, glob, mapping, number, one_of, one_or_more, prose, raise_all, text, wrong
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, Scalar, Sequence, flow

if TYPE_CHECKING:
    import datetime

SOCKET_KEYS: dict[str, tuple[Reader[Any], Callable[[Any, Socket, Stack], bool]]] = {
    "protocol": (wants.protocols, wants.protocol_fits),
    "port": (wants.ports, wants.port_fits),
    "family": (one_of("ipv4", "ipv6"), wants.family_fits),
    "reach": (one_or_more(one_of("loopback", "link", "private", "public", "container"), "reaches"), wants.reach_fits),
    "address": (wants.addresses, wants.address_fits),
    "interface": (one_or_more(text, "interfaces"), wants.interface_fits),
    "stack": (one_or_more(glob, "stacks"), wants.stack_fits),
}
"""What is asked of the socket itself: how it is read, how it is judged. The cheapest come first."""

OWNER_KEYS: dict[str, tuple[Reader[Any], Callable[[Any, Owner, Socket], bool]]] = {
    "process": (one_or_more(glob, "process names"), wants.process_fits),
    "executable": (wants.executables, wants.executable_fits),
    "user": (wants.users, wants.user_fits),
    "unit": (one_or_more(glob, "units"), wants.unit_fits),
    "container": (wants.containers, wants.container_fits),
}
"""What is asked of its holders."""


def _purpose(node: Node) -> str:
    if isinstance(node, Scalar) and not node.text.strip():
        raise wrong(node, "a text", "say what it is for")
    return prose(node)


WORD_KEYS: dict[str, Reader[Any]] = {
    "name": text, "purpose": _purpose, "owner": text, "approved_by": text, "ticket": text, "review_by": date,
}  # fmt: skip
DEFAULT_KEYS = ("owner", "approved_by", "ticket", "review_by")
"""What `defaults` may give to every entry of a file."""
CRITERIA_KEYS: dict[str, Reader[Any]] = {name: reader for keys in (SOCKET_KEYS, OWNER_KEYS) for name, (reader, _) in keys.items()}
_KEYS: dict[str, Reader[Any]] = {**WORD_KEYS, **CRITERIA_KEYS}


def _at_most(node: Node) -> int:
    most = number(node)
    if most == 0:
        raise node.error("at_most 0 approves nothing", "remove the entry, or list it under 'forbidden'")
    return most


APPROVED_KEYS: dict[str, Reader[Any]] = {**_KEYS, "at_most": _at_most}


class Entry:
    """A kind of listener that is approved, required or forbidden.

    `wanted` holds what is asked, by key; `any` asks nothing and is left out. `why` and `exceptions` are for forbidden ones, `review_by`
    is the day until which an approval was given, `at_most` how many such sockets a stack may have. `written` is its YAML, `origin` the
    place as `file:line`.
    """

    __slots__ = ("any_holder", "approved_by", "at_most", "exceptions", "name", "of_owner", "of_socket", "origin", "owner", "purpose",
                 "review_by", "ticket", "wanted", "why", "written")  # fmt: skip

    def __init__(self, values: dict[str, Any], written: Mapping, *, any_holder: bool = False) -> None:
        wanted = {key: value for key, value in values.items() if value is not None and key in CRITERIA_KEYS}
        self.wanted: dict[str, Any] = wanted
        self.of_socket = tuple([(key, judge, wanted[key]) for key, (_, judge) in SOCKET_KEYS.items() if key in wanted])
        self.of_owner = tuple([(key, judge, wanted[key]) for key, (_, judge) in OWNER_KEYS.items() if key in wanted])
        self.exceptions: tuple[Entry, ...] = values.get("except", ())
        self.name: str | None = values.get("name")
        self.purpose: str | None = values.get("purpose")
        self.owner: str | None = values.get("owner")
        self.approved_by: str | None = values.get("approved_by")
        self.ticket: str | None = values.get("ticket")
        self.review_by: datetime.date | None = values.get("review_by")
        self.why: str | None = values.get("why")
        self.at_most: int | None = values.get("at_most")
        self.any_holder = any_holder
        self.written = written
        self.origin = written.origin

    @property
    def ports(self) -> tuple[PortRange, ...]:
        """The ports it names; empty where any port, or one that the kernel chose, will do."""
        return self.wanted["port"].ranges if "port" in self.wanted else ()

    @property
    def kernel_given(self) -> bool:
        """Whether a port that the kernel chose will do."""
        return "port" in self.wanted and self.wanted["port"].kernel_given

    @property
    def asks(self) -> dict[str, str]:
        """What it asks, by key, each as it is written."""
        return {
            key: flow(value) for key, (_, value) in self.written.items.items() if key in self.wanted or (key == "at_most" and self.at_most)
        }

    def matches(self, socket: Socket, stack: Stack) -> bool:
        """Whether `socket` of `stack` is what this entry speaks of. Raises UnknownFact where the evidence does not tell."""
        why: UnknownFact | None = None
        for key, judge, want in self.of_socket:
            try:
                if not judge(want, socket, stack):
                    return False
            except UnknownFact as unknown:
                why = why or _not_visible(key, unknown)
        if self.of_owner:
            try:
                if not holders_fit(self.of_owner, socket, any_holder=self.any_holder):
                    return False
            except UnknownFact as unknown:
                why = why or unknown
        for exception in self.exceptions:
            try:
                if exception.matches(socket, stack):
                    return False
            except UnknownFact as unknown:
                why = why or unknown
        if why is not None:
            raise why
        return True

    def differs_in(self, socket: Socket, stack: Stack) -> list[str]:
        """The keys that ask something else than `socket` of `stack` shows; one of which the evidence does not tell is not among them."""
        judges: list[tuple[str, Callable[[], bool]]] = [(key, partial(judge, want, socket, stack)) for key, judge, want in self.of_socket]
        judges += [(one[0], partial(holders_fit, (one,), socket, any_holder=self.any_holder)) for one in self.of_owner]
        return [key for key, judge in judges if _is_false(judge)]

    def required_at(self, origin: str) -> Entry:
        """The same entry, asked for at another place of the policy."""
        entry = Entry.__new__(Entry)
        for slot in Entry.__slots__:
            setattr(entry, slot, getattr(self, slot))
        entry.origin = origin
        return entry

    def __str__(self) -> str:
        return self.name or ", ".join(f"{key} {flow(value)}" for key, (_, value) in self.written.items.items() if key in self.wanted)


def _is_false(judge: Callable[[], bool]) -> bool:
    try:
        return not judge()
    except UnknownFact:
        return False


def holders_fit(
    asked: Iterable[tuple[str, Callable[[Any, Owner, Socket], bool], Any]], socket: Socket, *, any_holder: bool = False
) -> bool:
    """Whether every holder of `socket` (or, with `any_holder`, at least one) is all that is `asked`. Raises UnknownFact where a holder
    that was not seen, or a point of one that was not, could change the answer; no visible holder is unknown too."""
    asked = tuple(asked)
    why: UnknownFact | None = None
    seen = False
    try:
        for owner in socket.owners:
            seen = True
            try:
                if _holder_fits(asked, owner, socket, any_holder) is any_holder:
                    return any_holder
            except UnknownFact as unknown:
                why = why or unknown
    except UnknownFact as gap:
        why = why or (_perhaps_another(asked[0][0], gap) if seen else _not_visible(asked[0][0], gap))
    if why is None and not seen:
        why = UnknownFact(f"{asked[0][0]} is not visible: no holder was seen", "owners")
    if why is not None:
        raise why
    return not any_holder


def _holder_fits(
    asked: Iterable[tuple[str, Callable[[Any, Owner, Socket], bool], Any]], owner: Owner, socket: Socket, any_holder: bool
) -> bool:
    why: UnknownFact | None = None
    for key, judge, want in asked:
        try:
            if not judge(want, owner, socket):
                return False
        except wants.AnotherFile:
            if not any_holder:
                return False
        except UnknownFact as unknown:
            why = why or _not_visible(key, unknown)
    if why is not None:
        raise why
    return True


def _perhaps_another(key: str, gap: UnknownFact) -> UnknownFact:
    """Of a socket of which a holder was seen, and perhaps not every one."""
    return UnknownFact(f"whether another {key} holds it too is not visible: {gap}", gap.fact)


def _not_visible(key: str, unknown: UnknownFact) -> UnknownFact:
    """The reason names no socket, so that all that cannot be judged for one reason stay together."""
    return UnknownFact(f"{key} is not visible: {unknown}", unknown.fact)


def approved(node: Node) -> Entry:
    """Read an entry of `approved`: a name and a port at least. Raises PolicyError."""
    return _entry(node, APPROVED_KEYS, ("name", "port"))


def required(node: Node) -> Entry:
    """Read an entry of `required` that is written out: a port at least. Raises PolicyError."""
    return _entry(node, APPROVED_KEYS, ("port",))


def forbidden(node: Node) -> Entry:
    """Read an entry of `forbidden`: at least one thing that it asks. Raises PolicyError."""
    return _entry(node, FORBIDDEN_KEYS, any_holder=True)


def holder(node: Node) -> Entry:
    """Read who may hold something: at least one thing that is asked of a holder. Raises PolicyError."""
    return _entry(node, {name: reader for name, (reader, _) in OWNER_KEYS.items()})


def _exceptions(node: Node) -> tuple[Entry, ...]:
    return one_or_more(lambda item: _entry(item, CRITERIA_KEYS), "entries")(node)


FORBIDDEN_KEYS: dict[str, Reader[Any]] = {**_KEYS, "why": prose, "except": _exceptions}


def _entry(node: Node, keys: dict[str, Reader[Any]], needed: tuple[str, ...] = (), *, any_holder: bool = False) -> Entry:
    written = as_mapping(node, "an entry")
    entry = Entry(mapping(written, keys, required=needed), written, any_holder=any_holder)
    if not needed and not entry.wanted:
        asks = [key for key in keys if key in CRITERIA_KEYS]
        raise written.error("an entry that asks nothing speaks of every listener", f"name at least one of {', '.join(asks)}")
    return entry


def refuse_twins(entries: Iterable[Entry]) -> None:
    """Two entries of one name make a name in `required` mean either. Raises PolicyError."""
    errors: list[PolicyError] = []
    names: dict[str, Entry] = {}
    for entry in entries:
        if entry.name is None:
            continue
        first = names.setdefault(entry.name, entry)
        if first is not entry:
            place = entry.written.items["name"][1]
            advice = f"it stands at {first.origin} already: give one of them another name"
            errors.append(place.error(f"the name {entry.name!r} is taken", advice))
    raise_all(errors)


def give_defaults(entries: Node, defaults: Mapping) -> None:
    """Put what `defaults` says into each entry of a list that does not say it itself, as if it were written there."""
    for entry in entries.items if isinstance(entries, Sequence) else ():
        if isinstance(entry, Mapping):
            for key in DEFAULT_KEYS:
                if key in defaults.items:
                    entry.items.setdefault(key, defaults.items[key])
