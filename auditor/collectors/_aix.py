"""What an AIX host's settings mean: no(1). Which ports need a privilege is no setting, and is the vendor table's word."""

from __future__ import annotations

from collections.abc import Callable

from auditor.collectors._grants import root_only
from auditor.collectors._saved import Answers, Heard, Missing, Ranges, System, facts, handed_out, only
from auditor.collectors.aix import SETTINGS
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import ifconfig, lsof, netstat_aix, no, ps
from auditor.port_range import PORT_MAX, PortRange
from auditor.tables import Tables

_PROTOCOLS = ("tcp", "udp")
_NEEDS = "root, or a privilege of role-based access control"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """A range for TCP and one for UDP, which IPv4 and IPv6 share."""
    return Ranges(
        _privileged(answers, tables),
        facts("tcp_ephemeral_low, udp_ephemeral_low", [_of(heard, protocol) for protocol in _PROTOCOLS], answers.whole, "read"),
        Facts([], "AIX keeps no list of ports that it does not hand out", answers.whole, "derived"),
    )


def _privileged(answers: Answers, tables: Tables) -> Facts[Range]:
    row = tables.vendor("AIX", answers.head.get("release"))
    if row is None or not row.knows("privileged"):
        return Facts(
            [], "vendor table", [Gap("the vendor table does not say which ports AIX keeps privileged"), *answers.whole], "documented"
        )
    ports = row.privileged
    seen = [] if ports is None else [
        Range(first=ports.first, last=ports.last, protocol="any", family="any", wildcard_exempt=False, needs=_NEEDS)
    ]  # fmt: skip
    return Facts(seen, f"vendor table, {row.id}", answers.whole, "documented")


def _of(heard: Heard, protocol: str) -> Callable[[], list[Range]]:
    low, high = f"{protocol}_ephemeral_low", f"{protocol}_ephemeral_high"

    def part() -> list[Range]:
        first, last = heard.number(low, PORT_MAX), heard.number(high, PORT_MAX)
        if first > last:
            raise Missing(f"{low} is above {high}: what is handed out then is not documented", f"{first}, {last}")
        return [handed_out(PortRange(first, last), "default", protocol)]

    return only(part, protocol)


SYSTEM = System(
    "AIX",
    parsers={"no": no.parse, "netstat": netstat_aix.parse, "lsof": lsof.parse, "ps": ps.parse, "ifconfig": ifconfig.parse},
    ranges=ranges, settings=SETTINGS, asked=SETTINGS, holders=("lsof",),
    grants=root_only(
        "root may take every port: the vendor table's word, for AIX has no setting for it",
        others="whom role-based access control lets take low ports is shown by no answer that is read",
    ),
)  # fmt: skip
