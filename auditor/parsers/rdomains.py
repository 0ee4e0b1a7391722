"""OpenBSD's `netstat -R` (usr.bin/netstat/route.c): the routing domains, each a network stack of its own, with their interfaces.

    Rdomain 0
      Interfaces: lo0 em0
      Routing table: 0

Domain 0 is always there: an output without it is not whole.
"""

from __future__ import annotations

import re

from auditor.reading import Output, Read

_DOMAIN = re.compile(r"Rdomain (\d{1,5})")
_DETAIL = re.compile(r"(?:Interfaces?|Routing tables?):.*")


class RoutingDomains(Read):
    """The numbers of the routing domains."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[int] = []


def parse(output: Output) -> RoutingDomains:
    """The interfaces and tables of a domain are passed over: what listens in it is another command's answer."""
    domains = RoutingDomains()
    for line in output.lines():
        text = line.strip()
        if named := _DOMAIN.fullmatch(text):
            domains.found.append(int(named[1]))
            domains.taken.append(line)
        elif _DETAIL.fullmatch(text):
            domains.pass_over(line, "what belongs to a routing domain")
        else:
            domains.gap("a line of netstat -R cannot be read", line)
    if 0 not in domains.found:
        domains.gap("netstat -R does not list routing domain 0")
    return domains
