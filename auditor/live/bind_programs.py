"""BPF programs at the bind hooks of this host's control groups: the kernel is asked which there are (bpf(2), BPF_PROG_QUERY).

A program at `bind4` or `bind6` may waive the test of CAP_NET_BIND_SERVICE; one at any of the hooks may refuse a bind.
"""

from __future__ import annotations

import errno
import os
import re

from auditor.child import run
from auditor.evidence import Answer
from auditor.live import control_groups, rows
from auditor.live.bpf import Bpf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HOOKS = {"bind4": 8, "bind6": 9, "post_bind4": 12, "post_bind6": 13}
"""BPF_CGROUP_INET4_BIND and so on, of enum bpf_attach_type in include/uapi/linux/bpf.h."""
COLUMNS = "cgroup hook flags name tag uid"
LOOK_COLUMNS = "name value"
ABOVE = b"/.."
"""Stands for the groups above the one that is mounted here: a control group namespace hides which they are."""
OWN_OF_SYSTEMD = (b"sd_bind4", b"sd_bind6")
"""What systemd calls its programs for SocketBindAllow= and SocketBindDeny=: its src/core/bpf/socket_bind/socket-bind.bpf.c."""
_MOST_GROUPS = 4096
_UNIT = re.compile(rb"[A-Za-z0-9:_.\\@-]+\.(?:service|socket|mount|swap|slice|scope)")
_MOST_UNITS = 200
_RUNS_SYSTEMD = "/run/systemd/system"
_TIMEOUT = 30


class _Look:
    """What was found: rows for COLUMNS; how many groups were asked, and how many were not; why none could be (None: they could)."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.units: set[bytes] = set()
        self.asked = 0
        self.left = 0
        self.why: str | None = None
        self._told: dict[int, list[bytes]] = {}
        mount = control_groups.mount()
        if mount is None:
            self.why = "the unified hierarchy of control groups (cgroup2) is not mounted here"
            return
        try:
            self._bpf = Bpf()
            self._ask(mount, b"/", above=True)
        except OSError as problem:
            self.why = _reason(problem)
            return
        for folder in _below(mount, self):
            if self.asked >= _MOST_GROUPS:
                self.left += 1
                continue
            try:
                self._ask(folder, folder[len(mount) :])
            except FileNotFoundError:
                continue
            except OSError:
                self.left += 1

    def _ask(self, folder: bytes, group: bytes, above: bool = False) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name, hook in HOOKS.items():
                flags, here = self._bpf.attached(descriptor, hook)
                self.lines += [self._row(group, name, b"%d" % flags, one) for one in here]
                if above:
                    _, counting = self._bpf.attached(descriptor, hook, effective=True)
                    self.lines += [self._row(ABOVE, name, b"", one) for one in counting if one not in here]
        finally:
            os.close(descriptor)
        self.asked += 1

    def _row(self, group: bytes, hook: str, flags: bytes, identity: int) -> bytes:
        if identity not in self._told:
            try:
                program = self._bpf.program(identity)
                self._told[identity] = [program.name or b"-", program.tag.encode(), b"%d" % program.uid]
            except OSError:  # it takes CAP_SYS_ADMIN, and the program may be gone
                self._told[identity] = [b"", b"", b""]
        unit = group.rpartition(b"/")[2]
        if self._told[identity][0] in OWN_OF_SYSTEMD and _UNIT.fullmatch(unit):
            self.units.add(unit)
        name, *rest = self._told[identity]
        return b"\t".join((rows.field(group), hook.encode(), flags, name if name == b"-" else rows.field(name), *rest))


def _reason(problem: OSError) -> str:
    if problem.errno == errno.EPERM:
        return "bpf(2) is refused: listing programs needs CAP_NET_ADMIN"
    if problem.errno == errno.EINVAL:
        return "this kernel attaches no programs to control groups (CONFIG_CGROUP_BPF)"
    return problem.strerror or str(problem)


def _below(mount: bytes, look: _Look) -> Iterator[bytes]:
    """The folders of all groups below the mounted one, those nearer to it first. What may not be listed is counted as left."""
    folders = [mount]
    while folders:
        inside: list[bytes] = []
        for folder in folders:
            try:
                inside += [entry.path for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
            except FileNotFoundError:
                continue
            except OSError:
                look.left += 1
        yield from inside
        folders = inside


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Rows of control group, hook, attach flags, and of the program its name, tag and who loaded it; rows of name and value: how many
    groups were `asked`, how many are `left`, `why` where none could be, and whether `systemd` runs here (sd_booted(3)). Where one is called
    as systemd's own are, what systemd says of that unit: its SocketBindAllow= and SocketBindDeny=."""
    look = _Look()
    yield Answer("bind-programs", "builtin:bind-programs", rows.table(COLUMNS, look.lines))
    systemd = os.path.isdir(_RUNS_SYSTEMD)
    told = {"asked": look.asked, "left": look.left, "why": look.why, "systemd": int(systemd)}
    lines = [f"{name}\t".encode() + (b"-" if value is None else rows.field(str(value).encode())) for name, value in told.items()]
    yield Answer("bind-programs", "builtin:bind-hooks", rows.table(LOOK_COLUMNS, lines))
    units = sorted(look.units)[:_MOST_UNITS]
    if units and systemd:
        shown = ("systemctl", "show", "--property=Id,SocketBindAllow,SocketBindDeny", "--")
        yield run("bind-programs", (*shown, *(unit.decode("ascii") for unit in units)), _TIMEOUT)
