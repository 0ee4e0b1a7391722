"""What systemd's .service units run, as whom, and with which rights. Of a command its program alone: arguments hold secrets."""

from __future__ import annotations

from auditor.live.unit_files import Kind
from auditor.live.unit_files import ask as ask_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evidence import Answer

_BLANKS = b" \t\r\n"
_QUOTES = b"\"'"


def programs(value: bytes) -> list[bytes | None]:
    """The program of each command of a command line (systemd.service(5), "Command lines"), with the prefixes that it has, without quotes
    and with escapes as they are written. An empty value, which takes back earlier ones, is told as that; None is a program that cannot be
    told from its arguments."""
    found: list[bytes | None] = [] if value.strip(_BLANKS) else [b""]
    expected, at = True, 0
    while (at := _after_blanks(value, at)) < len(value):
        if value[at : at + 1] == b";" and value[at + 1 : at + 2].strip(_BLANKS) == b"":
            expected, at = True, at + 1
            continue
        word, at = _word(value, at)
        if expected:
            found.append(word)
        expected = False
    return found


def _after_blanks(value: bytes, at: int) -> int:
    while at < len(value) and value[at] in _BLANKS:
        at += 1
    return at


def _word(value: bytes, at: int) -> tuple[bytes | None, int]:
    """A word that begins at `at`, without its quotes, and where it ends; None where a quote is never closed."""
    word, quote = bytearray(), 0
    while at < len(value) and (quote or value[at] not in _BLANKS):
        byte = value[at]
        if byte == quote:
            quote = 0
        elif not quote and byte in _QUOTES:
            quote = byte
        elif byte == ord("\\"):
            word += value[at : at + 2]
            at += 1
        else:
            word.append(byte)
        at += 1
    return None if quote else bytes(word), at


def _told(directive: bytes, value: bytes) -> list[bytes | None]:
    return programs(value) if directive == b"ExecStart" else [value]


SERVICE = Kind("service", (
    b"ExecStart", b"User", b"Group", b"DynamicUser", b"AmbientCapabilities", b"CapabilityBoundingSet", b"NoNewPrivileges",
    b"SocketBindAllow", b"SocketBindDeny", b"PrivateNetwork", b"NetworkNamespacePath", b"PrivateUsers", b"RestrictAddressFamilies",
), _told)  # fmt: skip


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """The rows of auditor.live.unit_files.ask; those of ExecStart are one for each of its commands."""
    return ask_files(SERVICE, "service-units", "service-links")
