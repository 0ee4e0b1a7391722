"""Listings of sockets as tests read them: each line accounted for, and what is seen and covered in a form to compare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditor.reading import FAMILIES, PROTOCOLS, Output, Reading
from tests.parsers import laws

Parse = Callable[[Output], Reading]
EVERY = {(protocol, family) for protocol in PROTOCOLS for family in FAMILIES}

SERVERS = "Active Internet connections (including servers)\n"
IPV6_SERVERS = "Active Internet connections (IPv6, including servers)\n"
MACOS = "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
LINUX = "Proto Recv-Q Send-Q Local Address           Foreign Address         State\n"
PROC = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
SOCKSTAT = "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
LSOF = "COMMAND PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n"
FSTAT = "USER     CMD          PID   FD MOUNT        INUM  MODE         R/W    SZ|DV\n"


def reader(parse: Parse, usual: str) -> Callable[..., Reading]:
    """`read(text, command, stderr)`, of which every line is accounted for; the command is the `usual` one where none is given."""

    def read(text: str, command: str = usual, stderr: str = "") -> Reading:
        output = Output(command, text, stderr)
        reading = parse(output)
        laws.accounted(output, reading)
        return reading

    return read


def places(reading: Reading) -> list[dict[str, Any]]:
    return [seen.shown for seen in reading.seen]


def place(protocol: str, family: str, address: str, port: int, state: str = "listening", **more: Any) -> dict[str, Any]:
    return {"protocol": protocol, "family": family, "address": address, "port": port, "state": state, **more}


def covered(reading: Reading) -> set[tuple[str, str]]:
    """The protocols and families of which every socket is listed."""
    return {pair for pair, why in reading.covers.items() if why is None}
