"""Who and what a report names: every name is met, from where it is known to be one, before the first is replaced."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts import Facts, Gap, Record
from auditor.model import Snapshot
from auditor.owner import Folder, without_unproven
from auditor.redacted_names import DOMAIN, HOST, MACHINE, PERSON, SOURCE, USER, Names
from auditor.redaction_words import tells

if TYPE_CHECKING:
    from auditor.host_report import HostReport
    from auditor.report import Report

USERS, HOSTS = "users", "hosts"
_FIRST_PERSON = {"Darwin": 500, "FreeBSD": 1001, "DragonFly": 1001, "SunOS": 100, "AIX": 200, "HP-UX": 100}
"""The first uid that adduser(8), useradd(1M) or the installer gives a person."""
_FIRST_PERSON_ELSEWHERE = 1000
"""UID_MIN of login.defs(5); OpenBSD and NetBSD begin there too."""
_NOBODY = ("nobody", "nfsnobody", "nobody4", "noaccess")
EVERY_HOST = ("localhost", "localhost.localdomain")
EVERY_SOURCE = ("-", "stdin", "this host")
PERSONS = ("owner", "approved_by")
_ID = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PATH = re.compile(r"(?<![^\s\"'\[{,])/[^\s\"',\]}]+")


class Meeting:
    """Tells `names` whom and what a report names, of these kinds."""

    def __init__(self, names: Names, kinds: Collection[str]) -> None:
        self._names = names
        self.kinds = kinds

    def host(self, host: HostReport) -> None:
        """Get to know the names that a host has and tells of."""
        snapshots = [snapshot for snapshot in (host.snapshot, host.baseline) if snapshot is not None]
        findings = [*host.findings, *host.gone]
        for text in (*(text for snapshot in snapshots for text in _texts(snapshot)), *(finding.subject for finding in findings)):
            self._names.meet_text(text)
        if HOSTS in self.kinds:
            for snapshot in snapshots:
                self._meet_host(snapshot)
            self._meet_labels(host.assignment.host if host.assignment else None)
            self._meet_source("" if host.live else host.given)
        if USERS in self.kinds:
            for snapshot in snapshots:
                self._meet_users(snapshot)
            self._meet_people(host)

    def others(self, report: Report) -> None:
        """Get to know the names of hosts and sources that nothing could be read of."""
        if HOSTS in self.kinds:
            for name in (*report.missing_hosts, *(report.drift.missing if report.drift else ())):
                self._meet_labels(name)
            for source, _ in report.bad_sources:
                self._meet_source(source)

    def _meet_host(self, snapshot: Snapshot) -> None:
        self._meet_labels(snapshot.shown.get("host"))
        for key in ("machine_id", "boot_id"):
            if _ID.fullmatch(found := snapshot.shown.get(key, "")):
                self._names.meet(MACHINE, found)
        for record in _records(snapshot):
            self._names.meet_address(str(record.shown.get("address") or ""))

    def _meet_labels(self, name: str | None) -> None:
        """A name, its first label and the domains that it is in: each may stand alone."""
        if not name or name in EVERY_HOST:
            return
        first, *domain = name.split(".")
        self._names.meet(HOST, name)
        self._names.meet(HOST, first)
        for n in range(max(len(domain) - 1, 1) if domain else 0):
            self._names.meet(DOMAIN, ".".join(domain[n:]))

    def _meet_source(self, path: str) -> None:
        """Where evidence lay: its path, and the file's name, which may be the host's."""
        if path not in EVERY_SOURCE:
            file = os.path.basename(path)
            self._names.meet(SOURCE, path)
            for name in filter(tells, (file, file.partition(".")[0])):
                self._names.meet(SOURCE, name)

    def _meet_users(self, snapshot: Snapshot) -> None:
        first_person = _FIRST_PERSON.get(snapshot.shown.get("system", ""), _FIRST_PERSON_ELSEWHERE)
        records = list(_records(snapshot))
        for shown in (record.shown for record in records):
            name, uid = shown.get("user"), shown.get("uid")
            if isinstance(name, str):
                self._names.meet_account(name)
                if name not in _NOBODY and name != "root" and (not isinstance(uid, int) or uid >= first_person):
                    self._meet_account(name, shown)
        for record in records:
            for key in ("executable", "subject", *(("path",) if isinstance(record, Folder) else ())):
                path = str(record.shown.get(key) or "")
                if path == without_unproven(path):
                    self._names.meet_homes(path)

    def _meet_account(self, name: str, shown: dict[str, Any]) -> None:
        """A person, with the domain's name before or behind it, and where reports say who holds a thing."""
        self._names.meet(USER, name)
        for part in (name.rpartition("\\")[2], name.partition("@")[0]):
            self._names.meet(USER, part)
        if tells(name):
            return
        ran = shown.get("executable") or shown.get("process") or "?"
        self._names.meet_here(name, f"[{shown.get('pid', '?')}] ")
        self._names.meet_here(name, f"{ran} user ")
        self._names.meet_here(name, ", user ", ", unit")
        self._names.meet_here(name, ", which user ", " runs")

    def _meet_people(self, host: HostReport) -> None:
        """Whom the policy names, and in whose homes it has programs."""
        entries = [approval.entry for approval in host.approvals.entries] if host.approvals else []
        told = [*(finding.waiver or {} for finding in (*host.findings, *host.gone)), *host.accepted]
        told += [{key: getattr(entry, key) for key in PERSONS} for entry in entries]
        for name in (one[key] for one in told for key in PERSONS if one.get(key)):
            self._names.meet(PERSON, name)
            if "@" in name:
                self._names.meet(PERSON, name.strip("<>").rpartition(" ")[2].strip("<").partition("@")[0])
        for text in (text for entry in (*entries, *host.policy.required) for text in entry.asks.values()):
            for path in _PATH.findall(text):
                self._names.meet_homes(path)


def _parts(thing: Any) -> Iterator[Any]:
    """It, and all that it is made of."""
    todo = [thing]
    while todo:
        part = todo.pop()
        yield part
        if isinstance(part, Record):
            todo += reversed(part.shown.values())
        elif isinstance(part, Facts):
            todo += (part.source, *part.gaps, *reversed(part.seen))
        elif isinstance(part, Gap):
            todo += filter(None, (part.why, part.line, part.stack))
        elif isinstance(part, dict):
            todo += reversed(part.values())
        elif isinstance(part, list | tuple):
            todo += reversed(part)


def _records(thing: Any) -> Iterator[Record]:
    return (part for part in _parts(thing) if isinstance(part, Record))


def _texts(thing: Any) -> Iterator[str]:
    return (part for part in _parts(thing) if isinstance(part, str))
