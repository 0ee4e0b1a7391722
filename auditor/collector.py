"""The first plugin seam: a Collector knows one operating system's probes and what their answers mean.

Importing a collector module must stay cheap (`collect` on a quiet host is mostly Python starting): it imports its interpreter
inside `interpret`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.evidence import Answer, Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables

    Ask = Callable[[dict[str, object]], Iterator[Answer]]


class Probe:
    """A question. Either `argv` (a command, never a shell string) or `ask`, a built-in: "module:function" of a function that takes
    the run's notebook (what earlier probes of this run leave for later ones) and yields answers.
    `part` is what `collect --only` chooses by; an `opt_in` part is asked only when named. `timeout` is in seconds."""

    __slots__ = ("argv", "ask", "name", "opt_in", "part", "timeout")

    def __init__(self, name: str, *, part: str, argv: tuple[str, ...] = (), ask: str = "", timeout: int = 60, opt_in: bool = False) -> None:
        self.name = name
        self.argv = argv
        self.ask = ask
        self.part = part
        self.timeout = timeout
        self.opt_in = opt_in


class Collector:
    """An operating system: `systems` as `uname -s` prints them, its `probes`, and `interpret`, which is total: it never raises,
    never guesses, never drops a line silently. `name` is stamped from its module."""

    __slots__ = ("interpret", "name", "probes", "systems")

    def __init__(self, *, systems: tuple[str, ...], probes: tuple[Probe, ...], interpret: Callable[[Evidence, Tables], Snapshot]) -> None:
        self.systems = systems
        self.probes = probes
        self.interpret = interpret
        self.name = ""
