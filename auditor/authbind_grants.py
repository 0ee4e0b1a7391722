"""Whether a grant of authbind gives one user a port on one address, as authbind(1)'s helper decides it. No I/O."""

from __future__ import annotations

import ipaddress
import re
from stat import S_IXGRP, S_IXOTH, S_IXUSR

from auditor.binding import Grant, Measured
from auditor.facts import UnknownFact
from auditor.owner import File
from auditor.port_range import PortRange

PORTS = PortRange(1, 1023)
"""Below IPPORT_RESERVED of <netinet/in.h> libauthbind asks its helper alone, whatever the kernel would allow; from there on the kernel."""
_BY_ADDRESS = re.compile("byaddr/!?(.+)[,:][0-9]+")
_BY_USER = re.compile(r".+:[0-9]+ allows ([0-9]+(?:-[0-9]+)?) on (.+)")
_GROUP = re.compile("group ([0-9]+)")
_ANY = {"any IPv4 address": 4, "any IPv6 address": 6}


def gives(grant: Grant, measured: Measured, port: int) -> bool:
    """Whether it does now: not what someone may make of it by changing a mode or adding a file. Raises UnknownFact where it is not told."""
    kind, _, rest = grant.subject.partition("/")
    if " " in rest or not rest or not grant.allows(measured.protocol, port):
        return False
    if kind == "byuid":
        return grant.uid == measured.uid and _rules_allow(grant, measured.address, port)
    address = _BY_ADDRESS.fullmatch(grant.subject)
    return (address is None or _same(address[1], measured.address)) and _may_run(grant, measured)


def _may_run(grant: Grant, measured: Measured) -> bool:
    """Whether a user may execute what the grant is by: the file, and the folders above it, of which only the outcome is told."""
    if grant.shown.get("uid") == measured.uid:
        return True
    if grant.file is None or not may_run(grant.file, measured.uid, measured.gids):
        return False
    if grant.everyone:
        return True
    group = _GROUP.fullmatch(grant.scope)
    if group is None:
        raise UnknownFact(f"whether user {measured.uid} may use {grant.subject} is not told apart: {grant.scope}", "grants")
    return int(group[1]) in measured.gids


def may_run(file: File, uid: int, gids: list[int]) -> bool:
    """Whether access(2) with X_OK is granted to a user who is not root: the first class that it is in decides, path_resolution(7). Raises
    UnknownFact where an access control list may say otherwise."""
    if file.shown.get("access_list"):
        raise UnknownFact(f"{file.shown.get('path', 'a file of authbind')} has an access control list, which was not read", "grants")
    bit = S_IXUSR if file.uid == uid else S_IXGRP if file.gid in gids else S_IXOTH
    return bool(file.permissions & bit)


def _rules_allow(grant: Grant, address: str, port: int) -> bool:
    """Whether a line of a byuid file allows it, as the grant tells of them; a line that it leaves out may."""
    lines = [found for step in grant.via if (found := _BY_USER.fullmatch(step))]
    if any(port in PortRange.parse(line[1]) and _within(address, line[2]) for line in lines):
        return True
    if not lines or any(step.endswith(" lines more") for step in grant.via):
        raise UnknownFact(f"not all lines of {grant.source} are told", "grants")
    return False


def _within(address: str, words: str) -> bool:
    """Whether an address is among `any IPv4 address`, `10.0.0.1` or `10.0.0.1-10.0.0.9`."""
    known = ipaddress.ip_address(address)
    if words in _ANY:
        return known.version == _ANY[words]
    first, _, last = words.partition("-")
    low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
    return low.version == known.version and int(low) <= int(known) <= int(high)


def _same(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False
