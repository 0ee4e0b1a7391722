"""What is mounted where, told from mountinfo alone: nothing is touched on the way that may hang or mount another thing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from auditor.live import mounts
from auditor.live.mounts import BarredError, Mounts

FILESYSTEMS = b"nodev\tproc\nnodev\ttmpfs\nnodev\toverlay\nnodev\tfuse\nnodev\tstrangefs\n\text4\n\tfuseblk\n\txfs\n"


def made(*lines: str) -> Mounts:
    """From `NUMBER PARENT POINT KIND`, with options behind it where they are not rw."""
    text = ""
    for line in lines:
        number, parent, point, kind, *options = line.split(" ")
        text += f"{number} {parent} 0:{number} / {point} {','.join(['rw', *options])} shared:1 master:2 - {kind} some/source rw\n"
    return Mounts(text.encode(), FILESYSTEMS)


def barred(mounted: Mounts, path: str) -> tuple[str, str, str, bool] | None:
    found = mounted.barred(path)
    return None if found is None else (found.point, found.kind, found.bar, found.nosuid)


@pytest.mark.parametrize(
    ("kind", "bar"),
    [
        *((kind, "remote") for kind in ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs", "autofs", "fuse", "fuse.sshfs", "fuseblk",
                                        "fuse.gvfsd-fuse", "lustre", "gpfs", "beegfs", "glusterfs", "ncpfs", "virtiofs")),
        *((kind, "kernel") for kind in ("proc", "sysfs", "cgroup", "cgroup2", "devpts", "debugfs", "tracefs", "bpf", "nsfs")),
        *((kind, "") for kind in ("ext4", "xfs", "btrfs", "vfat", "tmpfs", "overlay", "squashfs")),
        ("strangefs", "remote"),
    ],
)  # fmt: skip
def test_a_kind_of_file_system_is_looked_into_or_not(kind: str, bar: str) -> None:
    found = barred(made("1 0 / ext4", f"2 1 /mnt {kind}"), "/mnt/a")
    assert (found and found[2]) == (bar or None)


def test_a_path_is_on_the_mount_that_is_nearest_above_it() -> None:
    mounted = made("1 0 / ext4", "2 1 /srv nfs4", "3 1 /srvs ext4", "4 1 /home ext4", "5 4 /home/ann fuse.sshfs nosuid")
    assert barred(mounted, "/srv") == barred(mounted, "/srv/a/b") == ("/srv", "nfs4", "remote", False)
    assert barred(mounted, "/srvs/a") is None
    assert barred(mounted, "/home/bob") is None
    assert barred(mounted, "/home/ann/x") == ("/home/ann", "fuse.sshfs", "remote", True)
    assert barred(mounted, "/") is None


def test_what_lies_below_a_barred_mount_cannot_be_reached_without_it() -> None:
    assert barred(made("1 0 / ext4", "2 1 /net autofs", "3 2 /net/disk ext4"), "/net/disk/a") == ("/net", "autofs", "remote", False)


def test_of_mounts_over_each_other_the_last_one_counts() -> None:
    assert barred(made("1 0 / ext4", "2 1 /srv nfs4", "3 2 /srv tmpfs"), "/srv/a") is None
    assert barred(made("1 0 / ext4", "2 1 /srv tmpfs", "3 2 /srv nfs4"), "/srv/a") == ("/srv", "nfs4", "remote", False)


def test_a_mount_that_another_one_hides_is_nowhere() -> None:
    mounted = made("1 0 / ext4", "2 1 /a ext4", "3 2 /a/b nfs4", "4 2 /a tmpfs")
    assert barred(mounted, "/a/b/c") is None
    assert "/a/b" in mounted.points


def test_a_bind_mount_is_a_mount_like_any_other() -> None:
    text = b"1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 0:9 /export /data rw,nosuid,relatime - nfs4 server:/export rw\n"
    assert barred(Mounts(text, FILESYSTEMS), "/data/x") == ("/data", "nfs4", "remote", True)


def test_what_is_mounted_at_the_root_is_looked_into_whatever_it_is() -> None:
    assert barred(made("1 0 / 9p"), "/usr/bin") is None
    assert barred(made("1 0 / rootfs", "2 1 / nfs4"), "/usr/bin") is None
    assert barred(made("1 1 / rootfs"), "/usr/bin") is None


def test_inside_a_chroot_of_which_the_root_is_no_mount_the_mounts_below_it_count() -> None:
    assert barred(made("7 99 /mnt nfs4", "8 99 /srv ext4"), "/mnt/a") == ("/mnt", "nfs4", "remote", False)
    assert barred(made("7 99 /mnt nfs4"), "/usr") is None


def test_blanks_and_backslashes_in_a_mount_point_are_read() -> None:
    mounted = made("1 0 / ext4", r"2 1 /a\040b\134c\011d\012 nfs4", r"3 1 /\303\251\377 cifs")
    assert barred(mounted, "/a b\\c\td\n/x") == ("/a b\\c\td\n", "nfs4", "remote", False)
    assert barred(mounted, os.fsdecode(b"/\xc3\xa9\xff/x")) is not None


@pytest.mark.parametrize(
    ("lines", "nosuid"),
    [
        (("2 1 /m nfs4 nosuid",), True),
        (("2 1 /m nfs4 nosuid", "3 2 /m/below ext4"), False),
        (("2 1 /m autofs nosuid",), False),
        (("2 1 /m nfs4 nosuidx",), False),
    ],
)
def test_capabilities_may_count_below_a_mount_with_nosuid_where_another_one_is_or_may_be_made(lines: tuple[str, ...], nosuid: bool) -> None:
    found = barred(made("1 0 / ext4", *lines), "/m/a")
    assert found is not None
    assert found[3] is nosuid


def test_links_are_followed_up_to_a_barred_mount_and_not_into_it(tmp_path: Path) -> None:
    inside = tmp_path / "net"
    inside.mkdir()
    (tmp_path / "program").symlink_to("net/bin/program")
    (tmp_path / "absolute").symlink_to(inside / "x")
    (tmp_path / "around").symlink_to("net/../file")
    (tmp_path / "file").write_text("x")
    mounted = made("1 0 / ext4", f"2 1 {inside} nfs4")
    for name in ("program", "absolute", "around", "net"):
        with pytest.raises(BarredError) as refused:
            mounted.real(f"{tmp_path}/{name}")
        assert refused.value.mount.point == str(inside)
    assert mounted.real(f"{tmp_path}/file") == os.path.realpath(tmp_path / "file")


def test_a_path_is_resolved_as_realpath_does(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "file").write_text("x")
    (tmp_path / "to-b").symlink_to("a/./b/")
    (tmp_path / "to-file").symlink_to("to-b/../b/file")
    (tmp_path / "round").symlink_to("round")
    mounted = mounts.current()
    for name in ("to-b", "to-file", "a/b/../../to-b/file", "a//b/file", "a/b"):
        assert mounted.real(f"{tmp_path}/{name}") == os.path.realpath(tmp_path / name)
    for name, problem in (("missing/x", FileNotFoundError), ("to-file/x", NotADirectoryError), ("round", OSError)):
        with pytest.raises(problem):
            mounted.real(f"{tmp_path}/{name}")


def test_a_path_that_leads_through_too_many_names_is_not_followed(tmp_path: Path) -> None:
    """Each link is one that the kernel takes: fewer than forty of them, and each shorter than PATH_MAX."""
    (tmp_path / "a").mkdir()
    around = "a/../" * 500
    (tmp_path / "0").symlink_to("a")
    for number in range(10):
        (tmp_path / f"{number + 1}").symlink_to(f"{around}{number}")
    mounted = mounts.current()
    assert mounted.real(f"{tmp_path}/3") == os.path.realpath(tmp_path / "a")
    assert os.stat(tmp_path / "10"), "the kernel follows it"
    with pytest.raises(OSError, match="Too many levels") as refused:
        mounted.real(f"{tmp_path}/10")
    assert refused.value.errno == errno.ELOOP


def test_the_mounts_of_this_machine_are_read() -> None:
    mounted = mounts.current()
    found = barred(mounted, "/proc/self")
    assert found is None or found[:3] == ("/proc", "proc", "kernel")
    assert "/proc" not in mounted.points or found
    assert mounted.barred("/usr/bin") is None
