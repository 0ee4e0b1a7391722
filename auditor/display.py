"""Strings of a host, made harmless for people's eyes: every human sink uses this."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from auditor.binding import Endpoint
    from auditor.model import Socket

_ESCAPED = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_ONE_WORD = re.compile(r"[^\s,;\"'\[\]()]+")
_PLAIN_ASCII = str.maketrans({code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)} | {0x0A: "\\n", 0x09: "\\t", 0x0D: "\\r"})


def harmless(text: object) -> str:
    """`text` with control, format (bidi among them), surrogate and line-breaking characters written as escapes."""
    plain = str(text).translate(_PLAIN_ASCII)
    if plain.isascii():
        return plain
    import unicodedata

    return "".join(_escape(c) if ord(c) > 0x7F and unicodedata.category(c) in _ESCAPED else c for c in plain)


def quoted(name: object) -> str:
    """A name among other words: in quotes where it could be taken for some of them."""
    plain = str(name)
    if _ONE_WORD.fullmatch(plain):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def harmless_within(value: Any) -> Any:
    """A JSON value, with every text in it harmless, those of its keys too."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, dict):
        return {harmless(key): harmless_within(item) for key, item in value.items()}
    return [harmless_within(item) for item in value] if isinstance(value, (list, tuple)) else value


def _escape(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def who_in_words(thing: object) -> str | None:
    """Who holds a socket, or may use a grant; None of what nobody holds."""
    from auditor.binding import Endpoint, Grant
    from auditor.model import Socket

    if isinstance(thing, Socket | Endpoint):
        return holders(thing)
    return harmless(thing.shown["scope"]) if isinstance(thing, Grant) and "scope" in thing.shown else None


def holders(socket: Socket | Endpoint) -> str:
    """Who holds a socket, in a few harmless words."""
    shown = socket.shown
    if unit := shown.get("socket_unit"):
        return f"{harmless(unit)} for {harmless(shown.get('activates'))}"
    said = []
    for owner in shown.get("owners_seen", []):
        who = owner.shown.get("executable") or owner.shown.get("process") or "?"
        said.append(f"{quoted(who)}[{owner.shown.get('pid', '?')}] {quoted(owner.shown.get('user', owner.shown.get('uid', '?')))}")
    alike = sorted(set(said))
    if not alike:
        return "owner not visible" + (f" (created by uid {shown['uid']})" if "uid" in shown else "")
    more = f" and {len(alike) - 2} more" if len(alike) > 2 else ""
    return harmless(", ".join(alike[:2])) + more
