"""Units of one kind as systemd's files have them: named directives only (other lines can hold secrets), and the links that enable, mask or
rename them."""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import files, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDERS = (
    "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
    "/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached",
    "/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    "/run/systemd/generator.late",
)  # fmt: skip
"""systemd.unit(5), table 1: of two files of one name the first wins."""
DEPENDENCIES = (".wants", ".requires", ".upholds")
"""Folders whose links have a unit started with another one (systemd.unit(5)): that is what `systemctl enable` makes."""
COLUMNS = "unit file line directive value"
LINK_COLUMNS = "link target"
_LONGEST = 1 << 20
_BLANKS = b" \t\r"
_COMMENTS = (b"#", b";")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _as_it_stands(directive: bytes, value: bytes) -> list[bytes | None]:
    return [value]


class Kind:
    """A kind of units: its name is what their files' names end in and, with a capital letter, their own section. `told` gives what is told
    of a directive's value: none, one or several, None for one that cannot be read."""

    __slots__ = ("directives", "name", "section", "told")

    def __init__(
        self, name: str, directives: tuple[bytes, ...], told: Callable[[bytes, bytes], list[bytes | None]] = _as_it_stands
    ) -> None:  # fmt: skip
        self.name = name
        self.section = f"[{name.capitalize()}]".encode()
        self.directives = directives
        self.told = told


def ask(kind: Kind, probe: str, links: str) -> Iterator[Answer]:
    """Two answers to `probe`: `builtin:PROBE`, and `builtin:LINKS`.

    Rows of unit, file, line, directive and value, in the order of FOLDERS; each file that counts has one of line 0 first, without a
    directive, since an empty drop-in takes the place of others of its name. A drop-in's unit is the name of its folder without the `.d`:
    it may be many units', or of all of the kind (`socket`). What may not be read has a row without a line, whose value is why: a file, a
    unit's folder of drop-ins (it ends in a slash), or one of FOLDERS, which is of no unit.

    And rows of the links that name units, with what each leads to in the end, `-` where there is a file in place of the link."""
    found = _Found(kind)
    for folder in FOLDERS:
        found.look(folder)
    lines = [line for (unit, _), path in found.counting.items() for line in _file(kind, unit, path, found.unread)]
    lines += [_row(unit, path, b"", b"", rows.field(why.encode())) for unit, path, why in found.unread]
    told = "".join(f"{path.rstrip('/')}: {why}\n" for _, path, why in found.unread).encode()
    yield Answer(probe, f"builtin:{probe}", rows.table(COLUMNS, lines), "1" if told else "0", stderr=told)
    linked = [path for (_, part), path in found.counting.items() if not part and os.path.islink(path)]
    table = rows.table(LINK_COLUMNS, [_link(path) for path in [*found.wanted, *linked]])
    told = "".join(f"{path}: {why}\n" for path, why in found.unlisted).encode()
    yield Answer(probe, f"builtin:{links}", table, "1" if told else "0", stderr=told)


class _Found:
    """The files that count, by unit and name of the drop-in; the links that have units started; what may not be read."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.counting: dict[tuple[str, str], str] = {}
        self.wanted: list[str] = []
        self.unread: list[tuple[str, str, str]] = []
        self.unlisted: list[tuple[str, str]] = []

    def look(self, folder: str) -> None:
        """Take in what is in a folder."""
        suffix = "." + self.kind.name
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            self.unread.append(("", folder, error.strerror or str(error)))
            self.unlisted.append((folder, error.strerror or str(error)))
            return
        for name in sorted(names):
            if name.endswith(suffix):
                self.counting.setdefault((name, ""), f"{folder}/{name}")
            elif name == self.kind.name + ".d" or name.endswith(suffix + ".d"):
                for part in self._listed(f"{folder}/{name}", ".conf"):
                    self.counting.setdefault((name[:-2], part), f"{folder}/{name}/{part}")
            elif name.endswith(DEPENDENCIES):
                self.wanted += [f"{folder}/{name}/{unit}" for unit in self._listed(f"{folder}/{name}", suffix)]

    def _listed(self, folder: str, suffix: str) -> list[str]:
        """The names in a folder that end so, in order."""
        try:
            return sorted(name for name in os.listdir(folder) if name.endswith(suffix))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            if folder.endswith(DEPENDENCIES):
                self.unlisted.append((folder, error.strerror or str(error)))
            else:
                self.unread.append((folder.rpartition("/")[2][:-2], folder + "/", error.strerror or str(error)))
            return []


def _file(kind: Kind, unit: str, path: str, unread: list[tuple[str, str, str]]) -> list[bytes]:
    """The rows of a file; `unread` gets one that may not be read. A mask has the first alone, as has a drop-in that is a link to nothing;
    a unit that is one is none, whatever other folders have."""
    first = [counted(unit, path)]
    try:
        return first + directives(kind, unit, path, content(path))
    except FileNotFoundError:
        return first if path.endswith(".conf") else []
    except OSError as error:
        if os.path.realpath(path) != "/dev/null":
            unread.append((unit, path, error.strerror or str(error)))
        return first


def counted(unit: str, path: str) -> bytes:
    """The row of a file that counts, whatever it says."""
    return _row(unit, path, b"0", b"-", b"-")


def _row(unit: str, path: str, line: bytes, directive: bytes, value: bytes) -> bytes:
    """A row; line, directive and value are fields already."""
    return b"\t".join((rows.field(os.fsencode(unit)), rows.field(os.fsencode(path)), line, directive, value))


def _link(path: str) -> bytes:
    target = rows.field(os.fsencode(os.path.realpath(path))) if os.path.islink(path) else b"-"
    return rows.field(os.fsencode(path)) + b"\t" + target


def content(path: str) -> bytes:
    """A unit file's bytes. OSError where they cannot be had, or are too many."""
    text = files.content(path, _LONGEST)
    if len(text) > _LONGEST:
        raise OSError(0, f"longer than {_LONGEST} bytes")
    return text


def directives(kind: Kind, unit: str, path: str, text: bytes) -> list[bytes]:
    """The rows of what a file says of a unit."""
    found = said(kind, text)
    return [_row(unit, path, b"%d" % line, name, b"-" if value is None else rows.field(value)) for line, name, value in found]


def said(kind: Kind, text: bytes) -> Iterator[tuple[int, bytes, bytes | None]]:
    """The directives of that kind which a file has: line, name, and each value that is told of it, None for one that cannot be read."""
    section = b""
    for number, line in logical_lines(text):
        name, equals, value = line.partition(b"=")
        directive = name.strip(_BLANKS)
        if line.startswith(b"["):
            section = line.strip(_BLANKS)
        elif equals and section == kind.section and directive in kind.directives:
            for one in kind.told(directive, value.strip(_BLANKS)):
                yield number, directive, one


def logical_lines(text: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of a unit file, each with the number of its first one: one that ends in a backslash goes on in the next that is no comment
    (systemd.syntax(7))."""
    first, held = 0, b""
    for number, line in enumerate(text.removeprefix(_BYTE_ORDER_MARK).split(b"\n"), 1):
        line = line.removesuffix(b"\r").lstrip(_BLANKS)
        if line.startswith(_COMMENTS):
            continue
        first = first if held else number
        held += line
        if (len(line) - len(line.rstrip(b"\\"))) % 2:
            held = held[:-1] + b" "
            continue
        yield first, held
        held = b""
    if held:
        yield first, held
