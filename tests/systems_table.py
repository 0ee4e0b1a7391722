"""The README's table of systems, from the collectors: `python tests/systems_table.py` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from auditor import plugins
from auditor.collector import Collector, Reads

HEAD = "| system | fact | how it is read | what needs root |\n|---|---|---|---|\n"


def commands(collector: Collector, reads: Reads) -> Iterator[str]:
    """The commands of its probes, those alike but for one word written as one."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for probe in collector.probes:
        if probe.name in reads.probes and probe.argv:
            *start, last = probe.argv
            alike.setdefault(tuple(start), []).append(last)
    for start, names in alike.items():
        yield f"`{' '.join((*start, names[0] if len(names) == 1 else shortened(names)))}`"


def shortened(names: list[str]) -> str:
    """Names that begin alike: `net.inet.ip.portrange.{first,last}`; with a space after each comma, so that a page can wrap them."""
    groups: dict[str, list[str]] = {}
    for name in names:
        start, dot, end = name.rpartition(".")
        groups.setdefault(start + dot, []).append(end)
    return ", ".join(start + (ends[0] if len(ends) == 1 else "{" + ", ".join(ends) + "}") for start, ends in groups.items())


def table() -> str:
    """Markdown; a row for each fact of each system."""
    rows = []
    for _, collector in sorted(plugins.collectors().items(), key=lambda item: item[1].systems[0].casefold()):
        for reads in collector.reads:
            how = "; ".join([*commands(collector, reads), *([reads.by] if reads.by else [])]).replace("|", "\\|")
            rows.append(f"| {', '.join(collector.systems)} | {reads.fact} | {how} | {reads.root or 'nothing'} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(table())
