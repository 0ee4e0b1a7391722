"""A row of the socket table that HP-UX and AIX have from BSD's netstat (inet.c): addresses joined to the port by a dot, and cut.

    Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
    tcp        0      0  *.8443                 *.*                    LISTEN

The host part is cut at 16 characters and the whole at the width of its column, which takes the last digits of a port with it and leaves no
sign. A text as wide as that may be cut, however good it looks: a port that may have lost digits is a gap, an address is marked.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import WILDCARDS, dotted
from auditor.port_range import PORT_MAX
from auditor.reading import Reading, Seen

HEADER = re.compile(r"(?:PCB/ADDR\s+)?Proto\s+Recv-Q\s+Send-Q\s+Local Address\s+Foreign Address(?:\s+\(state\))?")
_HOST_WIDTH = 16
"""inetprint() of BSD's netstat: `%.*s.` with 16, or 12 for names with -A."""
_COLUMN_WIDTH = 22
_PORT_DIGITS = 5
_STATES = {"LISTEN": "listening", "BOUND": "bound", "IDLE": "bound", "CLOSED": "bound"}
"""What a TCP row without peer that has a port is; a socket that was bound only is in CLOSED where the stack is BSD's."""
_CONNECTED = ("ESTABLISHED", "SYN_SENT", "SYN_RCVD", "CLOSE_WAIT", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSING", "LAST_ACK", "TIME_WAIT")


def width(header: str) -> int:
    """How wide a header's column of local addresses is."""
    local, foreign = header.find("Local Address"), header.find("Foreign Address")
    return foreign - local - 1 if 0 <= local < foreign else _COLUMN_WIDTH


def socket_row(
    reading: Reading, line: str, protocol: str, family: str | None, local: str, foreign: str, state: str, *, column: int,
    identity: str | None = None,
) -> Seen | None:  # fmt: skip
    """Take, pass over or gap one row of TCP or UDP; the socket that it gave. `family` None: the row does not tell."""
    near, far = dotted(local, family), dotted(foreign, family)
    if state in _CONNECTED:
        reading.pass_over(line, "a connection")
    elif far is None or near is None:
        reading.gap("an address of this line cannot be read", line.strip(), protocol=protocol, family=family)
    elif not far.anywhere:
        if state in _STATES:
            reading.gap(f"it has a peer and is in state {state}", line.strip(), protocol=protocol, family=family)
        else:
            reading.pass_over(line, "it has a peer: a connection")
    elif near.unbound:
        reading.pass_over(line, "it has no port")
    elif _port_may_be_cut(local, column):
        reading.gap("the port may be cut: it fills its column", line.strip(), protocol=protocol, family=near.family)
    elif protocol == "tcp" and state not in _STATES:
        reading.gap(
            "a socket without peer is in no state that says whether it listens", line.strip(), protocol=protocol, family=near.family
        )
    else:
        shown: dict[str, Any] = {"address": near.address, "family": near.family or "unknown"}
        if near.port is not None:
            shown["port"] = near.port
        if near.zone:
            shown["zone"] = near.zone
        if near.address not in ("*", *WILDCARDS.values()) and _host_may_be_cut(local, is_name=near.is_name):
            shown["address_cut"] = True
        shown["state"] = _STATES[state] if protocol == "tcp" else "listening"
        return reading.socket(line, port_name=near.port_name, identity=identity, protocol=protocol, **shown)
    return None


def _port_may_be_cut(local: str, column: int) -> bool:
    port = local.rpartition(".")[2]
    if len(local) < column:
        return False
    return not port.isdigit() or (len(port) < _PORT_DIGITS and int(port) * 10 <= PORT_MAX)


def _host_may_be_cut(local: str, *, is_name: bool) -> bool:
    host = local.rpartition(".")[0]
    return len(host) == _HOST_WIDTH and (is_name or ":" in host)
