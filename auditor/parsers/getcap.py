"""getcap(8) of libcap: the capabilities of files, a line each, as cap_to_text(3) writes them.

    /usr/bin/ping cap_net_raw=ep                              since libcap 2.41
    /usr/bin/ping = cap_net_raw+ep                            before
    /srv/httpd cap_net_bind_service,cap_net_raw=eip cap_chown+p
    /srv/all =ep                                              every capability
    /srv/nested cap_net_bind_service=ep [rootid=1000]         with -n, of a user namespace whose root that is

A clause is names parted by commas, none for all, and operations: `=` drops what the names had and gives, `+` gives, `-` takes; so the older
form is a clause that drops all, and what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile

from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Read

_NAMES = r"(?:all|cap_[a-z0-9_]+|[0-9]{1,2})(?:,(?:cap_[a-z0-9_]+|[0-9]{1,2}))*"
_CLAUSE = re.compile(rf"(?P<names>{_NAMES})?(?P<operations>(?:[=+-][eip]*)+)")
_OPERATION = re.compile(r"([=+-])([eip]*)")
_ROOT = re.compile(r"\[rootid=([0-9]{1,10})\]")


class FileCapability:
    """A file and the sets (letters of `eip`) that its clauses put one capability in; `root` is the user who is root of the user namespace
    that it counts in, None where any."""

    __slots__ = ("path", "root", "sets")

    def __init__(self, path: str, sets: frozenset[str], root: int | None) -> None:
        self.path = path
        self.sets = sets
        self.root = root


class FileCapabilities(Read):
    """The files that have the capability that was asked for, in any set; `searched` are the paths that the command names."""

    __slots__ = ("found", "searched")

    def __init__(self) -> None:
        super().__init__()
        self.found: list[FileCapability] = []
        self.searched: tuple[str, ...] = ()


def parse(output: Output) -> FileCapabilities:
    """The files with CAP_NET_BIND_SERVICE. What is no file with its capabilities is a gap, as a file that could not be looked at."""
    read = FileCapabilities()
    read.searched = tuple(word for word in output.command.arguments if not word.startswith("-"))
    for line in output.lines():
        words = line.strip().split(" ")
        root = _ROOT.fullmatch(words[-1])
        clauses = list(takewhile(_CLAUSE.fullmatch, reversed(words[:-1] if root else words)))[::-1]
        path = " ".join(words[: len(words) - len(clauses) - bool(root)])
        if not clauses or not path.startswith("/"):
            _beside(read, line)
        elif sets := sets_of(clauses, "cap_net_bind_service", "10"):
            read.found.append(FileCapability(path, sets, int(root[1]) if root else None))
            read.taken.append(line)
        else:
            read.pass_over(line, "other capabilities")
    return read


def of_net_bind_service(words: str) -> tuple[frozenset[str], int | None] | None:
    """Of what stands behind a file's path the sets that CAP_NET_BIND_SERVICE is in, and the root of its user namespace; None where it is
    not such text."""
    clauses = words.split(" ")
    root = _ROOT.fullmatch(clauses[-1])
    clauses = clauses[:-1] if root else clauses
    if not clauses or not all(map(_CLAUSE.fullmatch, clauses)):
        return None
    return sets_of(clauses, "cap_net_bind_service", "10"), int(root[1]) if root else None


def _beside(read: FileCapabilities, line: str) -> None:
    if is_echo(line, "getcap"):
        read.pass_over(line, "a prompt or the command itself")
    else:
        read.gap("a line of getcap tells no file's capabilities", line)


def sets_of(clauses: Iterable[str], *names: str) -> frozenset[str]:
    """The sets that the clauses put a capability in, by one of its names or as one of all."""
    sets: set[str] = set()
    for clause in clauses:
        parts = _CLAUSE.fullmatch(clause)
        if parts is None or not {"all", *names}.intersection((parts["names"] or "all").split(",")):
            continue
        for sign, letters in _OPERATION.findall(parts["operations"]):
            sets = set(letters) if sign == "=" else sets | set(letters) if sign == "+" else sets - set(letters)
    return frozenset(sets)
