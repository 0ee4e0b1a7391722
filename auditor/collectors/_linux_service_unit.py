"""A service unit of systemd: whom it runs as, and what that may do."""

from __future__ import annotations

import re

from auditor.collectors import _linux_capability_sets as capabilities
from auditor.collectors._linux_bind_rules import BindRule
from auditor.collectors._linux_evidence import Rows
from auditor.parsers.systemctl_show import Properties

_BOOLEANS = {**dict.fromkeys(("yes", "true", "1", "on", "y", "t"), True), **dict.fromkeys(("no", "false", "0", "off", "n", "f"), False)}
"""parse_boolean of systemd's src/basic/parse-util.c, in either case."""
_PREFIXES = "@-:+!|"
_INTERNET = {"AF_INET": "IPv4", "AF_INET6": "IPv6"}
_SPECIFIER = re.compile("%[^%]")


class Command:
    """A command of ExecStart=: its `prefix` characters, its program (None where it cannot be told), and where it stands."""

    __slots__ = ("place", "prefix", "program")

    def __init__(self, word: str | None, place: str) -> None:
        bare = (word or "").lstrip(_PREFIXES)
        self.prefix = (word or "")[: len(word or "") - len(bare)]
        self.program = None if not bare or "\\" in bare or _SPECIFIER.search(bare) else bare.replace("%%", "%")
        self.place = place

    @property
    def keeps_root(self) -> bool:
        """Whether User= does not count for it: systemd.service(5), "special executable prefixes". `!!` asks for that only of kernels before
        Linux 4.3, which have no ambient capabilities."""
        return "+" in self.prefix or self.prefix.count("!") == 1

    @property
    def keeps_everything(self) -> bool:
        """Whether CapabilityBoundingSet= and PrivateUsers= do not count for it either."""
        return "+" in self.prefix


class ServiceUnit:
    """A .service unit. `user` is what User= says, "" where it says nothing; `places` say of each directive where it was last set."""

    def __init__(self, name: str, said: Rows) -> None:
        self.name = name
        self.user = ""
        self.dynamic = False
        self.ambient: frozenset[str] = frozenset()
        self.bounding = capabilities.ALL
        self.no_new_privileges = False
        self.private_network = False
        self.private_users = False
        self.namespace_path = ""
        self.allow: list[BindRule] = []
        self.deny: list[BindRule] = []
        self.families: frozenset[str] = frozenset(_INTERNET.values())
        self.commands: list[Command] = []
        self.places: dict[str, str] = {}
        self.differs: list[str] = []
        self._listed: bool | None = None
        self._restricted: set[str] = set()
        for _, file, line, directive, value in said:
            if directive:
                place = f"{file}:{line}"
                self.places[directive] = place
                self._set(directive, value, place)

    def _set(self, directive: str, value: str | None, place: str) -> None:
        said = value or ""
        if directive == "ExecStart":
            self.commands = [*self.commands, Command(value, place)] if value != "" else []
        elif directive == "User":
            self.user = said
        elif directive == "DynamicUser":
            self.dynamic = _BOOLEANS.get(said.lower(), self.dynamic)
        elif directive == "AmbientCapabilities":
            self.ambient = capabilities.assigned(self.ambient, frozenset(), said)
        elif directive == "CapabilityBoundingSet":
            self.bounding = capabilities.assigned(self.bounding, capabilities.ALL, said)
        elif directive == "NoNewPrivileges":
            self.no_new_privileges = _BOOLEANS.get(said.lower(), self.no_new_privileges)
        elif directive == "PrivateNetwork":
            self.private_network = _BOOLEANS.get(said.lower(), self.private_network)
        elif directive == "PrivateUsers":
            self.private_users = _own_users(said, self.private_users)
        elif directive == "NetworkNamespacePath":
            self.namespace_path = said
        elif directive == "SocketBindAllow":
            self.allow = _with_rule(self.allow, said)
        elif directive == "SocketBindDeny":
            self.deny = _with_rule(self.deny, said)
        elif directive == "RestrictAddressFamilies":
            self._restrict(said)

    def _restrict(self, value: str) -> None:
        """config_parse_address_families of systemd's src/core/load-fragment.c: the first line says whether it is a list of what may be."""
        words = value.removeprefix("~").upper().split()
        if value in ("", "none"):
            self._listed, self._restricted = (True if value else None), set()
        else:
            allowed = not value.startswith("~")
            self._listed = allowed if self._listed is None else self._listed
            self._restricted = self._restricted | {*words} if allowed == self._listed else self._restricted - {*words}
        found = (word for name, word in _INTERNET.items() if self._listed is None or (name in self._restricted) == self._listed)
        self.families = frozenset(found)

    @property
    def runs_as(self) -> str | None:
        """The user by name or number, `root` where none is set; None where only systemd can resolve it."""
        if not self.user and self.dynamic:
            return self.name.rpartition(".")[0].partition("@")[0]
        return None if _SPECIFIER.search(self.user) else self.user.replace("%%", "%") or "root"

    @property
    def apart(self) -> bool:
        """Whether it has another network namespace than process 1."""
        return self.private_network or bool(self.namespace_path)

    @property
    def ambient_bind(self) -> bool:
        """Whether it is to have CAP_NET_BIND_SERVICE without being root. systemd cannot raise what the bounding set lacks."""
        return capabilities.NET_BIND_SERVICE in self.ambient & self.bounding

    @property
    def program(self) -> str | None:
        """What it starts as its user; None where that is not one program, or cannot be told."""
        programs = {one.program for one in self.commands if not one.keeps_root}
        return programs.pop() if len(programs) == 1 else None

    def take(self, shown: Properties) -> None:
        """Have the manager's word in place of the files'; where these say otherwise, `differs` says so and no place in them is named."""
        said = {key: values[-1] for key, values in shown.items()}
        before = self.essence()
        self.user = said["User"]
        self.dynamic = said["DynamicUser"] == "yes"
        self.ambient = capabilities.shown(said["AmbientCapabilities"])
        self.bounding = capabilities.shown(said["CapabilityBoundingSet"])
        self.no_new_privileges = said["NoNewPrivileges"] == "yes"
        self.private_network = said.get("PrivateNetwork", "yes" if self.private_network else "no") == "yes"
        self.private_users = _own_users(said.get("PrivateUsers", ""), self.private_users)
        self.namespace_path = said.get("NetworkNamespacePath", self.namespace_path)
        if "SocketBindAllow" in shown or "SocketBindDeny" in shown:
            rules = [
                [rule for word in shown.get(key, []) if (rule := BindRule.shown(word))] for key in ("SocketBindAllow", "SocketBindDeny")
            ]
            self.allow, self.deny = rules
        if "RestrictAddressFamilies" in said:
            self._listed = None
            self._restrict({"": "none", "~": ""}.get(said["RestrictAddressFamilies"], said["RestrictAddressFamilies"]))
        now = self.essence()
        if not self.places:
            self.differs.append("this is the word of systemd's manager; no file of the unit says so")
        elif now[1:] != before[1:] or before[0] not in (None, now[0]):
            self.differs.append("this is the word of systemd's manager; the unit's files say otherwise now")
            self.places = {}
        if said.get("NeedDaemonReload") == "yes":
            self.differs.append("the files were changed since systemd read them (NeedDaemonReload=yes)")

    def essence(self) -> tuple[object, ...]:
        """What tells it from another unit beside its name and where it is set; the user first."""
        rules = [sorted((rule.family or "", rule.protocol or "", str(rule.ports)) for rule in rules) for rules in (self.allow, self.deny)]
        return (
            self.runs_as, capabilities.NET_BIND_SERVICE in self.ambient, capabilities.NET_BIND_SERVICE in self.bounding,
            self.private_network, self.private_users, self.namespace_path, self.families, rules,
            [(one.prefix, one.program) for one in self.commands],
        )  # fmt: skip


def _own_users(value: str, before: bool) -> bool:
    """PrivateUsers=: a boolean, and since systemd 257 a word for which users it has in its own user namespace."""
    return True if value in ("self", "identity", "full", "managed") else _BOOLEANS.get(value.lower(), before)


def _with_rule(rules: list[BindRule], value: str) -> list[BindRule]:
    rule = BindRule.parse(value)
    return [] if not value else [*rules, rule] if rule else rules
