"""portacl-rule-dead: a rule of mac_portacl that gives nobody its port, and what makes it so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model import Finding
from tests.bundles import host, interpreted, judged, outcomes
from tests.saved_hosts import FREEBSD

NAME = "portacl-rule-dead"
RESERVED = "net.inet.ip.portrange.reserved"
ACL = "security.mac.portacl."


def freebsd(reservedhigh: str | None = "1023", **acl: str | None) -> list[Finding]:
    """What it says of a FreeBSD host whose settings have these values; None is a setting that could not be read."""
    given = {
        f"{ACL}{name}": value for name, value in {"enabled": "1", "port_high": "1023", "suser_exempt": "1", "rules": "", **acl}.items()
    }
    values = {f"{RESERVED}high": reservedhigh, **given}
    texts = FREEBSD.texts | {f"sysctl {name}": f"{name}: {value}\n" for name, value in values.items() if value is not None}
    lost = {f"sysctl {name}": "sysctl: killed\n" for name, value in values.items() if value is None}
    texts = {command: text for command, text in texts.items() if command not in lost}
    return judged(interpreted(replace(FREEBSD, texts=texts, missing={**FREEBSD.missing, **lost}).bundle()), "", NAME)


def test_a_rule_whose_port_the_kernel_keeps_for_root_gives_nothing() -> None:
    (finding,) = freebsd(rules="uid:80:tcp:80")
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "portacl uid:80:tcp:80")
    assert finding.message == (
        f"the rule uid:80:tcp:80 gives nobody a port: {RESERVED}low is 0 and {RESERVED}high 1023: the kernel keeps tcp/80 for "
        "PRIV_NETINET_RESERVEDPORT, and mac_portacl can only refuse, so user 80 does not get it"
    )
    assert (finding.observed, finding.source) == (f"{ACL}rules has uid:80:tcp:80", f"{ACL}rules")


@pytest.mark.parametrize(
    ("reservedhigh", "acl", "dead"),
    [
        ("0", {"rules": "uid:80:tcp:80"}, []),
        ("79", {"rules": "uid:80:tcp:80,uid:80:tcp:79"}, ["portacl uid:80:tcp:79"]),
        ("80", {"rules": "uid:80:tcp:80"}, ["portacl uid:80:tcp:80"]),
        ("1023", {"rules": "uid:80:tcp:80,gid:80:udp:80"}, ["portacl uid:80:tcp:80", "portacl gid:80:udp:80"]),
        ("1023", {"rules": "uid:0:tcp:80"}, []),
        ("1023", {"rules": "gid:0:tcp:80", "suser_exempt": "0"}, []),
        ("0", {"rules": "uid:80:tcp:8080"}, ["portacl uid:80:tcp:8080"]),
        ("0", {"rules": "uid:80:tcp:8080", "port_high": "65535"}, []),
        ("0", {"rules": "uid:80:tcp:80", "enabled": "0"}, ["portacl uid:80:tcp:80"]),
        ("1023", {"rules": ""}, []),
    ],
)  # fmt: skip
def test_the_numbers_decide_which_rules_are_dead(reservedhigh: str, acl: dict[str, str | None], dead: list[str]) -> None:
    found = freebsd(reservedhigh, **acl)
    assert sorted(one.subject for one in found if one.outcome == "fail") == sorted(dead)
    assert dead or [one.outcome for one in found] == ["pass"]


def test_a_host_without_mac_portacl_has_no_dead_rule() -> None:
    assert outcomes(judged(interpreted(FREEBSD.bundle()), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("lost", ["reservedhigh", "enabled", "port_high", "suser_exempt", "rules"])
def test_what_was_not_read_leaves_it_unknown(lost: str) -> None:
    found = freebsd(**{"rules": "uid:80:tcp:80", lost: None})
    assert {one.outcome for one in found} == {"unknown"}


def test_a_dead_rule_is_found_although_another_one_cannot_be_read() -> None:
    found = freebsd(rules="uid:80:tcp:80,uid:www:tcp:443")
    assert sorted({one.outcome for one in found}) == ["fail", "unknown"]


def test_other_systems_have_no_such_rules() -> None:
    assert [one.outcome for one in judged(host(), "", NAME)] == ["notapplicable"]
