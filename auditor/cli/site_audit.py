"""How `audit` judges the hosts of a site: which host each source is of, by which policy, and which hosts are missing."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence

from auditor.cli.yardsticks import check_tables
from auditor.errors import AuditorError
from auditor.policy import Policy
from auditor.policy_keys import Glob
from auditor.policy_rules import Rules
from auditor.report import HostReport, SiteCoverage
from auditor.site import Assignment, load, note_doubles
from auditor.sources import Source
from auditor.tables import Tables
from auditor.yaml_nodes import printable

_SHOWN = 20


class SiteAudit:
    """A site, its roles' policies, all of them read and checked, and which of its hosts this audit is to be of (`patterns`; None: all)."""

    def __init__(self, path: str, patterns: tuple[Glob, ...] | None, rules: Rules, tables: Tables) -> None:
        self.site = load(path)
        self.patterns = patterns
        self.policies: Mapping[str, Policy] = self.site.policies(rules)
        for policy in {id(policy): policy for policy in self.policies.values()}.values():
            check_tables(policy, tables)
        if not self.site.expected(patterns):
            advice = "see the names in --hosts, in which only * is special, and the inventory"
            raise AuditorError(f"no host of {self.site.name}'s inventory is asked for", advice)

    def assigned(self, sources: Sequence[Source]) -> list[Assignment]:
        """Which host each source is of."""
        found = [
            self.site.assign_itself(os.uname().nodename, source.given) if source.live else self.site.assign(source.path, source.given)
            for source in sources
        ]
        note_doubles((one, source.snapshot.shown.get("machine_id")) for one, source in zip(found, sources, strict=True))
        return found

    def policy_of(self, one: Assignment, otherwise: Policy) -> Policy:
        """The policy of a host's role; that of -p where it has none, or several."""
        return self.policies[one.roles[0]] if len(one.roles) == 1 else otherwise

    def coverage(self, hosts: Sequence[HostReport]) -> SiteCoverage:
        """What of the site was audited. Of a host that audits itself nobody expects the others' evidence."""
        audited = {host.assignment.host for host in hosts if host.assignment}
        expected = self.site.expected(self.patterns)
        missing = [name for name in expected if name not in audited]
        alone = any(host.live for host in hosts)
        return SiteCoverage(
            self.site.name, self.site.files, self.site.sha256,
            hosts=len(expected), audited=len(expected) - len(missing), missing=[] if alone else missing,
        )  # fmt: skip


def check_site(path: str, rules: Rules, tables: Tables, quiet: bool) -> bool:
    """Read a site with its inventories and policies, and print how many hosts have each role. Whether a host has none, or several."""
    site = SiteAudit(path, None, rules, tables).site
    counts = Counter(roles[0] if len(roles) == 1 else len(roles) > 1 for roles in site.roles_of.values())
    told = [f"{name} {counts[name]}" for name in site.roles] + [f"no role {counts[False]}", f"several {counts[True]}"]
    astray = [(site.hosts[key], roles) for key, roles in site.roles_of.items() if len(roles) != 1]
    if astray or not quiet:
        print(f"{printable(path)}: valid: {site.name}, {len(site.hosts)} hosts: {', '.join(told)}")
    for host, roles in astray[:_SHOWN]:
        print(f"  {host.place.origin}: {host.name} has {' and '.join(roles) or 'no role'}")
    if len(astray) > _SHOWN:
        print(f"  and {len(astray) - _SHOWN} more")
    return bool(astray)


def chosen_site(parsed: Namespace, rules: Rules, tables: Tables) -> SiteAudit | None:
    """The site that the command line names, if it names one."""
    if parsed.site is None:
        if parsed.hosts is not None:
            raise AuditorError("--hosts chooses hosts of a site, but there is none", "give the site file: --site FILE")
        return None
    patterns = None if parsed.hosts is None else tuple(Glob(word) for word in parsed.hosts.split(",") if word)
    return SiteAudit(parsed.site, patterns, rules, tables)
