"""The service units of a host: what their files say, and over it the word of systemd's manager."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from auditor.collectors._linux_drop_ins import UnitFiles, template_of
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_service_unit import ServiceUnit
from auditor.collectors._linux_unit_links import Links
from auditor.facts import Gap
from auditor.parsers import rows, systemctl_show
from auditor.parsers.systemctl_show import Properties
from auditor.reading import Output

_COLUMNS = "unit file line directive value"
_NEVER_STARTED = (["masked"], ["bad-setting"], ["error"])
"""Values of LoadState of units that systemd refuses to start."""


class ServiceUnits:
    """The units by name, templates and enabled instances too; `gaps` say what was not seen. `bind_rules` is whether systemd has what
    SocketBindAllow= and SocketBindDeny= need, None where that is not shown; `unanswered` why its manager's word is not there."""

    def __init__(self, linux: LinuxEvidence) -> None:
        self.units: dict[str, ServiceUnit] = {}
        self.gaps: list[Gap] = []
        self._accounts, _ = linux.table("accounts", "uid user", "builtin:accounts")
        found, gaps = linux.table("service-units", _COLUMNS, "builtin:service-units")
        links = Links(linux, "service", "service-units", "builtin:service-links")
        shown, self.unanswered, self.bind_rules = self._manager(linux)
        told = {answer.trouble for answer in linux.answers("service-units")}
        unread = [row for row in found if row[2] == ""]
        odd = [row for row in found if row not in unread and (rows.number(row[2]) is None or (row[2] != "0") != bool(row[3]))]
        self.gaps += [Gap("builtin:service-units: a row cannot be read", "\t".join(field or "" for field in row)[:200]) for row in odd]
        whole = not odd and all(gap.why in told for gap in (*gaps, *links.gaps)) and all(row[0] for row in unread)
        self.gaps += [*(gap for gap in gaps if gap.why not in told or not unread), *links.gaps]
        self.gaps += [Gap(f"{file}: {why}: what it says of services is not known") for _, file, _, _, why in unread]
        if whole:
            self._read(UnitFiles(found, "service"), links, shown)

    def _read(self, files: UnitFiles, links: Links, shown: dict[str, Properties]) -> None:
        names = {name for name in {*files.names, *links.enabled, *shown} if files.is_unit(name) or _loaded(shown.get(name))}
        for name, said in links.named(files, {links.aliases.get(name, name) for name in names}).items():
            known = shown.get(name, {})
            unread = any(row[2] == "" for row in said)
            if unread and not _loaded(known):
                continue
            if known.get("LoadState") in _NEVER_STARTED:
                continue
            unit = ServiceUnit(name, said)
            if _loaded(known):
                unit.take(known)
            self.units[name] = unit
        for name, unit in list(self.units.items()):
            template = self.units.get(template_of(name) or "")
            if template is not None and template is not unit and template.essence() == unit.essence():
                del self.units[name]

    def of(self, name: str) -> ServiceUnit | None:
        """The unit of a name, or of an instance its template's."""
        return self.units.get(name) or self.units.get(template_of(name) or "")

    def is_root(self, unit: ServiceUnit) -> bool:
        """Whether a unit runs as user 0, by whatever name."""
        user = unit.runs_as
        return user == "root" or (user is not None and self._number(user) == 0)

    def who(self, user: str | None) -> dict[str, Any]:
        """`user` and `uid` of a grant to a user that is given by name or number, as far as they are known."""
        if user is None:
            return {}
        uid = 0 if user == "root" else self._number(user)
        name = next((name for number, name in self._accounts if number == user), None) if user.isdecimal() else user
        return {**({} if uid is None else {"uid": uid}), **({} if name is None else {"user": name})}

    def _number(self, user: str) -> int | None:
        """The number of a user; None where the host's own files do not say."""
        found = rows.number(user)
        return found if found is not None else next((rows.number(uid) for uid, name in self._accounts if name == user), None)

    def _manager(self, linux: LinuxEvidence) -> tuple[dict[str, Properties], str | None, bool | None]:
        """What the manager shows of services, why it does not, and whether it was built with the framework for rules of bind(2)."""
        units: dict[str, Properties] = {}
        why: str | None = "systemd's manager was not asked"
        framework: bool | None = None
        for answer in linux.answers("units-manager"):
            output = Output(answer.command, answer.text)
            if "Features" in answer.command:
                framework = systemctl_show.features(output).get("BPF_FRAMEWORK") if answer.trouble is None else None
            elif answer.trouble:
                said = " ".join(answer.stderr.decode("utf-8", "backslashreplace").split())
                why = f"systemd's manager did not answer ({said or answer.status})"
            else:
                read = systemctl_show.parse(output)
                self.gaps += read.gaps
                units |= read.units
                why = None
        return units, why, framework


def _loaded(shown: Properties | None) -> bool:
    return shown is not None and shown.get("LoadState") == ["loaded"]


@lru_cache(maxsize=1)
def services_of(linux: LinuxEvidence) -> ServiceUnits:
    """Read once for all stacks of a host."""
    return ServiceUnits(linux)
