"""Windows and Stratus' ftServer, from saved output: netsh's ranges by protocol and family, MaxUserPort before, and who holds what."""

from __future__ import annotations

import pytest

from auditor import collect
from auditor.collectors import windows
from auditor.evidence import ENDING, Answer
from tests.bundles import judged
from tests.collectors.told import Told, bundled, host, open_questions, own, spans, whys

NETSTAT: Told = (
    "netstat -ano",
    "\r\nActive Connections\r\n\r\n"
    "  Proto  Local Address          Foreign Address        State           PID\r\n"
    "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       904\r\n"
    "  TCP    10.1.2.3:8443          0.0.0.0:0              LISTENING       4120\r\n"
    "  TCP    10.1.2.3:52000         10.1.2.9:443           ESTABLISHED     4120\r\n"
    "  TCP    [::]:135               [::]:0                 LISTENING       904\r\n"
    "  UDP    0.0.0.0:50123          *:*                                    1180\r\n",
)
TASKLIST: Told = (
    "tasklist /FO CSV",
    '"Image Name","PID"\n"svchost.exe","904","Services","0","9,100 K"\n"httpd.exe","4120","Services","0","18,204 K"\n',
)
PAIRS = [(family, protocol) for family in ("ipv4", "ipv6") for protocol in ("tcp", "udp")]


def dynamic(family: str, protocol: str, start: int = 49152, count: int = 16384) -> Told:
    return (
        f"netsh int {family} show dynamicport {protocol}",
        f"\r\nProtocol {protocol} Dynamic Port Range\r\n---------------------------------\r\n"
        f"Start Port      : {start}\r\nNumber of Ports : {count}\r\n\r\n",
    )


def excluded(family: str, protocol: str, *spans: tuple[int, int]) -> Told:
    rows = "".join(f"{first:10}  {last:10}     \r\n" for first, last in spans)
    return (
        f"netsh int {family} show excludedportrange protocol={protocol}",
        f"\r\nProtocol {protocol} Port Exclusion Ranges\r\n\r\nStart Port    End Port      \r\n----------    --------      \r\n{rows}"
        "\r\n* - Administered port exclusions.\r\n\r\n",
    )


ALL_DYNAMIC = tuple(dynamic(*pair) for pair in PAIRS)
NO_EXCLUDED = tuple(excluded(*pair) for pair in PAIRS)
KEY = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
QUERY = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters /v MaxUserPort"
UNSET: Told = (QUERY, "\r\nERROR: The system was unable to find the specified registry key or value.\r\n")
NONE_RESERVED: Told = (QUERY.replace("MaxUserPort", "ReservedPorts"), UNSET[1])


def max_user_port(value: int) -> Told:
    return (QUERY, f"\r\n{KEY}\r\n    MaxUserPort    REG_DWORD    {value:#x}\r\n\r\n")


def test_each_protocol_of_each_version_of_ip_has_its_own_range() -> None:
    told = (dynamic("ipv4", "tcp", 10000, 5000), *ALL_DYNAMIC[1:])
    known = own(host("Windows", *told, release="10.0")).ephemeral
    assert spans(known) == ["tcp/ipv4 10000-14999", "tcp/ipv6 49152-65535", "udp/ipv4 49152-65535", "udp/ipv6 49152-65535"]
    assert (known.gaps, known.basis) == ((), "read")


def test_a_range_that_was_not_shown_is_unknown_and_costs_no_other() -> None:
    snapshot = host("Windows", NETSTAT, ALL_DYNAMIC[0], *NO_EXCLUDED, release="10.0")
    known = own(snapshot).ephemeral
    assert (spans(known), open_questions(known)) == (["tcp/ipv4 49152-65535"], ["tcp ipv6", "udp ipv4", "udp ipv6"])
    found = judged(snapshot, "", "listener-in-ephemeral-range")
    assert {f.subject for f in found if f.outcome == "unknown"} == {"tcp/[::]:135", "udp/0.0.0.0:50123"}


def test_the_vendors_range_is_compared_pair_by_pair() -> None:
    snapshot = host("Windows", dynamic("ipv4", "tcp", 10000, 5000), *ALL_DYNAMIC[1:], release="10.0")
    found = judged(snapshot, "", "ephemeral-range-differs-from-vendor")
    assert [(f.outcome, f.subject) for f in found] == [("fail", "netsh, dynamicport (tcp, ipv4)")]


def test_excluded_ports_are_not_handed_out() -> None:
    told = (excluded("ipv4", "tcp", (5985, 5985), (50000, 50059)), *NO_EXCLUDED[1:])
    known = own(host("Windows", *told, release="10.0")).reserved
    assert (spans(known), known.gaps) == (["tcp/ipv4 50000-50059", "tcp/ipv4 5985"], ())
    assert open_questions(own(host("Windows", *told[:1], release="10.0")).reserved) == ["tcp ipv6", "udp ipv4", "udp ipv6"]


def test_a_list_of_exclusions_that_may_be_cut_is_not_taken_as_whole() -> None:
    command, text = excluded("ipv4", "tcp", (5985, 5985), (50000, 50059))
    known = own(host("Windows", (command, text.partition("     50000")[0]), *NO_EXCLUDED[1:], release="10.0")).reserved
    assert known.gaps


@pytest.mark.parametrize("release", ["10.0", "6.1.7601", "5.2"])
def test_no_port_needs_a_privilege_by_its_number(release: str) -> None:
    snapshot = host("Windows", NETSTAT, *ALL_DYNAMIC, release=release)
    known = own(snapshot).privileged
    assert (known.seen, known.gaps, known.basis) == ((), (), "documented")
    (finding,) = judged(snapshot, "", "privileged-range-lowered")
    assert finding.outcome == "notchecked"


@pytest.mark.parametrize("release", [None, "2019", "Server"])
def test_a_release_that_is_no_nt_version_leaves_unknown_what_it_decides(release: str | None) -> None:
    stack = own(host("Windows", NETSTAT, release=release))
    for known in (stack.privileged, stack.ephemeral, stack.reserved):
        assert known.seen == ()
        assert "--release 10.0" in whys(known)


def test_what_netsh_says_holds_whatever_the_release() -> None:
    assert spans(own(host("Windows", *ALL_DYNAMIC)).ephemeral)[0] == "tcp/ipv4 49152-65535"


# before Vista and Server 2008


def test_without_max_user_port_the_default_is_the_vendors_and_port_1024_is_disputed() -> None:
    known = own(host("Windows", UNSET, NONE_RESERVED, release="5.2")).ephemeral
    assert (spans(known), open_questions(known), known.basis) == (["1025-5000"], ["1024"], "documented")
    assert "contradict" in whys(known)


@pytest.mark.parametrize(("value", "ephemeral"), [(5000, ["1025-5000"]), (65534, ["1025-65534"]), (60000, ["1025-60000"])])
def test_max_user_port_is_the_last_that_is_handed_out(value: int, ephemeral: list[str]) -> None:
    known = own(host("Windows", max_user_port(value), release="5.2.3790")).ephemeral
    assert (spans(known), open_questions(known), known.basis) == (ephemeral, ["1024"], "derived")


@pytest.mark.parametrize("value", [0, 4999, 65535, 1 << 31])
def test_a_max_user_port_that_windows_does_not_allow_is_unknown(value: int) -> None:
    known = own(host("Windows", max_user_port(value), release="5.2")).ephemeral
    assert (known.seen, len(known.gaps)) == ((), 1)


def test_a_max_user_port_that_was_not_asked_for_may_have_been_set() -> None:
    known = own(host("Windows", NETSTAT, release="5.0")).ephemeral
    assert (spans(known), open_questions(known)) == (["1025-5000"], ["", "1024"])
    assert "reg query" in whys(known)


def test_a_question_in_vain_is_not_taken_for_the_default() -> None:
    known = own(host("Windows", (QUERY, "FEHLER: Der angegebene Wert wurde nicht gefunden.\r\n"), release="5.2")).ephemeral
    assert known.seen == ()
    assert known.gaps


def test_reserved_ports_of_old_are_kept_from_being_handed_out() -> None:
    told = (NONE_RESERVED[0], f"\r\n{KEY}\r\n    ReservedPorts    REG_MULTI_SZ    3389-3389\\01433-1434\r\n\r\n")
    assert spans(own(host("Windows", told, release="5.2")).reserved) == ["1433-1434", "3389"]
    assert own(host("Windows", NONE_RESERVED, release="5.2")).reserved.gaps == ()
    assert own(host("Windows", NETSTAT, release="5.2")).reserved.gaps


# ftServer


def test_an_ftserver_is_a_windows_host_and_the_page_says_where_it_contradicts_itself() -> None:
    snapshot = host("ftServer", NETSTAT, UNSET, NONE_RESERVED, release="5.2")
    assert snapshot.system == "Windows"
    assert (spans(own(snapshot).ephemeral), open_questions(own(snapshot).ephemeral)) == (["1025-5000"], ["1024"])
    assert "An ftServer runs Windows, and is judged as that." in snapshot.limits
    assert any("port 1024 is in BOTH" in limit for limit in snapshot.limits)
    assert {f.outcome for f in judged(snapshot, "", "ephemeral-range-differs-from-vendor")} == {"notchecked", "unknown"}


def test_a_newer_ftserver_is_judged_by_its_windows() -> None:
    snapshot = host("ftserver", *ALL_DYNAMIC, release="10.0")
    assert spans(own(snapshot).ephemeral)[0] == "tcp/ipv4 49152-65535"
    assert not any("port 1024" in limit for limit in snapshot.limits)


# sockets


def test_a_socket_has_the_process_that_netstat_and_tasklist_name_and_may_have_others() -> None:
    sockets = {one.numbered_subject: one for one in own(host("Windows", NETSTAT, TASKLIST, *ALL_DYNAMIC, release="10.0")).listening.seen}
    assert set(sockets) == {"tcp/0.0.0.0:135", "tcp/10.1.2.3:8443", "tcp/[::]:135", "udp/0.0.0.0:50123"}
    one = sockets["tcp/10.1.2.3:8443"]
    assert [owner.shown for owner in one.shown["owners_seen"]] == [{"pid": 4120, "process": "httpd.exe"}]
    assert one.owner_state == "partial"


def test_whether_the_kernel_chose_a_port_is_judged_by_its_own_protocol() -> None:
    told = (NETSTAT, *(dynamic(family, protocol, 49152 if protocol == "udp" else 20000, 1000) for family, protocol in PAIRS), *NO_EXCLUDED)
    sockets = {one.numbered_subject: one for one in own(host("Windows", *told, release="10.0")).listening.seen}
    assert sockets["udp/0.0.0.0:50123"].kernel_given is True
    told = (NETSTAT, *(dynamic(family, protocol, 49152 if protocol == "tcp" else 20000, 1000) for family, protocol in PAIRS), *NO_EXCLUDED)
    sockets = {one.numbered_subject: one for one in own(host("Windows", *told, release="10.0")).listening.seen}
    assert sockets["udp/0.0.0.0:50123"].kernel_given is False


def test_powershells_cmdlets_are_read_too() -> None:
    table = (
        "\r\nLocalAddress LocalPort RemoteAddress RemotePort State  AppliedSetting OwningProcess\r\n"
        "------------ --------- ------------- ---------- -----  -------------- -------------\r\n"
        "10.1.2.3     8443      0.0.0.0       0          Listen                4120\r\n"
    )
    stack = own(host("Windows", ("Get-NetTCPConnection -State Listen", table), release="10.0"))
    assert [one.numbered_subject for one in stack.listening.seen] == ["tcp/10.1.2.3:8443"]
    assert open_questions(stack.listening) == ["udp"]


def test_an_answer_that_failed_leaves_its_range_unknown() -> None:
    failed = Answer("settings", ALL_DYNAMIC[0][0], b"", "1", stderr=b"The system cannot find the file specified.\n")
    known = own(bundled("Windows", failed, release="10.0")).ephemeral
    assert (known.seen, len(known.gaps)) == ((), 4)


def test_a_system_that_is_not_asked_still_gives_a_bundle_that_says_so() -> None:
    content = b"".join(collect.bundle(windows.COLLECTOR))
    assert content.endswith(ENDING)
    assert collect.parts(windows.COLLECTOR) == {}
    stacks = bundled("Windows", release="10.0").stacks
    assert (stacks.seen, len(stacks.gaps)) == ((), 1)
