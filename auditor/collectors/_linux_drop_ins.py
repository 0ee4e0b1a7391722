"""Units and their drop-ins (systemd.unit(5)): of which folders a unit has drop-ins, and which of them count."""

from __future__ import annotations

from auditor.collectors._linux_evidence import Rows

_LONGEST_NAME = 255
"""UNIT_NAME_MAX of systemd's src/basic/unit-def.h."""


class UnitFiles:
    """What unit files and drop-ins say, from rows of unit, file, line, directive and value, in the order of the folders that systemd looks
    in. A drop-in's unit is what its folder is called, without the `.d`. `kind` is what all names end in: `socket`, `service`."""

    def __init__(self, found: Rows, kind: str = "socket") -> None:
        self._kind = kind
        self._own: dict[str, Rows] = {}
        self._drop_ins: dict[str, dict[tuple[int, str], Rows]] = {}
        ranks: dict[str, int] = {}
        for row in found:
            unit, (folder, _, name) = row[0] or "", (row[1] or "").rpartition("/")
            looked_in, _, inner = folder.rpartition("/")
            if inner == unit + ".d":
                at = ranks.setdefault(looked_in, len(ranks)), name
                self._drop_ins.setdefault(unit, {}).setdefault(at, []).append(row)
            else:
                self._own.setdefault(unit, []).append(row)
        self.names = {*self._own, *(unit for unit in self._drop_ins if unit != kind and not unit.endswith(f"-.{kind}"))}

    def is_unit(self, name: str) -> bool:
        """Whether a file of its own, or of an instance its template's, was seen."""
        return name in self._own or template_of(name) in self._own

    def said(self, name: str, other_names: list[str]) -> Rows:
        """What the unit's own file says, or of an instance without one its template's, and after it the drop-ins by their names. Where
        neither file is seen, drop-ins that others share do not make it a unit."""
        own = self._own.get(name) or self._own.get(template_of(name) or "", [])
        shared = [*([one, *_shared_by(one)] for one in [name, *sorted(other_names)]), [self._kind]]
        chosen: dict[str, Rows] = {}
        for unit in shared if own else [[name]]:
            found = [(rank, at, part, said) for at, of in enumerate(unit) for (rank, part), said in self._drop_ins.get(of, {}).items()]
            for _, _, part, said in sorted(found, key=lambda one: one[:3]):
                chosen.setdefault(part, said)
        return [*own, *(row for part in sorted(chosen) for row in chosen[part])]


def template_of(name: str) -> str | None:
    """The template of an instance, `a@.socket` of `a@b.socket`; None of other units."""
    stem, dot, kind = name.rpartition(".")
    prefix, at, _ = stem.partition("@")
    return f"{prefix}@{dot}{kind}" if at else None


def _shared_by(name: str) -> list[str]:
    """The units whose drop-ins it has too, the nearest first: of `a-b@c.socket` `a-b@.socket`, `a-.socket`, `a-@c.socket`, `a-@.socket`."""
    if len(name) > _LONGEST_NAME:
        return []
    found: list[str] = []
    stem, dot, kind = name.rpartition(".")
    prefix, at, instance = stem.partition("@")
    if instance:
        template = f"{prefix}@{dot}{kind}"
        found += [template, *_shared_by(template)]
    whole = prefix.removesuffix("-")
    if (dash := whole.rfind("-")) > 0:
        shorter = whole[: dash + 1] + (at + instance if instance else "") + dot + kind
        found += [shorter, *_shared_by(shorter)]
    return list(dict.fromkeys(found))
