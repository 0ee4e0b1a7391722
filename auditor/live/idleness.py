"""To take of a machine what nobody else wants."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30, "loongarch64": 30, "ppc64le": 273, "ppc64": 273, "s390x": 282}
"""The number of ioprio_set in each machine's syscall table (arch/*/syscall*.tbl; include/uapi/asm-generic/unistd.h)."""
_IOPRIO_WHO_PROCESS, _IOPRIO_IDLE = 1, 3 << 13
"""include/uapi/linux/ioprio.h."""
_NICEST = 19


def become_idle() -> None:
    """Let everything else on this host go first, as far as the kernel grants that: sched(7), ioprio_set(2)."""
    os.nice(_NICEST)
    with suppress(OSError):  # sandboxes refuse it; being nice must do then
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    number = _IOPRIO_SET.get(os.uname().machine) if sys.maxsize >> 32 else None
    if number is None:
        return
    try:
        import ctypes
    except ImportError:
        return
    ctypes.CDLL(None).syscall(number, _IOPRIO_WHO_PROCESS, 0, _IOPRIO_IDLE)
