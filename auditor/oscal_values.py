"""OSCAL's data types, made of values that may be anything: uuids, props, markup and references (OSCAL 1.1.2, "Data Types")."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from auditor.display import harmless

NAMESPACE = "urn:port-auditor:oscal:1"
"""Of the props that are ours."""
_MARKUP = re.compile(r"[\\`*<>\[\]{}&~^\"|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#+=-]")
_NUMBERED = re.compile(r"^([0-9]{1,9})([.)])")


class Uuids:
    """Uuids (version 5) that are the same for the same things in every run: of what a thing is, and where there are several alike, of how
    many came before it."""

    def __init__(self) -> None:
        import uuid

        self._uuid5 = uuid.uuid5
        self._namespace = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
        self._taken: Counter[str] = Counter()

    def of(self, kind: str, *names: str) -> str:
        said = "\0".join((kind, *names)).encode("utf-8", "backslashreplace").decode()
        self._taken[said] += 1
        return str(self._uuid5(self._namespace, f"{said}\0{self._taken[said]}"))


def prop(name: str, value: object, namespace: str | None = NAMESPACE) -> list[dict[str, str]]:
    """A prop, or none where there is no value: one may be neither empty nor begin or end with a blank."""
    plain = "" if value is None else str(value).lower() if isinstance(value, bool) else harmless(value).strip()
    if not plain:
        return []
    return [{"name": name, **({"ns": namespace} if namespace else {}), "value": plain}]


def markup(text: str) -> str:
    """Plain text as markup-line that shows it: what Markdown would take for a sign stands behind a backslash."""
    return _NUMBERED.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", harmless(text).strip())) or "(nothing)"


def href(path: str) -> str:
    """A path as a URI reference."""
    from urllib.parse import quote

    return quote(path.encode("utf-8", "surrogateescape" if _came_from_bytes(path) else "backslashreplace"), safe="/")


def filled(members: dict[str, Any]) -> dict[str, Any]:
    """The members that have something in them: an array that is there has at least one item."""
    return {key: value for key, value in members.items() if value not in (None, [], "")}


def _came_from_bytes(path: str) -> bool:
    """Whether its lone surrogates are bytes of a file's name, as Python reads them (PEP 383)."""
    return all("\udc80" <= c <= "\udcff" for c in path if "\ud800" <= c <= "\udfff")
