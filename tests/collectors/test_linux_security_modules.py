"""What is said of SELinux, AppArmor and the others, from the kernel's files."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.model import Setting
from tests.bundles import Host, bundle, host, interpreted, stack_of
from tests.made_gates import Gates

ENFORCE, APPARMOR, LSM = "/sys/fs/selinux/enforce", "/sys/module/apparmor/parameters/enabled", "/sys/kernel/security/lsm"
KERNEL, WITH_SELINUX = "nodev\tproc\n\text4\n", "nodev\tproc\nnodev\tselinuxfs\n\text4\n"
UNSEEN = "Landlock, seccomp and BPF programs of other kinds can refuse a process its bind; none of them was examined."


def having(modules: dict[str, str]) -> Host:
    return host(gates=Gates(modules={"/proc/filesystems": KERNEL, **modules}))


def values(of: Host) -> dict[str, str]:
    settings: Facts[Setting] = stack_of(of).settings
    return {one.name: one.value for one in settings.seen if one.name.startswith("/sys/")}


def gaps(of: Host) -> list[str]:
    return [gap.why for gap in stack_of(of).settings.gaps]


def told(of: Host) -> list[str]:
    words = ("Landlock", "SELinux", "AppArmor", "security module")
    return [one for one in of.snapshot().limits if any(word in one for word in words)]


def test_a_kernel_without_them_has_no_such_settings_and_only_what_cannot_be_seen_is_told() -> None:
    assert (values(having({})), gaps(having({})), told(having({}))) == ({}, [], [UNSEEN])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1", "SELinux is enforcing: it may refuse a bind that is said here to be granted."),
        ("0\n", "SELinux is permissive now; once it enforces, it may refuse a bind that is said here to be granted."),
    ],
)
def test_selinux_is_told_as_it_runs(text: str, words: str) -> None:
    of = having({ENFORCE: text})
    assert values(of) == {ENFORCE: text.strip()}
    assert told(of) == [UNSEEN, words]


def test_apparmor_is_told_where_it_is_on() -> None:
    words = "AppArmor is on: a profile may refuse a bind, or the capability, that is said here to be granted; profiles were not examined."
    of = having({APPARMOR: "Y\n", LSM: "lockdown,capability,landlock,yama,apparmor,bpf"})
    assert values(of) == {APPARMOR: "Y", LSM: "lockdown,capability,landlock,yama,apparmor,bpf"}
    assert told(of) == [UNSEEN, words]
    assert told(having({APPARMOR: "N\n"})) == [UNSEEN]


@pytest.mark.parametrize("text", ["", "2", "yes", "1\n0\n", "\0"])
def test_a_state_that_cannot_be_read_is_unknown(text: str) -> None:
    of = having({ENFORCE: text})
    assert values(of) == {}
    assert gaps(of) == [f"{ENFORCE} cannot be read"]
    assert told(of) == [UNSEEN, f"Whether a security module may refuse a bind is not known: {ENFORCE} cannot be read."]


def test_a_kernel_with_selinux_whose_file_is_not_there_is_unknown() -> None:
    """In a container, or where its file system is not mounted."""
    of = having({"/proc/filesystems": WITH_SELINUX})
    why = f"SELinux is on, and whether it enforces cannot be seen: {ENFORCE} is not there"
    assert gaps(of) == [why]
    assert told(of) == [UNSEEN, f"Whether a security module may refuse a bind is not known: {why}."]


@pytest.mark.parametrize("text", ["", "nodev\tpro", "garbage\n"])
def test_a_list_of_file_systems_that_is_none_proves_nothing(text: str) -> None:
    assert len(gaps(having({"/proc/filesystems": text}))) == 1


def test_evidence_that_was_not_asked_who_may_bind_says_that_none_was_examined() -> None:
    of = host()
    answers = [answer for answer in of.answers() if answer.probe != "security-modules"]
    asked = ",".join(part for part in of.head()["asked"].split(",") if part != "grants")
    limits = [one for one in interpreted(bundle(answers, {**of.head(), "asked": asked})).limits if "Landlock" in one]
    assert limits == ["Landlock, seccomp, SELinux and cgroup BPF can refuse or grant a bind; none of them was examined."]
