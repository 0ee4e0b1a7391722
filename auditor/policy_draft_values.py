"""What an entry can ask of listeners that were seen: who holds them, and where they are bound."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from auditor.model import Socket
from auditor.owner import Owner

VALUES_MAX = 5
"""More users, units or addresses than these tell nothing in common."""
_AT_RUN_TIME = re.compile(r"(?!init\.scope$).*\.scope|run-.*")
"""Units whose names are made when they start: sessions, `systemd-run`."""


def expressible(text: str) -> bool:
    """Whether a policy's pattern can name just this text: `*` stands for others too, and control characters are refused."""
    return bool(text) and text.isprintable() and "*" not in text


class Holders:
    """Who holds a socket, all of them: `shown` are the values of each key that every holder shows; `identity` is what makes sockets one
    service; `program` is a word for it; `unit_left_out` says that it has a unit whose name is of no use."""

    __slots__ = ("identity", "program", "shown", "unit_left_out")

    def __init__(self, identity: tuple[str, frozenset[str]], shown: dict[str, set[str]], program: str, unit_left_out: bool = False) -> None:
        self.identity = identity
        self.shown = shown
        self.program = program
        self.unit_left_out = unit_left_out

    @staticmethod
    def common(all_of_them: list[Holders]) -> tuple[dict[str, list[str]], list[str]]:
        """What is common to the holders of several sockets, and what to say of the rest. By process name only where nothing says more
        about the program."""
        asked: dict[str, list[str]] = {}
        notes = ["runs in a login session, or was started by hand"] if any(one.unit_left_out for one in all_of_them) else []
        for key in ("container", "executable", "process", "user", "unit"):
            if not all_of_them or not all(key in one.shown for one in all_of_them):
                continue
            values = sorted(set().union(*(one.shown[key] for one in all_of_them)))
            if len(values) > VALUES_MAX:
                notes.append(f"{len(values)} different values of {key}")
            elif key != "process" or "executable" not in asked:
                asked[key] = values
        return asked, notes


def holders_of(socket: Socket) -> Holders | None:
    """Who holds a socket; None where that was not wholly seen."""
    shown = socket.shown
    owners: list[Owner] = shown.get("owners_seen", [])
    if shown.get("owner_state") != "known" or not owners:
        return None
    unit = shown.get("socket_unit")
    if unit is not None and expressible(unit) and any(owner.shown.get("pid") == 1 for owner in owners):
        activated = shown.get("activates")
        units = {unit, *([activated] if activated is not None and expressible(activated) else [])}
        return Holders(("unit", frozenset({unit})), {"unit": units}, unit.rpartition(".")[0])
    values: dict[str, set[str]] = {}
    for key in ("container", "executable", "process", "user", "unit"):
        found = [_value(key, owner.shown) for owner in owners]
        if None not in found:
            values[key] = {str(one) for one in found}
    named = next((key for key in ("executable", "process", "user", "unit", "container") if key in values), None)
    if named is None:
        return None
    first = min(values.get("unit") or values[named])
    program = first.rpartition("/")[2] if named == "executable" and "unit" not in values else first.rpartition(".")[0] or first
    hidden = any(owner.shown.get("unit") is not None for owner in owners) and "unit" not in values and "container" not in values
    return Holders((named, frozenset(values[named])), values, program.partition("@")[0], hidden)


def _value(key: str, shown: dict[str, Any]) -> str | None:
    """What an entry asks to get this holder and no other; None where it cannot."""
    if key == "user":
        return _user(shown)
    value = shown.get(key)
    if not isinstance(value, str) or not expressible(value):
        return None
    if (key == "executable" and value[0] != "/") or (key == "unit" and _AT_RUN_TIME.fullmatch(value)):
        return None
    return value


def _user(shown: dict[str, Any]) -> str | None:
    """The name; the number where the name may mean another, or is none."""
    name, number = shown.get("user"), shown.get("uid")
    clear = isinstance(name, str) and bool(name) and name.isprintable() and not name.isdigit()
    if clear and (name != "root" or number in (None, 0)):
        return str(name)
    return str(number) if isinstance(number, int) and 0 <= number < 10**10 else None


def address_values(sockets: Iterable[Socket], *, one_host: bool) -> dict[str, list[str]]:
    """Where they are bound, as far as it is common to them: loopback, a device, or, of one host, the addresses themselves."""
    values: dict[str, list[str]] = {}
    bound = [_bound(socket) for socket in sockets]
    devices = {socket.shown.get("device") for socket in sockets}
    if all(address == "loopback" for address in bound):
        values["address"] = ["loopback"]
    elif one_host and None not in bound and len(set(bound)) <= VALUES_MAX:
        values["address"] = sorted({str(address) for address in bound})
    if len(devices) == 1 and isinstance(device := devices.pop(), str) and device and device.isprintable():
        values["interface"] = [device]
    return values


def _bound(socket: Socket) -> str | None:
    """`loopback`, the address it is bound to, or None for a wildcard, and where that is not known."""
    shown = socket.shown
    try:
        address = ip_address(str(shown.get("address")).partition("%")[0])
    except ValueError:
        return None
    plain = getattr(address, "ipv4_mapped", None) or address
    if shown.get("address_cut") or plain.is_unspecified:
        return None
    return "loopback" if plain.is_loopback else str(plain)
