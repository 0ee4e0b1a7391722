"""authbind-open-to-all: a privileged port that every user may take through authbind."""

from __future__ import annotations

import pytest

from tests.bundles import THRESHOLD, Host, host, judged, outcomes
from tests.made_gates import Authbind, Gates, Program

NAME = "authbind-open-to-all"


def having(authbind: Authbind | None, **more: object) -> Host:
    return host(gates=Gates(authbind=authbind), **more)


@pytest.mark.parametrize("mode", ["0777", "0755", "0701", "0001"])
def test_a_port_that_every_user_may_take_is_told_with_the_mode(mode: str) -> None:
    (finding,) = judged(having(Authbind({"byport/80": f"{mode}:0:0"})), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "high", "authbind byport/80")
    assert "may bind 80 through authbind" in finding.message
    assert finding.observed == f"/etc/authbind/byport/80 is mode {mode}, owner 0, group 0"
    assert finding.source == "/etc/authbind/byport/80"


def test_a_folder_that_every_user_may_write_to_gives_each_every_port() -> None:
    (finding,) = judged(having(Authbind(folders={"byuid": "1777:0:0"})), "", NAME)
    assert finding.message == "everyone may bind 1-1023 through authbind"
    assert finding.observed == "/etc/authbind/byuid is mode 1777, owner 0, group 0: everyone may put files into it"


def test_an_address_is_told_in_the_subject() -> None:
    (finding,) = judged(having(Authbind({"byaddr/10.0.0.5,443": "0755:0:0"})), "", NAME)
    assert finding.subject == "authbind byaddr/10.0.0.5,443"


@pytest.mark.parametrize("rights", ["0700:33:0", "0710:0:33", "0750:0:33", "0700:0:0", "0666:0:0"])
def test_a_port_of_one_user_or_group_passes(rights: str) -> None:
    assert outcomes(judged(having(Authbind({"byport/80": rights})), "", NAME)) == ["pass host"]


def test_a_file_that_nobody_asks_for_a_port_that_needs_no_right_and_no_helper_pass() -> None:
    for files, helper in (("byport/600", "4755:0:0"), ("byport/8080", "4755:0:0"), ("byport/80", "0755:0:0")):
        assert outcomes(judged(having(Authbind({files: "0777:0:0"}, helper=helper)), "", NAME)) == ["pass host"]
    assert outcomes(judged(having(None), "", NAME)) == ["pass host"]
    assert outcomes(judged(having(Authbind({"byport/80": "0777:0:0"}), settings={THRESHOLD: "80"}), "", NAME)) == ["pass host"]


def test_where_it_is_not_known_which_ports_need_a_right_it_is_unknown() -> None:
    found = judged(having(Authbind({"byport/80": "0777:0:0"}), settings={THRESHOLD: "x"}), "", NAME)
    assert {f.outcome for f in found} == {"unknown"}


def test_what_could_not_be_read_is_unknown_and_takes_nothing_away() -> None:
    authbind = Authbind({"byport/80": "0777:0:0", "byuid/33": ""}, trouble={"byuid/33": "Permission denied"})
    assert outcomes(judged(having(authbind), "", NAME)) == ["fail high host authbind byport/80", "unknown host"]


def test_what_a_program_may_do_is_not_this_rules_matter() -> None:
    assert outcomes(judged(host(gates=Gates(programs=[Program("/")])), "", NAME)) == ["pass host"]
