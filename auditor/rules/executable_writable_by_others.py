"""Others than root and its own user may change the program that a listener runs.

Why it matters
--------------
Who may write to the file, or to a folder above it, decides what runs there at the next start, with the rights of the service: of root,
where root runs it. The file itself is judged, by the process that runs it, and each folder above it; a sticky folder, as /tmp, lets nobody
replace what is another's. Of a program that was deleted, or is in a container's own files, the file alone is judged; of a script its
interpreter alone. Where there is an access control list that may let others write, who they are is unknown: it is not read.

Remedy
------
Give the file and the folders above it to root, and take the right to write from everybody else. Then make sure that the file is the one
that was installed.

Linux: `chown root:root FILE && chmod go-w FILE`, and `namei -l FILE` shows each folder above it. `rpm -Vf FILE` or
`dpkg -V $(dpkg -S FILE | cut -d: -f1)` tells whether it was changed. `getfacl FILE` shows an access control list, and `setfacl -b FILE`
takes it away.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.owner import DELETED, IN_MEMORY, UNPROVEN, File, Folder, Owner
from auditor.rule import Breach, Case, Rule, of_each_executable


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    yield from of_each_executable(case, socket, lambda owner: _found(owner, socket))


def _found(owner: Owner, socket: Socket) -> Iterator[Breach]:
    path, file = owner.executable, owner.executable_file
    if path is None or file is None or path.startswith(IN_MEMORY):
        return
    others: dict[str, None] = {}
    seen: dict[str, None] = {}
    why: UnknownFact | None = None
    try:
        for other, name, thing in _open(path, file, owner):
            others[other] = None
            seen[f"{name} is mode {thing.mode}, owner {thing.uid}, group {thing.gid}"] = None
    except UnknownFact as unknown:
        why = unknown
    if seen:
        yield Breach(
            f"{' and '.join(others)} may change {path}, which user {owner.shown.get('user', owner.shown.get('uid', '?'))} runs",
            observed=f"{socket}: {', '.join(seen)}",
            expected="changed by none but root and the user that runs it",
            fold=path,
        )
    if why is not None:
        raise why


def _open(path: str, file: File, owner: Owner) -> Iterator[tuple[str, str, Folder]]:
    """Who else may change what, a part each. Raises UnknownFact at the end where that is not known of a part."""
    why: UnknownFact | None = None
    for name, thing in _parts(path, file):
        try:
            yield from ((other, name, thing) for other in thing.open_to(owner))
        except UnknownFact as unknown:
            why = why or unknown
    if why is not None:
        raise why


def _parts(path: str, file: File) -> Iterator[tuple[str, Folder]]:
    """The file, and the folders above it where it is the one at its path here."""
    yield path, file
    if not path.endswith((DELETED, *UNPROVEN)) or file.shown.get("at_path") == "itself":
        yield from ((folder.path, folder) for folder in file.folders)


RULE = Rule(each="socket", severity="high", systems=("Linux",), check=check)
