"""`port-auditor policy init`: a policy of what listens, for people to review."""

from __future__ import annotations

import argparse
import os
import sys

from auditor.cli.notices import say
from auditor.errors import AuditorError, SourceError
from auditor.model import Snapshot
from auditor.policy import load
from auditor.policy_draft import SHARE, Draft, draft
from auditor.policy_draft_text import text
from auditor.tables import Tables
from auditor.yaml_nodes import SIZE_MAX

HELP = """\
Draft a policy from what listens on this host, or on all hosts of a role.

An entry is proposed if it is on --share percent of the hosts. It asks what all of them show: executable, user,
unit or container. Not proposed, and listed in comments with the reason: what few hosts have; what runs from a
folder that users write to, from a file that is deleted, or from memory; what the policy that is extended forbids.
Every purpose is empty, and so is what else `must_have` of that policy asks for: until people have filled them in,
`policy check` and `audit` refuse the file.

Exit code 0 where all was seen, 3 where a source could not be read or a host may listen on more than was seen; the
draft is written all the same, and says so."""
EXAMPLE = """\
examples:
  port-auditor policy init -o web1.yaml                                       of this host
  port-auditor policy init fetched/web/ -p bank-linux.yaml -o roles/web.yaml  of a role"""
COMPLETE, INCOMPLETE = 0, 3


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="bundles, snapshots, folders of them, - for stdin (default: this host)")
    add("-p", "--policy", default="baseline", metavar="NAME|FILE", help="the policy that the draft extends (default: baseline)")
    add("--share", type=int, default=SHARE, metavar="PERCENT", help=f"on how many of the hosts an entry must be (default: {SHARE})")
    add("-o", "--output", default="-", metavar="FILE", help="where to write it; - is stdout (default); a file that is there is kept")


def run(parsed: argparse.Namespace) -> int:
    from auditor.output import write
    from auditor.plugins import rule_parameters

    if not 1 <= parsed.share <= 100:
        raise AuditorError(f"--share {parsed.share} is no percentage", "give one from 1 to 100")
    if parsed.output != "-" and os.path.isfile(parsed.output):
        raise AuditorError(f"{parsed.output} is there already, and may have been filled in", "choose another name, or move it away")
    policy = load(parsed.policy, rule_parameters())
    tables = Tables()
    snapshots, bad = _snapshots(parsed.sources, tables)
    made = draft(snapshots, policy, tables, parsed.share)
    reference = _reference(parsed.policy, parsed.output)
    if not reference.isprintable():
        raise AuditorError(f"{reference!r}: no policy can name this file", "rename it")
    written = text(made, reference, _made_of(made, snapshots)).encode()
    if len(written) > SIZE_MAX:
        raise AuditorError(f"the draft would be larger than {SIZE_MAX} bytes, and no policy is", "draft from fewer hosts, of one role")
    if parsed.output == "-":
        sys.stdout.buffer.write(written)
    else:
        write(parsed.output, [written])
    say(f"port-auditor: {_told(made, parsed.output)}")
    return INCOMPLETE if bad or made.gaps else COMPLETE


def _snapshots(sources: list[str], tables: Tables) -> tuple[list[Snapshot], int]:
    """What was read, and how many sources could not be."""
    from auditor.sources import Source, from_path, this_host

    if not sources:
        return [this_host(tables).snapshot], 0
    found, bad = [], 0
    for path in sources:
        for source in from_path(path, tables):
            if isinstance(source, Source):
                found.append(source.snapshot)
            else:
                bad += 1
                say(f"port-auditor: {source[1]}")
    if not found:
        raise SourceError("no source could be read", "give bundles made by `port-auditor collect`, or a folder of them")
    return found, bad


def _reference(policy: str, output: str) -> str:
    """How a policy in `output` names the one that it extends: the path of a file begins where the draft is."""
    if "/" not in policy and os.sep not in policy and "." not in policy:
        return policy
    return os.path.relpath(policy, (os.path.dirname(output) if output != "-" else "") or ".")


def _made_of(made: Draft, snapshots: list[Snapshot]) -> str:
    taken = sorted({str(snapshot.shown.get("taken", "an unknown time")) for snapshot in snapshots})
    hosts = str(snapshots[0].shown.get("host", "one host")) if made.hosts == 1 else f"{made.hosts} hosts"
    return f"of {hosts}, seen {taken[0]}" + (f" to {taken[-1]}" if len(taken) > 1 else "")


def _told(made: Draft, output: str) -> str:
    where = "the draft" if output == "-" else output
    left_out = len(made.rare) + len(made.refused)
    to_fill = " and ".join(made.to_fill)
    return f"{len(made.proposed)} proposed, {left_out} listed as not proposed; fill in each {to_fill} in {where}, then `policy check` it"
