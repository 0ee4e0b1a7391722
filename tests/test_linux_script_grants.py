"""What the shell script's text about who may bind means: nothing is believed that could be forged, nothing that is missing is none."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from auditor import plugins
from auditor.evaluate import evaluate
from auditor.model import Stack
from auditor.policy import load
from auditor.tables import Tables
from tests.test_linux_script import SECTIONS, snapshot
from tests.test_linux_script import bundle as of_ports

TODAY = datetime.date(2026, 11, 21)
CAPABLE = "0000000000000400"
NONE = "0000000000000000"
INITIAL = "user:[4026531837]"
KTHREAD = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 1"
AUTHBIND = "ls ls -lnb\nnone /usr/lib/authbind/helper\nnone /usr/local/lib/authbind/helper\n" + "\n".join(
    f"none /etc/authbind{name}" for name in ("", "/byport", "/byaddr", "/byuid")
)
FOLDERS = "\n".join(f"drwxr-xr-x 2 0 0 96 Jan  1 2026 {path}" for path in ("/", "/usr", "/usr/bin", "/usr/lib", "/usr/lib/authbind"))
ROOT_MOUNT = "/proc/self/mountinfo:22 1 0:20 / / rw,relatime - ext4 /dev/sda rw"
HELPER = f"""\
ls ls -lnb
-rwsr-xr-x 1 0 0 14688 Jan  1 2026 /usr/lib/authbind/helper
mount 22 /usr/lib/authbind/helper
{ROOT_MOUNT}
{FOLDERS}
none /usr/local/lib/authbind/helper
mount 22 /etc/authbind
mount 22 /etc/authbind/byport
none /etc/authbind/byaddr
none /etc/authbind/byuid
drwxr-xr-x 2 0 0 96 Jan  1 2026 /etc/authbind
drwxr-xr-x 2 0 0 96 Jan  1 2026 /etc/authbind/byport
mount 22 /etc/authbind/byport/80
"""
FILE = f"""\
file /usr/bin/shop
has  cap_net_bind_service=ep
-rwxr-xr-x 1 0 0 100 Jan  1 2026 /usr/bin/shop
mount 22 /usr/bin/shop
{ROOT_MOUNT}
{FOLDERS}
compared"""
SEARCHED = "ls ls -lnb\n= in /usr/bin\n{}\n= in unit\n= in process"


def rights(pid: str, uid: int, effective: str = CAPABLE, task: str = "") -> str:
    path = f"/proc/{pid}{task}/status"
    lines = ["Name:\tx", f"Uid:\t0\t{uid}\t{uid}\t{uid}", "VmSize:\t   100 kB", f"CapPrm:\t{effective}", f"CapEff:\t{effective}",
             f"CapAmb:\t{NONE}", "NoNewPrivs:\t0", "Seccomp:\t0"]  # fmt: skip
    return "\n".join(f"{path}:{line}" for line in lines)


STATUS = rights("1", 0) + "\n" + rights("7", 33)
GRANTS: dict[str, str | None] = {
    "began": f"{SECTIONS['began']}\n/proc/2/stat:{KTHREAD}",
    "began again": f"{SECTIONS['began again']}\n/proc/2/stat:{KTHREAD}",
    "tables of": f"{SECTIONS['tables of']}\n2 4026531910",
    "namespaces": f"{SECTIONS['namespaces']}\n/proc/2/ns/net net:[4026531840]",
    "descriptors": "1:\n2:\n7:\n100",
    "user namespaces": "\n".join(f"/proc/{pid}/ns/user {INITIAL}" for pid in ("self", "1", "2", "7")),
    "maps of user namespaces": "/proc/self/uid_map:         0          0 4294967295",
    "status": f"{STATUS}\n/proc/2/status:Name:\tkthreadd\n/proc/2/status:Uid:\t0\t0\t0\t0\n/proc/2/status:CapEff:\t{CAPABLE}",
    "status of threads": "", "of this run": "99",
    "files": "\n".join(f"-rwxr-xr-x 1 0 0 100 Mar  1  2026 /proc/{one}/exe" for one in (1, 7)),
}  # fmt: skip


def bundle(
    authbind: str = AUTHBIND, files: str = SEARCHED.format(""), units: str = "= links", errors: str = "", **changed: str | None
) -> str:
    """A host where root's process 1 and a daemon of user 33 have the capability."""
    sections = {**GRANTS, **{name.replace("_", " "): text for name, text in changed.items()}}
    ports = of_ports(
        head="% byteorder little\n% asked grants,ports,units\n", **{name.replace(" ", "_"): text for name, text in sections.items()}
    )
    told = {"authbind": authbind, "granting-files": files, "service-units": units, "socket-units": "= links"}
    answers = "".join(
        f"@ {name}\n$ builtin:sh-{name}\n" + "".join(f"| {line}\n" for line in f"{text}\n= end".split("\n") if line)
        + "".join(f"! {line}\n" for line in errors.split("\n") if line and name == "granting-files") + "? 0\n"
        for name, text in told.items()
    )  # fmt: skip
    security = "@ security-modules\n$ cat /sys/fs/selinux/enforce\n| 1\n? 0\n"
    security += "".join(
        f"@ security-modules\n$ cat {path}\n? absent\n" for path in ("/sys/kernel/security/lsm", "/sys/module/apparmor/parameters/enabled")
    )
    return ports.removesuffix(".\n") + answers + security + ".\n"


def stack(text: str) -> Stack:
    (found,) = snapshot(text).stacks.seen
    return found


def grants(text: str) -> dict[str, dict[str, Any]]:
    return {str(one): one.to_json() for one in stack(text).grants.seen}


def gaps(text: str) -> list[str]:
    return [gap.why for gap in stack(text).grants.gaps]


def test_a_whole_bundle_tells_who_may_bind_and_leaves_nothing_unknown() -> None:
    found = grants(bundle())
    assert found.keys() == {"root root", "process /usr/sbin/sshd as uid 33 in ssh.service"}
    assert (found["root root"]["processes"], found["process /usr/sbin/sshd as uid 33 in ssh.service"]["processes"]) == (1, 1)
    assert found["process /usr/sbin/sshd as uid 33 in ssh.service"]["bound"] == ["tcp/0.0.0.0:22"]
    assert gaps(bundle()) == []


LOST = ["user namespaces", "status", "status of threads", "began", "began again", "tables of"]


@pytest.mark.parametrize("section", LOST)
def test_a_section_that_is_missing_is_never_nothing_found(section: str) -> None:
    assert gaps(bundle(**{section: None}))


@pytest.mark.parametrize("probe", ["authbind", "granting-files", "service-units"])
def test_an_answer_that_is_missing_is_never_nothing_found(probe: str) -> None:
    before, _, rest = bundle().partition(f"@ {probe}\n")
    assert gaps(before + rest[rest.index("\n@ ") + 1 :])
    assert gaps(bundle().replace(f"@ {probe}\n$ builtin:sh-{probe}\n", f"@ {probe}\n$ builtin:sh-{probe}\n| garbage\n"))


def test_without_a_thread_of_the_kernel_or_lsns_whose_the_network_namespace_is_is_not_known() -> None:
    alone = {"began": SECTIONS["began"], "began_again": SECTIONS["began again"], "tables_of": SECTIONS["tables of"]}
    text = bundle(**alone)
    assert "which user namespace owns this network namespace was not told" in gaps(text)
    assert not [one for one in grants(text) if one.startswith("process")]
    assert gaps(bundle(**alone, owners_of_namespaces="4026531840 4026531837")) == []
    assert gaps(bundle(**alone, owners_of_namespaces="4026531840 0"))


def test_the_capability_of_a_process_in_another_user_namespace_does_not_count_here() -> None:
    users = f"/proc/self/ns/user {INITIAL}\n/proc/1/ns/user {INITIAL}\n/proc/7/ns/user user:[4026532000]"
    assert grants(bundle(user_namespaces=users)).keys() == {"root root"}


def test_a_process_whose_user_namespace_may_not_be_read_is_taken_for_this_ones_by_its_map_alone() -> None:
    users = f"/proc/self/ns/user {INITIAL}\n/proc/1/ns/user {INITIAL}\n/proc/7/ns/user"
    maps = "/proc/self/uid_map: 0 0 4294967295\n/proc/7/uid_map:  0 {} 4294967295"
    same = grants(bundle(user_namespaces=users, maps_of_user_namespaces=maps.format(0)))
    assert any("by its map of users" in step for one in same.values() for step in one["via"])
    assert len(grants(bundle(user_namespaces=users, maps_of_user_namespaces=maps.format(5)))) == 1
    assert gaps(bundle(user_namespaces=users))


def test_the_scripts_own_shell_and_what_comes_of_it_are_not_counted() -> None:
    own = "/proc/99/stat:99 (sh) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 950"
    child = "/proc/98/stat:98 (sh) S 99 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 951"
    both: dict[str, str | None] = {name: f"{GRANTS[name.replace('_', ' ')]}\n{own}\n{child}" for name in ("began", "began_again")}
    both |= {"descriptors": "1:\n2:\n7:\n100\n98:\n99:", "user_namespaces": f"{GRANTS['user namespaces']}\n/proc/98/ns/user {INITIAL}"}
    both["user_namespaces"] = f"{both['user_namespaces']}\n/proc/99/ns/user {INITIAL}"
    more = f"{GRANTS['tables of']}\n99 4026531910\n98 4026531910"
    status = f"{GRANTS['status']}\n{rights('99', 0)}\n{rights('98', 0)}"
    assert grants(bundle(**both, tables_of=more, status=status))["root root"]["processes"] == 1
    assert grants(bundle(**both, tables_of=more, status=status, of_this_run="5"))["root root"]["processes"] == 3


def test_a_thread_whose_first_one_ended_is_looked_at_itself() -> None:
    status = rights("1", 0) + "\n/proc/7/status:Name:\tx\n/proc/7/status:Uid:\t33\t33\t33\t33\n/proc/7/status:CapEff:\t" + CAPABLE
    text = bundle(status=f"{status}\n/proc/2/status:Uid:\t0\t0\t0\t0", status_of_threads=rights("7", 33, task="/task/8"),
                  tables_of=f"{GRANTS['tables of']}\n7/task/8 4026531910")  # fmt: skip
    assert "process /usr/sbin/sshd as uid 33 in ssh.service" in grants(text)


@pytest.mark.parametrize(
    ("said", "ports"),
    [
        (" cap_net_bind_service=ep", [[1, 1023]]), (" = cap_net_bind_service+ep", [[1, 1023]]), (" =ep", [[1, 1023]]),
        (" cap_chown,cap_net_bind_service=i", []), (" cap_net_bind_service=ep [rootid=1000]", []), (" cap_net_raw=ep", None),
        (" cap_net_bind_service=ep cap_net_bind_service-p", None),
    ],
)  # fmt: skip
def test_getcaps_words_are_what_the_file_gives(said: str, ports: list[Any] | None) -> None:
    text = bundle(files=SEARCHED.format(FILE.replace(" cap_net_bind_service=ep", said)))
    found = grants(text).get("file-capability /usr/bin/shop")
    assert gaps(text) == []
    assert (found and found["ports"]) == ports
    if found:
        assert found["via"][0].startswith("/usr/bin/shop has the extended attribute security.capability: cap_net_bind_service=")


def test_what_ls_and_mountinfo_say_of_a_file_counts() -> None:
    found = grants(bundle(files=SEARCHED.format(FILE)))["file-capability /usr/bin/shop"]
    assert (found["everyone"], found["interpreter"], found["file"]["mode"]) == (True, None, "0755")
    closed = (
        FILE.replace("-rwxr-xr-x 1", "-rwxr-x--- 1").replace("rw,relatime", "rw,nosuid").replace("\ncompared", "\nsame /usr/bin/python3")
    )
    found = grants(bundle(files=SEARCHED.format(closed)))["file-capability /usr/bin/shop"]
    assert (found["everyone"], found["ports"], found["interpreter"]) == (False, [], "python")
    bare = grants(bundle(files=SEARCHED.format("file /usr/bin/shop\nhas  cap_net_bind_service=ep")))["file-capability /usr/bin/shop"]
    assert not {"everyone", "ports", "interpreter", "file"} & bare.keys()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("odd x cap_net_bind_service=ep", "what getcap says cannot be read"), ("failed 124", "what getcap says cannot be read"),
        (f"{FILE}\n{FILE}", "getcap names it twice"), ("unread /usr/bin", "could not be looked at (Permission denied)"),
        ("remote path nfs4 /usr/bin", "what is on file systems of kind nfs4 is not searched"), ("file /usr/bin/shop", "cannot be read"),
        ("file /usr/bin/shop\nhas  cap_net_bind_service:ep", "cannot be read"),
    ],
)  # fmt: skip
def test_what_was_not_looked_at_is_a_gap(lines: str, why: str) -> None:
    assert any(why in said for said in gaps(bundle(files=SEARCHED.format(lines))))


def test_without_getcap_it_is_said_what_to_install() -> None:
    assert any("getcap is not installed (libcap2-bin of Debian" in why for why in gaps(bundle(files="= no getcap")))


@pytest.mark.parametrize(("error", "harmless"), [
    ("Failed to get capabilities of file '/usr/bin/x' (Operation not supported)", True), ("/usr/bin/x (No such file or directory)", True),
    ("/usr/bin/x (Permission denied)", False), ("sh: getcap: Exec format error", False),
])  # fmt: skip
def test_what_getcap_complains_of_is_a_gap_where_a_capability_may_be_lost(error: str, harmless: bool) -> None:
    assert (gaps(bundle(errors=error)) == []) == harmless


@pytest.mark.parametrize(
    ("listed", "scope", "why"),
    [
        ("-rwxr-xr-x 1 0 0 0 Jan  1 2026 /etc/authbind/byport/80", "everyone", None),
        ("-rwxr-x--- 1 0 33 0 Jan  1 2026 /etc/authbind/byport/80", "group 33", None),
        ("-rwxr-x---+ 1 0 33 0 Jan  1 2026 /etc/authbind/byport/80", None, "who may execute it is not known"),
        ("-rwx------+ 1 0 33 0 Jan  1 2026 /etc/authbind/byport/80", None, None),
        ("", None, "who may execute it is not known"),
    ],
)
def test_the_modes_of_authbinds_files_say_who_may_bind(listed: str, scope: str | None, why: str | None) -> None:
    text = bundle(authbind=HELPER + listed)
    found = [one["scope"] for one in grants(text).values() if one["path"] == "authbind"]
    assert found == ([scope] if scope else [])
    assert gaps(text) == ([f"/etc/authbind/byport/80: {why}"] if why else [])


def test_an_ls_that_marks_no_access_control_list_leaves_open_who_may_bind() -> None:
    listed = "-rwxr-xr-x 1 0 0 0 Jan  1 2026 /etc/authbind/byport/80"
    assert gaps(bundle(authbind=(HELPER + listed).replace("ls ls -lnb", "ls ls -ln")))


def test_links_and_unread_files_of_authbinds_are_gaps() -> None:
    linked = HELPER.replace("mount 22 /etc/authbind/byport/80", "link /etc/authbind/byport/80")
    assert gaps(bundle(authbind=linked)) == ["/etc/authbind/byport/80: it is a link, which the script does not follow"]
    unread = HELPER.replace("mount 22 /etc/authbind/byport/80\n", "unread /etc/authbind/byport Permission denied\n")
    assert gaps(bundle(authbind=unread)) == ["/etc/authbind/byport: Permission denied"]


ETC = "/etc/systemd/system"
SHOP = "file /etc/systemd/system/shop.service\n2 User=web\n3 AmbientCapabilities=CAP_NET_BIND_SERVICE\n4 ExecStart=/usr/sbin/shop"


@pytest.mark.parametrize(
    ("units", "subjects", "why"),
    [
        (SHOP, ["unit shop.service as user web"], None),
        (f"{SHOP}\nfile /run/systemd/system/shop.service\n2 User=root", ["unit shop.service as user web"], None),
        (f"{SHOP}\nunread /run/systemd/system/shop.service", ["unit shop.service as user web"], None),
        ("unread /etc/systemd/system/shop.service", [], "/etc/systemd/system/shop.service: may not be read"),
        (f"{SHOP}\nunread /etc/systemd/system/shop.service.d/", [], "/etc/systemd/system/shop.service.d/: may not be read"),
        (f"{SHOP}\nunread /run/systemd/system", [], "/run/systemd/system: may not be read"),
        (f"{SHOP}\nodd", [], "a line about service units cannot be read"),
        (f"2 User=web\n{SHOP}", [], "a line about service units cannot be read"),
        (f"masked {ETC}/shop.service\n{SHOP.replace('/etc', '/run')}\n= links\nlink {ETC}/shop.service\nto /dev/null", [], None),
        (f"{SHOP}\n= links\nrefused /etc/systemd/system/x.wants", ["unit shop.service as user web"], "could not be read"),
    ],
)  # fmt: skip
def test_units_are_told_of_where_all_that_counts_was_read(units: str, subjects: list[str], why: str | None) -> None:
    text = bundle(units=units if "= links" in units else f"{units}\n= links")
    assert [one for one in grants(text) if one.startswith("unit ")] == subjects
    said = gaps(text)
    assert (why is None and said == []) or any(why in one for one in said if why)


@pytest.mark.parametrize("line", ["4?ExecStart", "4 ExecStart=/usr/sbin/caf\x01\x01"])
def test_a_program_that_cannot_be_told_is_not_shown(line: str) -> None:
    found = grants(bundle(units=SHOP.replace("4 ExecStart=/usr/sbin/shop", line) + "\n= links"))
    assert "executable" not in found["unit shop.service as user web"]


def test_what_the_script_never_asks_is_not_checked_and_never_passed() -> None:
    seen = snapshot(bundle())
    asked = [rule for rule in plugins.rules().values() if {"bind-programs", "endpoints"} & set(rule.needs)]
    assert len(asked) > 1
    found = evaluate(seen, load("baseline", plugins.rule_parameters()), Tables(), asked, TODAY)
    assert {one.outcome for one in found} <= {"notchecked", "notselected"}
    assert any("a shell script cannot call bpf(2)" in limit for limit in seen.limits)


@pytest.mark.parametrize("told", [None, 5, "program", {"program": 1}, [], ["portacl"]])
def test_a_snapshot_from_elsewhere_may_say_anything_of_what_was_never_looked_for(told: Any) -> None:
    seen = snapshot(bundle())
    seen.shown["visibility"] = {"never_looked_for": told}
    (rule,) = [rule for rule in plugins.rules().values() if rule.name == "bind-program-unexplained"]
    (finding,) = evaluate(seen, load("baseline", plugins.rule_parameters()), Tables(), [rule], TODAY)
    assert finding.outcome == "pass"
