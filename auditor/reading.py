"""What one command's output says: the shapes of a parser's answer.

A parser takes every line that has something on it exactly once: as something it read, as one passed over by a rule that it names, or
as a gap with the line in it. Nothing is dropped silently; `tests/parsers/laws.py` counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditor.command import Command
from auditor.facts import Gap

PROTOCOLS = ("tcp", "udp")
FAMILIES = ("ipv4", "ipv6")
_LINE = 200


class Output:
    """What a command printed: `text` and `stderr`, the `status` of the bundle (an exit code, or words), the `command` itself."""

    __slots__ = ("command", "status", "stderr", "text")

    def __init__(self, command: Command | str, text: str, stderr: str = "", status: str = "unknown") -> None:
        self.command = Command(command) if isinstance(command, str) else command
        self.text = text
        self.stderr = stderr
        self.status = status

    def lines(self) -> list[str]:
        """The lines with something on them, without the carriage return of other systems."""
        return [line.removesuffix("\r") for line in self.text.split("\n") if line.strip()]


class Read:
    """What every parser's answer has: `taken` are the lines that gave something, `passed` those left aside (line, why), `gaps` the rest.
    `host` is whose prompt was seen in it."""

    __slots__ = ("gaps", "host", "passed", "taken")

    def __init__(self) -> None:
        self.host: str | None = None
        self.taken: list[str] = []
        self.passed: list[tuple[str, str]] = []
        self.gaps: list[Gap] = []

    def pass_over(self, line: str, why: str) -> None:
        """A line that says nothing of what is asked, by a rule: a header, a connection, another protocol."""
        self.passed.append((line, why))

    def gap(self, why: str, line: str | None = None, *, protocol: str | None = None, family: str | None = None) -> None:
        """A line that may say something and cannot be read, or something that the output lacks."""
        self.gaps.append(Gap(why, None if line is None else line[:_LINE], protocol=protocol, family=family))


class Seen:
    """A socket as a row shows it. `shown` are keys of model.Socket but for the owners'; `owners` are dictionaries of keys of model.Owner,
    none where the row shows none; `port_name` stands for a port printed as a name; `identity` tells it from others alike (inode, PCB)."""

    __slots__ = ("identity", "line", "owners", "port_name", "shown")

    def __init__(
        self, line: str, shown: dict[str, Any], owners: Sequence[dict[str, Any]], port_name: str | None, identity: str | None
    ) -> None:  # fmt: skip
        self.line = line
        self.shown = shown
        self.owners = list(owners)
        self.port_name = port_name
        self.identity = identity


class Reading(Read):
    """The sockets of one output.

    `covers` are the pairs (protocol, family) that the command was asked for: None where its rows are all there are, else why not.
    `per_descriptor`: a socket is listed once for each descriptor (sockstat, lsof, fstat), so that rows alike are one socket.
    `shows_owners`: the output has a column for them, so that a row without an owner means that the command found none.
    """

    __slots__ = ("_headed", "covers", "per_descriptor", "seen", "shows_owners")

    def __init__(
        self, *, protocols: Iterable[str] = PROTOCOLS, families: Iterable[str] = FAMILIES, per_descriptor: bool = False,
        shows_owners: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        families = tuple(families)
        self.covers: dict[tuple[str, str], str | None] = {(p, f): None for p in protocols for f in families}
        self.per_descriptor = per_descriptor
        self.shows_owners = shows_owners
        self.seen: list[Seen] = []
        self._headed: set[object] = set()

    def header(self, line: str, table: object = None) -> None:
        """The header (or title) of a `table` that the command prints once: a second one begins the output of another command."""
        if table in self._headed:
            self.gap("a second header: the output of two commands, perhaps of two hosts", line)
        else:
            self._headed.add(table)
            self.pass_over(line, "the header")

    def socket(
        self, line: str, *, owners: Sequence[dict[str, Any]] = (), port_name: str | None = None, identity: str | None = None, **shown: Any
    ) -> Seen:  # fmt: skip
        """A row that is a socket which holds a port."""
        self.taken.append(line)
        self.seen.append(Seen(line, shown, owners, port_name, identity))
        return self.seen[-1]

    def uncover(self, why: str, *, protocol: str | None = None, family: str | None = None) -> None:
        """The rows of this scope are not all there are."""
        for pair, known in self.covers.items():
            if known is None and protocol in (None, pair[0]) and family in (None, pair[1]):
                self.covers[pair] = why


class Values(Read):
    """Settings that one output states: `values` by name, `absent` the names that the system says it does not have, with its words."""

    __slots__ = ("absent", "values")

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.absent: dict[str, str] = {}

    def set(self, name: str, value: str, line: str) -> None:
        """A setting; where the output gives it twice and not alike it is a gap as well."""
        if self.values.setdefault(name, value) == value:
            self.taken.append(line)
        else:
            self.gap(f"{name} is given twice, as {self.values[name]!r:.60} and as {value!r:.60}", line)


class Processes(Read):
    """What one output says of processes: keys of model.Owner by pid."""

    __slots__ = ("by_pid",)

    def __init__(self) -> None:
        super().__init__()
        self.by_pid: dict[int, dict[str, Any]] = {}


class Interfaces(Read):
    """Addresses of interfaces: (device, address, prefix length or None)."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, int | None]] = []
