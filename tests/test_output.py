"""A file is written whole, where it was meant to be, and as its owner's: whatever others have put in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auditor import output
from auditor.errors import OutputError

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what another user owns")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of another user's, who may put anything there at any time."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


@as_root
def test_a_link_that_another_user_planted_is_replaced_and_not_written_through(theirs: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    os.mkfifo(victim)
    (theirs / "report").symlink_to(victim)
    os.lchown(theirs / "report", NOBODY, NOBODY)
    output.write(str(theirs / "report"), [b"text\n"])
    assert not (theirs / "report").is_symlink()
    assert (theirs / "report").read_bytes() == b"text\n"


@as_root
def test_a_pipe_that_another_user_planted_does_not_hold_up_the_writer(theirs: Path) -> None:
    os.mkfifo(theirs / "report")
    output.write(str(theirs / "report"), [b"text\n"])
    assert stat.S_ISREG(os.stat(theirs / "report").st_mode)


@as_root
def test_a_folder_that_gives_its_group_away_gives_none_of_the_report(theirs: Path) -> None:
    theirs.chmod(0o2755)
    output.write(str(theirs / "report"), [b"text\n"])
    status = os.stat(theirs / "report")
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, os.getegid(), 0o640)


@as_root
def test_a_folder_that_is_another_users_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "reports"
    link.symlink_to("elsewhere")
    os.lchown(link, NOBODY, NOBODY)
    with pytest.raises(OutputError, match="belongs to another user"):
        output.folder(str(link))


def test_a_pipe_of_ones_own_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        output.write(str(tmp_path / "pipe"), [b"text\n"])
        assert os.read(reader, 100) == b"text\n"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(os.stat(tmp_path / "pipe").st_mode)


def test_a_link_to_a_folder_of_ones_own_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "reports").symlink_to("elsewhere")
    output.folder(str(tmp_path / "reports"))
    output.write(str(tmp_path / "reports" / "a"), [b"text\n"])
    assert (tmp_path / "elsewhere" / "a").read_bytes() == b"text\n"
