"""sysctl of six systems, and cat of files of /proc/sys."""

from __future__ import annotations

import pytest

from auditor.parsers import sysctl
from auditor.reading import Output, Values
from tests.parsers import laws

LINUX = "net.ipv4.ip_local_port_range = 20000\t29999\nnet.ipv4.ip_unprivileged_port_start = 81\nnet.ipv4.ip_local_reserved_ports = \n"
LINUX_NAMES = ["net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports"]
FREEBSD = "net.inet.ip.portrange.first: 11000\nnet.inet.ip.portrange.last: 12000\nsecurity.mac.portacl.rules:\n"
OPENBSD = "net.inet.ip.portfirst=2000\nnet.inet.tcp.baddynamic=7,9,13\n"
EVERYTHING = """kern.ostype: Other
kern.version: Other 1.0 #3: today
    builder@made:/usr/obj

kern.geom.confxml: <mesh>
  <class id="0x1">
net.inet.ip.portrange.first: 11000
net.inet.tcp.cc.available:
CCmod           D PCB count
plain           * 12
dev.cpu.0.%desc: one
dev.disc.info: drive
dev.disc.info: speed
hw.ncpu: 4
"""
ABSENT = [
    ("sysctl: unknown oid 'a.b.c'", "FreeBSD, macOS"),
    ("sysctl: cannot stat /proc/sys/a/b/c: No such file or directory", "Linux"),
    ("error: \"a.b.c\" is an unknown key", "older Linux"),
    ("sysctl: error: 'a.b.c' is an unknown key", "busybox"),
    ("sysctl: third level name 'c' in 'a.b.c' is invalid", "NetBSD"),
    ("sysctl: third level name c in a.b.c is invalid", "OpenBSD"),
]  # fmt: skip


def read(text: str, command: str, stderr: str = "") -> Values:
    output = Output(command, text, stderr)
    values = sysctl.parse(output)
    laws.accounted(output, values)
    return values


def whys(values: Values) -> list[tuple[str, str | None]]:
    return [(gap.why, gap.line) for gap in values.gaps]


def test_each_way_of_parting_name_and_value() -> None:
    linux = read(LINUX, "sysctl " + " ".join(LINUX_NAMES))
    assert linux.values == {LINUX_NAMES[0]: "20000\t29999", LINUX_NAMES[1]: "81", LINUX_NAMES[2]: ""}
    freebsd = read(FREEBSD, "sysctl net.inet.ip.portrange security.mac.portacl.rules")
    assert freebsd.values == {
        "net.inet.ip.portrange.first": "11000",
        "net.inet.ip.portrange.last": "12000",
        "security.mac.portacl.rules": "",
    }
    openbsd = read(OPENBSD, "sysctl net.inet.ip.portfirst net.inet.tcp.baddynamic")
    assert openbsd.values == {"net.inet.ip.portfirst": "2000", "net.inet.tcp.baddynamic": "7,9,13"}
    assert linux.gaps == freebsd.gaps == openbsd.gaps == []


def test_values_that_look_like_more_names_stay_whole() -> None:
    rules = "security.mac.portacl.rules: uid:80:tcp:80,gid:53:udp:53\n"
    assert read(rules, "sysctl security.mac.portacl.rules").values == {"security.mac.portacl.rules": "uid:80:tcp:80,gid:53:udp:53"}
    assert read("kern.cp_time = user = 1, nice = 2\n", "sysctl kern.cp_time").values == {"kern.cp_time": "user = 1, nice = 2"}


def test_bare_values_are_those_of_the_names_in_order() -> None:
    command = "sysctl -n " + " ".join(LINUX_NAMES)
    assert read("20000\t29999\n81\n\n", command).values == {LINUX_NAMES[0]: "20000\t29999", LINUX_NAMES[1]: "81", LINUX_NAMES[2]: ""}
    assert read("\n", f"sysctl -nq {LINUX_NAMES[2]}").values == {LINUX_NAMES[2]: ""}
    assert read("81\n\n\n", f"sysctl --values {LINUX_NAMES[1]}").values == {LINUX_NAMES[1]: "81"}


def test_bare_values_of_another_number_than_names_are_gaps() -> None:
    values = read("81\n\n", "sysctl -n " + " ".join(LINUX_NAMES))
    assert values.values == {}
    assert whys(values) == [("2 bare values for 3 names: which is which is not known", "81"), *(
        (f"{name} was asked for and not answered", None) for name in LINUX_NAMES)]  # fmt: skip
    assert read("", f"sysctl -n {LINUX_NAMES[2]}").values == {}


def test_bare_values_leave_out_a_name_that_the_system_denies() -> None:
    for text, stderr in (("1\n3\n", "sysctl: unknown oid 'x.b'\n"), ("1\nsysctl: unknown oid 'x.b'\n3\n", "")):
        values = read(text, "sysctl -n x.a x.b x.c", stderr)
        assert values.values == {"x.a": "1", "x.c": "3"}
        assert values.absent == {"x.b": "sysctl: unknown oid 'x.b'"}
        assert values.gaps == []


def test_a_prompt_shifts_no_bare_value() -> None:
    assert read("# sysctl -n x.a\n5\n", "sysctl -n x.a").values == {"x.a": "5"}


def test_names_that_stand_there_although_n_was_given_are_read() -> None:
    assert read(LINUX, "sysctl -n " + " ".join(LINUX_NAMES)).values[LINUX_NAMES[1]] == "81"


@pytest.mark.parametrize("complaint", [line for line, _ in ABSENT])
@pytest.mark.parametrize("merged", [False, True])
def test_a_name_that_the_system_denies_is_absent(complaint: str, merged: bool) -> None:
    values = read(complaint + "\n" if merged else "", "sysctl a.b.c", "" if merged else complaint + "\n")
    assert values.absent == {"a.b.c": complaint}
    assert values.gaps == []


def test_a_name_neither_answered_nor_denied_is_a_gap() -> None:
    values = read("x.a = 1\n", "sysctl x.a x.b x.c", "sysctl: second level name 'b' in 'x.b' is invalid\n")
    assert values.values == {"x.a": "1"}
    assert list(values.absent) == ["x.b"]
    assert whys(values) == [("x.c was asked for and not answered", None)]


def test_a_subtree_answers_for_its_name_and_linux_takes_slashes() -> None:
    assert read("net.a.b: 1\n", "sysctl net.a").gaps == []
    assert read("net.a.b = 1\n", "sysctl net/a/b").gaps == []
    assert whys(read("net.ab.c: 1\n", "sysctl net.a")) == [("a setting that was not asked for", "net.ab.c: 1"),
                                                          ("net.a was asked for and not answered", None)]  # fmt: skip


def test_other_complaints_are_gaps() -> None:
    assert whys(read("", "sysctl x.a", "sysctl: permission denied on key 'x.a'\n"))[0] == (
        "sysctl complained: sysctl: permission denied on key 'x.a'", None
    )  # fmt: skip
    assert read(EVERYTHING, "sysctl -a", "sysctl: permission denied on key 'x.a'\n").gaps == []
    assert whys(read(EVERYTHING, "sysctl -a", "sysctl: strange\n")) == [("sysctl complained: sysctl: strange", None)]


def test_everything_with_values_of_several_lines() -> None:
    values = read(EVERYTHING, "sysctl -a")
    assert values.gaps == []
    assert values.values == {
        "kern.ostype": "Other", "kern.version": "Other 1.0 #3: today", "kern.geom.confxml": "<mesh>",
        "net.inet.ip.portrange.first": "11000",
        "net.inet.tcp.cc.available": "", "dev.cpu.0.%desc": "one", "dev.disc.info": "drive", "hw.ncpu": "4",
    }  # fmt: skip


def test_a_line_after_a_setting_of_the_network_may_be_part_of_it_and_is_a_gap() -> None:
    text = "net.ipv4.ip_local_reserved_ports = 8080,\n9000-9010\n"
    assert whys(read(text, "sysctl -a")) == [("a line of sysctl cannot be read", "9000-9010")]
    assert whys(read(text, "sysctl net.ipv4.ip_local_reserved_ports")) == [("a line of sysctl cannot be read", "9000-9010")]
    assert whys(read("    first line\n" + EVERYTHING, "sysctl -a")) == [("a line of sysctl cannot be read", "    first line")]


def test_a_setting_stated_twice_and_not_alike_is_a_gap() -> None:
    assert len(read("net.a.b = 1\nnet.a.b = 2\n", "sysctl net.a.b").gaps) == 1
    assert read("net.a.b = 1\nnet.a.b = 1\n", "sysctl net.a.b").gaps == []


@pytest.mark.parametrize("command", ["sysctl -d x.a", "sysctl -N x.a", "sysctl -t x.a", "sysctl -bn x.a",
                                     "sysctl -x x.a", "sysctl -w x.a=1", "sysctl x.a=1"])  # fmt: skip
def test_what_is_not_the_running_value_is_a_gap(command: str) -> None:
    values = read("x.a: 5\n", command)
    assert values.values == {}
    assert [gap.line for gap in values.gaps] == ["x.a: 5"]


def test_files_of_proc_sys_have_their_names_from_their_paths() -> None:
    command = "cat /proc/sys/net/ipv4/{ip_local_port_range,ip_unprivileged_port_start,ip_local_reserved_ports}"
    assert read("20000\t29999\n81\n\n", command).values == {LINUX_NAMES[0]: "20000\t29999", LINUX_NAMES[1]: "81", LINUX_NAMES[2]: ""}
    assert read("1\n", "cat /proc/sys/net/ipv4/conf/eth0.7/x").values == {"net.ipv4.conf.eth0/7.x": "1"}


def test_a_file_of_proc_sys_that_is_not_there_is_absent() -> None:
    for complaint in ("cat: /proc/sys/a/b: No such file or directory", "cat: can't open '/proc/sys/a/b': No such file or directory"):
        values = read("7\n", "cat /proc/sys/a/b /proc/sys/a/c", complaint + "\n")
        assert (values.values, values.absent, values.gaps) == ({"a.c": "7"}, {"a.b": complaint}, [])


@pytest.mark.parametrize(
    ("command", "stderr"),
    [("cat /proc/sys/a/*", ""), ("cat /proc/sys/a/b /proc/sys/a/c", ""),
     ("cat /proc/sys/a/b /proc/sys/a/c", "cat: /proc/sys/a/b: Permission denied\n")],
)  # fmt: skip
def test_files_of_which_it_is_not_known_which_were_printed_are_gaps(command: str, stderr: str) -> None:
    values = read("7\n", command, stderr)
    assert values.values == {}
    assert "7" in [gap.line for gap in values.gaps]


@pytest.mark.parametrize("text", [LINUX, FREEBSD, OPENBSD, EVERYTHING])
def test_no_text_makes_it_raise_or_lose_a_line(text: str) -> None:
    for command in (
        "sysctl -a",
        "sysctl net.inet.ip net.ipv4",
        "sysctl -n net.ipv4.a",
        "cat /proc/sys/net/ipv4/a",
        "sysctl -d x",
        "sysctl",
    ):
        laws.total(sysctl.parse, command, text)
