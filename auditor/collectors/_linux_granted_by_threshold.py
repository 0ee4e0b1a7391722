"""Ports that any user may take because the threshold is lower than the vendor ships it."""

from __future__ import annotations

from auditor.binding import Grant
from auditor.collectors import _linux_settings as settings
from auditor.collectors._linux_question import Granted, Question
from auditor.port_range import PortRange


def granted(question: Question) -> Granted:
    """One grant to everyone, of the ports that the vendor keeps for the privileged and this stack does not."""
    if question.privileged.gaps:
        return Granted(gaps=question.privileged.gaps)
    shipped, source = _shipped(question)
    if shipped is None:
        return Granted()
    kept = [PortRange(0, 0), *(one.ports for one in question.privileged.seen)]
    open_to_all = shipped.minus(kept)
    if not open_to_all:
        return Granted()
    value = settings.Settings(question.linux, question.namespace).values.get(settings.THRESHOLD, "not shown")
    ports = ", ".join(map(str, open_to_all))
    via = [
        f"{settings.THRESHOLD} is {value} in this network namespace; as shipped {shipped} are privileged ({source})",
        "the kernel asks for CAP_NET_BIND_SERVICE for ports below that alone (net/ipv4/af_inet.c), of all protocols and addresses",
        f"so any user may bind {ports}",
    ]
    grant = Grant(path="threshold", subject=settings.THRESHOLD, scope="everyone", everyone=True, root=False, ports=open_to_all,
                  protocol="any", via=via, source=settings.THRESHOLD)  # fmt: skip
    return Granted([grant])


def _shipped(question: Question) -> tuple[PortRange | None, str]:
    """The ports that are privileged as the system is shipped, and who says so: the vendor table, else the kernel's own default."""
    record = question.tables.vendor("Linux", question.linux.head.get("release"))
    if record is None or not record.knows("privileged"):
        return PortRange(1, settings.PROT_SOCK - 1), "PROT_SOCK of include/net/sock.h"
    return record.privileged, f"vendor table, {record.id}"
