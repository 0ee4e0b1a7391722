"""Files that give CAP_NET_BIND_SERVICE: what each gives whom, and what of the search was missed."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.binding import Grant
from auditor.evidence import Answer
from auditor.model import Snapshot
from auditor.port_range import PortRange
from tests.bundles import THRESHOLD, Granting, Host, Net, bundle, container, host, interpreted, rich, stack_of

BIND, ZEROS = "00040000", "00000000"
RAW = "0100000200200000" + ZEROS * 3
PERMITTED = "00000002" + BIND + ZEROS * 3
INHERITABLE = "00000002" + ZEROS + BIND + ZEROS * 2
REVISION_1 = "01000001" + BIND + ZEROS


def of_root(number: int) -> str:
    return "01000003" + BIND + ZEROS * 3 + number.to_bytes(4, "little").hex()


def granting(*files: Granting, **more: Any) -> list[Grant]:
    return [one for one in stack_of(host(granting=files, **more)).grants.seen if one.path == "file-capability"]


def grant(file: Granting, **more: Any) -> Grant:
    (one,) = granting(file, **more)
    return one


def gaps(of: Host | Snapshot) -> list[str]:
    return [gap.why for gap in stack_of(of).grants.gaps]


def test_a_file_gives_whoever_may_run_it_every_privileged_port_and_says_why() -> None:
    one = grant(Granting("/opt/webapp"))
    assert (one.subject, one.executable, one.scope, one.everyone, one.root) == ("/opt/webapp", "/opt/webapp", "everyone", True, False)
    assert (one.ports, one.protocol, one.interpreter, one.unit, one.user) == ([PortRange(1, 1023)], "any", None, None, None)
    assert one.file is not None
    assert (one.file.mode, one.file.at_path, [folder.path for folder in one.file.folders]) == ("0755", "itself", ["/opt", "/"])
    assert one.via == [
        "/opt/webapp has the extended attribute security.capability: revision 2, cap_net_bind_service=ep",
        "the effective flag is set: who runs it has the capability in force at once",
        "it is mode 0755, owner 0, group 0: everyone may run it",
        "so everyone may bind 1-1023 by it",
    ]
    assert str(one) == "file-capability /opt/webapp"
    assert one.source == "security.capability of /opt/webapp"


def test_its_ports_are_those_that_are_privileged_in_the_stack() -> None:
    assert grant(Granting("/opt/x"), settings={THRESHOLD: "80"}).ports == [PortRange(1, 79)]


def test_where_no_port_is_privileged_it_gives_nothing_that_not_everybody_has() -> None:
    assert granting(Granting("/opt/x"), settings={THRESHOLD: "0"}) == []


def test_where_it_is_not_known_which_ports_are_privileged_nothing_is_told_and_that_is_said() -> None:
    unread = host(granting=[Granting("/opt/x")], settings={THRESHOLD: None}, release=None)
    assert stack_of(unread).grants.seen == ()
    assert gaps(unread) == [f"/proc/sys/{THRESHOLD.replace('.', '/')} is not there"]


@pytest.mark.parametrize(
    ("capability", "step"),
    [
        (PERMITTED, "the effective flag is not set: the program itself has to raise the capability (capset(2))"),
        (REVISION_1, "the effective flag is set: who runs it has the capability in force at once"),
        (of_root(0), "the effective flag is set: who runs it has the capability in force at once"),
    ],
)
def test_other_ways_to_write_it_give_it_as_well(capability: str, step: str) -> None:
    one = grant(Granting("/opt/x", capability))
    assert (one.ports, one.via[1]) == ([PortRange(1, 1023)], step)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        (Granting("/x", INHERITABLE),
         "it is inheritable only: it gives nothing to who does not have it in the inheritable set already, as by pam_cap(8)"),
        (Granting("/x", of_root(1000)), "it counts in user namespaces alone whose root is user 1000, not in the host's own"),
        (Granting("/x", mount="nosuid"), "it lies on a mount with nosuid: the kernel takes no capability from a file there"),
        (Granting("/x", mount="nosuid noexec"), "it lies on a mount with nosuid: the kernel takes no capability from a file there"),
        (Granting("/x", mount="noexec"), "it lies on a mount with noexec: the kernel runs no file there"),
    ],
)  # fmt: skip
def test_one_that_gives_nothing_is_told_with_the_reason(file: Granting, why: str) -> None:
    one = grant(file)
    assert one.ports == []
    assert one.via[1:3] == [why, "so it gives no port"]
    assert not any(step.startswith("so everyone") for step in one.via)


def test_one_with_other_capabilities_alone_is_no_grant() -> None:
    assert granting(Granting("/usr/bin/ping", RAW)) == []
    assert gaps(host(granting=[Granting("/usr/bin/ping", RAW)])) == []


def test_one_whose_capabilities_cannot_be_read_makes_the_grants_incomplete() -> None:
    assert gaps(host(granting=[Granting("/opt/x", "01000004" + BIND)])) == ["the capabilities of /opt/x cannot be read"]


@pytest.mark.parametrize(
    ("file", "folders", "scope", "everyone", "root"),
    [
        ("0755:0:0", (), "everyone", True, False),
        ("0001:0:0", (), "everyone", True, False),
        ("0750:0:33", (), "group 33", False, False),
        ("0750:7:33", (), "user 7 and group 33", False, False),
        ("0500:7:33", (), "user 7", False, False),
        ("0750:0:0", (), "root", False, True),
        ("0644:7:33", (), "root", False, True),
        ("0755:0:0", (("/opt", "0710:0:0"),), "root", False, True),
        ("0755:0:0", (("/opt", "0750:0:33"),), "group 33", False, False),
        ("0750:0:33", (("/", "0700:0:0"),), "root", False, True),
        ("0755:0:0", (("/opt", "1777:0:0"),), "everyone", True, False),
    ],
)
def test_who_may_run_it_goes_by_its_mode_and_by_who_may_come_to_it(
    file: str, folders: tuple[tuple[str, str], ...], scope: str, everyone: bool, root: bool
) -> None:
    one = grant(Granting("/opt/x", file=file, folders=folders))
    assert (one.scope, one.everyone, one.root) == (scope, everyone, root)


@pytest.mark.parametrize(
    ("file", "folders", "scope", "everyone", "root"),
    [
        ("0710+:0:0", (), "whoever its access list lets", None, False),
        ("0750+:7:33", (), "whoever its access list lets", None, False),
        ("0750?:0:0", (), "whoever may run /opt/x", None, False),
        ("0755:0:0", (("/opt", "0710+:0:0"),), "whoever the access list of /opt lets", None, False),
        ("0750:0:33", (("/opt", "0710+:0:0"),), "whoever its access list lets", None, False),
        ("0700:0:0", (("/opt", "0710+:0:0"),), "root", False, True),
        ("0740+:0:0", (), "root", False, True),
        ("0755+:0:0", (), "everyone", True, False),
    ],
)
def test_whom_an_access_control_list_lets_run_it_is_not_known(
    file: str, folders: tuple[tuple[str, str], ...], scope: str, everyone: bool | None, root: bool
) -> None:
    one = grant(Granting("/opt/x", file=file, folders=folders))
    scope = scope.replace("its access list", "the access list of /opt") if folders else scope
    assert (one.scope, one.shown.get("everyone"), one.root) == (scope, everyone, root)


def test_a_user_is_told_by_name() -> None:
    assert grant(Granting("/opt/x", file="0500:33:33")).scope == "user www-data"


@pytest.mark.parametrize(("file", "folders"), [("", ()), ("0755:0", ()), ("0755:0:0", (("/opt", ""),))])
def test_where_its_mode_or_a_folder_is_not_shown_nobody_is_ruled_out(file: str, folders: tuple[tuple[str, str], ...]) -> None:
    one = grant(Granting("/opt/x", file=file, folders=folders))
    assert one.scope == "whoever may run /opt/x"
    assert "everyone" not in one.shown
    assert one.ports == [PortRange(1, 1023)]


def test_one_that_is_closed_is_closed_whatever_lies_above() -> None:
    one = grant(Granting("/opt/x", file="0750:0:33", folders=(("/opt", ""),)))
    assert (one.scope, one.everyone) == ("group 33", False)


def test_where_the_mount_is_not_shown_the_ports_are_not_either() -> None:
    one = grant(Granting("/opt/x", mount=""))
    assert "ports" not in one.shown


@pytest.mark.parametrize(
    ("path", "same", "interpreter", "step"),
    [
        ("/usr/bin/python3.11", None, "python", "by its name it is python, which runs what its caller gives it"),
        ("/opt/webapp", "/usr/bin/python3.11", "python",
         "its bytes are those of /usr/bin/python3.11: it is python, which runs what its caller gives it"),
        ("/opt/webapp", "/usr/bin/relay//usr/bin/nc.openbsd", "netcat",
         "its bytes are those of /usr/bin/nc.openbsd: it is netcat, which hands on what arrives at a port to whatever its caller names"),
        ("/usr/bin/perl", "", "perl", "by its name it is perl, which runs what its caller gives it"),
    ],
)  # fmt: skip
def test_an_interpreter_is_one_by_its_name_or_by_its_bytes(path: str, same: str | None, interpreter: str, step: str) -> None:
    one = grant(Granting(path, same=same))
    assert one.interpreter == interpreter
    assert step in one.via


@pytest.mark.parametrize("same", [None, "/usr/sbin/nginx"])
def test_what_is_none_by_either_is_none(same: str | None) -> None:
    assert grant(Granting("/opt/webapp", same=same)).interpreter is None


def test_one_that_was_not_compared_may_be_one() -> None:
    assert "interpreter" not in grant(Granting("/opt/webapp", same="")).shown


def test_other_names_of_the_file_are_told() -> None:
    assert "the file has 3 names (hard links): each gives the same" in grant(Granting("/opt/x", links=3)).via
    assert not any("hard links" in step for step in grant(Granting("/opt/x", links=1)).via)


def test_a_path_that_is_no_text_stays_what_it_is() -> None:
    one = grant(Granting("/opt/a\tb\n\udcff"))
    assert one.subject == "/opt/a\tb\n\\xff"


def test_files_give_ports_in_the_hosts_own_stack_alone() -> None:
    snapshot = host(granting=[Granting("/opt/x")], others=[container("ab" * 32)]).snapshot()
    assert [one.path for one in stack_of(snapshot, "container:" + "ab" * 6).grants.seen if one.path == "file-capability"] == []
    assert any(limit.startswith("Of network namespaces beside the host's own") for limit in snapshot.limits)


def test_where_was_searched_is_said() -> None:
    of = host(searched=[("path", "/usr/bin", 9), ("unit", None, 7), ("process", None, 3), ("search", "/srv", 12)])
    assert gaps(of) == []
    assert (
        "Files with capabilities were looked for in /usr/bin, the programs of systemd's services, the programs that processes run,"
        " all of /srv; elsewhere none was looked for."
    ) in of.snapshot().limits


@pytest.mark.parametrize(
    ("missed", "why"),
    [
        (("search", "/srv", "time", "", 1, "/srv"), "the time for the search was over in /srv, after 1,200 files there"),
        (("path", "/usr/bin", "time", "", 1, "/usr/bin"),
         "the time for the search was over in /usr/bin, after an unknown number of files there"),
        (("search", "/srv", "remote", "nfs4", 2, "/srv/a"), "/srv: what is on file systems of kind nfs4 is not searched: /srv/a ..."),
        (("path", "/usr/bin", "remote", "fuse.sshfs", 1, "/usr"),
         "/usr/bin: what is on file systems of kind fuse.sshfs is not searched: /usr"),
        (("search", "/srv", "unreadable", "Permission denied", 9, "/srv/a"),
         "/srv: 9 could not be looked at (Permission denied): /srv/a ..."),
        (("process", None, "unreadable", "Permission denied", 1, "/proc/1/exe"),
         "the programs that processes run: 1 could not be looked at (Permission denied): /proc/1/exe"),
        (("search", "/srv", "deep", "256", 1, "/srv/a"), "/srv: 1 folders lie deeper than 256 and were not looked into: /srv/a"),
        (("search", "/srv", "many", "10000", 5, "/srv/a"), "/srv: 5 files more than the 10000 that are told have capabilities: /srv/a ..."),
        (("search", "/srv", "hung", "30", 1, "/srv"),
         "the search did not end in time and was ended in /srv: what came after was not looked at"),
        ((None, None, "hung", "30", 1, None),
         "the search did not end in time and was ended in the search: what came after was not looked at"),
        (("unit", None, "broken", "30", 1, None),
         "the search broke off in the programs of systemd's services: what came after was not looked at"),
        (("search", "/srv", "vanished", "", 1, "/srv/a"),
         "/srv: 1 were renamed or replaced whenever they were listed, and could not be looked at: /srv/a"),
        (("search", "/srv", "eaten", "x", 1, "/srv/a"), "/srv: 1 were not looked at: /srv/a"),
    ],
)  # fmt: skip
def test_what_was_to_be_searched_and_was_not_is_a_gap(missed: tuple[str, str | None, str, str, int, str | None], why: str) -> None:
    of = host(searched=[("search", "/srv", 1200)], not_searched=[missed])
    assert gaps(of) == [f"files with capabilities: {why}"]


def test_examples_of_one_kind_are_one_gap() -> None:
    rows = [("search", "/srv", "unreadable", "Permission denied", 3, f"/srv/{name}") for name in "abc"]
    assert gaps(host(not_searched=rows)) == [
        "files with capabilities: /srv: 3 could not be looked at (Permission denied): /srv/a, /srv/b, /srv/c"
    ]


def test_where_no_capability_counts_or_nothing_is_nothing_is_missed() -> None:
    assert gaps(host(not_searched=[("search", "/", "kernel", "proc", 1, "/proc"), ("search", "/", "nosuid", "nfs4", 1, "/home"),
                                     ("search", "/", "namespaced", "1000", 7, "/home/ann/x")])) == []  # fmt: skip


def test_a_program_that_only_systemd_can_name_is_a_limit() -> None:
    of = host(not_searched=[("unit", None, "unresolved", "", 1, "/etc/systemd/system/x@.service")])
    assert gaps(of) == []
    assert any(limit.endswith("an escape was not looked at: /etc/systemd/system/x@.service.") for limit in of.snapshot().limits)


def test_what_stderr_says_of_what_is_missed_is_said_once() -> None:
    of = host(not_searched=[("search", "/srv", "time", "", 1, "/srv")])
    told = [
        Answer(one.probe, one.command, one.stdout, "1", stderr=b"/srv: not looked at\n") if "not-searched" in one.command else one
        for one in of.answers()
    ]
    assert len(gaps(interpreted(bundle(told, of.head())))) == 1


def test_a_search_that_failed_or_was_not_made_is_a_gap() -> None:
    of = host()
    without = [one for one in of.answers() if one.probe != "granting-files"]
    assert "builtin:granting-files was not asked" in gaps(interpreted(bundle(without, of.head())))


def test_the_rich_host_is_seen_whole() -> None:
    assert not [why for why in gaps(rich()) if "capabilit" in why]


def test_a_stack_of_which_it_is_not_known_whether_it_is_the_hosts_has_a_gap() -> None:
    of = Host(net=Net(), others=[Net()])
    answers = [
        Answer(one.probe, one.command, b"\n".join(one.stdout.split(b"\n")[:2]), one.status) if one.probe == "namespaces" else one
        for one in of.answers()
    ]
    snapshot = interpreted(bundle(answers, of.head()))
    assert all(stack.grants.gaps for stack in snapshot.stacks.seen if stack.kind != "host")
