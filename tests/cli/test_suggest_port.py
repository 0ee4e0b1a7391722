"""`port-auditor suggest-port` as a person types it, beside a count of all 65536 ports by other means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.cli import main
from auditor.errors import AuditorError
from auditor.facts import Facts, Gap
from auditor.free_ports import (
    HOST_CONTEXTS,
    Claim,
    Claimant,
    FreePorts,
    free_ports,
    host_records,
    records_for,
    records_of,
    registers,
    systems,
)
from auditor.port_range import PortRange
from auditor.tables import Tables
from tests.bundles import EPHEMERAL, RESERVED, SSHD, THRESHOLD, WEB_CONTAINER, changed, container, host, port

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "policies" / "tables"
TABLES = Tables()
RECORDS: dict[str, dict[str, Any]] = {one["id"]: one for one in yaml.safe_load((FOLDER / "vendor-ranges.yaml").read_text())["records"]}
NOTABLE = yaml.safe_load((FOLDER / "notable-ports.yaml").read_text())["notable"]
STRATUS_ROWS = [name for name in RECORDS if name.startswith("stratus-") and name not in ("stratus-row-iana", "stratus-advice-check")]
WITHOUT_OLD_UDP = [name for name in STRATUS_ROWS if name != "stratus-stcp-udp"]
Suggest = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def suggest(capsys: pytest.CaptureFixture[str]) -> Suggest:
    """The exit code and the lines that were printed."""

    def suggested(*words: str) -> tuple[int, list[str]]:
        code = main(["suggest-port", *words])
        return code, capsys.readouterr().out.splitlines()

    return suggested


def ports_of(text: str) -> range:
    first, _, last = str(text).partition("-")
    return range(int(first), int(last or first) + 1)


def registry() -> dict[tuple[int, str], tuple[str, str]]:
    """{(port, protocol of a row): (status, unauthorised use)}, a port at a time."""
    rows = [line.split("\t") for line in (FOLDER / "iana-services.tsv").read_text().splitlines() if not line.startswith("#")]
    return {(number, protocol): (row[2], row[3]) for row in rows for number in ports_of(row[0]) for protocol in row[1].split(",")}


IANA = registry()


def kept_by_iana(number: int, protocol: str) -> bool:
    """By its own row, else by that for any protocol; a number that only others' rows have is theirs where one of them is not unassigned."""
    row = IANA.get((number, protocol)) or IANA.get((number, "any"))
    if row is None:
        others = [IANA[number, other] for other in ("tcp", "udp", "sctp", "dccp") if (number, other) in IANA]
        return any(status != "unassigned" for status, _ in others)
    return row != ("unassigned", "-")


def kept_by_a_system(record: dict[str, Any], number: int, protocol: str) -> bool:
    if record["protocol"] not in ("any", protocol):
        return False
    privileged = record["privileged"]
    if privileged and privileged["first"] <= number <= privileged["last"]:
        return True
    ranges = [one for key in ("privileged_also", "ephemeral", "reserved", "disputed") for one in record.get(key) or []]
    return any(one["first"] <= number <= one["last"] and one["protocol"] in ("any", protocol) for one in ranges)


@cache
def unregistered(protocol: str) -> list[int]:
    """Every port that neither the registry nor the table of notable ports has, each of the 65536 asked by itself."""
    dangerous = {number for one in NOTABLE if one["protocol"] == protocol for number in ports_of(one["ports"])}
    return [n for n in range(65536) if n < 49152 and n not in dangerous and not kept_by_iana(n, protocol)]


def counted_out(names: Iterable[str], *protocols: str) -> list[int]:
    """Every port that is free, each asked by itself."""
    records = [RECORDS[name] for name in names]
    free = [{n for n in unregistered(one) if not any(kept_by_a_system(record, n, one) for record in records)} for one in protocols]
    return sorted(set.intersection(*free))


registered = cache(lambda *protocols: registers(protocols, TABLES))


def left(names: Iterable[str], *protocols: str) -> FreePorts:
    return FreePorts(systems([TABLES.vendors.record(name) for name in names], [], protocols), registered(*protocols))


def numbers(ranges: Iterable[PortRange]) -> list[int]:
    return [number for ports in ranges for number in range(ports.first, ports.last + 1)]


def suggested(lines: list[str]) -> list[int]:
    (line,) = [line for line in lines if line.startswith("Suggested: ")]
    return [int(word) for word in line.removeprefix("Suggested: ").split(", ")]


ABOUT_BOTH = [name for name, record in RECORDS.items() if {"privileged", "ephemeral"} <= record.keys() and record["protocol"] == "any"]


@pytest.mark.parametrize("name", ABOUT_BOTH)
def test_what_a_record_leaves_is_what_counting_every_port_leaves(name: str) -> None:
    free = left([name], "tcp", "udp")
    assert free.promised
    assert numbers(free.left) == counted_out([name], "tcp", "udp")


@pytest.mark.parametrize("protocols", [("tcp",), ("udp",), ("tcp", "udp")], ids=" and ".join)
@pytest.mark.parametrize(
    "names",
    [["linux-4.2-plus", "freebsd-14-plus", "windows-vista-plus"], ["macos-10.14-plus", "solaris-11-illumos", "netbsd"], STRATUS_ROWS,
     WITHOUT_OLD_UDP, ["openbsd-current"], []],
    ids=lambda names: ",".join(names)[:40] or "none",
)  # fmt: skip
def test_what_several_records_leave_is_what_counting_every_port_leaves(names: list[str], protocols: tuple[str, ...]) -> None:
    free = left(names, *protocols)
    assert free.promised
    assert numbers(free.left) == counted_out(names, *protocols)


def test_the_closing_advice_of_the_stratus_page_is_wrong_for_ftx_and_for_old_stcp_udp() -> None:
    """It says: 5001 to 9999 never collide. By its own rows that is 6124 to 9999 for TCP, and nothing for UDP."""
    assert numbers(left(STRATUS_ROWS, "tcp").left) == [n for n in unregistered("tcp") if 6124 <= n <= 9999]
    assert left(STRATUS_ROWS, "udp").left == []
    assert [n for n in numbers(left(["stratus-ftx-3.3"], "tcp").left) if n < 10000] == [n for n in unregistered("tcp") if 6124 <= n <= 9999]
    assert [n for n in unregistered("tcp") if 5001 <= n <= 6123]
    old_udp = numbers(left(["stratus-stcp-udp"], "udp").left)
    assert not [n for n in old_udp if 5001 <= n <= 9999]
    advised = [n for n in unregistered("udp") if 6124 <= n <= 9999]
    assert [n for n in numbers(left(WITHOUT_OLD_UDP, "udp").left) if n <= 9999] == advised


def test_the_lowest_ports_that_are_free_are_suggested_in_order(suggest: Suggest) -> None:
    names = ["freebsd-14-plus", "linux-4.2-plus"]
    code, lines = suggest("--for", *names, "--count", "40")
    assert code == 0
    assert suggested(lines) == counted_out(names, "tcp", "udp")[:40]
    assert suggest("--for", *reversed(names), "--count", "40") == (code, lines)
    assert len(suggested(suggest("--for", *names)[1])) == 5


def test_a_port_free_for_both_is_free_for_each(suggest: Suggest) -> None:
    found = {word: set(suggested(suggest("--for", "Linux", "--count", "65535", "--protocol", word)[1])) for word in ("tcp", "udp", "both")}
    assert found["both"] == found["tcp"] & found["udp"]
    assert found["both"] < found["udp"]


def test_every_system_says_what_it_takes_and_who_says_so(suggest: Suggest) -> None:
    code, lines = suggest("--for", "OpenBSD:7.5", "--protocol", "tcp")
    text = "\n".join(lines)
    assert code == 1
    for line in (
        "  openbsd-current: OpenBSD from 2.8; netinet/netinet6; confidence high",
        "    privileged: 1-1023 (1023 ports)",
        "    privileged too: 2049 (1 port)",
        "    ephemeral: 1024-49151 (48128 ports)",
        "    ephemeral high: 49152-65535 (16384 ports)",
        "    ephemeral low: 600-1023 (424 ports)",
        "    reserved tcp: 587, 749-751, 853, 871, 2049, 6000-6010 (18 ports)",
    ):
        assert line in lines
    assert "source: openbsd sys/netinet/in.h" in text
    assert "IANA: the registry of 2025-11-14" in text


def test_where_nothing_is_left_the_ranges_that_take_it_are_named(suggest: Suggest) -> None:
    code, lines = suggest("--for", "VOS:14.5", "--protocol", "udp")
    assert code == 1
    assert lines[0] == "Nothing is free for udp, by 3 systems, IANA's registry and the notable ports"
    said = " ".join(line.strip() for line in lines[1:4])
    assert "ephemeral udp 1025-65535 of stratus-stcp-udp" in said
    assert "By itself already leaves nothing: stratus-stcp-udp." in said
    assert not [line for line in lines if line.startswith("Suggested")]


def test_a_disputed_range_is_not_free() -> None:
    assert RECORDS["linux-2.4"]["disputed"][0]["first"] == 1024
    assert not [number for number in numbers(left(["linux-2.4"], "tcp").left) if number < 5000]


def test_a_record_about_one_protocol_promises_nothing_for_the_other_unless_another_record_of_its_stack_does(suggest: Suggest) -> None:
    code, lines = suggest("--for", "stratus-stcp-udp-post-2119", "--protocol", "tcp")
    assert code == 1
    assert lines[0].startswith("No port can be promised for tcp")
    assert "the record is about udp only" in lines[1]
    assert lines[3] == "Nothing that is known takes:"
    assert suggest("--for", "stratus-stcp-udp-post-2119", "stratus-stcp-tcp-post-1098", "--protocol", "tcp")[0] == 0
    assert suggest("--for", "zos-tcpip", "--protocol", "tcp")[0] == 1


def test_a_record_that_does_not_state_a_range_promises_nothing(suggest: Suggest) -> None:
    code, lines = suggest("--for", "stratus-row-iana")
    assert code == 1
    assert "stratus-row-iana: the record does not state which ports are privileged" in lines[1]


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        ("FreeBSD:14.1", ["freebsd-14-plus"]),
        ("freebsd:14.1-RELEASE", ["freebsd-14-plus"]),
        ("Linux:6.1", ["linux-4.2-plus"]),
        ("Linux", ["linux-2.2", "linux-2.4", "linux-2.6-late", "linux-4.2-plus"]),
        ("FTX:3.3", ["stratus-ftx-3.3"]),
        ("VOS:14.5", ["stratus-tcp_os", "stratus-stcp-tcp-pre-1098", "stratus-stcp-udp"]),
        ("VOS:17.0", ["stratus-tcp_os", "stratus-stcp-tcp-post-1098", "stratus-stcp-udp-post-2119"]),
        ("Windows:10.0", ["windows-vista-plus"]),
        ("linux-container-docker", ["linux-container-docker"]),
        ("netbsd", ["netbsd"]),
    ],
)
def test_a_system_is_named_by_itself_with_a_release_or_as_a_record(word: str, ids: list[str]) -> None:
    assert [record.id for record in records_for(word, TABLES)] == ids


@pytest.mark.parametrize("word", ["FreeBSD:7.2", "FreeBSD:", "FreeBSD 14.1", "BeOS", "", ":", "linux-9", "VOS:x"])
def test_a_system_that_the_table_does_not_know_is_answered_with_those_it_knows(word: str) -> None:
    with pytest.raises(AuditorError) as refused:
        records_for(word, TABLES)
    assert refused.value.exit_code == 2
    assert "freebsd-14-plus" in refused.value.advice or "stratus-tcp_os" in refused.value.advice


def test_a_host_whose_release_is_not_shown_may_be_any_of_its_system() -> None:
    ids = [record.id for record in records_of(replace(host(), release=None).snapshot(), TABLES)]
    assert ids == [record.id for record in records_for("Linux", TABLES)]
    assert [record.id for record in records_of(host().snapshot(), TABLES)] == ["linux-4.2-plus"]


def test_a_release_between_two_records_is_answered_with_the_records_there_are(suggest: Suggest, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest-port", "--for", "FreeBSD:7.2"]) == 2
    assert "freebsd-8-13 (FreeBSD from 8.0 before 14.0)" in capsys.readouterr().err


def test_without_a_system_every_record_of_a_host_counts_and_openbsd_alone_leaves_nothing(suggest: Suggest) -> None:
    names = [record.id for record in host_records(TABLES)]
    assert names == [name for name, record in RECORDS.items() if record.get("context") in HOST_CONTEXTS]
    assert {"linux-4.2-plus", "openbsd-current", "stratus-stcp-udp", "zos-tcpip"} <= set(names)
    assert not {"iana", "android", "linux-container-docker", "bindresvport-glibc", "stratus-row-iana"} & set(names)
    code, lines = suggest("--protocol", "tcp")
    assert code == 1
    assert lines[0].startswith("Nothing is free for tcp, by ")
    assert "openbsd-current" in "\n".join(lines[:6])


@pytest.mark.parametrize("count", ["0", "-3", "65536"])
def test_a_count_that_is_none_is_refused(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest-port", "--for", "Linux", f"--count={count}"]) == 2
    assert "from 1 to 65535" in capsys.readouterr().err


@pytest.fixture
def web1(tmp_path: Path) -> Path:
    """A bundle of a host with settings of its own, a listener and a container."""
    boxed = container(WEB_CONTAINER, port("tcp/0.0.0.0:2825", SSHD))
    settings = {EPHEMERAL: "20000\t60999", RESERVED: "2693", THRESHOLD: "2000"}
    path = tmp_path / "web1.evidence"
    path.write_bytes(
        replace(host(port("tcp/0.0.0.0:2925", SSHD), port("udp/0.0.0.0:3092", SSHD), settings=settings), others=(boxed,)).bundle()
    )
    return path


def test_a_hosts_own_ranges_and_all_that_holds_a_port_there_are_not_free(suggest: Suggest, web1: Path) -> None:
    everywhere = counted_out(["linux-4.2-plus"], "tcp", "udp")
    here = suggested(suggest("--on", str(web1), "--count", "65535")[1])
    assert here == [n for n in everywhere if n not in (2693, 2825, 2925, 3092) and n >= 2000 and not 20000 <= n <= 60999]
    code, lines = suggest("--on", str(web1), "--protocol", "tcp")
    assert code == 0
    assert 3092 in suggested(suggest("--on", str(web1), "--protocol", "tcp", "--count", "9")[1])
    assert lines[0].startswith("Free for tcp, by 1 system, 1 host, ")
    assert "    in use in host: 2925 (1 port)" in lines


def test_the_systems_are_those_of_the_hosts_unless_others_are_named(suggest: Suggest, web1: Path) -> None:
    assert "  linux-4.2-plus: Linux from 4.2; net/ipv4 + net/ipv6 (shared); confidence high" in suggest("--on", str(web1))[1]
    _, lines = suggest("--on", str(web1), "--for", "FreeBSD:14.1")
    assert lines[0].startswith("Free for tcp and udp, by 1 system, 1 host, ")
    assert not [number for number in suggested(lines) if number >= 10000]


def test_a_host_that_could_not_be_seen_in_full_promises_nothing() -> None:
    gap = Facts([], "sock_diag", [Gap("refused", protocol="udp")])
    hosts = [("given", changed(host(), listening=gap))]
    records = records_for("Linux:6.1", TABLES)
    assert free_ports(records, hosts, ["tcp"], TABLES).promised
    udp = free_ports(records, hosts, ["udp"], TABLES)
    assert not udp.promised
    assert udp.systems[1].doubts == ("listening in host: refused",)


def test_ports_to_which_a_gap_is_narrowed_are_not_free_and_the_others_are() -> None:
    gap = Facts([], "sock_diag", [Gap("refused", ports=PortRange(4000, 4999))])
    records = records_for("Linux:6.1", TABLES)
    free = free_ports(records, [("given", changed(host(), listening=gap))], ["tcp"], TABLES)
    assert free.promised
    assert numbers(free.left) == [n for n in counted_out(["linux-4.2-plus"], "tcp") if not 4000 <= n <= 4999]


def test_no_host_is_left_out_because_it_cannot_be_read(web1: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (web1.parent / "bad.evidence").write_text("nothing")
    assert main(["suggest-port", "--on", str(web1.parent)]) == 2
    assert "bad.evidence" in capsys.readouterr().err
    assert main(["suggest-port", "--on", str(web1.parent / "none")]) == 2


def test_what_a_host_says_cannot_break_the_output(suggest: Suggest, tmp_path: Path) -> None:
    path = tmp_path / "h.evidence"
    path.write_bytes(host(name="web\x1b[31m").bundle())
    code, lines = suggest("--on", str(path))
    assert code == 0
    assert any("web\\x1b[31m: Linux" in line for line in lines)
    assert "\x1b" not in "".join(lines)


def test_the_claims_that_leave_nothing_are_few_and_leave_what_is_said() -> None:
    claims = [Claim("a", "low", PortRange(0, 99)), Claim("a", "high", PortRange(50, 65535)), Claim("a", "within", PortRange(60, 70))]
    free = FreePorts([Claimant("a", "", "", claims)], [])
    assert free.left == []
    found, rest = free.why_nothing()
    assert ([claim.what for claim in found], rest) == (["high", "low"], [])
