"""What the facts of a stack promise to a user who binds, and where what binding really gave differs from it. No I/O.

A port is promised where it is not privileged, or where a grant gives it by the way in which it was tried: authbind, a program whose file
has the capability, a user namespace of one's own. What ran without any of these has no grant but the last.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from auditor import authbind_grants
from auditor.binding import Attempt, Grant, Measured
from auditor.facts import UnknownFact
from auditor.model import WILDCARDS, Range, Stack
from auditor.port_range import PORT_MAX, PortRange

NOT_THERE = ("EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT")
"""What bind(0) gives where a stack has no such address or family."""
IN_USE = "EADDRINUSE"
"""Says nothing of who may: the port is taken."""
_WHY_NOT_VISIBLE = (
    "the cause is not visible: it may be a security module, Landlock, a BPF program that was not seen, or a kernel that decides otherwise"
)


class Prediction:
    """What is promised to who tried `measured` in a stack."""

    def __init__(self, stack: Stack, measured: Measured) -> None:
        self._stack = stack
        self._measured = measured

    def allows(self, port: int) -> bool:
        """Whether a port is promised; port 0, which leaves it to the kernel, always. Raises UnknownFact where that is not known."""
        if port == 0:
            return True
        if port in authbind_grants.PORTS and self._through_authbind:
            return self._authbind_gives(port)
        return not self.is_privileged(port) or self._owns_the_stack or self._has_the_capability(port)

    @property
    def lowest(self) -> int | None:
        """The lowest port that is promised. Raises UnknownFact where that is not known."""
        grants = self._stack.facts("grants").seen
        ends = [ports for grant in grants for ports in grant.shown.get("ports", ())]
        ends += [ports.ports for ports in self._stack.facts("privileged").seen]
        borders = {1, authbind_grants.PORTS.last + 1, *(ports.first for ports in ends), *(ports.last + 1 for ports in ends)}
        return next((port for port in sorted(borders) if 0 < port <= PORT_MAX and self.allows(port)), None)

    @property
    def keeps_any(self) -> bool:
        """Whether there is a privileged port at all. Raises UnknownFact where that is not known."""
        return any(True for _ in self._privileged(None))

    def _privileged(self, port: int | None) -> Iterator[Range]:
        protocol, family, address = self._measured.protocol, self._measured.family, self._measured.address
        for ports in self._stack.privileged.about(protocol, family, port):
            if ports.speaks_of(protocol, family) and not (address in WILDCARDS and ports.wildcard_exempt):
                yield ports

    def is_privileged(self, port: int) -> bool:
        """Whether the kernel asks for a capability. Raises UnknownFact where that is not known."""
        return any(port in ports.ports for ports in self._privileged(port))

    def _grants(self, path: str) -> Iterator[Grant]:
        """Those that files of the host give; of other stacks, which have files of their own, they are not told."""
        if self._stack.kind != "host":
            raise UnknownFact("what a host's own files grant in a stack that is not its own is not told", "grants")
        return iter(self._stack.granted((path,)))

    def _authbind_gives(self, port: int) -> bool:
        if not self.is_privileged(port):
            raise UnknownFact("authbind decides of ports below 1024 by its files, which are told of privileged ports alone", "grants")
        return any(authbind_grants.gives(grant, self._measured, port) for grant in self._grants("authbind"))

    @property
    def _through_authbind(self) -> bool:
        """Whether a word of the launcher is authbind, or a path of it: another launcher may start it."""
        through = self._measured.through
        try:
            return through is not None and any(word.rpartition("/")[2] == "authbind" for word in shlex.split(through))
        except ValueError:
            return False

    @property
    def _owns_the_stack(self) -> bool:
        return self._measured.namespace_owner == self._measured.uid

    def _has_the_capability(self, port: int) -> bool:
        """Whether the file of what tried gives it, or that of the launcher, which may have passed it on: if so, what tried has it."""
        measured = self._measured
        if not measured.executed:
            return False
        giving = [measured.python]
        if measured.launcher is not None and measured.capable:
            giving.append(measured.launcher)
        return any(grant.executable in giving and grant.allows(measured.protocol, port) for grant in self._grants("file-capability"))


class Comparison:
    """What was promised beside what was given. `taken` are ports that were had and not promised, `refused` those that were promised and
    not had, `moved` those for which another was given; `tried` is how many attempts told something. `absent` is what bind(0) gave where
    there is no such address. `doubt` is to be raised by who needs to know of all: something that it depends on is not known."""

    def __init__(self, stack: Stack, measured: Measured) -> None:
        self.stack = stack
        self.measured = measured
        self.prediction = Prediction(stack, measured)
        self.taken: list[int] = []
        self.refused: list[Attempt] = []
        self.moved: list[int] = []
        self.tried = 0
        self.absent: str | None = None
        self.doubt: UnknownFact | None = None
        try:
            self._compare()
        except UnknownFact as unknown:
            self.doubt = unknown

    def _compare(self) -> None:
        promised: set[bool] = set()
        for attempt in self.measured.attempts:
            if attempt.port == 0 and attempt.result in NOT_THERE:
                self.absent = attempt.result
                return
            if attempt.result == IN_USE:
                continue
            self.tried += 1
            if attempt.result == "moved":
                self.moved.append(attempt.port)
                continue
            try:
                allowed = self.prediction.allows(attempt.port)
            except UnknownFact as unknown:
                self.doubt = self.doubt or unknown
                continue
            promised |= {allowed} if attempt.port else set()
            if allowed and attempt.result != "ok":
                self.refused.append(attempt)
            elif not allowed and attempt.result == "ok":
                self.taken.append(attempt.port)
        if self.doubt is None and not self._on_both_sides(promised):
            self.doubt = UnknownFact("every port on one side of the threshold is in use or left out: none of them was tried", "measured")

    def _on_both_sides(self, promised: set[bool]) -> bool:
        """Whether ports that are promised were tried, and others, if there are any."""
        lowest = self.prediction.lowest
        return (True in promised or lowest is None) and (False in promised or lowest == 1 or not self.prediction.keeps_any)

    @property
    def differs(self) -> bool:
        return bool(self.taken or self.refused or self.moved)

    @property
    def message(self) -> str:
        """What differs, with numbers, and by what it may be."""
        said = []
        if self.taken:
            said.append(f"{_ports(len(self.taken))} could be taken that nothing promises, {min(self.taken)} the lowest")
        said += [
            f"bind of port 0, which leaves the choice to the kernel, was refused ({one.result})" for one in self.refused if not one.port
        ]
        if named := [one for one in self.refused if one.port]:
            first = min(named, key=lambda attempt: attempt.port)
            many = "1 port that is promised was" if len(named) == 1 else f"{len(named)} ports that are promised were"
            said.append(f"{many} refused, {first.port} the lowest ({first.result})")
        if self.moved:
            said.append(f"for {_ports(len(self.moved))} another one or another address was given, {min(self.moved)} the lowest")
        through = f" through {self.measured.through}" if self.measured.shown.get("through") else ""
        lowest = f"lowest promised {self._lowest_promised}, lowest taken {self.measured.lowest or 'none'}"
        count = len(self.taken) + len(self.refused) + len(self.moved)
        user = f"user {self.measured.shown.get('uid', '?')}{through}"
        return f"{user}: {'; '.join(said)} ({lowest}; {count} of {self.tried} attempts differ); {self.cause}"

    @property
    def observed(self) -> str:
        """The ports that differ."""
        parts = (("taken", self.taken), ("refused", [one.port for one in self.refused]), ("moved", self.moved))
        return ", ".join(f"{word} {in_runs(ports)}" for word, ports in parts if ports)

    @property
    def expected(self) -> str:
        return f"port {self._lowest_promised} the lowest that can be taken"

    @property
    def _lowest_promised(self) -> str:
        try:
            return str(self.prediction.lowest or "none")
        except UnknownFact:
            return "not known"

    @property
    def cause(self) -> str:
        """What is in sight that may be the reason; or that nothing is."""
        shown = self.measured.shown
        other_hook = " at bind6 of " if shown.get("family") == "ipv4" else " at bind4 of "
        programs = [grant.shown.get("subject", "?") for grant in self.stack.facts("grants").seen if grant.shown.get("path") == "program"]
        found = [f"the BPF program {subject}" for subject in programs if other_hook not in subject]
        found += shown.get("under", []) if self.refused else []
        found += ["CAP_NET_BIND_SERVICE, which what tried had"] if self.taken and shown.get("capable") else []
        anew = shown.get("executed") and shown.get("through", "") is None
        if anew and shown.get("capable") is False and any(self.prediction.is_privileged(one.port) for one in self.refused):
            found.append("the capability itself, which its file gives and which was not in force")
        return f"it may be by {', or by '.join(found)}" if found else _WHY_NOT_VISIBLE


def _ports(count: int) -> str:
    return "1 port" if count == 1 else f"{count} ports"


def in_runs(ports: Iterable[int], most: int = 8) -> str:
    """Numbers as `22, 80-90`, and how many more there are than so many of these."""
    runs = [str(run) for run in PortRange.joined(PortRange(port, port) for port in ports)]
    return ", ".join(runs[:most]) + (f" and {len(runs) - most} more" if len(runs) > most else "")
