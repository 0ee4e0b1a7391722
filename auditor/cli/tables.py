"""`port-auditor tables`: the yardsticks, their sources and dates; import IANA's registry; check them."""

from __future__ import annotations

import argparse
import sys

from auditor.errors import TableError
from auditor.tables import Tables

CSV = "service-names-port-numbers.csv"
"""IANA's name for its file."""
HELP = "List, import or check the tables that hosts are compared with: IANA, vendors, notable ports."
EXAMPLE = "example: port-auditor tables import service-names-port-numbers.csv"
SHA256_SHOWN = 12
"""Digits of a sha256 that `list` shows."""


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="list | import | check")
    _action(actions, "list", "each table with its records, source, date and sha256", "port-auditor tables list")
    take = _action(actions, "import", "make the service table from IANA's CSV on disk", f"port-auditor tables import {CSV}")
    take.add_argument("csv", metavar="CSV", help=f"{CSV} as IANA publishes it")
    take.add_argument("-o", "--output", metavar="FILE", help="write it here instead of over the shipped table; - is stdout")
    _action(actions, "check", "whether every table is what it claims", "port-auditor tables check")


def _action(actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, says: str, example: str) -> argparse.ArgumentParser:
    return actions.add_parser(name, help=says, description=says, epilog=f"example: {example}")


def run(arguments: argparse.Namespace) -> int:
    tables = Tables()
    if arguments.action == "import":
        return _import(tables, arguments.csv, arguments.output)
    return _check(tables) if arguments.action == "check" else _list(tables)


def _list(tables: Tables) -> int:
    rows = [("table", "records", "date", "sha256", "source")]
    for name, facts in tables.provenance().items():
        rows.append((name, str(tables.count(name)), facts["date"], facts["sha256"][:SHA256_SHOWN], facts["source"]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))
    return 0


def _import(tables: Tables, source: str, output: str | None) -> int:
    from auditor.iana_import import compact, install

    try:
        with open(source, "rb") as file:
            content = file.read()
    except OSError as problem:
        raise TableError(f"{source}: {problem.strerror or problem}", "Name the CSV that IANA publishes, saved on this host.") from problem
    text = compact(content, source, tables.iana_ranges)
    if output == "-":
        sys.stdout.write(text)
        return 0
    shipped = tables.files["iana-services"].path
    path = shipped if output is None else output
    install(text, path)
    print(f"{path}: the registry of {text.partition('# date: ')[2].partition(chr(10))[0]}")
    return 0


def _check(tables: Tables) -> int:
    from auditor.table_checks import CHECKED, problems

    if found := problems(tables):
        advice = "Restore the files from the package, or import the registry again with `port-auditor tables import`."
        raise TableError("\n".join(found), advice)
    for name, what in CHECKED.items():
        print(f"{name}: {tables.count(name)} records; {what}")
    return 0
