"""A second witness: the same listeners as psutil sees them."""

from __future__ import annotations

from auditor.evidence import Answer
from auditor.live import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = "protocol address port"


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Rows of protocol, address and port: TCP in LISTEN, UDP without a peer, of the namespace this process is in."""
    try:
        import psutil
    except (ImportError, NotImplementedError) as error:  # psutil refuses to be imported on a system that it does not know
        yield Answer("psutil", "builtin:psutil", b"", "absent", stderr=f"psutil: {error}\n".encode())
        return
    try:
        connections = psutil.net_connections("inet")
    except (psutil.Error, OSError, RuntimeError) as error:
        yield Answer("psutil", "builtin:psutil", b"", "1", stderr=f"psutil: {error}\n".encode())
        return
    lines = set()
    for connection in connections:
        kind = connection.type.name
        if not connection.laddr or (kind == "SOCK_STREAM" and connection.status != psutil.CONN_LISTEN) or connection.raddr:
            continue
        lines.add(f"{'tcp' if kind == 'SOCK_STREAM' else 'udp'}\t{connection.laddr.ip}\t{connection.laddr.port}".encode())
    yield Answer("psutil", "builtin:psutil", rows.table(COLUMNS, sorted(lines)))
