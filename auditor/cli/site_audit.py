"""How `audit` judges the hosts of a site: which host each source is of, by which policy, and which hosts are missing."""

from __future__ import annotations

import os
from argparse import Namespace
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from auditor.cli.yardsticks import check_tables
from auditor.coverage import SiteCoverage
from auditor.errors import AuditorError
from auditor.policy import Policy
from auditor.policy_keys import Glob
from auditor.policy_rules import Rules
from auditor.site import Assignment, load, note_doubles
from auditor.sources import Source, glimpses
from auditor.tables import Tables
from auditor.yaml_nodes import printable

_SHOWN = 20


class SiteAudit:
    """A site, its roles' policies, all of them read and checked, and which of its hosts this audit is to be of (`patterns`; None: all)."""

    def __init__(self, path: str, patterns: tuple[Glob, ...] | None, rules: Rules, tables: Tables) -> None:
        self.site = load(path)
        self.patterns = patterns
        self._assigned: dict[str, Assignment] = {}
        self.policies: Mapping[str, Policy] = self.site.policies(rules)
        for policy in {id(policy): policy for policy in self.policies.values()}.values():
            check_tables(policy, tables)
        if not self.site.expected(patterns):
            advice = "see the names in --hosts, in which only * is special, and the inventory"
            raise AuditorError(f"no host of {self.site.name}'s inventory is asked for", advice)

    def look_over(self, paths: Iterable[str]) -> None:
        """Tell the assignments of all files at these paths about each other, before the first of them is judged."""
        seen = [(self.site.assign(one.path, one.path), one.machine_id) for path in paths for one in glimpses(path)]
        note_doubles(seen)
        self._assigned = {one.place: one for one, _ in seen}

    def assignment(self, source: Source) -> Assignment:
        """Which host a source is of."""
        if source.live:
            return self.site.assign_itself(os.uname().nodename, source.given)
        known = self._assigned.get(source.given) if source.path is not None else None
        return known or self.site.assign(source.path, source.given)

    def policy_of(self, one: Assignment, otherwise: Policy) -> Policy:
        """The policy of a host's role; that of -p where it has none, or several."""
        return self.policies[one.roles[0]] if len(one.roles) == 1 else otherwise

    def coverage(self, audited: Collection[str | None], *, alone: bool) -> SiteCoverage:
        """What of the site was audited. Of a host that audits itself, `alone`, nobody expects the others' evidence."""
        expected = self.site.expected(self.patterns)
        missing = [name for name in expected if name not in audited]
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
