"""The third plugin seam: a Reporter writes a Report to a stream, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from auditor.report import Report

Write = Callable[["Report", TextIO], None]


class Reporter:
    """A format: `suffix` of its files, `media_type`, and `render`. `name` is stamped from its module. `mode` is that of its files: reports
    are not for everybody, unless a format says that its files are."""

    __slots__ = ("media_type", "mode", "name", "render", "suffix")

    def __init__(self, *, suffix: str, media_type: str, render: Write, mode: int = 0o640) -> None:
        self.suffix = suffix
        self.media_type = media_type
        self.render = render
        self.mode = mode
        self.name = ""


class Document(Protocol):
    """What is being written host by host: `host` is given the report of one host alone, and `end` the whole report, whose totals are known
    and whose hosts may be gone."""

    def host(self, one: Report) -> None: ...

    def end(self, report: Report) -> None: ...


class Streamed(Reporter):
    """A format that is written host by host, so that a report of any number of hosts needs the memory of one: `begin` makes a Document of
    the stream that it goes to, before any host is known."""

    __slots__ = ("begin",)

    def __init__(self, *, suffix: str, media_type: str, begin: Callable[[TextIO], Document]) -> None:
        super().__init__(suffix=suffix, media_type=media_type, render=self._render)
        self.begin = begin

    def _render(self, report: Report, stream: TextIO) -> None:
        document = self.begin(stream)
        for host in report.hosts:
            document.host(report.of_one(host))
        document.end(report)
