"""The rows that our own built-in probes print (their writer: `auditor.live.rows`)."""

from __future__ import annotations

from auditor.facts import Gap

_DIGITS = 20
_ESCAPES = {"\\": "\\", "t": "\t", "n": "\n", "-": "-"}


def parse(text: str, columns: str, what: str) -> tuple[list[tuple[str | None, ...]], list[Gap]]:
    """Rows with the `columns` asked for, in their order. An empty field is "" (not shown), `-` is None (looked for, not there). A column
    that is asked for with a `?` behind its name may be missing: evidence that is older than the column does not show it.

    A missing header, a row of another width and a missing or wrong `end` line are gaps that name `what`.
    """
    lines = text.split("\n")
    cut = lines.pop()
    wanted = columns.split(" ")
    head = lines[0].split("\t") if lines else []
    if not {name for name in wanted if not name.endswith("?")} <= set(head):
        return [], [Gap(f"{what}: the answer does not begin with its header", lines[0][:200] if lines else None)]
    places = [head.index(name) if name in head else -1 for name in (name.removesuffix("?") for name in wanted)]
    straight = places == list(range(len(head)))
    rows: list[tuple[str | None, ...]] = []
    gaps = [Gap(f"{what}: its last line was cut", cut[:200])] if cut else []
    ending = None
    for line in lines[1:]:
        fields = line.split("\t")
        if ending is not None:
            gaps.append(Gap(f"{what}: there is text after its last line", line[:200]))
            break
        if fields[0] == "end" and len(fields) == 2:
            ending = fields[1]
        elif len(fields) != len(head):
            gaps.append(Gap(f"{what}: a row has {len(fields)} fields where its header has {len(head)}", line[:200]))
        elif straight and "\\" not in line and "-" not in line:
            rows.append(tuple(fields))
        else:
            rows.append(tuple("" if place < 0 else _plain(fields[place]) for place in places))
    if ending != str(len(rows)) and not gaps:
        gaps.append(Gap(f"{what}: {len(rows)} rows, where its last line says {ending if ending is not None else 'nothing: it was cut'}"))
    return rows, gaps


def number(field: str | None, most: int = 1 << 63) -> int | None:
    """A field of ASCII digits as a number up to `most`; None for anything else, signs, blanks and digits of other scripts included."""
    if field is None or not (field.isascii() and field.isdigit()) or len(field) > _DIGITS:
        return None
    return int(field) if int(field) <= most else None


def _plain(field: str) -> str | None:
    if field == "-":
        return None
    if "\\" not in field:
        return field
    out, parts = [], iter(field)
    for c in parts:
        follow = next(parts, "") if c == "\\" else None
        out.append(c if follow is None else _ESCAPES.get(follow, "\\" + follow))
    return "".join(out)
