"""A host of which commands' output was saved: its stacks, put together the same way whatever the system.

A system says which parser reads which command, what its settings mean, and when its commands show every process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from auditor.binding import Grant
from auditor.collectors import _translations
from auditor.collectors._reach import family_reached, mark_kernel_given, reach, widest
from auditor.collectors._saved_answers import HOST, Answers, Formats, Heard, Missing, Parser
from auditor.collectors._saved_merged import Merged, owners_of
from auditor.collectors._saved_sockets import Sockets
from auditor.collectors._service_names import service_names
from auditor.command import Command
from auditor.evidence import Evidence
from auditor.facts import Facts, Gap
from auditor.model import Address, Persisted, Range, Setting, Snapshot, Socket, Stack, Witnessed
from auditor.parsers import sysctl_conf
from auditor.parsers.nat_rules import NatRules
from auditor.parsers.services import Services
from auditor.parsers.witness import Witness
from auditor.port_range import PortRange
from auditor.tables import Tables

LIMITS = (
    "A process may give itself any name, and a command may cut it; only what the kernel says of it is proof.",
    "The output was read as it was given: a command that was replaced, or text that was edited, cannot be told from the true one.",
    "The host firewall and the network path were not examined.",
    "This is one moment: what listened before or after is not in it.",
)
_OF_GRANTS = "Programs that run as root for others (setuid, sudo, doas, services) were not looked for: each may take a privileged port."


class Ranges:
    """The three kinds of ranges of a stack, and `remarks`: what a reader must know of them, for the report's limits."""

    __slots__ = ("ephemeral", "privileged", "remarks", "reserved")

    def __init__(
        self, privileged: Facts[Range], ephemeral: Facts[Range], reserved: Facts[Range], remarks: Sequence[str] = ()
    ) -> None:  # fmt: skip
        self.privileged = privileged
        self.ephemeral = ephemeral
        self.reserved = reserved
        self.remarks = remarks


class System:
    """What is particular to one system.

    `name` as uname -s prints it; `parsers` by program, `files` by path (regular expressions); `settings` what the names that are reported
    begin with, `asked` those without which there is a gap; `ranges` what the settings of a stack mean; `holders` the programs that list
    every holder of a socket, `leaves_out` those that list no socket without a holder; `sight` says why not every process is shown, None
    where all are; `hidden` why not every socket is; `other_stacks` are those known of but not looked into, as gaps; `stack_of` is the
    (name, kind) that a command of this system speaks of by its own options, `own_stacks` the names of stacks that all are the host's own;
    `kind` that of its other stacks; `persisted` the files of settings for the next boot (a regular expression), None where there is nothing
    to set; `boot_files` all that there are of them, in the order in which they are read; `alternatives` the programs of which one that
    states the settings is enough; `grants` who may take the privileged ports of a stack.
    """

    def __init__(
        self, name: str, *, parsers: Mapping[str, Parser], ranges: Callable[[Heard, Answers, Tables], Ranges],
        files: tuple[tuple[str, Parser], ...] = (), settings: tuple[str, ...] = (),
        asked: tuple[str, ...] | Callable[[Heard, Answers], tuple[str, ...]] = (),
        holders: Iterable[str] = (), leaves_out: Iterable[str] = (), sight: Callable[[Heard, Answers], str | None] | None = None,
        hidden: Callable[[Heard, Answers], str | None] | None = None,
        other_stacks: Callable[[Answers], list[Gap]] | None = None, limits: Sequence[str] = (), persisted: str | None = "",
        stack_of: Callable[[Command], tuple[str, str] | None] | None = None, own_stacks: tuple[str, ...] = (),
        alternatives: tuple[str, ...] = (), boot_files: tuple[str, ...] = (), kind: str = "netns",
        grants: Callable[[Heard, Answers, Tables, Ranges], Facts[Grant]],
    ) -> None:  # fmt: skip
        self.name = name
        self.kind = kind
        self.boot_files = boot_files
        self.formats = Formats(parsers, files, persisted or "", stack_of, own_stacks)
        self.ranges = ranges
        self.grants = grants
        self.settings = settings
        self.asked: Callable[[Heard, Answers], tuple[str, ...]] = asked if callable(asked) else lambda heard, answers: asked
        self.holders = frozenset(holders)
        self.leaves_out = frozenset({"lsof", "fstat", *leaves_out})
        self.sight = sight or as_root
        self.hidden = hidden or (lambda heard, answers: None)
        self.other_stacks = other_stacks or (lambda answers: [])
        self.limits = limits
        self.alternatives = alternatives
        self.settable = persisted is not None


def as_root(heard: Heard, answers: Answers) -> str | None:
    """Why not every process is shown: on most systems only root sees the files of all."""
    if heard.uid is None:
        return "the evidence does not say as which user the commands ran"
    return None if heard.uid == 0 else f"the commands ran as user {heard.uid}: other users' processes may not be shown"


def facts(source: str, parts: Iterable[Callable[[], list[Range]]], gaps: Iterable[Gap], basis: str = "derived") -> Facts[Range]:
    """Ranges from several parts, each of which gives some or raises Missing: a gap, which does not cost the others."""
    seen: list[Range] = []
    missing: list[Gap] = []
    for part in parts:
        try:
            seen += part()
        except Missing as lack:
            missing.append(lack.gap)
    return Facts(seen, source, [*missing, *gaps], basis)


def only(part: Callable[[], list[Range]], protocol: str | None = None, family: str | None = None) -> Callable[[], list[Range]]:
    """A part of which what is missing is missing of this protocol and family alone."""

    def scoped() -> list[Range]:
        try:
            return part()
        except Missing as lack:
            raise Missing(lack.gap.why, lack.gap.line, protocol=protocol, family=family) from None

    return scoped


def below(threshold: int, needs: str, protocol: str = "any", family: str = "any", *, wildcard_exempt: bool = False) -> list[Range]:
    """The privileged ports below a threshold; port 0 is a request to choose and needs nothing."""
    if threshold <= 1:
        return []
    return [Range(first=1, last=threshold - 1, protocol=protocol, family=family, wildcard_exempt=wildcard_exempt, needs=needs)]


def handed_out(ports: PortRange, role: str, protocol: str = "any", family: str = "any", *, descending: bool | None = None) -> Range:
    """An ephemeral range; `descending` None where the system does not say in which order."""
    order = {} if descending is None else {"descending": descending}
    return Range(first=ports.first, last=ports.last, protocol=protocol, family=family, role=role, **order)


def kept(ports: PortRange, protocol: str = "any", family: str = "any") -> Range:
    """Ports that are never handed out."""
    return Range(first=ports.first, last=ports.last, protocol=protocol, family=family)


def snapshot(evidence: Evidence, tables: Tables, system: System) -> Snapshot:
    """Total: whatever the bundle holds, there is a Snapshot, and what it does not show is unknown in it."""
    answers = Answers(evidence, system.formats)
    ranges = [system.ranges(heard, answers, tables) for heard in answers.stacks]
    stacks = [_stack(heard, of, answers, tables, system) for heard, of in zip(answers.stacks, ranges, strict=True)]
    gaps = system.other_stacks(answers)
    if not any(stack.kind == "host" for stack in stacks):
        gaps = [Gap("no answer speaks of the host's own network stack"), *gaps]
    head = answers.head
    shown: dict[str, Any] = {
        "system": system.name,
        "stacks": Facts(stacks, "the answers", gaps + answers.whole),
        "settings": {one.name: one.value for stack in stacks[:1] if stack.kind == "host" for one in stack.settings.seen},
        "visibility": _visibility(answers, stacks, gaps, system),
        "limits": [*_saved(answers, stacks), *(remark for of in ranges for remark in of.remarks), *system.limits, _OF_GRANTS, *LIMITS],
    }
    for key, name in (("host", "host"), ("machine_id", "machine-id"), ("boot_id", "boot-id"), ("release", "release"), ("taken", "taken")):
        if name in head:
            shown[key] = head[name]
    return Snapshot(**shown)


def _saved(answers: Answers, stacks: list[Stack]) -> list[str]:
    """What a report must say of output that somebody else saved, and of ranges that a table states."""
    said = []
    if "collector" not in answers.head:
        said.append(f"Output saved by others ({answers.head.get('taken', 'it is not said when')}), not authenticated.")
    kinds = [name for name in ("privileged", "ephemeral") if any(_documented(stack.shown[name]) for stack in stacks)]
    if kinds:
        whose = "Ranges" if len(kinds) > 1 else f"{kinds[0].capitalize()} ports"
        said.append(f"{whose} documented for release {answers.head.get('release', 'unknown')}, not read.")
    if any(heard.listings for heard in answers.stacks) and not any(one.reading.shows_owners for h in answers.stacks for one in h.listings):
        said.append("Listeners matched by port and address only: no answer shows who holds them.")
    if "collector" not in answers.head and any(heard.listings for heard in answers.stacks):
        said.append("Nothing tells whether the end of output that was saved by hand was cut off.")
    return said


def _documented(known: Facts[Range]) -> bool:
    return known.basis == "documented" and bool(known.seen)


def _stack(heard: Heard, ranges: Ranges, answers: Answers, tables: Tables, system: System) -> Stack:
    addresses = _addresses(heard, answers)
    settings = _settings(heard, answers, system)
    told = [read for read in heard.others if isinstance(read, Witness)]
    return Stack(
        name=heard.name, kind=heard.kind or system.kind, privileged=ranges.privileged, ephemeral=ranges.ephemeral, reserved=ranges.reserved,
        listening=_listening(heard, answers, tables, system, ranges, addresses), addresses=addresses, settings=settings,
        persisted=_persisted(heard, answers, system), grants=system.grants(heard, answers, tables, ranges),
        **({"witnessed": _witnessed(told, answers.whole)} if told else {}),
        **service_names([read for read in heard.others if isinstance(read, Services)], answers.whole),
        **_translations.saved([read for read in heard.others if isinstance(read, NatRules)], answers.whole),
    )  # fmt: skip


def _witnessed(told: list[Witness], whole: list[Gap]) -> Facts[Witnessed]:
    found = dict.fromkeys(one for read in told for one in read.found)
    seen = [Witnessed(protocol=protocol, address=address, port=port) for protocol, address, port in found]
    return Facts(seen, "psutil", [*(gap for read in told for gap in read.gaps), *whole])


def _addresses(heard: Heard, answers: Answers) -> Facts[Address]:
    """The addresses of the interfaces. Output saved by hand that shows loopback's alone may be the beginning of more."""
    seen = [
        Address(address=address, device=device, **({} if prefix is None else {"prefix": prefix}))
        for device, address, prefix in heard.addresses
    ]
    gaps = list(heard.addresses_gaps) if heard.addresses_source else [Gap("no answer lists the addresses of its interfaces")]
    if not gaps and "collector" not in answers.head and all(reach(one.address) == "loopback" for one in seen):
        gaps.append(Gap(f"{heard.addresses_source}: it shows no address but loopback's, and nothing tells whether it is whole"))
    return Facts(seen, heard.addresses_source or "no answer", gaps + answers.whole)


def _needless(heard: Heard, answers: Answers, system: System) -> tuple[str, ...]:
    """How complaints begin of a program that need not have answered: another one of the `alternatives` did."""
    known = all(name in heard.values for name in system.asked(heard, answers))
    return tuple(f"{program} " for program in system.alternatives) if known else ()


def _settings(heard: Heard, answers: Answers, system: System) -> Facts[Setting]:
    """The port settings as they run; one that was asked for and does not exist is no gap."""
    seen = []
    asked = system.asked(heard, answers)
    needless = _needless(heard, answers, system)
    gaps = [gap for gap in heard.troubles if not (needless and gap.why.startswith(needless))]
    for name in dict.fromkeys([*asked, *heard.values]):
        if name in asked or name.startswith(system.settings):
            try:
                seen.append(Setting(name=name, value=heard.value(name)))
            except Missing as lack:
                if not heard.known_absent(name):
                    gaps.append(lack.gap)
    sources = ", ".join(dict.fromkeys(heard.sources[one.name] for one in seen if one.name in heard.sources))
    return Facts(seen, sources or "no answer", gaps + answers.whole)


def _persisted(heard: Heard, answers: Answers, system: System) -> Facts[Persisted]:
    """The settings of sysctl.conf, in its order, and where the system has another way, a gap."""
    if heard.kind != "host":
        return Facts([], "a host's files set nothing in other stacks")
    if not system.settable:
        return Facts([], f"the port ranges of {system.name} cannot be set", answers.whole, "documented")
    seen: list[Persisted] = []
    gaps: list[Gap] = []
    in_order = [path for path in system.boot_files if path in heard.persisted] or heard.persisted
    for path in in_order:
        assignments, trouble = sysctl_conf.parse(heard.persisted[path], path)
        gaps += trouble
        seen += [
            Persisted(name=one.name, value=one.value, file=path, line=one.line)
            for one in assignments
            if one.value is not None and (one.name in system.asked(heard, answers) or one.name.startswith(system.settings))
        ]
    gaps += heard.persisted_gaps
    if not heard.persisted and not gaps:
        asked = "was not asked" if system.formats.persisted else f"is not read on {system.name}"
        gaps = [Gap(f"what the next boot sets {asked}")]
    elif heard.persisted and not set(system.boot_files) <= heard.persisted.keys():
        gaps += [Gap(f"{path} was not asked for") for path in system.boot_files if path not in heard.persisted and not heard.persisted_gaps]
    elif heard.persisted and not system.boot_files:
        gaps.append(Gap("which other files the next boot reads settings from was not asked"))
    return Facts(seen, ", ".join(heard.persisted) or "no answer", gaps + answers.whole)


def _listening(
    heard: Heard, answers: Answers, tables: Tables, system: System, ranges: Ranges, addresses: Facts[Address]
) -> Facts[Socket]:  # fmt: skip
    merged = Sockets(heard, system.holders, system.leaves_out, tables.named)
    gaps = merged.gaps
    if hidden := system.hidden(heard, answers):
        gaps = [Gap(hidden), *gaps]
    wildcards = _wildcards(addresses, merged.found)
    sight = heard.blind or system.sight(heard, answers) or next((gap.why for gap in answers.whole), None)
    seen = []
    for one in merged.found:
        shown = one.shown | owners_of(one, heard, sight)
        shown["source"] = ", ".join(one.sources)
        found = "unknown" if shown.get("address_cut") else reach(shown["address"])
        shown["reach"] = wildcards[family_reached(shown["address"], shown.get("v6only"))] if found == "wildcard" else found
        shown.setdefault("state", "unknown")
        if tables.iana(shown["port"], shown["protocol"]).status != "assigned":
            _mark(shown, ranges)
        seen.append(Socket(**shown))
    sources = ", ".join(dict.fromkeys(listing.source for listing in heard.listings))
    return Facts(seen, sources or "no answer", gaps + answers.whole)


def _mark(shown: dict[str, Any], ranges: Ranges) -> None:
    """Whether the kernel gave the port, where the ranges of its protocol and family are known."""
    scope = (shown["protocol"], shown["family"])
    about = [known.about(*scope, shown["port"]) for known in (ranges.ephemeral, ranges.reserved)]
    if not any(known.gaps for known in about):
        families = ("ipv4", "ipv6") if shown["family"] == "unknown" else (shown["family"],)
        given, kept_out = ([one.ports for one in known.seen if any(one.speaks_of(scope[0], f) for f in families)] for known in about)
        mark_kernel_given(shown, given, kept_out)


def _wildcards(addresses: Facts[Address], sockets: Iterable[Merged]) -> dict[str, str]:
    """How far a wildcard of each family reaches: as far as the widest address of its stack, an interface's or one that a socket is bound
    to, where all of these are known."""
    bound = {one.shown["address"] for one in sockets if not one.shown.get("address_cut")}
    known = {one.address for one in addresses.seen} | bound
    reaches = {family: widest(known, family) for family in ("ipv4", "ipv6", "any")}
    return {family: "unknown" if addresses.gaps and found != "public" else found for family, found in reaches.items()}


def _visibility(answers: Answers, stacks: list[Stack], gaps: list[Gap], system: System) -> dict[str, Any]:
    states = [one.shown.get("owner_state") for stack in stacks for one in stack.listening.seen]
    needless = _needless(answers.host, answers, system)
    by_hand = {} if "collector" in answers.head else {"saved_by_hand": "commands' output that others saved, not authenticated"}
    return {
        **by_hand,
        "rights": {} if answers.uid is None else {"uid": answers.uid},
        "owners": {state: states.count(state) for state in ("known", "partial", "unreadable", "none")},
        "owners_reason": answers.host.blind or system.sight(answers.host, answers),
        "namespaces": {"seen": len(stacks), "not_entered": [gap.stack for gap in gaps if gap.stack], "gaps": [gap.why for gap in gaps]},
        "not_read": [why for why in answers.not_read if not (needless and why.startswith(needless))],
    }


__all__ = ["HOST", "Answers", "Heard", "Missing", "Ranges", "System", "below", "facts", "handed_out", "kept", "only", "snapshot"]
