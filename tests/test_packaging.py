"""What gets into a wheel and an sdist, and that both work. Nothing here uses a network: hatchling is in the `test` extra."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from auditor import __version__

REPORT = "web1-20261120T230000Z"
"""In the names and contents of what an audit left in the tree that is packed."""


def run(*argv: object, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run([str(word) for word in argv], cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def audited_clone(clone: Path) -> Path:
    """A clone in which an audit was run."""
    for suffix in ("html", "json", "evidence"):
        (clone / "reports" / f"{REPORT}.{suffix}").write_text(REPORT, encoding="utf-8")
    (clone / "h.evidence").write_text(REPORT, encoding="utf-8")
    (clone / "auditor" / "__pycache__").mkdir()
    (clone / "auditor" / "__pycache__" / "x.pyc").write_text(REPORT, encoding="utf-8")
    return clone


def wheel_of(source: Path, folder: Path) -> Path:
    offline = ("--no-deps", "--no-build-isolation", "--no-cache-dir", "--no-index")
    run(sys.executable, "-m", "pip", "wheel", *offline, "-w", folder, source, cwd=folder.parent)
    (wheel,) = folder.glob("*.whl")
    return wheel


def sdist_of(source: Path, folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=source)
    (sdist,) = folder.glob("*.tar.gz")
    return sdist


def shipped(tree: Path) -> set[str]:
    """The files of a tree that a wheel must hold, under the names they have there."""
    inside = {"auditor": "auditor", "policies": "auditor/policies"}
    inside |= {f"reports/{name}": f"auditor/reports/{name}" for name in ("schemas", "templates")}
    return {
        f"{name}/{path.relative_to(tree / folder)}"
        for folder, name in inside.items()
        for path in (tree / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def held(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_wheel_holds_what_ships_and_no_report(audited_clone: Path, tmp_path: Path) -> None:
    files = held(wheel_of(audited_clone, tmp_path / "wheels"))
    assert {name for name in files if ".dist-info/" not in name} == shipped(audited_clone)
    assert "auditor/policies/baseline.yaml" in files
    assert not [name for name, content in files.items() if REPORT in name or REPORT.encode() in content]
    assert f"port_auditor-{__version__}.dist-info/licenses/LICENSE" in files


def test_a_wheel_works_from_another_folder_in_an_environment_of_its_own(clone: Path, tmp_path: Path) -> None:
    wheel = wheel_of(clone, tmp_path / "wheels")
    place = tmp_path / "an environment"
    venv.create(place, with_pip=False)
    run(sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run(place / "bin" / "port-auditor", "--version", cwd=elsewhere) == f"port-auditor {__version__}\n"
    where = "from auditor.places import shipped; print(shipped('policies', 'baseline.yaml'))"
    found = Path(run(place / "bin" / "python", "-c", where, cwd=elsewhere).strip())
    assert found.is_file()
    assert found.is_relative_to(place)


def test_an_sdist_holds_no_report_and_makes_the_same_wheel(audited_clone: Path, tmp_path: Path) -> None:
    sdist = sdist_of(audited_clone, tmp_path / "sdists")
    with tarfile.open(sdist) as archive:
        contents = {member.name: archive.extractfile(member) for member in archive.getmembers() if member.isfile()}
        files = {name.partition("/")[2]: content.read() for name, content in contents.items() if content}
    assert not [name for name, content in files.items() if REPORT in name or (REPORT.encode() in content and not name.startswith("tests/"))]
    assert {"Makefile", "LICENSE", "README.md", "SECURITY.md", "pyproject.toml", ".ci/run", ".ci/venv", "tests/conftest.py"} <= files.keys()
    assert held(wheel_of(sdist, tmp_path / "from sdist")) == held(wheel_of(audited_clone, tmp_path / "from tree"))
