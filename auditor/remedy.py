"""What to do about a breach: the `Remedy` of a rule's document, a paragraph for each system whose commands are known."""

from __future__ import annotations

import re

SYSTEMS = ("Linux", "Darwin", "FreeBSD", "OpenBSD", "NetBSD", "DragonFly", "SunOS", "HP-UX", "AIX", "Windows", "VOS", "FTX")
"""As `uname -s` prints them, and three that have no uname."""
_SYSTEM = "|".join(SYSTEMS)
_LABEL = re.compile(rf"((?:{_SYSTEM})(?:, (?:{_SYSTEM}))*):\s+")


class Remedy:
    """Paragraphs, with what can be pasted between backticks. One that begins `FreeBSD, DragonFly: ` is for these systems alone, others
    hold everywhere."""

    __slots__ = ("paragraphs",)

    def __init__(self, text: str) -> None:
        self.paragraphs = [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]

    def on(self, *systems: str | None) -> str:
        """What holds everywhere, and what is for one system, without its name, or for several, with theirs. Everything where a system is
        not known (None)."""
        several = len(set(systems)) > 1
        told = []
        for paragraph in self.paragraphs:
            label = _LABEL.match(paragraph)
            if label is None or None in systems:
                told.append(paragraph)
            elif not set(systems).isdisjoint(label[1].split(", ")):
                told.append(paragraph if several else paragraph[label.end() :])
        return "\n\n".join(told)

    @property
    def by_system(self) -> list[tuple[str, str]]:
        """Each system that has a paragraph of its own, and that, in the order in which they stand."""
        labelled = [(label, paragraph[label.end() :]) for paragraph in self.paragraphs if (label := _LABEL.match(paragraph))]
        return [(system, text) for label, text in labelled for system in label[1].split(", ")]
