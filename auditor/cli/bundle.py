"""`port-auditor bundle`."""

from __future__ import annotations

import re
import sys

from auditor.cli.notices import say
from auditor.errors import AuditorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from auditor.evidence import Answer
    from auditor.model import Snapshot

HELP = "Make a bundle of saved command output, so that it can be audited like any other."
EXAMPLE = """example: port-auditor bundle --system FreeBSD --release 14.1 --host fw2 -o fw2.evidence --answer "sockstat -4l" ticket-4711.txt

Give each command as it was run, with its options and with what it was piped through: they say what the output leaves out.
Settings come by `sysctl`, `ndd`, `netsh` and the like, names by `cat /etc/services`, the user who ran them by `id`."""
_TOLD = 5
_TOO_LONG = "a bundle is read no further: save what listens alone, by the command's own options"
_TAKEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--system", required=True, metavar="SYSTEM", help="as uname -s prints it; also Windows, VOS, FTX, ftServer")
    parser.add_argument("--release", help="as uname -r prints it; on Windows the version (10.0), on macOS the kernel's")
    parser.add_argument("--host", help="the host's name")
    parser.add_argument("--taken", metavar="TIME", help="when the commands ran, in UTC: 2026-11-20T23:00:00Z")
    parser.add_argument("--stack", metavar="NAME", help="the network stack they ran in, where it is not the host's own (a jail, a zone)")
    parser.add_argument("-o", "--output", metavar="FILE", default="-", help="where to (default: stdout)")
    parser.add_argument("--answer", nargs=2, action="append", default=[], metavar=("COMMAND", "FILE"),
                        help="a command as it was run, and the file with its output (- for stdin); may be given again")  # fmt: skip


def run(parsed: Namespace) -> int:
    from auditor.evidence import MAX_BUNDLE, made_of
    from auditor.output import write

    head = {"system": _system(parsed.system)}
    for key in ("release", "host", "taken"):
        if (value := getattr(parsed, key)) is not None:
            head[key] = value
    if parsed.taken is not None and not _is_time(parsed.taken):
        raise AuditorError(f"--taken {parsed.taken!r} is not a time in UTC", "write it as 2026-11-20T23:00:00Z")
    if [file for _, file in parsed.answer].count("-") > 1:
        raise AuditorError("stdin is given as the output of several commands", "give each of the others a file of its own")
    content = b"".join(made_of(head, _answers(parsed)))
    if len(content) > MAX_BUNDLE:
        raise AuditorError(f"the bundle would be longer than {MAX_BUNDLE} bytes", _TOO_LONG)
    if parsed.output == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write(parsed.output, [content])
    return _not_read(content)


def _is_time(text: str) -> bool:
    from datetime import datetime

    try:
        datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return False
    return _TAKEN.fullmatch(text) is not None


def _system(given: str) -> str:
    from auditor.plugins import collector_for

    systems = collector_for(given).systems
    return next(name for name in systems if name.casefold() == given.casefold())


def _answers(parsed: Namespace) -> Iterator[Answer]:
    from auditor.evidence import Answer

    if not parsed.answer:
        yield Answer("saved", "", b"", "unknown", stack=parsed.stack)
    for command, file in parsed.answer:
        if not command.strip() or not command.isprintable():
            raise AuditorError(f"not a command: {command!r:.60}", "give the command line as it was typed, then the file")
        yield Answer("saved", command, _content(file), "unknown", stack=parsed.stack)


def _content(file: str) -> bytes:
    from auditor.evidence import MAX_BUNDLE

    try:
        with open(sys.stdin.fileno() if file == "-" else file, "rb", closefd=file != "-") as opened:
            content = opened.read(MAX_BUNDLE + 1)
    except OSError as error:
        raise AuditorError(f"{file}: {error.strerror or error}", "give the file that holds the command's output") from error
    if len(content) > MAX_BUNDLE:
        raise AuditorError(f"{file}: longer than {MAX_BUNDLE} bytes", _TOO_LONG)
    return content


def _not_read(content: bytes) -> int:
    """Say which answers could not be read, and the first lines in them that could not; 3 where there are any."""
    from auditor.evidence import load
    from auditor.sources import Source, from_bytes
    from auditor.tables import Tables

    said = [why for why, _ in load(content).gaps]
    for source in from_bytes(content, "the bundle", Tables()):
        if isinstance(source, Source):
            said += source.snapshot.shown.get("visibility", {}).get("not_read", [])
            said += _lines(source.snapshot)
    say(*(f"port-auditor: not read: {why}" for why in said))
    return 3 if said else 0


def _lines(snapshot: Snapshot) -> list[str]:
    """The lines that are gaps, each once; the first few."""
    from auditor.facts import Facts

    gaps = [
        gap
        for stack in snapshot.stacks.seen
        for known in stack.shown.values()
        if isinstance(known, Facts)
        for gap in known.gaps
        if gap.line is not None
    ]
    said = list(dict.fromkeys(f"{gap.why}: {gap.line}" for gap in gaps))
    return said[:_TOLD] + ([f"and {len(said) - _TOLD} more lines"] if len(said) > _TOLD else [])
