"""A listener runs a program from a folder that every user may write to.

Why it matters
--------------
Services are installed; what runs from /tmp or /dev/shm was put there by somebody, or by a program that was made to. It is in no package,
nobody updates it, and where its name is known it can be put there by whoever is first after a reboot. The parameter `folders` says which
folders count.

Remedy
------
Find out who put it there, with `ls -l`, and when. Install what is needed where only root may write; stop the rest, and keep a copy of it.

Linux: `cp /proc/PID/exe /root/copy-of-PID`; to let nothing run from such a folder, `mount -o remount,noexec,nosuid,nodev /tmp`
"""

from collections.abc import Iterator

from auditor.model import Socket
from auditor.owner import Owner
from auditor.rule import Breach, Case, NotChecked, Rule, of_each_executable, who


def check(case: Case, socket: Socket) -> Iterator[Breach]:
    folders = case.parameters.get("folders")
    if folders is None:
        raise NotChecked("the policy gives no `folders` for it")
    yield from of_each_executable(case, socket, lambda owner: _found(owner, socket, folders))


def _found(owner: Owner, socket: Socket, folders: list[str]) -> Iterator[Breach]:
    path = owner.executable_path
    if path is None:
        return
    for folder in folders:
        if path.startswith(folder.rstrip("/") + "/"):
            yield Breach(
                f"{path} runs from {folder}",
                observed=f"{socket}: {who(socket)}",
                expected=f"no program under {', '.join(folders)}",
                fold=owner.executable,
            )
            return


RULE = Rule(each="socket", severity="high", parameters={"folders": list}, check=check)
