"""The extended attribute `security.capability`: what capabilities a file gives whoever runs it.

Its layout is that of vfs_cap_data and vfs_ns_cap_data in include/uapi/linux/capability.h: 32-bit numbers, little-endian on every machine.
The first holds the revision (its uppermost byte) and the effective flag (its lowest bit); pairs of permitted and inheritable bits follow,
one in revision 1, two in 2 and 3; revision 3 has the user id behind them that is root of the user namespaces where it counts.
"""

from __future__ import annotations

NET_BIND_SERVICE = 10
"""CAP_NET_BIND_SERVICE of include/uapi/linux/capability.h."""
_PAIRS = {1: 1, 2: 2, 3: 2}
_EFFECTIVE = 1
_HEX = frozenset("0123456789abcdefABCDEF")


class FileCapability:
    """`permitted` and `inheritable` are sets of bits as numbers; `effective`: what is permitted is in force as soon as the file runs.
    `root_id` is None where it is not limited to user namespaces of one root, `revision` where it is not told."""

    __slots__ = ("effective", "inheritable", "permitted", "revision", "root_id")

    def __init__(self, revision: int | None, effective: bool, permitted: int, inheritable: int, root_id: int | None) -> None:
        self.revision = revision
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
        self.root_id = root_id

    def has(self, bit: int) -> str:
        """Which flags the capability with this bit has, as setcap(8) writes them: some of `e`, `i` and `p`, or none."""
        inheritable, permitted = self.inheritable >> bit & 1, self.permitted >> bit & 1
        return "e" * bool(self.effective and (inheritable or permitted)) + "i" * inheritable + "p" * permitted


def decode(value: str | None) -> FileCapability | None:
    """What the attribute's bytes, in hexadecimal digits, mean; None where they are none that the kernel takes: of another revision, or of
    another length than its revision has (then it refuses to run the file)."""
    if not value or len(value) % 2 or not _HEX.issuperset(value):
        return None
    raw = bytes.fromhex(value)
    numbers = [int.from_bytes(raw[at : at + 4], "little") for at in range(0, len(raw), 4)]
    revision = numbers[0] >> 24
    pairs = _PAIRS.get(revision, 0)
    if not pairs or len(raw) != 4 * (1 + 2 * pairs + (revision == 3)):
        return None
    permitted, inheritable = (sum(numbers[first + 2 * pair] << 32 * pair for pair in range(pairs)) for first in (1, 2))
    return FileCapability(revision, bool(numbers[0] & _EFFECTIVE), permitted, inheritable, numbers[-1] if revision == 3 else None)
