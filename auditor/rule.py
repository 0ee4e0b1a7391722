"""The second plugin seam: a Rule says what it is asked about, and what it saw. Everything else is stamped by the evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.binding import GRANT_PATHS
from auditor.display import quoted
from auditor.facts import UnknownFact
from auditor.model import SEVERITIES, Range, Snapshot, Socket, Stack
from auditor.owner import Held, Owner
from auditor.port_range import PortRange
from auditor.remedy import Remedy
from auditor.socket_users import SocketUsers

if TYPE_CHECKING:
    import datetime

    from auditor.policy import Policy
    from auditor.site import Assignment
    from auditor.tables import Tables

T = TypeVar("T")

EACH = ("host", "stack", "privileged", "socket", "range", "setting", "facts", "approved", "required", "change", "waiver",
        "socket_unit", "service_name", "translation", "grant", "endpoint", "measured")  # fmt: skip
"""What a rule can be called for, once for each that was seen."""
STACKS = ("all", "host")
_SHOW_EXECUTABLES = ("Linux", "FreeBSD")
"""Systems where a path that is not shown is one that could not be read."""


class Breach:
    """What a check saw. `severity` overrides the rule's own for this one; `fold` is a subject under which breaches alike become one
    finding with a count; its examples are what each `observed`, or else the names of what was asked about."""

    __slots__ = ("expected", "fold", "message", "observed", "severity", "source")

    def __init__(
        self, message: str, *, observed: str | None = None, expected: str | None = None, source: str | None = None,
        severity: str | None = None, fold: str | None = None,
    ) -> None:  # fmt: skip
        _one_of((*SEVERITIES, None), severity=severity)
        self.message = message
        self.observed = observed
        self.expected = expected
        self.source = source
        self.severity = severity
        self.fold = fold


def _one_of(allowed: tuple[str | None, ...], **given: str | None) -> None:
    for name, word in given.items():
        if word not in allowed:
            raise ValueError(f"{name} {word!r} is none of {', '.join(filter(None, allowed))}")


def who(socket: Held) -> str:
    """Who holds a socket, as far as that was seen: process, executable, user, unit and container, alike holders once."""
    holders: dict[str, int] = {}
    for owner in socket.shown.get("owners_seen", []):
        shown = owner.shown
        words = {"process": shown.get("process", "?"), "executable": shown.get("executable", "?") or "none",
                 "user": shown.get("user", shown.get("uid", "?")), "unit": shown.get("unit", "?") or "none"}  # fmt: skip
        words |= {key: shown[key] for key in ("container", "image") if shown.get(key)}
        said = ", ".join(f"{key} {quoted(value)}" for key, value in words.items())
        holders[said] = holders.get(said, 0) + 1
    seen = [said if count == 1 else f"{said} ({count} processes)" for said, count in holders.items()]
    if socket.shown.get("owner_state") != "known":
        seen.append(f"{'perhaps others' if seen else 'nobody in view'}: {socket.shown.get('owner_reason', 'owners are not shown')}")
    return "; ".join(seen)


def who_and_creator(socket: Held) -> str:
    """Who holds a socket, and which user made it, where that was seen."""
    return who(socket) + (f", created by user {socket.shown['uid']}" if "uid" in socket.shown else "")


def those(things: Iterable[T], fits: Callable[[T], bool]) -> Iterator[T]:
    """The things that fit. Raises UnknownFact at the end where it is not known of one of them, or whether there are more."""
    why: UnknownFact | None = None
    for thing in things:
        try:
            fitting = fits(thing)
        except UnknownFact as unknown:
            why = why or unknown
            continue
        if fitting:
            yield thing
    if why is not None:
        raise why


def of_each_executable(case: Case, socket: Socket, found: Callable[[Owner], Iterator[Breach]]) -> Iterator[Breach]:
    """What is `found` of what the holders of a socket run, alike breaches once. Raises UnknownFact at the end where a holder, or something
    of one, was not seen: what is found of the others is not lost. NotChecked where the system's commands show no executables."""
    why: UnknownFact | None = None
    told = set()
    holders = socket.shown.get("owners_seen", [])
    if not any("executable" in owner.shown for owner in holders) and case.snapshot.system not in _SHOW_EXECUTABLES:
        raise NotChecked(f"the commands of {case.snapshot.system} do not show which file a process runs")
    for owner in socket.owners:
        try:
            for breach in found(owner):
                said = (breach.message, breach.observed)
                if said not in told:
                    told.add(said)
                    yield breach
        except UnknownFact as unknown:
            why = why or unknown
    if why is not None:
        raise why


class NotChecked(BaseException):
    """There is nothing to compare with: no list in the policy, no row in the table. Like UnknownFact, no Exception."""


class Case:
    """Everything a check may ask: one argument, so that a new need never changes every rule. `baseline` is an earlier snapshot of the host,
    `assignment` what the site's inventory says of it; None where there is none. `waivers_unsure` are waivers of which it cannot be said
    whether they cover something, each with what to raise."""

    __slots__ = ("_users", "assignment", "baseline", "parameters", "policy", "snapshot", "stack", "tables", "today", "waivers_unsure",
                 "waivers_used")  # fmt: skip

    def __init__(
        self, *, policy: Policy, tables: Tables, today: datetime.date, snapshot: Snapshot, stack: Stack,
        parameters: Mapping[str, Any], waivers_used: frozenset[Any] = frozenset(),
        waivers_unsure: Mapping[Any, BaseException] | None = None, baseline: Snapshot | None = None,
        assignment: Assignment | None = None,
    ) -> None:  # fmt: skip
        self.policy = policy
        self.tables = tables
        self.today = today
        self.snapshot = snapshot
        self.stack = stack
        self.parameters = parameters
        self.waivers_used = waivers_used
        self.waivers_unsure = waivers_unsure or {}
        self.baseline = baseline
        self.assignment = assignment
        self._users: SocketUsers | None = None

    def of_other_users(self, socket: Socket, addresses: tuple[str, ...], meet: Callable[[Socket, Socket], bool]) -> Iterator[Socket]:
        """Other users' sockets of the stack that have a socket's protocol and port and one of these addresses, and meet it: of each user
        one, of many users some. Raises UnknownFact at the end where there may be more."""
        if self._users is None:
            self._users = SocketUsers(self.stack.listening)
        return self._users.others(socket, addresses, meet)

    @property
    def baseline_words(self) -> str:
        """The baseline, for a reader."""
        return f"baseline of {self.baseline.shown.get('taken', 'an unknown time') if self.baseline else 'no time'}"

    def shipped_ephemeral(self, ports: Range) -> tuple[str, list[PortRange]]:
        """The vendor table's row for this host, by its id, and what it ships where the host has `ports`. NotChecked where it does not say,
        or where `ports` are its own word."""
        record = self.tables.vendor(self.snapshot.system, self.snapshot.release)
        if record is None or not record.knows("ephemeral"):
            raise NotChecked(f"no vendor row for {self.snapshot.system} {self.snapshot.release}")
        if self.stack.ephemeral.basis == "documented":
            raise NotChecked("the range is the vendor table's word itself")
        alike = ("any", ports.protocol)
        shipped = [one.ports for one in record.ephemeral if one.role == ports.role and ("any" in alike[1:] or one.protocol in alike)]
        if not shipped:
            raise NotChecked(f"vendor row {record.id} has no such range")
        return record.id, shipped


class Rule:
    """`each`: what `check` is called for (EACH). `needs`: parts of the policy without which it is notchecked. `stacks`: "all" or "host".
    `paths`: of grants, the kinds that it is called for (GRANT_PATHS). `parameters`: the names and types a policy may set. `name`, `title`
    and `doc` are stamped from its module."""

    __slots__ = ("check", "doc", "each", "name", "needs", "parameters", "paths", "severity", "stacks", "systems", "title")

    def __init__(
        self, *, each: str, severity: str, check: Callable[[Case, Any], Iterator[Breach]], needs: tuple[str, ...] = (),
        stacks: str = "all", systems: tuple[str, ...] = (), parameters: Mapping[str, type] | None = None, paths: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        _one_of(EACH, each=each)
        _one_of(STACKS, stacks=stacks)
        _one_of(SEVERITIES, severity=severity)
        for path in paths or ((None,) if each == "grant" else ()):
            _one_of(GRANT_PATHS, paths=path)
        self.each = each
        self.severity = severity
        self.check = check
        self.needs = needs
        self.stacks = stacks
        self.systems = systems
        self.parameters = parameters or {}
        self.paths = paths
        self.name = self.title = self.doc = ""

    def remedy(self, system: str | None) -> str:
        """What to do on a system, by its `uname -s`; of a system that has no words of its own what holds everywhere, of None all of it."""
        return Remedy(self.section("Remedy")).on(system)

    def section(self, heading: str) -> str:
        """The text under a heading of the document (`Why it matters`, `Remedy`), or "" where there is none."""
        lines = self.doc.split("\n")
        try:
            start = lines.index(heading) + 2
        except ValueError:
            return ""
        body = []
        for at, line in enumerate(lines[start:], start):
            if at + 1 < len(lines) and lines[at + 1].startswith("---"):
                break
            body.append(line)
        return "\n".join(body).strip()
