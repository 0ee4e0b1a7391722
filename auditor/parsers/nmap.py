"""nmap's XML (`nmap -oX -`): what ports of a host answered a scan from somewhere.

    <nmaprun scanner="nmap"><scaninfo type="syn" protocol="tcp" numservices="2" services="22,80"/>
      <host><status state="up"/><address addr="192.0.2.7" addrtype="ipv4"/>
        <ports><extraports state="closed" count="1"/><port protocol="tcp" portid="22"><state state="open" reason="syn-ack"/></port></ports>
      </host></nmaprun>

It is a view from outside: it shows what is reached from there, at the address that was scanned, and neither the address that a socket is
bound to nor what a firewall hides. `open|filtered` is what nmap says where no answer came. It never covers anything. A port is accounted
for by its compact text, as XML has no lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from auditor.parsers.endpoints import packed_address
from auditor.port_range import PORT_MAX
from auditor.reading import Output, Reading

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_PROTOCOLS = ("tcp", "udp", "sctp")
_SHUT = ("closed", "filtered", "unfiltered", "closed|filtered")
_DOUBTFUL = "open|filtered"
_SERVICES = 60
"""Characters of the list of scanned ports that a reason has room for."""


def parse(output: Output) -> Reading:
    """Open ports of the one host that was scanned."""
    reading = Reading()
    root = _root(output.text)
    if root is None or root.tag != "nmaprun":
        reading.uncover("seen from outside, by nmap, whose output is no XML that can be read")
        reading.gap("the output is no XML of nmap", output.text.strip()[:200] or None)
        return reading
    scanned = [f"{info.get('protocol')} {info.get('services', '')[:_SERVICES]}" for info in root.iter("scaninfo")]
    reading.uncover(f"seen from outside, by nmap: {', '.join(scanned) or 'which ports it scanned is not shown'}")
    if root.find("runstats/finished") is None:
        reading.gap("the scan did not finish, or its XML is cut")
    hosts = root.findall("host")
    up = [host for host in hosts if host.find("ports") is not None]
    for host in hosts:
        _host(reading, host, alone=len(up) <= 1)
    return reading


def _root(text: str) -> Element | None:
    """The tree, where it is well-formed and declares no entity: those could grow without bound."""
    from xml.etree.ElementTree import ParseError, fromstring

    if "<!ENTITY" in text.upper():
        return None
    try:
        return fromstring(text.strip("\ufeff \t\r\n"))  # noqa: S314 - no entities, and the bundle limits its size
    except (ParseError, ValueError, LookupError):
        return None


def _host(reading: Reading, host: Element, alone: bool) -> None:
    named = [(item.get("addr", ""), item.get("addrtype", "")) for item in host.findall("address")]
    address, family = next(((addr, kind) for addr, kind in named if kind in ("ipv4", "ipv6")), ("", ""))
    ports = host.find("ports")
    if ports is None:
        status = host.find("status")
        reading.pass_over(
            f"host {address}", f"no port of it was scanned: it is {status.get('state') if status is not None else 'of no known state'}"
        )
        return
    sound = packed_address(address.partition("%")[0]) is not None
    for item in ports:
        text = _text(address, item)
        if item.tag not in ("port", "extraports"):
            reading.gap("a record of nmap cannot be read", text)
        elif not alone:
            reading.gap("several hosts were scanned: which is the one of this bundle is not known", text)
        elif item.tag == "extraports":
            _extraports(reading, item, text)
        elif not sound:
            reading.gap("the address of a host cannot be read", text)
        else:
            _port(reading, item, text, address, family)


def _extraports(reading: Reading, item: Element, text: str) -> None:
    if item.get("state") in _SHUT:
        reading.pass_over(text, f"ports that are {item.get('state')}")
    else:
        reading.gap("ports that may be open", text)


def _port(reading: Reading, item: Element, text: str, address: str, family: str) -> None:
    protocol, number = item.get("protocol", ""), item.get("portid", "")
    state = item.find("state")
    said = state.get("state") if state is not None else None
    if protocol == "ip":
        reading.pass_over(text, "a protocol, not a port")
    elif protocol not in _PROTOCOLS or not re.fullmatch("[0-9]{1,5}", number) or not 0 < int(number) <= PORT_MAX:
        reading.gap("a port of nmap cannot be read", text)
    elif said == "open":
        inner, _, zone = address.partition("%")
        shown: dict[str, Any] = {"zone": zone} if zone else {}
        reading.socket(text, protocol=protocol, family=family, address=inner, port=int(number), state="listening", **shown)
    elif said in _SHUT:
        reading.pass_over(text, f"it is {said}")
    else:
        why = "no answer came: it may be open" if said == _DOUBTFUL else f"{said} is no known state of a port"
        reading.gap(why, text, protocol=protocol, family=family)


def _text(address: str, item: Element) -> str:
    """A record on one line."""
    state = item.find("state")
    words = (address, item.tag, item.get("protocol"), item.get("portid"), item.get("count"), item.get("state"),
             state.get("state") if state is not None else None)  # fmt: skip
    return " ".join(word for word in words if word)
