"""ephemeral-range-differs-from-policy: what the kernel hands out beyond what the policy allows, by numbers or by a table's name."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.model import Range
from tests.bundles import EPHEMERAL, Host, Net, changed, host, judged, outcomes

NAME = "ephemeral-range-differs-from-policy"


@pytest.mark.parametrize(
    ("expect", "span", "outside"),
    [
        ("32768-60999", "32768 60999", None),
        ("32768-60999", "40000 50000", None),
        ("32768-60999", "32767 61000", "32767, 61000"),
        ("[32768-40000, 40001-60999]", "32768 60999", None),
        ("[32768-40000, 50000-60999]", "32768 60999", "40001-49999"),
        ("iana-dynamic", "49152 65535", None),
        ("iana-dynamic", "32768 60999", "32768-49151"),
        ("vendor-default", "32768 60999", None),
        ("vendor-default", "32768 61000", "61000"),
        ('"vendor:linux-2.6-late"', "32768 61000", None),
    ],
)
def test_the_ports_outside_are_named(expect: str, span: str, outside: str | None) -> None:
    (finding,) = judged(host(settings={EPHEMERAL: span}), f"ephemeral: {{expect: {expect}}}\n", NAME)
    if outside is None:
        assert finding.outcome == "pass"
    else:
        assert (finding.outcome, finding.severity) == ("fail", "medium")
        assert finding.message == f"the kernel hands out {outside}, which the policy does not allow"
        assert finding.observed == span.replace(" ", "-")
        assert finding.source is not None
        assert finding.source.endswith("site.yaml:2")


def test_it_is_asked_of_every_stack() -> None:
    two = Host(Net(settings={EPHEMERAL: "49152 65535"}), others=[Net(mounted="/run/netns/blue")])
    assert outcomes(judged(two, "ephemeral: {expect: iana-dynamic}\n", NAME)) == [f"fail medium blue {EPHEMERAL}", "pass host"]


def test_a_policy_that_expects_nothing_checks_nothing() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: "1 2"}), "", NAME)) == ["notchecked host"]


def test_the_vendors_range_needs_a_row_of_the_vendor() -> None:
    policy = "ephemeral: {expect: vendor-default}\n"
    assert outcomes(judged(host(release="1.0"), policy, NAME)) == ["notchecked host"]
    assert outcomes(judged(host(release=None), policy, NAME)) == ["unknown host"]
    high = Facts([Range(first=1, last=2, protocol="any", family="any", role="high")], "t")
    assert outcomes(judged(changed(host(), ephemeral=high), policy, NAME)) == ["notchecked host"]
    documented = Facts([Range(first=1, last=2, protocol="any", family="any", role="default")], "t", basis="documented")
    assert outcomes(judged(changed(host(), ephemeral=documented), policy, NAME)) == ["notchecked host"]


def test_a_range_that_was_not_read_is_unknown() -> None:
    assert outcomes(judged(host(settings={EPHEMERAL: None}), "ephemeral: {expect: iana-dynamic}\n", NAME)) == ["unknown host"]


def test_a_range_of_one_protocol_is_compared_with_that_of_all() -> None:
    for last, outcome in ((60999, "pass"), (61000, "fail")):
        found = Facts([Range(first=32768, last=last, protocol="udp", family="any", role="default")], "a test")
        assert [f.outcome for f in judged(changed(host(), ephemeral=found), "ephemeral: {expect: vendor-default}\n", NAME)] == [outcome]
