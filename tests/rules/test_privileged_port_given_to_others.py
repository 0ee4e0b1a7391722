"""privileged-port-given-to-others: every way to a privileged port must be that of a holder whom the policy names."""

from __future__ import annotations

import pytest

from auditor.model import Finding
from tests.bundles import NO_RIGHTS, Capable, Host, host, judged, outcomes, service
from tests.made_gates import Authbind, Gates

NAME = "privileged-port-given-to-others"
WEBD = service(3000, "webd", 33)
HELD = host(capable=[Capable(WEBD)])
OPEN = host(gates=Gates(authbind=Authbind({"byport/80": "0755:0:0"})))
OF_ANN = host(gates=Gates(authbind=Authbind({"byport/80": "0500:1000:0"})))


def by(of: Host, *entries: str) -> list[Finding]:
    return judged(of, f"privileged: {{granted_to: [{', '.join(entries)}]}}\n", NAME)


def test_a_process_that_no_entry_names_fails_with_each_step_of_the_reasoning() -> None:
    (finding, *_) = by(HELD, "{executable: /usr/sbin/nginx}")
    assert (finding.outcome, finding.severity, finding.subject) == (
        "fail",
        "medium",
        "process /usr/sbin/webd as user www-data in webd.service",
    )
    assert finding.message == "user www-data, as /usr/sbin/webd may take 1-1023, and the policy names no such holder"
    assert str(finding.observed).endswith("so it may bind 1-1023")
    assert finding.expected == "the holder that the policy names"


@pytest.mark.parametrize(
    "entry", ["{executable: /usr/sbin/webd}", "{user: www-data}", "{unit: webd.service}", "{executable: /usr/sbin/webd, user: www-data}"]
)
def test_one_that_an_entry_names_passes(entry: str) -> None:
    assert outcomes(by(HELD, "{user: root}", entry)) == ["pass host"]


def test_what_any_user_may_go_no_entry_can_name() -> None:
    (finding, *_) = by(OPEN, "{user: {not: nobody}}")
    assert (finding.outcome, finding.subject) == ("fail", "authbind byport/80")
    assert finding.message.startswith("everyone may take 80, ")


def test_a_way_that_every_program_of_a_user_may_go_is_not_that_of_one_executable() -> None:
    assert "fail" in {one.outcome for one in by(OF_ANN, "{executable: /usr/sbin/nginx, user: ann}")}
    assert outcomes(by(OF_ANN, "{user: ann}")) == ["pass host"]


def test_root_is_nobodys_other() -> None:
    assert outcomes(by(host(), "{user: nobody}")) == ["pass host"]


def test_where_processes_are_hidden_it_is_unknown_and_without_a_list_it_is_not_checked() -> None:
    hidden = host(capable=[Capable(WEBD)], rights={**NO_RIGHTS, "hidepid": "2"})
    assert "unknown host" in outcomes(by(hidden, "{user: www-data}"))
    assert outcomes(judged(HELD, "", NAME)) == ["notchecked host"]
