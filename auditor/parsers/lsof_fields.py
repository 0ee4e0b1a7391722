"""The output of lsof -F: a line for each field, or with -F0 one for each process and file."""

from __future__ import annotations

from typing import Any

from auditor.parsers.lsof_options import Asked
from auditor.parsers.lsof_sockets import DEVICE, PROTOCOLS, TYPES, is_not_seen, note, socket, unescaped
from auditor.parsers.rows import number
from auditor.reading import Output, Reading

_PROCESS_FIELDS = "pgRcuLKMzZ"
_FIELD_ORDER = "faltGFCNdDrsoikPSnT"
"""The order in which print.c prints the fields of a file."""


class Fields:
    """Reads -F: a process and then its files, each a set of fields that ends where their order begins anew (-F0: at its line's end)."""

    def __init__(self, reading: Reading, asked: Asked) -> None:
        self.reading = reading
        self.asked = asked
        self.owner: dict[str, Any] = {}
        self.fields: dict[str, str] = {}
        self.lines: list[str] = []
        self.main: str | None = None
        self.last = -1

    def read(self, output: Output) -> None:
        nul = "\0" in output.text
        for line in output.lines():
            parts = [part for part in line.split("\0") if part] if nul else [line]
            letters = {part[0] for part in parts}
            if parts and letters <= set(_PROCESS_FIELDS) and self._process(parts):
                self.reading.pass_over(line, "a field of a process")
            elif parts and letters <= set(_FIELD_ORDER) and self.owner and not line.startswith("lsof: "):
                self._file(line, parts, whole=nul)
            elif not note(self.reading, line):
                self.reading.gap("a field of lsof cannot be read", line)
        self._end()

    def _file(self, line: str, parts: list[str], *, whole: bool) -> None:
        rank = _FIELD_ORDER.index(parts[0][0])
        if whole or rank < self.last or (rank == self.last and parts[0][0] != "T"):
            self._end()
        self.last = rank
        self.lines.append(line)
        for part in parts:
            letter, value = part[0], part[1:]
            if letter == "n":
                self.main = line
            if letter != "T":
                self.fields[letter] = value
            elif value.startswith("ST="):
                self.fields["T"] = value.removeprefix("ST=")

    def _process(self, parts: list[str]) -> bool:
        """Take the fields of a process; False where they are none."""
        values = {part[0]: part[1:] for part in parts}
        if "p" in values:
            self._end()
            pid = number(values["p"])
            self.owner = {} if pid is None else {"pid": pid}
        if not self.owner:
            return False
        if "c" in values:
            self.owner["process"] = unescaped(values["c"])
        if (uid := number(values.get("u"))) is not None:
            self.owner["uid"] = uid
        if values.get("L"):
            self.owner["user"] = values["L"]
        return True

    def _end(self) -> None:
        """Judge the file whose fields are complete: by its name's line, with which the others go."""
        fields, lines, main = self.fields, self.lines, self.main
        self.fields, self.lines, self.main, self.last = {}, [], None, -1
        if not lines:
            return
        judged = main if main is not None else lines[0]
        lines.remove(judged)
        if self._judge(judged, fields):
            self.reading.taken += lines
        else:
            for line in lines:
                self.reading.pass_over(line, "a field of the same file")

    def _judge(self, line: str, fields: dict[str, str]) -> bool:
        family = TYPES.get(fields.get("t", ""))
        name, said, state = fields.get("n"), fields.get("P"), fields.get("T")
        protocol = PROTOCOLS.get(said or "")
        if name is not None and is_not_seen(name):
            self.reading.uncover("the descriptors of some processes could not be read")
            self.reading.pass_over(line, "descriptors that could not be read")
        elif ("t" in fields and family is None) or (said is not None and protocol is None):
            self.reading.pass_over(line, "not an Internet socket with a port")
        elif family is None and protocol is None and not self.asked.narrow and (name is None or ":" not in name or name.startswith("/")):
            self.reading.pass_over(line, "not an Internet socket")
        elif name is None:
            self.reading.gap("its address was not asked for (n)", line, protocol=protocol, family=family)
        else:
            if self.asked.narrow and family is None and len(self.asked.families) == 1:
                family = next(iter(self.asked.families))
            if protocol is None and state == "LISTEN":
                protocol = "tcp"
            elif protocol is None and self.asked.narrow and len(self.asked.protocols) == 1:
                protocol = next(iter(self.asked.protocols))
            if protocol is not None:
                device = fields.get("d") if DEVICE.fullmatch(fields.get("d", "")) else None
                return socket(self.reading, line, protocol, family, name, dict(self.owner), device, state)
            if "->" in name or name == "*:*":
                self.reading.pass_over(line, "it has a peer, or no port")
            else:
                self.reading.gap("its protocol was not asked for (P)", line, family=family)
        return False
