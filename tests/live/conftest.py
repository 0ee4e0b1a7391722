"""The hosts that these tests make are made of Linux's namespaces."""

from __future__ import annotations

import sys

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


def pytest_report_header() -> list[str]:
    return [] if sys.platform == "linux" else ["tests/live is left out: the hosts it makes need Linux's namespaces"]
