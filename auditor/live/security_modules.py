"""Security modules of the kernel that may refuse a bind which the port settings and capabilities allow."""

from __future__ import annotations

from auditor.live import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evidence import Answer

FILES = (
    "/sys/kernel/security/lsm", "/sys/module/apparmor/parameters/enabled", "/sys/fs/selinux/enforce",
)  # fmt: skip
"""The list of active modules, where securityfs is mounted; whether AppArmor is on, where the kernel has it; whether SELinux enforces, where
selinuxfs is mounted."""
FILE_SYSTEMS = "/proc/filesystems"
"""Where SELinux is on, the kernel knows selinuxfs, mounted or not (security/selinux/selinuxfs.c, init_sel_fs)."""


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """The files as they stand; where it is not seen whether SELinux enforces, also the file systems that the kernel knows."""
    for path in FILES:
        answer = files.answer("security-modules", path)
        yield answer
    if answer.status == "absent":
        yield files.answer("security-modules", FILE_SYSTEMS)
