"""Every row of Stratus' page on port ranges: a host of that row is audited by the right ranges (policies/stratus-page.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bundles import TABLES, judged
from tests.collectors.told import Told, host, own, spans

DOCUMENT = Path(__file__).resolve().parents[2] / "policies" / "stratus-page.md"
SILENT: Told = ("netstat", "")
NO_MAX: Told = (
    r"reg query HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v MaxUserPort",
    "ERROR: The system was unable to find the specified registry key or value.\n",
)


def ndd(*names: str) -> list[Told]:
    values = {"smallest_anon_port": 49152, "largest_anon_port": 65535, "smallest_nonpriv_port": 1024}
    return [(f"ndd -get /dev/{p} {p}_{name}", f"{value}\n") for p in names for name, value in values.items()]


def sysctl(span: str) -> list[Told]:
    return [("sysctl net.ipv4.ip_local_port_range", f"net.ipv4.ip_local_port_range = {span}\n")]


ROWS = {
    "TCP_OS": ("VOS", "14.7.0aa", "TCP_OS", [SILENT], {"tcp": "1024-5000", "udp": "1024-5000"}, "1-1023"),
    "STCP, TCP, before stcp-1098": ("VOS", "14.5.0as", "STCP", [SILENT], {"tcp": "10000-65535"}, "1-1023"),
    "STCP, TCP, since stcp-1098": ("VOS", "14.5.0at", "STCP", [SILENT], {"tcp": "49152-65535"}, "1-1023"),
    "STCP, UDP, before stcp-2119": ("VOS", "15.1.0aq", "STCP", [SILENT], {"udp": "1025-65535"}, "1-1023"),
    "STCP, UDP, since stcp-2119": ("VOS", "15.1.0ar", "STCP", [SILENT], {"udp": "49152-65535"}, "1-1023"),
    "HP-UX 11x": ("HP-UX", "B.11.23", None, ndd("tcp", "udp"), {"tcp": "49152-65535", "udp": "49152-65535"}, "1-1023"),
    "FTX 3.3": ("FTX", "3.3", None, [SILENT], {"tcp": "1024-6123", "udp": "1024-6123"}, "1-1023"),
    "FTX 3.4": ("FTX", "3.4", None, [SILENT], {"tcp": "49152-65535", "udp": "49152-65535"}, "1-1023"),
    "ftServer": ("ftServer", "5.2", None, [NO_MAX], {"tcp": "1025-5000", "udp": "1025-5000"}, None),
    "Linux 2.2": ("Linux", "2.2.20", None, sysctl("1024 4999"), {"tcp": "1024-4999", "udp": "1024-4999"}, "1-1023"),
    "Linux 2.4": ("Linux", "2.4.37", None, sysctl("32768 61000"), {"tcp": "32768-61000", "udp": "32768-61000"}, "1-1023"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_host_of_the_row_has_its_ranges(row: str) -> None:
    system, release, stack, told, ephemeral, privileged = ROWS[row]
    found = own(host(system, *told, release=release, stack=stack))
    for protocol, ports in ephemeral.items():
        assert [str(one) for one in found.ephemeral.seen if one.speaks_of(protocol, "ipv4")] == [ports]
    for protocol in ephemeral:
        kept = [str(one) for one in found.privileged.seen if one.speaks_of(protocol, "ipv4")]
        assert kept == ([] if privileged is None else [privileged])


@pytest.mark.parametrize("row", ROWS)
def test_a_rule_that_compares_with_the_vendor_finds_nothing_wrong_with_a_stock_host(row: str) -> None:
    system, release, stack, told, _, _ = ROWS[row]
    found = judged(host(system, *told, release=release, stack=stack), "", "privileged-range-lowered", "ephemeral-range-differs-from-vendor")
    assert "fail" not in {f.outcome for f in found}


def test_the_document_has_every_row_and_its_ranges() -> None:
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    by_row = {line.split("|")[1].strip(): line for line in lines}
    assert set(by_row) == {"IANA", *ROWS}
    for row, (_, _, _, _, ephemeral, _) in ROWS.items():
        assert set(ephemeral.values()) <= set(by_row[row].replace(",", " ").split()) | {w.rstrip(".") for w in by_row[row].split()}


def test_the_advice_of_the_page_is_as_wrong_as_the_document_says() -> None:
    rows = [TABLES.vendors.record(name) for name in TABLES.vendors.ids if name.startswith("stratus-") and name != "stratus-advice-check"]
    taken = {
        p: {
            port
            for row in rows
            for part in row.ephemeral
            if part.protocol in ("any", p)
            for port in range(part.ports.first, part.ports.last + 1)
        }
        for p in ("tcp", "udp")
    }
    assert sorted(set(range(5001, 10000)) - taken["tcp"]) == list(range(6124, 10000))
    assert not set(range(1025, 65536)) - taken["udp"]
    assert spans(own(host("FTX", SILENT, release="3.3")).ephemeral) == ["1024-6123"]
