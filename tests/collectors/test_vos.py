"""VOS and FTX: the rows of Stratus' page by stack, release and patch, and what is unknown where the evidence does not decide."""

from __future__ import annotations

import pytest

from auditor.evidence import Answer
from auditor.model import Snapshot
from tests.bundles import judged
from tests.collectors.told import Told, bundled, host, open_questions, own, spans, whys

NETSTAT: Told = ("netstat -numeric -all_sockets", "tcp 0 0 *:23 *:* LISTEN\n")
CLOSED: Told = ("display_external_variable allow_unpriv_bind$", "allow_unpriv_bind$ = 0\n")
OPENED: Told = ("display_external_variable allow_unpriv_bind$", "allow_unpriv_bind$ = 1\n")
ACCESS: Told = ("display_access_list %s1#m1>system>acl>stcp", "w  *.SysAdmin\nr  *.*\n")
RULES = ("privileged-range-lowered", "ephemeral-range-differs-from-vendor")


def vos(release: str | None, stack: str | None, *told: Told) -> Snapshot:
    return host("VOS", *(told or (NETSTAT,)), release=release, stack=stack)


@pytest.mark.parametrize(
    ("release", "ephemeral", "unknown"),
    [
        ("14.2", ["tcp 10000-65535", "udp 1025-65535"], ["udp 1024"]),
        ("14.5.0aj", ["tcp 10000-65535", "udp 1025-65535"], ["udp 1024"]),
        ("14.5.0at", ["tcp 49152-65535", "udp 1025-65535"], ["udp 1024"]),
        ("14.6.0ai", ["tcp 10000-65535", "udp 1025-65535"], ["udp 1024"]),
        ("14.6.0aj", ["tcp 49152-65535", "udp 1025-65535"], ["udp 1024"]),
        ("14.7", ["tcp 49152-65535", "udp 1025-65535"], ["udp 1024"]),
        ("VOS Release 14.7.1bc", ["tcp 49152-65535", "udp 1025-65535"], ["udp 1024"]),
        ("15.1.0aq", ["tcp 49152-65535", "udp 1025-65535"], ["udp 1024"]),
        ("15.1.0ar", ["49152-65535"], []),
        ("15.2", ["49152-65535"], []),
        ("17.0.0", ["49152-65535"], []),
    ],
)
def test_stcp_divides_the_ports_by_the_patches_that_are_in_it(release: str, ephemeral: list[str], unknown: list[str]) -> None:
    stack = own(vos(release, "STCP"))
    assert (spans(stack.ephemeral), open_questions(stack.ephemeral)) == (ephemeral, unknown)
    assert (stack.ephemeral.basis, stack.name) == ("documented", "STCP")


@pytest.mark.parametrize(
    ("release", "ephemeral", "unknown"),
    [
        ("14.5", ["tcp 49152-65535", "udp 1025-65535"], ["tcp 10000-49151", "udp 1024"]),
        ("14.5.0", ["tcp 49152-65535", "udp 1025-65535"], ["tcp 10000-49151", "udp 1024"]),
        ("14", ["tcp 49152-65535", "udp 1025-65535"], ["tcp 10000-49151", "udp 1024"]),
        ("15.1", ["49152-65535"], ["udp 1024", "udp 1025-49151"]),
        ("15.1.0", ["49152-65535"], ["udp 1024", "udp 1025-49151"]),
        (None, ["49152-65535"], ["tcp 10000-49151", "udp 1024", "udp 1025-49151"]),
        ("no number", ["49152-65535"], ["tcp 10000-49151", "udp 1024", "udp 1025-49151"]),
    ],
)
def test_a_release_without_its_patch_letters_leaves_open_what_they_decide(
    release: str | None, ephemeral: list[str], unknown: list[str]
) -> None:
    stack = own(vos(release, "STCP"))
    assert (spans(stack.ephemeral), open_questions(stack.ephemeral)) == (ephemeral, unknown)
    assert "--release 14.5.0at" in whys(stack.ephemeral)


@pytest.mark.parametrize("release", ["14.2", "14.5", "15.2", None])
def test_tcp_os_has_one_range_whatever_the_release(release: str | None) -> None:
    stack = own(vos(release, "tcp_os"))
    assert (stack.name, stack.kind) == ("TCP_OS", "host")
    assert (spans(stack.ephemeral), open_questions(stack.ephemeral)) == (["1024-5000"], [])


def test_a_stack_that_is_not_named_leaves_open_all_but_what_both_agree_on() -> None:
    stack = own(vos("14.5.0at", None))
    assert spans(stack.ephemeral) == ["udp 1025-5000"]
    assert open_questions(stack.ephemeral) == ["tcp 1024-5000", "tcp 49152-65535", "udp 1024", "udp 1024", "udp 5001-65535"]
    assert "--stack STCP or --stack TCP_OS" in whys(stack.ephemeral)
    assert spans(stack.privileged) == ["1-1023"]


@pytest.mark.parametrize(
    ("stack", "release", "privileged", "asks"),
    [
        ("TCP_OS", "14.3", ["1-1023"], "allow_unpriv_bind$"),
        ("TCP_OS", "15.1.0ar", ["1-1023"], "allow_unpriv_bind$"),
        ("TCP_OS", "14.2.2aa", [], ""),
        ("TCP_OS", "14", [], "--release"),
        ("TCP_OS", None, [], "--release"),
        ("STCP", "14.0.1ab", [], ""),
        ("STCP", "14.1.0ap", [], ""),
        ("STCP", "14.1.0aq", ["1-1023"], "access_list_name"),
        ("STCP", "14.1", [], "--release"),
        ("STCP", "14.2.0", [], ""),
        ("STCP", "14.2.2aa", ["1-1023"], "access_list_name"),
        ("STCP", "14.2.2", [], "--release"),
        ("STCP", "14.3", ["1-1023"], "access_list_name"),
        (None, "14.2.2aa", [], "--stack"),
    ],
)
def test_low_ports_want_a_privilege_since_the_patches_that_say_so(
    stack: str | None, release: str | None, privileged: list[str], asks: str
) -> None:
    known = own(vos(release, stack)).privileged
    assert (spans(known), known.basis) == (privileged, "documented")
    assert (asks in whys(known)) if asks else not known.gaps


def test_what_was_read_closes_the_question_whether_low_ports_are_open() -> None:
    closed = own(vos("14.7", "TCP_OS", CLOSED)).privileged
    assert (spans(closed), closed.gaps) == (["1-1023"], ())
    listed = own(vos("14.7", "STCP", ACCESS)).privileged
    assert (spans(listed), listed.gaps) == (["1-1023"], ())
    assert listed.seen[0].needs == "write access to the STCP device"


@pytest.mark.parametrize(
    ("stack", "told"), [("TCP_OS", OPENED), ("STCP", ("display_access_list", "w *.*\n")), ("STCP", ("display_access_list", "write *\n"))]
)
def test_what_somebody_opened_is_privileged_no_more(stack: str, told: Told) -> None:
    snapshot = vos("14.7", stack, told)
    known = own(snapshot).privileged
    assert (known.seen, known.gaps, known.basis) == ((), (), "derived")
    (finding,) = judged(snapshot, "privileged: {expect: 0-1023}\n", "privileged-range-lowered")
    assert (finding.outcome, finding.message) == ("fail", "any user may bind 1-1023")


def test_the_one_stacks_setting_does_not_open_the_others_ports() -> None:
    assert spans(own(vos("14.7", "STCP", OPENED)).privileged) == ["1-1023"]
    assert spans(own(vos("14.7", "TCP_OS", ("display_access_list", "w *.*\n"))).privileged) == ["1-1023"]


def test_an_answer_that_cannot_be_read_is_not_taken_for_the_default() -> None:
    known = own(vos("14.7", "TCP_OS", (CLOSED[0], "allow_unpriv_bind$ = maybe\n"))).privileged
    assert known.seen == ()
    assert known.gaps


def test_both_stacks_of_one_module_are_each_their_own() -> None:
    answers = [Answer("saved", *NETSTAT[:1], b"", "unknown", stack=stack) for stack in ("STCP", "TCP_OS")]
    snapshot = bundled("VOS", *answers, release="15.2")
    assert [(stack.name, stack.kind, spans(stack.ephemeral)) for stack in snapshot.stacks.seen] == [
        ("STCP", "host", ["49152-65535"]),
        ("TCP_OS", "host", ["1024-5000"]),
    ]
    assert snapshot.stacks.gaps == ()


@pytest.mark.parametrize(("release", "stack"), [("15.2", "STCP"), ("14.5", "STCP"), ("14.7", "TCP_OS"), (None, None)])
def test_the_tables_word_is_never_compared_with_itself(release: str | None, stack: str | None) -> None:
    found = judged(vos(release, stack), "", *RULES)
    assert {f.outcome for f in found} <= {"notchecked", "unknown"}


def test_what_is_not_known_of_one_protocol_or_port_does_not_pass_and_costs_no_other() -> None:
    policy = "ephemeral: {expect: 49152-65535}\n"
    found = {
        (f.subject.partition("(")[2].rstrip(")"), f.outcome)
        for f in judged(vos("14.5", "STCP"), policy, "ephemeral-range-differs-from-policy")
    }
    assert ("udp", "fail") in found
    assert "pass" not in {outcome for _, outcome in found}
    assert "unknown" in {outcome for _, outcome in found}


def test_a_report_says_what_the_ranges_and_the_listeners_rest_on() -> None:
    snapshot = vos("14.7", "STCP")
    assert snapshot.limits[0] == "Output saved by others (2026-11-20T23:00:00Z), not authenticated."
    assert snapshot.limits[1] == "Ranges documented for release 14.7, not read."
    assert any("the TABLE and the PROSE disagree by one" in limit for limit in snapshot.limits)
    assert not any("disagree" in limit for limit in vos("15.2", "STCP").limits)
    assert own(snapshot).listening.gaps, "VOS' netstat is not read, and that is said"
    assert snapshot.visibility["not_read"]
    assert own(snapshot).persisted.gaps == ()


# FTX

SMALLEST: Told = ("ndd -get /dev/tcp tcp_smallest_anon_port", "40000\n")
LARGEST: Told = ("ndd -get /dev/tcp tcp_largest_anon_port", "50000\n")
THRESHOLDS: tuple[Told, ...] = tuple((f"ndd -get /dev/{p} {p}_smallest_nonpriv_port", f"{n}\n") for p, n in (("tcp", 2000), ("udp", 1024)))
FTX_NETSTAT: Told = (
    "netstat -an -f inet",
    "Active Internet connections (including servers)\n"
    "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
    "tcp        0      0  *.2000                 *.*                    LISTEN\n",
)


@pytest.mark.parametrize(
    ("release", "ephemeral", "privileged"),
    [("3.3", ["1024-6123"], ["1-1023"]), ("3.2.1", ["1024-6123"], ["1-1023"]), ("3.4", ["49152-65535"], ["1-1023"]),
     ("3.4.2", ["49152-65535"], ["1-1023"]), ("3", [], ["1-1023"]), (None, [], ["1-1023"])],
)  # fmt: skip
def test_ftx_has_the_range_of_its_release(release: str | None, ephemeral: list[str], privileged: list[str]) -> None:
    stack = own(host("FTX", FTX_NETSTAT, release=release))
    assert (spans(stack.ephemeral), spans(stack.privileged)) == (ephemeral, privileged)
    assert (stack.ephemeral.basis, stack.privileged.basis) == ("documented", "documented")


def test_ftx_before_3_4_cannot_be_set_and_later_ones_may_have_been() -> None:
    assert own(host("FTX", FTX_NETSTAT, release="3.3")).ephemeral.gaps == ()
    assert "ndd -get /dev/tcp tcp_smallest_anon_port" in whys(own(host("FTX", FTX_NETSTAT, release="3.4")).ephemeral)
    assert open_questions(own(host("FTX", FTX_NETSTAT)).ephemeral) == ["", "1024-6123", "49152-65535"]


def test_what_ndd_says_comes_before_the_table() -> None:
    stack = own(host("FTX", SMALLEST, LARGEST, *THRESHOLDS, release="3.4"))
    assert (spans(stack.ephemeral), stack.ephemeral.basis) == (["tcp 40000-50000"], "read")
    assert open_questions(stack.ephemeral) == ["udp"]
    assert (spans(stack.privileged), stack.privileged.basis) == (["tcp 1-1999", "udp 1-1023"], "derived")


def test_a_setting_that_was_asked_in_vain_is_not_taken_for_the_default() -> None:
    failed = Answer("settings", SMALLEST[0], b"", "1", stderr=b"open of /dev/tcp failed\n")
    stack = own(bundled("FTX", failed, release="3.4"))
    assert (stack.ephemeral.seen, stack.privileged.seen) == ((), ())
    assert stack.ephemeral.gaps


def test_ftx_findings_are_of_its_own_range() -> None:
    (finding,) = judged(host("FTX", FTX_NETSTAT, release="3.3"), "", "listener-in-ephemeral-range")[:1]
    assert (finding.outcome, finding.severity) == ("fail", "info")
    assert {f.outcome for f in judged(host("FTX", FTX_NETSTAT, release="3.3"), "", *RULES)} == {"notchecked"}
