"""How `make` finds its Python, what it says when there is none, and which verdicts it takes as success. Nothing is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = ("awk", "cat", "cksum", "dirname", "head", "id", "ls", "rm", "sed", "sh", "tail", "tr")
SHIM = "#!/bin/sh\necho 'shim: python3: no version is set' >&2\nexit 127\n"
LIKE = '#!/bin/sh\nexec \'{python}\' -c "import sys; {change}; exec(sys.argv[1])" "$2"\n'
OLD = LIKE.format(python=sys.executable, change="sys.version_info = (3, 9, 2)")
WITHOUT_VENV = LIKE.format(python=sys.executable, change="sys.modules['ensurepip'] = None")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that is all of PATH: the tools of a bare system, no Python, no package manager."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, f"the test needs {tool}"
        (folder / tool).symlink_to(found)
    return folder


def put(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return path


def works(folder: Path, name: str) -> Path:
    return put(folder, name, f"#!/bin/sh\nexec '{sys.executable}' \"$@\"\n")


def find_python(clone: Path, machine: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(clone / ".ci" / "venv"), "--find-python"]
    return subprocess.run(command, env={"PATH": str(machine), **environment}, capture_output=True, text=True, timeout=60, check=False)


def test_a_python3_that_does_not_run_is_passed_over(clone: Path, machine: Path) -> None:
    put(machine, "python3", SHIM)
    good = works(machine, "python3.13")
    assert find_python(clone, machine).stdout == f"{good}\n"


def test_a_python3_that_is_too_old_is_passed_over(clone: Path, machine: Path) -> None:
    put(machine, "python3", OLD)
    good = works(machine, "python3.11")
    assert find_python(clone, machine).stdout == f"{good}\n"


def test_a_python3_that_cannot_make_environments_is_passed_over(clone: Path, machine: Path) -> None:
    put(machine, "python3", WITHOUT_VENV)
    good = works(machine, "python3.12")
    assert find_python(clone, machine).stdout == f"{good}\n"


def test_the_python_that_is_asked_for_is_taken_before_any_other(clone: Path, machine: Path, tmp_path: Path) -> None:
    works(machine, "python3")
    mine = works(tmp_path, "my python")
    assert find_python(clone, machine, PYTHON=str(mine)).stdout == f"{mine}\n"


def test_a_python_that_is_asked_for_and_does_not_run_is_an_error(clone: Path, machine: Path) -> None:
    works(machine, "python3")
    done = find_python(clone, machine, PYTHON=str(put(machine, "mine", SHIM)))
    assert done.returncode == 1
    assert f"PYTHON={machine / 'mine'} is no Python" in done.stderr


@pytest.mark.parametrize(
    ("python", "manager", "advice"),
    [
        (None, "apt-get", "apt-get install python3 python3-venv"),
        (OLD, "apt-get", "apt-get install python3.11 python3.11-venv"),
        (WITHOUT_VENV, "apt-get", f"apt-get install python3.{sys.version_info.minor}-venv"),
        (None, "dnf", "dnf install python3"),
        (OLD, "dnf", "dnf install python3.11"),
        (None, "apk", "apk add python3"),
        (None, "pkg", "pkg install python3"),
        (None, "pkg_add", "pkg_add python%3"),
        (None, "pkgin", "pkgin install python312"),
    ],
)
def test_where_no_python_will_do_one_line_says_what_to_install(
    clone: Path, machine: Path, python: str | None, manager: str, advice: str
) -> None:
    if python:
        put(machine, "python3", python)
    put(machine, manager, "#!/bin/sh\nexit 1\n")
    done = find_python(clone, machine)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith(f"install: {advice}\n")


def make_audit(clone: Path, exit_code: int, *, writes: bool = True) -> subprocess.CompletedProcess[str]:
    """`make audit` where .venv is ready and its port-auditor exits with `exit_code`."""
    (clone / ".venv" / "bin").mkdir(parents=True)
    put(clone / ".ci", "venv", "")
    written = '>"$3/web1-now.html"; ' if writes else ""
    put(clone / ".venv" / "bin", "port-auditor", f'#!/bin/sh\n[ "$1 $2" = "audit -o" ] || exit 99\n{written}exit {exit_code}\n')
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", "audit"], cwd=clone, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("exit_code", "verdict"), [(0, "pass"), (1, "fail"), (3, "incomplete")])
def test_make_audit_succeeds_with_a_report_and_says_where_it_is(clone: Path, exit_code: int, verdict: str) -> None:
    done = make_audit(clone, exit_code)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.startswith(f"make audit: {verdict}, ")
    assert last.endswith(f": {clone}/reports/web1-now.html")


@pytest.mark.parametrize("exit_code", [2, 70, 74, 130])
def test_make_audit_fails_where_the_audit_failed(clone: Path, exit_code: int) -> None:
    assert make_audit(clone, exit_code).returncode != 0


def test_make_audit_fails_where_no_report_was_written_whatever_the_exit_code(clone: Path) -> None:
    done = make_audit(clone, 1, writes=False)
    assert done.returncode != 0
    assert "wrote no report" in done.stderr
