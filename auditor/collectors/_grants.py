"""Who may take privileged ports, on systems of which commands' output was read: what their rules have in common.

The ports of a grant are those of the ranges that its holder's privilege opens; where not all ranges are known they are not shown. No step
has a number in it that may be unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from auditor.binding import Grant
from auditor.collectors._saved import Answers, Heard, Missing, Ranges
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.port_range import PortRange
from auditor.tables import Tables

Part = Callable[[], Iterable[Grant | Gap]]
ROOT = "root"
_OF_NO_PROGRAM = dict.fromkeys(("unit", "container", "executable", "file", "interpreter"))


def put_together(ranges: Ranges, parts: Iterable[Part]) -> Facts[Grant]:
    """Grants from several parts, each of which gives grants and gaps, or raises Missing. What is not known of the privileged ports is not
    known of who may take them either."""
    found: list[Grant | Gap] = [*ranges.privileged.gaps]
    for part in parts:
        try:
            found.extend(part())
        except Missing as lack:
            found.append(lack.gap)
    gaps = {tuple(one.to_json().items()): one for one in found if isinstance(one, Gap)}
    seen = [one for one in found if isinstance(one, Grant)]
    return Facts(seen, ranges.privileged.source, gaps.values(), ranges.privileged.basis)


def granted(
    path: str, subject: str, ports: Sequence[Range], *steps: str, known: bool = True, scope: str, source: str, **shown: Any
) -> list[Grant]:  # fmt: skip
    """A grant of these ports, one for each protocol where they differ; none where there are no ports. `known`: they are
    all that there are; else which ones is not said."""
    if not ports:
        return []
    shown |= {"scope": scope, "source": source}
    if not known:
        return [one(path, subject, None, *steps, **shown)]
    families = {part.family for part in ports}
    alone = [f"over {family} alone" for family in families if len(families) == 1 and family != "any"]
    parts = by_protocol(ports)
    return [
        one(path, subject if len(parts) == 1 else f"{subject}, {protocol}", of, *steps, *alone, protocol=protocol, **shown)
        for protocol, of in parts.items()
    ]


def one(path: str, subject: str, ports: list[PortRange] | None, *steps: str, **shown: Any) -> Grant:
    """One grant, of no program in particular; `ports` None where they are not known."""
    known: dict[str, Any] = {"everyone": False, "root": False, **_OF_NO_PROGRAM}
    known |= {} if ports is None else {"ports": ports, "protocol": "any"}
    return Grant(**known | shown, path=path, subject=subject, via=[*steps])


def by_protocol(ports: Sequence[Range]) -> dict[str, list[PortRange]]:
    """The ports of ranges, joined, by protocol; under `any` alone where all protocols have the same."""
    names = sorted({"tcp", "udp", *(one.protocol for one in ports)} - {"any"})
    of = {name: PortRange.joined(one.ports for one in ports if one.protocol in ("any", name)) for name in names}
    alike = all(parts == of["tcp"] for parts in of.values())
    return {"any": of["tcp"]} if alike else {name: parts for name, parts in of.items() if parts}


def of_root(ranges: Ranges, ports: Sequence[Range], *steps: str, scope: str = ROOT) -> list[Grant]:
    """What root may take."""
    return granted("root", ROOT, ports, *steps, "so root may take these ports", known=not ranges.privileged.gaps, scope=scope,
                   source=ranges.privileged.source, root=True, uid=0)  # fmt: skip


def needing(ranges: Ranges, *words: str) -> list[Range]:
    """The privileged ranges whose need begins so."""
    return [one for one in ranges.privileged.seen if one.needs.startswith(words)]


def of_everyone(ranges: Ranges, tables: Tables, subject: str, *steps: str) -> list[Grant]:
    """The system ports that nothing keeps for the privileged: any user may take them."""
    ports = list(_opened(ranges, tables))
    return granted("threshold", subject, ports, *steps, "nothing keeps these ports for the privileged: any user may take them",
                   scope="everyone", source=ranges.privileged.source, everyone=True, uid=None, user=None)  # fmt: skip


def _opened(ranges: Ranges, tables: Tables) -> Iterator[Range]:
    """Of each protocol and family of which all privileged ports are known, the system ports that are not among them."""
    system = tables.iana_ranges["system"]
    for protocol, family in Range(protocol="any", family="any").pairs:
        about = ranges.privileged.about(protocol, family)
        if not about.gaps:
            kept = [one.ports for one in about.seen if one.speaks_of(protocol, family)]
            for left in system.minus([PortRange(0, 0), *kept]):
                yield Range(first=left.first, last=left.last, protocol=protocol, family=family)


def root_only(
    *why: str, needs: str = "root", opened: str = "", open_why: str = "", others: str | None = None
) -> Callable[[Heard, Answers, Tables, Ranges], Facts[Grant]]:  # fmt: skip
    """The grants of a system that asks for root alone; `opened` is the setting or option that opens the system ports to all, and `open_why`
    says how. `others` says why there may be holders beside root that no answer shows."""

    def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
        ports = needing(ranges, needs)
        parts: list[Part] = [lambda: of_root(ranges, ports, *why)]
        if opened:
            parts.append(lambda: of_everyone(ranges, tables, opened, open_why))
        if others and ports:
            parts.append(lambda: [Gap(others)])
        return put_together(ranges, parts)

    return grants
