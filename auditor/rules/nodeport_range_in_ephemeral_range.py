"""The kernel may hand out ports that Kubernetes gives to services.

Why it matters
--------------
A NodePort is often no socket at all: kube-proxy catches what comes to it in the packet filter. So nothing keeps the kernel from giving the
same port to an outgoing connection, whose answers are then caught as well, or whose port the service cannot have. The parameter `range` is
what the API server was started with (--service-node-port-range, 30000-32767 if nothing is said). TCP and UDP are judged both, since a
service may be either; the stacks of containers are not, since NodePorts are the node's.

Remedy
------
Reserve the NodePorts, or let the ephemeral range begin above them, on every node.

Linux: `sysctl -w net.ipv4.ip_local_reserved_ports=30000-32767` (it replaces the whole list: add to what is there), and the same line in a
file of /etc/sysctl.d; or `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`.

Windows: `netsh int ipv4 add excludedportrange tcp startport=30000 numberofports=2768`, and the same for udp and for ipv6.
"""

from collections.abc import Iterator

from auditor.model import Range
from auditor.port_range import PortRange
from auditor.port_scopes import not_reserved, ports_in_words
from auditor.rule import Breach, Case, NotChecked, Rule


def check(case: Case, ports: Range) -> Iterator[Breach]:
    node_ports = case.parameters.get("range")
    if node_ports is None:
        raise NotChecked("the policy gives no `range` for it")
    overlap = ports.ports.overlap(node_ports)
    if overlap is None or ports.role == "low":
        return
    for scope, left in not_reserved(case.stack, overlap, ports.pairs):
        yield Breach(
            f"the kernel may hand out NodePorts{f' for {scope}' if scope else ''}: {ports_in_words(left)}",
            observed=f"ephemeral: {ports.ports}; NodePorts: {node_ports}; {len(overlap)} in both, {_kept(overlap, left)} of them reserved",
            expected=f"all of {overlap} reserved, or the two ranges apart",
            source="policy, rules: nodeport-range-in-ephemeral-range",
        )


def _kept(overlap: PortRange, left: list[PortRange]) -> int:
    return len(overlap) - sum(map(len, left))


RULE = Rule(each="range", severity="medium", stacks="host", parameters={"range": PortRange}, check=check)
