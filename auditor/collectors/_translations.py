"""The ports that a host publishes by translating addresses, from the rules of each of the two that a Linux kernel may have at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.command import Command
from auditor.facts import Facts, Gap
from auditor.model import Translation
from auditor.parsers import iptables_save, nft
from auditor.parsers.nat_rules import Followed, NatRule, NatRules, Place
from auditor.reading import Output

SAVING = tuple(f"{program}-{kind}save" for program in ("iptables", "ip6tables") for kind in ("", "nft-", "legacy-"))
"""Programs that print rules as iptables-save does."""
_FAMILIES = {"ip": "ipv4", "ip6": "ipv6"}
_BACKENDS = {"nf_tables": None, "ip_tables": "ip", "ip6_tables": "ip6"}
_NOT_READ = "no answer has the rules of {}"
Chains = dict[Place, list[NatRule]]


def asked(linux: LinuxEvidence) -> Facts[Translation]:
    """Of the probe `nat`: the rules of what the kernel has; of what it has not there are none."""
    found, gaps = linux.table("nat", "backend there", "builtin:nat")
    readings = []
    for answer in linux.answers("nat"):
        command = Command(answer.command)
        parser = nft.parse if command.program == "nft" else iptables_save.parse if command.program in SAVING else None
        if parser is not None:
            readings.append(parser(Output(command, answer.text, status=answer.status)))
            gaps += [Gap(answer.trouble)] if answer.trouble else []
    there = {backend or "": known for backend, known in found}
    for backend, family in _BACKENDS.items():
        if there.get(backend) not in ("0", "1") and not gaps:
            gaps.append(Gap(f"whether the kernel has rules of {backend} cannot be seen", family=_FAMILIES.get(family or "")))
        elif there.get(backend) == "1" and not _tells(readings, family):
            gaps.append(Gap(_NOT_READ.format(backend), family=_FAMILIES.get(family or "")))
    return _facts(readings, [*gaps, *linux.whole])


def saved(readings: Sequence[NatRules], whole: Sequence[Gap]) -> dict[str, Facts[Translation]]:
    """Of output that was saved: nothing where there is none of such rules; a gap for each part that there may be beside."""
    if not readings:
        return {}
    missing = [(backend, family) for backend, family in _BACKENDS.items() if not _tells(readings, family)]
    gaps = [Gap(_NOT_READ.format(backend), family=_FAMILIES.get(family or "")) for backend, family in missing]
    return {"translations": _facts(readings, [*gaps, *whole])}


def _tells(readings: Sequence[NatRules], family: str | None) -> bool:
    """Whether there are the rules of nf_tables (None), or of ip_tables for a family."""
    if family is None:
        return any("inet" in read.families for read in readings)
    return any(family in read.families and read.flavour == "legacy" for read in readings)


def _facts(readings: Sequence[NatRules], gaps: Sequence[Gap]) -> Facts[Translation]:
    followed = [Followed(chains, arriving) for chains, arriving in _rule_sets(readings)]
    seen = {tuple(shown.items()): Translation(**shown) for one in followed for shown in one.found}
    unread = [*(gap for read in readings for gap in read.gaps), *(gap for one in followed for gap in one.gaps)]
    return Facts(seen.values(), "nft, iptables-save", [*gaps, *unread])


def _rule_sets(readings: Sequence[NatRules]) -> Iterator[tuple[Chains, list[Place]]]:
    """Chains that belong together. What iptables made in nf_tables, which nft does not print whole, iptables-save tells better."""
    whole = [read for read in readings if "inet" in read.families]
    made = [read for read in readings if read not in whole and read.flavour == "nf_tables"]
    better = [read for read in made if not read.gaps]
    for read in whole:
        told = {place[:2] for one in better for place in one.chains}
        chains = {place: rules for place, rules in read.chains.items() if place[:2] not in told}
        arriving = [place for place in read.arriving if place[:2] not in told]
        for one in better:
            chains |= one.chains
            arriving += one.arriving
        yield chains, arriving
    yield from ((read.chains, read.arriving) for read in readings if read not in whole and (read not in better or not whole))
