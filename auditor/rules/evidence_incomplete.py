"""Part of what a verdict rests on could not be seen.

Why it matters
--------------
What was not seen was not judged. A report that passed over it in silence would say more than anybody knows.

Remedy
------
The reason says what was missing: rights (run as root), a namespace that could not be entered (CAP_SYS_ADMIN), a bundle that was cut
(fetch it again), a part that was not asked (`collect` without `--only`). For a host without Python, `port-auditor script > collect.sh`.

Linux, Darwin, FreeBSD, OpenBSD, NetBSD, DragonFly: `sudo port-auditor collect -o HOST.evidence`

SunOS, HP-UX, AIX: As root on the host, `sh collect.sh > HOST.evidence` (Solaris 10: `/usr/xpg4/bin/sh collect.sh > HOST.evidence`).

Windows: In a shell of an administrator, `netstat -anob > netstat.txt`; then
`port-auditor bundle --system Windows --release 10.0 --host HOST -o HOST.evidence --answer "netstat -anob" netstat.txt`

VOS: `port-auditor bundle --system VOS --release 14.5.0at --stack STCP --host HOST -o HOST.evidence`, with the release and the stack in
full.

FTX: `port-auditor bundle --system FTX --release 3.4 --host HOST -o HOST.evidence --answer "netstat -an" netstat.txt`
"""

from collections.abc import Iterator
from typing import Any

from auditor.facts import Facts
from auditor.rule import Breach, Case, Rule


def check(case: Case, facts: Facts[Any]) -> Iterator[Breach]:
    for _ in facts:
        pass
    yield from ()


RULE = Rule(each="facts", severity="medium", check=check)
