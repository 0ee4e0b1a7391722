"""The third plugin seam: a Reporter writes a Report to a stream, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from auditor.report import Report


class Reporter:
    """A format: `suffix` of its files, `media_type`, and `render`. `name` is stamped from its module."""

    __slots__ = ("media_type", "name", "render", "suffix")

    def __init__(self, *, suffix: str, media_type: str, render: Callable[[Report, TextIO], None]) -> None:
        self.suffix = suffix
        self.media_type = media_type
        self.render = render
        self.name = ""
