"""Names of hosts and machines: when two mean the same one, and what a path calls the host whose evidence lies there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from auditor.policy_keys import Glob

_SUFFIXES = (".evidence", ".json", ".jsonl", ".gz", ".zst")
_STAMP = re.compile(r"-(?:\d{4}-?\d{2}-?\d{2}T\d{6}Z|unknown-[0-9a-f]{12})(?:-\d+)?")
"""What `audit` writes behind a host's name: when its evidence was taken, and a number where there were several."""
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


def folded(name: str) -> str:
    """A host's name for comparing: case and the root's dot do not count."""
    return name.lower().removesuffix(".")


def first_label(name: str) -> str:
    """`web-07` of `web-07.bank.example`; an IP address has no labels and stays what it is."""
    return name if _ADDRESS.fullmatch(name) else name.partition(".")[0]


def same_host(one: str, other: str) -> bool:
    """Whether two names may be one host's: alike, or one of them the other's first label."""
    one, other = folded(one), folded(other)
    return one == other or first_label(one) == other or one == first_label(other)


def fits_any(patterns: Iterable[Glob], name: str) -> bool:
    """Whether a host's name is as one of `patterns` says; case does not count."""
    return any(Glob(folded(one.pattern)).fits(folded(name)) for one in patterns)


def machine(identity: str) -> str:
    """A machine-id for comparing: as a UUID or as plain digits it is the same."""
    return identity.strip().strip("{}").replace("-", "").lower()


def same_machine(one: str, other: str) -> bool:
    return machine(one) == machine(other)


def names_in_path(path: str) -> Iterator[tuple[str, ...]]:
    """What a path may call its host, innermost first: the file's name without suffixes, as it is and without the stamp that `audit`
    gives it; then each folder's."""
    folders, name = os.path.split(os.path.normpath(path))
    while name.lower().endswith(_SUFFIXES):
        name = name[: name.rindex(".")]
    stamp = [found for found in _STAMP.finditer(name) if found.end() == len(name)]
    yield (name, name[: stamp[-1].start()]) if stamp else (name,)
    yield from ((folder,) for folder in reversed(folders.split(os.sep)) if folder not in ("", ".", ".."))
