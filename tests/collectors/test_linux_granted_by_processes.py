"""Grants by processes, by the threshold, by user namespaces and by set-user-id programs: what rows of evidence mean, traps included."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.binding import GRANT_PATHS, Grant
from auditor.evidence import Answer
from auditor.model import Snapshot
from tests.bundles import (
    ALL_RIGHTS,
    INIT,
    NGINX,
    NO_RIGHTS,
    SSHD,
    THRESHOLD,
    WEB_CONTAINER,
    Capable,
    Host,
    Net,
    Process,
    bundle,
    container,
    host,
    interpreted,
    port,
    service,
    stack_of,
    without_files,
)

USERS, INNER = 4026532500, 4026532600
"""User namespaces that are not the initial one; the second lies in the first."""
OURS = "0 0 4294967295"
BOX = f"/system.slice/docker-{WEB_CONTAINER}.scope"
ROOT = Capable(INIT)
APP = Process(4001, "/usr/bin/app (in another user namespace)", 100033, BOX, root="100000:100000")


def grants(of: Host | Snapshot, path: str, name: str = "host") -> list[Grant]:
    return [grant for grant in stack_of(of, name).grants.seen if grant.path == path]


def subjects(of: Host | Snapshot, name: str = "host") -> list[str]:
    return [str(grant) for grant in stack_of(of, name).grants.seen]


def gaps(of: Host | Snapshot, name: str = "host") -> list[str]:
    """Why there may be more grants; each once, for one of processes is one of root's as well."""
    return list(dict.fromkeys(gap.why for gap in stack_of(of, name).grants.gaps))


def boxed(*capable: Capable, **more: Any) -> Host:
    """A host with a container whose network belongs to a user namespace of its own."""
    told = {"owned_by": USERS, **more}
    spaces = told.pop("user_namespaces", {USERS: (4026531837, 1000)})
    return Host(
        Net(),
        others=[container(WEB_CONTAINER, **told)],
        capable=[ROOT, *capable],
        user_namespaces=spaces,
        containers={WEB_CONTAINER: "web"},
    )


def test_a_quiet_host_has_root_and_nothing_else() -> None:
    (grant,) = stack_of(host()).grants.seen
    assert gaps(host()) == []
    assert (grant.path, grant.subject, grant.root, grant.everyone, grant.uid, grant.processes) == ("root", "root", True, False, 0, 2)
    assert grant.via == [
        "2 processes of user 0 in the initial user namespace have CAP_NET_BIND_SERVICE here",
        "the kernel asks for the capability, not for user 0: root without it may not",
        "so root may bind 1-1023",
    ]


def test_each_program_user_unit_and_container_is_one_grant() -> None:
    other = Process(905, "/usr/sbin/nginx", 1000, "/system.slice/nginx.service")
    session = Process(906, "/usr/sbin/nginx", 33, "/user.slice/user-33.slice/session-7.scope")
    again = Process(907, "/usr/sbin/nginx", 33, "/user.slice/user-33.slice/session-9.scope")
    found = grants(host(capable=[Capable(NGINX, more=(901,)), Capable(service(902, "nginx", 33), "permitted"), Capable(other),
                                 Capable(session), Capable(again)]), "process")  # fmt: skip
    assert [(grant.subject, grant.processes) for grant in found] == [
        ("/usr/sbin/nginx as user www-data in nginx.service", 3),
        ("/usr/sbin/nginx as user ann in nginx.service", 1),
        ("/usr/sbin/nginx as user www-data", 2),
    ]
    assert [grant.shown.get("unit", "not shown") for grant in found] == ["nginx.service", "nginx.service", "not shown"]
    assert found[0].scope == "user www-data, as /usr/sbin/nginx"
    assert found[0].file.mode == "0755"
    assert found[0].via == [
        "2 processes (900, 901): CAP_NET_BIND_SERVICE is effective and permitted",
        "its user namespace owns this network namespace",
        "1 process (902): CAP_NET_BIND_SERVICE is permitted",
        "what is permitted a process may make effective by itself (capset(2))",
        "so it may bind 1-1023",
    ]


def test_threads_of_one_process_are_one_process() -> None:
    mixed = [Capable(NGINX, threads="some"), Capable(NGINX, "permitted", threads="some")]
    (grant,) = grants(host(port("tcp/0.0.0.0:80", NGINX), capable=mixed), "process")
    assert grant.processes == 1
    assert grant.bound == ["tcp/0.0.0.0:80"]
    assert grant.via[0] == "1 process (900), some threads alone: CAP_NET_BIND_SERVICE is effective and permitted"


def test_a_deleted_file_is_the_same_subject_and_one_in_memory_keeps_its_name() -> None:
    deleted = Process(902, "/usr/sbin/nginx (deleted)", 33, "/system.slice/nginx.service")
    memory = Process(903, "/memfd:nginx (deleted)", 33)
    found = grants(host(capable=[Capable(NGINX), Capable(deleted), Capable(memory)]), "process")
    assert [grant.subject for grant in found] == [
        "/usr/sbin/nginx as user www-data in nginx.service", "/memfd:nginx (deleted) as user www-data"
    ]  # fmt: skip
    assert "executable" not in found[0].shown, "two of its processes run different files"
    assert found[1].executable == "/memfd:nginx (deleted)"


@pytest.mark.parametrize("executable", ["/usr/sbin/sshd (in another mount namespace)", "/usr/sbin/sshd (in another user namespace)"])
def test_a_path_that_is_not_proven_says_so_in_the_subject(executable: str) -> None:
    (grant,) = grants(host(capable=[Capable(Process(902, executable, 1000))]), "process")
    assert grant.subject == f"{executable} as user ann"


def test_a_name_full_of_odd_signs_stays_one_row() -> None:
    odd = "/opt/a\tb\nc\\d as user root"
    (grant,) = grants(host(capable=[Capable(Process(902, odd, 1000))]), "process")
    assert grant.subject == f"{odd} as user ann"


def test_what_matters_beside_is_said() -> None:
    (grant,) = grants(host(capable=[Capable(NGINX, "effective permitted ambient", no_new_privs=1, seccomp=2)]), "process")
    assert grant.via[0].endswith("effective, permitted and ambient")
    assert [any(word in step for step in grant.via) for word in ("execve(2)", "no_new_privs", "seccomp filter")] == [True, True, True]


@pytest.mark.parametrize(
    ("user_namespace", "uid_map", "counts"),
    [(4026531837, "", True), (USERS, "", False), (None, OURS, True), (None, "0 1000 1", False)],
)
def test_in_the_hosts_network_the_initial_user_namespace_counts_alone(user_namespace: int | None, uid_map: str, counts: bool) -> None:
    of = host(capable=[ROOT, Capable(NGINX, user_namespace=user_namespace, uid_map=uid_map)])
    assert len(grants(of, "process")) == counts
    assert gaps(of) == []


def test_a_user_namespace_without_a_map_is_another() -> None:
    row = "900\tall\t33\t/x\t/\t\t\t\t\t" + "0000000000000400\t" * 5 + "0\t0\tnetns:1\t\t-"
    assert grants(with_rows(row), "process") == []
    assert gaps(with_rows(row)) == []
    assert gaps(with_rows(row[:-1])) == ["the user namespace of a process that has the capability may not be read"]


def test_a_namespace_taken_by_its_map_says_so() -> None:
    (grant,) = grants(host(capable=[Capable(NGINX, user_namespace=None, uid_map=OURS)]), "process")
    assert any(f"taken for this run's own by its map of users ({OURS})" in step for step in grant.via)


def test_root_of_another_user_namespace_is_no_root_here_and_is_one_in_its_own_network() -> None:
    app = Process(4000, "/usr/bin/app (in another user namespace)", 100000, BOX, root="100000:100000")
    of = boxed(Capable(app, namespace=2, user_namespace=USERS), Capable(APP, namespace=2, user_namespace=USERS))
    first, second = grants(of, "process", "container:web")
    assert (first.subject, first.root) == (f"{app.executable} as uid 100000 (root of its user namespace) of container web", True)
    assert (second.subject, second.root) == (f"{APP.executable} as uid 100033 of container web", False)
    (root,) = grants(of, "root", "container:web")
    assert root.processes == 0
    assert "root may enter any network namespace (setns(2))" in root.via
    (owner,) = grants(of, "namespace-owner", "container:web")
    assert (owner.subject, owner.uid, owner.root, owner.scope) == ("user ann", 1000, False, "user ann")


def test_user_0_of_another_user_namespace_is_not_the_hosts_root() -> None:
    zero = Process(4000, "/usr/bin/app (in another user namespace)", 0, BOX, root="0:0")
    of = boxed(Capable(zero, namespace=2, user_namespace=USERS))
    (grant,) = grants(of, "process", "container:web")
    assert grant.subject == f"{zero.executable} as uid 0 (root of its user namespace) of container web"
    assert grants(of, "root", "container:web")[0].processes == 0


def test_roots_processes_in_containers_are_named() -> None:
    boxes = Process(4000, "/usr/bin/app (in another mount namespace)", 0, BOX)
    (root,) = grants(boxed(Capable(boxes, namespace=2), owned_by=4026531837), "root", "container:web")
    assert root.processes == 1
    assert root.via[:2] == [
        "1 process of user 0 in the initial user namespace has CAP_NET_BIND_SERVICE here", "some of them are in containers: web"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("process", "user_namespace", "sets", "counts"),
    [
        (NGINX, 4026531837, "effective permitted", True),
        (NGINX, 4026531837, "", False),
        (Process(905, "/usr/bin/x", 1000), 4026531837, "", True),
        (Process(905, "/usr/bin/x", 1000), USERS, "", False),
        (Process(905, "/usr/bin/x", 1001), USERS, "", True),
        (Process(905, "/usr/bin/x", 1001), 4026531837, "", False),
        (Process(905, "/usr/bin/x", 1001), INNER, "", False),
        (NGINX, USERS, "effective permitted", True),
        (NGINX, INNER, "permitted", True),
        (NGINX, 4026532700, "effective permitted", False),
    ],
    ids=["above all", "above without", "owner from above", "owner in it", "inner owner from above", "inner owner from too far",
         "inner owner in it", "above", "own", "elsewhere"],
)  # fmt: skip
def test_the_kernels_climb_through_user_namespaces(process: Process, user_namespace: int, sets: str, counts: bool) -> None:
    """cap_capable: the network belongs to INNER, which is user 1001's, in USERS, which is user 1000's, in the initial one."""
    of = boxed(Capable(process, sets, 2, user_namespace), owned_by=INNER,
               user_namespaces={USERS: (4026531837, 1000), INNER: (USERS, 1001)})  # fmt: skip
    assert len(grants(of, "process", "container:web")) == counts
    assert [grant.subject for grant in grants(of, "namespace-owner", "container:web")] == ["uid 1001", "user ann"]
    assert gaps(of, "container:web") == []


@pytest.mark.parametrize(
    "more",
    [
        {"owned_by": None},
        {"user_namespaces": {}},
        {"user_namespaces": {USERS: (4026531837, None)}},
        {"user_namespaces": {USERS: (None, 1000)}},
    ],
    ids=["no owner", "nothing of the owner", "not whose", "not above what"],
)
def test_what_was_not_told_of_user_namespaces_leaves_a_gap_where_it_matters(more: dict[str, Any]) -> None:
    of = boxed(Capable(NGINX, namespace=2), **more)
    assert len(grants(of, "process", "container:web")) == (more == {"user_namespaces": {USERS: (4026531837, None)}})
    assert gaps(of, "container:web")
    assert gaps(of) == []


def test_the_owner_of_the_hosts_network_is_not_needed_where_there_is_no_capability() -> None:
    assert gaps(boxed(owned_by=None)) == []
    assert gaps(boxed(owned_by=None), "container:web") == ["which user namespace owns this network namespace was not told"]


@pytest.mark.parametrize("threshold", ["0", "1"])
def test_without_privileged_ports_everyone_has_all_and_nothing_else_is_a_grant(threshold: str) -> None:
    of = host(port("tcp/0.0.0.0:80", Process(5, "/usr/bin/su", 0, file="4755:0:0")), capable=[ROOT, Capable(NGINX)],
              settings={THRESHOLD: threshold}, rights=NO_RIGHTS | {"hidepid": "2"})  # fmt: skip
    (grant,) = stack_of(of).grants.seen
    assert (grant.path, grant.everyone, grant.root, grant.scope) == ("threshold", True, False, "everyone")
    assert [str(ports) for ports in grant.ports] == ["1-1023"]
    assert gaps(of) == []


@pytest.mark.parametrize(
    ("threshold", "open_to_all", "root"),
    [("2", "2-1023", "1"), ("80", "80-1023", "1-79"), ("1023", "1023", "1-1022"), ("1024", "", "1-1023"), ("2000", "", "1-1999")],
)
def test_the_threshold_is_a_grant_of_what_lies_below_the_default(threshold: str, open_to_all: str, root: str) -> None:
    of = host(settings={THRESHOLD: threshold})
    assert ", ".join(str(ports) for grant in grants(of, "threshold") for ports in grant.ports) == open_to_all
    assert [str(ports) for ports in grants(of, "root")[0].ports] == [root]


def test_the_threshold_says_what_it_is() -> None:
    (grant,) = grants(host(settings={THRESHOLD: "80"}), "threshold")
    assert str(grant) == f"threshold {THRESHOLD}"
    assert grant.via == [
        f"{THRESHOLD} is 80 in this network namespace; as shipped 1-1023 are privileged (vendor table, linux-4.2-plus)",
        "the kernel asks for CAP_NET_BIND_SERVICE for ports below that alone (net/ipv4/af_inet.c), of all protocols and addresses",
        "so any user may bind 80-1023",
    ]


@pytest.mark.parametrize("release", [None, "1.0", "no number"])
def test_a_kernel_that_no_table_knows_has_the_kernels_default(release: str | None) -> None:
    (grant,) = grants(host(release=release, settings={THRESHOLD: "80"}), "threshold")
    assert [str(ports) for ports in grant.ports] == ["80-1023"]
    assert "PROT_SOCK of include/net/sock.h" in grant.via[0]


def test_a_threshold_that_was_not_read_is_a_gap_and_nobody_is_said_to_need_more() -> None:
    of = host(settings={THRESHOLD: "many"}, capable=[ROOT, Capable(NGINX)])
    assert subjects(of) == []
    assert gaps(of) == ["net.ipv4.ip_unprivileged_port_start cannot be read"]


SU = Process(950, "/usr/bin/mill", 0, "/system.slice/mill.service", file="4755:0:0")


def test_a_set_user_id_program_that_listens_is_a_grant_by_its_path() -> None:
    of = host(port("tcp/0.0.0.0:631", SU), port("tcp/0.0.0.0:8080", SU, Process(951, "/usr/bin/mill", 1000, file="4755:0:0")))
    (grant,) = grants(of, "setuid")
    assert (grant.subject, grant.scope, grant.executable) == ("/usr/bin/mill", "whoever may run /usr/bin/mill", "/usr/bin/mill")
    assert (grant.processes, grant.bound, grant.file.mode) == (2, ["tcp/0.0.0.0:631"], "4755")


@pytest.mark.parametrize(
    ("executable", "file"),
    [
        ("/usr/bin/mill", "0755:0:0"), ("/usr/bin/mill", "2755:0:0"), ("/usr/bin/mill", "4755:1000:0"),
        ("/usr/bin/mill (deleted)", "4755:0:0"), ("/usr/bin/mill (in another mount namespace)", "4755:0:0"),
        ("/usr/bin/mill (in another user namespace)", "4755:0:0"), ("/memfd:mill (deleted)", "4755:0:0"),
    ],
)  # fmt: skip
def test_what_is_not_roots_set_user_id_file_at_its_path_is_none(executable: str, file: str) -> None:
    of = host(port("tcp/0.0.0.0:631", Process(950, executable, 0, file=file)))
    assert grants(of, "setuid") == []
    assert gaps(of) == []


def test_who_could_not_be_seen_to_listen_may_be_a_set_user_id_program() -> None:
    assert gaps(host(port("tcp/0.0.0.0:80"), rights=NO_RIGHTS, unreadable=[7])) == ["some processes may not be read"]
    assert gaps(host(port("tcp/0.0.0.0:80"))) == [], "nobody holds it, and everybody was looked at"
    assert gaps(host(port("tcp/0.0.0.0:80", Process(2, None)))) == [], "the kernel runs no file"
    assert gaps(without_files(host(port("tcp/0.0.0.0:80", SSHD)))) == [
        "whether a set-user-id program listens: the file of one that does was not shown"
    ]


def test_sockets_that_may_be_a_processs_leave_its_ports_unknown_and_those_of_others_do_not() -> None:
    unseen = host(port("tcp/0.0.0.0:80"), port("tcp/0.0.0.0:8080", NGINX), capable=[Capable(NGINX)], unreadable=[7])
    assert "bound" not in grants(unseen, "process")[0].shown
    high = host(port("tcp/0.0.0.0:8080"), capable=[Capable(NGINX)], unreadable=[7])
    assert grants(high, "process")[0].bound == []
    seen = host(port("tcp/0.0.0.0:80"), port("tcp/0.0.0.0:81", NGINX), capable=[Capable(NGINX)], unreadable=[7])
    assert grants(seen, "process")[0].bound == ["tcp/0.0.0.0:81"]


@pytest.mark.parametrize(
    ("rights", "why"),
    [
        ({"hidepid": "2", "capabilities": "0"}, "hidepid"),
        ({"hidepid": "", "capabilities": "0"}, "hidepid"),
        ({"pid_namespace": "4026532999"}, "PID namespace"),
        ({"hidepid": "2"}, None),
    ],
    ids=["hidden", "not said", "inside", "hidden but for CAP_SYS_PTRACE"],
)
def test_hidden_processes_may_have_it(rights: dict[str, str], why: str | None) -> None:
    found = gaps(host(rights=ALL_RIGHTS | rights))
    assert found == [] if why is None else (len(found) == 1 and why in found[0])


def with_rows(*rows: str, ending: int | None = None, skip: str = "") -> Snapshot:
    """A host whose rows of processes are these; `skip` is the built-in that was not asked."""
    of = host()
    answers = []
    for answer in of.answers():
        if answer.command == "builtin:capabilities":
            header = answer.stdout.split(b"\n")[0].decode()
            text = "\n".join((header, *rows, f"end\t{len(rows) if ending is None else ending}")) + "\n"
            answer = Answer(answer.probe, answer.command, text.encode())
        if answer.command != skip:
            answers.append(answer)
    return interpreted(bundle(answers, of.head()))


GOOD = "900\tall\t33\t/x\t/\t0755:0:0\titself\t0755:0:0\t0:0\t" + "0000000000000400\t" * 5 + "0\t0\tnetns:1\t4026531837\t"


def test_a_row_as_it_should_be() -> None:
    assert [grant.subject for grant in grants(with_rows(GOOD), "process")] == ["/x as user www-data"]
    assert gaps(with_rows(GOOD)) == []


@pytest.mark.parametrize(
    "row",
    [
        GOOD.replace("900", "-"), GOOD.replace("900", "900,901"), GOOD.replace("\t33\t", "\t-33\t"), GOOD.replace("\t33\t", "\t\t"),
        GOOD.replace("0000000000000400", "many", 1), GOOD.replace("0000000000000400", "", 1), GOOD.replace("4026531837", "user"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_a_gap_and_the_others_are_not_lost(row: str) -> None:
    of = with_rows(row, GOOD.replace("/x", "/y"))
    (grant,) = grants(of, "process")
    assert grant.subject == "/y as user www-data"
    assert not {"processes", "bound"} & grant.shown.keys(), "there may be more"
    assert gaps(of) == ["builtin:capabilities: a row cannot be read"]


def test_an_old_kernel_has_no_ambient_set() -> None:
    sets = GOOD.split("\t")
    sets[12] = ""
    assert [grant.subject for grant in grants(with_rows("\t".join(sets)), "process")] == ["/x as user www-data"]


def test_of_a_namespace_that_the_probe_did_not_speak_of_nothing_is_counted() -> None:
    (root,) = grants(boxed(owned_by=None), "root", "container:web")
    assert not {"processes", "bound"} & root.shown.keys()
    assert root.via[0] == "root may enter any network namespace (setns(2))"


def test_a_namespace_that_is_not_shown_is_a_gap_everywhere() -> None:
    assert gaps(with_rows(GOOD.replace("netns:1", ""))) == ["which network namespace 1 process with the capability are in may not be read"]


@pytest.mark.parametrize("skip", ["builtin:capabilities", "builtin:namespace-owners", "builtin:user-namespaces"])
def test_what_was_not_asked_is_a_gap(skip: str) -> None:
    of = with_rows(GOOD, skip=skip)
    assert f"{skip} was not asked" in gaps(of)
    assert (subjects(of) == []) == (skip == "builtin:capabilities")


@pytest.mark.parametrize(
    ("skip", "unknown"),
    [
        ("builtin:capabilities", {"process", "root"}),
        ("builtin:namespace-owners", {"process", "root", "namespace-owner"}),
        ("builtin:user-namespaces", {"process", "root", "namespace-owner"}),
    ],
)
def test_what_was_not_asked_of_processes_is_unknown_of_root_and_of_those_who_own_namespaces(skip: str, unknown: set[str]) -> None:
    of = stack_of(with_rows(GOOD, skip=skip))
    assert {path for path in GRANT_PATHS if of.granted((path,)).gaps} == unknown


def test_an_answer_that_failed_beside_its_rows_is_a_gap_and_the_rows_are_told() -> None:
    answers = [
        Answer(one.probe, one.command, one.stdout, "1", stderr=b"1 process ended\n") if one.command == "builtin:capabilities" else one
        for one in host().answers()
    ]
    of = interpreted(bundle(answers, host().head()))
    (root,) = grants(of, "root")
    assert "processes" not in root.shown, "there may be more"
    assert gaps(of) == ["builtin:capabilities: 1 process ended"]


def test_a_cut_answer_is_a_gap_and_what_it_holds_is_told() -> None:
    of = with_rows(GOOD, ending=2)
    assert [grant.subject for grant in grants(of, "process")] == ["/x as user www-data"]
    assert gaps(of)
