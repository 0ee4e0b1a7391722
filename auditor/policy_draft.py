"""A draft of an approved list, made of what listens on one host or on many of a role, for people to review.

What is drafted asks all that every host shows: never more, so that a host that was looked at is approved, and as much as there is, so that
nobody else is. What no person would sign is not drafted: programs in writable folders, deleted files, what the policy forbids.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from auditor.errors import PolicyError
from auditor.facts import UnknownFact
from auditor.model import Snapshot, Socket, Stack
from auditor.owner import DELETED, FORGEABLE, Owner, without_unproven
from auditor.policy_draft_values import Holders, address_values, expressible, holders_of
from auditor.policy_entries import Entry, approved
from auditor.yaml_nodes import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from auditor.policy import Policy
    from auditor.tables import Tables

SHARE = 90
"""Percent of the hosts on which an entry must be."""
KERNEL_GIVEN = "kernel-given"
WRITABLE = ("/tmp", "/var/tmp", "/dev/shm", "/private/tmp", "/private/var/tmp", "/run/user", "/home", "/Users", "/export/home")  # noqa: S108
"""Folders that users write to, on one system or another; the policy's own are in the parameter of WRITABLE_RULE."""
WRITABLE_RULE = "executable-in-writable-folder"
PROTOCOLS = ("tcp", "udp", "sctp", "udplite", "dccp")
_IN_MEMORY = "/memfd:"
_CONTAINER_ID = re.compile("[0-9a-f]{12,64}")


class Seen:
    """A listener of a host that was looked at."""

    __slots__ = ("host", "socket", "stack")

    def __init__(self, host: str, stack: Stack, socket: Socket) -> None:
        self.host = host
        self.stack = stack
        self.socket = socket


class Proposal:
    """Listeners that are one service: `values` are what an entry for it asks, `notes` what a reviewer should know, `seen` the listeners."""

    __slots__ = ("notes", "seen", "values")

    def __init__(self, values: dict[str, list[str]], notes: list[str], seen: list[Seen]) -> None:
        self.values = values
        self.notes = notes
        self.seen = seen

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(one.host for one in self.seen))

    def entry(self) -> Entry:
        """The entry as it will be read. Raises PolicyError where it would not be."""
        node = Mapping("the draft", 1, 1)
        for key, values in self.values.items():
            node.items[key] = (_scalar(key), _scalar(values[0]) if len(values) == 1 else _sequence(values))
        return approved(node)


class Draft:
    """What is `proposed` of so many `hosts`; what only some of them have (`rare`); (why, listener) of what is not proposed (`refused`); how
    many listeners the policy approves `already`; (host, why) where a host may listen on more than was seen (`gaps`); and which keys of each
    that is proposed people are `to_fill` in."""

    __slots__ = ("already", "gaps", "hosts", "proposed", "rare", "refused", "share", "to_fill")

    def __init__(self, hosts: int, share: int, must_have: Iterable[str]) -> None:
        self.hosts = hosts
        self.share = share
        self.to_fill = [key for key in dict.fromkeys(("purpose", *must_have)) if key != "name"]
        self.proposed: list[Proposal] = []
        self.rare: list[Proposal] = []
        self.refused: list[tuple[str, Seen]] = []
        self.gaps: list[tuple[str, str]] = []
        self.already = 0


def draft(snapshots: Iterable[Snapshot], policy: Policy, tables: Tables, share: int = SHARE) -> Draft:
    """The draft of an approved list that extends `policy`. An entry is proposed if it is on `share` percent of the hosts."""
    named = {(one.shown.get("machine_id"), one.shown.get("host")): one for one in snapshots}
    names = _names(list(named.values()))
    made = Draft(len(named), share, policy.must_have)
    groups: dict[tuple[str, str, str], list[Seen]] = {}
    for host, snapshot in zip(names, named.values(), strict=True):
        made.gaps += [(host, why) for why in _gaps(snapshot)]
        for seen in _listeners(host, snapshot):
            if _approved(seen, policy):
                made.already += 1
            elif why := _refusal(seen, policy):
                made.refused.append((why, seen))
            else:
                groups.setdefault(_service(seen), []).append(seen)
    taken = {entry.name for entry in policy.approving.entries}
    for key in sorted(groups, key=_by_port):
        for proposal in _proposals(key, groups[key], made.hosts, policy, tables, taken):
            if len(proposal.hosts) * 100 < share * made.hosts:
                made.rare.append(proposal)
            elif why := _approves_too_much(proposal, made.refused):
                made.refused += [(why, seen) for seen in proposal.seen]
            else:
                made.proposed.append(proposal)
    return made


def _names(snapshots: list[Snapshot]) -> list[str]:
    """What each host is called; two of one name are told apart."""
    names: dict[str, None] = {}
    for snapshot in snapshots:
        name = str(snapshot.shown.get("host", "unknown host"))
        while name in names:
            name += f" ({snapshot.shown.get('machine_id', 'no machine-id')})"
        names[name] = None
    return list(names)


def _gaps(snapshot: Snapshot) -> Iterator[str]:
    why = [gap.why for gap in snapshot.stacks.gaps]
    for stack in snapshot.stacks.seen:
        known = stack.shown.get("listening")
        why += ["the evidence does not show listeners"] if known is None else [gap.why for gap in known.gaps]
    yield from dict.fromkeys(why)


def _listeners(host: str, snapshot: Snapshot) -> Iterator[Seen]:
    for stack in snapshot.stacks.seen:
        for socket in stack.listening.seen if "listening" in stack.shown else ():
            yield Seen(host, stack, socket)


def _approved(seen: Seen, policy: Policy) -> bool:
    for entry in policy.approved_for(seen.socket):
        try:
            if entry.matches(seen.socket, seen.stack):
                return True
        except UnknownFact:
            continue
    return False


def _refusal(seen: Seen, policy: Policy) -> str | None:
    """Why a listener is not to be proposed."""
    shown = seen.socket.shown
    if "port" not in shown or shown.get("protocol") not in PROTOCOLS:
        return "its port or protocol is not known, or none that a policy can name"
    for entry in policy.forbidden:
        try:
            if entry.matches(seen.socket, seen.stack):
                return f"forbidden at {entry.origin}"
        except UnknownFact:
            continue
    owners: list[Owner] = shown.get("owners_seen", [])
    setting = policy.rules.get(WRITABLE_RULE)
    folders = (*WRITABLE, *(setting.parameters.get("folders", ()) if setting is not None else ()))
    for owner in owners:
        if why := _holder_refusal(owner, folders):
            return why
    if seen.stack.shown.get("kind") != "host":
        names = [owner.shown.get("container") or seen.stack.name for owner in owners] or [seen.stack.name]
        if any(_is_id(name) for name in names):
            return "in a container of which only the id is known"
        if not expressible(seen.stack.name):
            return "in a network stack that a policy cannot name"
    return None


def _is_id(name: str) -> bool:
    return _CONTAINER_ID.fullmatch(name.rpartition(":")[2]) is not None


def _holder_refusal(owner: Owner, folders: Iterable[str]) -> str | None:
    path = owner.shown.get("executable")
    container = owner.shown.get("container")
    if container is not None and (_is_id(container) or not expressible(container)):
        return "in a container of which no usable name is known"
    if path is None:
        return None
    marked = without_unproven(path)
    bare = marked.removesuffix(DELETED)
    if bare.startswith(_IN_MEMORY):
        return "its executable is in memory, and no file"
    if bare != marked:
        return "its executable is deleted"
    for folder in folders:
        if posixpath.normpath("/" + bare.lstrip("/")).startswith(folder.rstrip("/") + "/"):
            return f"its executable lies under {folder}"
    if marked != path and container is None:
        return f"its executable is in another {'user' if path.endswith(FORGEABLE) else 'mount'} namespace"
    return None if expressible(path) else "its executable has a path that a policy cannot name"


def _service(seen: Seen) -> tuple[str, str, str]:
    """The stack (none for the host's own), protocol and port that make listeners one group."""
    shown = seen.socket.shown
    place = "" if seen.stack.shown.get("kind") == "host" else seen.stack.name
    return place, shown["protocol"], KERNEL_GIVEN if shown.get("kernel_given") else str(shown["port"])


def _by_port(key: tuple[str, str, str]) -> tuple[bool, str, int, str]:
    place, protocol, port = key
    return bool(place), place, int(port) if port.isdigit() else 1 << 16, protocol


def _proposals(
    key: tuple[str, str, str], group: list[Seen], hosts: int, policy: Policy, tables: Tables, taken: set[str | None]
) -> Iterator[Proposal]:
    """One for each program that holds such a port; where there is one alone, those whose owner was not visible are taken for it."""
    place, protocol, port = key
    by_who: dict[object, list[tuple[Seen, Holders | None]]] = {}
    for seen in group:
        holders = holders_of(seen.socket)
        by_who.setdefault(holders and holders.identity, []).append((seen, holders))
    visible = [who for who in by_who if who is not None]
    if len(visible) == 1 and None in by_who:
        by_who[visible[0]] += by_who.pop(None)
    for alike in by_who.values():
        known = [holders for _, holders in alike if holders is not None]
        asked, notes = Holders.common(known)
        sockets = [seen.socket for seen, _ in alike]
        in_stack = {} if not place or "container" in asked else {"stack": [place]}
        values = {"port": [port], "protocol": [protocol], **address_values(sockets, one_host=hosts == 1 and not place), **in_stack, **asked}
        name = _name(port, protocol, known, tables, taken)
        told = [*_port_notes(alike[0][0], port, protocol, tables), *notes, *_owner_notes(alike), *_doubts(alike[0][0], policy)]
        yield Proposal({"name": [name], **values}, told, [seen for seen, _ in alike])


def _name(port: str, protocol: str, known: list[Holders], tables: Tables, taken: set[str | None]) -> str:
    """The IANA name, or else the program's, and something to tell it from others."""
    registered = tables.iana(int(port), protocol).names if port.isdigit() else ()
    program = known[0].program if known else ""
    first = next(iter(registered), "") or program or f"{protocol}-{port}"
    name, number = first, 1
    while name in taken:
        number += 1
        name = f"{first}-{protocol}" if number == 2 else f"{first}-{protocol}-{number - 1}"
    taken.add(name)
    return name


def _port_notes(seen: Seen, port: str, protocol: str, tables: Tables) -> Iterator[str]:
    if not port.isdigit():
        return
    for kind in ("privileged", "ephemeral"):
        ranges = seen.stack.shown[kind].seen if kind in seen.stack.shown else ()
        if any({"first", "last"} <= one.shown.keys() and int(port) in one.ports for one in ranges):
            yield kind
    status = tables.iana(int(port), protocol).status
    if status != "assigned":
        yield f"IANA: {status}"


def _owner_notes(alike: list[tuple[Seen, Holders | None]]) -> Iterator[str]:
    hidden = sum(holders is None for _, holders in alike)
    if hidden == len(alike):
        yield "owner not visible: approve by executable once seen"
    elif hidden:
        yield f"owner not visible of {hidden} of {len(alike)} listeners"
    if all(seen.socket.shown.get("state") == "bound" for seen, _ in alike):
        yield "bound only"


def _doubts(seen: Seen, policy: Policy) -> Iterator[str]:
    for entry in policy.forbidden:
        try:
            entry.matches(seen.socket, seen.stack)
        except UnknownFact:
            yield f"perhaps forbidden at {entry.origin}"


def _approves_too_much(proposal: Proposal, refused: list[tuple[str, Seen]]) -> str | None:
    """Why an entry that can be written is not proposed: it would approve what is refused, or could not be read again."""
    try:
        entry = proposal.entry()
    except PolicyError as error:
        return f"a policy cannot say it: {error}"
    for why, seen in refused:
        try:
            if entry.matches(seen.socket, seen.stack):
                return f"an entry for it would approve {seen.socket} on {seen.host} as well: {why}"
        except UnknownFact:
            continue
    return None


def _scalar(text: str) -> Scalar:
    return Scalar(text, "the draft", 1, 1, plain=False)


def _sequence(values: list[str]) -> Node:
    several = Sequence("the draft", 1, 1)
    several.items = [_scalar(value) for value in values]
    return several
