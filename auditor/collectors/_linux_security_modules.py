"""What is known of the kernel's security modules, which may refuse a bind that everything else allows."""

from __future__ import annotations

import re

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.facts import Facts, Gap
from auditor.model import Setting

ENFORCE = "/sys/fs/selinux/enforce"
APPARMOR = "/sys/module/apparmor/parameters/enabled"
MODULES = "/sys/kernel/security/lsm"
_FILE_SYSTEMS = "/proc/filesystems"
_NOT_EXAMINED = "Landlock, seccomp, SELinux and cgroup BPF can refuse or grant a bind; none of them was examined."
_UNSEEN = "Landlock, seccomp and BPF programs of other kinds can refuse a process its bind; none of them was examined."
_SELINUX = {
    "1": "SELinux is enforcing: it may refuse a bind that is said here to be granted.",
    "0": "SELinux is permissive now; once it enforces, it may refuse a bind that is said here to be granted.",
}
_APPARMOR = "AppArmor is on: a profile may refuse a bind, or the capability, that is said here to be granted; profiles were not examined."


def modules(linux: LinuxEvidence) -> Facts[Setting]:
    """The states of SELinux and AppArmor and the list of active modules, each where the kernel has it; none where it was not asked."""
    if not _asked(linux):
        return Facts([], "/sys")
    read = linux.files("security-modules")
    seen: list[Setting] = []
    gaps: list[Gap] = []
    for path, values in ((ENFORCE, "[01]"), (APPARMOR, "[YN]"), (MODULES, "[a-z0-9_]+(,[a-z0-9_]+)*")):
        answer = read.get(path)
        if answer is None:
            gaps.append(Gap(f"{path} was not read"))
        elif answer.status == "absent":
            gaps += _selinux_unseen(linux) if path == ENFORCE else []
        elif answer.trouble:
            gaps.append(Gap(answer.trouble))
        elif re.fullmatch(values, value := answer.text.strip()):
            seen.append(Setting(name=path, value=value))
        else:
            gaps.append(Gap(f"{path} cannot be read", answer.text[:200]))
    return Facts(seen, "/sys", gaps)


def limits(linux: LinuxEvidence) -> list[str]:
    """What they leave open, in words."""
    if not _asked(linux):
        return [_NOT_EXAMINED]
    known = modules(linux)
    values = {one.name: one.value for one in known.seen}
    found = [_UNSEEN]
    if ENFORCE in values:
        found.append(_SELINUX[values[ENFORCE]])
    if values.get(APPARMOR) == "Y":
        found.append(_APPARMOR)
    return found + [f"Whether a security module may refuse a bind is not known: {gap.why}." for gap in known.gaps]


def _asked(linux: LinuxEvidence) -> bool:
    return "grants" in linux.asked or bool(linux.answers("security-modules"))


def _selinux_unseen(linux: LinuxEvidence) -> list[Gap]:
    """A gap where SELinux may be on although its file is not there: its file system may not be mounted here, as in a container."""
    answer = linux.files("security-modules").get(_FILE_SYSTEMS)
    if answer is None or answer.trouble or not answer.text.endswith("\n"):
        return [Gap(f"{ENFORCE} is not there, and whether the kernel has SELinux was not read from {_FILE_SYSTEMS}")]
    known = [line.split("\t")[-1] for line in answer.text.split("\n")]
    if "selinuxfs" in known:
        return [Gap(f"SELinux is on, and whether it enforces cannot be seen: {ENFORCE} is not there")]
    return [] if "proc" in known else [Gap(f"{_FILE_SYSTEMS} cannot be read", answer.text[:200])]
