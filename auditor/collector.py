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
    `sh` names a function of the collector's `sh_files` that asks the same of a host without Python, where `ask` is a built-in.
    `part` is what `collect --only` chooses by; an `opt_in` part is asked only when named. `timeout` is in seconds. `optional`: a host may
    well not have what is asked for, so that a failure is an answer and no trouble."""

    __slots__ = ("argv", "ask", "name", "opt_in", "optional", "part", "sh", "timeout")

    def __init__(
        self, name: str, *, part: str, argv: tuple[str, ...] = (), ask: str = "", sh: str = "", timeout: int = 60, opt_in: bool = False,
        optional: bool = False,
    ) -> None:  # fmt: skip
        self.name = name
        self.argv = argv
        self.ask = ask
        self.sh = sh
        self.part = part
        self.timeout = timeout
        self.opt_in = opt_in
        self.optional = optional


class Reads:
    """How a fact is read, for the README's table of systems: by the commands of which `probes`, and `by` what else (built-ins, saved output
    that no probe asks for); `root`: what only root sees of it."""

    __slots__ = ("by", "fact", "probes", "root")

    def __init__(self, fact: str, *probes: str, by: str = "", root: str = "") -> None:
        self.fact = fact
        self.probes = probes
        self.by = by
        self.root = root


class Collector:
    """An operating system: `systems` as `uname -s` prints them, its `probes`, what it `reads` by them, and `interpret`, which is total: it
    never raises, never guesses, never drops a line silently. `sh_files` are the paths of files of shell functions, none where its probes
    need none. `name` is stamped from its module."""

    __slots__ = ("interpret", "name", "probes", "reads", "sh_files", "systems")

    def __init__(
        self, *, systems: tuple[str, ...], probes: tuple[Probe, ...], interpret: Callable[[Evidence, Tables], Snapshot],
        reads: tuple[Reads, ...] = (), sh_files: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.systems = systems
        self.sh_files = sh_files
        self.probes = probes
        self.interpret = interpret
        self.reads = reads
        self.name = ""
