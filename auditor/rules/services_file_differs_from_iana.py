"""The host's own list of services gives ports other names than IANA does.

Why it matters
--------------
Programs, firewalls and people turn names into ports, and ports into names, by this list: a rule for "http" opens another port than was
meant, and a report calls a port what it is not. The list says what ports are called, and nothing else: a port that stands in it is not
reserved, the kernel hands it out all the same. Most systems ship some old names that IANA never had, or took back.

Remedy
------
Give local services names that IANA has not assigned, and ports that IANA has not assigned either (`port-auditor suggest-port`), and write
numbers in place of names into firewalls and policies.

Linux, Darwin, FreeBSD, OpenBSD, NetBSD, DragonFly, SunOS, HP-UX, AIX: correct the line in `/etc/services`; of a name the first line counts.

Windows: correct the line in `%SystemRoot%\\System32\\drivers\\etc\\services`.
"""

from collections.abc import Iterator

from auditor.model import ServiceName
from auditor.rule import Breach, Case, Rule

_MESSAGE = "names of ports are not those that IANA gives them; that a port is listed reserves nothing"


def check(case: Case, one: ServiceName) -> Iterator[Breach]:
    given = case.tables.iana(one.port, one.protocol)
    if one.name.lower() in map(str.lower, given.names):
        return
    elsewhere = case.tables.named(one.name, one.protocol)
    if elsewhere:
        iana = f"{one.name} is {', '.join(map(str, elsewhere))}/{one.protocol}"
    elif given.names and not one.alias:
        iana = f"{one.port}/{one.protocol} is {given.names[0]}"
    else:
        return
    yield Breach(_MESSAGE, observed=f"{one} (line {one.line}; IANA: {iana})", expected="IANA's names", source=one.file, fold=one.file)


RULE = Rule(each="service_name", severity="low", needs=("services",), stacks="host", check=check)
