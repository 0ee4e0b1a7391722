"""The bpf(2) system call, for what may be asked of programs that are attached to control groups. It attaches and changes nothing.

Constants and structures are those of include/uapi/linux/bpf.h.
"""

from __future__ import annotations

import os
import struct

PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, PROG_QUERY = 13, 15, 16
NUMBERS = {"x86_64": 321, "aarch64": 280, "riscv64": 280, "loongarch64": 280, "ppc64le": 361, "ppc64": 361, "s390x": 351}
"""The number of bpf in each machine's syscall table (arch/*/syscall*.tbl; include/uapi/asm-generic/unistd.h)."""
_QUERY = "IIIIQI4xQQQQ"
"""target_fd, attach_type, query_flags, attach_flags, prog_ids, prog_cnt, prog_attach_flags, link_ids, link_attach_flags, revision. The
kernel writes the last one where it knows it, whatever size it is told."""
_MOST = 64
"""BPF_CGROUP_MAX_PROGS of include/linux/bpf-cgroup.h: of a group and a hook there are no more."""
_INFO = "II8sIIQQQIIQ16s"
"""type, id, tag, jited_prog_len, xlated_prog_len, jited_prog_insns, xlated_prog_insns, load_time, created_by_uid, nr_map_ids, map_ids,
name."""


class Program:
    """What the kernel says of a program: `name` as its loader gave it, `tag` the hash of its instructions, `uid` who loaded it."""

    __slots__ = ("kind", "name", "tag", "uid")

    def __init__(self, kind: int, name: bytes, tag: str, uid: int) -> None:
        self.kind = kind
        self.name = name
        self.tag = tag
        self.uid = uid


class Bpf:
    """Raises OSError wherever the kernel refuses, and where this machine's number of the call is not known."""

    def __init__(self) -> None:
        number = NUMBERS.get(os.uname().machine)
        if number is None:
            raise OSError(0, f"the number of bpf(2) on {os.uname().machine} is not known")
        try:
            import ctypes
        except ImportError:
            raise OSError(0, "this Python has no ctypes") from None
        self._ctypes = ctypes
        self._number = number
        self._call = ctypes.CDLL(None, use_errno=True).syscall

    def attached(self, group: int, hook: int, effective: bool = False) -> tuple[int, list[int]]:
        """The flags with which programs are attached to a hook (an attach type) of a control group, and their ids; with `effective` those
        of the groups above that count in it as well, which no flags are told of."""
        ids = (self._ctypes.c_uint32 * _MOST)()
        words = struct.pack(_QUERY, group, hook, int(effective), 0, self._ctypes.addressof(ids), _MOST, 0, 0, 0, 0)
        _, answer = self._ask(PROG_QUERY, words)
        _, _, _, flags, _, count, *_ = struct.unpack(_QUERY, answer)
        return flags, list(ids[:count])

    def program(self, identity: int) -> Program:
        """The program that has this id now."""
        descriptor, _ = self._ask(PROG_GET_FD_BY_ID, struct.pack("III", identity, 0, 0))
        try:
            told = self._ctypes.create_string_buffer(struct.calcsize(_INFO))
            self._ask(OBJ_GET_INFO_BY_FD, struct.pack("IIQ", descriptor, len(told), self._ctypes.addressof(told)))
        finally:
            os.close(descriptor)
        kind, _, tag, _, _, _, _, _, uid, _, _, name = struct.unpack(_INFO, told.raw)
        return Program(kind, name.split(b"\0", 1)[0], tag.hex(), uid)

    def _ask(self, command: int, words: bytes) -> tuple[int, bytes]:
        """What the call returned, and `words` as the kernel left them."""
        attributes = self._ctypes.create_string_buffer(words, len(words))
        result = self._call(self._number, command, attributes, len(words))
        if result < 0:
            code = self._ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result, attributes.raw
