"""What a macOS host's settings and release mean: xnu's bsd/netinet/in_pcb.c, in6_pcb.c, bsd/net/restricted_in_port.c.

No setting holds the privileged limit: it depends on the release alone, so it is the vendor table's word for that release.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from auditor.binding import Grant
from auditor.collectors._grants import granted, needing, of_root, put_together
from auditor.collectors._portrange import PORTRANGE, picked
from auditor.collectors._saved import Answers, Heard, Missing, Ranges, System, facts, kept
from auditor.collectors.darwin import ORDER, RANGES, RESTRICTED
from auditor.facts import Facts
from auditor.model import Range
from auditor.parsers import ifconfig, lsof, netstat_macos, ps, sysctl
from auditor.tables import Tables
from auditor.vendor_ranges import VendorRange, VendorRecord, release_key

Part = Callable[[], list[Range]]

_ENTITLEMENT = "an entitlement of Apple's own; being root does not help"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """The settings speak of TCP and UDP, IPv4 and IPv6 alike; the restricted ports are TCP's."""
    release = answers.head.get("release")
    record = tables.vendor("Darwin", release)
    source = f"vendor table, {record.id}" if record else "no vendor row"
    return Ranges(
        facts(source, (lambda: _privileged(record, release), *_restricted(heard, record, release, _refused)), answers.whole, "documented"),
        facts(PORTRANGE, picked(heard), answers.whole),
        facts(f"{RESTRICTED}; {source}", _restricted(heard, record, release, _kept), answers.whole, "documented"),
    )


def _known(record: VendorRecord | None, release: str | None) -> VendorRecord:
    if record is None:
        raise Missing(f"the release decides which ports are privileged, and none is known by {release!r}" if release
                      else "the release decides which ports are privileged, and it is not given (uname -r)")  # fmt: skip
    return record


def _privileged(record: VendorRecord | None, release: str | None) -> list[Range]:
    known = _known(record, release)
    ports = known.privileged
    if ports is None:
        return []
    return [Range(first=ports.first, last=ports.last, protocol="any", family="any", wildcard_exempt=known.wildcard_exempt, needs="root")]


def _restricted(heard: Heard, record: VendorRecord | None, release: str | None, made: Callable[[VendorRange], Range]) -> list[Part]:
    """The ports that the kernel refuses even to root, of the releases that have them, where it enforces it."""
    if record is None:
        return [partial(_nothing, record, release)]
    key = release_key(release or "")
    also = [one for one in record.privileged_also if one.since is None or (key and key >= (release_key(one.since) or key))]
    return [partial(_enforced, heard, one, made) for one in also]


def _nothing(record: VendorRecord | None, release: str | None) -> list[Range]:
    _known(record, release)
    return []


def _enforced(heard: Heard, also: VendorRange, made: Callable[[VendorRange], Range]) -> list[Range]:
    if heard.known_absent(RESTRICTED):
        return []
    try:
        return [made(also)] if heard.number(RESTRICTED, 1) else []
    except Missing as lack:
        raise Missing(lack.gap.why, lack.gap.line, protocol=also.protocol, ports=also.ports) from None


def _refused(also: VendorRange) -> Range:
    return Range(
        first=also.ports.first, last=also.ports.last, protocol=also.protocol, family="any", wildcard_exempt=False, needs=_ENTITLEMENT
    )


def _kept(also: VendorRange) -> Range:
    return kept(also.ports, also.protocol)


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
    """Root, where the release has it so everybody on the wildcard address, and Apple's own programs on the restricted ports."""
    return put_together(ranges, (
        lambda: of_root(ranges, needing(ranges, "root"), "uid 0 has PRIV_NETINET_RESERVEDPORT (bsd/kern/kern_priv.c)"),
        lambda: _on_the_wildcard(ranges),
        lambda: granted("privilege", "an entitlement of Apple's own", needing(ranges, _ENTITLEMENT), f"it takes {_ENTITLEMENT}",
                        known=not ranges.privileged.gaps, scope="programs that Apple signed for it", source=ranges.privileged.source),
    ))  # fmt: skip


def _on_the_wildcard(ranges: Ranges) -> list[Grant]:
    """From Darwin 18 on in_pcbbind and in6_pcbbind ask for the privilege only where the address is not the wildcard."""
    exempt = [one for one in ranges.privileged.seen if one.wildcard_exempt]
    return granted(
        "wildcard", "0.0.0.0 and ::", exempt, "since macOS 10.14 the kernel asks for no privilege where the address is 0.0.0.0 or ::",
        "so any user may take these ports on the wildcard address, and only root on one address", known=not ranges.privileged.gaps,
        scope="everyone, on the wildcard address", source=ranges.privileged.source, everyone=True, uid=None, user=None,
    )  # fmt: skip


SYSTEM = System(
    "Darwin",
    parsers={"netstat": netstat_macos.parse, "lsof": lsof.parse, "sysctl": sysctl.parse, "ifconfig": ifconfig.parse, "ps": ps.parse},
    ranges=ranges,
    settings=(f"{PORTRANGE}.", RESTRICTED, *ORDER),
    asked=RANGES,
    holders=("lsof",),
    persisted=r"/etc/sysctl\.conf",
    boot_files=("/etc/sysctl.conf",),
    grants=grants,
    limits=(
        "netstat names the process that used a socket last, which for one that launchd opened is launchd.",
        "App Sandbox and other policies of the MAC framework can refuse a bind; none was examined.",
    ),
)
