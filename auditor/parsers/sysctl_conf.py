"""A sysctl.d or sysctl.conf file (sysctl.d(5)): the assignments it makes, with their line numbers."""

from __future__ import annotations

from auditor.facts import Gap


class Assignment:
    """`name` in dots, `*` in it a glob; `value` None where the line only excludes names from a glob ("-name")."""

    __slots__ = ("line", "name", "value")

    def __init__(self, name: str, value: str | None, line: int) -> None:
        self.name = name
        self.value = value
        self.line = line

    def sets(self, name: str) -> bool:
        """Whether this line speaks of the setting `name` (a dotted name)."""
        if "*" not in self.name and "?" not in self.name and "[" not in self.name:
            return self.name == name
        from fnmatch import fnmatchcase

        parts, globs = name.split("."), self.name.split(".")
        return len(parts) == len(globs) and all(map(fnmatchcase, parts, globs))


def parse(text: str, file: str) -> tuple[list[Assignment], list[Gap]]:
    """Comments begin with # or ; — a line that is neither one, nor empty, nor an assignment is a gap."""
    found: list[Assignment] = []
    gaps: list[Gap] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        name, equals, value = line.partition("=")
        name = name.removesuffix("?")  # NetBSD: only where there is such a name
        name, excluded = name.strip().removeprefix("-").strip(), not equals and line.startswith("-")
        if name and (equals or excluded):
            found.append(Assignment(_dotted(name), value.strip() if equals else None, number))
        else:
            gaps.append(Gap(f"{file}:{number}: not an assignment", raw[:200]))
    return found, gaps


def _dotted(name: str) -> str:
    """net/ipv4/x and net.ipv4.x are the same; which separator it is, the first one tells."""
    first = next((c for c in name if c in "./"), ".")
    return name.translate(str.maketrans("/.", "./")) if first == "/" else name
