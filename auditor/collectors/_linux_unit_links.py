"""The links in systemd's unit folders (systemd.unit(5)): which units are enabled, masked, or other names of another one."""

from __future__ import annotations

from auditor.collectors._linux_drop_ins import UnitFiles, template_of
from auditor.collectors._linux_evidence import LinuxEvidence, Rows

DEPENDENCIES = (".wants", ".requires", ".upholds")
"""What the names of folders end in whose links have units started."""
_MASK = "/dev/null"
_UNITS = "/systemd"
"""What the unit folders lie in; a link to elsewhere (`systemctl link`) is the unit itself, whatever the file is called there."""


class Links:
    """`enabled` are the units that another one has started at boot; `aliases` other names of units; `masked` are those that are never
    started. Where there are `gaps`, none of it is certain. `links` are the `probe`'s answer about units of a `kind`."""

    def __init__(
        self, evidence: LinuxEvidence, kind: str = "socket", probe: str = "socket-units", links: str = "builtin:unit-links"
    ) -> None:  # fmt: skip
        found, self.gaps = evidence.table(probe, "link target", links)
        self.aliases: dict[str, str] = {}
        self.masked: set[str] = set()
        wanted: dict[tuple[str, str], str | None] = {}
        for link, target in found:
            folder, _, name = (link or "").rpartition("/")
            by = folder.rpartition("/")[2]
            if by.endswith(DEPENDENCIES):
                wanted.setdefault((by, name), target)  # of two links of one name the first counts, as with units
            elif target == _MASK:
                self.masked.add(name)
            elif (other := _other_name(name, target or "", kind)) is not None:
                self.aliases[name] = other
        named = {name for (_, name), target in wanted.items() if target not in (None, _MASK)}
        self.enabled = {self.aliases.get(name, name) for name in named} - self.masked

    def effective(self, files: UnitFiles) -> dict[str, Rows]:
        """What units say, each unit once: without other names, masked units and templates, with the instances that are enabled."""
        names = {name for name in {*files.names, *self.enabled} if template_of(name) != name}
        return self.named(files, names)

    def named(self, files: UnitFiles, names: set[str]) -> dict[str, Rows]:
        """What the units of these names say, in the order of the names, without masked ones and those that are another name of one."""
        others: dict[str, list[str]] = {}
        for alias, name in self.aliases.items():
            others.setdefault(name, []).append(alias)
        return {name: files.said(name, others.get(name, [])) for name in sorted(names - self.masked - self.aliases.keys())}


def _other_name(name: str, target: str, kind: str) -> str | None:
    folder, _, other = target.rpartition("/")
    if other == name or not other.endswith(f".{kind}") or not folder.rpartition("/")[0].endswith(_UNITS) or template_of(name) == other:
        return None
    return other
