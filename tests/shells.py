"""The shells that the script is tried in, and how it is run in them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from auditor.evidence import Evidence, load

PATH_LINE = "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/xpg4/bin:/usr/contrib/bin\n"
SHELLS = {
    "dash": ("dash", "-s"),
    "bash": ("bash", "--posix", "-s"),
    "busybox": ("busybox", "sh", "-s"),
    "ksh93": ("ksh93", "-s"),
    "mksh": ("mksh", "-s"),
    "posh": ("posh",),  # it reads stdin too, and knows no -s
    "yash": ("yash", "-s"),
}


def argv(shell: str) -> list[str]:
    """The shell by its whole path, so that it is found whatever PATH is."""
    program = shutil.which(SHELLS[shell][0])
    return [program or SHELLS[shell][0], *SHELLS[shell][1:]]


def missing(shell: str) -> bool:
    return shutil.which(SHELLS[shell][0]) is None


def with_path(text: str, path: Path) -> str:
    """The script, as if the host had no other programs than those in a folder."""
    assert text.count(PATH_LINE) == 1
    return text.replace(PATH_LINE, f"PATH={path}\n")


def folder_of(programs: Sequence[str], folder: Path) -> Path:
    """A folder with links to these programs alone."""
    folder.mkdir()
    for name in programs:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def run(text: str, shell: str, *, timeout: float = 120) -> subprocess.CompletedProcess[bytes]:
    """Run the script as ssh does: it comes through a pipe, which ends with it."""
    return subprocess.run(argv(shell), input=text.encode(), capture_output=True, timeout=timeout, check=False)


def evidence(done: subprocess.CompletedProcess[bytes]) -> Evidence:
    """The bundle of a run that ended well."""
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"\n.\n")
    found = load(done.stdout)
    assert found.gaps == []
    return found
