"""What the shell script's raw text of a Linux host means: the moments it was taken at, what is missing, what cannot be so."""

from __future__ import annotations

import re
from typing import Any

import pytest

from auditor.model import Snapshot, Stack
from auditor.sources import from_bytes
from auditor.tables import Tables

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
QUEUES = "00000000:00000000 00:00000000 00000000"
STAT = "S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0"


def row(table: str, address: str, inode: int, state: str = "0A") -> str:
    return f"/proc/self/net/{table}:   0: {address} 00000000:0000 {state} {QUEUES}     0        0 {inode} 1 0 100"


def tables(*rows: str) -> str:
    headers = [f"/proc/self/net/{name}:{HEADER}" for name in ("tcp", "tcp6", "udp", "udp6")]
    return "\n".join([*headers, *rows, "- /proc/self/net/udplite", "- /proc/self/net/udplite6"])


SSH = row("tcp", "00000000:0016", 100)
LOOPBACK = '[{"ifindex":1,"ifname":"lo","link_type":"loopback","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},\n'
ETHERNET = '{"ifindex":2,"ifname":"eth0","link_type":"ether","addr_info":[{"family":"inet","local":"10.0.0.5","prefixlen":24}]}]'
SECTIONS = {
    "began": f"/proc/1/stat:1 (init) {STAT} 5\n/proc/7/stat:7 (sshd) {STAT} 900",
    "namespaces": "/proc/self/ns/net net:[4026531840]\n/proc/1/ns/net net:[4026531840]\n/proc/7/ns/net net:[4026531840]",
    "tables of": "self 4026531910\n1 4026531910\n7 4026531910",
    "tables": tables(SSH),
    "details": "in self\ntcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* ino:100 sk:1 cgroup:/system.slice/ssh.service <->\nstatus 0",
    "settings": "in self\n/proc/sys/net/ipv4/ip_unprivileged_port_start:1024\n/proc/sys/net/ipv4/ip_local_port_range:32768\t60999\n"
                "/proc/sys/net/ipv4/ip_local_reserved_ports:\n/proc/sys/net/ipv4/ip_autobind_reuse:0\nstatus 0",
    "addresses": "in self\n" + LOOPBACK + ETHERNET + "\nstatus 0",
    "descriptors": "1:\n7:\n100",
    "tables again": tables(SSH),
    "executables ls -lnb": "/proc/1/exe /usr/lib/systemd/systemd\n/proc/7/exe /usr/sbin/sshd",
    "the files at their paths": "/proc/1/exe\n/proc/7/exe",
    "status": "/proc/1/status:Name:\tsystemd\n/proc/1/status:Uid:\t0\t0\t0\t0\n/proc/7/status:Name:\tsshd\n/proc/7/status:Uid:\t0\t0\t0\t0",
    "groups": "/proc/1/cgroup:0::/init.scope\n/proc/7/cgroup:0::/system.slice/ssh.service",
    "began again": f"/proc/1/stat:1 (init) {STAT} 5\n/proc/7/stat:7 (sshd) {STAT} 900",
    "namespaces again": "/proc/self/ns/net net:[4026531840]",
    "end": "",
}  # fmt: skip
RIGHTS = """\
/proc/self/status:Uid:\t0\t0\t0\t0
/proc/self/status:CapEff:\t000001ffffffffff
/proc/stat:btime 1795000000
/proc/self/mountinfo:22 1 0:20 / /proc rw - proc proc rw
/proc/self/ns/pid pid:[4026531836]
ticks 100
= end"""


def bundle(errors: str = "", head: str = "% byteorder little\n", **changed: str | None) -> str:
    """A bundle of a host where sshd alone listens, with other sections where they are given (`_` for a blank)."""
    sections = SECTIONS | {name.replace("_", " "): text for name, text in changed.items()}
    sections["end"] = sections.pop("end")
    text = "\n".join(f"= {name}" + (f"\n{lines}" if lines else "") for name, lines in sections.items() if lines is not None)
    said = {"sh-rights": RIGHTS, "sh-proc": text, "sh-accounts": "0:root\n= end"}
    answers = "".join(
        f"@ {name[3:]}\n$ builtin:{name}\n" + "".join(f"| {line}\n" for line in lines.split("\n"))
        + ("".join(f"! {line}\n" for line in errors.split("\n") if line) if name == "sh-proc" else "") + "? 0\n"
        for name, lines in said.items()
    )  # fmt: skip
    return f"port-auditor evidence 1\n% system Linux\n% release 6.12.1\n% host web1\n{head}% collector linux 0.1.0 script\n{answers}.\n"


def snapshot(text: str) -> Snapshot:
    (source,) = from_bytes(text.encode(), "web1", Tables())
    assert not isinstance(source, tuple)
    return source.snapshot


def stack(text: str) -> Stack:
    (found,) = snapshot(text).stacks.seen
    return found


def shown(text: str) -> dict[str, dict[str, Any]]:
    return {one.numbered_subject: one.shown for one in stack(text).listening.seen}


def test_a_whole_bundle_leaves_nothing_unknown() -> None:
    seen = stack(bundle())
    (one,) = seen.listening
    (owner,) = one.owners
    assert (one.numbered_subject, one.reach, one.device, one.cgroup) == ("tcp/0.0.0.0:22", "private", None, "/system.slice/ssh.service")
    assert (owner.pid, owner.executable, owner.unit, owner.user) == (7, "/usr/sbin/sshd", "ssh.service", "root")
    assert owner.started == "2026-11-18T11:06:49Z" or owner.started.endswith("Z")
    assert [[str(one) for one in kind] for kind in (seen.privileged, seen.ephemeral, seen.reserved)] == [["1-1023"], ["32768-60999"], []]
    assert snapshot(bundle()).shown["visibility"]["owners"] == {"known": 1, "partial": 0, "unreadable": 0, "none": 0}


def test_a_socket_closed_while_the_processes_were_looked_through_is_left_out() -> None:
    brief = row("tcp", "0100007F:1F90", 101)
    assert list(shown(bundle(tables=tables(SSH, brief)))) == ["tcp/0.0.0.0:22"]


def test_one_that_was_held_counts_though_it_was_closed_afterwards() -> None:
    brief = row("tcp", "0100007F:1F90", 101)
    found = shown(bundle(tables=tables(SSH, brief), descriptors="1:\n7:\n100\n101"))
    assert found["tcp/127.0.0.1:8080"]["owner_state"] == "known"


def test_what_took_the_place_of_a_closed_socket_is_seen_and_its_holder_is_not_called_none() -> None:
    before, after = row("tcp", "0100007F:1F90", 101), row("tcp", "0100007F:1F90", 102)
    found = shown(bundle(tables=tables(SSH, before), tables_again=tables(SSH, after)))
    assert found["tcp/127.0.0.1:8080"]["owner_state"] == "unreadable"
    assert "while the processes were looked through" in found["tcp/127.0.0.1:8080"]["owner_reason"]


def test_one_that_was_there_all_the_time_and_that_nobody_holds_has_no_visible_owner() -> None:
    kept = row("udp", "00000000:0801", 103, "07")
    found = shown(bundle(tables=tables(SSH, kept), tables_again=tables(SSH, kept)))
    assert found["udp/0.0.0.0:2049"]["owner_state"] == "none"


def test_without_the_second_look_nothing_is_left_out() -> None:
    brief = row("tcp", "0100007F:1F90", 101)
    found = shown(bundle(tables=tables(SSH, brief), tables_again=None, end=None))
    assert set(found) == {"tcp/0.0.0.0:22", "tcp/127.0.0.1:8080"}
    assert {one["owner_state"] for one in found.values()} <= {"partial", "unreadable"}


@pytest.mark.parametrize("what", ["began again", "another start"])
def test_a_process_that_ended_or_gave_its_number_to_another_is_no_holder(what: str) -> None:
    again = f"/proc/1/stat:1 (init) {STAT} 5" + (f"\n/proc/7/stat:7 (other) {STAT} 999" if what == "another start" else "")
    (one,) = shown(bundle(began_again=again)).values()
    assert ("owners_seen" in one, one["owner_state"]) == (False, "unreadable")
    assert "who held it ended" in one["owner_reason"]


def test_a_process_listed_twice_makes_owners_uncertain() -> None:
    (one,) = shown(bundle(descriptors="1:\n100\n7:\n100\n1:\n100")).values()
    assert one["owner_state"] == "partial"


@pytest.mark.parametrize(
    ("descriptors", "errors"),
    [
        ("7:\n100", "ls: cannot open directory '/proc/1/fd': Permission denied"),
        ("7:\n100", "ls: can't open '/proc/1/fd': Permission denied"),
        ("1:\n7:\n100", "ls: cannot read symbolic link '/proc/1/fd/3': Permission denied"),
        ("7:\n100", ""),
    ],
)
def test_a_process_whose_descriptors_were_not_all_shown_makes_owners_uncertain(descriptors: str, errors: str) -> None:
    text = bundle(errors=errors, descriptors=descriptors)
    (one,) = shown(text).values()
    assert one["owner_state"] == "partial"
    assert snapshot(text).shown["visibility"]["processes"]["unreadable_pids"] == [1]


@pytest.mark.parametrize(
    ("capabilities", "why"),
    [
        ("0000000000000000", "this run lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which may be why, or a security module refused"),
        ("0000000000080000", "this run lacks CAP_DAC_READ_SEARCH, which may be why, or a security module refused"),
        ("0000000000000002", "this run lacks CAP_SYS_PTRACE, which may be why, or a security module refused"),
        (
            "0000000000080004",
            "this run has CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, so a security module refused, or they do not count in the user namespace "
            "there",
        ),
        ("x", "that needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which this run may not have, or a security module refused"),
    ],
)
def test_why_descriptors_were_not_shown_goes_by_what_the_run_had(capabilities: str, why: str) -> None:
    text = bundle(descriptors="7:\n100").replace("000001ffffffffff", capabilities)
    (one,) = shown(text).values()
    assert one["owner_reason"] == f"the descriptors of 1 process may not be read: {why}"


@pytest.mark.parametrize(
    "error",
    [
        "sh: 1: ls: Argument list too long", "sh: fork: Resource temporarily unavailable", "Killed",
        "grep: /proc/self/mountinfo: Permission denied", "ls: cannot open directory '/proc/7/task/9/fd': Permission denied",
    ],
)  # fmt: skip
def test_what_went_wrong_and_is_not_understood_makes_owners_uncertain(error: str) -> None:
    text = bundle(errors=error)
    (one,) = shown(text).values()
    assert one["owner_state"] == "partial"


@pytest.mark.parametrize("error", ["sh: 1: ls: Argument list too long", "grep: /proc/self/mountinfo: Permission denied"])
def test_what_went_wrong_and_is_not_understood_may_have_cost_a_namespace(error: str) -> None:
    seen = snapshot(bundle(errors="\n".join([error] * 50)))
    assert [(gap.why, gap.line) for gap in seen.stacks.gaps][:1] == [("builtin:sh-proc: something went wrong", error)]
    assert len(seen.stacks.gaps) < 50


def test_a_descriptor_closed_meanwhile_is_no_trouble() -> None:
    (one,) = shown(bundle(errors="ls: cannot read symbolic link '/proc/1/fd/3': No such file or directory")).values()
    assert one["owner_state"] == "known"


@pytest.mark.parametrize(
    ("executable", "expected"),
    [
        (r"/opt/a\ b", "/opt/a b"), (r"/opt/a\nb", "/opt/a\nb"), (r"/opt/caf\303\251", "/opt/café"), (r"/opt/\\n", "/opt/\\n"),
        (r"/opt/\377", "/opt/\\xff"), (r"/opt/\q", None), ("/opt/what?", "/opt/what?"),
    ],
)  # fmt: skip
def test_an_escaped_path_is_the_path_that_it_stands_for(executable: str, expected: str | None) -> None:
    (one,) = shown(bundle(**{"executables ls -lnb": f"/proc/7/exe {executable}"})).values()
    assert one["owners_seen"][0].shown.get("executable") == expected


def test_a_path_that_ls_may_have_changed_is_not_shown() -> None:
    for path, expected in (("/opt/what?", None), ("/opt/a b", "/opt/a b")):
        text = bundle(**{"executables ls -lnb": f"/proc/7/exe {path}"}).replace("executables ls -lnb", "executables ls -ln")
        (one,) = shown(text).values()
        assert one["owners_seen"][0].shown.get("executable") == expected


@pytest.mark.parametrize(
    ("same", "expected"), [("/proc/7/exe", "/usr/sbin/sshd"), ("", "/usr/sbin/sshd (in another mount namespace)"), (None, "not shown")]
)
def test_a_path_counts_where_the_file_at_it_is_the_same_in_whatever_mount_namespace_its_process_is(same: str | None, expected: str) -> None:
    (one,) = shown(bundle(**{"the files at their paths": same})).values()
    assert one["owners_seen"][0].shown.get("executable", "not shown") == expected


@pytest.mark.parametrize(
    ("path", "same", "expected"),
    [
        (r"/usr/sbin/sshd\ (deleted)", "/proc/7/exe", "/usr/sbin/sshd (deleted)"),
        (r"/usr/sbin/sshd\ (deleted)", "", "/usr/sbin/sshd (deleted) (in another mount namespace)"),
        (r"/memfd:x\ (deleted)", "", "/memfd:x (deleted)"),
    ],
)
def test_the_path_of_a_deleted_file_counts_where_its_mount_is_the_hosts(path: str, same: str, expected: str) -> None:
    (one,) = shown(bundle(**{"executables ls -lnb": f"/proc/7/exe {path}", "the files at their paths": same})).values()
    assert one["owners_seen"][0].executable == expected


@pytest.mark.parametrize("head", ["", "% byteorder mixed\n"])
def test_without_the_byte_order_no_address_is_guessed(head: str) -> None:
    seen = stack(bundle(head=head))
    assert not seen.listening.seen
    assert seen.listening.gaps[0].why.endswith("the byte order of the host is not known")


def test_on_a_big_endian_host_addresses_are_read_in_its_order() -> None:
    text = bundle(head="% byteorder big\n", tables=tables(row("tcp", "0A000005:0016", 100)))
    assert list(shown(text)) == ["tcp/10.0.0.5:22"]


def test_where_the_kernel_has_no_ipv6_there_is_no_such_listener() -> None:
    gone = (
        tables(SSH)
        .replace(f"/proc/self/net/tcp6:{HEADER}", "- /proc/self/net/tcp6")
        .replace(f"/proc/self/net/udp6:{HEADER}", "- /proc/self/net/udp6")
    )
    assert stack(bundle(tables=gone)).listening.gaps == ()
    lost = tables(SSH).replace(f"/proc/self/net/tcp6:{HEADER}\n", "")
    assert {(gap.protocol, gap.family) for gap in stack(bundle(tables=lost)).listening.gaps} == {("tcp", "ipv6")}


def test_a_protocol_of_the_kernel_that_was_not_asked_for_is_a_gap_of_its_own() -> None:
    seen = stack(bundle(tables=tables(SSH) + "\n/proc/net/protocols:SCTPv6    1552      0      -1   NI       0   yes  sctp"))
    assert {(gap.protocol, gap.family) for gap in seen.listening.gaps} == {("sctp", "ipv4"), ("sctp", "ipv6")}
    assert [one.numbered_subject for one in seen.listening.about("tcp", "any")] == ["tcp/0.0.0.0:22"]


def test_v6only_is_the_kernels_word_even_where_a_control_group_is_called_so() -> None:
    six = f"/proc/self/net/tcp6:   0: {'0' * 32}:0016 {'0' * 32}:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100"
    line = "tcp LISTEN 0 128 *:22 *:* ino:100 sk:1 cgroup:/x v6only:1 <-> ino:5 v6only:0 <->"
    (one,) = shown(bundle(tables=tables(six), tables_again=tables(six), details=f"in self\n{line}\nstatus 0")).values()
    assert one["v6only"] is False


@pytest.mark.parametrize("section", [name for name in SECTIONS if name not in ("end", "the files at their paths")])
def test_a_section_that_is_missing_is_never_nothing_found(section: str) -> None:
    """Whatever is left out, the listener's owner is not known to be complete, or something is said to be unknown."""
    text = bundle(**{section: None})
    seen = snapshot(text)
    whole = snapshot(bundle())
    assert seen.to_json() != whole.to_json()
    for one in seen.stacks.seen:
        owners = [socket.shown for socket in one.listening.seen]
        facts = (one.privileged, one.ephemeral, one.reserved, one.listening, one.addresses)
        incomplete = any(kind.gaps for kind in facts) or bool(seen.stacks.gaps)
        uncertain = any(shown["owner_state"] != "known" or "device" not in shown for shown in owners)
        unshown = any(
            not {"executable", "process", "unit"} <= owner.shown.keys() for shown in owners for owner in shown.get("owners_seen", [])
        )
        assert incomplete or uncertain or unshown


@pytest.mark.parametrize("junk", ["| garbage", "| = tables\n| /proc/self/net/tcp:junk", "| /proc/7/exe", "| -", "| 7:", "| in self"])
def test_garbage_anywhere_is_no_exception_and_no_other_holder(junk: str) -> None:
    lines = bundle().split("\n")
    for at in range(len(lines)):
        if lines[at].startswith("| "):
            for one in snapshot("\n".join([*lines[:at], junk, *lines[at:]])).stacks.seen:
                for socket in one.listening.seen:
                    assert {owner.pid for owner in socket.shown.get("owners_seen", [])} <= {1, 7}


def test_a_namespace_whose_process_ended_meanwhile_is_unknown() -> None:
    other = "/proc/9/net/tcp:   0: 00000000:0050 00000000:0000 0A " + QUEUES + "     0        0 200 1 0 100"
    moved = {
        "namespaces": SECTIONS["namespaces"] + "\n/proc/9/ns/net net:[4026539999]",
        "tables of": SECTIONS["tables of"] + "\n9 4026538888",
        "tables": SECTIONS["tables"] + f"\n/proc/9/net/tcp:{HEADER}\n{other}",
        "began": SECTIONS["began"] + f"\n/proc/9/stat:9 (web) {STAT} 950",
        "began again": SECTIONS["began again"] + f"\n/proc/9/stat:9 (web) {STAT} 950",
        "namespaces again": SECTIONS["namespaces again"] + "\n/proc/9/ns/net net:[4026537777]",
    }
    host, found = snapshot(bundle(**moved)).stacks.seen
    assert (host.name, found.listening.seen) == ("host", ())
    assert "ended or moved meanwhile" in found.listening.gaps[0].why
    steady = moved | {
        "namespaces again": SECTIONS["namespaces again"] + "\n/proc/9/ns/net net:[4026539999]", "tables again": moved["tables"],
    }  # fmt: skip
    _, found = snapshot(bundle(**steady)).stacks.seen
    assert [one.numbered_subject for one in found.listening.seen] == ["tcp/0.0.0.0:80"]
    assert found.identities == ["netns:4026539999", "procnet:4026538888"]


def test_started_is_reckoned_from_the_boot() -> None:
    (one,) = shown(bundle()).values()
    (owner,) = one["owners_seen"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", owner.started)


FILES = {
    "files": "-rwxr-xr-x 1 0 0 100 Mar  1  2026 /proc/1/exe\n-rwsr-sr-T+   2 1000     50  100 Jan  1 10:00 /proc/7/exe",
    "folders": "drwxr-xr-x 20 0 0 96 Jan  1 2026 /\ndrwxr-xr-x. 12 0 0 96 Jan  1 2026 /usr\ndrwxrwxrwt 2 0 5 96 Jan  1 2026 /usr/sbin",
    "user namespaces": "/proc/self/ns/user user:[1]\n/proc/1/ns/user user:[1]\n/proc/7/ns/user user:[2]",
    "maps of user namespaces": "/proc/7/uid_map:    0  100000  65536\n/proc/7/gid_map:    0 200000 1\n/proc/7/gid_map:    1 300000 1",
}

SSHD_FILE = {"mode": "7754", "uid": 1000, "gid": 50, "access_list": False}
OURS = "/proc/self/ns/user user:[1]\n/proc/7/ns/user user:[1]"


def sshd(**changed: str | None) -> dict[str, Any]:
    """The process that listens, in a bundle with sections about files; one that is None is not there."""
    (one,) = stack(bundle(**(FILES | {name.replace("_", " "): text for name, text in changed.items()}))).listening
    (owner,) = one.owners
    shown: dict[str, Any] = owner.to_json()
    return shown


def test_the_rights_of_what_runs_and_of_the_folders_above_it_are_read_from_ls() -> None:
    shown = sshd(user_namespaces=OURS)
    assert shown["executable_file"] == {
        "mode": "7754", "uid": 1000, "gid": 50, "access_list": False, "at_path": "itself", "folders": [
            {"path": "/usr/sbin", "mode": "1777", "uid": 0, "gid": 5, "access_list": False},
            {"path": "/usr", "mode": "0755", "uid": 0, "gid": 0, "access_list": False},
            {"path": "/", "mode": "0755", "uid": 0, "gid": 0, "access_list": False},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("namespaces", "expected"),
    [
        (..., "/usr/sbin/sshd (in another user namespace)"),
        ("/proc/self/ns/user user:[1]\n/proc/7/ns/user user:[1]", "/usr/sbin/sshd"),
        ("/proc/self/ns/user user:[1]\n/proc/7/ns/user", "not shown"),
        ("/proc/self/ns/user user:[1]", "not shown"),
        ("", "/usr/sbin/sshd"),
        (None, "/usr/sbin/sshd"),
    ],
)
def test_a_process_in_another_user_namespace_may_have_chosen_its_path(namespaces: Any, expected: str) -> None:
    shown = sshd() if namespaces is ... else sshd(user_namespaces=namespaces)
    assert shown.get("executable", "not shown") == expected
    if expected.endswith("namespace)"):
        assert shown["executable_file"] == SSHD_FILE
        assert shown["root"] == {"uid": 100000, "gid": 200000}


def test_one_mark_is_enough() -> None:
    assert sshd(the_files_at_their_paths="")["executable"] == "/usr/sbin/sshd (in another mount namespace)"
    assert sshd(**{"executables ls -lnb": "/proc/7/exe /memfd:x\\ (deleted)"})["executable"] == "/memfd:x (deleted)"
    gone = sshd(**{"executables ls -lnb": "/proc/7/exe /usr/sbin/sshd\\ (deleted)"})
    assert gone["executable"] == "/usr/sbin/sshd (deleted) (in another user namespace)"


@pytest.mark.parametrize(
    ("changed", "file", "root"),
    [
        ({"files": None}, None, {"uid": 100000, "gid": 200000}),
        ({"folders": None}, SSHD_FILE, {"uid": 100000, "gid": 200000}),
        ({"user_namespaces": None}, ..., None),
        ({"user_namespaces": "/proc/self/ns/user user:[1]\n/proc/7/ns/user"}, ..., None),
        ({"user_namespaces": "/proc/self/ns/user user:[1]\n/proc/7/ns/user user:[1]"}, ..., {"uid": 0, "gid": 0}),
        ({"user_namespaces": ""}, ..., {"uid": 0, "gid": 0}),
        ({"maps_of_user_namespaces": None}, ..., None),
        ({"files": "-rwxr-xr-x 1 0 0 100 Mar  1  2026 /proc/1/exe"}, None, {"uid": 100000, "gid": 200000}),
        ({"files": "lrwxrwxrwx 1 0 0 100 Mar  1  2026 /proc/7/exe"}, None, {"uid": 100000, "gid": 200000}),
    ],
)
def test_what_ls_did_not_say_of_files_is_not_known(changed: dict[str, str | None], file: Any, root: dict[str, int] | None) -> None:
    shown = sshd(**changed)
    assert shown.get("root") == root
    if file is not ...:
        assert shown.get("executable_file") == file


@pytest.mark.parametrize(
    ("said", "access_list"),
    [
        ("-rwxrwxr-x+ 1 0 0 100 Mar  1  2026", True),
        ("-rwxrwxr-x  1 0 0 100 Mar  1  2026", False),
        ("-rwxrwxr-x. 1 0 0 100 Mar  1  2026", False),
        ("-rwxr-xr-x+ 1 0 0 100 Mar  1  2026", False),
        ("-rwxrwxr-x 1 0 0 100 2026-03-01 10:00", None),
    ],
)
def test_an_access_control_list_is_known_by_the_mark_of_an_ls_that_marks_it(said: str, access_list: bool | None) -> None:
    listed = {"files": f"{said} /proc/7/exe", "folders": "\n".join(f"d{said[1:]} {path}" for path in ("/", "/usr", "/usr/sbin"))}
    file = sshd(user_namespaces=OURS, **listed)["executable_file"]
    assert [one.get("access_list") for one in (file, *file["folders"])] == [access_list] * 4


@pytest.mark.parametrize(("said", "access_list"), [("-rwxrwxr-x", None), ("-rwxr-xr-x", False)])
def test_an_ls_that_knows_no_b_marks_no_access_control_list(said: str, access_list: bool | None) -> None:
    changed = {"executables ls -lnb": None, "executables ls -ln": SECTIONS["executables ls -lnb"], "folders": ""}
    listed = f"{said}    1 0        0              100 Mar  1  2026 /proc/7/exe"
    file = sshd(user_namespaces=OURS, files=listed, **changed)["executable_file"]
    assert file.get("access_list") == access_list


def test_a_user_namespace_without_a_root_has_none() -> None:
    assert sshd(maps_of_user_namespaces="/proc/7/uid_map: 5 5 1\n/proc/7/gid_map: 0 0 1")["root"] is None


@pytest.mark.parametrize("at_path", ["another", "none", None])
def test_what_is_at_the_path_of_a_deleted_file_is_told(at_path: str | None) -> None:
    deleted = {"executables ls -lnb": "/proc/7/exe /usr/sbin/sshd\\ (deleted)"}
    said = f"/proc/7/exe {at_path}" if at_path else ""
    shown = sshd(**deleted, at_the_paths_of_deleted_ones=said, user_namespaces=OURS)
    assert shown["executable"] == "/usr/sbin/sshd (deleted)"
    assert shown["executable_file"].get("at_path") == at_path
    assert "folders" not in shown["executable_file"]
