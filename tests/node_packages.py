"""What `.ci/run` installs from npm for the tests: readers and schemas of other people's."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / ".ci" / "node_modules"


def path_in(package: str, *parts: str) -> Path:
    """A file of a package; the test is skipped where the package is not installed."""
    path = FOLDER.joinpath(package, *parts)
    if not path.exists():
        pytest.skip(f"no {package} is in {FOLDER}: .ci/run says which version, and installs it from npm")
    return path
