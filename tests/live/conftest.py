"""The hosts that these tests make are made of Linux's namespaces."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.hosts import Host

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


def pytest_report_header() -> list[str]:
    return [] if sys.platform == "linux" else ["tests/live is left out: the hosts it makes need Linux's namespaces"]


@pytest.fixture(autouse=True)
def what_a_test_started_ends_with_it(request: pytest.FixtureRequest) -> Iterator[None]:
    """Also where it failed: the host may be that of other tests too."""
    made = request.getfixturevalue("made") if "made" in request.fixturenames else None
    before = list(made.started) if isinstance(made, Host) else []
    yield
    if isinstance(made, Host):
        for process in [one for one in made.started if one not in before]:
            process.stop()
