"""capability-retained-after-bind: a daemon that bound long ago and could bind any other privileged port still."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from tests.bundles import (
    INIT,
    NGINX,
    NO_RIGHTS,
    THRESHOLD,
    WEB_CONTAINER,
    Capable,
    Host,
    Net,
    Process,
    changed,
    container,
    host,
    judged,
    outcomes,
    port,
    service,
    stack_of,
)

NAME = "capability-retained-after-bind"
WORKER = service(901, "nginx", 33)
ROOT = Capable(INIT)


def test_a_daemon_that_holds_its_port_and_the_capability_fails_with_numbers() -> None:
    web = host(
        port("tcp/*:80", NGINX, WORKER), port("tcp/0.0.0.0:443", WORKER), port("tcp/0.0.0.0:8080", WORKER),
        capable=[ROOT, Capable(NGINX, more=(901,))],
    )  # fmt: skip
    (finding,) = judged(web, "", NAME)
    subject = "/usr/sbin/nginx as user www-data in nginx.service"
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "info", f"process {subject}")
    assert finding.message == f"{subject} holds tcp/*:80, tcp/0.0.0.0:443 already, and may still bind 1-1023"
    assert finding.observed == (
        "2 processes hold CAP_NET_BIND_SERVICE: 2 processes (900, 901): CAP_NET_BIND_SERVICE is effective and permitted; "
        "its user namespace owns this network namespace; so it may bind 1-1023"
    )
    assert finding.expected == "the capability dropped after the bind, or sockets that are handed over"
    assert finding.source == "/proc/PID/status"


@pytest.mark.parametrize("sets", ["permitted", "permitted ambient inheritable", "effective permitted"])
def test_what_is_permitted_is_retained_as_well(sets: str) -> None:
    web = host(port("tcp/0.0.0.0:80", NGINX), capable=[Capable(NGINX, sets)])
    assert outcomes(judged(web, "", NAME)) == ["fail info host process /usr/sbin/nginx as user www-data in nginx.service"]


@pytest.mark.parametrize(
    "of",
    [
        host(),
        host(port("tcp/0.0.0.0:80", NGINX)),
        host(port("tcp/0.0.0.0:80", INIT), capable=[ROOT]),
        host(port("tcp/0.0.0.0:8080", NGINX), capable=[Capable(NGINX)]),
        host(port("tcp/0.0.0.0:80", INIT), capable=[ROOT, Capable(NGINX)]),
        host(port("tcp/0.0.0.0:80", NGINX), capable=[Capable(NGINX)], settings={THRESHOLD: "0"}),
        host(port("tcp/0.0.0.0:80", NGINX), capable=[Capable(NGINX)], settings={THRESHOLD: "80"}),
        host(port("tcp/0.0.0.0:80", NGINX), capable=[Capable(NGINX, "inheritable")]),
        host(port("tcp/0.0.0.0:80", NGINX), capable=[Capable(NGINX, user_namespace=4026532500)]),
    ],
    ids=["quiet", "dropped", "root", "not privileged", "another's", "no threshold", "threshold", "inheritable", "no power here"],
)
def test_who_has_no_port_or_no_right_passes(of: Host) -> None:
    assert outcomes(judged(of, "", NAME)) == ["pass host"]


def test_root_of_its_own_user_namespace_is_root_there() -> None:
    program, group = "/usr/bin/app (in another user namespace)", f"/system.slice/docker-{WEB_CONTAINER}.scope"
    app = Process(4000, program, 100000, group, root="100000:100000")
    plain = Process(4001, program, 100033, group, root="100000:100000")
    boxed = Host(
        Net(),
        others=[container(WEB_CONTAINER, port("tcp/0.0.0.0:80", app), port("tcp/0.0.0.0:81", plain), owned_by=4026532500)],
        capable=[ROOT, Capable(app, namespace=2, user_namespace=4026532500), Capable(plain, namespace=2, user_namespace=4026532500)],
        user_namespaces={4026532500: (4026531837, 0)},
    )
    assert outcomes(judged(boxed, "", NAME)) == [
        "fail info container:abababababab process /usr/bin/app (in another user namespace) as uid 100033 of container abababababab",
        "pass host",
    ]


def test_a_user_who_may_not_see_who_holds_the_ports_does_not_know() -> None:
    hidden = Process(900, "", 33)
    web = host(port("tcp/0.0.0.0:80"), capable=[Capable(hidden, user_namespace=None, uid_map="0 0 4294967295")], rights=NO_RIGHTS,
               unreadable=[900])  # fmt: skip
    assert set(outcomes(judged(web, "", NAME))) == {"unknown host"}


def test_what_was_seen_is_told_though_more_may_be_hidden() -> None:
    web = host(port("tcp/0.0.0.0:80", NGINX), capable=[Capable(NGINX)], rights={**NO_RIGHTS, "hidepid": "2"})
    found = outcomes(judged(web, "", NAME))
    assert found == ["fail info host process /usr/sbin/nginx as user www-data in nginx.service", "unknown -", "unknown host"]


def test_grants_that_were_not_asked_for_are_unknown() -> None:
    snapshot = host().snapshot()
    del stack_of(snapshot).shown["grants"]
    assert outcomes(judged(snapshot, "", NAME)) == ["unknown host"]
    assert outcomes(judged(changed(host(), grants=Facts([], "a test")), "", NAME)) == ["pass host"]
