"""listener-not-approved: each listener is one that the policy approves, in every point that the policy names."""

from __future__ import annotations

import pytest

from tests.bundles import (
    EPHEMERAL,
    NGINX,
    NO_RIGHTS,
    SSHD,
    WEB_CONTAINER,
    Host,
    Net,
    Process,
    container,
    host,
    judged,
    outcomes,
    port,
    service,
)

NAME = "listener-not-approved"
ROGUE = Process(6660, "/tmp/nginx", 1000, "/user.slice/user-1000.slice/app-1.scope", "nginx")  # noqa: S108
APPROVED = """\
listening:
  approved:
    - {name: ssh, port: 22, protocol: tcp}
    - {name: web, port: [80, 443], protocol: tcp, executable: /usr/sbin/nginx, user: www-data}
"""


def test_what_is_approved_passes() -> None:
    good = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/*:80", NGINX), port("tcp/10.0.0.5:443", NGINX, service(901, "nginx", 33)))
    assert outcomes(judged(good, APPROVED, NAME)) == ["pass host"]


def test_what_is_not_is_named_with_who_holds_it() -> None:
    (finding,) = judged(host(port("tcp/0.0.0.0:8080", ROGUE)), APPROVED, NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "tcp/0.0.0.0:8080")
    assert finding.message == "tcp/0.0.0.0:8080 is not approved"
    assert finding.observed == "process nginx, executable /tmp/nginx, user ann, unit app-1.scope"
    assert finding.expected == "one of 2 approved listeners"


@pytest.mark.parametrize("holders", [(ROGUE,), (NGINX, ROGUE)], ids=["alone", "beside the right one"])
def test_another_program_on_an_approved_port_is_not_approved_and_says_whose_port_it_is(holders: tuple[Process, ...]) -> None:
    (finding,) = judged(host(port("tcp/*:80", *holders)), APPROVED, NAME)
    assert finding.outcome == "fail"
    assert finding.message.startswith("tcp/*:80 is not approved: it differs from 'web' (")
    assert finding.message.endswith("site.yaml:5) in executable, user")
    assert "/tmp/nginx" in str(finding.observed)  # noqa: S108


def test_where_the_holder_was_not_seen_it_is_unknown_unless_the_port_alone_tells() -> None:
    blind = {"rights": NO_RIGHTS, "unreadable": [900]}
    assert outcomes(judged(host(port("tcp/*:80"), **blind), APPROVED, NAME)) == ["unknown host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:22"), **blind), APPROVED, NAME)) == ["pass host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:99"), **blind), APPROVED, NAME)) == ["fail medium host tcp/0.0.0.0:99"]


def test_what_is_required_is_approved() -> None:
    policy = "listening: {approved: [], required: [{name: ssh, port: 22}]}\n"
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", SSHD)), policy, NAME)) == ["pass host"]


def test_an_empty_list_approves_nothing_and_no_list_is_not_assessed() -> None:
    seen = host(port("tcp/0.0.0.0:22", SSHD))
    assert outcomes(judged(seen, "listening: {approved: []}\n", NAME)) == ["fail medium host tcp/0.0.0.0:22"]
    (finding,) = judged(seen, "", NAME)
    assert finding.outcome == "notchecked"
    assert "NOT ASSESSED" in finding.message


def test_a_port_that_the_kernel_chose_is_called_by_its_holder() -> None:
    client = host(port("udp/0.0.0.0:45000", service(5, "rpc.statd")))
    assert outcomes(judged(client, APPROVED, NAME)) == ["fail medium host udp/0.0.0.0:kernel-given (rpc.statd.service)"]
    given = APPROVED + "    - {name: statd, port: kernel-given, executable: /usr/sbin/rpc.statd}\n"
    assert outcomes(judged(client, given, NAME)) == ["pass host"]
    assert outcomes(judged(host(*client.net.ports, settings={EPHEMERAL: "50000 60000"}), given, NAME)) == [
        "fail medium host udp/0.0.0.0:45000"
    ]


def test_containers_are_judged_as_well() -> None:
    boxed = Host(Net(), others=[container(WEB_CONTAINER, port("tcp/0.0.0.0:9000", SSHD))], containers={WEB_CONTAINER: "web"})
    assert outcomes(judged(boxed, APPROVED, NAME)) == ["fail medium container:web tcp/0.0.0.0:9000", "pass host"]
