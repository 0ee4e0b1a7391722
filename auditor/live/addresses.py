"""The addresses of the interfaces in the namespace this process is in, by NETLINK_ROUTE (RTM_GETLINK, RTM_GETADDR)."""

from __future__ import annotations

import _socket as socket  # without the enumerations of `socket`, which take as long to make as a dump
from struct import Struct

from auditor.live import netlink, rows

COLUMNS = "ifindex device kind address prefix"

_GETLINK, _GETADDR = 18, 22
_LINK = Struct("=BxHiII")
_ADDRESS = Struct("=BBBBI")
_SKIP_STATISTICS = Struct("=HHI").pack(8, 29, 1 << 3)
_IFNAME, _LINKINFO, _INFO_KIND = 3, 18, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_ARPHRD_LOOPBACK = 772
_WIDTHS = {socket.AF_INET: 4, socket.AF_INET6: 16}


def table() -> bytes:
    """A row per address, and one per interface that has none. `kind` is IFLA_INFO_KIND, `loopback`, or `-` for a physical one."""
    with netlink.Channel(netlink.NETLINK_ROUTE) as channel:
        links = channel.dump(_GETLINK, _LINK.pack(0, 0, 0, 0, 0) + _SKIP_STATISTICS)
        addresses = channel.dump(_GETADDR, _ADDRESS.pack(0, 0, 0, 0, 0))
    devices: dict[int, bytes] = {}
    for payload in links:
        _, hardware, index, _, _ = _LINK.unpack_from(payload)
        name, kind = b"", b"loopback" if hardware == _ARPHRD_LOOPBACK else b"-"
        for number, value in netlink.attributes(payload, _LINK.size):
            if number == _IFNAME:
                name = rows.field(value.rstrip(b"\0"))
            elif number == _LINKINFO:
                kind = next((rows.field(v.rstrip(b"\0")) for n, v in netlink.attributes(value, 0) if n == _INFO_KIND), kind)
        devices[index] = name + b"\t" + kind
    lines = []
    addressed = set()
    for payload in addresses:
        family, prefix, _, _, index = _ADDRESS.unpack_from(payload)
        found = dict(netlink.attributes(payload, _ADDRESS.size))
        packed = found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS, b""))
        if len(packed) != _WIDTHS.get(family):
            continue
        addressed.add(index)
        text = socket.inet_ntop(family, packed).encode()
        lines.append(b"%d\t%s\t%s\t%d" % (index, devices.get(index, b"\t"), text, prefix))
    lines += [b"%d\t%s\t-\t-" % (index, device) for index, device in devices.items() if index not in addressed]
    return rows.table(COLUMNS, lines)
