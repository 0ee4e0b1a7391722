"""What a bind test runs as the unprivileged user: it binds, never listens, and at once closes.

Nothing of ours is imported here: it is run by any Python (3.7 or later) that a launcher starts, from its text alone. The plan comes on
stdin as JSON, two tables (see `auditor.live.rows`) go to stdout. A port is tried once, and is held for a call of bind and one of
getsockname; SO_REUSEADDR and SO_REUSEPORT are never set.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Where = tuple[str, str, str, int]

ABOUT = "name value"
COLUMNS = "number protocol family address asked given result"
PORT_MAX = 65535
NOT_THERE = ("EADDRNOTAVAIL", "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT")
"""What bind(0) gives where there is no such address or family: then nothing more is tried there."""
_IN_USE = "EADDRINUSE"
_NEIGHBOURS = 8
"""How many ports in a row may be in use before a step of the bisection gives up."""
_SPREAD = 24
"""How many spot checks there are on each side of what the bisection found, evenly spread."""
_EVERY = 1024
SPOTS = (
    1, 7, 19, 20, 21, 22, 23, 25, 53, 67, 69, 80, 81, 88, 110, 111, 123, 137, 139, 143, 161, 179, 389, 443, 445, 465, 500, 511, 512, 513,
    514, 515, 587, 600, 631, 636, 665, 749, 853, 873, 993, 995, 1022, 1023, 1024, 1025, 1433, 1521, 2049, 3128, 3306, 5432, 6379, 8080,
    8443, 49151, 49152, 65535,
)  # fmt: skip
"""Ports that people open one by one, and those beside the borders that systems have."""


def name_of(error: OSError) -> str:
    """As `EACCES`."""
    return errno.errorcode.get(error.errno or 0, f"E{error.errno or 0}")


def bind(where: Where, port: int) -> tuple[str, int | None]:
    """What became of it: `ok`, `moved` where another port or address was given than was asked for, or the errno's name; and the port."""
    protocol, family, address, scope = where
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    number = socket.AF_INET6 if family == "ipv6" else socket.AF_INET
    try:
        one = socket.socket(number, kind)
    except OSError as error:
        return name_of(error), None
    try:
        if number == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port, 0, scope))
        else:
            one.bind((address, port))
        given = one.getsockname()
    except OSError as error:
        return name_of(error), None
    finally:
        one.close()
    there = socket.inet_pton(number, given[0].partition("%")[0]) == socket.inet_pton(number, address)
    return "ok" if there and port in (0, given[1]) else "moved", given[1]


class Attempts:
    """The attempts at one address; each port is tried once."""

    def __init__(self, where: Where, tell: Callable[[Where, str, int | None, int], None]) -> None:
        self.where = where
        self.results: dict[int, str] = {}
        self._tell = tell

    def at(self, port: int) -> str:
        if port not in self.results:
            result, given = bind(self.where, port)
            self.results[port] = result
            self._tell(self.where, result, given, port)
        return self.results[port]

    def automatic(self, count: int) -> bool:
        """Let the kernel choose so often; False where there is no such address."""
        for _ in range(count):
            result, given = bind(self.where, 0)
            self._tell(self.where, result, given, 0)
            if given is None:
                return result not in NOT_THERE
        return True

    def lowest(self, ports: list[int]) -> int:
        """Where in `ports` the first one that can be had is, if below it none can; len(ports) where there is none."""
        low, high = 0, len(ports)
        while low < high:
            middle = at = (low + high) // 2
            while self.at(ports[at]) == _IN_USE and at + 1 < min(high, middle + _NEIGHBOURS):
                at += 1
            if self.at(ports[at]) == "ok":
                high = middle
            else:
                low = at + 1
        return low


def spots(ports: list[int], border: int) -> Iterator[int]:
    """Ports on both sides of where the border seems to be: next to it, and evenly spread."""
    yield from ports[max(0, border - 2) : border + 3]
    for side in (ports[:border], ports[border:]):
        yield from (side[at * (len(side) - 1) // (_SPREAD - 1)] for at in range(_SPREAD) if side)


def attempts(plan: dict[str, Any], tell: Callable[[Where, str, int | None, int], None]) -> None:
    """`plan`: `places` (protocol, family, address, scope), `avoid` (first, last), `spots` (more of them), how many `automatic`, whether
    `every` port of the seed's loop is tried."""
    avoided = bytearray(PORT_MAX + 1)
    for first, last in plan["avoid"]:
        avoided[first : last + 1] = b"\1" * (last + 1 - first)
    ports = [port for port in range(1, PORT_MAX + 1) if not avoided[port]]
    wanted = [port for port in (*SPOTS, *plan["spots"], *(range(1, _EVERY + 1) if plan["every"] else ())) if port and not avoided[port]]
    for place in plan["places"]:
        where: Where = tuple(place)
        here = Attempts(where, tell)
        if here.automatic(plan["automatic"]):
            border = here.lowest(ports)
            for port in (*spots(ports, border), *wanted):
                here.at(port)


def about() -> list[tuple[str, str]]:
    """Who tries, and under what, as the kernel says it."""
    said = [("uid", str(os.geteuid())), ("gids", " ".join(map(str, sorted({os.getegid(), *os.getgroups()}))))]
    said.append(("program", os.path.realpath("/proc/self/exe" if os.path.exists("/proc/self/exe") else sys.executable)))
    names = {"CapEff": "capabilities", "NoNewPrivs": "no_new_privs", "Seccomp": "seccomp"}
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as status:
            told = [line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line]
        said += [(names[name], value) for name, value in told if name in names]
    except OSError:
        pass
    try:
        with open("/proc/self/attr/current", encoding="utf-8", errors="backslashreplace") as label:
            said.append(("label", label.read().strip("\0\n")))
    except OSError:
        pass
    return said


def field(text: object) -> str:
    """A field of a row, as `auditor.live.rows` writes it."""
    said = str(text).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return "\\-" if said == "-" else said


def table(columns: str, rows: Sequence[tuple[object, ...]]) -> str:
    lines = ["\t".join("-" if cell is None else field(cell) for cell in row) for row in rows]
    return "\n".join([columns.replace(" ", "\t"), *lines, f"end\t{len(lines)}\n"])


def close_to_others() -> None:
    """Let no other process of this user trace this one or take its descriptors from here on, where the system can: a program that was
    started is open to them (PR_SET_DUMPABLE of prctl(2))."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass


def main() -> None:
    """Read the plan, try, tell. Root is refused: what it may says nothing of others. Descriptor 0 stays open: libauthbind needs it to be no
    socket of ours."""
    close_to_others()
    with os.fdopen(0, encoding="utf-8", closefd=False) as given:
        plan = json.load(given)
    if os.geteuid() == 0:
        raise PermissionError(errno.EPERM, "a bind test as root says nothing: what was started here made itself root")
    said = about()
    rows: list[tuple[object, ...]] = []

    def tell(where: Where, result: str, given: int | None, asked: int) -> None:
        rows.append((len(rows) + 1, *where[:3], asked, given, result))

    attempts(plan, tell)
    text = (table(ABOUT, said) + table(COLUMNS, rows)).encode("utf-8", "backslashreplace")
    while text:
        text = text[os.write(1, text) :]


if __name__ == "__main__":
    try:
        main()
    except (OSError, json.JSONDecodeError) as error:
        os.write(2, f"{error}\n".encode("utf-8", "backslashreplace"))
        os._exit(1)
    except Exception as error:
        os.write(2, f"our error, not the host's: {type(error).__name__}: {error}\n".encode("utf-8", "backslashreplace"))
        raise
