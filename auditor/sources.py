"""Sources of snapshots: this host, a bundle, a snapshot, JSON lines of them, stdin, or a folder of any of these."""

from __future__ import annotations

import codecs
import math
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress

from auditor.errors import SourceError
from auditor.evidence import MAGIC, MAX_BUNDLE, load
from auditor.facts import Malformed
from auditor.model import SNAPSHOT_SCHEMA, Snapshot
from auditor.plugins import collector_for
from auditor.tables import Tables

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_MAX_FILE = 4 * MAX_BUNDLE
_PIECE = 1 << 14
"""How much of a gzip file is looked at at once: what is left of it after a member is copied."""
_MAX_MEMBERS = 1 << 16
_OTHER_FILES = {b"policy": ("policy", "-p"), b"site": ("site file", "--site")}
"""What is no source, by its first key: what it is, and with which option it is given."""


class Source:
    """A snapshot and where it came from. `evidence` is the bundle's bytes, None where a snapshot was given as such; `path` is the file that
    holds this one alone, None for one of several, for stdin and for this host."""

    __slots__ = ("evidence", "given", "live", "path", "sha256", "snapshot")

    def __init__(
        self, snapshot: Snapshot, given: str, *, evidence: bytes | None = None, sha256: str | None = None, live: bool = False
    ) -> None:
        self.snapshot = snapshot
        self.given = given
        self.evidence = evidence
        self.sha256 = sha256
        self.live = live
        self.path: str | None = None


def this_host(
    tables: Tables, also: frozenset[str] = frozenset(), only: frozenset[str] | None = None, options: dict[str, object] | None = None
) -> Source:
    """Collect from this host and interpret the bundle: the same bytes on the same path as a saved one."""
    from auditor.collect import bundle

    evidence = b"".join(bundle(collector_for(os.uname().sysname), only, also, options=options))
    source = _interpreted(evidence, "this host", tables)
    source.live = True
    return source


def from_path(path: str, tables: Tables) -> Iterator[Source | tuple[str, str]]:
    """The sources at a path ("-" is stdin), each interpreted as it is asked for; (path, why) for one that is bad."""
    unread: list[OSError] = []
    for file in _files(path, unread):
        try:
            for source in from_bytes(_content(file), "stdin" if file == "-" else file, tables):
                if isinstance(source, Source) and source.given == file:
                    source.path = file
                yield source
        except SourceError as error:
            yield file, f"{error}: {error.advice}"
        except OSError as error:
            yield file, f"{file}: {error.strerror or error}"
    for folder in unread:
        yield str(folder.filename), f"{folder.filename}: {folder.strerror}"


class Glimpse:
    """What a file shows of its host without being interpreted; `machine_id` is None where it shows none."""

    __slots__ = ("machine_id", "path")

    def __init__(self, path: str, machine_id: str | None) -> None:
        self.path = path
        self.machine_id = machine_id


def glimpses(path: str) -> Iterator[Glimpse]:
    """A glimpse of each file at a path that holds one source. What is bad is left out: `from_path` says so of it."""
    for file in _files(path, []) if path != "-" else ():
        try:
            content = _content(file)
        except (OSError, SourceError):
            continue
        if content.startswith(MAGIC):
            yield Glimpse(file, load(content).head.get("machine-id"))
        elif content.lstrip()[:1] == b"{":
            with suppress(SourceError):
                sources = [source for source in _snapshots(content, file) if isinstance(source, Source)]
                if len(sources) == 1 and sources[0].given == file:
                    yield Glimpse(file, sources[0].snapshot.shown.get("machine_id"))


def _files(path: str, unread: list[OSError]) -> Iterator[str]:
    """The files of a folder; `unread` gets the error of each folder in it that could not be looked into."""
    if path == "-" or not os.path.isdir(path):
        yield path
        return
    for folder, folders, names in os.walk(path, onerror=unread.append):
        folders.sort()
        for name in sorted(names):
            if not name.startswith("."):
                yield os.path.join(folder, name)


def _content(path: str) -> bytes:
    if path == "-":
        raw = sys.stdin.buffer.read(_MAX_FILE + 1)
    else:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise SourceError(f"{path}: not a regular file", "give a bundle, a snapshot, or a folder of them")
            raw = file.read(_MAX_FILE + 1)
    if len(raw) > _MAX_FILE:
        raise SourceError(f"{path}: longer than {_MAX_FILE} bytes", "split it: one bundle a host")
    if raw.startswith(_GZIP):
        return _unzipped(raw, path)
    if raw.startswith(_ZSTD):
        raise SourceError(f"{path}: compressed by zstd, which this Python cannot read", "decompress it first: zstd -d")
    return raw


def _unzipped(raw: bytes, path: str) -> bytes:
    """Every member of a gzip file, as gunzip reads it. A bundle that was cut short says so itself; nothing else does."""
    import zlib

    text = bytearray()
    at = members = 0
    while at < len(raw):
        unzip = zlib.decompressobj(wbits=31)
        members += 1
        if members > _MAX_MEMBERS:
            raise SourceError(f"{path}: gzip of more than {_MAX_MEMBERS} members", "decompress it first: gzip -d")
        while at < len(raw) and not unzip.eof:
            piece = raw[at : at + _PIECE]
            try:
                text += unzip.decompress(piece, _MAX_FILE + 1 - len(text))
            except zlib.error as error:
                raise SourceError(f"{path}: not whole gzip: {error}", "fetch it again") from error
            if len(text) > _MAX_FILE:
                raise SourceError(f"{path}: longer than {_MAX_FILE} bytes when decompressed", "split it: one bundle a host")
            at += len(piece) - len(unzip.unused_data)
        if not unzip.eof and not text.startswith(MAGIC):
            raise SourceError(f"{path}: not whole gzip: it was cut short", "fetch it again")
        while raw[at : at + 1] == b"\0":
            at += 1
    return bytes(text)


def from_bytes(content: bytes, given: str, tables: Tables) -> Iterator[Source | tuple[str, str]]:
    """A bundle's one source, or those of snapshot JSON, a line each or one over many lines. SourceError where it is neither; (where,
    why) for a bad one among several."""
    if content.startswith(MAGIC):
        yield _interpreted(content, given, tables)
    elif content.lstrip()[:1] == b"{":
        yield from _snapshots(content, given)
    elif not content.strip():
        raise SourceError(f"{given}: empty", "give a bundle (`port-auditor collect`) or a snapshot (`port-auditor snapshot`)")
    elif (key := _first_key(content)) in _OTHER_FILES:
        what, option = _OTHER_FILES[key]
        raise SourceError(f"{given}: that is a {what}", f"give it with {option}")
    else:
        raise SourceError(
            f"{given}: neither a bundle nor a snapshot: it begins {content[:40]!r}",
            "saved command output is made a bundle with `port-auditor bundle`",
        )


def _first_key(content: bytes) -> bytes:
    """What stands before the colon in the first line that is no YAML comment, if it stands in the first piece of the file."""
    lines = [line.strip() for line in content[:_PIECE].removeprefix(codecs.BOM_UTF8).splitlines()]
    first = next((line for line in lines if line not in (b"", b"---") and not line.startswith(b"#")), b"")
    key, colon, _ = first.partition(b":")
    return key.rstrip() if colon else b""


def _interpreted(content: bytes, given: str, tables: Tables) -> Source:
    evidence = load(content)
    system = evidence.head.get("system")
    if system is None:
        raise SourceError(f"{given}: the bundle does not say of which system it is", "add a line `% system NAME`, as uname -s prints it")
    collector = collector_for(system)
    try:
        snapshot = collector.interpret(evidence, tables)
    except Exception as error:
        raise BrokenInterpreter(f"{given}: our error: {collector.name} could not interpret it: {type(error).__name__}: {error}") from error
    return Source(snapshot, given, evidence=content, sha256=evidence.sha256)


class BrokenInterpreter(SourceError):
    """An interpreter raised, which it must never do."""

    exit_code = 70

    def __init__(self, message: str) -> None:
        super().__init__(message, "report it, with the bundle if you may share it: this is a defect of port-auditor")


def _snapshots(content: bytes, given: str) -> Iterator[Source | tuple[str, str]]:
    """One snapshot, or one a line; a bad line is (where, why) and does not cost the others."""
    try:
        yield _snapshot(_json(content), given)
        return
    except (ValueError, RecursionError) as error:
        lines = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if line.strip()]
        if not lines[0][1].rstrip().endswith(b"}"):  # not a line each: one object, and a broken one
            raise SourceError(f"{given}: not JSON: {error}", "make it with `port-auditor snapshot`") from error
    for number, line in lines:
        where = f"{given}:{number}"
        try:
            yield _snapshot(_json(line), where)
        except (ValueError, RecursionError) as error:
            yield where, f"{where}: not JSON: {error}"
        except SourceError as error:
            yield where, str(error)


def _json(content: bytes) -> object:
    """By RFC 8259, section 6: without NaN, and without numbers that Python would hold for infinite, which no report could carry on."""
    import json

    return json.loads(content, parse_constant=_finite, parse_float=_finite)


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(f"{number:.40} is no number that JSON can carry on")
    return value


def _snapshot(value: object, given: str) -> Source:
    if not isinstance(value, dict) or value.get("schema") != SNAPSHOT_SCHEMA:
        said = value.get("schema") if isinstance(value, dict) else None
        raise SourceError(f"{given}: its schema is {said!r:.60}, not {SNAPSHOT_SCHEMA}", "make it with `port-auditor snapshot`")
    try:
        return Source(checked(Snapshot.from_json(value, "snapshot")), given)
    except Malformed as error:
        raise SourceError(f"{given}: {error}", "make it with `port-auditor snapshot`") from error


def checked(snapshot: Snapshot) -> Snapshot:
    """A snapshot from outside, if it has what every snapshot has: stacks, and a name for each."""
    if "stacks" not in snapshot.shown:
        raise Malformed("it has no stacks")
    for stack in snapshot.stacks.seen:
        if "name" not in stack.shown or "kind" not in stack.shown:
            raise Malformed("a stack of it has no name or no kind")
    return snapshot
