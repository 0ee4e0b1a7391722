"""Who may take privileged ports on Solaris and illumos: secpolicy_net_privaddr (usr/src/uts/common/os/policy.c), privileges(7),
user_attr(5), policy.conf(5).

Root has every privilege of its zone. A user has those of defaultpriv in /etc/user_attr, or else of PRIV_DEFAULT in policy.conf, inside what
limitpriv or PRIV_LIMIT leaves. The ports of NFS take PRIV_SYS_NFS, which a zone has only where it was given to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.binding import Grant
from auditor.collectors._grants import ROOT, granted, of_everyone, of_root, put_together
from auditor.collectors._saved import Heard, Ranges
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers.user_attr import DEFAULT, LIMIT, PolicyConf, UserAttributes
from auditor.tables import Tables

_OF_ZONES = "PRIV_SYS_NFS"
_FILE, _POLICY = "/etc/user_attr", "/etc/security/policy.conf"
_KEYS = {DEFAULT: ("defaultpriv", "PRIV_DEFAULT"), LIMIT: ("limitpriv", "PRIV_LIMIT")}
_EVERY = ("all", "zone")
_PART = re.compile(r"(?P<no>[!-])?(?:priv_)?(?P<name>[a-z0-9_]+)", re.IGNORECASE | re.ASCII)


def grants(heard: Heard, tables: Tables, ranges: Ranges, zone: str | None, old: bool) -> Facts[Grant]:
    """`zone`: the zone whose the stack is, None for the global one; `old`: a release before privileges, which asks for root."""
    return put_together(ranges, (
        lambda: _root(ranges, zone, old),
        lambda: [] if old else _users(heard, ranges),
        lambda: of_everyone(ranges, tables, "smallest_nonpriv_port", "smallest_nonpriv_port is set below them"),
    ))  # fmt: skip


def _root(ranges: Ranges, zone: str | None, old: bool) -> Iterator[Grant | Gap]:
    every = list(ranges.privileged.seen)
    ports = [one for one in every if not (zone and one.needs == _OF_ZONES)]
    what = "the kernel asks for uid 0" if old else "the kernel asks for PRIV_NET_PRIVADDR, of ports of NFS and SMB for theirs (policy.c)"
    step = "this release has no privileges" if old else f"root has every privilege of {f'zone {zone}' if zone else 'the global zone'}"
    yield from of_root(ranges, ports, what, step, scope=f"root of zone {zone}" if zone else ROOT)
    for one in every:
        if one not in ports:
            why = f"whether zone {zone} has {_OF_ZONES}, which {one} takes, was not asked (zonecfg info limitpriv)"
            yield Gap(why, protocol=one.protocol, ports=one.ports)


def _users(heard: Heard, ranges: Ranges) -> Iterator[Grant | Gap]:
    """Users who begin with a privilege that opens ports."""
    files = [read for read in heard.others if isinstance(read, UserAttributes)]
    policies = [read for read in heard.others if isinstance(read, PolicyConf)]
    for path, read in ((_FILE, files), (_POLICY, policies)):
        if not read:
            yield Gap(f"who has the privileges for low ports was not asked ({path})")
        yield from (Gap(f"who has the privileges for low ports: {gap.why}", gap.line) for one in read for gap in one.gaps)
    common = _policy(policies)
    yield from _given("PRIV_DEFAULT, every user", common, 1, ranges, "every user who logs in", _POLICY, everyone=True, uid=None, user=None)
    stated: dict[str, dict[str, str]] = {}
    for one in files:
        for user, sets in one.by_user.items():
            stated.setdefault(user, sets)
    for user, sets in stated.items():
        if sets and user != "root":
            own = {LIMIT: common[LIMIT]} if LIMIT in common and LIMIT not in sets else {}
            inherited = {DEFAULT: common[DEFAULT]} if DEFAULT in common and DEFAULT not in sets else {}
            yield from _given(f"user {user}", {**own, **inherited, **sets}, 0, ranges, f"user {user}", _FILE, user=user)


def _policy(policies: Iterable[PolicyConf]) -> dict[str, str]:
    return {key: value for read in policies for key, value in read.sets.items()}


def _given(
    subject: str, sets: dict[str, str], file: int, ranges: Ranges, scope: str, source: str, **shown: object
) -> Iterator[Grant | Gap]:  # fmt: skip
    """The ports that a user's sets of privileges open."""
    open_to = {one: _opens(one, sets) for one in ranges.privileged.seen}
    if None in open_to.values():
        yield Gap(f"the privileges of {subject} cannot be read ({source})", "; ".join(sets.values())[:200])
        return
    words = [f"{_KEYS[key][file]} is {sets[key]}" for key in (DEFAULT, LIMIT) if key in sets]
    yield from granted("privilege", subject, [one for one, opens in open_to.items() if opens], *(f"{source}: {word}" for word in words),
                       "so each process that this user logs in with has a privilege that these ports take",
                       known=not ranges.privileged.gaps, scope=scope, source=source, **shown)  # fmt: skip


def _opens(ports: Range, sets: dict[str, str]) -> bool | None:
    """Whether one of the privileges that the ports take is in the default set and the limit; None where that cannot be read."""
    answers = [_has_both(needed, sets) for needed in ports.needs.split(" or ")]
    return True if True in answers else None if None in answers else False


def _has_both(privilege: str, sets: dict[str, str]) -> bool | None:
    """Not what it lacks, whether or not the other set can be read."""
    answers = [_has(privilege, sets.get(DEFAULT, "basic")), _has(privilege, sets.get(LIMIT, "all"))]
    return False if False in answers else None if None in answers else True


def _has(privilege: str, words: str) -> bool | None:
    """Whether a list such as `basic,!proc_info,net_privaddr` holds a privilege: its parts are taken in turn (priv_str_to_set(3C)). An
    extended policy, as `{net_privaddr}:443/tcp`, is not read."""
    held = False
    for word in words.split(","):
        part = _PART.fullmatch(word.strip())
        if part is None:
            return None
        name = part["name"].lower()
        if name in _EVERY or f"PRIV_{name.upper()}" == privilege:
            held = part["no"] is None
    return held
