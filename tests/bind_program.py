"""A BPF program at the bind hooks of a control group, which lets whatever runs in that group take any port, or none.

    @bind_program.NEEDED
    def test_x() -> None:
        with bind_program.attached() as group:              # returns 3: allow, and no capability is asked for
            bind_program.enter(group)                       # in the child that is to bind: the group is a folder of cgroup2
        with bind_program.attached(returning=0) as group:   # refuses every bind with EPERM
        with bind_program.attached(folder=f"{made.group}/x.slice") as group:    # in a folder of a made host (tests/hosts.py)

A process goes into the group by itself (`enter`), or by `Host.start(group="x.slice")` where the folder is below the host's own group.
Whatever happens, the program is detached, its descriptors are closed and the group, which no process may be in any more, is removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.live.bpf import NUMBERS
from tests.hosts import cgroup_root

BIND4, BIND6, POST_BIND4, POST_BIND6 = 8, 9, 12, 13
"""enum bpf_attach_type of include/uapi/linux/bpf.h."""
ALLOW, REFUSE, ALLOW_WITHOUT_CAPABILITY = 1, 0, 3
"""What a bind program may return: kernel/bpf/verifier.c, BPF_RET_BIND_NO_CAP_NET_BIND_SERVICE of include/linux/bpf.h."""
_PROG_LOAD, _PROG_ATTACH, _PROG_DETACH = 5, 8, 9
_CGROUP_SOCK, _CGROUP_SOCK_ADDR = 9, 18
_ALLOW_MULTI = 2
_MOVE, _EXIT = 0xB7, 0x95
_LOAD_SIZE = 72
"""Up to expected_attach_type."""


def _call(command: int, words: bytes) -> int:
    attributes = ctypes.create_string_buffer(words, len(words))
    result = int(ctypes.CDLL(None, use_errno=True).syscall(NUMBERS[os.uname().machine], command, attributes, len(words)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def load(returning: int = ALLOW_WITHOUT_CAPABILITY, hook: int = BIND4, name: str = "opener") -> int:
    """A descriptor of a program that does nothing but return a number."""
    words = struct.pack("BBhi", _MOVE, 0, 0, returning) + struct.pack("BBhi", _EXIT, 0, 0, 0)
    instructions, licence = ctypes.create_string_buffer(words, len(words)), ctypes.create_string_buffer(b"GPL")
    kind = _CGROUP_SOCK_ADDR if hook in (BIND4, BIND6) else _CGROUP_SOCK
    at = ctypes.addressof(instructions), ctypes.addressof(licence)
    attributes = struct.pack("IIQQIIQII16sII", kind, len(words) // 8, *at, 0, 0, 0, 0, 0, name.encode(), 0, hook)
    assert len(attributes) == _LOAD_SIZE
    return _call(_PROG_LOAD, attributes)


@contextlib.contextmanager
def attached(
    returning: int = ALLOW_WITHOUT_CAPABILITY, hooks: tuple[int, ...] = (BIND4, BIND6), name: str = "opener", folder: str | None = None
) -> Iterator[str]:
    """A control group of its own with such a program at each of the `hooks`: its folder. `folder` is where to make it."""
    group = folder or f"{cgroup_root()}/port-auditor-bind-{os.getpid()}"
    os.mkdir(group)
    try:
        descriptor = os.open(group, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        with contextlib.ExitStack() as undone:
            undone.callback(os.close, descriptor)
            for hook in hooks:
                program = load(returning, hook, name)
                undone.callback(os.close, program)
                _call(_PROG_ATTACH, struct.pack("IIII", descriptor, program, hook, _ALLOW_MULTI))
                undone.callback(_call, _PROG_DETACH, struct.pack("IIII", descriptor, program, hook, 0))
            yield group
    finally:
        for _ in range(100):
            with contextlib.suppress(OSError):
                os.rmdir(group)
                break
            time.sleep(0.02)  # a process that ended may not have left it yet


def enter(group: str) -> None:
    """Put this process into the group."""
    Path(group, "cgroup.procs").write_text("0")


def why_not() -> str | None:
    """Why no such program can be attached here, or None."""
    if os.uname().machine not in NUMBERS:
        return f"the number of bpf(2) on {os.uname().machine} is not known"
    if cgroup_root() is None:
        return "cgroup2 is not mounted"
    try:
        with attached():
            return None
    except OSError as problem:
        return f"this kernel, or the rights of this run, refuse it: {problem.strerror}"


NEEDED = pytest.mark.skipif(bool(_why := why_not()), reason=f"attaches a BPF program to a control group: {_why}")
"""For tests that attach programs."""
