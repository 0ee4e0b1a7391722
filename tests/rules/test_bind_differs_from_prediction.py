"""The rule bind-differs-from-prediction."""

from __future__ import annotations

import pytest

from auditor.model import Snapshot
from tests.bundles import THRESHOLD, Tried, bundle, container, host, interpreted, judged, outcomes

RULE = "bind-differs-from-prediction"
AS_PROMISED = ("tcp/0.0.0.0:0 40001", "tcp/0.0.0.0:80 EACCES", "tcp/0.0.0.0:1023 EACCES", "tcp/0.0.0.0:1024 ok", "tcp/0.0.0.0:8080 ok")
HOLE = (*AS_PROMISED[:1], "tcp/0.0.0.0:80 ok", *AS_PROMISED[2:])
REFUSED = (*AS_PROMISED[:4], "tcp/0.0.0.0:8080 EPERM")


def tried(*tries: str, **more: object) -> Snapshot:
    about = more.pop("about", {})
    return host(bind_tests=[Tried(tries, about)], **more).snapshot()  # type: ignore[arg-type]


def test_a_port_that_was_had_and_is_not_promised_is_told_with_numbers_and_without_a_cause_in_sight() -> None:
    (finding,) = judged(tried(*HOLE), "", RULE)
    assert (finding.outcome, finding.severity, finding.stack, finding.subject) == ("fail", "high", "host", "bind tcp/0.0.0.0")
    assert finding.message == (
        "user 65534: 1 port could be taken that nothing promises, 80 the lowest (lowest promised 1024, lowest taken 80; "
        "1 of 4 attempts differ); the cause is not visible: it may be a security module, Landlock, a BPF program that was not seen, "
        "or a kernel that decides otherwise"
    )
    assert (finding.observed, finding.expected, finding.source) == ("taken 80", "port 1024 the lowest that can be taken", "bind(2)")


def test_a_port_that_was_refused_although_it_is_promised_is_less_grave() -> None:
    (finding,) = judged(tried(*REFUSED), "", RULE)
    assert (finding.outcome, finding.severity, finding.observed) == ("fail", "medium", "refused 8080")
    assert "1 port that is promised was refused, 8080 the lowest (EPERM)" in finding.message


def test_a_port_in_place_of_another_is_grave() -> None:
    (finding,) = judged(tried(*AS_PROMISED[:4], "tcp/0.0.0.0:8080 moved 9090"), "", RULE)
    assert (finding.outcome, finding.severity, finding.observed) == ("fail", "high", "moved 8080")


@pytest.mark.parametrize(
    ("about", "cause"),
    [
        ({"seccomp": "2"}, "it may be by a seccomp filter"),
        ({"no_new_privs": "1"}, "it may be by no_new_privs, under which files grant nothing"),
        ({"selinux": "1", "label": "user_u:user_t:s0"}, "SELinux, enforcing, or by the label user_u:user_t:s0 of a security module"),
    ],
)  # fmt: skip
def test_what_holds_for_the_process_that_tried_is_named_where_it_was_refused(about: dict[str, str], cause: str) -> None:
    (finding,) = judged(tried(*REFUSED, about=about), "", RULE)
    assert finding.message.endswith(cause)


def test_where_all_is_as_promised_it_passes_on_every_address() -> None:
    six = [one.replace("0.0.0.0", "[::1]") for one in AS_PROMISED]
    (finding,) = judged(tried(*AS_PROMISED, *six), "", RULE)
    assert (finding.outcome, finding.count) == ("pass", 2)


def test_the_threshold_of_each_stack_is_its_own() -> None:
    rows = ["tcp/0.0.0.0:79 EACCES", "tcp/0.0.0.0:80 ok", "tcp/0.0.0.0:1024 ok"]
    both = host(
        settings={THRESHOLD: "81"}, bind_tests=[Tried(rows), Tried(rows)], others=[container("ab" * 32, settings={THRESHOLD: "80"})]
    )
    told, passed = judged(both, "", RULE)
    assert (told.outcome, told.stack, told.observed) == ("fail", "host", "taken 80")
    assert "lowest promised 81, lowest taken 80" in told.message
    assert (passed.outcome, passed.stack) == ("pass", f"container:{'ab' * 6}")


def test_without_a_bind_test_it_is_not_checked() -> None:
    (finding,) = judged(host(), "", RULE)
    assert (finding.outcome, finding.message) == ("notchecked", "no bind was tried (--bind-test)")


def test_an_address_that_is_not_there_is_not_checked_and_the_others_are() -> None:
    found = judged(tried(*AS_PROMISED, "tcp/[::1]:0 EADDRNOTAVAIL"), "", RULE)
    assert [(one.outcome, one.subject) for one in found] == [("notchecked", "bind tcp/[::1]")]
    assert "gives EADDRNOTAVAIL" in found[0].message
    assert outcomes(judged(tried(*HOLE, "tcp/[::1]:0 EADDRNOTAVAIL"), "", RULE)) == ["fail high host bind tcp/0.0.0.0", "notchecked host"]


@pytest.mark.parametrize("tries", [AS_PROMISED[:3], AS_PROMISED[3:], (*AS_PROMISED[:1], "tcp/0.0.0.0:80 EADDRINUSE", *AS_PROMISED[3:])])
def test_where_one_side_of_the_threshold_was_not_tried_it_is_unknown(tries: tuple[str, ...]) -> None:
    (finding,) = judged(tried(*tries), "", RULE)
    assert finding.outcome == "unknown"
    assert "none of them was tried" in finding.message


def test_where_nothing_could_be_tried_it_is_unknown_and_says_why() -> None:
    snapshot = host(bind_tests=[Tried(failed="the namespace could not be entered: Operation not permitted")]).snapshot()
    (finding,) = judged(snapshot, "", RULE)
    assert finding.outcome == "unknown"
    assert "the namespace could not be entered: Operation not permitted" in finding.message


def test_a_stack_of_which_the_bind_test_says_nothing_is_unknown() -> None:
    found = judged(host(bind_tests=[Tried(AS_PROMISED)], others=[container("ab" * 32)]), "", RULE)
    assert outcomes(found) == ["pass host", f"unknown container:{'ab' * 6}"]


def test_where_the_threshold_is_not_known_it_is_unknown() -> None:
    assert outcomes(judged(tried(*AS_PROMISED, settings={THRESHOLD: None}), "", RULE)) == ["unknown host"]


def test_who_tried_not_being_told_is_unknown() -> None:
    answers = [one for one in host(bind_tests=[Tried(AS_PROMISED)]).answers() if one.command != "builtin:bind-test"]
    findings = judged(interpreted(bundle(answers, host(bind_tests=[]).head())), "", RULE)
    assert {one.outcome for one in findings} == {"unknown"}


def test_a_certain_difference_is_told_although_more_is_not_known() -> None:
    found = judged(tried(*HOLE, *[one.replace("tcp/", "udp/") for one in AS_PROMISED[3:]]), "", RULE)
    assert outcomes(found) == ["fail high host bind tcp/0.0.0.0", "unknown host"]


def test_another_user_that_had_the_capability_from_somewhere_is_told() -> None:
    (finding,) = judged(tried(*HOLE, about={"capabilities": "0000000000000400", "executed": "1"}), "", RULE)
    assert finding.message.endswith("it may be by CAP_NET_BIND_SERVICE, which what tried had")
