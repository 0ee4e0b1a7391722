"""A listener runs a program whose file was deleted.

Why it matters
--------------
Mostly the program was upgraded and not restarted: the old code, with the faults that the upgrade mends, still answers (low). Where
nothing is at the path any more, no package manager can check what runs, and deleting itself is an intruder's first step (medium). Where
the evidence does not show whether a file is at the path, the finding is low, and beside it stands that this is not known.

Remedy
------
Restart the service. Where nothing is at its path, keep a copy of what runs before that, and find out where it came from.

Linux: `systemctl restart UNIT`, or `needrestart -r l` to list all that need it. The file that runs can still be copied:
`cp /proc/PID/exe /root/copy-of-PID`
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.model import Socket
from auditor.owner import DELETED, IN_MEMORY, Owner, without_unproven
from auditor.rule import Breach, Case, Rule, of_each_executable


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    yield from of_each_executable(case, socket, lambda owner: _found(owner, socket))


def _found(owner: Owner, socket: Socket) -> Iterator[Breach]:
    path, program = owner.executable, owner.executable_path
    if path is None or program is None or not without_unproven(path).endswith(DELETED) or program.startswith(IN_MEMORY):
        return
    file = owner.shown.get("executable_file")
    at_path = file.shown.get("at_path") if file is not None else None
    if at_path == "itself":  # a file that is called so
        return
    says = {"another": "was upgraded and not restarted: another file is at its path", "none": "was deleted, and nothing is at its path"}
    yield Breach(
        f"{program} {says.get(at_path or '', 'was deleted or replaced')}",
        observed=f"{socket}: process {owner.shown.get('pid', '?')} since {owner.shown.get('started', 'a time not shown')}",
        expected="a program that runs from the file at its path",
        severity="medium" if at_path == "none" else "low",
        fold=path,
    )
    if at_path is None:
        raise UnknownFact("the evidence does not show whether another file is at the path of a deleted executable", "owners")


RULE = Rule(each="socket", severity="medium", check=check)
