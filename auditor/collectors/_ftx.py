"""What an FTX host does with ports: Stratus' page on the port ranges of its systems, by release; from 3.4 on ndd may have changed them."""

from __future__ import annotations

from auditor.collectors._documented import agreed, disputed, handed_out_by, meant, remark
from auditor.collectors._grants import root_only
from auditor.collectors._saved import Answers, Heard, Ranges, System, handed_out
from auditor.collectors._streams import ANONYMOUS, NAMES, PROTOCOLS, THRESHOLD, anonymous, told, unprivileged_from
from auditor.facts import Facts, Gap
from auditor.model import Range
from auditor.parsers import ndd, netstat_hpux
from auditor.tables import Tables, VendorRecord

_NEEDS = "root (assumed: Stratus' page does not say)"


def ranges(heard: Heard, answers: Answers, tables: Tables) -> Ranges:
    """What ndd printed counts. A kind of range of which it printed nothing is the vendor's word, but not where it was asked in vain."""
    rows = list({row.id: row for end in meant(answers.head.get("release")) if (row := tables.vendor("FTX", end))}.values())
    ranges_asked = heard.troubles or told(heard, PROTOCOLS, *ANONYMOUS)
    threshold_asked = heard.troubles or told(heard, PROTOCOLS, THRESHOLD)
    ephemeral = anonymous(heard, answers.whole) if ranges_asked else _ephemeral(rows, answers)
    privileged = unprivileged_from(heard, _NEEDS, answers.whole) if threshold_asked else _privileged(rows, answers)
    reserved = Facts[Range]([], "FTX keeps no list of ports that it does not hand out", answers.whole, "documented")
    return Ranges(privileged, ephemeral, reserved, [words for row in rows for words in remark(row)])


def _ephemeral(rows: list[VendorRecord], answers: Answers) -> Facts[Range]:
    inside, some = agreed(handed_out_by(row, "any") for row in rows)
    gaps = [Gap(f"whether {ports} is handed out depends on the release (--release 3.3)", ports=ports) for ports in some]
    gaps += [gap for row in rows for gap in disputed(row)] + _unread(rows, "tcp_smallest_anon_port") + answers.whole
    return Facts([handed_out(ports, "default") for ports in inside], _source(rows), gaps, "documented")


def _privileged(rows: list[VendorRecord], answers: Answers) -> Facts[Range]:
    inside, some = agreed([row.privileged] if row.knows("privileged") and row.privileged else [] for row in rows)
    seen = [Range(first=one.first, last=one.last, protocol="any", family="any", wildcard_exempt=False, needs=_NEEDS) for one in inside]
    gaps = [Gap(f"whether {ports} needs a privilege depends on the release (--release 3.3)", ports=ports) for ports in some]
    return Facts(seen, _source(rows), [*gaps, *_unread(rows, "tcp_smallest_nonpriv_port"), *answers.whole], "documented")


def _source(rows: list[VendorRecord]) -> str:
    return f"vendor table, {', '.join(row.id for row in rows)}"


def _unread(rows: list[VendorRecord], name: str) -> list[Gap]:
    """From 3.4 on the ranges can be set, so that the vendor's word is only what was shipped."""
    if not rows:
        return [Gap("the vendor table has no row of this release")]
    settable = any(row.settings for row in rows)
    return [Gap(f"it may have been set otherwise: {name} was not read (ndd -get /dev/tcp {name}, and for UDP)")] if settable else []


def sight(heard: Heard, answers: Answers) -> str:
    return "FTX shows no holders of sockets"


SYSTEM = System(
    "FTX", parsers={"ndd": ndd.parse, "netstat": netstat_hpux.parse}, ranges=ranges, settings=NAMES, sight=sight,
    grants=root_only(
        "root is assumed to be who may take them: Stratus' page does not say it of FTX",
        opened=THRESHOLD, open_why=f"{THRESHOLD} is set below them (ndd)",
        others="whether others than root may take the privileged ports of FTX is not documented",
    ),
)  # fmt: skip
