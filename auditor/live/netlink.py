"""Dumps over netlink: NETLINK_SOCK_DIAG for sockets, NETLINK_ROUTE for interface addresses. No right is needed for either.

Numbers and layouts are those of linux/netlink.h, linux/inet_diag.h, linux/rtnetlink.h (Linux 6.12).
"""

from __future__ import annotations

import _socket as socket  # without the enumerations of `socket`, which take as long to make as a dump
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NETLINK_ROUTE, NETLINK_SOCK_DIAG = 0, 4
_REQUEST_DUMP = 0x301
_DUMP_INTERRUPTED = 0x10
_ERROR, _DONE = 2, 3
_HEADER = Struct("=IHHII")
_ATTRIBUTE = Struct("=HH")
_ERRNO = Struct("=i")
_RECEIVE = 1 << 18
_ATTEMPTS = 5
_PATIENCE = 30.0


class Interrupted(OSError):
    """The table changed under every one of several dumps; the kernel said so, and what they gave is not whole."""


class Channel:
    """A netlink socket in the network namespace that this thread is in, to be used in a `with`."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        self._socket.settimeout(_PATIENCE)

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def dump(self, kind: int, request: bytes) -> list[bytes]:
        """The payloads of one dump, whole. OSError where the kernel refuses; Interrupted where it could not be had in one piece."""
        for _ in range(_ATTEMPTS):
            self._socket.send(_HEADER.pack(_HEADER.size + len(request), kind, _REQUEST_DUMP, 1, 0) + request)
            payloads: list[bytes] = []
            if self._receive(payloads):
                return payloads
        raise Interrupted(0, "the table changed during each of several dumps")

    def _receive(self, payloads: list[bytes]) -> bool:
        """Take in one dump; False where the kernel says that it changed meanwhile."""
        whole = True
        while True:
            buffer = self._socket.recv(_RECEIVE)
            at = 0
            while at < len(buffer):
                length, kind, flags, _, _ = _HEADER.unpack_from(buffer, at)
                whole = whole and not flags & _DUMP_INTERRUPTED
                if kind == _DONE:
                    return whole
                if kind == _ERROR:
                    code = -_ERRNO.unpack_from(buffer, at + _HEADER.size)[0]
                    raise OSError(code, _reason(code))
                payloads.append(buffer[at + _HEADER.size : at + length])
                at += (length + 3) & ~3


def _reason(code: int) -> str:
    from os import strerror

    return strerror(code)


def attributes(payload: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """The (type, value) attributes of a payload from offset `at`."""
    while at + 4 <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, at)
        if length < 4:
            return
        yield kind & 0x3FFF, payload[at + 4 : at + length]
        at += (length + 3) & ~3
