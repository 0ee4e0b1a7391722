"""What authbind's files grant, from evidence: the order in which they decide, and what is not known."""

from __future__ import annotations

import pytest

from auditor.binding import Grant
from auditor.evidence import Answer
from tests.bundles import THRESHOLD, WEB_CONTAINER, Host, bundle, container, host, interpreted, stack_of
from tests.made_gates import Authbind, Gates


def having(authbind: Authbind | None, **more: object) -> Host:
    return host(gates=Gates(authbind=authbind), **more)


def found(of: Host, stack: str = "host") -> dict[str, Grant]:
    return {one.subject: one for one in stack_of(of, stack).grants.seen if one.path == "authbind"}


def told(authbind: Authbind, **more: object) -> dict[str, tuple[str, str]]:
    """Scope and ports by subject."""
    return {name: (one.scope, ", ".join(map(str, one.ports))) for name, one in found(having(authbind, **more)).items()}


def gaps(of: Host) -> list[tuple[str, str | None]]:
    return [(gap.why, str(gap.ports) if gap.ports else None) for gap in stack_of(of).grants.gaps]


@pytest.mark.parametrize(
    ("rights", "scope"),
    [
        ("0777:0:0", "everyone"),
        ("0755:0:0", "everyone"),
        ("0700:33:0", "user www-data"),
        ("0500:1234:0", "user 1234"),
        ("0710:0:1000", "group 1000"),
        ("0510:33:1000", "user 33 and group 1000"),
        ("0410:0:1000", "group 1000"),
        ("0610:33:1000", "group 1000 but not user 33"),
        ("0701:0:1000", "everyone but group 1000"),
        ("0671:33:0", "everyone but user 33"),
        ("0700:0:0+u33=1,g=0,m=1", None),
        ("0710:0:0+u33=1,g=0,m=1", "user www-data"),
        ("0740:0:0+u33=5,g=0,m=4", None),
        ("0710:0:0+g50=1,g=0,m=1", "group 50"),
        ("0711:0:0+u33=0,g=1,m=1", "everyone but user 33"),
        ("0700:0:0", None),
        ("0666:0:0", None),
    ],
)
def test_the_first_class_that_fits_decides_who_may_execute_a_file(rights: str, scope: str | None) -> None:
    assert told(Authbind({"byport/80": rights})).get("byport/80") == (None if scope is None else (scope, "80"))


def test_a_single_user_is_named_in_a_grant_and_no_other() -> None:
    known = found(having(Authbind({"byport/80": "0700:33:0", "byport/81": "0710:33:50", "byport/82": "0711:0:0"})))
    assert [(one.uid, one.user, one.everyone) for one in known.values()] == [
        (33, "www-data", False),
        (None, None, False),
        (None, None, True),
    ]
    assert known["byport/80"].file is not None
    assert (known["byport/80"].file.path, known["byport/80"].file.mode) == ("/etc/authbind/byport/80", "0700")


@pytest.mark.parametrize(
    ("name", "granted"),
    [("80", True), ("!80", False), ("080", False), ("511", True), ("512", False), ("!512", True), ("!1023", True), ("!1024", False),
     ("0", False), ("!8080", False), ("99999", False)],
)  # fmt: skip
def test_a_file_counts_by_the_name_that_is_asked_for(name: str, granted: bool) -> None:
    assert bool(told(Authbind({f"byport/{name}": "0755:0:0"}))) is granted


def test_files_count_for_privileged_ports_and_for_those_that_the_library_asks_for_whatever_the_threshold() -> None:
    files = {"byport/80": "0755:0:0", "byport/!2000": "0755:0:0", "byuid/!1000": "0644:0:0"}
    authbind = Authbind(files, {"byuid/!1000": ["0.0.0.0/0,500-60000"]}, {"byuid": "0777:0:0"})
    assert told(authbind, settings={THRESHOLD: "3000"}) == {
        "byuid by adding files": ("everyone", "1-2999"), "byport/80": ("everyone", "80"), "byport/!2000": ("everyone", "2000"),
        "byuid/!1000": ("user ann", "512-1999, 2001-2999"),
    }  # fmt: skip
    for threshold in ("81", "0"):
        assert told(authbind, settings={THRESHOLD: threshold}) == {
            "byuid by adding files": ("everyone", "1-1023"), "byport/80": ("everyone", "80"), "byuid/!1000": ("user ann", "512-1023"),
        }  # fmt: skip


def test_where_the_privileged_ports_are_not_known_nothing_is_said() -> None:
    of = having(Authbind({"byport/80": "0755:0:0"}), settings={THRESHOLD: "x"})
    assert found(of) == {}
    assert gaps(of)


def test_a_byport_file_decides_alone_even_where_it_refuses() -> None:
    said = told(Authbind(
        {"byport/80": "0600:0:0", "byaddr/10.0.0.5,80": "0755:0:0", "byaddr/10.0.0.5,81": "0755:0:0", "byuid/1000": "0600:0:0"},
        {"byuid/1000": ["0.0.0.0/0,79-82"]},
    ))  # fmt: skip
    assert said == {"byaddr/10.0.0.5,81": ("everyone", "81"), "byuid/1000": ("user ann", "79, 81-82")}


def test_of_two_names_of_one_address_the_first_that_is_asked_for_decides() -> None:
    said = told(Authbind({
        "byaddr/10.0.0.5,80": "0755:0:0", "byaddr/10.0.0.5:80": "0600:0:0",
        "byaddr/::1,81": "0600:0:0", "byaddr/0:0:0:0:0:0:0:1,81": "0755:0:0",
        "byaddr/0:0:0:0:0:0:0:1,82": "0755:0:0", "byaddr/0:0::1,83": "0755:0:0", "byaddr/::1:84": "0755:0:0",
        "byaddr/10.0.0.05,85": "0755:0:0",
    }))  # fmt: skip
    assert said == {"byaddr/0:0:0:0:0:0:0:1,82": ("everyone", "82")}


def test_a_folder_that_may_not_be_searched_takes_the_files_behind_it_away() -> None:
    files = {"byport/80": "0755:0:0", "byuid/33": "0644:0:0", "byuid/1000": "0644:0:0"}
    rules = {"byuid/33": ["::/0,25"], "byuid/1000": ["::/0,25"]}
    said = told(Authbind(files, rules, {"byport": "0750:33:50"}))
    assert said == {
        "byport by adding files": ("user www-data", "1-1023"),
        "byport/80": ("user 33 and group 50", "80"),
        "byuid/33": ("user www-data", "25"),
        "byuid/1000": ("user ann as a member of group 50", "25"),
    }
    assert told(Authbind(files, rules, {"byport": "0700:0:0"})) == {}
    assert set(told(Authbind(files, rules, {"byport": None}))) == {"byport/80", "byuid/33", "byuid/1000"}


def test_a_helper_that_not_everybody_may_run_serves_only_those_who_may() -> None:
    assert told(Authbind({"byport/80": "0755:0:0"}, helper="4750:0:50")) == {"byport/80": ("group 50", "80")}
    assert told(Authbind({"byport/80": "0710:0:60"}, helper="4750:0:50")) == {"byport/80": ("group 50 and group 60", "80")}
    closed = "0700:33:0 0755:0:0 0755:0:0 0755:0:0"
    assert told(Authbind({"byport/80": "0755:0:0"}, helper_folders=closed)) == {"byport/80": ("user www-data", "80")}


@pytest.mark.parametrize("helper", ["0755:0:0", "4755:33:0", "2755:0:0"])
def test_a_helper_that_is_not_set_user_id_root_grants_nothing(helper: str) -> None:
    assert told(Authbind({"byport/80": "0755:0:0"}, helper=helper)) == {}
    assert gaps(having(Authbind({"byport/80": "?"}, helper=helper))) == []


@pytest.mark.parametrize("mount", ["nosuid", "noexec", "nosuid,noexec"])
def test_a_helper_that_is_mounted_so_that_it_cannot_become_root_grants_nothing(mount: str) -> None:
    assert told(Authbind({"byport/80": "0755:0:0"}, helper_mount=mount)) == {}


def test_on_a_mount_where_nothing_executes_a_folder_still_grants() -> None:
    files = {"byport/80": "0755:0:0", "byport/81": "0755:0:0"}
    assert set(told(Authbind(files, mount="noexec", kinds={"byport/81": "folder"}))) == {"byport/81"}


def test_a_link_is_told_with_what_it_leads_to() -> None:
    known = found(having(Authbind({"byport/80": "0755:0:0"}, links={"byport/80": "/srv/x"})))
    assert known["byport/80"].via[0] == "/etc/authbind/byport/80 leads to /srv/x, which is mode 0755, owner 0, group 0"


def test_of_512_on_a_users_rules_are_in_a_file_of_their_own() -> None:
    files = {"byuid/1000": "0644:0:0", "byuid/!1000": "0644:0:0"}
    rules = {name: ["0.0.0.0/0,500-600", "0.0.0.0/0 nonsense,1"] for name in files}
    assert told(Authbind(files, rules)) == {"byuid/1000": ("user ann", "500-511"), "byuid/!1000": ("user ann", "512-600")}


def test_root_asks_for_nothing_and_a_file_named_otherwise_is_not_asked_for() -> None:
    files = {"byuid/0": "0644:0:0", "byuid/01000": "0644:0:0", "byuid/4294967295": "0644:0:0"}
    assert told(Authbind(files, {name: ["::/0,80"] for name in files})) == {}


def test_who_may_write_a_file_or_a_folder_may_allow_what_they_like() -> None:
    files = {"byuid/1000": "0664:0:50", "byuid/33": "0644:33:0", "byport/80": "0644:1000:0", "byport/81": "0766:33:0"}
    assert told(Authbind(files, folders={"byaddr": "1777:0:0", "": "0775:0:60"})) == {
        "/etc/authbind by adding files": ("group 60", "1-1023"),
        "byaddr by adding files": ("everyone", "1-1023"),
        "byuid/1000 by writing it": ("user ann, as group 50 may allow", "1-79, 82-511"),
        "byuid/33 by writing it": ("user www-data", "1-79, 82-511"),
        "byport/80 by changing its mode": ("user ann", "80"),
        "byport/81": ("user www-data", "81"),
    }
    known = found(having(Authbind(files)))["byport/81"].via
    assert "user www-data owns it, and may let others execute it" in known


def test_who_cannot_get_to_a_writable_folder_may_add_nothing() -> None:
    assert told(Authbind(folders={"": "0700:0:0", "byuid": "0777:0:0"})) == {}
    assert told(Authbind(folders={"byuid": "0702:0:0"})) == {}


def test_what_could_not_be_read_is_unknown_for_its_ports_alone() -> None:
    authbind = Authbind(
        {"byport/80": "0755:0:0", "byport/81": "?", "byport/!600": "", "byuid/1000": "0600:0:0", "byuid/!1000": "0644:0:0"},
        {"byuid/!1000": ["::/0,700"]},
        trouble={"byuid/1000": "Permission denied", "byport/!600": "Permission denied"},
    )
    assert gaps(having(authbind)) == [
        ("/etc/authbind/byport/81: who may execute it is not known", "81"),
        ("/etc/authbind/byport/!600: Permission denied", "600"),
        ("/etc/authbind/byuid/1000: Permission denied", "1-511"),
    ]
    assert set(found(having(authbind))) == {"byport/80", "byuid/!1000"}


def test_a_folder_that_could_not_be_listed_leaves_every_port_in_doubt() -> None:
    of = having(Authbind({"byport/80": "0755:0:0"}, trouble={"byaddr": "Permission denied"}))
    assert gaps(of) == [("/etc/authbind/byaddr: Permission denied", None)]
    assert set(found(of)) == {"byport/80"}
    assert gaps(having(Authbind(folders={"byuid": "?"}))) == [("/etc/authbind/byuid: its mode was not shown", None)]


def test_a_helper_of_which_nothing_is_known_is_a_gap() -> None:
    assert gaps(having(Authbind(helper=""))) == [("/usr/lib/authbind/helper: whose it is, and how it is mounted, was not shown", None)]
    assert gaps(having(Authbind(trouble={"helper": "Permission denied"}))) == [("/usr/lib/authbind/helper: Permission denied", None)]
    assert gaps(having(Authbind(helper_folders="? 0755:0:0"))) == [("/usr/lib/authbind/helper: who may run it is not known", None)]


def test_where_it_is_not_installed_nothing_is_granted_and_nothing_is_missing() -> None:
    assert found(having(None)) == {}
    assert gaps(having(None)) == []


def test_of_other_stacks_it_is_said_that_their_own_files_were_not_looked_at() -> None:
    of = having(Authbind({"byport/80": "0755:0:0"}), others=[container(WEB_CONTAINER)], containers={WEB_CONTAINER: "web"})
    assert found(of, "container:web") == {}
    said = [one for one in of.snapshot().limits if one.startswith("authbind")]
    assert said == ["authbind was looked for in this host's own files; what containers have of it in theirs was not."]
    assert not [one for one in having(Authbind()).snapshot().limits if one.startswith("authbind")]


def test_a_line_that_means_something_else_on_each_machine_is_a_gap() -> None:
    of = having(Authbind({"byuid/1000": "0644:0:0"}, {"byuid/1000": ["10.0.0.0/4294967295,80"]}))
    assert gaps(of) == [("/etc/authbind/byuid/1000:1: what it allows is not known: a length below 0", "1-511")]


@pytest.mark.parametrize("lost", ["/etc/authbind\t", "/etc/authbind/byport\t", "/etc/authbind/byport/80\t", "/usr/lib/authbind/helper\t"])
def test_where_a_row_is_lost_nothing_is_made_up_from_the_others(lost: str) -> None:
    """A byuid rule counts only where no other file speaks of its port."""
    files = {"byport/80": "0700:0:0", "byuid/1000": "0644:0:0"}
    of = having(Authbind(files, {"byuid/1000": ["0.0.0.0/0,80-81"]}, {"byport": "0750:0:50"}))
    answers = []
    for answer in of.answers():
        rows = answer.stdout.split(b"\n")
        kept = b"\n".join(row for row in rows if not row.startswith(lost.encode()))
        answers.append(Answer(answer.probe, answer.command, kept, answer.status, stack=answer.stack))
    snapshot = interpreted(bundle(answers, of.head()))
    assert [one for one in stack_of(snapshot).grants.seen if one.path == "authbind"] == []
    assert any("authbind" in gap.why for gap in stack_of(snapshot).grants.gaps)
