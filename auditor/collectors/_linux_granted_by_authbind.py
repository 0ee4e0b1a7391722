"""authbind: whoever may execute a file of /etc/authbind, or has rules in one, takes its port through a set-user-id helper.

What decides is authbind(1) and its helper.c: a byport file decides alone; else a byaddr file; else the caller's byuid file. The folders
must be searched by the caller for the first two (access(2)), /etc/authbind itself too; byuid files are read by root, who also goes there.
"""

from __future__ import annotations

from typing import Any

from auditor.binding import Grant
from auditor.collectors._linux_access import EXECUTE, WRITE, Rights, Who, who
from auditor.collectors._linux_authbind import FOLDERS, HIGH, LOW, ROOT, Authbind, Entry, address_and_port, port_of
from auditor.collectors._linux_question import Granted, Question
from auditor.facts import Gap
from auditor.parsers import rows
from auditor.port_range import PortRange

_OTHERS = "authbind was looked for in this host's own files; what containers have of it in theirs was not."
_LINES_TOLD = 20
_ASKED_FOR = PortRange(1, 1023)
"""Below IPPORT_RESERVED of <netinet/in.h>: libauthbind.c."""


def granted(question: Question) -> Granted:
    """The grants of each file, and of whoever may change one. Where there is no helper that is root's and set-user-id, there is none."""
    if question.namespace.kind != "host":
        return Granted(limits=[_OTHERS])
    if question.privileged.gaps and not question.privileged.seen:  # a gap of _linux_granted_by_threshold
        return Granted()
    known = Authbind(question.linux)
    if known.broken:
        return Granted(gaps=[gap for gap in known.broken if gap not in question.linux.whole])
    return _Grants(question, known).all() if known.helpers else Granted(gaps=known.gaps)


class _Grants:
    def __init__(self, question: Question, known: Authbind) -> None:
        self.question = question
        self.known = known
        self.found = Granted(gaps=known.gaps)
        self.decided = known.decided_by_port()

    def all(self) -> Granted:
        for helper in self.known.helpers:
            if helper.asked is None:
                self.found.gaps.append(Gap(f"{helper.path}: who may run it is not known"))
                continue
            for part in (self._folders, self._by_port, self._by_address, self._by_user):
                part(helper, helper.asked)
        return self.found

    def _seen(self, *folders: str) -> bool:
        """Whether of these folders all is known that counts, of those that are there."""
        return all(one.rights is not None for name in folders if (one := self.known.folders.get(name)))

    def _listed(self, *folders: str) -> bool:
        """Whether all that is in these folders is known, of those that are there."""
        return self._seen(*folders) and not any(one.trouble for name in folders if (one := self.known.folders.get(name)))

    def _user(self, uid: int) -> str:
        return f"user {self.question.owners.user(uid) or uid}"

    def _folders(self, helper: Entry, running: list[tuple[Rights, int]]) -> None:
        """What could not be listed, and who may add files."""
        for name in ("", *FOLDERS):
            folder = self.known.folders.get(name)
            if folder is None:
                continue
            if folder.trouble or folder.rights is None:
                self.found.gaps.append(Gap(f"{folder.path}: {folder.trouble or 'its mode was not shown'}"))
            if folder.rights is None or not self._seen(""):
                continue
            above = self._searched(*([""] if name else []))
            adders = self._changers(folder.rights, [*above, *running], WRITE | EXECUTE)
            if words := self._words(adders):
                via = [
                    f"{folder.seen}: {words} may put files into it",
                    f"authbind believes any file there, whoever made it: so {words} may allow any port to anyone",
                ]
                self._add(
                    helper,
                    f"{name or ROOT} by adding files",
                    self._needed([PortRange(1, HIGH.last)]),
                    words,
                    adders.anyone,
                    via,
                    folder,
                    adders.only,
                )

    def _by_port(self, helper: Entry, running: list[tuple[Rights, int]]) -> None:
        if not self._seen("", "byport"):
            return
        for entry in self._in("byport"):
            port = port_of(entry.name.removeprefix("byport/"))
            if port is not None:
                self._by_file(helper, entry, port, "on any address", [*running, *self._searched("", "byport")])

    def _by_address(self, helper: Entry, running: list[tuple[Rights, int]]) -> None:
        """Of several names of one address and port the helper believes the first: ADDRESS:PORT before ADDRESS,PORT, and the usual spelling
        of an IPv6 address before the one without `::`."""
        if not (self._listed("byport") and self._seen("", "byaddr")):
            return
        searched = [*running, *self._searched("", "byport", "byaddr")]
        entries: dict[tuple[str, int], list[Entry]] = {}
        for entry in self._in("byaddr"):
            if (at := address_and_port(entry.name.removeprefix("byaddr/"))) and at[1] not in self.decided:
                entries.setdefault(at, []).append(entry)
        for (address, port), names in entries.items():
            first = min(names, key=lambda entry: ("," in entry.name, f"{address}," not in entry.name))
            self._by_file(helper, first, port, f"on {address} alone", searched)

    def _by_file(self, helper: Entry, entry: Entry, port: int, where: str, searched: list[tuple[Rights, int]]) -> None:
        """A file whose permission to execute is all that counts."""
        ports = self._needed([PortRange(port, port)])
        if not ports:
            return
        if entry.trouble or entry.rights is None or entry.asked is None or entry.mount is None:
            why = entry.trouble or "who may execute it is not known"
            self.found.gaps.append(Gap(f"{entry.path}: {why}", ports=ports[0]))
            return
        allowed = who([*searched, *entry.asked]) if entry.executable else None
        words = self._words(allowed) if allowed else None
        owner = self._user(entry.rights.uid) if entry.rights.uid else None
        if allowed and words:
            via = [entry.seen, f"who may execute it may bind port {port} by authbind, {where}, over TCP and UDP alike"]
            if (writers := self._writers(entry)) and writers != owner:
                via.append(f"{writers} may write it as well, which gives nothing more: what is in it does not count")
            if owner:
                via.append(f"{owner} owns it, and may let others execute it")
            via.append(f"so {words} may bind port {port} {where}")
            self._add(helper, entry.name, ports, words, allowed.anyone, via, entry, allowed.only)
        if owner and not (words and self._may(entry.rights.uid, [*searched, *entry.asked])):
            via = [
                entry.seen,
                f"{owner} may not execute it, but owns it, and so may change its mode",
                f"so {owner} may let anyone bind {port}",
            ]
            self._add(helper, f"{entry.name} by changing its mode", ports, owner, False, via, entry, entry.rights.uid)

    def _by_user(self, helper: Entry, running: list[tuple[Rights, int]]) -> None:
        """Files that are read by root, of whatever mode: what counts is what is in them. They are asked where byport and byaddr may be
        searched and have no file."""
        if not (self._listed("byport", "byaddr") and self._seen("", "byuid")):
            return
        searched = [*running, *self._searched("", "byport", "byaddr")]
        for entry in self._in("byuid"):
            name = entry.name.removeprefix("byuid/")
            digits, half = name.removeprefix("!"), HIGH if name.startswith("!") else LOW
            uid = rows.number(digits, (1 << 32) - 2)
            if not uid or str(uid) != digits or not self._needed([half]):
                continue
            user = who(searched).of(uid, self._user)
            if user is None:
                continue
            if entry.trouble:
                self.found.gaps.append(Gap(f"{entry.path}: {entry.trouble}", ports=half))
                continue
            rules = [(line, one) for line, one in self.known.rules.get(entry.name, []) if one.ports.overlap(half)]
            ports = self._undecided([part for _, one in rules if (part := one.ports.overlap(half))])
            if ports:
                told = [f"{entry.path}:{line} allows {one.ports} on {one.addresses}" for line, one in rules[:_LINES_TOLD]]
                more = [f"and {len(rules) - _LINES_TOLD} lines more"] if len(rules) > _LINES_TOLD else []
                how = "these count for TCP and UDP alike, where no byport or byaddr file speaks of the port"
                via = [*told, *more, how, f"so {user} may bind {', '.join(map(str, ports))}"]
                self._add(helper, entry.name, ports, user, False, via, entry, uid)
            if writers := self._writers(entry, owner_too=True):
                alone = writers == user
                ports = self._undecided([half])
                follows = f"so {user} may bind" if alone else f"so {writers} may let {user} bind"
                via = [f"{entry.seen}: {writers} may write it", f"{follows} any of {', '.join(map(str, ports))}"]
                scope = user if alone else f"{user}, as {writers} may allow"
                self._add(helper, f"{entry.name} by writing it", ports, scope, False, via, entry, uid)

    def _in(self, folder: str) -> list[Entry]:
        return [entry for name, entry in self.known.entries.items() if name.startswith(folder + "/")]

    def _searched(self, *folders: str) -> list[tuple[Rights, int]]:
        """What a caller needs of these folders, of those that are there."""
        known = [self.known.folders[name].rights for name in folders if name in self.known.folders]
        return [(rights, EXECUTE) for rights in known if rights is not None]

    def _words(self, some: Who) -> str | None:
        """Who they are: one user by name, of several the numbers."""
        return some.words(self._user if some.only is not None else "user {}".format)

    def _may(self, uid: int, asked: list[tuple[Rights, int]]) -> bool:
        return all(rights.let(uid, frozenset(), what) for rights, what in asked)

    def _changers(self, changed: Rights, searched: list[tuple[Rights, int]], what: int) -> Who:
        """Those who may write a file or folder, now or after they changed its mode, which its owner may."""
        users, groups = changed.named
        for rights, _ in searched:
            more_users, more_groups = rights.named
            users, groups = users | more_users, groups | more_groups

        def may(uid: int | None, some: frozenset[int]) -> bool:
            there = all(rights.let(uid, some, asked) for rights, asked in searched)
            return there and (uid == changed.uid or changed.let(uid, some, what))

        return Who(may, users, groups)

    def _writers(self, entry: Entry, owner_too: bool = False) -> str | None:
        if entry.rights is None:
            return None
        searched = self._searched("", entry.name.partition("/")[0])
        return self._words(self._changers(entry.rights, searched, WRITE) if owner_too else who([*searched, (entry.rights, WRITE)]))

    def _undecided(self, ports: list[PortRange]) -> list[PortRange]:
        """Of these what counts and no byport file speaks of."""
        return PortRange.joined(self._needed(ports), [PortRange(port, port) for port in self.decided])

    def _needed(self, ports: list[PortRange]) -> list[PortRange]:
        """Of these what its library asks the helper for, whatever the threshold, and what is privileged above that."""
        asked = [_ASKED_FOR, *(one.ports for one in self.question.privileged.seen)]
        return PortRange.joined(part for one in ports for other in asked if (part := one.overlap(other)))

    def _add(
        self, helper: Entry, subject: str, ports: list[PortRange], scope: str, everyone: bool, via: list[str], entry: Entry,
        uid: int | None = None,
    ) -> None:  # fmt: skip
        how = f"{helper.path} is set-user-id root and binds for whoever it lets; programs ask it where authbind starts them (LD_PRELOAD)"
        shown: dict[str, Any] = {
            "path": "authbind", "subject": subject, "ports": ports, "protocol": "any", "scope": scope, "everyone": everyone, "root": False,
            "via": [via[0], how, *via[1:]], "uid": uid, "unit": None,
            "container": None, "executable": None, "interpreter": None, "file": entry.file, "processes": 0, "bound": [],
            "source": entry.path,
        }  # fmt: skip
        name = None if uid is None else self.question.owners.user(uid)
        if name is not None or uid is None:
            shown["user"] = name
        self.found.grants.append(Grant(**shown))
