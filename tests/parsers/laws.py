"""What holds of every parser: each line of its input is accounted for once, and no input makes it raise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from auditor.reading import Output, Read


def accounted(output: Output, read: Read) -> None:
    """Rows in = read + passed over (each with its reason) + gaps with a line."""
    given = Counter(line.strip()[:200].strip() for line in output.lines())
    told = Counter(line.strip()[:200].strip() for line in read.taken)
    told += Counter(line.strip()[:200].strip() for line, why in read.passed if why)
    told += Counter(gap.line.strip()[:200].strip() for gap in read.gaps if gap.line)
    assert told == given, f"lost: {list((given - told).elements())[:5]}, told twice: {list((told - given).elements())[:5]}"


def total(parse: Callable[[Output], Read], command: str, text: str) -> None:
    """No cut of the text, at a line or inside one, and no strange text makes it raise or lose a line."""
    strange = ["", "\n\n", "\0\x1b[2J\n", "x" * 3000, text.upper(), text.replace(" ", ""), text.replace(" ", "\t"), text[::-1], "é" + text]
    cuts = [text[:at] for at in range(0, len(text), max(1, len(text) // 200))]
    for piece in strange + cuts:
        output = Output(command, piece)
        accounted(output, parse(output))
