"""The services of a made host: unit files as text, read by the real reader, and what systemd's manager says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor.collectors._linux_capability_sets import NAMES
from auditor.evidence import Answer, quoted
from auditor.live import loaded_units, rows
from auditor.live.service_units import SERVICE
from auditor.live.unit_files import COLUMNS, FOLDERS, LINK_COLUMNS, counted, directives

FEATURES = "Version=257.9-1~deb13u1\nFeatures=+PAM +AUDIT +SELINUX {}BPF_FRAMEWORK +BTF default-hierarchy=unified\n"
NOT_BOOTED = b"System has not been booted with systemd as init system (PID 1). Can't operate.\n"


def shown(unit: str, **properties: str) -> str:
    """A block of `systemctl show`: a unit that says nothing but `properties`."""
    said = {
        "CapabilityBoundingSet": " ".join(NAMES), "AmbientCapabilities": "", "User": "", "Group": "", "DynamicUser": "no",
        "NoNewPrivileges": "no", "PrivateNetwork": "no", "PrivateUsers": "no", "RestrictAddressFamilies": "~", "Id": unit,
        "LoadState": "loaded", "ActiveState": "active", "FragmentPath": f"/etc/systemd/system/{unit}", "DropInPaths": "",
        "NeedDaemonReload": "no", "NetworkNamespacePath": "",
    } | properties  # fmt: skip
    return "".join(f"{key}={value}\n" for key, value in said.items())


@dataclass(frozen=True)
class Services:
    """`files` are texts by path, None for one that may not be read; `links` are paths and where they lead in the end; `manager` is the text
    of `systemctl show`, None where there is no manager; `framework` whether systemd was built with what its rules for bind(2) need."""

    files: Mapping[str, str | None] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()
    manager: str | None = ""
    framework: bool | None = True

    def answers(self) -> list[Answer]:
        found, refused = [], []
        for path in sorted(self.files, key=_rank):
            unit = _unit(path)
            text = self.files[path]
            found.append(counted(unit, path))
            if text is None:
                found.append(b"\t".join((unit.encode(), path.encode(), b"", b"", b"Permission denied")))
                refused.append(f"{path}: Permission denied\n")
            else:
                found += directives(SERVICE, unit, path, text.encode())
        why = "".join(refused).encode()
        links = [f"{path}\t{target}".encode() for path, target in self.links]
        return [
            Answer("service-units", "builtin:service-units", rows.table(COLUMNS, found), "1" if why else "0", stderr=why),
            Answer("service-units", "builtin:service-links", rows.table(LINK_COLUMNS, links)),
            *self._manager(),
        ]

    def _manager(self) -> list[Answer]:
        services, manager = (" ".join(map(quoted, argv)) for argv in (loaded_units.SERVICES, loaded_units.MANAGER))
        if self.manager is None:
            return [Answer("units-manager", services, b"", "1", stderr=NOT_BOOTED)]
        found = [Answer("units-manager", services, self.manager.encode())]
        if self.framework is not None:
            found.append(Answer("units-manager", manager, FEATURES.format("+" if self.framework else "-").encode()))
        return found


WEB = """\
[Service]
User=www-data
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ExecStart=/usr/sbin/web --password=hunter2
"""
RICH_SERVICES = Services(
    files={
        "/etc/systemd/system/web.service": WEB,
        "/usr/lib/systemd/system/echo.service": "[Service]\nUser=daemon\nExecStart=/usr/sbin/echo\n",
        "/usr/lib/systemd/system/mill@.service": "[Service]\nDynamicUser=yes\nAmbientCapabilities=~CAP_SYS_ADMIN\nPrivateNetwork=yes\n",
        "/etc/systemd/system/mill@.service.d/port.conf": "[Service]\nPrivateNetwork=no\nExecStart=!/usr/sbin/mill %i\nExecStart=+/bin/a\n",
    },
    links=(("/etc/systemd/system/multi-user.target.wants/mill@a.service", "/usr/lib/systemd/system/mill@.service"),
           ("/etc/systemd/system/www.service", "/etc/systemd/system/web.service")),
    manager=shown("web.service", User="www-data", AmbientCapabilities="cap_net_bind_service",
                  CapabilityBoundingSet="cap_net_bind_service", NoNewPrivileges="yes")
    + "\n" + shown("gone.service", LoadState="not-found"),
)  # fmt: skip
"""Services that may, in the words of their files and of the manager alike."""


def _unit(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[2].removesuffix(".d") if folder.endswith(".d") else name


def _rank(path: str) -> tuple[int, str]:
    folder = path.rpartition("/")[0]
    looked_in = folder.rpartition("/")[0] if folder.endswith(".d") else folder
    return FOLDERS.index(looked_in), path
