"""The port settings of a STREAMS stack (Mentat's), which HP-UX, Solaris and FTX have alike: a set for TCP, one for UDP, as ndd names them.

tcp_smallest_anon_port and tcp_largest_anon_port are what the stack hands out, tcp_smallest_nonpriv_port is the first port that needs no
privilege. Where settings are properties (ipadm), the same names begin with `tcp.` in place of `tcp_`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from auditor.collectors._saved import Heard, Missing, below, facts, handed_out, only
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.port_range import PORT_MAX, PortRange

PROTOCOLS = ("tcp", "udp")
ANONYMOUS = ("smallest_anon_port", "largest_anon_port")
THRESHOLD = "smallest_nonpriv_port"
NAMES = tuple(f"{protocol}_{name}" for protocol in PROTOCOLS for name in (*ANONYMOUS, THRESHOLD))


def named(heard: Heard, protocol: str, name: str) -> str:
    """The setting's name as the answers have it; as ndd has it where they have none."""
    property_name = f"{protocol}.{name}"
    return property_name if property_name in heard.values else f"{protocol}_{name}"


def told(heard: Heard, protocols: Iterable[str], *names: str) -> bool:
    """Whether an answer states one of these settings."""
    return any(named(heard, protocol, name) in heard.values for protocol in protocols for name in names)


def anonymous(heard: Heard, gaps: list[Gap], protocols: Iterable[str] = PROTOCOLS) -> Facts[Range]:
    """What the stack hands out, by protocol."""

    def of(protocol: str) -> Callable[[], list[Range]]:
        first, last = (named(heard, protocol, name) for name in ANONYMOUS)

        def part() -> list[Range]:
            least, most = heard.number(first, PORT_MAX), heard.number(last, PORT_MAX)
            if least > most:
                raise Missing(f"{first} is above {last}: what is handed out then is not documented", f"{least}, {most}")
            return [handed_out(PortRange(least, most), "default", protocol)]

        return only(part, protocol)

    return facts("smallest_anon_port, largest_anon_port", [of(protocol) for protocol in protocols], gaps, "read")


def unprivileged_from(heard: Heard, needs: str, gaps: list[Gap], protocols: Iterable[str] = PROTOCOLS) -> Facts[Range]:
    """What needs a privilege, by protocol: the ports below the threshold."""

    def of(protocol: str) -> Callable[[], list[Range]]:
        return only(lambda: below(threshold(heard, protocol), needs, protocol), protocol)

    return facts(THRESHOLD, [of(protocol) for protocol in protocols], gaps)


def threshold(heard: Heard, protocol: str) -> int:
    """The first port that needs no privilege."""
    return heard.number(named(heard, protocol, THRESHOLD), PORT_MAX + 1)
