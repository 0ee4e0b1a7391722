"""Evidence of what else lets processes bind, or refuses them: authbind, BPF programs at the bind hooks, security modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor.evidence import Answer
from auditor.live import authbind, bind_programs, rows, security_modules


@dataclass(frozen=True)
class Authbind:
    """What there is of authbind: `files` by their names below /etc/authbind with their rights (MODE:UID:GID and access control list),
    `rules` the lines of those in byuid, `folders` the rights of folders that are not 0755 of root's ("" the whole), `trouble` why one could
    not be read, by name. `links` are what links lead to."""

    files: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, Sequence[str]] = field(default_factory=dict)
    folders: Mapping[str, str | None] = field(default_factory=dict)
    trouble: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    helper: str = "4755:0:0"
    helper_folders: str = "0755:0:0 0755:0:0 0755:0:0 0755:0:0"
    helper_mount: str | None = None
    mount: str | None = None

    def answers(self) -> list[Answer]:
        listed = [
            (authbind.HELPERS[0], self.trouble.get("helper", "there"), "file", self.helper, self.helper_folders, self.helper_mount, None)
        ]
        listed += [(helper, "none", *[None] * 5) for helper in authbind.HELPERS[1:]]
        for name in ("", *authbind.NAMES):
            path = f"{authbind.ROOT}/{name}".rstrip("/")
            rights = self.folders.get(name, "0755:0:0")
            if rights is None:
                listed.append((path, "none", *[None] * 5))
            else:
                listed.append((path, self.trouble.get(name, "there"), "folder", rights, None, self.mount, None))
        for name, rights in self.files.items():
            kind = self.kinds.get(name, "file")
            there = self.trouble.get(name, "there")
            listed.append((f"{authbind.ROOT}/{name}", there, kind, rights, None, self.mount, self.links.get(name)))
        rules = [(f"{authbind.ROOT}/{name}", n, line) for name, lines in self.rules.items() for n, line in enumerate(lines, 1)]
        return _authbind(listed, rules)


NO_AUTHBIND = [
    (path, "none", *[None] * 5) for path in (*authbind.HELPERS, authbind.ROOT, *(f"{authbind.ROOT}/{name}" for name in authbind.NAMES))
]


@dataclass(frozen=True)
class Program:
    """A BPF program at a bind hook of a control group."""

    group: str
    hook: str = "bind4"
    name: str | None = "opener"
    tag: str = "79aa95555f6b99c7"
    uid: int | str = 0
    flags: int | str = 2


@dataclass(frozen=True)
class Gates:
    """`authbind` None: it is not installed. `why_no_programs` is why none could be asked for, `systemd` what systemctl says of units (None:
    it was not asked). `modules` are the security modules' files by path; those that are not named are not there."""

    authbind: Authbind | None = None
    programs: Sequence[Program] = ()
    groups_left: int = 0
    why_no_programs: str | None = None
    systemd: str | None = None
    runs_systemd: bool = True
    modules: Mapping[str, str] = field(default_factory=lambda: {"/proc/filesystems": "nodev\tproc\n\text4\n"})

    def answers(self) -> list[Answer]:
        found = self.authbind.answers() if self.authbind else _authbind(NO_AUTHBIND, [])
        told = [(p.group, p.hook, p.flags, p.name, p.tag, p.uid) for p in self.programs]
        found.append(Answer("bind-programs", "builtin:bind-programs", _table(bind_programs.COLUMNS, told)))
        asked = 0 if self.why_no_programs else 40
        look = [("asked", asked), ("left", self.groups_left), ("why", self.why_no_programs), ("systemd", int(self.runs_systemd))]
        found.append(Answer("bind-programs", "builtin:bind-hooks", _table(bind_programs.LOOK_COLUMNS, look)))
        if self.systemd is not None:
            found.append(Answer("bind-programs", "systemctl show --property=Id,SocketBindAllow,SocketBindDeny -- x", self.systemd.encode()))
        unseen = security_modules.FILES[-1] not in self.modules
        for path in (*security_modules.FILES, *([security_modules.FILE_SYSTEMS] if unseen else [])):
            text = self.modules.get(path)
            status = "absent" if text is None else "0"
            found.append(Answer("security-modules", f"builtin:read {path}", (text or "").encode(), status))
        return found


def _authbind(listed: Sequence[tuple[object, ...]], rules: Sequence[tuple[object, ...]]) -> list[Answer]:
    return [
        Answer("authbind", "builtin:authbind", _table(authbind.COLUMNS, listed)),
        Answer("authbind", "builtin:authbind-rules", _table(authbind.RULE_COLUMNS, rules)),
    ]


def _table(columns: str, found: Sequence[tuple[object, ...]]) -> bytes:
    """None is `-`: looked for, and there is none."""
    return rows.table(columns, [b"\t".join(b"-" if f is None else rows.field(str(f).encode()) for f in row) for row in found])


RICH_GATES = Gates(
    authbind=Authbind(
        {"byport/25": "0777:0:0", "byport/26": "0510:33:1000+u33=1,g=0,m=1", "byaddr/10.0.0.5,27": "0755:0:0", "byuid/33": "0644:33:0"},
        {"byuid/33": ["0.0.0.0/0:20,30"]},
    ),
    programs=(Program("/web.slice"), Program("/system.slice/a.service", "bind6", "sd_bind6"), Program("/x", "post_bind4", None)),
    systemd="Id=a.service\nSocketBindDeny=any\n",
    modules={"/sys/fs/selinux/enforce": "1", "/sys/kernel/security/lsm": "capability,landlock,selinux"},
)
"""Something of everything that can be told of them."""
