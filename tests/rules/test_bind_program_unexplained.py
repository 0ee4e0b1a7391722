"""bind-program-unexplained: a BPF program at a bind hook of which nothing says what it does."""

from __future__ import annotations

from auditor.evidence import Answer
from tests.bundles import Host, bundle, host, interpreted, judged, outcomes
from tests.made_gates import Gates, Program

NAME = "bind-program-unexplained"


def having(*programs: Program, systemd: str | None = None) -> Host:
    return host(gates=Gates(programs=programs, systemd=systemd))


def test_a_program_is_told_with_its_group_name_and_tag() -> None:
    (finding,) = judged(having(Program("/web.slice")), "", NAME)
    assert (finding.outcome, finding.severity) == ("fail", "medium")
    assert finding.subject == "program opener (tag 79aa95555f6b99c7) at bind4 of control group /web.slice"
    assert finding.message == "what runs in a control group may perhaps take privileged ports by a BPF program"
    assert finding.observed == (
        "BPF program opener (tag 79aa95555f6b99c7), loaded by user 0, is attached to bind4 of control group /web.slice; "
        "it counts beside those of the groups below"
    )


def test_none_and_those_that_only_refuse_pass() -> None:
    assert outcomes(judged(having(), "", NAME)) == ["pass host"]
    assert outcomes(judged(having(Program("/", "post_bind4")), "", NAME)) == ["pass host"]


def test_systemds_own_pass_where_systemd_accounts_for_them_and_nowhere_else() -> None:
    named = Program("/system.slice/web.service", "bind4", "sd_bind4")
    assert outcomes(judged(having(named, systemd="Id=web.service\nSocketBindDeny=any\n"), "", NAME)) == ["pass host"]
    assert [f.outcome for f in judged(having(named, systemd="Id=web.service\nSocketBindDeny=\n"), "", NAME)] == ["fail"]
    assert outcomes(judged(having(named), "", NAME)) == ["unknown host"]


def test_a_list_that_was_cut_is_unknown_and_what_is_in_it_is_told() -> None:
    of = having(Program("/a"), Program("/b"))
    cut = [Answer(a.probe, a.command, a.stdout.rpartition(b"/b")[0], a.status, stack=a.stack) if a.command == "builtin:bind-programs" else a
           for a in of.answers()]  # fmt: skip
    assert [f.outcome for f in judged(interpreted(bundle(cut, of.head())), "", NAME)] == ["fail", "unknown"]
