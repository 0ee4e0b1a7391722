"""A Unix socket that others use lies where every user may write.

Why it matters
--------------
Whoever connects to a socket trusts its path. In /tmp any user can put a socket at a path that is free, as after a crash or before the
service has started, and so take its place: clients hand it what was meant for the service. The parameter `folders` says which folders
count, `except` which folders in them do not. A socket that only its owner can reach, alone or in a folder of their own, is no such one.

Remedy
------
Have the service make its socket below /run, in a folder that only root or the service may write to, and tell its clients.

Linux: `ss -xlp src PATH` tells whose it is; for a unit `systemctl edit UNIT` and `RuntimeDirectory=NAME` below `[Service]`, and in the
service's configuration a path below /run/NAME
"""

from collections.abc import Iterator

from auditor.binding import Endpoint
from auditor.rule import Breach, Case, NotChecked, Rule, who


def check(case: Case, endpoint: Endpoint) -> Iterator[Breach]:
    folders = case.parameters.get("folders")
    if folders is None:
        raise NotChecked("the policy gives no `folders` for it")
    if endpoint.kind != "unix" or endpoint.abstract:
        return
    folder = next((name for path in _places(endpoint) if (name := _above(path, folders)) and not _above(path, _ordinary(case))), None)
    if folder is not None and endpoint.open_to_others:
        yield Breach(
            f"{endpoint.path} lies in {folder}, where any user may put a socket",
            observed=who(endpoint),
            expected=f"no socket under {', '.join(folders)} that others use",
            source=endpoint.source,
        )


def _ordinary(case: Case) -> list[str]:
    allowed: list[str] = case.parameters.get("except", [])
    return allowed


def _places(endpoint: Endpoint) -> list[str]:
    """Its path, and where links lead that path; of one that does not begin with / the latter alone says where it is."""
    path = endpoint.path or ""
    if path.startswith("/"):
        file = endpoint.shown.get("file")
        return [path, *([file.path] if file else [])]
    return [endpoint.file.path] if endpoint.file else []


def _above(path: str, folders: list[str]) -> str | None:
    return next((folder for folder in folders if path.startswith(folder.rstrip("/") + "/")), None)


RULE = Rule(
    each="endpoint", severity="low", systems=("Linux",), needs=("endpoints",), parameters={"folders": list, "except": list}, check=check
)
