"""SELinux does not guard ports that the ephemeral range was widened to.

Why it matters
--------------
SELinux asks for `name_bind` on a port's type, which keeps a confined service to the ports of its policy, only where the port lies outside
the ephemeral range or below the unprivileged threshold (security/selinux/hooks.c, selinux_socket_bind). A range from 1024 on switches
that off for nearly every service port: any confined program that may open sockets at all may listen on 3306 or 8443. The range that the
vendor ships is what policies are written for.

Remedy
------
Go back to the vendor's range. Where outgoing connections need more ports, add addresses first; reserving ports does not help, since
`name_bind` goes by the range alone.

Linux: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`, and this finds the line that sets it at boot:
`grep -rs ip_local_port_range /etc/sysctl.conf /etc/sysctl.d /run/sysctl.d /usr/lib/sysctl.d`
"""

from collections.abc import Iterator

from auditor.model import Range, Stack
from auditor.port_range import PortRange
from auditor.rule import Breach, Case, Rule

_ENFORCE = "/sys/fs/selinux/enforce"
_ENFORCING = "1"


def check(case: Case, ports: Range) -> Iterator[Breach]:
    if not _enforcing(case.stack):
        return
    record, shipped = case.shipped_ephemeral(ports)
    still_asked = [one.ports for one in case.stack.privileged]
    escaped = PortRange.joined([ports.ports], [*shipped, *still_asked])
    if escaped:
        count = sum(map(len, escaped))
        yield Breach(
            f"SELinux does not ask for name_bind on {count} ports more than by the vendor's range",
            observed=f"{ports.ports}, and so not of {', '.join(map(str, escaped))}",
            expected=" or ".join(map(str, shipped)),
            source=f"{_ENFORCE} is {_ENFORCING}; vendor table, {record}",
        )


def _enforcing(stack: Stack) -> bool:
    """Raises UnknownFact where it is not known."""
    return any(one.name == _ENFORCE and one.value == _ENFORCING for one in stack.settings)


RULE = Rule(each="range", severity="low", stacks="host", systems=("Linux",), check=check)
