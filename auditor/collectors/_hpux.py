"""What an HP-UX host's settings mean: ndd(1M); the vendor's words for them are in the vendor table, hpux-11."""

from __future__ import annotations

from auditor.collectors._grants import root_only
from auditor.collectors._saved import Answers, Heard, Ranges, System
from auditor.collectors._streams import NAMES, anonymous, unprivileged_from
from auditor.facts import Facts
from auditor.model import Range
from auditor.parsers import ifconfig, lsof, ndd, netstat_hpux, ps
from auditor.tables import Tables

_NEEDS = "root, or a privilege of HP-UX"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """A set of settings for TCP and one for UDP, which IPv4 and IPv6 share."""
    none = Facts[Range]([], "HP-UX keeps no list of ports that it does not hand out", answers.whole, "derived")
    return Ranges(unprivileged_from(heard, _NEEDS, answers.whole), anonymous(heard, answers.whole), none)


SYSTEM = System(
    "HP-UX",
    parsers={
        "ndd": ndd.parse, "netstat": netstat_hpux.parse, "lsof": lsof.parse, "ps": ps.parse, "ifconfig": ifconfig.parse,
    },
    ranges=ranges, settings=NAMES, asked=NAMES, holders=("lsof",),
    grants=root_only(
        "below smallest_nonpriv_port a bind takes superuser (ndd(1M))",
        opened="smallest_nonpriv_port", open_why="smallest_nonpriv_port is set below them (ndd)",
        others="who was given a privilege of HP-UX for low ports is shown by no answer that is read",
    ),
)  # fmt: skip
