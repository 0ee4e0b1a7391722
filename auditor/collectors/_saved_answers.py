"""The answers of a bundle made of commands' output, read by the parser of each command and put to the stack that each speaks of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from auditor.command import Command
from auditor.evidence import Answer, Evidence
from auditor.facts import Gap
from auditor.parsers import accounts, ansible, nmap, osquery, services, witness
from auditor.parsers.rows import number
from auditor.parsers.typed_lines import typed
from auditor.port_range import PortRange
from auditor.reading import Interfaces, Output, Processes, Read, Reading, Values

Parser = Callable[[Output], Read]
HOST = "host"
_HARMLESS_FILTER = re.compile(r"cat|tee(?: -a)?(?: [^-]\S*)?")
"""What passes everything on: with other arguments, these may not."""
_READERS = ("cat", "type", "more", "head", "less")
_INVENTORIES: dict[str, Parser] = {
    "osqueryi": osquery.parse, "osqueryd": osquery.parse, "osquery": osquery.parse, "ansible": ansible.parse, "nmap": nmap.parse,
    "builtin:psutil": witness.parse,
}  # fmt: skip
_IDS = ((), ("-u",), ("-a",))
_FILES: tuple[tuple[str, Parser], ...] = ((r".*/etc/services", services.parse), (r".*/etc/passwd", accounts.parse))


class Formats:
    """The parsers of a system: by program, and by the file that is printed (a regular expression of its whole path). `persisted` is the
    expression of files of settings for the next boot; `stack_of` the (name, kind) of the stack that a command names by its own options;
    `own_stacks` are names of stacks that are the host's own."""

    __slots__ = ("by_file", "by_program", "own_stacks", "persisted", "stack_of")

    def __init__(
        self, by_program: Mapping[str, Parser], by_file: tuple[tuple[str, Parser], ...] = (), persisted: str = "",
        stack_of: Callable[[Command], tuple[str, str] | None] | None = None, own_stacks: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.by_program = {**_INVENTORIES, **by_program}
        self.by_file = (*by_file, *_FILES)
        self.persisted = persisted
        self.stack_of = stack_of or (lambda command: None)
        self.own_stacks = own_stacks

    def own_stack(self, name: str) -> str | None:
        """The name of the host's own stack that is meant, case ignored; None where it is none."""
        return next((own for own in self.own_stacks if own.casefold() == name.casefold()), None)

    def parser(self, command: Command) -> Parser | None:
        """The parser of this command's output; None where there is none. Files of different kinds in one output have none."""
        if command.program not in _READERS:
            return self.by_program.get(command.program)
        files = _files(command)
        found = {next((parser for pattern, parser in self.by_file if re.fullmatch(pattern, file)), None) for file in files}
        return found.pop() if len(found) == 1 else None


def _files(command: Command) -> list[str]:
    return [word for word in command.arguments if not word.startswith("-")]


class Listing:
    """A reading of sockets and the command it came from; `lists_holders` where that lists every holder of a socket."""

    __slots__ = ("lists_holders", "program", "reading", "source")

    def __init__(self, reading: Reading, command: Command) -> None:
        self.reading = reading
        self.source = command.text
        self.program = command.program
        self.lists_holders = False


class Heard:
    """What the answers say of one stack: `kind` is None where no command tells it, `uid` who ran them, `blind` why they did
    not see every process, where their lines tell it. `processes` has what each answer says of a process, by its pid."""

    def __init__(self, name: str, kind: str | None) -> None:
        self.name = name
        self.kind = kind
        self.uid: int | None = None
        self.blind: str | None = None
        self.listings: list[Listing] = []
        self.values: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.troubles: list[Gap] = []
        self.addresses: list[tuple[str, str, int | None]] = []
        self.addresses_gaps: list[Gap] = []
        self.addresses_source: str | None = None
        self.processes: dict[int, list[dict[str, Any]]] = {}
        self.ports_by_name: dict[tuple[str, str], int] = {}
        self.users: dict[int, str] = {}
        self.others: list[Read] = []
        self.persisted: dict[str, str] = {}
        self.persisted_gaps: list[Gap] = []

    def take(self, command: Command, read: Read) -> None:
        """Keep what one answer said, each kind in its place."""
        if isinstance(read, Reading):
            self.listings.append(Listing(read, command))
        elif isinstance(read, Values):
            self._settings(command, read)
        elif isinstance(read, Interfaces):
            self.addresses_source = command.text
            self.addresses += [found for found in read.found if found not in self.addresses]
            self.addresses_gaps += read.gaps
        elif isinstance(read, Processes):
            for pid, shown in read.by_pid.items():
                self.processes.setdefault(pid, []).append(shown)
        elif isinstance(read, services.Services):
            for entry, port in read.ports.items():
                self.ports_by_name[entry] = port if self.ports_by_name.get(entry, port) == port else services.AMBIGUOUS
            self.others.append(read)
        elif isinstance(read, accounts.Accounts):
            self.users |= read.names
        else:
            self.others.append(read)

    def _settings(self, command: Command, read: Values) -> None:
        self.troubles += read.gaps
        for name, value in read.values.items():
            if self.values.setdefault(name, value) != value:
                self.troubles.append(Gap(f"{name} is {self.values[name]!r:.60} in one answer and {value!r:.60} in another"))
                self.values[name] = _CONTRADICTED
            self.sources.setdefault(name, command.text)
        self.absent |= read.absent
        for name in self.absent.keys() & self.values.keys():
            if self.values[name] != _CONTRADICTED:
                self.troubles.append(Gap(f"{name} is {self.values[name]!r:.60} in one answer, and in another there is no such setting"))
                self.values[name] = _CONTRADICTED

    def value(self, name: str) -> str:
        """A setting's value; raises Missing where no answer states it, or two state it otherwise."""
        value = self.values.get(name)
        if value is None:
            raise Missing(self.absent.get(name) or f"no answer states {name}")
        if value == _CONTRADICTED:
            raise Missing(f"two answers state {name} differently")
        return value

    def known_absent(self, name: str) -> bool:
        """Whether the system was asked for a setting and says that it has none of that name."""
        return name in self.absent and name not in self.values

    def number(self, name: str, most: int) -> int:
        """A setting that is a number from 0 to `most`."""
        found = number(self.value(name).strip(), most)
        if found is None:
            raise Missing(f"{name} is no number up to {most}", f"{name}: {self.value(name)}"[:200])
        return found

    def range(self, first: str, last: str, most: int = 65535) -> PortRange:
        """Two settings as a range, whichever of them is the lower."""
        return PortRange(*sorted((self.number(first, most), self.number(last, most))))

    def descends(self, first: str, last: str) -> bool:
        """Whether ports are handed out from the higher to the lower: the first is set above the last."""
        return int(self.value(first)) > int(self.value(last))

    def ports(self, name: str) -> list[PortRange]:
        """A setting that is a list of ports or ranges, parted by commas or blanks."""
        value = self.value(name)
        try:
            return [PortRange.parse(part) for part in value.replace(",", " ").split()]
        except ValueError:
            raise Missing(f"{name} is no list of ports", f"{name}: {value}"[:200]) from None


_CONTRADICTED = "\0"


class Missing(Exception):
    """A setting that is needed and not known; `gap` says why."""

    def __init__(
        self, why: str, line: str | None = None, *, protocol: str | None = None, family: str | None = None, ports: PortRange | None = None
    ) -> None:  # fmt: skip
        super().__init__(why)
        self.gap = Gap(why, line, protocol=protocol, family=family, ports=ports)


class Answers:
    """A bundle's answers: `not_read` are those that no parser knows, or that failed."""

    def __init__(self, evidence: Evidence, formats: Formats) -> None:
        self.head = evidence.head
        self.whole = [Gap(why, line) for why, line in evidence.gaps]
        self.not_read: list[str] = []
        self._stacks: dict[str, Heard] = {}
        self._uids: dict[str, set[int]] = {}
        self._own = formats.own_stack
        for answer in evidence.answers:
            self._answer(answer, formats)
        for heard in self._stacks.values():
            heard.uid = self._uid_of(heard.name)

    @property
    def stacks(self) -> list[Heard]:
        return sorted(self._stacks.values(), key=lambda heard: heard.name != HOST)

    @property
    def host(self) -> Heard:
        """What is said of the host itself; nothing where no answer speaks of it."""
        return self._stacks.get(HOST) or Heard(HOST, HOST)

    @property
    def uid(self) -> int | None:
        """Who ran the host's own commands."""
        return self._uid_of(HOST)

    def _uid_of(self, stack: str) -> int | None:
        """Who ran a stack's commands: the bundle's word, else that of `id`, unless two of it contradict each other."""
        said = {number(self.head["uid"])} if "uid" in self.head else self._uids.get(stack) or self._uids.get(HOST, set())
        return next(iter(said)) if len(said) == 1 else None

    def _answer(self, answer: Answer, formats: Formats) -> None:
        command = Command(answer.command)
        if command.stack is None and (own := formats.stack_of(command)):
            command.stack, command.kind = own
        name = _stack(answer, command, formats)
        filters = [part for part in command.filters if not _HARMLESS_FILTER.fullmatch(part)]
        if command.program == "id":
            self._id(name, answer, command)
            return
        if command.program in _READERS and formats.persisted and re.fullmatch(formats.persisted, " ".join(_files(command))):
            self._persisted(self._heard(name, command), _files(command)[0], answer, ["head"] if command.program == "head" else filters)
            return
        if not command.program:  # nothing was saved of a stack: what is documented of it is known all the same
            self._heard(name, command)
            return
        parser = formats.parser(command)
        if parser is None:
            why = "no parser knows this command" if answer.status != "absent" else "the host does not have it"
            self.not_read.append(f"{answer.command}: {why}")
            if formats.own_stacks:
                self._heard(name, command)  # a system whose stacks are documented has them whether or not it is asked
            return
        heard = self._heard(name, command)
        text, cut = _whole_lines(answer, command)
        read = parser(Output(command, text, answer.stderr.decode("utf-8", "backslashreplace"), answer.status))
        if isinstance(read, Values) and read.absent:
            heard.take(command, read)
            return
        trouble = None if answer.status == "unknown" else answer.trouble
        if trouble is None and cut is not None:
            trouble = f"{answer.command}: its last line was cut"
        elif trouble is None and isinstance(read, Values) and not answer.text.strip() and not read.values:
            trouble = f"{answer.command}: it printed nothing"
        if trouble:
            self.not_read.append(trouble)
            if isinstance(read, Values):
                read.values.clear()
        if isinstance(read, Reading) and (doubt := _doubt(read, answer, command)):
            read.uncover(doubt)
        if isinstance(read, Reading) and (trouble or filters):
            read.covers = dict.fromkeys(read.covers, trouble or f"{answer.command}: its output was filtered, by {filters[0]}")
        elif trouble:
            read.gap(trouble, cut)
        elif filters and not isinstance(read, Values):
            read.gap(f"{answer.command}: its output was filtered, by {filters[0]}")
        if not (read.taken or read.passed) and (answer.text.strip() or answer.status == "unknown"):
            self.not_read.append(f"{answer.command}: {'nothing in it can be read' if answer.text.strip() else 'it is empty'}")
        if isinstance(read, (Processes, services.Services, accounts.Accounts)):
            self.not_read += [f"{answer.command}: {gap.why}{f': {gap.line}' if gap.line else ''}" for gap in read.gaps]
        heard.take(command, read)

    def _heard(self, name: str, command: Command) -> Heard:
        heard = self._stacks.setdefault(name, Heard(name, HOST if name == HOST or self._own(name) else command.kind))
        heard.kind = heard.kind or command.kind
        if command.inside:
            heard.blind = heard.blind or f"the commands ran inside {command.inside}, where only its own processes are seen"
        elif command.user:
            heard.blind = heard.blind or f"a command ran as {command.user}: other users' processes may not be shown"
        return heard

    def _id(self, name: str, answer: Answer, command: Command) -> None:
        uid = _uid(answer, command)
        if uid is None:
            self.not_read.append(f"{answer.command}: it does not say who ran the commands")
        else:
            self._uids.setdefault(name, set()).add(uid)

    def _persisted(self, heard: Heard, path: str, answer: Answer, left_out_by: list[str]) -> None:
        """A file of settings; one that is not there sets nothing."""
        trouble = None if answer.status == "unknown" else answer.trouble
        if left_out_by:
            trouble = f"{answer.command}: lines may have been left out, by {left_out_by[0]}"
        if trouble and b"No such file" not in answer.stderr:
            heard.persisted_gaps.append(Gap(trouble))
        else:
            heard.persisted[path] = answer.text


def _whole_lines(answer: Answer, command: Command) -> tuple[str, str | None]:
    """The lines of an answer, and the last one where it was cut: a command ends each with a line feed, a file or a paste may not."""
    if answer.status == "unknown" or command.program in _READERS or answer.text.endswith("\n") or not answer.text:
        return answer.text, None
    whole, feed, cut = answer.text.rpartition("\n")
    return whole + feed, cut


def _doubt(read: Reading, answer: Answer, command: Command) -> str | None:
    """Why an answer of sockets may not be all of what its command prints, though each of its lines can be read."""
    if answer.status == "unknown" and not answer.text.strip():
        return f"{answer.command}: it printed nothing, and whether it ended well is not known"
    lines = [typed(line, command.program) for line, why in read.passed if "prompt" in why]
    shown = [line for line in lines if line]
    if len(shown) > 1:
        return f"{answer.command}: it is the output of several commands"
    if shown and _meaning(Command(shown[0])) != _meaning(command):
        return f"{answer.command}: its text shows another command: {shown[0]:.100}"
    return None


def _meaning(command: Command) -> tuple[Any, ...]:
    """What tells one command line from another, however its options are written."""
    letters: list[str] = []
    words: list[str] = []
    for word in command.arguments:
        if word.startswith("-") and not word.startswith("--"):
            letters += word[1:]
        else:
            words.append(word)
    return command.program, sorted(letters), words, command.stack, command.filters


def _stack(answer: Answer, command: Command, formats: Formats) -> str:
    """The stack that an answer speaks of: its label's, but a command that was run from the host in another one speaks of that."""
    if answer.stack and not (answer.stack == HOST and command.stack):
        return formats.own_stack(answer.stack) or answer.stack
    return f"{command.kind}:{HOST}" if command.stack == HOST else command.stack or HOST


def _uid(answer: Answer, command: Command) -> int | None:
    """The effective user id from id(1) of its own user: bare (`-u`), or `uid=0(root) ...`, where a different effective one is `euid=`. The
    names in brackets may be anything."""
    if command.arguments not in _IDS or command.filters or answer.status not in ("0", "unknown"):
        return None
    text = re.sub(r"\([^()]*\)", "", answer.text).strip()
    found = re.fullmatch(r"(\d{1,10})", text, re.ASCII) or re.fullmatch(r"uid=(\d{1,10})(?: .*)?", text, re.ASCII)
    effective = re.search(r" euid=(\d{1,10})\b", text, re.ASCII)
    return int((effective or found)[1]) if found else None
