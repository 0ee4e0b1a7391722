"""Where an audit's reports go: the formats asked for, or files in a folder and a summary on the terminal."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from auditor import output, plugins
from auditor.cli.terminal import shown_on
from auditor.errors import AuditorError, OutputError
from auditor.host_report import HostReport
from auditor.in_words import counted
from auditor.report import Report
from auditor.reporter import Reporter, Streamed

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
    paths = [os.path.realpath(file) for _, file in found if file != STDOUT]
    for path in paths:
        if paths.count(path) > 1 and (os.path.isfile(path) or not os.path.exists(path)):
            raise AuditorError(f"two formats cannot both go to {path}", "give each a file of its own")
    return found


class Delivery:
    """What becomes of a report: `begin`, `host` for each that was judged and `end`, within a `with` block. Files are there when all of it
    went well, whole or not at all; one that cannot be written costs no other. Where every format is written host by host, no host has to be
    kept (`keeps` is false)."""

    def __init__(self, outputs: list[tuple[Reporter, str]], *, folder: str, quiet: bool) -> None:
        self._outputs = outputs
        self._folder = folder
        self._quiet = quiet
        self._files = ExitStack()
        self._stdout = _OntoStdout()
        streamed = [(reporter, file) for reporter, file in outputs if isinstance(reporter, Streamed)]
        waits_for_verdict = quiet and any(file == STDOUT for _, file in outputs)
        self.keeps = waits_for_verdict or len(streamed) < len(outputs) or not outputs
        self._to_open = [] if self.keeps else streamed
        self._streams: list[_Stream] = []
        self._failures: list[OutputError] = []

    def __enter__(self) -> Delivery:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._files.__exit__(*raised)

    def begin(self) -> None:
        for reporter, path in self._to_open:
            with self._tried():
                file = None if path == STDOUT else self._files.enter_context(output.File(path, reporter.mode))
                self._streams.append(_Stream(reporter, file, self._stdout))

    def host(self, report: Report, host: HostReport) -> None:
        one = report.of_one(host) if self._streams else report
        self._each(lambda stream: stream.document.host(one))

    def end(self, report: Report) -> None:
        """Files come first, so that a closed terminal loses none; OutputError after all that could be written was."""
        self._each(lambda stream: stream.end(report))
        if self.keeps:
            quiet = self._quiet and not report.totals.open and report.complete
            if self._outputs:
                self._deliver_chosen(report, quiet)
            else:
                self._deliver_usual(report, quiet)
        if self._failures:
            raise self._failures[0]
        self._stdout.settle()

    @contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except OutputError as error:
            self._failures.append(error)
        except OSError as error:
            self._failures.append(OutputError(f"cannot write: {error}", "see whether there is room where temporary files are (TMPDIR)"))

    def _each(self, step: Callable[[_Stream], None]) -> None:
        """Take the step for every format that is still being written; one that fails is written no more."""
        going = []
        for stream in self._streams:
            with self._tried():
                step(stream)
                going.append(stream)
        self._streams = going

    def _deliver_chosen(self, report: Report, quiet: bool) -> None:
        for reporter, path in self._outputs:
            if path != STDOUT:
                with self._tried():
                    _write(reporter, report, path)
        for reporter, path in self._outputs:
            if path == STDOUT and not quiet:
                _print(reporter, report, self._stdout)

    def _deliver_usual(self, report: Report, quiet: bool) -> None:
        written = []
        with self._tried():
            output.folder(self._folder)
            for path, write in _usual_files(self._folder, report):
                with self._tried():
                    write(path)
                    written.append(path)
        if not quiet:
            _print(plugins.reporter("text"), report, self._stdout)
            self._stdout.write("".join(f"written: {path}\n" for path in written).encode("utf-8", "backslashreplace"))


class _Stream:
    """A format on its way into a file, or onto stdout where there is none."""

    def __init__(self, reporter: Streamed, file: output.File | None, stdout: _OntoStdout) -> None:
        self._text = _text(_Into(file) if file else stdout)
        self._file = file
        self.document = reporter.begin(self._text)

    def end(self, report: Report) -> None:
        self.document.end(report)
        self._text.flush()
        if self._file:
            self._file.finish()


class _Into(io.BufferedIOBase):
    """Bytes that go into a file."""

    name = ""

    def __init__(self, file: output.File) -> None:
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._file.write(piece)
        return len(piece)


class _OntoStdout(io.BufferedIOBase):
    """Bytes that go to stdout, where somebody may stop reading, or which may be full: whatever else is written is written all the same."""

    name = "stdout"

    def __init__(self) -> None:
        self._gone: OSError | None = None
        sys.stdout.flush()

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        if self._gone is None:
            try:
                sys.stdout.buffer.write(piece)
            except OSError as error:
                self._gone = error
        return len(piece)

    def settle(self) -> None:
        if self._gone is not None:
            raise self._gone


def _text(onto: _Into | _OntoStdout) -> io.TextIOWrapper:
    """Lines end as the format ends them; what is no Unicode is written as escapes."""
    return io.TextIOWrapper(onto, "utf-8", "backslashreplace", newline="")


def _print(reporter: Reporter, report: Report, stdout: _OntoStdout) -> None:
    report.shown_as = shown_on(sys.stdout, report.shown_as)
    stream = _text(stdout)
    reporter.render(report, stream)
    stream.flush()


def _write(reporter: Reporter, report: Report, path: str) -> None:
    with output.File(path, reporter.mode) as file:
        stream = _text(_Into(file))
        reporter.render(report, stream)
        stream.flush()


def _usual_files(folder: str, report: Report) -> Iterator[tuple[str, Callable[[str], None]]]:
    """The default files in `folder`: their paths, and what writes each to its path."""
    stem = os.path.join(folder, _stem(report.hosts, named="hosts" not in report.shown_as.redacted))
    for name in _BY_DEFAULT:
        reporter = plugins.reporter(name)
        yield f"{stem}.{reporter.suffix}", partial(_write, reporter, report)
    taken: set[str] = set()
    for host in report.hosts if report.shown_as.with_evidence else []:
        if host.evidence is not None:
            path = _untaken(os.path.join(folder, _stem([host])), ".evidence", taken)
            taken.add(path)
            yield path, partial(_write_evidence, host.evidence)


def _write_evidence(evidence: bytes, path: str) -> None:
    output.write(path, [evidence])


def _untaken(stem: str, suffix: str, taken: set[str]) -> str:
    """A path that this report has not yet written: two bundles may be of one host and moment."""
    path, number = stem + suffix, 1
    while path in taken:
        number += 1
        path = f"{stem}-{number}{suffix}"
    return path


def _stem(hosts: list[HostReport], *, named: bool = True) -> str:
    """HOST-TAKEN, of characters that are safe in a file's name everywhere. Where the moment is not known the evidence stands for it, and
    for all where there are several hosts, or one that is not to be `named`: another audit of other evidence has another name."""
    if len(hosts) != 1 or not named:
        return f"{counted(len(hosts), 'host').replace(' ', '-')}-{_fingerprint(hosts)}"
    taken = str(hosts[0].snapshot.shown.get("taken") or f"unknown-{_fingerprint(hosts)}")
    name = _UNSAFE.sub("_", hosts[0].name).lstrip(".-")[:100] or "host"
    return f"{name}-{_UNSAFE.sub('', taken)[:40]}"


def _fingerprint(hosts: list[HostReport]) -> str:
    from hashlib import sha256

    return sha256(" ".join(host.evidence_sha256 or host.name for host in hosts).encode("utf-8", "backslashreplace")).hexdigest()[:12]
