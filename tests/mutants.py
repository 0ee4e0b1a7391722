"""How many small changes to what judges do the tests notice? `make mutants` runs it, half an hour on two cores.

mutmut changes one thing at a time in the modules that pyproject.toml names ([tool.mutmut]) and runs the tests that reach it: a mutant is
killed if one fails. Works in a copy, so that the checkout stays as it is. Prints the mutants that were not killed and the figure of each
module and of all; fails below 85 %. `tests/mutants.py FOLDER` works in FOLDER and keeps it: there, `mutmut show NAME` prints a mutant.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("auditor", "policies", "reports/schemas", "reports/templates", "tests")
LEAST = 85
"""Per cent."""
KILLED = {1, 3}
"""What mutmut notes of a mutant that a test noticed, by failing or by not getting as far as that; anything else counts as alive."""


def copied(folder: Path) -> None:
    for part in COPIED:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def noted(folder: Path) -> dict[str, dict[str, int | None]]:
    """What mutmut notes of each mutant, by module."""
    notes = sorted((folder / "mutants" / "auditor").glob("*.py.meta"))
    return {note.name.removesuffix(".py.meta"): json.loads(note.read_text())["exit_code_by_key"] for note in notes}


def told(name: str, killed: int, whole: int) -> str:
    return f"{name:<18} {killed:>5} of {whole:>5} killed, {100 * killed / whole:5.1f} %"


def measure(folder: Path) -> int:
    copied(folder)
    subprocess.run([sys.executable, "-m", "mutmut", "run"], cwd=folder, check=True)
    modules = {name: mutants for name, mutants in noted(folder).items() if mutants}
    print("\nnot killed:")
    for mutants in modules.values():
        for name, note in mutants.items():
            if note not in KILLED:
                print(f"  {name}")
    print()
    killed = {name: sum(note in KILLED for note in mutants.values()) for name, mutants in modules.items()}
    for name, mutants in modules.items():
        print(told(name, killed[name], len(mutants)))
    dead, whole = sum(killed.values()), sum(map(len, modules.values()))
    print(told("all", dead, whole))
    if 100 * dead < LEAST * whole:
        print(f"fewer than {LEAST} % were killed", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    if len(sys.argv) > 1:
        return measure(Path(sys.argv[1]))
    with tempfile.TemporaryDirectory() as folder:
        return measure(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
