"""Sets of capabilities as systemd's directives and `systemctl show` have them (systemd.exec(5), "Capabilities"; config_parse_capability_set
of systemd's src/core/load-fragment.c)."""

from __future__ import annotations

from auditor.parsers import rows

_WORDS = """
chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw
ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease
audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore
"""
NAMES = tuple(f"cap_{word}" for word in _WORDS.split())
"""By their numbers: include/uapi/linux/capability.h."""
ALL = frozenset(NAMES)
NET_BIND_SERVICE = "cap_net_bind_service"


def named(words: str) -> frozenset[str]:
    """The capabilities that words name, or numbers; those that the kernel does not have are passed over, as systemd does."""
    found = set()
    for word in words.split():
        bare = word.strip("\"'").lower()
        number = rows.number(bare, len(NAMES) - 1)
        found.add(bare if number is None else NAMES[number])
    return ALL & found


def assigned(before: frozenset[str], initial: frozenset[str], value: str) -> frozenset[str]:
    """A set after a directive's line: it is added, and with `~` taken away; the first one, and an empty one, take the place of what was
    before."""
    inverted = value.startswith("~")
    found = named(value.removeprefix("~"))
    if not found or before == initial:
        return ALL - found if inverted else found
    return before - found if inverted else before | found


def shown(value: str) -> frozenset[str]:
    """A set as `systemctl show` prints it: names, or of old releases a number whose bits they are."""
    bits = rows.number(value)
    return named(value) if bits is None else frozenset(name for at, name in enumerate(NAMES) if bits >> at & 1)
