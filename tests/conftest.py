"""What the whole suite needs."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis
import hypothesis.configuration
import pytest

ROOT = Path(__file__).resolve().parent.parent
MADE_HERE = {".git", ".mypy_cache", ".ruff_cache", ".venv", "__pycache__", "build", "dist"}
"""What a checkout may hold that a fresh clone does not, beside reports and evidence."""

# database=None: a run leaves nothing behind; a failure prints how to have it again
hypothesis.settings.register_profile("port-auditor", deadline=None, database=None, print_blob=True)
hypothesis.settings.load_profile("port-auditor")
os.environ.pop("FORCE_COLOR", None)


def pytest_configure(config: pytest.Config) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):  # a shell that runs the suite in the background ignores them, and children keep that
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)
    home = TemporaryDirectory(prefix="hypothesis-")
    hypothesis.configuration.set_hypothesis_home_dir(home.name)
    config.add_cleanup(home.cleanup)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share the tests (pytest-xdist), those that make hosts on this one, and those that share a browser, are each
    one process's, one after the other."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            folder = nodeid.partition("::")[0].rpartition("/")[0]
            return folder if folder in ("tests/browser", "tests/live") else nodeid

    return Scheduling(config, log)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the checkout as a fresh clone would be, in a folder with a blank in its name."""

    def made_here(folder: str, names: list[str]) -> set[str]:
        """Reports and evidence of root's may be there, and be unreadable."""
        where = Path(folder)
        reports = {name for name in names if where == ROOT / "reports" and (where / name).is_file()}
        evidence = {name for name in names if where == ROOT and name.endswith(".evidence")}
        return MADE_HERE.intersection(names) | reports | evidence

    return Path(shutil.copytree(ROOT, tmp_path / "a clone", ignore=made_here))
