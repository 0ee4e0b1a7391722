"""An inventory in CSV: a row for each host, with its groups, its machine-id and its role, as far as the columns go."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

from auditor.errors import PolicyError
from auditor.identity import folded
from auditor.inventory import MACHINE_ID, Inventory
from auditor.policy_keys import nearest
from auditor.yaml_nodes import Node, quoted

COLUMNS = ("host", "groups", MACHINE_ID, "role")
"""What columns may mean, and what they are called where nobody says otherwise."""
DELIMITERS = (",", ";", "\t")


def rows(text: str, file: str, columns: Mapping[str, str]) -> Inventory:
    """The inventory of a CSV whose first row says what the columns are. `columns` are its words for COLUMNS; those not given are the
    words themselves, and need not be there. PolicyError where a row or the head is not what it seems."""
    wanted = {meaning: columns.get(meaning, meaning) for meaning in COLUMNS}
    lines = iter(_read(text, file, wanted["host"]))
    place, head = next(lines, (Node(file, 1, 1), []))
    at = _positions(head, wanted, columns, place)
    found = Inventory()
    for place, cells in lines:
        if len(cells) != len(head):
            raise place.error(f"{len(cells)} cells, where the head has {len(head)}", "quote a cell that has the delimiter in it")
        given = {meaning: cells[position].strip() for meaning, position in at.items()}
        known = found.hosts.get(folded(given["host"]))
        if known is not None:
            raise place.error(f"{quoted(known.name)} is listed twice, first at {known.place.origin}", "keep one of the two rows")
        host = found.listed(given["host"], place)
        host.groups |= set(re.findall(r"[^\s,;|]+", given.get("groups", "")))
        host.role = given.get("role") or None
        if given.get("machine_id"):
            host.identify(given["machine_id"], place)
        found.groups |= host.groups
    return found


def _read(text: str, file: str, host: str) -> Iterator[tuple[Node, list[str]]]:
    """Each row that is not empty, and where it begins. The delimiter is the one that finds a column `host` in the head."""
    head = text.partition("\n")[0].rstrip("\r")
    fits = (one for one in DELIMITERS if host.lower() in [word.strip().strip('"').lower() for word in head.split(one)])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=next(fits, ","), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            raise PolicyError(f"{file}:{line}:1: not CSV", "look at its quotes: one inside a quoted cell is written twice") from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Node(file, line, 1), cells
        line = reader.line_num + 1


def _positions(head: list[str], wanted: Mapping[str, str], given: Mapping[str, str], place: Node) -> dict[str, int]:
    """Where each column is. Those that somebody named must be there, and so must the hosts'."""
    words = [word.strip().lower() for word in head]
    at = {}
    for meaning, word in wanted.items():
        count = words.count(word.lower())
        if count > 1:
            raise place.error(f"{count} columns are called {quoted(word)}", "rename one of them")
        if count:
            at[meaning] = words.index(word.lower())
        elif meaning in given or meaning == "host":
            advice = f"{nearest(word, words)}; `columns: {{{meaning}: ...}}` in the site file says what it is called"
            raise place.error(f"no column is called {quoted(word)}", advice)
    return at
