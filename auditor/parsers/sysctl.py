"""sysctl(8) of Linux (procps, busybox), FreeBSD, DragonFly, macOS, NetBSD and OpenBSD, and `cat` of files of /proc/sys.

    net.inet.ip.portrange.first: 10000             FreeBSD, DragonFly, macOS
    net.ipv4.ip_unprivileged_port_start = 1024     Linux, NetBSD
    net.inet.ip.portfirst=1024                     OpenBSD, and FreeBSD with -e
    1024                                           with -n: bare values, in the order in which the names were given

Values are as printed: Linux parts the two of a range by a tab. A value may have several lines, which sysctl -a does not mark. A name that
the system does not have is said on stderr; NetBSD stops there. A name that was asked for and neither answered nor denied is a gap.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.parsers.long_options import LongOptions
from auditor.parsers.printed_files import printed_files
from auditor.parsers.typed_lines import is_echo
from auditor.reading import Output, Values

_LONG = {
    "all": "a", "values": "n", "names": "N", "ignore": "e", "quiet": "q", "write": "w", "load": "p", "system": "p", "pattern": "r",
    "binary": "b", "deprecated": "D",
}  # fmt: skip
_TAKING = "Bfpr"
_OTHER_FORMS = {"d": "descriptions", "t": "types", "N": "names", "b": "raw bytes", "x": "hexadecimal numbers"}
_LINE = re.compile(r"(?P<name>[A-Za-z][\w-]*(?:\.[\w%/@:+-]+)+)(?:: | = |=|(?::| =)(?=\s*\Z))(?P<value>.*)")
_ABSENT = (
    re.compile(r"sysctl: unknown oid '(?P<name>[^']+)'.*"),
    re.compile(r"sysctl: cannot stat (?P<path>/proc/sys/\S+): No such file or directory"),
    re.compile(r"(?:sysctl: )?error: ['\"](?P<name>[^'\"]+)['\"] is an unknown key"),
    re.compile(r"sysctl: (?:top|second|third|fourth|fifth|sixth) level name '?[\w-]+'? in '?(?P<name>[\w.-]+)'? is invalid"),
    re.compile(r"cat: (?:can't open ')?(?P<path>/proc/sys/[^\s':]+)'?: No such file or directory"),
)
_REFUSED = re.compile(r"sysctl: (?:permission denied on key|reading key) ['\"](?P<name>[^'\"]+)['\"]")
_READERS = ("cat", "head", "more", "less", "tail")
_FILE = re.compile(r"/proc/sys/(?P<path>[^*?\[\]]+)")
_PORTS = ("net.", "security.")
"""What settings of ports are under. Of other values that have several lines only the first is kept."""
_TABLES = ("net.inet.tcp.cc.available", "net.inet.tcp.functions_available", "net.inet.tcp.hostcache.list", "net.inet.sctp.assoclist")
"""Settings under net. whose values are tables."""


def parse(output: Output) -> Values:
    """Settings by name, and the names that the system says it does not have."""
    values = Values()
    if output.command.program in _READERS:
        paths = [path for path in printed_files(output.command) if path.startswith("/proc/")]
        _complaints(values, output, everything=False)
        _bare(values, output, [_of_path(found["path"]) if (found := _FILE.fullmatch(path)) else None for path in paths])
        return values
    asked = LongOptions(output.command.arguments, _TAKING, _LONG)
    names = [_dotted(word) for word in asked.words]
    everything = bool(asked.letters & set("aAXpfr")) or not names
    form = next((form for letter, form in _OTHER_FORMS.items() if letter in asked.letters), None)
    _complaints(values, output, everything)
    if form or any("=" in word for word in asked.words):
        for line in output.lines():
            values.gap(f"sysctl was asked for {form}, not for values" if form else "sysctl was asked to set values", line)
    elif "n" in asked.letters and not everything and not _all_named(output, asked.words):
        _bare(values, output, names)
    else:
        _named(values, output, names, everything)
        _unanswered(values, [] if everything else names)
    return values


def _dotted(name: str) -> str:
    """Linux takes net/ipv4/x for net.ipv4.x: whichever of . and / comes first parts the names."""
    slash, dot = name.find("/"), name.find(".")
    return name.translate(_SWAPPED) if slash >= 0 and (dot < 0 or slash < dot) else name


def _of_path(path: str) -> str:
    return path.strip("/").translate(_SWAPPED)


_SWAPPED = str.maketrans("./", "/.")


def _is_asked(name: str, names: list[str]) -> bool:
    return any(name == one or name.startswith(one.rstrip(".") + ".") for one in names)


def _all_named(output: Output, names: list[str]) -> bool:
    """Whether every line has a name that was asked for before its value, although -n was given."""
    lines = [line for line in output.lines() if _complaint(line.strip()) is None]
    found = [_LINE.fullmatch(line.rstrip()) for line in lines]
    return bool(lines) and all(line is not None and _is_asked(line["name"], names) for line in found)


def _complaint(line: str) -> str | None:
    """The name that a line says the system does not have."""
    for pattern in _ABSENT:
        if found := pattern.fullmatch(line):
            return _of_path(found["path"].removeprefix("/proc/sys/")) if "path" in pattern.groupindex else _dotted(found["name"])
    return None


def _complaints(values: Values, output: Output, everything: bool) -> None:
    """What stderr says; where everything was asked for, a name that could not be read is just one that is not stated."""
    for line in output.stderr.splitlines():
        if (absent := _complaint(line.strip())) is not None:
            values.absent[absent] = line.strip()
        elif line.strip() and not (everything and _REFUSED.match(line.strip())):
            values.gap(f"sysctl complained: {line.strip():.150}")


def _named(values: Values, output: Output, names: list[str], everything: bool) -> None:
    """Lines with names. `latest` is the setting whose value a line without one may go on from."""
    latest: str | None = None
    for line in output.lines():
        found = _LINE.fullmatch(line.rstrip())
        if (absent := _complaint(line.strip())) is not None:
            values.absent[absent] = line.strip()
            values.taken.append(line)
        elif found and (everything or _is_asked(found["name"], names)):
            latest = found["name"]
            if _is_elsewhere(latest) and values.values.get(latest, found["value"]) != found["value"]:
                values.pass_over(line, f"one more line of {latest}, which is not about ports")
            else:
                values.set(latest, found["value"], line)
        elif is_echo(line, "sysctl"):
            values.pass_over(line, "a prompt")
        elif everything and latest is not None and _is_elsewhere(latest):
            values.pass_over(line, f"it goes on from {latest}, which is not about ports")
        elif everything and _REFUSED.match(line.strip()):
            values.pass_over(line, "a setting that could not be read, which is stated nowhere")
        elif found:
            values.gap("a setting that was not asked for", line)
        else:
            values.gap("a line of sysctl cannot be read", line)


def _is_elsewhere(name: str) -> bool:
    return not name.startswith(_PORTS) or name in _TABLES


def _bare(values: Values, output: Output, names: Sequence[str | None]) -> None:
    """Values without names: which is which is known only where there are exactly as many lines, empty ones too, as names."""
    lines = []
    for line in (text.removesuffix("\r") for text in output.text.split("\n")):
        if (absent := _complaint(line.strip())) is not None:
            values.absent[absent] = line.strip()
            values.taken.append(line)
        elif line.strip() and is_echo(line, "sysctl", *_READERS):
            values.pass_over(line, "a prompt")
        else:
            lines.append(line)
    if lines[-1:] == [""]:
        lines.pop()
    wanted = [name for name in names if name not in values.absent]
    while len(lines) > len(wanted) and not lines[-1].strip():
        lines.pop()
    if len(lines) != len(wanted) or None in wanted:
        for line in lines:
            if line.strip():
                values.gap(f"{len(lines)} bare values for {len(wanted)} names: which is which is not known", line)
        _unanswered(values, [name for name in wanted if name])
        return
    for name, line in zip(wanted, lines, strict=True):
        if line.strip():
            values.set(name or "", line.strip(), line)
        else:
            values.values.setdefault(name or "", "")


def _unanswered(values: Values, names: list[str]) -> None:
    for name in dict.fromkeys(names):
        if not any(_is_asked(known, [name]) for known in (*values.values, *values.absent)):
            values.gap(f"{name} was asked for and not answered")
