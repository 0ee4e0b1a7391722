"""required-listener-absent: what the policy requires listens, or its absence is told; never from part of the listeners."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from tests.bundles import NGINX, NO_RIGHTS, SSHD, WEB_CONTAINER, Host, Net, changed, container, host, judged, outcomes, port

NAME = "required-listener-absent"
SSH = "listening: {required: [{name: ssh, port: 22, protocol: tcp, executable: /usr/sbin/sshd}]}\n"


def test_one_that_listens_is_there() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", SSHD)), SSH, NAME)) == ["pass host"]


@pytest.mark.parametrize(
    "other",
    [
        port("tcp/0.0.0.0:2222", SSHD),
        port("udp/0.0.0.0:22", SSHD),
        port("tcp/0.0.0.0:22", NGINX),
        port("tcp/0.0.0.0:22", SSHD, state="bound"),
    ],
    ids=lambda one: f"{one.at} {one.by[0].executable} {one.state}",
)
def test_another_port_protocol_program_or_one_that_does_not_listen_is_not_it(other: object) -> None:
    (finding,) = judged(host(other), SSH, NAME)  # type: ignore[arg-type]
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "medium", "ssh")
    assert finding.message == "'ssh' is required and nothing that listens is it"


def test_where_the_program_was_not_seen_it_is_unknown() -> None:
    assert outcomes(judged(host(port("tcp/0.0.0.0:22"), rights=NO_RIGHTS, unreadable=[812]), SSH, NAME)) == ["unknown host"]


def test_where_not_all_listeners_were_seen_its_absence_is_unknown_and_its_presence_known() -> None:
    for one, outcome in ((port("tcp/0.0.0.0:22", SSHD), "pass host"), (port("tcp/0.0.0.0:80", NGINX), "unknown host")):
        listening = host(one).snapshot().stacks.seen[0].listening
        gapped = changed(host(one), listening=Facts(listening.seen, "a test", [Gap("cut")]))
        assert outcomes(judged(gapped, SSH, NAME)) == [outcome]


def test_another_namespaces_listener_is_not_the_hosts() -> None:
    boxed = Host(Net(), others=[container(WEB_CONTAINER, port("tcp/0.0.0.0:22", SSHD))])
    assert "fail medium host ssh" in outcomes(judged(boxed, SSH, NAME))


def test_one_that_is_required_in_another_stack_is_looked_for_there() -> None:
    cart = SSH.replace("executable: /usr/sbin/sshd", 'stack: "container:*"')
    boxed = Host(Net(), others=[container(WEB_CONTAINER, port("tcp/0.0.0.0:22", SSHD))], containers={WEB_CONTAINER: "cart"})
    assert outcomes(judged(boxed, cart, NAME)) == ["notapplicable container:cart", "pass host"]
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", SSHD)), cart, NAME)) == ["fail medium host ssh"]


def test_each_of_several_is_judged_by_itself() -> None:
    two = SSH.replace("]}", ", {name: web, port: 80}]}")
    assert outcomes(judged(host(port("tcp/0.0.0.0:22", SSHD)), two, NAME)) == ["fail medium host web"]


def test_without_a_list_nothing_is_checked() -> None:
    assert outcomes(judged(host(), "", NAME)) == ["notchecked host"]
