"""setting-changed: ranges and settings that are not what they were, each told once."""

from __future__ import annotations

import pytest

from tests.bundles import AUTOBIND, EPHEMERAL, RESERVED, THRESHOLD, host, judged, outcomes
from tests.rules.drift import since

NAME = "setting-changed"


@pytest.mark.parametrize(
    ("name", "value", "subject", "says"),
    [
        (THRESHOLD, "80", "privileged", "privileged is 1-79 and was 1-1023"),
        (EPHEMERAL, "20000\t60999", "ephemeral", "ephemeral is 20000-60999 and was 32768-60999"),
        (RESERVED, "40000", "reserved", "reserved is 40000 and was not set"),
        (AUTOBIND, "1", AUTOBIND, f"setting {AUTOBIND} is 1 and was 0"),
    ],
)
def test_a_setting_that_is_another_is_told_once_with_both_values(name: str, value: str, subject: str, says: str) -> None:
    (finding,) = since(host(), host(settings={name: value}), NAME)
    assert (finding.outcome, finding.severity, finding.subject, finding.message) == ("fail", "medium", subject, says)
    assert finding.source == "baseline of 2026-11-20T23:00:00Z"


def test_what_the_next_boot_sets_is_a_setting_too() -> None:
    now = host(files={"/etc/sysctl.d/10.conf": f"{AUTOBIND} = 1\n"})
    (finding,) = since(host(), now, NAME)
    assert finding.subject == f"{AUTOBIND} in /etc/sysctl.d/10.conf"


def test_the_same_settings_pass() -> None:
    assert outcomes(since(host(), host(), NAME)) == ["pass host"]


def test_without_a_baseline_it_is_not_checked() -> None:
    assert outcomes(judged(host(), "", NAME)) == ["notchecked host"]


def test_a_setting_that_cannot_be_read_now_is_unknown() -> None:
    found = since(host(), host(settings={THRESHOLD: None}), NAME)
    assert {f.outcome for f in found} == {"unknown"}
    assert all("settings" in f.facts for f in found)


def test_a_setting_that_was_not_read_is_told_in_the_words_of_an_audit() -> None:
    for before, now, when in (
        (host(), host(settings={THRESHOLD: None}), "now"),
        (host(settings={THRESHOLD: None}), host(), "at the baseline"),
    ):
        found = since(before, now, NAME)
        assert found
        assert all(f.message.startswith(f"whether a setting is another cannot be told: {when} ") for f in found), [f.message for f in found]
