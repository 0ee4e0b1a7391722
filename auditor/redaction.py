"""What identifies people or hosts, out of a report that is to be shared: each name becomes another, the same one wherever it stands.

`users` are the account names of people (whose uid is not one of the system's own accounts, or not known) and whoever the policy names as
owner or approver. `hosts` are the names, machine-ids, boot-ids and addresses of hosts, and where their evidence lay. A name is found as a
whole word, in capitals or not, in whatever the report says; the evidence itself is left out. All hosts have to be known before the first
of them can be shown: what one says of another is found too.
"""

from __future__ import annotations

import copy
import ipaddress
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from auditor.binding import GRANT_PATHS, Endpoint
from auditor.facts import Facts, Record
from auditor.model import Address, Finding, Snapshot, Socket

if TYPE_CHECKING:
    from auditor.host_report import HostReport
    from auditor.report import Report

USERS, HOSTS = "users", "hosts"
KINDS = (USERS, HOSTS)
_PERSON, _MACHINE, _ADDRESS, _DOMAIN, _SOURCE = "person", "machine", "address", "domain", "source"
_ALIASES = {USERS: "user", HOSTS: "host"}
_FIRST_PERSON = {"Darwin": 500, "FreeBSD": 1001, "DragonFly": 1001, "SunOS": 100, "AIX": 200, "HP-UX": 100}
"""The first uid that adduser(8), useradd(1M) or the installer gives a person."""
_FIRST_PERSON_ELSEWHERE = 1000
"""UID_MIN of login.defs(5); OpenBSD and NetBSD begin there too."""
_NOBODY = ("nobody", "nfsnobody", "nobody4", "noaccess")
_TELL_NOTHING = {
    "host", "localhost", "root", "stdin", "this",
    "a", "all", "an", "any", "be", "bind", "by", "every", "everyone", "fail", "for", "from", "in", "is", "it", "may", "neither", "never",
    "no", "nobody", "none", "nor", "not", "nothing", "of", "on", "open", "or", "pass", "seen", "some", "the", "to", "unknown", "waived",
    "was", "were", "what", "who", "with", "without",
}  # fmt: skip
"""Names of every host, and words without which a sentence of the report would say something else."""
_HOMES = re.compile(r"/(?:export/|usr/)?(?:home|Users)/([^/\s]+)")
_PERSONS = ("owner", "approved_by")
_OUR_WORDS = ("protocol", "family", "state", "basis", "kind", "reach", "owner_state", "role", "needs", "schema", "system")
"""Keys of a snapshot whose values are words of ours, which a host's name may happen to be."""
_LETTER = r"[^\W_]"
_FINDING_TEXTS = ("host", "stack", "subject", "message", "observed", "expected", "source", "who")


class Redaction:
    """The names of these kinds that were met, and what they became. One for all hosts of a report: all are met before any is redacted."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self.kinds = frozenset(kinds)
        self._names: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._pattern: re.Pattern[str] | None = None

    def meet(self, host: HostReport) -> None:
        """Get to know the names that a host has and tells of."""
        for kind, name in _names(host):
            self._meet(kind, name)

    def meet_others(self, report: Report) -> None:
        """Get to know the names of hosts and sources that nothing could be read of."""
        for name in (*report.missing_hosts, *(report.drift.missing if report.drift else ())):
            for kind, label in _labels(name):
                self._meet(kind, label)
        for source, _ in report.bad_sources:
            for kind, name in _names_of_source(source):
                self._meet(kind, name)

    def host(self, host: HostReport) -> None:
        """Take the names out of all that a report holds of a host, in place, and its evidence with them."""
        host.evidence = None
        host.given = self.text(host.given)
        host.snapshot = self._snapshot(host.snapshot)
        host.baseline = host.baseline and self._snapshot(host.baseline)
        for finding in (*host.findings, *host.gone):
            self._finding(finding)
        for change in host.changes:
            self._attributes(change, ("stack", "subject", "before", "after", "why"))
        host.policy = self._copy(host.policy, ("name", "files"))
        self._attributes(host, ("accepted",))
        if host.assignment is not None:
            assignment = host.assignment = copy.copy(host.assignment)
            self._attributes(
                assignment, ("host", "identified", "machine_id", "origin", "place", "rivals", "clones", "strangers", "groups", "roles")
            )
        for approval in host.approvals.entries if host.approvals else ():
            approval.entry = self._copy(approval.entry, ("name", "origin", "purpose", "owner", "approved_by", "ticket", "wanted"))
            approval.matched = [(self.text(stack), self.text(subject)) for stack, subject in approval.matched]

    def report(self, report: Report) -> None:
        """Take the names out of what a report says of all hosts."""
        report.shown_as = self._copy(report.shown_as, ("organisation", "banner"))
        report.narrowed = self._value(report.narrowed)
        report.bad_sources = [(self.text(source), self.text(why)) for source, why in report.bad_sources]
        if report.drift is not None:
            self._attributes(report.drift, ("without", "missing"))
        if report.site is not None:
            self._attributes(report.site, ("missing", "name", "files"))

    def text(self, text: str) -> str:
        """`text` with other names in it. Whose home a path is in is told by the path alone."""
        for name in _HOMES.findall(text):
            self._meet(USERS, name)
        if self._pattern is None:
            longest_first = sorted(self._names, key=lambda name: (-len(name), name))
            words = "|".join(map(re.escape, longest_first)) or "(?!)"
            self._pattern = re.compile(f"(?<!{_LETTER})(?:{words})(?!{_LETTER})", re.IGNORECASE)
        return self._pattern.sub(lambda found: self._names.get(found[0].lower(), "redacted"), text)

    def _meet(self, kind: str, name: str) -> None:
        name = name.lower()
        of = USERS if kind in (USERS, _PERSON) else HOSTS
        if not name or name in _TELL_NOTHING or name in self._names or of not in self.kinds:
            return
        self._counts[kind] = self._counts.get(kind, 0) + 1
        self._names[name] = self._names[name.replace("-", "\\x2d")] = f"{_ALIASES.get(kind, kind)}-{self._counts[kind]}"
        self._pattern = None

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {
                key: one if key in _OUR_WORDS or (key == "path" and one in GRANT_PATHS) else self._value(one) for key, one in value.items()
            }
        if isinstance(value, list | tuple | frozenset):
            return type(value)(self._value(one) for one in value)
        return value

    def _attributes(self, thing: Any, names: Iterable[str]) -> None:
        for name in names:
            setattr(thing, name, self._value(getattr(thing, name)))

    def _copy(self, thing: Any, names: Iterable[str]) -> Any:
        other = copy.copy(thing)
        self._attributes(other, names)
        return other

    def _finding(self, finding: Finding) -> None:
        self._attributes(finding, (*_FINDING_TEXTS, "examples", "subjects", "waiver"))

    def _snapshot(self, snapshot: Snapshot) -> Snapshot:
        other: Snapshot = Snapshot.from_json(self._value(snapshot.to_json()), "snapshot")
        return other


def _is_ours(key: str, value: Any) -> bool:
    return key in _OUR_WORDS or (key == "path" and value in GRANT_PATHS)


def _names(host: HostReport) -> Iterator[tuple[str, str]]:
    """What may identify somebody, and of which kind it is."""
    for snapshot in filter(None, (host.snapshot, host.baseline)):
        yield from _names_of_host(snapshot)
        first_person = _FIRST_PERSON.get(snapshot.shown.get("system", ""), _FIRST_PERSON_ELSEWHERE)
        for record in _records(snapshot):
            yield from _names_of_users(record, first_person)
    if host.assignment is not None and host.assignment.host is not None:
        yield from _labels(host.assignment.host)
    yield from _names_of_source("" if host.live else host.given)
    for finding in (*host.findings, *host.gone):
        yield from ((_PERSON, finding.waiver[key]) for key in _PERSONS if finding.waiver and key in finding.waiver)
    for accepted in host.accepted:
        yield from ((_PERSON, accepted[key]) for key in _PERSONS if key in accepted)
    for approval in host.approvals.entries if host.approvals else ():
        yield from ((_PERSON, name) for key in _PERSONS if (name := getattr(approval.entry, key)))


def _names_of_host(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    yield from _labels(snapshot.shown.get("host", ""))
    yield from ((_MACHINE, snapshot.shown[key]) for key in ("machine_id", "boot_id") if key in snapshot.shown)
    for record in _records(snapshot):
        if isinstance(record, Address | Socket | Endpoint) and _identifies(address := record.shown.get("address") or ""):
            yield _ADDRESS, address


def _names_of_source(path: str) -> Iterator[tuple[str, str]]:
    """Where evidence lay: its path, and the file's name, which may be the host's."""
    file = os.path.basename(path)
    yield from ((_SOURCE, name) for name in (path, file, file.partition(".")[0]))


def _labels(name: str) -> Iterator[tuple[str, str]]:
    """A name, its first label and its domain: each may stand alone."""
    first, dot, domain = name.partition(".")
    yield from ((HOSTS, name), (HOSTS, first), *([(_DOMAIN, domain)] if dot else []))


def _identifies(address: str) -> bool:
    """Whether it is an address that not every host has."""
    try:
        parsed = ipaddress.ip_address(address.removeprefix("::ffff:").partition("%")[0])
    except ValueError:
        return False
    return not (parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast)


def _names_of_users(record: Record, first_person: int) -> Iterator[tuple[str, str]]:
    name, uid = record.shown.get("user"), record.shown.get("uid")
    if isinstance(name, str) and name not in _NOBODY and (not isinstance(uid, int) or uid >= first_person):
        yield USERS, name
    for key in ("executable", "path", "subject"):
        yield from ((USERS, name) for name in _HOMES.findall(str(record.shown.get(key) or "")))


def _records(record: Record) -> Iterator[Record]:
    """It, and all that it is made of."""
    yield record
    for value in record.shown.values():
        for part in value.seen if isinstance(value, Facts) else value if isinstance(value, list) else [value]:
            if isinstance(part, Record):
                yield from _records(part)
