"""A file is written whole, where it was meant to be, and as its owner's: whatever others have put in the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


@pytest.fixture
def elsewhere(theirs: Path, tmp_path: Path) -> Path:
    """A folder that another user's link, theirs/e, leads to."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "sub").mkdir()
    (theirs / "e").symlink_to("../elsewhere")
    os.lchown(theirs / "e", NOBODY, NOBODY)
    return folder


@as_root
@pytest.mark.parametrize("path", ["e/x.json", "e/sub/x.json", "./../theirs/e//x.json", "e/../elsewhere/x.json", "by/x.json"])
def test_root_writes_nothing_by_way_of_another_users_link(theirs: Path, elsewhere: Path, path: str) -> None:
    (theirs / "by").symlink_to(theirs / "e" / "sub")
    with pytest.raises(OutputError, match="e on its way is a link that belongs to another user"):
        output.write(f"{theirs}/{path}", [b"text\n"])
    assert [name for _, _, names in os.walk(elsewhere) for name in names] == []


@as_root
@pytest.mark.parametrize("path", ["e", "e/", "e/made", "e/sub", "made/../e/made"])
def test_root_makes_no_folder_by_way_of_another_users_link(theirs: Path, elsewhere: Path, path: str) -> None:
    with pytest.raises(OutputError, match="belongs to another user"):
        output.folder(f"{theirs}/{path}")
    assert [one.name for one in elsewhere.iterdir()] == ["sub"]


@as_root
def test_links_of_root_are_followed_wherever_they_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "var" / "deep").mkdir(parents=True)
    (tmp_path / "relative").symlink_to("var/deep/../deep")
    (tmp_path / "absolute").symlink_to(tmp_path / "relative")
    monkeypatch.chdir(tmp_path / "var")
    output.folder("../absolute/new/newer/")
    output.write("../absolute/new/newer/a", [b"text\n"])
    output.write("b", [b"text\n"])
    assert (tmp_path / "var" / "deep" / "new" / "newer" / "a").read_bytes() == (tmp_path / "var" / "b").read_bytes() == b"text\n"


@pytest.mark.parametrize("make", [lambda path: output.folder(path), lambda path: output.write(f"{path}/a", [b""])])
def test_links_that_lead_in_a_circle_lead_nowhere(tmp_path: Path, make: Callable[[str], None]) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OutputError):
        make(str(tmp_path / "a"))


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="this system has no /dev/fd")
def test_a_descriptor_that_a_shell_gives_is_written_to(tmp_path: Path) -> None:
    """As of `-f json=>(jq .)`: /dev/fd is a link, and so is each in it."""
    reader, writer = os.pipe()
    try:
        output.write(f"/dev/fd/{writer}", [b"text\n"])
        assert os.read(reader, 100) == b"text\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_file_that_takes_the_place_of_a_pipe_is_neither_emptied_nor_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, look = tmp_path / "pipe", os.stat
    os.mkfifo(path)

    def swapped(*given: Any, **more: Any) -> os.stat_result:
        status = look(*given, **more)
        if stat.S_ISFIFO(status.st_mode):
            path.unlink()
            path.write_text("kept")
        return status

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", swapped)
        with pytest.raises(OutputError, match="something else took its place"):
            output.write(str(path), [b"text\n"])
    assert path.read_text() == "kept"


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
