"""The yardsticks: what the shipped tables say, how they are made, and that a broken one is found out."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import places
from auditor.errors import OutputError, TableError
from auditor.facts import UnknownFact
from auditor.iana_import import compact, install
from auditor.port_range import PortRange
from auditor.table_checks import problems
from auditor.tables import FILES, Tables
from auditor.vendor_ranges import release_key

ROOT = Path(__file__).resolve().parent.parent
HEADER = (
    "Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date,Modification Date,Reference,"
    "Service Code,Unauthorized Use Reported,Assignment Notes"
)
_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "iana" / "service-names-port-numbers.csv"
REAL_CSV = os.environ.get("PORT_AUDITOR_IANA_CSV", str(_BESIDE) if _BESIDE.exists() else "")
"""IANA's own file, where there is one: it is not part of the project."""


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped tables, to break."""
    copy = tmp_path / "tables"
    copy.mkdir()
    for name in FILES:
        shutil.copyfile(places.shipped("policies", "tables", name), copy / name)
    return copy


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


# --- RFC 6335 and the registry


def test_the_three_ranges_are_those_of_rfc_6335(tables: Tables) -> None:
    assert tables.iana_ranges == {"system": PortRange(0, 1023), "user": PortRange(1024, 49151), "dynamic": PortRange(49152, 65535)}


@pytest.mark.parametrize(
    ("port", "protocol", "status", "names"),
    [
        (80, "tcp", "assigned", ("http", "www", "www-http")),
        (80, "sctp", "assigned", ("http",)),
        (53, "udplite", "assigned", ("domain",)),
        (22, "mptcp", "assigned", ("ssh",)),
        (631, "tcp", "assigned", ("ipp", "ipps")),
        (6010, "tcp", "assigned", ("x11",)),
        (4250, "udp", "assigned", ("vrml-multi-use",)),  # a row without a transport
        (0, "tcp", "reserved", ()),
        (24, "tcp", "reserved", ()),  # "any private mail system"
        (585, "tcp", "reserved", ()),  # "De-registered"
        (14001, "udp", "reserved", ()),  # named, and "De-Registered"
        (49000, "udp", "reserved", ()),
        (716, "tcp", "reserved", ()),  # listed for UDP only
        (15, "tcp", "unassigned", ()),  # "Unassigned [was netstat]"
        (2825, "tcp", "unassigned", ()),  # "(unassigned) Possibly assigned"
        (7775, "tcp", "assigned", ("inetfs",)),  # inside a row that calls 7775 unassigned for all transports
        (49152, "tcp", "dynamic", ()),
        (65535, "udp", "dynamic", ()),
    ],
)
def test_the_registry_says(tables: Tables, port: int, protocol: str, status: str, names: tuple[str, ...]) -> None:
    entry = tables.iana(port, protocol)
    assert (entry.status, entry.names) == (status, names)


def test_unauthorised_use_of_a_range_is_of_the_ports_that_the_registry_names(tables: Tables) -> None:
    assert [port for port in range(6000, 6064) if tables.iana(port, "tcp").unauthorised] == [6003]
    assert [port for port in range(788, 800) if tables.iana(port, "udp").unauthorised] == [796]


def test_no_port_is_without_a_status_and_none_outside_is_answered(tables: Tables) -> None:
    for port in range(0, 65536, 13):
        for protocol in ("tcp", "udp", "sctp", "dccp"):
            assert tables.iana(port, protocol).status in ("assigned", "reserved", "unassigned", "dynamic")
    for port in (-1, 65536):
        with pytest.raises(ValueError, match="not a port"):
            tables.iana(port, "tcp")


def test_a_service_name_leads_to_its_ports_whatever_its_case(tables: Tables) -> None:
    assert tables.named("https", "tcp") == tables.named("HTTPS", "tcp") == (443,)
    assert tables.named("x11", "tcp") == tuple(range(6000, 6064))
    assert tables.named("vrml-multi-use", "udp") == tuple(range(4200, 4300))


def test_a_part_of_a_name_and_a_name_no_longer_registered_lead_nowhere(tables: Tables) -> None:
    assert tables.named("htt", "tcp") == ()
    assert tables.named("", "tcp") == ()
    assert tables.named("sua", "tcp") == (14001,)
    assert tables.named("sua", "udp") == ()


def test_the_registry_holds_no_addresses_of_people() -> None:
    assert "@" not in Path(places.shipped("policies", "tables", "iana-services.tsv")).read_text("utf-8")


def test_looking_a_port_up_needs_no_yaml() -> None:
    code = "import sys; from auditor.tables import Tables; Tables().iana(80, 'tcp'); print('yaml' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


# --- the import


def csv(*rows: str, header: str = HEADER, last: str = ",49151,,Reserved,,,,2024-12-20,[RFC6335],,,") -> bytes:
    return "".join(line + "\r\n" for line in (header, *rows, last) if line).encode()


def made(content: bytes) -> str:
    return compact(content, "ports.csv", Tables().iana_ranges)


def table_lines(content: bytes) -> list[str]:
    return [line for line in made(content).splitlines() if not line.startswith("#")]


def test_the_same_csv_gives_the_same_bytes_and_its_head_says_which_csv() -> None:
    content = csv("http,80,tcp,Web,[A],[A],1999-01-02,2021-10-01,[RFC9110],,,")
    assert made(content) == made(content)
    head = made(content)
    assert "# date: 2024-12-20\n" in head
    assert f"# csv-sha256: {hashlib.sha256(content).hexdigest()}\n" in head
    assert "# lines: 3\n" in head


def test_rows_without_a_port_are_left_out_and_counted() -> None:
    content = csv("scp-config,,tcp,Names only,,,2014-10-13,,,,,", "http,80,tcp,Web,,,,,,,,")
    assert "# csv-rows-without-port: 1\n" in made(content)
    assert not [line for line in table_lines(content) if "scp-config" in line]


def test_a_row_without_a_transport_is_for_any_and_one_for_a_transport_stands_beside_it() -> None:
    content = csv("swx,7300-7302,,Exchange,,,,,,,,", "other,7301,tcp,Other,,,,,,,,")
    assert table_lines(content)[:4] == [
        "7300\tany\tassigned\t-\tswx", "7301\ttcp\tassigned\t-\tother", "7301\tany\tassigned\t-\tswx", "7302\tany\tassigned\t-\tswx",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "description", "status", "kept"),
    [
        ("", "Unassigned", "unassigned", ""),
        ("", "unassigned", "unassigned", ""),
        ("", "Unassigned [was netstat]", "unassigned", ""),
        ("", "(unassigned) Possibly assigned", "unassigned", ""),
        ("", "Reserved", "reserved", ""),
        ("", "Reserved - IANA", "reserved", ""),
        ("", "any private mail system", "reserved", ""),
        ("", "Removed", "reserved", ""),
        ("", "De-registered", "reserved", ""),
        ("sua", "De-Registered", "reserved", ""),
        ("remoteware-un", "Unassigned RemoteWare", "assigned", "remoteware-un"),
        ("ident", "", "assigned", "ident"),
    ],
)
def test_a_rows_status_is(name: str, description: str, status: str, kept: str) -> None:
    assert table_lines(csv(f"{name},1000,tcp,{description},,,,,,,,"))[0] == f"1000\ttcp\t{status}\t-\t{kept}"


def test_several_rows_for_a_port_give_all_names_in_order_and_assigned_goes_first() -> None:
    content = csv("b,1000,tcp,First,,,,,,,,", "a,1000,tcp,Second,,,,,,,,", ",1000,tcp,Reserved,,,,,,,,")
    assert table_lines(content)[0] == "1000\ttcp\tassigned\t-\tb a"


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ("Known Unauthorized Use on port 1002", [1002]),
        ("Unauthorized Use Known on ports 1001-1002", [1001, 1002]),
        ("Known UNAUTHORIZED USE: Ports 1000 & 1003", [1000, 1003]),
        ("yes", [1000, 1001, 1002, 1003]),
        ("since 2011; see port 99999", [1000, 1001, 1002, 1003]),
        (" ", []),
    ],
)
def test_unauthorised_use_is_of_the_ports_named_else_of_the_row(reported: str, expected: list[int]) -> None:
    lines = table_lines(csv(f',1000-1003,,Unassigned,,,,,,,"{reported}",'))
    ranges = [PortRange.parse(line.split("\t")[0]) for line in lines if "\tknown\t" in line]
    assert [port for ports in ranges for port in range(ports.first, ports.last + 1)] == expected


@pytest.mark.parametrize(
    ("content", "where", "why"),
    [
        (b"", 1, "the file is empty"),
        (b"<html>\r\n", 1, "no column Service Name"),
        (csv(header=HEADER.replace("Unauthorized Use Reported", "Other")), 1, "no column Unauthorized Use Reported"),
        (csv("http,80,tcp"), 2, "3 columns where its first line has 12"),
        (csv('a,79,tcp,"Two', 'lines",,,,,,,,', "http,80x,tcp,Web,,,,,,,,"), 4, "not a port or range: '80x'"),
        (csv("http,99999,tcp,Web,,,,,,,,"), 2, "not a port or range: '99999'"),
        (csv("http,90-80,tcp,Web,,,,,,,,"), 2, "not a port or range: '90-80'"),
        (csv("http,50000,tcp,Web,,,,,,,,"), 2, "port 50000 is in the dynamic range 49152-65535"),
        (csv("http,80,tpc,Web,,,,,,,,"), 2, "not a transport of the registry: 'tpc'"),
        (csv("ht tp,80,tcp,Web,,,,,,,,"), 2, "not a service name: 'ht tp'"),
        (csv("ht\x1btp,80,tcp,Web,,,,,,,,"), 2, r"not a service name: 'ht\x1btp'"),
        (csv(",80,tcp,,,,,,,,,"), 2, "port 80 has neither a service name nor a description"),
        (csv(",,tcp,,,,,,,,,"), 2, "neither a port nor a service name"),
        (csv("http,80,tcp,Web,,,,,,,,", last=""), 2, "its last port is 80, not 49151: the file is cut"),
        (csv("http,80,tcp,Web,,,,,,,,")[:-4], 3, "10 columns where its first line has 12"),
        (csv("http,80,tcp,Web,,,,,,,,")[:-2], 3, "the last line has no end: the file is cut"),
        (csv('http,80,tcp,"Web'), 3, "unexpected end of data: the file is cut or damaged"),
        (csv("http,80,tcp,W\xe9b,,,,,,,,").decode().encode("latin-1"), 2, "not UTF-8"),
        (csv(last=",49151,,Reserved,,,,,,,,"), 2, "no row has a date"),
    ],
)  # fmt: skip
def test_a_malformed_csv_is_refused_with_file_and_line(content: bytes, where: int, why: str) -> None:
    with pytest.raises(TableError) as refused:
        made(content)
    assert str(refused.value).startswith(f"ports.csv:{where}: ")
    assert why in str(refused.value)
    assert "Download" in refused.value.advice


def test_cutting_the_csv_anywhere_never_gives_a_table_that_looks_whole() -> None:
    content = csv("http,80,tcp,Web,,,,,,,,", "https,443,tcp,Web,,,,,,,,")
    for length in range(len(content)):
        with pytest.raises(TableError):
            made(content[:length])


@pytest.mark.skipif(not REAL_CSV, reason="PORT_AUDITOR_IANA_CSV does not name IANA's service-names-port-numbers.csv")
def test_the_shipped_table_is_what_its_csv_gives(tables: Tables) -> None:
    content = Path(REAL_CSV).read_bytes()
    if hashlib.sha256(content).hexdigest() != tables.files["iana-services"].stated("csv-sha256"):
        pytest.skip("PORT_AUDITOR_IANA_CSV is another edition of the registry than the shipped table's")
    assert compact(content, REAL_CSV, tables.iana_ranges) == tables.files["iana-services"].text


def test_a_table_takes_the_place_of_the_old_one_and_keeps_its_mode(tmp_path: Path) -> None:
    old = tmp_path / "table.tsv"
    old.write_text("old")
    old.chmod(0o640)
    install("new\n", str(old))
    assert old.read_text() == "new\n"
    assert old.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["table.tsv"]


def test_a_table_that_cannot_be_put_in_place_leaves_the_old_one_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "table.tsv"
    old.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as refused:
        install("new\n", str(old))
    assert refused.value.exit_code == 74
    assert "No space left on device" in str(refused.value)
    assert "-o FILE" in refused.value.advice
    assert old.read_text() == "old"
    assert os.listdir(tmp_path) == ["table.tsv"]


def test_a_device_is_written_to_and_not_replaced() -> None:
    install("new\n", os.devnull)
    assert not os.path.isfile(os.devnull)


# --- vendors


@pytest.mark.parametrize(
    ("system", "release", "expected"),
    [
        ("Linux", "6.18.44-fc-v657", "linux-4.2-plus"),
        ("linux", "5.15.0-1051-aws", "linux-4.2-plus"),
        ("Linux", "4.2", "linux-4.2-plus"),
        ("Linux", "4.2.0-42-generic", "linux-4.2-plus"),
        ("Linux", "4.1.52", "linux-2.6-late"),
        ("Linux", "3.10.0-1160.el7.x86_64", "linux-2.6-late"),
        ("Linux", "2.6.32-754.el6", "linux-2.6-late"),
        ("Linux", "2.6.9-89.EL", "linux-2.4"),
        ("Linux", "2.2.26", "linux-2.2"),
        ("Linux", None, None),
        ("Linux", "unknown", None),
        ("Darwin", "17.7.0", "macos-10.0-10.13"),
        ("Darwin", "18.0.0", "macos-10.14-plus"),
        ("Darwin", "25.1.0", "macos-10.14-plus"),
        ("FreeBSD", "14.1-RELEASE-p3", "freebsd-14-plus"),
        ("FreeBSD", "13.4-STABLE", "freebsd-8-13"),
        ("FreeBSD", "7.0-RELEASE", "freebsd-4.6-7.x"),
        ("FreeBSD", "7.2-RELEASE", None),  # not established
        ("FreeBSD", "4.5-RELEASE", "freebsd-2.2-4.5"),
        ("OpenBSD", "7.6", "openbsd-current"),
        ("OpenBSD", "2.8", "openbsd-current"),
        ("OpenBSD", "2.3", "openbsd-early"),
        ("NetBSD", "7.99.34", "netbsd"),
        ("NetBSD", "10.0_BETA", "netbsd"),
        ("DragonFly", "6.4-RELEASE", "dragonfly"),
        ("SunOS", "5.10", "solaris-10"),
        ("SunOS", "5.9", "solaris-10"),
        ("SunOS", "5.11", "solaris-11-illumos"),
        ("HP-UX", "B.11.31", "hpux-11"),
        ("HP-UX", "B.10.20", None),
        ("AIX", "2", "aix"),
        ("AIX", None, "aix"),
        ("Windows", "5.2.3790", "windows-2000-2003"),
        ("Windows", "10.0.20348", "windows-vista-plus"),
        ("Windows", "2003", None),  # an edition's name, not a version
        ("FTX", "3.3", "stratus-ftx-3.3"),
        ("FTX", "3.4", "stratus-ftx-3.4"),
        ("VOS", "17.2.0", None),  # two stacks: see vendor_all
        ("Plan 9", "4", None),
    ],
)
def test_a_plain_host_is_measured_by(tables: Tables, system: str, release: str | None, expected: str | None) -> None:
    record = tables.vendor(system, release)
    assert (record.id if record else None) == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("14.4.2", {"stratus-stcp-tcp-pre-1098", "stratus-stcp-udp"}),
        ("14.5.0aj", {"stratus-stcp-tcp-pre-1098", "stratus-stcp-udp"}),
        ("14.5.0at", {"stratus-stcp-tcp-post-1098", "stratus-stcp-udp"}),
        ("14.6.0ai", {"stratus-stcp-tcp-pre-1098", "stratus-stcp-udp"}),
        ("14.6.0aj", {"stratus-stcp-tcp-post-1098", "stratus-stcp-udp"}),
        ("14.7.0", {"stratus-stcp-tcp-post-1098", "stratus-stcp-udp"}),
        ("15.1.0aq", {"stratus-stcp-tcp-post-1098", "stratus-stcp-udp"}),
        ("15.1.0ar", {"stratus-stcp-tcp-post-1098", "stratus-stcp-udp-post-2119"}),
        ("17.2.0", {"stratus-stcp-tcp-post-1098", "stratus-stcp-udp-post-2119"}),
    ],
)
def test_the_stacks_of_vos_change_with_its_releases(tables: Tables, release: str, expected: set[str]) -> None:
    assert {record.id for record in tables.vendor_all("VOS", release)} == {"stratus-tcp_os", *expected}


def test_releases_compare_by_numbers_then_by_the_letters_that_touch_them() -> None:
    ordered = ["2.6.9", "2.6.10", "4.2", "4.10", "4.11.1", "14.5.0", "14.5.0aj", "14.5.0at", "14.5.1"]
    assert sorted(set(ordered), key=lambda text: release_key(text) or ((), 0, "")) == ordered
    assert release_key("4.2.0") == release_key("4.2")
    assert release_key("") is release_key("current") is None


def test_all_43_records_are_there_with_sources(tables: Tables) -> None:
    records = tables.vendor_records
    assert len({record.id for record in records}) == len(records) == 43
    assert all(source["ref"] for record in records for source in record.sources)


@pytest.mark.parametrize(
    ("name", "well_known", "registered", "ephemeral"),
    [
        ("stratus-row-iana", "1-1023", "1024-49151", "49152-65535"),
        ("stratus-tcp_os", "1-1023", "5001-65535", "1024-5000"),
        ("stratus-stcp-tcp-pre-1098", "1-1023", "1024-9999", "10000-65535"),
        ("stratus-stcp-tcp-post-1098", "1-1023", "1024-49151", "49152-65535"),
        ("stratus-stcp-udp", "1-1024", "None", "1025-65535"),
        ("stratus-stcp-udp-post-2119", "1-1023", "1024-49151", "49152-65535"),
        ("stratus-hpux-11x", "1-1023", "1024-49151", "49152-65535"),
        ("stratus-ftx-3.3", "1-1023", "6124-65535", "1024-6123"),
        ("stratus-ftx-3.4", "1-1023", "1024-49151", "49152-65535"),
        ("stratus-ftserver", "1-1024", "5001-65535", "1024-5000"),
        ("stratus-linux-2.2", "1-1023", "5000-65535", "1024-4999"),
        ("stratus-linux-2.4", "1-1023", "1024-32767", "32768-61000"),
    ],
)
def test_each_row_of_the_stratus_article_stands_as_printed(
    tables: Tables, name: str, well_known: str, registered: str, ephemeral: str
) -> None:
    record = tables.vendors.record(name)
    printed = (str(record.well_known), str(record.registered), *(str(part.ports) for part in record.ephemeral))
    assert printed == (well_known, registered, ephemeral)


@pytest.mark.parametrize("name", ["stratus-stcp-udp", "stratus-ftserver", "stratus-linux-2.4", "stratus-row-iana", "windows-2000-2003"])
def test_a_row_that_contradicts_itself_says_so(tables: Tables, name: str) -> None:
    assert tables.vendors.record(name).quirk


@pytest.mark.parametrize(
    ("name", "port", "protocol", "expected"),
    [
        ("linux-4.2-plus", 80, "tcp", "privileged"),
        ("linux-4.2-plus", 1024, "tcp", "neither"),
        ("linux-4.2-plus", 60999, "udp", "ephemeral"),
        ("linux-4.2-plus", 61000, "udp", "neither"),
        ("linux-container-docker", 80, "tcp", "neither"),
        ("freebsd-8-13", 10000, "tcp", "ephemeral"),
        ("dragonfly", 50000, "tcp", "on request"),
        ("openbsd-current", 2049, "udp", "privileged"),
        ("solaris-11-illumos", 4045, "tcp", "privileged"),
        ("macos-10.14-plus", 55555, "tcp", "privileged"),
        ("macos-10.14-plus", 55555, "udp", "ephemeral"),
        ("windows-vista-plus", 80, "tcp", "neither"),
        ("stratus-stcp-udp", 1024, "udp", "disputed"),
        ("stratus-stcp-udp", 1024, "tcp", "other protocol"),
        ("stratus-row-iana", 80, "tcp", "not stated"),
        ("bindresvport-glibc", 600, "tcp", "on request"),
        ("bindresvport-glibc", 443, "tcp", "not stated"),
    ],
)
def test_a_system_treats_a_port_as(tables: Tables, name: str, port: int, protocol: str, expected: str) -> None:
    assert tables.vendors.record(name).class_of(port, protocol) == expected


def test_none_is_told_from_not_known(tables: Tables) -> None:
    assert tables.vendors.record("windows-vista-plus").privileged is None
    with pytest.raises(UnknownFact):
        _ = tables.vendors.record("iana").privileged
    with pytest.raises(UnknownFact):
        _ = tables.vendors.record("stratus-advice-check").ephemeral


def test_the_defaults_of_a_stock_kernel_go_by_its_release(tables: Tables) -> None:
    linux = tables.vendors.record("linux-4.2-plus")
    assert linux.defaults("6.18.44-fc-v657") == {
        "net.ipv4.ip_local_port_range": "32768 60999",
        "net.ipv4.ip_unprivileged_port_start": "1024",
        "net.ipv4.ip_local_reserved_ports": "",
        "net.ipv4.ip_autobind_reuse": "0",
        "sunrpc.min_resvport": "665",
        "sunrpc.max_resvport": "1023",
    }
    assert "net.ipv4.ip_unprivileged_port_start" not in linux.defaults("4.10.17")
    assert "net.ipv4.ip_unprivileged_port_start" not in linux.defaults()
    assert "net.inet.tcp.rootonly" not in tables.vendors.record("openbsd-current").defaults("2.8")


def test_no_record_holds_a_sentinel_or_a_class_that_reading_it_breaks(tables: Tables) -> None:
    for record in tables.vendor_records:
        for port in (0, 1, 1023, 1024, 5000, 49152, 65535):
            for protocol in ("tcp", "udp", "any"):
                assert record.class_of(port, protocol)


# --- ranges by name, notable ports, provenance


def test_a_policy_can_name_a_range_of_a_table(tables: Tables) -> None:
    assert tables.range_named("iana-dynamic") == [PortRange(49152, 65535)]
    assert tables.range_named("vendor:linux-4.2-plus") == [PortRange(32768, 60999)]
    assert tables.range_named("vendor:freebsd-14-plus") == [PortRange(10000, 65535)]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("iana-dynamc", "iana-dynamic"), ("vendor:linux-4.2", "vendor:linux-4.2-plus"), ("dynamic", "iana-dynamic"), ("", "vendor:ID"),
     ("iana:dynamic", "iana-dynamic"), ("vendor-netbsd", "vendor:netbsd")],
)  # fmt: skip
def test_a_range_that_no_table_has_is_refused_with_the_nearest_name(tables: Tables, name: str, hint: str) -> None:
    with pytest.raises(TableError) as refused:
        tables.range_named(name)
    assert repr(name) in str(refused.value)
    assert hint in refused.value.advice


def test_a_record_without_an_ephemeral_range_is_no_yardstick_for_one(tables: Tables) -> None:
    with pytest.raises(TableError, match="states no ephemeral range"):
        tables.range_named("vendor:stratus-advice-check")
    with pytest.raises(TableError, match="states no ephemeral range"):
        tables.range_named("vendor:bindresvport-glibc")


def notable(tables: Tables, kind: str, tier: str) -> set[str]:
    return {f"{port.ports}/{port.protocol}" for port in tables.notable(kind) if port.tier == tier}


def test_the_ports_that_are_always_cleartext(tables: Tables) -> None:
    assert notable(tables, "cleartext", "always") == {"21/tcp", "23/tcp", "512/tcp", "513/tcp", "514/tcp", "69/udp"}


def test_the_ports_that_starttls_or_use_may_excuse_are_only_usually_cleartext(tables: Tables) -> None:
    expected = {"25/tcp", "80/tcp", "110/tcp", "143/tcp", "161/udp", "389/tcp", "514/udp", "631/tcp", "5900/tcp"}
    assert notable(tables, "cleartext", "usual") == expected


def test_the_well_known_services_without_authentication_are_there(tables: Tables) -> None:
    expected = {"2375/tcp", "10255/tcp", "6379/tcp", "11211/tcp", "11211/udp", "27017/tcp", "9200/tcp"}
    assert expected <= notable(tables, "unauthenticated", "always")


def test_the_remote_shells_port_is_excused_for_a_system_log(tables: Tables) -> None:
    (shell,) = [port for port in tables.notable("cleartext") if port.service == "rsh"]
    assert {"/usr/sbin/rsyslogd", "/usr/sbin/syslog-ng"} <= set(shell.unless_executable)


def test_a_kind_that_does_not_exist_is_no_empty_answer(tables: Tables) -> None:
    with pytest.raises(KeyError):
        tables.notable("clear-text")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/usr/bin/python3.11", "python"),
        ("/usr/bin/python", "python"),
        ("/opt/x/python3.13-dbg", "python"),
        ("/usr/bin/perl5.36-x86_64-linux-gnu", "perl"),
        ("/usr/bin/lua5.4", "lua"),
        ("/usr/bin/nc.openbsd", "netcat"),
        ("/bin/sh", "sh"),
        ("/usr/lib64/ld-linux-x86-64.so.2", "loader"),
        ("/usr/bin/gawk-5.1.0", "gawk"),
        ("bash", "sh"),
        ("/usr/bin/node_exporter", None),
        ("/usr/bin/node-exporter", None),
        ("/usr/sbin/nginx", None),
        ("/python/webapp", None),
        ("/usr/bin/perldoc", None),
        ("/usr/bin/3", None),
        ("/", None),
    ],
)
def test_an_interpreter_is_known_by_the_name_of_its_file_with_or_without_a_version(tables: Tables, path: str, expected: str | None) -> None:
    found = tables.interpreter(path)
    assert (found and found.name) == expected


def test_what_an_interpreter_does_with_a_right_is_said_by_its_kind(tables: Tables) -> None:
    why = {one.name: one.why for one in tables.interpreters}
    assert why["python"] == "runs what its caller gives it"
    assert why["socat"] == "hands on what arrives at a port to whatever its caller names"


def test_provenance_names_source_date_and_the_bytes_of_each_file(tables: Tables) -> None:
    provenance = tables.provenance()
    assert sorted(provenance) == ["iana-ranges", "iana-services", "interpreters", "notable-ports", "vendor-ranges"]
    for name, facts in provenance.items():
        assert facts["source"]
        assert facts["date"].startswith("20")
        assert facts["sha256"] == hashlib.sha256(Path(tables.files[name].path).read_bytes()).hexdigest()


# --- broken tables are found out


def test_the_shipped_tables_have_no_problem(tables: Tables) -> None:
    assert problems(tables) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("iana-ranges.yaml", "last: 1023", "last: 1022", "no range has ports 1023"),
        ("iana-ranges.yaml", "first: 1024", "first: 1023", "overlap"),
        ("iana-ranges.yaml", "first: 1024", "first: x", "user: "),
        ("iana-ranges.yaml", "# source: ", "# ", "does not state `source`"),
        ("iana-services.tsv", "\n80\ttcp", "\n79\ttcp,udp\tassigned\t-\tfinger\n80\ttcp", "lines that its head states"),
        ("iana-services.tsv", "\n80\ttcp,udp\t", "\n80\ttcp,sctp\t", "80/sctp stands twice"),
        ("iana-services.tsv", "\n6004-6063\t", "\n6003-6063\t", "6003-6063 overlaps 6003"),
        ("iana-services.tsv", "\n80\ttcp,udp\t", "\n8\ttcp,udp\t", "8 stands after"),
        ("iana-services.tsv", "\n80\ttcp,udp\tassigned", "\n80\ttcp,udp\tgiven", "not a line of the table"),
        ("iana-services.tsv", "\thttp www www-http", "\t", "80 is assigned and has 0 names"),
        ("interpreters.yaml", "names: [perl]", "names: perl", "`names` is not a list of file names"),
        ("interpreters.yaml", "names: [perl]", "names: [/usr/bin/perl]", "`names` is not a list of file names"),
        ("interpreters.yaml", "names: [perl]", "names: [perl, python]", "python stands twice"),
        ("interpreters.yaml", "{name: perl, kind: code", "{name: perl, kind: shell", "not one of code, relay"),
        ("interpreters.yaml", "{name: perl, ", "{", "no `name`"),
        ("interpreters.yaml", "{name: perl, ", "{name: perl, why: x, ", "unknown key why"),
        ("interpreters.yaml", "interpreters:\n", "interpreters: none\nx:\n", "`interpreters` is not a list"),
        ("notable-ports.yaml", "service: Telnet, ", "", "no `service`"),
        ("notable-ports.yaml", "kind: cleartext", "kind: plain", "not one of unauthenticated, cleartext"),
        ("notable-ports.yaml", "ports: 23,", "ports: 66000,", "not a port range"),
        ("notable-ports.yaml", "ports: 23,", "prots: 23,", "unknown key prots"),
        ("notable-ports.yaml", "ports: 23,", "ports: [23,", "notable-ports.yaml:"),
        (
            "vendor-ranges.yaml",
            "first: 32768, last: 60999",
            "first: 1000, last: 60999",
            "1000-1023 is well_known and ephemeral, and no quirk",
        ),
        ("vendor-ranges.yaml", 'from: "4.2", before: null', 'from: "4.0", before: null', "linux-2.6-late and linux-4.2-plus are both for"),
        ("vendor-ranges.yaml", 'from: "2.4.0", before: "2.6.24"', 'from: "2.6.24", before: "2.4.0"', "applies to no release"),
        ("vendor-ranges.yaml", 'from: "4.2", before: null', 'from: "late", before: null', "a release that does not compare"),
        ("vendor-ranges.yaml", "- id: linux-2.4\n", "- id: linux-2.2\n", "an id stands twice"),
        ("vendor-ranges.yaml", "role: default", "role: usual", "not one of default, high, low"),
        ("vendor-ranges.yaml", "\n  confidence: high", "\n  confidense: high", "unknown key confidense"),
        ("vendor-ranges.yaml", "privileged: {first: 1, last: 1023}", "privileged: {first: 1, last: -1}", "not a port range"),
        ("vendor-ranges.yaml", "  sources:\n", "  sources: []\n  x:\n", "unknown key x"),
    ],
)
def test_a_broken_table_is_found_out(folder: Path, file: str, old: str, new: str, expected: str) -> None:
    change(folder / file, old, new)
    found = problems(Tables(str(folder)))
    assert any(expected in problem and problem.startswith(str(folder / file)) for problem in found), found


def test_all_problems_of_all_tables_are_told_at_once(folder: Path) -> None:
    change(folder / "iana-ranges.yaml", "last: 1023", "last: 1022")
    change(folder / "notable-ports.yaml", "service: Telnet, ", "")
    (folder / "vendor-ranges.yaml").unlink()
    found = "\n".join(problems(Tables(str(folder))))
    assert all(name in found for name in ("iana-ranges.yaml", "notable-ports.yaml", "vendor-ranges.yaml: No such file"))


def test_a_service_table_cut_anywhere_is_refused_before_it_answers(folder: Path) -> None:
    path = folder / "iana-services.tsv"
    whole = path.read_bytes()
    for length in (0, 100, 600, len(whole) // 2, len(whole) - 1, whole.rindex(b"\n", 0, len(whole) - 1) + 1):
        path.write_bytes(whole[:length])
        with pytest.raises(TableError, match=r"iana-services\.tsv:\d+: "):
            Tables(str(folder)).iana(80, "tcp")


def test_a_table_that_is_not_text_is_refused_with_its_line(folder: Path) -> None:
    (folder / "iana-services.tsv").write_bytes(b"# source: x\n\xff\n")
    with pytest.raises(TableError, match=r"iana-services\.tsv:2: not UTF-8"):
        Tables(str(folder)).iana(80, "tcp")
