"""`port-auditor policy check`: all that is wrong with a policy, and what is odd in it."""

from __future__ import annotations

import argparse
import datetime

from auditor.approvals import counted, strength
from auditor.cli.yardsticks import check_tables
from auditor.display import harmless
from auditor.errors import AuditorError, PolicyError
from auditor.policy import Policy, Rules, load
from auditor.policy_csv import Source, sheet, sources
from auditor.policy_entries import refuse_twins
from auditor.policy_keys import raise_all
from auditor.policy_lints import ERROR, problems
from auditor.tables import Tables
from auditor.yaml_nodes import Mapping, Node, Scalar, printable, scalar

HELP = """\
Say all that is wrong with a policy.

Errors, exit code 2: what cannot be read; what `must_have` asks of an approved entry and it does not say (`audit`
does not insist on it); an approved or required entry that is wholly forbidden; two waivers or gaps of one id.
Warnings, exit code 0: an entry that another makes idle or repeats; one that is forbidden in part; an approval by
process name alone, or of very many ports whoever holds them; a waiver of everything that its rule finds; a rule on
which a review rests turned off; a system or unit that looks misspelt; a waiver, an accepted gap or a review whose day
has passed.

A site file is checked with its inventory and every role's policy: exit code 1 where a host has no role or several.
A CSV file is checked as an approved list, by the words of its first row; --column says which word stands for
which key, where they are not the same."""
EXAMPLE = """\
examples:
  port-auditor policy check web.yaml
  port-auditor policy check clsa.csv --column port=Port --column name=Service --column purpose=Justification"""


def arguments(parser: argparse.ArgumentParser) -> None:
    columns = "what a CSV file calls a key; may be repeated"
    parser.add_argument("--column", metavar="KEY=WORD", action="append", default=[], help=columns)
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing when nothing is wrong")


def check(given: str, rules: Rules, tables: Tables, parsed: argparse.Namespace) -> None:
    """Print what is odd, and count what is there; PolicyError with all that must be mended."""
    if given.lower().endswith(".csv"):
        policy = _csv(given, parsed.column, quiet=parsed.quiet)
    elif parsed.column:
        raise AuditorError("--column speaks of a CSV file, and there is none", "give a file that ends in .csv")
    else:
        policy = load(given, rules)
        check_tables(policy, tables)
    found = problems(policy, datetime.datetime.now(datetime.UTC).date())
    for problem in found:
        if problem.severity != ERROR:
            print(harmless(f"{problem.origin}: warning: {problem.message}; {problem.advice}"))
    raise_all(PolicyError(f"{problem.origin}: {problem.message}", problem.advice) for problem in found if problem.severity == ERROR)
    if not parsed.quiet:
        print(f"{printable(given)}: valid: {summary(policy)}")


def summary(policy: Policy) -> str:
    """What is in it, counted."""
    approved = f"{len(policy.approved)} approved{_strengths(policy)}" if policy.approved_given else "no approved list"
    counts = [approved, f"{len(policy.required)} required", f"{len(policy.forbidden)} forbidden"]
    counts += [f"{len(policy.rules)} {'rule' if len(policy.rules) == 1 else 'rules'} set"]
    return ", ".join([*counts, f"{len(policy.waivers)} {'waiver' if len(policy.waivers) == 1 else 'waivers'}"])


def _strengths(policy: Policy) -> str:
    return f" ({counted(map(strength, policy.approved))})" if policy.approved else ""


def _csv(path: str, columns: list[str], *, quiet: bool) -> Policy:
    """A CSV file as the policy that takes its approved list from it."""
    read = sheet(path, path, _source(path, columns) if columns else None)
    if not quiet:
        mapping = ", ".join(f"{key}: {scalar(word)}" for key, word in read.columns.items())
        print(harmless(f"{path}: read as approved_from: {{file: {scalar(path)}, columns: {{{mapping}}}}}"))
        if read.unused:
            print(harmless(f"{path}: columns not used: {', '.join(read.unused)}"))
    policy = Policy(printable(path))
    policy.approved = read.entries()
    policy.approved_given = True
    refuse_twins(policy.approved)
    return policy


def _source(path: str, columns: list[str]) -> Source:
    """What `approved_from` would say of it."""
    pairs = [one.partition("=") for one in columns]
    wrong = next((one for one, (key, _, word) in zip(columns, pairs, strict=True) if not (key and word)), None)
    if wrong is not None:
        raise AuditorError(f"--column {wrong!r} is not KEY=WORD", "write, say, --column port=Port")
    words = _written({key: _scalar(word) for key, _, word in pairs})
    return sources(_written({"file": _scalar(path), "columns": words}))[0]


def _written(items: dict[str, Node]) -> Mapping:
    written = Mapping("--column", 0, 0)
    written.items = {key: (_scalar(key), value) for key, value in items.items()}
    return written


def _scalar(word: str) -> Scalar:
    return Scalar(word, "--column", 0, 0)
