"""`port-auditor audit`."""

from __future__ import annotations

import datetime
import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence

from auditor import controls, plugins, redaction
from auditor.cli import delivery
from auditor.cli.collect import search_arguments, search_options
from auditor.cli.judging import Judging, iana_names
from auditor.cli.notices import say
from auditor.cli.site_audit import chosen_site
from auditor.cli.yardsticks import check_tables
from auditor.coverage import Drift
from auditor.errors import AuditorError
from auditor.host_report import HostReport
from auditor.policy import Policy, load
from auditor.presentation import Presentation, RuleDocument
from auditor.remedy import Remedy
from auditor.report import FAIL_ON, Report
from auditor.rule import Rule
from auditor.sources import Source, from_path, this_host
from auditor.tables import Tables
from auditor.totals import FAIL_ON_BY_DEFAULT

HELP = "Audit this host, or saved evidence, against a policy."
EXAMPLE = """\
examples:
  port-auditor audit                              this host, by the baseline policy, into reports/
  port-auditor audit -p web.yaml fetched/         every bundle in a folder, by your policy
  port-auditor audit --site site.yaml fetched/    each host of a site by its role's policy
  port-auditor audit -f json=- h.evidence         one bundle, report/1 on stdout

The text on a terminal is as wide as that (or as COLUMNS says), and coloured unless NO_COLOR is set or TERM is dumb. In files and pipes it
is always the same."""


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
    add(
        "--fail-on",
        choices=FAIL_ON,
        default=FAIL_ON_BY_DEFAULT,
        help="exit 1 where something is open at this severity or above (default: %(default)s)",
    )
    add("--allow-incomplete", action="store_true", help="exit 0 although something is unknown; the verdict says so")
    add("--stack", metavar="NAME", help="judge this network stack only")
    add("--only", metavar="RULE,...", help="judge by these rules only")
    add("--cross-check", action="store_true", help="ask psutil as a second witness of this host's listeners")
    search_arguments(parser)
    add("--bind-test", action="store_true", help="really bind on this host, as an unprivileged user, and compare with what is promised")
    add("--today", metavar="DATE", help="judge as of this day, YYYY-MM-DD in UTC")
    add("--without-evidence", action="store_true", help="no evidence, in the html and beside it: its hashes only")
    add("--redact", metavar="WHAT", help="other names for what identifies people or hosts: users, hosts or users,hosts; no evidence")
    add("--templates", metavar="DIR", help="lay out the html with the templates in this folder, and ours where it has none")
    add("-q", "--quiet", action="store_true", help="print nothing when nothing is open or unknown")
    add("-v", "--verbose", action="store_true", help="say on stderr what is being done")


def run(parsed: Namespace) -> int:
    started = _now()
    today = _today(parsed.today)
    parsed.redact = _redacted(parsed.redact) if parsed.redact is not None else ()
    rules = plugins.rules()
    parameters = {name: rule.parameters for name, rule in rules.items()}
    policy = load(parsed.policy, parameters)
    chosen = _chosen(parsed.only, rules)
    outputs = delivery.chosen(parsed.format)
    tables = Tables()
    check_tables(policy, tables)
    site = chosen_site(parsed, parameters, tables)
    judging = Judging(policy, tables, chosen, today, parsed.stack, site, parsed.baseline, parsed.fail_on)
    policies = [policy, *(site.policies.values() if site else ())]
    left_out = _left_out(parsed, len(chosen), len(rules))
    report = Report(
        tables=tables.provenance(), started=started, finished=started, evaluated_on=today.isoformat(),
        fail_on=parsed.fail_on, allow_incomplete=parsed.allow_incomplete,
        documents={name: _document(rule) for name, rule in rules.items()}, iana_ranges=tables.iana_ranges,
        narrowed=[*left_out, *([f"judged as of {parsed.today} (--today)"] if parsed.today is not None else [])], in_part=left_out,
        frameworks=controls.load(), shown_as=_presentation(parsed, policies),
    )  # fmt: skip
    with delivery.Delivery(outputs, folder=parsed.output, quiet=parsed.quiet) as deliver:
        _judge_all(parsed, judging, policies, report, deliver)
        report.finished = _now()
        deliver.end(report)
    return report.exit_code


def _judge_all(parsed: Namespace, judging: Judging, policies: list[Policy], report: Report, deliver: delivery.Delivery) -> None:
    """Each source, one after the other, into the report; where names are to be redacted, after all of them are known."""
    sources = _sources(parsed, judging.tables, _opt_in(parsed, judging.rules, policies), policies)
    report.drift = Drift() if parsed.baseline is not None else None
    seen = _Seen()
    deliver.begin()
    redact = redaction.Redaction(parsed.redact) if parsed.redact else None
    waiting: list[HostReport] = []
    for host in _judged(sources, parsed, judging, report, seen):
        if redact is None:
            _take(host, report, deliver)
        else:
            redact.meet(host)
            waiting.append(host)
    if parsed.stack is not None and seen.stacks and parsed.stack not in seen.stacks:
        raise AuditorError(f"no stack is called {parsed.stack!r}", f"the stacks seen are: {', '.join(sorted(seen.stacks))}")
    if report.drift is not None:
        report.drift.missing = [] if seen.live and seen.compared else sorted(judging.baseline.unmet)
    report.site = judging.site.coverage(seen.hosts, alone=seen.live) if judging.site else None
    if redact is not None:
        redact.report(report)
        for host in waiting:
            redact.host(host)
            _take(host, report, deliver)


class _Seen:
    """Of which `hosts` of the site and which `stacks` there was evidence; whether this host was audited `live`, or any was `compared`."""

    def __init__(self) -> None:
        self.hosts: set[str | None] = set()
        self.stacks: set[str] = set()
        self.live = False
        self.compared = False

    def add(self, host: HostReport) -> None:
        self.hosts.update([host.assignment.host] if host.assignment else [])
        self.stacks.update(stack.name for stack in host.snapshot.stacks.seen)
        self.live = self.live or host.live
        self.compared = self.compared or host.baseline is not None


def _judged(
    sources: Iterator[Source | tuple[str, str]], parsed: Namespace, judging: Judging, report: Report, seen: _Seen
) -> Iterator[HostReport]:  # fmt: skip
    if judging.site:
        judging.site.look_over(parsed.sources)
    for source in sources:
        if not isinstance(source, Source):
            say(f"port-auditor: {source[1]}")
            report.bad_sources.append(source)
            continue
        if parsed.verbose:
            say(f"port-auditor: judging {source.given} by {len(judging.rules)} rules")
        host = judging.host(source)
        seen.add(host)
        report.iana_names |= iana_names(host, judging.tables)
        yield host


def _take(host: HostReport, report: Report, deliver: delivery.Delivery) -> None:
    report.add(host, keep=deliver.keeps)
    deliver.host(report, host)
    if report.drift is not None:
        report.drift.add(host)


def _presentation(parsed: Namespace, policies: list[Policy]) -> Presentation:
    banners, organisations = (
        " / ".join(dict.fromkeys(said for policy in policies if (said := getattr(policy.shown, key)))) for key in ("banner", "organisation")
    )
    return Presentation(
        organisation=organisations or None, banner=banners or None, templates=parsed.templates, redacted=parsed.redact,
        with_evidence=not (parsed.without_evidence or parsed.redact),
    )  # fmt: skip


def _redacted(given: str) -> tuple[str, ...]:
    kinds = tuple(dict.fromkeys(kind for kind in given.split(",") if kind))
    if not kinds or not set(kinds) <= set(redaction.KINDS):
        raise AuditorError(f"--redact {given!r} is not {', '.join(redaction.KINDS)} or both", "write --redact users,hosts")
    return kinds


def _document(rule: Rule) -> RuleDocument:
    return RuleDocument(rule.title, rule.section("Why it matters"), Remedy(rule.section("Remedy")))


def _now() -> str:
    """The stamp of this moment, or SOURCE_DATE_EPOCH's (seconds since 1970), for reports that can be made again."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    known = epoch.isascii() and epoch.isdigit()
    try:
        moment = datetime.datetime.fromtimestamp(int(epoch), datetime.UTC) if known else datetime.datetime.now(datetime.UTC)
    except (OverflowError, ValueError) as error:
        raise AuditorError(f"SOURCE_DATE_EPOCH={epoch[:40]} is no moment: {error}", "give seconds since 1970, or unset it") from None
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


def _opt_in(parsed: Namespace, chosen: Sequence[Rule], policies: list[Policy]) -> frozenset[str]:
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
            say("port-auditor: collecting from this host")
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


def _left_out(parsed: Namespace, chosen: int, known: int) -> list[str]:
    """What --only, --hosts and --stack keep from being judged, for the verdict to say."""
    said = [f"only {chosen} of {known} rules were asked (--only)"] if parsed.only is not None else []
    said += [f"evidence was expected of hosts {parsed.hosts} of the site only (--hosts)"] if parsed.hosts is not None else []
    return said + ([f"only the network stack {parsed.stack} was judged (--stack)"] if parsed.stack is not None else [])
