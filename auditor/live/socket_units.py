"""What systemd's .socket units declare, from the unit files' named directives only (other lines can hold secrets), and the links that
enable, mask or rename them."""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import files, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDERS = (
    "/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
    "/etc/systemd/system", "/etc/systemd/system.attached", "/run/systemd/system", "/run/systemd/system.attached",
    "/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
    "/run/systemd/generator.late",
)  # fmt: skip
"""systemd.unit(5), table 1: of two files of one name the first wins."""
DIRECTIVES = (
    b"ListenStream", b"ListenDatagram", b"ListenSequentialPacket", b"Service", b"Accept", b"BindIPv6Only", b"BindToDevice",
    b"SocketProtocol", b"ReusePort",
)  # fmt: skip
DEPENDENCIES = (".wants", ".requires", ".upholds")
"""Folders whose links have a unit started with another one (systemd.unit(5)): that is what `systemctl enable` makes."""
COLUMNS = "unit file line directive value"
LINK_COLUMNS = "link target"


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Rows of unit, file, line, directive and value, in the order of FOLDERS; each file that counts has one of line 0 first, without a
    directive, since an empty drop-in takes the place of others of its name. A drop-in's unit is the name of its folder without the `.d`:
    it may be many units', or of all (`socket`). And rows of the links that name units, with what each leads to in the end, `-` where there
    is a file in place of the link."""
    counting: dict[tuple[str, str], str] = {}
    wanted: list[str] = []
    lines: list[bytes] = []
    failures: list[bytes] = []
    unlisted: list[bytes] = []
    for folder in FOLDERS:
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            failures.append(f"{folder}: {error.strerror}\n".encode())
            unlisted.append(failures[-1])
            continue
        for name in sorted(names):
            if name.endswith(".socket"):
                counting.setdefault((name, ""), f"{folder}/{name}")
            elif name == "socket.d" or name.endswith(".socket.d"):
                for part in _listed(f"{folder}/{name}", ".conf", failures):
                    counting.setdefault((name[:-2], part), f"{folder}/{name}/{part}")
            elif name.endswith(DEPENDENCIES):
                wanted += [f"{folder}/{name}/{unit}" for unit in _listed(f"{folder}/{name}", ".socket", unlisted)]
    for (unit, _), path in counting.items():
        lines.append(b"\t".join((rows.field(os.fsencode(unit)), rows.field(os.fsencode(path)), b"0", b"-", b"-")))
        try:
            lines += _directives(unit, path)
        except OSError as error:
            if os.path.realpath(path) != "/dev/null":
                failures.append(f"{path}: {error.strerror}\n".encode())
    yield Answer("socket-units", "builtin:socket-units", rows.table(COLUMNS, lines), "1" if failures else "0", stderr=b"".join(failures))
    links = [_link(path) for path in [*wanted, *(path for (_, part), path in counting.items() if not part and os.path.islink(path))]]
    table = rows.table(LINK_COLUMNS, links)
    yield Answer("socket-units", "builtin:unit-links", table, "1" if unlisted else "0", stderr=b"".join(unlisted))


def _link(path: str) -> bytes:
    target = rows.field(os.fsencode(os.path.realpath(path))) if os.path.islink(path) else b"-"
    return rows.field(os.fsencode(path)) + b"\t" + target


def _listed(folder: str, suffix: str, failures: list[bytes]) -> list[str]:
    """The names in a folder that end so, in order; a folder that may not be read is one of the `failures`."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(suffix))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        failures.append(f"{folder}: {error.strerror}\n".encode())
        return []


def _directives(unit: str, path: str) -> list[bytes]:
    found = []
    for number, line in enumerate(files.content(path).split(b"\n"), 1):
        name, equals, value = line.partition(b"=")
        if equals and name.strip() in DIRECTIVES:
            fields = (os.fsencode(unit), os.fsencode(path), b"%d" % number, name.strip(), value.strip())
            found.append(b"\t".join(rows.field(field) for field in fields))
    return found
