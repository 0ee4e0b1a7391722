"""systemd's units as the shell script gives them: the directives of their files, and the links that enable, mask or rename them."""

from __future__ import annotations

import re

from auditor.collectors._linux_evidence import Rows
from auditor.collectors._linux_proc_text import Text
from auditor.collectors._linux_script_files import said
from auditor.collectors._linux_unit_links import DEPENDENCIES
from auditor.evidence import Answer
from auditor.facts import Gap

_DIRECTIVE = re.compile(r"([0-9]{1,9})(?: ([A-Za-z0-9]+)=(.*)|\?([A-Za-z0-9]+))", re.DOTALL)
_FILES = ("file", "masked", "unread")
_NO_CHARACTERS = "\x01"
"""What the script has for bytes that its shell cannot read."""
_REFUSED = "may not be read"


class _Files:
    """What was said of the files of one kind of units: of two files of one name the first counts. `unread` are those that could not be
    read, folders too; `odd` are lines that say nothing of a file."""

    def __init__(self, text: Text, kind: str) -> None:
        self.odd: list[Gap] = []
        self.unread: Rows = []
        self.counting: dict[tuple[str, str], str] = {}
        self._kind = kind
        self._said: dict[str, list[tuple[str, str, str | None]]] = {}
        here = ""
        for line in text.lines():
            word, _, path = line.partition(" ")
            of = _DIRECTIVE.fullmatch(line)
            if word in _FILES and path.startswith("/"):
                here = path
                self._take(word, path)
            elif of and here:
                value = None if of[4] or _NO_CHARACTERS in of[3] else of[3]
                self._said.setdefault(here, []).append((of[1], of[2] or of[4], value))
            else:
                self.odd.append(Gap(f"a line about {kind} units cannot be read", line[:200]))

    def _take(self, word: str, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if name.endswith(f".{self._kind}"):
            of = name, ""
        elif folder.endswith((f".{self._kind}.d", f"/{self._kind}.d")):
            of = folder.rpartition("/")[2].removesuffix(".d"), name
        else:
            of = "", ""
        counts = not (of[0] and name) or self.counting.setdefault(of, path) == path
        if word == "unread" and counts:
            self.unread.append((of[0], path, "", "", _REFUSED))

    def rows(self) -> Rows:
        """As auditor.live.unit_files has them: of each file that counts one of line 0 first."""
        found: Rows = []
        for (unit, _), path in self.counting.items():
            found.append((unit, path, "0", None, None))
            found += [(unit, path, *directive) for directive in self._said.get(path, [])]
        return found + self.unread


def socket_units(text: Text) -> tuple[Rows, list[Gap]]:
    """Rows of unit, file, line, directive and value; a gap of each file and folder that could not be read."""
    files = _Files(text, "socket")
    unread = [Gap(f"{(path or '').rstrip('/')}: {why}") for _, path, _, _, why in files.unread]
    return files.rows(), [*said(text), *files.odd, *unread]


def service_units(text: Text) -> tuple[Rows, list[Gap]]:
    """The same of services; what could not be read is told by rows alone."""
    files = _Files(text, "service")
    return files.rows(), [*said(text), *files.odd]


def unread_links(text: Text, kind: str) -> Answer | None:
    """Where links could not be read, as the answer of the built-in that says so."""
    refused = [line.removeprefix("refused ") for line in text.lines("links") if line.startswith("refused ")]
    why = "; ".join(f"{path}: where it leads, or what links are in it, could not be read" for path in refused)
    return Answer(f"{kind}-units", f"builtin:{kind}-links", b"", "1", stderr=why.encode("utf-8", "backslashreplace")) if why else None


def unit_links(text: Text, kind: str) -> tuple[Rows, list[Gap]]:
    """Rows of link and target; of the links that are unit files those alone that count, which are the first of their name."""
    if not text.has("links"):
        return [], [*text.gaps, Gap(f"the script did not ask which {kind} units are enabled")]
    unread = unread_links(text, kind)
    gaps = [*said(text), *([Gap(unread.trouble)] if unread and unread.trouble else [])]
    counting = {unit: path for (unit, part), path in _Files(text, kind).counting.items() if not part}
    found: Rows = []
    link: str | None = None
    for line in text.lines("links"):
        word, _, path = line.partition(" ")
        if word == "link" and link is None and path.startswith("/"):
            link = path
        elif word == "to" and link is not None:
            folder, _, name = link.rpartition("/")
            if folder.endswith(DEPENDENCIES) or counting.get(name, link) == link:
                found.append((link, path))
            link = None
        elif word == "unlinked" and link is None and path.startswith("/"):
            found.append((path, None))
        elif word != "refused" or link is not None:
            gaps.append(Gap(f"a line about links of {kind} units cannot be read", line[:200]))
    if link is not None:
        gaps.append(Gap(f"where a link of a {kind} unit leads is missing", link[:200]))
    return found, gaps
