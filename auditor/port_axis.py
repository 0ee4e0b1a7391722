"""Where a port is drawn: one axis from 0 to 65535, of which the lowest 1024 ports are enlarged, and a gap shows where the scale changes.

Drawn to one scale, the privileged ports would be 1.6 % of the width, and that is where most of the interest is. Everything here is in the
units of the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.port_range import PORT_MAX, PortRange

WIDTH = 760
_TOO_NARROW = 2.5
"""Any range is drawn at least so wide: one port would not be seen."""
_MARK = 14.0
"""From the middle of one mark to that of the next one."""
_WIDENED = 1.2


class Panel:
    """A part of the axis that has one scale."""

    __slots__ = ("left", "ports", "width")

    def __init__(self, ports: PortRange, left: float, width: float) -> None:
        self.ports = ports
        self.left = left
        self.width = width

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def most_marks(self) -> int:
        """How many marks there is room for."""
        return int(self.width // _MARK)

    def edge(self, port: int) -> float:
        """Where a port begins; for the one after the last, where the panel ends."""
        return self.left + (port - self.ports.first) / len(self.ports) * self.width

    def middle(self, port: int) -> float:
        return (self.edge(port) + self.edge(port + 1)) / 2


LOW = Panel(PortRange(0, 1023), 132, 228)
HIGH = Panel(PortRange(1024, PORT_MAX), 374, 356)
PANELS = (LOW, HIGH)
ENLARGED = round(LOW.width / len(LOW.ports) / (HIGH.width / len(HIGH.ports)))
"""How many times wider a port is in the lower panel."""
_LABELLED = ((LOW, (0, 200, 400, 600, 800, 1023)), (HIGH, (1024, 10000, 20000, 30000, 40000, 49152, PORT_MAX)))


def ticks() -> list[tuple[float, int, str]]:
    """Where a port's number stands, the port, and which part of the number stands there."""
    placed = []
    for panel, labelled in _LABELLED:
        for port in labelled:
            at = panel.edge(port + (port == panel.ports.last))
            placed.append((at, port, {labelled[0]: "start", labelled[-1]: "end"}.get(port, "middle")))
    return placed


def spans(ranges: Iterable[PortRange]) -> list[tuple[float, float]]:
    """(x, width) of what is drawn for ranges: a piece in each panel; those that touch are one."""
    drawn: list[tuple[float, float]] = []
    for panel in PANELS:
        for ports in PortRange.joined(ranges):
            if (part := ports.overlap(panel.ports)) is None:
                continue
            left, right = panel.edge(part.first), panel.edge(part.last + 1)
            if right - left < _TOO_NARROW:
                left = min(left, panel.right - _TOO_NARROW)
                right = left + _TOO_NARROW
            if drawn and drawn[-1][0] + drawn[-1][1] >= left > panel.left:
                before = drawn.pop()
                left, right = before[0], max(right, before[0] + before[1])
            drawn.append((left, right - left))
    return [(round(left, 1), round(width, 1)) for left, width in drawn]


def merged(ports: Sequence[int], most: int) -> list[list[int]]:
    """Ports in order, put together until there are at most so many groups: none is wider than it must be."""
    reach = 0.0
    while True:
        groups: list[list[int]] = []
        for port in ports:
            if groups and port - groups[-1][0] <= reach:
                groups[-1].append(port)
            else:
                groups.append([port])
        if len(groups) <= most:
            return groups
        reach = reach * _WIDENED + 1


def spread(panel: Panel, wanted: Sequence[float]) -> list[float]:
    """Where marks stand that are wanted there, in order: none on another, all within the panel, and as near as can be. There may be no more
    of them than `most_marks`.

    Taking i marks' room from the i-th place leaves places that must only not fall: their isotonic regression (pool adjacent violators).
    """
    blocks: list[tuple[float, int]] = []
    for number, place in enumerate(wanted):
        total, count = place - number * _MARK, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    level = [total / count for total, count in blocks for _ in range(count)]
    first, last = panel.left + _MARK / 2, panel.right - _MARK / 2 - (len(wanted) - 1) * _MARK
    return [round(min(max(one, first), last) + number * _MARK, 1) for number, one in enumerate(level)]
