"""The programs that systemd's services start, from the Exec directives of their unit files: the first word of each, never an argument,
which may be a secret."""

from __future__ import annotations

from auditor.live import service_units
from auditor.live.mounts import BarredError
from auditor.live.unit_files import FOLDERS, Kind, content, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from auditor.live.mounts import Mounts

    Missed = Callable[[str, Exception], None]

_STARTING = Kind("service", (
    b"ExecCondition", b"ExecReload", b"ExecStart", b"ExecStartPost", b"ExecStartPre", b"ExecStop", b"ExecStopPost",
), lambda directive, value: service_units.programs(value))  # fmt: skip
_PREFIXES = b"@-:+!|"
"""What may stand before the path of a program: systemd.service(5), "special executable prefixes"."""


class UnresolvedError(Exception):
    """A program is named by a specifier (systemd.unit(5)) or an escape, which only systemd resolves, or in quotes that never end."""


def programs(mounts: Mounts, listed: Callable[[str], list[os.DirEntry[str]]], missed: Missed) -> Iterator[str]:
    """The whole paths of the programs, each once, as the units have them; one that has none is found in the search path. Those of files
    that another one takes the place of are told too. `listed` gives the entries of a folder, `missed` is told what could not be read."""
    told = set()
    for path in _unit_files(listed):
        for program in _of_file(mounts, path, missed):
            if program not in told:
                told.add(program)
                yield program


def _unit_files(listed: Callable[[str], list[os.DirEntry[str]]]) -> Iterator[str]:
    for folder in FOLDERS:
        for entry in listed(folder):
            path = f"{folder}/{entry.name}"
            if path.endswith(".service"):
                yield path
            elif entry.name == "service.d" or path.endswith(".service.d"):
                yield from (f"{path}/{part.name}" for part in listed(path) if part.name.endswith(".conf"))


def _of_file(mounts: Mounts, path: str, missed: Missed) -> Iterator[str]:
    try:
        real = mounts.real(path)
        text = b"" if real == "/dev/null" else content(real)
    except FileNotFoundError:
        return
    except (BarredError, OSError) as problem:
        missed(path, problem)
        return
    try:
        yield from started(text)
    except UnresolvedError as problem:
        missed(path, problem)


def started(text: bytes) -> Iterator[str]:
    """The whole paths of the programs that a unit file starts. Raises UnresolvedError at the end where one is named in a way that only
    systemd can resolve."""
    unresolved = False
    for _, _, named in said(_STARTING, text):
        program = None if named is None else named.lstrip(_PREFIXES)
        if program is None or b"%" in program or b"\\" in program:
            unresolved = True
        elif program.startswith(b"/"):
            yield program.decode("utf-8", "surrogateescape")
    if unresolved:
        raise UnresolvedError
