"""osquery's table listening_ports as `osqueryi --json "SELECT * FROM listening_ports"` prints it: a JSON array of objects of texts.

    [{"address":"0.0.0.0","family":"2","fd":"3","net_namespace":"4026531840","path":"","pid":"711","port":"22","protocol":"6","socket":"20480"}]

`family` is the number that the system it ran on has, `protocol` the one of IANA, `socket` on Linux the inode, `pid` -1 where osquery found
no process. `name` is there where the query joined processes; `path` is of a unix socket, or the executable where the query took it from
processes. A socket is listed once for each descriptor (macOS) or once (Linux), of every namespace that a process in view is in. v6only and
the device are not shown. A row is accounted for by its compact text, as JSON has no lines.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import packed_address
from auditor.parsers.json_text import compact, loaded
from auditor.port_range import PORT_MAX
from auditor.reading import Output, Reading

_FAMILIES = {"2": "ipv4", "10": "ipv6", "30": "ipv6", "23": "ipv6", "28": "ipv6"}
"""AF_INET; AF_INET6 of Linux, macOS, Windows and FreeBSD."""
_UNIX = ("0", "1")
_PROTOCOLS = {"6": "tcp", "17": "udp", "132": "sctp", "136": "udplite"}
"""IANA's protocol numbers, those that have ports."""
_LIMITED = re.compile(r"\b(?:limit|having|group\s+by|except|intersect)\b", re.IGNORECASE)
_WHERE = re.compile(r"\bwhere\b(.*)", re.IGNORECASE | re.DOTALL)
_HARMLESS_WHERE = re.compile(r"\s*(?:\w+\.)?port\s*(?:!=|<>|>)\s*'?0'?\s*(?:order\s+by\s+[\w., ]+)?;?\s*", re.IGNORECASE)
_INNER_JOIN = re.compile(r"(?<!left )(?<!outer )\bjoin\b|\bfrom\s+\w+(?:\s+(?:as\s+)?\w+)?\s*,", re.IGNORECASE)
_FIRST_PROCESS = "1"


def parse(output: Output) -> Reading:
    """Each object is a socket that holds a port, unless it is of another family or has none."""
    reading = Reading(per_descriptor=True, shows_owners=True)
    found = loaded(reading, output.text, "[")
    if found is None:
        reading.uncover("the output is no JSON array of osquery")
        return reading
    _asked(reading, " ".join(output.command.arguments))
    host = _host_namespace(found)
    for row in found:
        _row(reading, row, host)
    return reading


def _asked(reading: Reading, query: str) -> None:
    """Why the query may leave sockets out."""
    where = _WHERE.search(query)
    if "listening_ports" not in query:
        reading.uncover("the command does not show that listening_ports was asked for")
    elif _LIMITED.search(query) or (where and not _HARMLESS_WHERE.fullmatch(where[1])):
        reading.uncover("the query takes only some rows")
    elif _INNER_JOIN.search(re.sub(r"\s+", " ", query)):
        reading.uncover("the query joins another table and leaves out sockets that have no row there")


def _host_namespace(rows: list[Any]) -> set[str] | None:
    """The namespaces that are surely the host's: the only one, or the one of process 1; None where that is not known."""
    spaces = {str(row.get("net_namespace", "0")) for row in rows if isinstance(row, dict) and str(row.get("family")) not in _UNIX}
    if len(spaces) <= 1:
        return spaces
    first = {str(row["net_namespace"]) for row in rows if isinstance(row, dict) and str(row.get("pid")) == _FIRST_PROCESS}
    return first if len(first) == 1 else None


def _row(reading: Reading, row: Any, host: set[str] | None) -> None:
    text = compact(row)
    if not isinstance(row, dict):
        reading.gap("a row of osquery is no object", text)
        return
    told = {key: str(value) for key, value in row.items() if isinstance(value, (str, int))}
    protocol, family = _PROTOCOLS.get(told.get("protocol", "")), _FAMILIES.get(told.get("family", ""))
    port, pid, address = told.get("port", ""), told.get("pid", ""), told.get("address", "").partition("%")
    packed = packed_address(address[0])
    if told.get("family") in _UNIX:
        reading.pass_over(text, "a unix socket")
    elif port == "0" and family and told.get("protocol"):
        reading.pass_over(text, "it has no port")
    elif not (
        family and protocol and packed and re.fullmatch("[0-9]{1,5}", port) and int(port) <= PORT_MAX and re.fullmatch(r"-1|\d{1,10}", pid)
    ):
        reading.gap("a row of osquery cannot be read", text, protocol=protocol, family=family)
    elif host is None or told.get("net_namespace", "0") not in host:
        reading.gap(
            "a socket of another network namespace, or of one that is not known to be the host's", text, protocol=protocol, family=family
        )
    else:
        shown: dict[str, Any] = {"protocol": protocol, "family": family, "port": int(port), "state": "listening"}
        shown["address"] = f"::ffff:{address[0]}" if family == "ipv6" and len(packed) == 4 else address[0]
        if address[2]:
            shown["zone" if family == "ipv6" else "device"] = address[2]
        inode = told.get("socket", "0")
        reading.socket(text, owners=_owners(pid, told), identity=inode if inode.isdecimal() and inode != "0" else None, **shown)


def _owners(pid: str, told: dict[str, str]) -> list[dict[str, Any]]:
    if pid in ("-1", "0"):
        return []
    owner: dict[str, Any] = {"pid": int(pid)}
    if told.get("name"):
        owner["process"] = told["name"]
    if told.get("path"):
        owner["executable"] = told["path"] + (" (deleted)" if told.get("on_disk") == "0" else "")
    return [owner]
