"""What systemd's .socket units declare."""

from __future__ import annotations

from auditor.live.unit_files import Kind
from auditor.live.unit_files import ask as ask_files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evidence import Answer

SOCKET = Kind("socket", (
    b"ListenStream", b"ListenDatagram", b"ListenSequentialPacket", b"Service", b"Accept", b"BindIPv6Only", b"BindToDevice",
    b"SocketProtocol", b"ReusePort", b"PrivateNetwork", b"NetworkNamespacePath",
))  # fmt: skip


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """The rows of auditor.live.unit_files.ask."""
    return ask_files(SOCKET, "socket-units", "unit-links")
