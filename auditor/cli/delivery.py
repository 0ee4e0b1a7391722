"""Where an audit's reports go: the formats asked for, or files in a folder and a summary on the terminal."""

from __future__ import annotations

import io
import os
import re
import sys

from auditor import output, plugins
from auditor.errors import AuditorError, OutputError
from auditor.report import HostReport, Report
from auditor.reporter import Reporter

STDOUT = "-"
_BY_DEFAULT = ("html", "json")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def chosen(words: list[str]) -> list[tuple[Reporter, str]]:
    """FORMAT[=FILE] words, read: the reporter, and the file it goes to."""
    found = []
    for word in words:
        name, equals, file = word.partition("=")
        if equals and not file:
            raise AuditorError(f"-f {word!r} names no file", f"write -f {name}=FILE, or -f {name} for stdout")
        found.append((plugins.reporter(name), file or STDOUT))
    if sum(file == STDOUT for _, file in found) > 1:
        raise AuditorError("two formats cannot both go to stdout", "give all but one a file: -f FORMAT=FILE")
    return found


def deliver(report: Report, outputs: list[tuple[Reporter, str]], *, folder: str, with_evidence: bool, quiet: bool) -> None:
    """Write what was asked for. Files come first, so that a closed terminal loses none; OutputError after all that could be written was."""
    quiet = quiet and not report.open and report.complete
    if not outputs:
        failure = None
        written: list[str] = []
        try:
            written = _into(folder, report, with_evidence)
        except OutputError as error:
            failure = error
        if not quiet:
            sys.stdout.write(_rendered(plugins.reporter("text"), report))
            sys.stdout.writelines(f"written: {path}\n" for path in written)
        if failure is not None:
            sys.stdout.flush()
            raise failure
        return
    for reporter, file in outputs:
        if file != STDOUT:
            output.write(file, [_rendered(reporter, report).encode("utf-8", "backslashreplace")])
    for reporter, file in outputs:
        if file == STDOUT and not quiet:
            sys.stdout.flush()
            sys.stdout.buffer.write(_rendered(reporter, report).encode("utf-8", "backslashreplace"))


def _rendered(reporter: Reporter, report: Report) -> str:
    stream = io.StringIO()
    reporter.render(report, stream)
    return stream.getvalue()


def _into(folder: str, report: Report, with_evidence: bool) -> list[str]:
    """The default files in `folder`; their paths."""
    output.folder(folder)
    stem = os.path.join(folder, _stem(report.hosts))
    written = []
    for name in _BY_DEFAULT:
        reporter = plugins.reporter(name)
        path = f"{stem}.{reporter.suffix}"
        output.write(path, [_rendered(reporter, report).encode("utf-8", "backslashreplace")])
        written.append(path)
    for host in report.hosts if with_evidence else []:
        if host.evidence is not None:
            path = _untaken(os.path.join(folder, _stem([host])), ".evidence", written)
            output.write(path, [host.evidence])
            written.append(path)
    return written


def _untaken(stem: str, suffix: str, written: list[str]) -> str:
    """A path that this report has not yet written: two bundles may be of one host and moment."""
    path, number = stem + suffix, 1
    while path in written:
        number += 1
        path = f"{stem}-{number}{suffix}"
    return path


def _stem(hosts: list[HostReport]) -> str:
    """HOST-TAKEN, of characters that are safe in a file's name everywhere. Where the moment is not known the evidence stands for it, and
    where there are several hosts the evidence of all: another audit of other evidence has another name."""
    if len(hosts) != 1:
        return f"{len(hosts)}-hosts-{_fingerprint(hosts)}"
    taken = str(hosts[0].snapshot.shown.get("taken") or f"unknown-{_fingerprint(hosts)}")
    name = _UNSAFE.sub("_", hosts[0].name).lstrip(".-")[:100] or "host"
    return f"{name}-{_UNSAFE.sub('', taken)[:40]}"


def _fingerprint(hosts: list[HostReport]) -> str:
    from hashlib import sha256

    return sha256(" ".join(host.evidence_sha256 or host.name for host in hosts).encode("utf-8", "backslashreplace")).hexdigest()[:12]
