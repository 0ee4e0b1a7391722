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
    "/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
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
    """Rows of unit, file, line, directive and value, drop-ins after their unit, in the order in which systemd applies them; and rows of
    the links that name units, with what each leads to in the end, `-` where there is a file in place of the link."""
    units: dict[str, str] = {}
    drop_ins: dict[str, dict[str, str]] = {}
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
                units.setdefault(name, f"{folder}/{name}")
            elif name.endswith(".socket.d"):
                for part in _listed(f"{folder}/{name}", ".conf", failures):
                    drop_ins.setdefault(name[:-2], {}).setdefault(part, f"{folder}/{name}/{part}")
            elif name.endswith(DEPENDENCIES):
                wanted += [f"{folder}/{name}/{unit}" for unit in _listed(f"{folder}/{name}", ".socket", unlisted)]
    for unit in sorted(units.keys() | drop_ins.keys()):
        parts = drop_ins.get(unit, {})
        for path in ([units[unit]] if unit in units else []) + [parts[name] for name in sorted(parts)]:
            try:
                lines += _directives(unit, path)
            except OSError as error:
                if os.path.realpath(path) != "/dev/null":
                    failures.append(f"{path}: {error.strerror}\n".encode())
    yield Answer("socket-units", "builtin:socket-units", rows.table(COLUMNS, lines), "1" if failures else "0", stderr=b"".join(failures))
    links = [_link(path) for path in [*wanted, *(path for path in units.values() if os.path.islink(path))]]
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
