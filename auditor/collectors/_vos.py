"""What a VOS module's stack does with ports: Stratus' page on the port ranges of its systems, by stack, release and patch.

VOS has two stacks, TCP_OS and STCP, which divide the ports differently; neither can be set otherwise. Which one the answers speak of,
the bundle says by the name of the stack. Since 14.3 (otp-804) TCP_OS wants a privileged process below 1024, unless the variable
allow_unpriv_bind$ is 1; since 14.1.0aq, 14.2.2aa and 14.3 (stcp-1316) STCP wants write access to its device, as its access list
(access_list_name) gives it.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.binding import Grant
from auditor.collectors._documented import agreed, disputed, handed_out_by, meant, of_each, remark
from auditor.collectors._grants import granted, of_everyone, put_together
from auditor.collectors._saved import Answers, Heard, Ranges, System, handed_out
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import vos
from auditor.port_range import PortRange
from auditor.tables import Tables, VendorRecord
from auditor.vendor_ranges import VendorSpan

_CONTEXTS = {"STCP": "vos-stcp", "TCP_OS": "vos-tcp-os"}
_ASK_FOR_PRIVILEGE = {
    "TCP_OS": (VendorSpan("VOS", "14.3", None),),
    "STCP": (VendorSpan("VOS", "14.1.0aq", "14.2"), VendorSpan("VOS", "14.2.2aa", None)),
}
_NEEDS = {"TCP_OS": "a privileged process", "STCP": "write access to the STCP device"}
_OPEN = "allow_unpriv_bind$"
_ACCESS_LIST = "access_list_name"
_WRITE_FOR_ALL = ("write *.*", "write *")
_PROTOCOLS = ("tcp", "udp")


class _Host:
    """The stacks and releases that a host's may be, as far as its evidence says."""

    def __init__(self, heard: Heard, answers: Answers, tables: Tables) -> None:
        self.heard = heard
        self.stacks = [heard.name] if heard.name in _CONTEXTS else list(_CONTEXTS)
        self.release: str | None = answers.head.get("release")
        self.ends = meant(self.release)
        self.tables = tables

    def rows(self, protocol: str) -> Iterator[VendorRecord]:
        """The table's rows that may be this host's, each once."""
        found: dict[str, VendorRecord] = {}
        for stack in self.stacks:
            for release in self.ends:
                for row in self.tables.vendor_all("VOS", release):
                    if row.context == _CONTEXTS[stack] and row.protocol in ("any", protocol):
                        found[row.id] = row
        yield from found.values()

    @property
    def undecided(self) -> str:
        """What would have to be known."""
        ask = []
        if len(self.stacks) > 1:
            ask.append("which stack it is (--stack STCP or --stack TCP_OS)")
        if self.release is None:
            ask.append("the release (--release 14.5.0at)")
        elif self.ends[0] != self.ends[1]:
            ask.append(f"the release with its patch letters (--release 14.5.0at; {self.release!r:.40} does not tell)")
        return " and ".join(ask)

    def asks(self, stack: str) -> set[bool]:
        """Whether the releases that this may be want a privilege for low ports."""
        return {any(span.covers("VOS", release) for span in _ASK_FOR_PRIVILEGE[stack]) for release in self.ends}


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    host = _Host(heard, answers, tables)
    records = {row.id: row for protocol in _PROTOCOLS for row in host.rows(protocol)}
    source = f"vendor table, {', '.join(records) or 'no row of VOS'}"
    remarks = [words for row in records.values() for words in remark(row)]
    none = Facts[Range]([], "VOS keeps no list of ports that it does not hand out", answers.whole, "documented")
    return Ranges(_privileged(host, source, answers.whole), _ephemeral(host, source, answers.whole), none, remarks)


def _ephemeral(host: _Host, source: str, whole: list[Gap]) -> Facts[Range]:
    inside: dict[str, list[PortRange]] = {}
    some: dict[str, list[PortRange]] = {}
    gaps: list[Gap] = []
    for protocol in _PROTOCOLS:
        rows = list(host.rows(protocol))
        inside[protocol], some[protocol] = agreed(handed_out_by(row, protocol) for row in rows)
        gaps += [gap for row in rows for gap in disputed(row) if all(gap.why != other.why for other in gaps)]
        if not rows:
            gaps.append(Gap("the vendor table has no row for it", protocol=protocol))
    gaps += [
        Gap(f"whether {ports} is handed out depends on {host.undecided}", protocol=None if protocol == "any" else protocol, ports=ports)
        for protocol, ports in of_each(some)
    ]
    return Facts([handed_out(ports, "default", protocol) for protocol, ports in of_each(inside)], source, [*gaps, *whole], "documented")


def _privileged(host: _Host, source: str, whole: list[Gap]) -> Facts[Range]:
    """The low ports, where every stack and release that it may be wants a privilege; what may void that and was not read is a gap."""
    opened = _opened(host.heard)
    asks = {stack: {False} if stack in opened else host.asks(stack) for stack in host.stacks}
    kept = _kept(host)
    if kept is None:
        return Facts([], source, [Gap("the vendor table does not say which ports VOS keeps privileged"), *whole], "documented")
    answers = {one for stack in asks.values() for one in stack}
    if answers == {False}:
        said = [opened[stack] for stack in host.stacks if stack in opened]
        return Facts([], "; ".join(said) or source, whole, "derived" if said else "documented")
    if answers == {True, False}:
        return Facts([], source, [Gap(f"whether {kept} need a privilege depends on {host.undecided}", ports=kept), *whole], "documented")
    needs = " or ".join(f"{_NEEDS[stack]} ({stack})" if len(asks) > 1 else _NEEDS[stack] for stack in asks)
    seen = Range(first=kept.first, last=kept.last, protocol="any", family="any", wildcard_exempt=False, needs=needs)
    unread = list(_not_read(host, asks, kept))
    return Facts([] if unread and host.heard.troubles else [seen], source, [*unread, *whole], "documented")


def _opened(heard: Heard) -> dict[str, str]:
    """The stacks on which everybody may bind low ports because somebody opened them, and what says so."""
    found = {}
    if heard.values.get(_OPEN) == "1":
        found["TCP_OS"] = f"{_OPEN} is 1"
    for entry in heard.values.get(_ACCESS_LIST, "").split(","):
        if entry in _WRITE_FOR_ALL:
            found["STCP"] = f"{_ACCESS_LIST}: {entry}"
    return found


def _kept(host: _Host) -> PortRange | None:
    """The ports below 1024, as every row that may be this host's states them."""
    rows = [row for protocol in _PROTOCOLS for row in host.rows(protocol)]
    stated = {row.privileged for row in rows if row.knows("privileged")}
    return stated.pop() if rows and len(stated) == 1 else None


def _not_read(host: _Host, asks: dict[str, set[bool]], kept: PortRange) -> Iterator[Gap]:
    if "TCP_OS" in asks and host.heard.values.get(_OPEN) != "0":
        yield Gap(f"whether {_OPEN} is 1, which opens {kept} to everybody, was not read", ports=kept)
    if "STCP" in asks and not host.heard.values.get(_ACCESS_LIST):
        yield Gap(f"who may write to the STCP device (its {_ACCESS_LIST}), and so bind {kept}, was not read", ports=kept)


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
    """Everybody where low ports are open; else who may write to the STCP device, or privileged processes, which nothing shows."""
    host = _Host(heard, answers, tables)
    why = f"{ranges.privileged.source}: this release, or who set it up, asks for no privilege"
    return put_together(ranges, (
        lambda: of_everyone(ranges, tables, "low ports of VOS", why),
        lambda: _holders(host, ranges),
    ))  # fmt: skip


def _holders(host: _Host, ranges: Ranges) -> Iterator[Grant | Gap]:
    ports = list(ranges.privileged.seen)
    if not ports:
        return
    if len(host.stacks) > 1:
        yield Gap(f"who may take privileged ports depends on {host.undecided}")
        return
    needs, source = _NEEDS[host.stacks[0]], ranges.privileged.source
    if host.stacks == ["TCP_OS"]:
        yield from granted("privilege", needs, ports, "a bind takes a privileged process (Stratus, otp-804)", scope="privileged processes",
                           known=not ranges.privileged.gaps, source=source)  # fmt: skip
        yield Gap("which processes are privileged is shown by no answer that is read")
        return
    for entry in host.heard.values.get(_ACCESS_LIST, "").split(","):
        access, _, who = entry.partition(" ")
        if access == "write":
            steps = f"a bind takes {needs} (Stratus, stcp-1316)", f"{_ACCESS_LIST} gives {who} write access"
            known = not ranges.privileged.gaps
            yield from granted("privilege", f"{who} of {_ACCESS_LIST}", ports, *steps, known=known, scope=who, source=_ACCESS_LIST)


def sight(heard: Heard, answers: Answers) -> str:
    return "VOS shows no holders of sockets"


SYSTEM = System(
    "VOS", parsers=vos.PARSERS, ranges=ranges, settings=(_OPEN, _ACCESS_LIST), sight=sight, own_stacks=tuple(_CONTEXTS),
    persisted=None, grants=grants,
)  # fmt: skip
