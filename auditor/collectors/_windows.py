"""What a Windows host's settings mean: netsh's dynamic and excluded ports since NT 6.0, MaxUserPort and ReservedPorts before.

No port needs a privilege by its number. Since Vista and Server 2008 each protocol of each version of IP has a range of its own, and a list
of ports that nobody may bind, not even an administrator, and that are not handed out. Before, one range ends at MaxUserPort (5000 where
that is not set, as it is not by default), and begins at 1024 or 1025: Microsoft says both.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.binding import Grant
from auditor.collectors._documented import agreed, disputed, handed_out_by, meant, remark
from auditor.collectors._grants import of_everyone, put_together
from auditor.collectors._saved import Answers, Heard, Missing, Ranges, System, facts, handed_out, kept, only
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import netsh, netstat_windows, powershell_sockets, registry, services, tasklist
from auditor.port_range import PortRange
from auditor.tables import Tables, VendorRecord
from auditor.vendor_ranges import release_key

_NEXT_GENERATION = "6.0"
_PAIRS = tuple((family, protocol) for family in ("ipv4", "ipv6") for protocol in ("tcp", "udp"))
_MAX_USER_PORT = "MaxUserPort"
_MAX_USER_PORTS = PortRange(5000, 65534)
"""The values that Microsoft's page on MaxUserPort allows."""
_RESERVED_PORTS = "ReservedPorts"
_KEY = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
_FTSERVER = "ftserver"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    rows = list({row.id: row for end in meant(answers.head.get("release")) if (row := tables.vendor("Windows", end))}.values())
    remarks = [*_hardware(answers, tables), *(words for row in rows for words in remark(row))]
    privileged = _privileged(rows, answers)
    if _is_old(answers):
        return Ranges(privileged, _up_to_max_user_port(heard, answers, rows), _reserved_ports(heard, answers), remarks)
    if not rows and not any(_dynamic(*pair) in heard.values for pair in _PAIRS):
        unknown = [_no_row(answers), *answers.whole]
        return Ranges(privileged, Facts([], "vendor table", unknown, "documented"), Facts([], "vendor table", unknown), remarks)
    parts = [only(_of(heard, family, protocol), protocol, family) for family, protocol in _PAIRS]
    excluded = [only(_excluded(heard, family, protocol), protocol, family) for family, protocol in _PAIRS]
    return Ranges(
        privileged,
        facts("netsh, dynamicport", parts, answers.whole, "read"),
        facts("netsh, excludedportrange", excluded, [*heard.troubles, *answers.whole], "read"),
        remarks,
    )


def _is_old(answers: Answers) -> bool:
    """Whether it is surely a release before Vista and Server 2008."""
    since = release_key(_NEXT_GENERATION)
    most = release_key(meant(answers.head.get("release"))[1])
    return since is not None and most is not None and most < since


def _no_row(answers: Answers) -> Gap:
    release = answers.head.get("release")
    said = "the release is not given" if release is None else f"the vendor table has no Windows {release!r:.40}"
    return Gap(f"{said}: give the NT version (--release 10.0; 5.2 is Server 2003)")


def _privileged(rows: list[VendorRecord], answers: Answers) -> Facts[Range]:
    """None by number, as every row says."""
    if not rows or any(not row.knows("privileged") or row.privileged is not None for row in rows):
        return Facts([], "vendor table", [_no_row(answers), *answers.whole], "documented")
    return Facts([], f"vendor table, {', '.join(row.id for row in rows)}: none", answers.whole, "documented")


def _dynamic(family: str, protocol: str) -> str:
    return f"dynamicport.{family}.{protocol}"


def _of(heard: Heard, family: str, protocol: str) -> Callable[[], list[Range]]:
    def part() -> list[Range]:
        ports = heard.ports(_dynamic(family, protocol))
        return [handed_out(one, "default", protocol, family) for one in ports]

    return part


def _excluded_name(family: str, protocol: str) -> str:
    return f"excludedportrange.{family}.{protocol}"


def _excluded(heard: Heard, family: str, protocol: str) -> Callable[[], list[Range]]:
    name = _excluded_name(family, protocol)
    return lambda: [kept(ports, protocol, family) for ports in sorted(set(heard.ports(name)))]


def _up_to_max_user_port(heard: Heard, answers: Answers, rows: list[VendorRecord]) -> Facts[Range]:
    """What is handed out before NT 6.0: the table's range, up to MaxUserPort where that is set."""
    shipped, some = agreed(handed_out_by(row, "any") for row in rows)
    gaps = [Gap(f"whether {ports} is handed out depends on the release", ports=ports) for ports in some]
    gaps += [gap for row in rows for gap in disputed(row)] if rows else [_no_row(answers)]
    source = f"vendor table, {', '.join(row.id for row in rows)}"
    if _MAX_USER_PORT in heard.values and shipped:
        try:
            last = heard.number(_MAX_USER_PORT, _MAX_USER_PORTS.last)
            if last not in _MAX_USER_PORTS:
                raise Missing(f"{_MAX_USER_PORT} is {last}, which is none of {_MAX_USER_PORTS}")
        except Missing as lack:
            return Facts([], _MAX_USER_PORT, [lack.gap, *answers.whole])
        seen = [handed_out(PortRange(shipped[0].first, last), "default")]
        return Facts(seen, f"{_MAX_USER_PORT}; {source}", [*gaps, *answers.whole], "derived")
    if not heard.known_absent(_MAX_USER_PORT):
        gaps.append(Gap(f"it may have been set otherwise: {_MAX_USER_PORT} was not read (reg query {_KEY} /v {_MAX_USER_PORT})"))
    seen = [] if heard.troubles and not heard.known_absent(_MAX_USER_PORT) else [handed_out(ports, "default") for ports in shipped]
    return Facts(seen, source, [*gaps, *answers.whole], "documented")


def _reserved_ports(heard: Heard, answers: Answers) -> Facts[Range]:
    """ReservedPorts of Windows 2000 and 2003: ranges such as 5000-5010 that are not handed out."""
    if heard.known_absent(_RESERVED_PORTS):
        return Facts([], f"{_RESERVED_PORTS}: not set", answers.whole)
    return facts(_RESERVED_PORTS, [lambda: [kept(ports) for ports in sorted(set(heard.ports(_RESERVED_PORTS)))]], answers.whole, "read")


def _hardware(answers: Answers, tables: Tables) -> list[str]:
    """An ftServer runs Windows; what Stratus' own page says of it, and where that contradicts itself."""
    if answers.head.get("system", "").casefold() != _FTSERVER:
        return []
    said = ["An ftServer runs Windows, and is judged as that."]
    for row in tables.vendor_all("Windows", answers.head.get("release")):
        said += remark(row) if row.context == "article" else []
    return said


def grants(heard: Heard, answers: Answers, tables: Tables, ranges: Ranges) -> Facts[Grant]:
    """No number asks for a privilege: not even a setting could make one do so."""
    why = (f"{ranges.privileged.source}: Windows asks for no privilege by a port's number",
           "a port that netsh lists as excluded is refused to everybody, administrators included")  # fmt: skip
    return put_together(ranges, [lambda: of_everyone(ranges, tables, "low ports of Windows", *why)])


def asked(heard: Heard, answers: Answers) -> tuple[str, ...]:
    if _is_old(answers):
        return (_MAX_USER_PORT, _RESERVED_PORTS)
    return tuple(name(*pair) for name in (_dynamic, _excluded_name) for pair in _PAIRS)


def sight(heard: Heard, answers: Answers) -> None:
    """Windows shows every user the process identifier of every socket."""


SYSTEM = System(
    "Windows",
    parsers={
        "netsh": netsh.parse, "netstat": netstat_windows.parse, "tasklist": tasklist.parse, "reg": registry.parse,
        **dict.fromkeys(("get-nettcpconnection", "get-netudpendpoint", "powershell", "pwsh"), powershell_sockets.parse),
    },
    files=((r"(?i).*\\etc\\services", services.parse),),
    ranges=ranges, settings=("dynamicport.", "excludedportrange.", _MAX_USER_PORT, _RESERVED_PORTS), asked=asked, sight=sight,
    grants=grants,
)  # fmt: skip
