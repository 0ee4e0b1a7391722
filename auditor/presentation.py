"""How a report is to be shown, and what it says of each rule."""

from __future__ import annotations

from auditor.remedy import Remedy


class Presentation:
    """How a report is to be shown: the `organisation` and the classification `banner` that the policies name, the folder of `templates`
    that overlays the page's own, whether it holds the evidence itself or its hashes only, and what was `redacted` ("users", "hosts").
    `width` is in the columns of the terminal that it is printed on, None where it is a file's or a pipe's; `colour` says whether that
    terminal shows colours, and wants them."""

    __slots__ = ("banner", "colour", "organisation", "redacted", "templates", "width", "with_evidence")

    def __init__(
        self, *, organisation: str | None = None, banner: str | None = None, templates: str | None = None, with_evidence: bool = True,
        redacted: tuple[str, ...] = (), width: int | None = None, colour: bool = False,
    ) -> None:  # fmt: skip
        self.width = width
        self.colour = colour
        self.organisation = organisation
        self.banner = banner
        self.templates = templates
        self.with_evidence = with_evidence
        self.redacted = redacted


class RuleDocument:
    """A rule's document as a reader of its findings wants it: paragraphs, with code between backticks."""

    __slots__ = ("remedy", "title", "why")

    def __init__(self, title: str, why: str, remedy: Remedy) -> None:
        self.title = title
        self.why = why
        self.remedy = remedy
