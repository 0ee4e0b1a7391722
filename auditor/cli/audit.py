"""`port-auditor audit`."""

from __future__ import annotations

import datetime
import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from auditor import controls, plugins
from auditor.approvals import approvals
from auditor.baseline import Baseline
from auditor.cli import delivery
from auditor.cli.collect import search_arguments, search_options
from auditor.cli.site_audit import SiteAudit, chosen_site
from auditor.cli.yardsticks import check_tables
from auditor.display import harmless
from auditor.errors import AuditorError, SourceError
from auditor.evaluate import evaluate
from auditor.model import Snapshot
from auditor.policy import Policy, load
from auditor.port_range import PortRange
from auditor.remedy import Remedy
from auditor.report import FAIL_ON, Drift, HostReport, Report, RuleDocument, VendorDefault
from auditor.rule import Rule
from auditor.site import Assignment
from auditor.sources import Source, from_path, this_host
from auditor.tables import Tables

HELP = "Audit this host, or saved evidence, against a policy."
EXAMPLE = """\
examples:
  port-auditor audit                              this host, by the baseline policy, into reports/
  port-auditor audit -p web.yaml fetched/         every bundle in a folder, by your policy
  port-auditor audit --site site.yaml fetched/    each host of a site by its role's policy
  port-auditor audit -f json=- h.evidence         one bundle, report/1 on stdout"""


_OF_THIS_HOST = {
    "--cross-check": "`collect --only ports,units,persisted,grants,endpoints,cross-check`",
    "--bind-test": "`audit --bind-test`",
    "--search": "`collect --search DIR`",
    "--search-seconds": "`collect --search-seconds N`",
}
"""Options that make no sense of saved evidence, and what does."""
_PART_OF = {"services": "services", "nat": "nat"}
"""The part of a collection that gives what a rule `needs`, where it is asked for only when a rule does."""


def arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("sources", nargs="*", metavar="SOURCE", help="a bundle, a snapshot, a folder of them, - for stdin (default: this host)")
    add("-p", "--policy", default="baseline", metavar="NAME|FILE", help="by which policy (default: baseline)")
    add("--site", metavar="FILE", help="judge each host by the policy of its role, as this site file and its inventory say")
    add("--hosts", metavar="GLOB,...", help="expect evidence of these hosts of the site only; * is any text, nothing else is special")
    add("-b", "--baseline", metavar="SOURCE", help="say what changed since this bundle, snapshot, or folder of them, of the same hosts")
    add("-f", "--format", action="append", default=[], metavar="FORMAT[=FILE]", help="write this format; - is stdout; may be repeated")
    add("-o", "--output", default="reports", metavar="DIR", help="where html, json and evidence go without -f (default: reports)")
    add("--fail-on", choices=FAIL_ON, default="medium", help="exit 1 where something is open at this severity or above (default: medium)")
    add("--allow-incomplete", action="store_true", help="exit 0 although something is unknown; the verdict says so")
    add("--stack", metavar="NAME", help="judge this network stack only")
    add("--only", metavar="RULE,...", help="judge by these rules only")
    add("--cross-check", action="store_true", help="ask psutil as a second witness of this host's listeners")
    search_arguments(parser)
    add("--bind-test", action="store_true", help="really bind on this host, as an unprivileged user, and compare with what is promised")
    add("--today", metavar="DATE", help="judge as of this day, YYYY-MM-DD in UTC")
    add("--without-evidence", action="store_true", help="do not write the evidence beside the reports")
    add("-q", "--quiet", action="store_true", help="print nothing when nothing is open or unknown")
    add("-v", "--verbose", action="store_true", help="say on stderr what is being done")


def run(parsed: Namespace) -> int:
    started = _now()
    today = _today(parsed.today)
    rules = plugins.rules()
    parameters = {name: rule.parameters for name, rule in rules.items()}
    policy = load(parsed.policy, parameters)
    chosen = _chosen(parsed.only, rules)
    outputs = delivery.chosen(parsed.format)
    tables = Tables()
    check_tables(policy, tables)
    site = chosen_site(parsed, parameters, tables)
    baseline = _baseline(parsed.baseline, tables, site)
    hosts: list[HostReport] = []
    bad: list[tuple[str, str]] = []
    sources: list[Source] = []
    policies = [policy, *(site.policies.values() if site else ())]
    also = _opt_in(parsed, chosen, policies)
    for source in _sources(parsed, tables, also, policies):
        if isinstance(source, Source):
            sources.append(source)
        else:
            bad.append(source)
    assigned = site.assigned(sources) if site else [None] * len(sources)
    for source, one in zip(sources, assigned, strict=True):
        if parsed.verbose:
            sys.stderr.write(f"port-auditor: judging {harmless(source.given)} by {len(chosen)} rules\n")
        by = site.policy_of(one, policy) if site and one else policy
        earlier = baseline.of(_name(source, one), source.snapshot)
        findings = evaluate(source.snapshot, by, tables, chosen, today, parsed.stack, baseline=earlier, assignment=one)
        hosts.append(HostReport(source, by, findings, _vendor_default(source.snapshot, tables), one))
        hosts[-1].baseline = earlier
        hosts[-1].approvals = approvals(source.snapshot, by, parsed.stack) if by.approved_given else None
    _check_stack(parsed.stack, hosts)
    report = Report(
        hosts, tables=tables.provenance(), started=started, finished=_now(), evaluated_on=today.isoformat(), bad_sources=bad,
        fail_on=parsed.fail_on, allow_incomplete=parsed.allow_incomplete,
        documents={name: _document(rule) for name, rule in rules.items()},
        iana_ranges=tables.iana_ranges, iana_names=_iana_names(hosts, tables),
        narrowed=_narrowed(parsed, len(chosen), len(rules)), frameworks=controls.load(),
        site=site.coverage(hosts) if site else None, drift=_drift(hosts, baseline) if parsed.baseline is not None else None,
    )  # fmt: skip
    for _, why in bad:
        sys.stderr.write(f"port-auditor: {harmless(why)}\n")
    delivery.deliver(report, outputs, folder=parsed.output, with_evidence=not parsed.without_evidence, quiet=parsed.quiet)
    return report.exit_code


def _document(rule: Rule) -> RuleDocument:
    return RuleDocument(rule.title, rule.section("Why it matters"), Remedy(rule.section("Remedy")))


def _now() -> str:
    """The stamp of this moment, or SOURCE_DATE_EPOCH's (seconds since 1970), for reports that can be made again."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    known = epoch.isascii() and epoch.isdigit()
    moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if known else datetime.datetime.now(datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _today(given: str | None) -> datetime.date:
    if given is None:
        return datetime.datetime.now(datetime.UTC).date()
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", given):
            raise ValueError
        return datetime.date.fromisoformat(given)
    except ValueError:
        raise AuditorError(f"--today {given!r} is not a day", "write it as 2027-03-31") from None


def _chosen(only: str | None, rules: dict[str, Rule]) -> list[Rule]:
    if only is None:
        return list(rules.values())
    names = [name for name in only.split(",") if name]
    unknown = [name for name in names if name not in rules]
    if unknown or not names:
        raise AuditorError(f"--only names no rule: {', '.join(map(repr, unknown)) or repr(only)}", "`port-auditor rules` lists them")
    return [rules[name] for name in names]


def _opt_in(parsed: Namespace, chosen: list[Rule], policies: list[Policy]) -> frozenset[str]:
    """The parts to ask this host about beside the usual ones: what rules need that a policy has not turned off, where there is such a
    part."""
    from auditor.collect import parts

    known = parts(plugins.collector_for(os.uname().sysname))
    judging = [rule for rule in chosen if any((s := policy.rules.get(rule.name)) is None or not s.off for policy in policies)]
    needed = {part for rule in judging for need, part in _PART_OF.items() if need in rule.needs and part in known}
    return frozenset(needed | {part for part, wanted in (("cross-check", parsed.cross_check), ("bind-test", parsed.bind_test)) if wanted})


def _sources(
    parsed: Namespace, tables: Tables, also: frozenset[str], policies: list[Policy]
) -> Iterator[Source | tuple[str, str]]:  # fmt: skip
    if not parsed.sources:
        if parsed.verbose:
            sys.stderr.write("port-auditor: collecting from this host\n")
        options = search_options(parsed)
        if parsed.bind_test:
            from auditor.cli import bind_test

            options["bind-test"] = bind_test.options(policies)
        yield this_host(tables, also, options=options)
        return
    for option, there in _OF_THIS_HOST.items():
        if getattr(parsed, option.strip("-").replace("-", "_")):
            raise AuditorError(f"{option} asks this host, but a SOURCE was given", f"run on that host: {there}")
    for path in parsed.sources:
        yield from from_path(path, tables)


def _name(source: Source, assignment: Assignment | None) -> str:
    """By the site, or else as the evidence says."""
    claimed: str | None = source.snapshot.shown.get("host")
    return claimed or "" if assignment is None else assignment.called(claimed)


def _baseline(path: str | None, tables: Tables, site: SiteAudit | None) -> Baseline:
    """The earlier snapshots at a path. SourceError where one cannot be read: what it would have shown would be missed in silence."""
    snapshots = []
    for source in from_path(path, tables) if path is not None else ():
        if not isinstance(source, Source):
            raise SourceError(f"the baseline {source[0]} cannot be read: {source[1]}", "give a bundle, a snapshot, or a folder of them")
        snapshots.append((_name(source, site.site.assign(source.path, source.given) if site else None), source.snapshot))
    if path is not None and not snapshots:
        raise SourceError(f"the baseline {path} has no snapshot in it", "give a bundle, a snapshot, or a folder of them")
    return Baseline(snapshots)


def _drift(hosts: list[HostReport], baseline: Baseline) -> Drift:
    """Which hosts were compared, and which could not be. Of a host that audits itself nobody expects the others' evidence."""
    compared = [host.baseline.shown.get("taken", "an unknown time") for host in hosts if host.baseline]
    missing = [] if any(host.live and host.baseline for host in hosts) else sorted(baseline.unmet.values())
    return Drift(compared, [host.name for host in hosts if not host.baseline], missing)


def _narrowed(parsed: Namespace, chosen: int, known: int) -> list[str]:
    """What --only and --stack keep from being judged, for the verdict to say."""
    said = [f"only {chosen} of {known} rules were asked (--only)"] if parsed.only is not None else []
    said += [f"evidence was expected of hosts {parsed.hosts} of the site only (--hosts)"] if parsed.hosts is not None else []
    said += [f"judged as of {parsed.today} (--today)"] if parsed.today is not None else []
    return said + ([f"only the network stack {parsed.stack} was judged (--stack)"] if parsed.stack is not None else [])


def _check_stack(name: str | None, hosts: list[HostReport]) -> None:
    names = {stack.name for host in hosts for stack in host.snapshot.stacks.seen}
    if name is not None and hosts and name not in names:
        raise AuditorError(f"no stack is called {name!r}", f"the stacks seen are: {', '.join(sorted(names))}")


def _vendor_default(snapshot: Snapshot, tables: Tables) -> VendorDefault | None:
    """The vendor table's row for a host, as plain values."""
    record = tables.vendor(snapshot.shown.get("system", ""), snapshot.shown.get("release"))
    if record is None:
        return None
    stated: dict[str, list[tuple[PortRange, str]] | None] = {"privileged": None, "ephemeral": None, "reserved": None}
    if record.knows("privileged"):
        stated["privileged"] = [] if record.privileged is None else [(record.privileged, "")]
    for name in ("ephemeral", "reserved"):
        if record.knows(name):
            ranges = record.ephemeral if name == "ephemeral" else record.reserved
            stated[name] = [(one.ports, ", ".join(sorted({one.role, one.protocol} - {"default", "any"}))) for one in ranges]
    return VendorDefault(record.id, record.os, record.confidence, **stated)


def _iana_names(hosts: list[HostReport], tables: Tables) -> dict[tuple[str, int], str]:
    """What the registry says of each port that listens: its service names, or else its status."""
    stacks = [stack for host in hosts for stack in host.snapshot.stacks.seen]
    sockets = [socket.shown for stack in stacks if "listening" in stack.shown for socket in stack.listening.seen]
    asked = {(shown["protocol"], shown["port"]) for shown in sockets if "protocol" in shown and "port" in shown}
    entries = {(protocol, port): tables.iana(port, protocol) for protocol, port in sorted(asked)}
    return {key: " ".join(entry.names) or f"({entry.status})" for key, entry in entries.items()}
