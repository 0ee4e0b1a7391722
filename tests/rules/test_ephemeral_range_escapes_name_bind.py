"""ephemeral-range-escapes-name-bind: the ports that SELinux no longer asks name_bind for, because the range was widened to them."""

from __future__ import annotations

import pytest

from tests.bundles import EPHEMERAL, THRESHOLD, WEB_CONTAINER, Host, container, host, judged, outcomes
from tests.made_gates import Gates

NAME = "ephemeral-range-escapes-name-bind"


def having(enforce: str | None, span: str, **more: object) -> Host:
    modules = {"/proc/filesystems": "nodev\tproc\n", **({} if enforce is None else {"/sys/fs/selinux/enforce": enforce})}
    settings = {EPHEMERAL: span, **more.pop("settings", {})}  # type: ignore[dict-item]
    return host(gates=Gates(modules=modules), settings=settings, **more)


@pytest.mark.parametrize(
    ("span", "escaped", "count"),
    [("1024\t65535", "1024-32767, 61000-65535", 36280), ("32768\t61000", "61000", 1), ("10000\t20000", "10000-20000", 10001)],
)
def test_the_ports_beyond_the_vendors_range_are_told_with_their_number(span: str, escaped: str, count: int) -> None:
    (finding,) = judged(having("1", span), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", EPHEMERAL)
    assert finding.message == f"SELinux does not ask for name_bind on {count} ports more than by the vendor's range"
    assert finding.observed == f"{span.replace(chr(9), '-')}, and so not of {escaped}"
    assert finding.expected == "32768-60999"
    assert finding.source == "/sys/fs/selinux/enforce is 1; vendor table, linux-4.2-plus"


@pytest.mark.parametrize("span", ["32768\t60999", "40000\t50000"])
def test_a_range_within_the_vendors_passes(span: str) -> None:
    assert outcomes(judged(having("1", span), "", NAME)) == ["pass host"]


def test_ports_below_the_threshold_are_asked_about_all_the_same() -> None:
    (finding,) = judged(having("1", "1024\t60999", settings={THRESHOLD: "1024"}), "", NAME)
    assert finding.observed == "1024-60999, and so not of 1024-32767"
    (finding,) = judged(having("1", "512\t60999"), "", NAME)
    assert finding.observed == "512-60999, and so not of 1024-32767"


@pytest.mark.parametrize("enforce", ["0", None])
def test_where_selinux_does_not_enforce_it_passes(enforce: str | None) -> None:
    assert outcomes(judged(having(enforce, "1024\t65535"), "", NAME)) == ["pass host"]
    assert outcomes(judged(having(enforce, "1024\t65535", release="1.0"), "", NAME)) == ["pass host"]


def test_what_is_not_known_is_unknown() -> None:
    assert outcomes(judged(having("?", "1024\t65535"), "", NAME)) == ["unknown host"]
    assert outcomes(judged(having("1", "1024"), "", NAME)) == ["unknown host"]
    assert outcomes(judged(having("1", "1024\t65535", settings={THRESHOLD: "x"}), "", NAME)) == ["unknown host"]
    assert outcomes(judged(having("1", "1024\t65535", release=None), "", NAME)) == ["unknown host"]


def test_without_a_vendor_row_it_is_not_checked() -> None:
    assert outcomes(judged(having("1", "1024\t65535", release="1.0"), "", NAME)) == ["notchecked host"]


def test_other_stacks_are_left_out() -> None:
    of = having("1", "32768\t60999", others=[container(WEB_CONTAINER, settings={EPHEMERAL: "1024\t65535"})])
    assert sorted(f.outcome for f in judged(of, "", NAME)) == ["notapplicable", "pass"]
