"""The ranges that a policy expects a host to have: for all systems, or for each by its name."""

from __future__ import annotations

from auditor.errors import PolicyError
from auditor.policy_keys import Reader, one_or_more, port_range, raise_all, text, wrong
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, Scalar

VENDOR_DEFAULT = "vendor-default"
NOTHING = "none"


class Expectation:
    """What is expected: `ranges`, or, where that is None, `table`: `vendor-default` or a table's name, which whoever has the tables
    resolves. `text` is what the policy says, for a reader; `origin` the place as `file:line`."""

    __slots__ = ("origin", "ranges", "table", "text")

    def __init__(self, table: str | None, ranges: tuple[PortRange, ...] | None, origin: str) -> None:
        self.table = table
        self.ranges = ranges
        self.text: str = (", ".join(str(ports) for ports in ranges or ()) or NOTHING) if table is None else table
        self.origin = origin


class Expected:
    """An expectation of every system (`everywhere`), or one for each by its name in lower letters (`by_system`): then nothing is expected
    of the others."""

    __slots__ = ("by_system", "everywhere")

    def __init__(self, everywhere: Expectation | None, by_system: dict[str, Expectation]) -> None:
        self.everywhere = everywhere
        self.by_system = by_system

    def of(self, system: str) -> Expectation | None:
        """What is expected of a system, as `uname -s` prints it; None where that is nothing."""
        return self.everywhere or self.by_system.get(system.lower())

    @property
    def all(self) -> tuple[Expectation, ...]:
        """Every expectation there is."""
        return (self.everywhere,) if self.everywhere is not None else tuple(self.by_system.values())


def expected(one: Reader[Expectation], node: Node) -> Expected:
    """Read `expect`: one expectation, or a mapping of systems, each with one."""
    if not isinstance(node, Mapping):
        return Expected(one(node), {})
    errors: list[PolicyError] = []
    by_system: dict[str, Expectation] = {}
    for key, value in node.items.values():
        try:
            system = text(key).lower()
            if system in by_system:
                raise key.error(f"{key.text!r} stands twice: case does not count", "keep one of the two")
            by_system[system] = one(value)
        except PolicyError as error:
            errors.append(error)
    raise_all(errors)
    if not by_system:
        raise node.error("names no system", "write what is expected, or a line for each system, as 'Linux: 32768-60999'")
    return Expected(None, by_system)


def ephemeral(node: Node) -> Expectation:
    """`vendor-default`, a table's name, a range or a list of ranges."""
    if isinstance(node, Scalar) and node.text[:1].isalpha() and node.text.isprintable():
        return Expectation(node.text, None, node.origin)
    if isinstance(node, Scalar):
        try:
            return Expectation(None, (port_range(node),), node.origin)
        except PolicyError:
            raise wrong(node, f"{VENDOR_DEFAULT}, the name of a table, or ranges as 49152-65535") from None
    return Expectation(None, tuple(sorted(one_or_more(port_range, "ranges")(node))), node.origin)


def privileged(node: Node) -> Expectation:
    """`vendor-default`, one range, or `none` where no port is to be privileged."""
    if isinstance(node, Scalar) and node.text == VENDOR_DEFAULT:
        return Expectation(VENDOR_DEFAULT, None, node.origin)
    if isinstance(node, Scalar) and node.text == NOTHING:
        return Expectation(None, (), node.origin)
    wanted = f"a range as 0-1023, {VENDOR_DEFAULT}, or {NOTHING}"
    if isinstance(node, Scalar) and node.text.isdecimal():
        raise wrong(node, wanted, f"write 0-{node.text}, if all ports up to it are meant")
    try:
        return Expectation(None, (port_range(node),), node.origin)
    except PolicyError:
        raise wrong(node, wanted) from None
