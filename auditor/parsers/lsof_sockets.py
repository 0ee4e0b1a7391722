"""What the table and the fields of lsof have in common: sockets, names of processes, and lines that are none of these."""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import coloned
from auditor.parsers.typed_lines import is_echo, pass_over_echo
from auditor.reading import Reading

PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "UDPLITE": "udplite", "SCTP": "sctp"}
TYPES = {"IPv4": "ipv4", "IPv6": "ipv6"}
DEVICE = re.compile(r"0x[0-9a-f]{1,16}|\d{1,20}")
REPETITION = re.compile(r"=+|m.*=")
_NAME = re.compile(r"(?P<name>\S+)?(?:\s*\((?P<said>[^()]*)\))?\s*")
_REGISTERED = re.compile(r"(?<=[\w*])\[[^\[\]]*\]$")
"""What +M puts after a port: the name it has with the portmapper."""
_NOT_SEEN = re.compile(r"/fd(?:/\d+)? \((?:opendir|readlink|stat): ")
_HARMLESS_NOTE = re.compile(
    r"lsof: WARNING: can't stat\(\) .*|\s+Output information may be incomplete\.|\s+assuming \"dev=.*|lsof: no pwd entry for UID \d+"
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([\\bfnrt]))")
_CONTROLS = {"\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BOUND = frozenset(("CLOSED", "CLOSE", "BOUND", "IDLE"))
_CONNECTED = frozenset(
    (
        "ESTABLISHED", "SYN_SENT", "SYN_RECV", "SYN_RCVD", "SYN_RCDV", "FIN_WAIT1", "FIN_WAIT2", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT",
        "CLOSE_WAIT", "CLOSING", "LAST_ACK", "NEW_SYN_RECV",
    )
)  # fmt: skip


def note(reading: Reading, line: str) -> bool:
    """Pass over what is surely no row."""
    if _HARMLESS_NOTE.fullmatch(line):
        reading.pass_over(line, "a note on files or accounts")
    elif REPETITION.fullmatch(line.strip()):
        reading.pass_over(line, "a mark between repetitions (-r)")
    elif is_echo(line, "lsof"):
        pass_over_echo(reading, line)
    else:
        return False
    return True


def is_not_seen(text: str) -> bool:
    """`/proc/PID/fd (opendir: Permission denied)` in place of what a process has open."""
    found = _NOT_SEEN.search(text)
    return found is not None and text.rstrip().endswith(")")


def socket(
    reading: Reading, line: str, protocol: str, family: str | None, text: str, owner: dict[str, Any], identity: str | None,
    state: str | None = None,
) -> bool:  # fmt: skip
    """Take one socket, `text` being its name: LOCAL[->PEER] [(STATE ...)]. False where it holds no port or cannot be read."""
    parts = _NAME.fullmatch(text)
    name = parts["name"] if parts else None
    for word in (parts["said"] or "").split()[:1] if parts else ():
        state = state if "=" in word else word
    if text.startswith("no PCB"):
        reading.pass_over(line, "it is shut down: it has no address")
    elif name is None:
        reading.gap("its address is not shown" if not text else "its address cannot be read", line, protocol=protocol, family=family)
    elif "->" in name:
        reading.pass_over(line, "it has a peer: a connection")
    elif (end := coloned(_REGISTERED.sub("", name), family)) is None:
        reading.gap("its address cannot be read", line, protocol=protocol, family=family)
    elif end.unbound:
        reading.pass_over(line, "it has no port")
    elif state in _CONNECTED:
        reading.pass_over(line, f"{state}: a connection")
    elif protocol in ("udp", "udplite") and state == "Unbound":
        reading.pass_over(line, "it has no port")
    elif (meaning := _meaning(protocol, state)) is None:
        reading.gap("its state is not known", line, protocol=protocol, family=family)
    else:
        shown: dict[str, Any] = {"protocol": protocol, "state": meaning, "family": end.family or "unknown", "address": end.address}
        if end.family == "ipv6" and not end.is_name and ":" not in end.address:
            shown["address"] = f"::ffff:{end.address}"
        if end.is_name and family is None:
            shown["family"] = "unknown"
        if end.port is not None:
            shown["port"] = end.port
        if end.zone:
            shown["zone"] = end.zone
        reading.socket(line, owners=[owner] if owner else [], port_name=end.port_name, identity=identity, **shown)
        return True
    return False


def _meaning(protocol: str, state: str | None) -> str | None:
    """What the state of a socket without a peer says; None where it is none that is known."""
    if protocol in ("udp", "udplite"):
        return "listening" if state in (None, "Idle") else None
    if state is None:
        return "unknown"
    return "listening" if state == "LISTEN" else "bound" if state in _BOUND else None


def unescaped(text: str) -> str:
    r"""The name behind `\x20` and the like; as printed where that is no text."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _CONTROLS[found[2]], text)
    if plain == text or not re.search(r"\\x[89a-f]", text):
        return plain
    try:
        return plain.encode("latin-1").decode()
    except UnicodeError:
        return text
