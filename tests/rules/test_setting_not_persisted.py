"""setting-not-persisted: where the running value is not the kernel's default, a file must set the same."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from auditor.model import Persisted
from tests.bundles import EPHEMERAL, RESERVED, THRESHOLD, Host, Net, changed, host, judged, outcomes

NAME = "setting-not-persisted"
FILE = "/etc/sysctl.d/60-ports.conf"


def running(value: str, *lines: str, name: str = RESERVED) -> Host:
    return host(settings={name: value}, files={FILE: "".join(line + "\n" for line in lines)})


def test_defaults_need_no_file() -> None:
    assert outcomes(judged(host(), "", NAME)) == ["pass host"]


def test_a_value_that_no_file_sets_was_set_by_something_not_read() -> None:
    (finding,) = judged(running("80", name=THRESHOLD), "", NAME)
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", THRESHOLD)
    assert finding.message == f"{THRESHOLD} is not the kernel's default, and no file sets it: it was set by something not read"
    assert (finding.observed, finding.expected) == ("80", "a line in sysctl.d, or the default 1024")


def test_a_file_that_sets_something_else_does_not_set_it() -> None:
    (finding,) = judged(running("9100", f"{EPHEMERAL} = 32768 60999"), "", NAME)
    assert "no file sets it" in finding.message
    assert finding.expected == "a line in sysctl.d, or the default none"


def test_a_setting_that_no_table_has_a_default_of_is_left_alone() -> None:
    assert outcomes(judged(host(blacklist="631\n"), "", NAME)) == ["pass host"]


def test_a_value_that_a_file_sets_otherwise_is_named_with_both_numbers_and_the_line() -> None:
    (finding,) = judged(running("15000 60999", "# range", f"{EPHEMERAL} = 20000 60999", name=EPHEMERAL), "", NAME)
    assert finding.message == f"{EPHEMERAL} runs as 15000 60999, and after a reboot it will be 20000 60999"
    assert finding.source == f"{FILE}:2"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("8080,9100", f"{RESERVED} = 9100,8080"),
        ("8080,9100", f"{RESERVED}=9100, 8080"),
        ("8080-8082", f"{RESERVED} = 8080,8081,8082"),
        ("8080-8082", f"{RESERVED} = 8081-8082,8080-8081,"),
        ("8080", f"-{RESERVED} = 8080"),
        ("8080", "net/ipv4/ip_local_reserved_ports = 8080"),
        ("8080", "net.ipv4.ip_local_reserved_* = 8080"),
    ],
)
def test_the_same_ports_in_other_words_are_the_same(value: str, line: str) -> None:
    assert outcomes(judged(running(value, line), "", NAME)) == ["pass host"]


def test_a_range_is_the_same_whatever_blanks_part_it() -> None:
    assert outcomes(judged(running("15000\t60999", f"{EPHEMERAL} =  15000   60999 ", name=EPHEMERAL), "", NAME)) == ["pass host"]


@pytest.mark.parametrize("line", [f"{RESERVED} = 8080-8083", f"{RESERVED} = 8080", f"{RESERVED} =", "net.* = 8080-8082"])
def test_other_ports_are_not_the_same(line: str) -> None:
    assert outcomes(judged(running("8080-8082", line), "", NAME)) == [f"fail low host {RESERVED}"]


def test_the_last_line_counts_and_a_name_before_a_glob() -> None:
    assert outcomes(judged(running("1", f"{RESERVED} = 2", f"{RESERVED} = 1"), "", NAME)) == ["pass host"]
    assert outcomes(judged(running("1", f"{RESERVED} = 1", "net.ipv4.ip_local_reserved_* = 2"), "", NAME)) == ["pass host"]


def test_where_a_later_file_may_say_otherwise_it_is_unknown() -> None:
    (finding,) = judged(running("8080", f"{RESERVED} = 8080", "this is no assignment"), "", NAME)
    assert (finding.outcome, finding.message) == ("unknown", f"{FILE}:2: not an assignment")
    assert RESERVED in finding.examples


def test_a_file_that_cannot_be_read_may_change_what_is_at_its_default_now() -> None:
    unread = changed(host(), persisted=Facts[Persisted]([], "sysctl.d", [Gap("permission denied")]))
    assert outcomes(judged(unread, "", NAME)) == ["unknown host"]


def test_a_setting_at_its_default_that_a_file_changes_at_the_next_boot_is_found() -> None:
    (finding,) = judged(running("", f"{RESERVED} = 8080"), "", NAME)
    assert (finding.outcome, finding.source) == ("fail", f"{FILE}:1")
    assert "after a reboot it will be 8080" in finding.message


def test_an_unknown_release_gives_no_default_to_compare_with() -> None:
    assert outcomes(judged(host(release="1.0", settings={THRESHOLD: "80"}), "", NAME)) == ["notchecked host"]
    assert outcomes(judged(host(release=None, settings={THRESHOLD: "80"}), "", NAME)) == ["unknown host"]


def test_other_namespaces_have_no_files() -> None:
    two = Host(Net(), others=[Net(settings={THRESHOLD: "0"}, mounted="/run/netns/blue")])
    assert outcomes(judged(two, "", NAME)) == ["notapplicable blue", "pass host"]
