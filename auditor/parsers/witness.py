"""The rows of our own second witness (auditor.live.witness): protocol, address and port of each listener that psutil sees."""

from __future__ import annotations

from auditor.parsers import rows
from auditor.port_range import PORT_MAX
from auditor.reading import Output, Read

COLUMNS = "protocol address port"


class Witness(Read):
    """`found` as (protocol, address, port)."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, int]] = []


def parse(output: Output) -> Witness:
    """A row that cannot be read is a gap."""
    witness = Witness()
    found, gaps = rows.parse(output.text, COLUMNS, "psutil")
    witness.gaps += gaps
    for protocol, address, port in found:
        if protocol and address and (number := rows.number(port, PORT_MAX)):
            witness.found.append((protocol, address, number))
        else:
            witness.gap("a row of psutil cannot be read", f"{protocol} {address} {port}")
    return witness
