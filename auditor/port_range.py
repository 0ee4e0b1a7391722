"""Ports and ranges of them: their algebra."""

from __future__ import annotations

from collections.abc import Iterable

PORT_MAX = 0xFFFF
"""The highest port: the field is 16 bits wide (RFC 6335 section 6)."""


class PortRange:
    """Ports `first` to `last`, both included, as RFC 6335 and every sysctl count. Refuses nonsense with ValueError."""

    __slots__ = ("first", "last")

    def __init__(self, first: int, last: int) -> None:
        if not 0 <= first <= last <= PORT_MAX:
            raise ValueError(f"not a port range: {first}-{last}")
        self.first = first
        self.last = last

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Read "22" or "1024-5000"; ValueError for anything else, signs, blanks and digits of other scripts included."""
        first, dash, last = text.partition("-")
        for part in (first, last) if dash else (first,):
            if not (part.isascii() and part.isdigit()):
                raise ValueError(f"not a port or range: {text!r}")
        return cls(int(first), int(last) if dash else int(first))

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PortRange) and (self.first, self.last) == (other.first, other.last)

    def __lt__(self, other: PortRange) -> bool:
        return (self.first, self.last) < (other.first, other.last)

    def __hash__(self) -> int:
        return hash((self.first, self.last))

    def __repr__(self) -> str:
        return f"PortRange({self.first}, {self.last})"

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def overlap(self, other: PortRange) -> PortRange | None:
        """The ports in both, or None."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return PortRange(first, last) if first <= last else None

    def minus(self, others: Iterable[PortRange]) -> list[PortRange]:
        """What is left of this range, in order, without any port of `others`."""
        left, first = [], self.first
        for other in sorted(others):
            if other.last < first or other.first > self.last:
                continue
            if other.first > first:
                left.append(PortRange(first, other.first - 1))
            first = max(first, other.last + 1)
        if first <= self.last:
            left.append(PortRange(first, self.last))
        return left

    @classmethod
    def joined(cls, parts: Iterable[PortRange], without: Iterable[PortRange] = ()) -> list[PortRange]:
        """The ports of `parts` and not of `without`, in as few ranges as there can be, in order."""
        whole = cls(0, PORT_MAX)
        return whole.minus([*whole.minus(parts), *without])
