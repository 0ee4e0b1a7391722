"""community.general.listen_ports_facts of Ansible (plugins/modules/listen_ports_facts.py): facts of one Linux host in JSON, saved as they
are, or printed by an ad-hoc run behind the name of the host.

    web1 | SUCCESS => {
        "ansible_facts": {
            "tcp_listen": [{"address": "0.0.0.0", "name": "sshd", "pid": 711, "port": 22, "protocol": "tcp", "stime": "", "user": "root"}],
            "udp_listen": []}, "changed": false}

The module runs `netstat -plunt` where it is installed, else `ss -plunt`, and does not say which. From netstat every socket is taken, with
pid 0 where no process was found, addresses cut at 22 characters with their port, and v4-mapped ones of tcp6 like IPv4 ones. From ss those
without a process in view are left out, there is a record for each process of a socket, and `*` is what the age of ss makes it. A record is
accounted for by its compact text, as JSON has no lines.
"""

from __future__ import annotations

import re
from typing import Any

from auditor.parsers.endpoints import packed_address
from auditor.parsers.json_text import compact, loaded
from auditor.port_range import PORT_MAX
from auditor.reading import Output, Reading

_LISTS = ("tcp_listen", "udp_listen")
_HOST = re.compile(r"(?m)^(?P<host>\S+) \| (?P<how>SUCCESS|CHANGED|FAILED!?|UNREACHABLE!)(?: \| rc=\d+)? (?:=> )?(?=\{)")
_NETSTAT_CUT = 22
"""Characters of address and port at which netstat without -W cuts the address."""
_NOWHERE = (None, "0.0.0.0:*", ":::*", "[::]:*", "*:*")


def parse(output: Output) -> Reading:
    """The records of both lists; those of several hosts are of nobody."""
    reading = Reading(per_descriptor=True, shows_owners=True)
    hosts = list(_HOST.finditer(output.text))
    if len(hosts) > 1:
        reading.uncover("the answers of several hosts are in one output")
        for host in hosts:
            reading.gap("one of several hosts: which is the one of this bundle is not known", host[0].strip())
        return reading
    text = output.text[: hosts[0].start()] + output.text[hosts[0].end() :] if hosts else output.text
    found = loaded(reading, text, "{")
    facts = found.get("ansible_facts", found) if isinstance(found, dict) else None
    lists = {key: facts[key] for key in _LISTS if isinstance(facts.get(key), list)} if isinstance(facts, dict) else {}
    if len(lists) < len(_LISTS) or (hosts and hosts[0]["how"] not in ("SUCCESS", "CHANGED")):
        reading.uncover("the output has no facts of listen_ports_facts")
        reading.gap("the output has no facts of listen_ports_facts", compact(found)[:200] if found is not None else None)
        return reading
    records = [record for key in _LISTS for record in lists[key]]
    _Records(reading, records).read()
    return reading


class _Records:
    """The records of one host, and which of the two programs they show to be their source."""

    def __init__(self, reading: Reading, records: list[Any]) -> None:
        self.reading = reading
        self.records = records
        known = [record for record in records if isinstance(record, dict)]
        addresses = {str(record.get("address")) for record in known}
        self.netstat = any(record.get("pid") == 0 for record in known)
        self.ss = any("*" in address or "%" in address or "]" in address for address in addresses)
        self.new = "0.0.0.0" in addresses  # noqa: S104 - compared, never bound

    def read(self) -> None:
        """Take every record."""
        if not self.netstat:
            self.reading.uncover(
                "where the module asks ss it leaves out sockets whose process it does not see, and it does not say which it asked"
            )
        for record in self.records:
            self._record(record)

    def _record(self, record: Any) -> None:
        text = compact(record)
        told = record if isinstance(record, dict) else {}
        protocol, port, pid, address = told.get("protocol"), told.get("port"), told.get("pid"), told.get("address")
        protocol = protocol.removesuffix("6") if isinstance(protocol, str) else None
        if protocol not in ("tcp", "udp") or not _number(port, PORT_MAX) or not _number(pid, 2**31) or not isinstance(address, str):
            self.reading.gap("a record cannot be read", text, protocol=protocol if protocol in ("tcp", "udp") else None)
        elif not self._holds_a_port(told):
            self.reading.pass_over(text, "a connection")
        elif (place := self._place(address, port)) is None:
            self.reading.gap("the address of a record cannot be read", text, protocol=protocol)
        else:
            self.reading.socket(text, owners=_owners(told), protocol=protocol, port=port, state="listening", **place)

    def _holds_a_port(self, told: dict[str, Any]) -> bool:
        """With include_non_listening there are connections too, and `state` and `foreign_address` are told."""
        if told["protocol"].startswith("tcp"):
            return told.get("state") in (None, "LISTEN")
        return told.get("foreign_address") in _NOWHERE

    def _place(self, address: str, port: Any) -> dict[str, Any] | None:
        """ss' brackets are taken off by the module but for one before a zone: `fe80::1]%eth0`."""
        inner, _, zone = address.replace("]%", "%").partition("%")
        if inner == "*":
            return {"address": "::", "family": "ipv6", "v6only": False} if self.new else {"address": "*", "family": "unknown"}
        packed = packed_address(inner)
        cut = ":" in inner and not self.ss and len(inner) + len(str(port)) == _NETSTAT_CUT
        if packed is None and not cut:
            return None
        family = "ipv6" if ":" in inner else "ipv4"
        place: dict[str, Any] = {"address": inner, "family": family}
        if cut:
            place["address_cut"] = True
        if zone:
            place["zone" if family == "ipv6" and inner.startswith("fe80") else "device"] = zone
        return place


def _number(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _owners(told: dict[str, Any]) -> list[dict[str, Any]]:
    if told["pid"] == 0:
        return []
    owner: dict[str, Any] = {"pid": told["pid"]}
    for key, name in (("name", "process"), ("user", "user")):
        if isinstance(told.get(key), str) and told[key]:
            owner[name] = told[key]
    return [owner]
