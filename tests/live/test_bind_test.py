"""Bind tests on made hosts: what the kernel gives is what the facts promise, unless something interferes; and nothing is touched that is
somebody's."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from auditor.bind_prediction import Comparison
from auditor.binding import Measured
from auditor.child import CHILD_ENVIRONMENT
from auditor.live import bind_attempts
from auditor.model import Snapshot
from tests import bind_program
from tests.hosts import NEEDED, NOBODY, WEB, Done, Host, as_if_initial, host, interpreted, listener, stack

pytestmark = NEEDED
THRESHOLD, RANGE = "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_port_range"
ADDRESSES = {
    f"{protocol}/{address}" for protocol in ("tcp", "udp") for address in ("0.0.0.0", "127.0.0.1", "10.0.0.5", "[::]", "[::1]", "[fd00::5]")
}
MACHINES = {"x86_64": (0xC000003E, 49), "aarch64": (0xC00000B7, 200)}
"""AUDIT_ARCH and the number of bind(2)."""
REFUSING = """
import ctypes, os, struct, sys
ARCH, BIND = {arch}, {bind}
code = [(0x20, 0, 0, 4), (0x15, 0, 3, ARCH), (0x20, 0, 0, 0), (0x15, 0, 1, BIND), (0x06, 0, 0, 0x00050000 | 13), (0x06, 0, 0, 0x7FFF0000)]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in code))
filter = struct.pack("HxxxxxxQ", len(code), ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
assert not libc.prctl(38, 1, 0, 0, 0) and not libc.prctl(22, 2, filter, 0, 0), ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
"""


def on_a_lan(made: Host) -> None:
    """Addresses beside loopback, so that there is a specific one of each family."""
    made.ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
    made.ip("link", "set", "lan0", "addrgenmode", "none", "up")
    made.ip("addr", "add", "10.0.0.5/24", "dev", "lan0")
    made.ip("addr", "add", "fd00::5/64", "dev", "lan0", "nodad")


class Tried:
    """A bind test inside a made host, as a `user`, or as one that the `prefix` makes it."""

    def __init__(self, made: Host, *words: str, user: int | None = None, prefix: tuple[str, ...] = (), prefix_user: int = 0) -> None:
        uid = user or prefix_user
        made.run("install", "-d", "-o", str(uid), f"{made.stage}/of-{uid}", check=True)
        path = f"{made.stage}/of-{uid}/evidence"
        self.done: Done = made.auditor("bind-test", "-o", path, *words, user=user, prefix=prefix)
        assert self.done.code in (0, 1, 3), self.done.err
        self.bundle = as_if_initial(Path(f"/proc/{made.pid}/root{path}").read_bytes())
        self.snapshot: Snapshot = interpreted(self.bundle)

    def measured(self, name: str = "host") -> dict[str, Measured]:
        return {str(one).removeprefix("bind ").partition(" ")[0]: one for one in stack(self.snapshot, name).measured.seen}

    def compared(self, name: str = "host") -> dict[str, Comparison]:
        return {where: Comparison(stack(self.snapshot, name), one) for where, one in self.measured(name).items()}

    def differing(self, name: str = "host") -> list[str]:
        return sorted(where for where, one in self.compared(name).items() if one.differs)

    def lowest(self, name: str = "host") -> set[int | None]:
        return {one.lowest for one in self.measured(name).values() if not self.compared(name)[str(one).split(" ")[1]].absent}

    def as_promised(self, name: str = "host") -> None:
        compared = self.compared(name)
        assert compared
        assert not self.differing(name), [one.message for one in compared.values() if one.differs]
        assert not [str(one.doubt) for one in compared.values() if one.doubt]


@pytest.mark.parametrize("threshold", [0, 80, 1024, 2000])
def test_the_lowest_port_that_can_be_taken_is_the_threshold_on_every_address(threshold: int) -> None:
    with host() as made:
        on_a_lan(made)
        made.sysctl(THRESHOLD, str(threshold))
        tried = Tried(made)
    assert set(tried.measured()) == ADDRESSES
    tried.as_promised()
    assert tried.lowest() == {max(threshold, 1)}
    assert {one.prediction.lowest for one in tried.compared().values()} == {max(threshold, 1)}
    assert tried.done.code == 0
    assert {(one.uid, tuple(one.gids), one.capable, one.executed) for one in tried.measured().values()} == {
        (NOBODY, (NOBODY,), False, False)
    }


@pytest.mark.parametrize(("ports", "parity"), [("40000\t40099", 1), ("40001\t40100", 0)])
def test_what_the_kernel_chooses_is_of_the_range_and_for_tcp_of_the_parity_that_its_first_port_has_not(ports: str, parity: int) -> None:
    first, last = map(int, ports.split())
    with host() as made:
        made.sysctl(RANGE, ports)
        tried = Tried(made)
    tried.as_promised()
    for where, one in tried.measured().items():
        assert len(one.automatic) == 48
        assert all(first <= port <= last for port in one.automatic)
        if where.startswith("tcp"):
            assert {port % 2 for port in one.automatic} == {parity}
    said = [line for line in tried.done.out.decode().split("\n") if line.startswith("  tcp/")]
    assert said
    assert all(f", {'odd' if parity else 'even'}, no order" in line for line in said)


def test_ten_ports_are_enough_to_be_tried_and_a_reserved_one_is_never_given() -> None:
    with host() as made:
        made.sysctl(RANGE, "40000\t40009")
        made.sysctl("net.ipv4.ip_local_reserved_ports", "40003")
        tried = Tried(made)
    tried.as_promised()
    given = {port for one in tried.measured().values() for port in one.automatic}
    assert given
    assert given <= set(range(40000, 40010)) - {40003}


def test_every_port_up_to_1024_is_tried_where_that_is_asked_for() -> None:
    with host() as made:
        made.sysctl(THRESHOLD, "443")
        tried = Tried(made, "--every")
    tried.as_promised()
    for one in tried.measured().values():
        results = {attempt.port: attempt.result for attempt in one.attempts}
        assert [results[port] for port in range(1, 1025)] == ["EACCES"] * 442 + ["ok"] * 582


def python_of_its_own(made: Host, name: str = "own") -> str:
    """A copy of the interpreter that everybody may run and that finds its library."""
    path = made.program(f"{name}/bin/python3")
    if made.interpreter.startswith(made.stage):
        made.link(f"{made.stage}/{name}/lib", f"{made.stage}/python/lib")
    return path


SETCAP = pytest.mark.skipif(shutil.which("setcap") is None, reason="needs setcap (package libcap2-bin)")


@SETCAP
def test_a_python_whose_file_has_the_capability_takes_what_is_promised_to_it_and_a_fork_of_ours_does_not() -> None:
    with host() as made:
        path = python_of_its_own(made)
        made.run("setcap", "cap_net_bind_service=ep", path, check=True)
        tried = Tried(made, "--python", path)
        forked = Tried(made)
    tried.as_promised()
    assert tried.lowest() == {1}
    assert {(one.python, one.executed, one.capable) for one in tried.measured().values()} == {(path, True, True)}
    assert tried.done.code == 0, tried.done.out.decode()
    forked.as_promised()
    assert forked.lowest() == {1024}


@SETCAP
def test_under_no_new_privs_a_file_gives_nothing_and_that_is_told_as_the_cause() -> None:
    with host() as made:
        path = python_of_its_own(made)
        made.run("setcap", "cap_net_bind_service=ep", path, check=True)
        tried = Tried(made, "--python", path, prefix=("setpriv", "--no-new-privs", "--"))
    assert tried.lowest() == {1024}
    assert tried.done.code == 1
    assert len(tried.differing()) == len(tried.measured())
    for one in tried.compared().values():
        assert not one.taken
        assert "no_new_privs, under which files grant nothing" in one.cause


def test_a_python_without_the_capability_is_as_any_other() -> None:
    with host() as made:
        tried = Tried(made, "--python", python_of_its_own(made))
    tried.as_promised()
    assert tried.lowest() == {1024}


AUTHBIND = pytest.mark.skipif(shutil.which("authbind") is None, reason="needs authbind (package authbind)")


def allow(made: Host, **files: int) -> None:
    """Files of authbind's, by name and mode; `_` is `/`."""
    for folder in ("byport", "byaddr", "byuid"):
        made.run("mkdir", "-p", f"/etc/authbind/{folder}", check=True)
    for name, mode in files.items():
        made.write(f"/etc/authbind/{name.replace('_', '/')}", "", mode)


@AUTHBIND
def test_authbind_gives_the_ports_of_its_files_and_no_other() -> None:
    with host() as made:
        allow(made, byport_80=0o777, byport_81=0o644, byport_443=0o755, **{"byport_!631": 0o755, "byport_700": 0o755})
        tried = Tried(made, "--launcher", "authbind --deep", "--python", made.interpreter)
    tried.as_promised()
    assert tried.lowest() == {80}
    for one in tried.measured().values():
        assert one.through == "/usr/bin/authbind --deep"
        results = {attempt.port: attempt.result for attempt in one.attempts}
        below = {port for port, result in results.items() if 0 < port < 1024 and result == "ok"}
        assert below == {80, 443, 631}
        assert (results[81], results[700]) == ("EACCES", "EPERM")


@AUTHBIND
def test_authbind_gives_to_a_group_and_on_one_address_and_by_a_users_lines() -> None:
    with host() as made:
        on_a_lan(made)
        allow(made, byport_80=0o710, **{"byaddr_127.0.0.1:90": 0o755, "byaddr_::1,91": 0o755})
        made.run("chgrp", str(WEB), "/etc/authbind/byport/80", check=True)
        made.write(f"/etc/authbind/byuid/{WEB}", "10.0.0.0/8,100-110\n::/0,120\n")
        python = ("--launcher", "authbind", "--python", made.interpreter)
        web, nobody = Tried(made, "--user", "web", *python), Tried(made, *python)
    for tried in (web, nobody):
        tried.as_promised()

    def below(one: Measured) -> set[int]:
        return {attempt.port for attempt in one.attempts if 0 < attempt.port < 1024 and attempt.result == "ok"}

    expected = {"0.0.0.0": {80}, "127.0.0.1": {80, 90}, "10.0.0.5": {80, 100, 101, 109, 110}, "[::]": {80, 120}, "[::1]": {80, 91, 120},
                "[fd00::5]": {80, 120}}  # fmt: skip
    assert {where: below(one) for where, one in web.measured().items()} == {
        f"{protocol}/{address}": ports for protocol in ("tcp", "udp") for address, ports in expected.items()
    }
    assert {where.partition("/")[2]: below(one) for where, one in nobody.measured().items() if below(one)} == {
        "127.0.0.1": {90},
        "[::1]": {91},
    }


def in_group(group: str) -> tuple[str, ...]:
    return ("sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', group)


@bind_program.NEEDED
def test_a_bpf_program_that_waives_the_capability_makes_it_differ_and_is_named() -> None:
    with host() as made:
        if made.group is None:
            pytest.skip("needs a control group (cgroup2) that can be written")
        with bind_program.attached(folder=f"{made.group}/open") as group:
            tried = Tried(made, prefix=in_group(group))
        before = Tried(made)
    assert tried.done.code == 1
    assert tried.lowest() == {1}
    assert tried.differing() == sorted(tried.measured())
    for one in tried.compared().values():
        assert "could be taken that nothing promises, 1 the lowest (lowest promised 1024, lowest taken 1; " in one.message
        assert re.search(r"it may be by the BPF program opener \(tag [0-9a-f]+\) at bind[46] of control group [^,]*/open$", one.cause)
    assert "DIFFERS" in tried.done.out.decode()
    before.as_promised()


@bind_program.NEEDED
def test_a_bpf_program_that_refuses_makes_it_differ_the_other_way() -> None:
    with host() as made:
        if made.group is None:
            pytest.skip("needs a control group (cgroup2) that can be written")
        with bind_program.attached(bind_program.REFUSE, (bind_program.BIND4,), folder=f"{made.group}/closed") as group:
            tried = Tried(made, prefix=in_group(group))
    assert tried.differing() == sorted(where for where in tried.measured() if "[" not in where)
    for where in tried.differing():
        one = tried.compared()[where]
        assert not one.taken
        assert one.refused[0].port == 0
        assert "refused (EPERM)" in one.message
        assert "BPF program opener" in one.cause


def test_a_seccomp_filter_that_refuses_is_seen_on_what_tried() -> None:
    arch, number = MACHINES.get(os.uname().machine, (0, 0))
    if not number:
        pytest.skip(f"the number of bind(2) on {os.uname().machine} is not known")
    with host() as made:
        made.write(f"{made.stage}/refuse.py", REFUSING.format(arch=arch, bind=number), 0o755)
        launcher = f"{made.interpreter} -I {made.stage}/refuse.py"
        tried = Tried(made, "--launcher", launcher, "--python", made.interpreter)
    assert tried.done.code == 1
    assert tried.differing() == sorted(tried.measured())
    for one in tried.compared().values():
        assert one.cause == "it may be by a seccomp filter, or by no_new_privs, under which files grant nothing"
        assert "bind of port 0, which leaves the choice to the kernel, was refused (EACCES)" in one.message


STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace (package strace)")


@STRACE
def test_no_port_is_touched_that_is_in_use_or_named_and_nothing_is_listened_on() -> None:
    approved = "  approved:\n  - {name: shop, port: [81, 9000-9009], protocol: tcp}\n"
    policy = f"policy: 1\nlistening:\n{approved}  forbidden:\n  - {{name: telnet, port: 23, why: cleartext}}\n"
    with host() as made:
        made.sysctl(THRESHOLD, "0")
        made.start(listener("tcp", "127.0.0.1", 80), listener("udp", "0.0.0.0", 1023), listener("tcp", "127.0.0.1", 22, listen=False))
        made.write("/etc/systemd/system/web.socket", "[Socket]\nListenStream=443\nListenDatagram=[::1]:53\nExecStartPre=/bin/x 25\n")
        made.write("/etc/systemd/system/echo@7.socket", "[Socket]\nListenStream=%i\n")
        made.write(f"{made.stage}/site.yaml", policy)
        log = f"{made.stage}/strace.log"
        tried = Tried(made, "--every", "-p", f"{made.stage}/site.yaml",
                      prefix=("strace", "-f", "-qq", "-e", "trace=bind,listen,setsockopt", "-o", log))  # fmt: skip
        calls = Path(f"/proc/{made.pid}/root{log}").read_text()
    ports = {int(port) for port in re.findall(r"sin6?_port=htons\(([0-9]+)\)", calls)}
    assert "listen(" not in calls
    assert "SO_REUSE" not in calls
    assert {24, 25, 82, 444, 1022, 1024} <= ports
    assert not ports & {22, 80, 1023, 81, 23, 443, 53, 7, *range(9000, 9010)}
    tried.as_promised()
    (left_out,) = {tuple(one.left_out) for one in tried.measured().values()}
    assert left_out == ("in use: 22, 80, 1023", "named in the policy: 23, 81, 9000-9009", "named in unit files: 7, 53, 443")
    for reason in left_out:
        assert f"  left out, {reason}\n" in tried.done.out.decode()


def test_each_stack_that_can_be_entered_is_tried_and_one_can_be_chosen() -> None:
    with host() as made:
        made.start(listener("tcp", "0.0.0.0", 80), namespace=True, group=f"docker-{'5f' * 32}.scope", sysctls={THRESHOLD: "0"})
        made.order("mounted namespace", name="blue", sysctls={THRESHOLD: "81"})
        every, one = Tried(made), Tried(made, "--stack", "blue")
    name = f"container:{'5f' * 6}"
    for stack_name, lowest in (("host", 1024), (name, 1), ("blue", 81)):
        every.as_promised(stack_name)
        assert every.lowest(stack_name) == {lowest}
    assert every.done.code == 0
    assert every.measured(name)["tcp/0.0.0.0"].left_out[0] == "in use: 80"
    assert one.measured("host") == {}
    assert one.lowest("blue") == {81}
    assert one.done.code == 0
    assert one.done.out.startswith(b"blue\n")


def test_who_owns_the_user_namespace_of_a_stack_takes_its_ports_and_others_do_not() -> None:
    with host() as made:
        shown = made.run("unshare", "--user", "--map-root-user", "--net", "true", user=WEB)
        if shown.code:
            pytest.skip(f"user namespaces are refused here: {shown.err.strip()}")
        code = "import ctypes, signal\nassert not ctypes.CDLL(None).unshare(0x50000000)\nprint('up', flush=True)\nsignal.pause()\n"
        with made.running(made.interpreter, "-I", "-c", code, user=WEB) as owning:
            nobody, owner = Tried(made), Tried(made, "--user", "web")
    assert owning.said == "up"
    (name,) = [one.name for one in owner.snapshot.stacks.seen if one.name != "host"]
    for tried, lowest in ((nobody, 1024), (owner, 1)):
        tried.as_promised(name)
        assert {one.namespace_owner for one in tried.measured(name).values()} == {WEB}
        assert tried.lowest(name) == {lowest}
        assert tried.lowest() == {1024}


def test_an_ordinary_user_tries_as_itself_and_says_of_other_stacks_that_it_could_not() -> None:
    with host() as made:
        alone = Tried(made, user=WEB)
        made.start(listener("tcp", "0.0.0.0", 80), namespace=True)
        tried = Tried(made, user=WEB)
    alone.as_promised()
    assert {(one.uid, tuple(one.gids)) for one in alone.measured().values()} == {(WEB, (WEB,))}
    assert alone.lowest() == {1024}
    tried.as_promised()
    (other,) = [one for one in tried.snapshot.stacks.seen if one.name != "host"]
    assert "could not be entered" in other.measured.gaps[0].why
    assert tried.done.code == 3


def test_a_capability_that_an_ordinary_user_has_is_given_up_first() -> None:
    ambient = ("setpriv", f"--reuid={WEB}", f"--regid={WEB}", "--clear-groups", "--inh-caps=+net_bind_service",
               "--ambient-caps=+net_bind_service", "--")  # fmt: skip
    with host() as made:
        bare = made.run(*ambient, made.interpreter, "-c", "import socket; socket.socket().bind(('', 80))")
        tried = Tried(made, prefix=ambient, prefix_user=WEB)
    assert bare.code == 0, bare.err
    tried.as_promised()
    assert tried.lowest() == {1024}


def test_root_that_may_become_nobody_else_tries_nothing() -> None:
    with host() as made:
        done = made.auditor("bind-test", prefix=("setpriv", "--bounding-set=-setuid", "--"))
    assert done.code == 2
    assert "this run is root and may become nobody else" in done.err


def test_a_launcher_that_makes_itself_root_is_refused() -> None:
    with host() as made:
        made.run("mkdir", f"{made.stage}/low", check=True)
        made.run("cp", shutil.which("setpriv") or "/usr/bin/setpriv", f"{made.stage}/low/root", check=True)
        made.run("chmod", "4755", f"{made.stage}/low/root", check=True)
        tried = Tried(made, "--launcher", f"{made.stage}/low/root --reuid=0 --", "--python", made.interpreter)
    assert tried.measured() == {}
    assert "made itself root" in stack(tried.snapshot).measured.gaps[0].why
    assert tried.done.code == 3


def test_a_python_that_the_user_may_not_run_is_told() -> None:
    with host() as made:
        path = python_of_its_own(made)
        made.run("chmod", "700", path, check=True)
        done = made.auditor("bind-test", "--python", path)
    assert f"--python {path} is no Python (3.7 or later) that user nobody (65534:65534) can run: {path}: Permission denied" in done.err
    assert "name one that this user may run, with --python" in done.err
    assert (done.code, done.out) == (2, b"")


@AUTHBIND
def test_a_launcher_starts_the_hosts_own_python_where_none_was_named() -> None:
    own = shutil.which("python3", path=CHILD_ENVIRONMENT["PATH"])
    if own is None:
        pytest.skip("needs a python3 in the fixed PATH")
    with host() as made:
        allow(made, byport_80=0o777)
        tried = Tried(made, "--launcher", "authbind --deep")
    tried.as_promised()
    assert tried.lowest() == {80}
    assert {one.python for one in tried.measured().values()} == {os.path.realpath(own)}
    assert b"only as honest as that user's other processes" in b" ".join(tried.done.out.split())


AS_ANOTHER = """
import ctypes, os, resource, sys
from auditor.live import bind_attempts
from auditor.live.drop import User, run_as
os.dup2(os.open("/", os.O_RDONLY), 9)
def task():
    open_ones = [number for number in range(3, 64) if os.path.exists(f"/proc/self/fd/{number}")]
    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
    os.write(1, repr((open_ones, dumpable, resource.getrlimit(resource.RLIMIT_CORE), os.read(0, 99))).encode())
user = os.geteuid() or 65534
said = run_as(User(user, user), None, task, b"plan", 10, {})
print(said.status, said.stdout.decode(), said.stderr.decode())
"""


@pytest.mark.parametrize("user", [None, WEB])
def test_a_child_has_no_descriptor_of_ours_and_is_closed_to_other_processes_of_its_user(user: int | None) -> None:
    with host() as made:
        done = made.run(made.interpreter, "-c", AS_ANOTHER, user=user)
    assert done.out.decode().strip() == "0 ([], 0, (0, 0), b'plan')", done.err


@STRACE
def test_the_memory_is_closed_before_the_last_capability_is_gone_whatever_the_system_has_set() -> None:
    with host() as made:
        log = f"{made.stage}/strace.log"
        words = ("strace", "-f", "-qq", "-e", "trace=prctl,setresuid,capset", "-o", log, made.interpreter, "-c", AS_ANOTHER)
        made.run(*words, check=True)
        calls = Path(f"/proc/{made.pid}/root{log}").read_text()
    steps = ("PR_SET_KEEPCAPS, 1", "setresuid(65534, 65534, 65534", "PR_SET_DUMPABLE, SUID_DUMP_DISABLE", "capset(")
    assert all(step in calls for step in steps), calls
    assert sorted(steps, key=calls.rindex) == list(steps)


FORGING = """
import os
said = []
for number in (1, 2, 0):
    try:
        said.append(os.write(os.open(f"/proc/self/fd/{number}", os.O_RDWR), b"forged"))
    except OSError as error:
        said.append(error.strerror)
print(said)
"""
STARTED = """
import sys
from auditor.live.drop import User, run_as
said = run_as(User(65534, 65534), [sys.argv[1], "-I", "-c", sys.argv[2]], lambda: None, b"plan" * 99, 10, {})
print(said.status, said.stdout.decode(), said.stderr.decode())
"""


def test_nobody_else_can_write_into_the_plan_or_the_results_of_a_program_that_was_started() -> None:
    with host() as made:
        done = made.run(made.interpreter, "-c", STARTED, made.interpreter, FORGING)
    assert done.out.decode().strip() == "0 ['Permission denied', 'Permission denied', 'Operation not permitted']", done.err


def test_a_program_that_was_started_closes_itself_to_others() -> None:
    code = "import ctypes; from auditor.live import bind_attempts as b; b.close_to_others(); print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"
    with host() as made:
        done = made.run(made.interpreter, "-c", code, user=WEB)
    assert done.out == b"0\n", done.err
    with host() as made:
        said = made.run(made.interpreter, "-I", "-c", Path(bind_attempts.__file__).read_text(), user=WEB)
    assert said.code == 1
    assert len(said.err.strip().split("\n")) == 1


STOPPED = """
import sys, time
from auditor.live import bind_test
bind_test.SECONDS_STARTED = 1
begun = time.monotonic()
for answer in bind_test.ask({"bind-test": {"launcher": ["/bin/sh", "-c", "kill -STOP $$"]}}):
    print(answer.status, answer.stderr.decode().strip())
print(time.monotonic() - begun < 4)
"""


def test_a_process_that_stops_the_child_stops_the_test_once_and_not_for_each_stack() -> None:
    with host() as made:
        for name in ("blue", "green", "red"):
            made.order("mounted namespace", name=name, sysctls={THRESHOLD: "81"})
        done = made.run(made.interpreter, "-c", STOPPED)
    first, *others, in_time = done.out.decode().strip().split("\n")
    assert first == "1 trying as user nobody (65534:65534) failed (timeout 1): it said nothing", done.err
    assert others == ["1 the time for the test is over"] * 3
    assert in_time == "True"


BROKEN = """
from auditor.live import bind_attempts, bind_test, stacks
def broken(*given):
    raise KeyError("plan")
{breaks} = broken
for answer in {asked}:
    print(answer.status, answer.stderr.decode().strip().split("\\n")[0], sep="|")
"""
OURS = "our error, not the host's: KeyError: 'plan'"
OTHERS = "bind_test.namespaces.find().namespaces[1:]"
TRYING = 'bind_test.ask({"bind-test": {}})'
TRYING_ELSEWHERE = f'bind_test.ask({{"bind-test": {{"stacks": [one.label for one in {OTHERS}]}}}})'
LOOKING_ELSEWHERE = f"(answer for visit in stacks.visit({OTHERS}, []) for answer in visit.answers)"


def test_what_is_our_own_error_is_told_as_ours_and_never_kept_silent() -> None:
    with host() as made:
        for name in ("blue", "green"):
            made.order("mounted namespace", name=name, sysctls={THRESHOLD: "81"})
        child, *elsewhere = (
            made.run(made.interpreter, "-c", BROKEN.format(breaks=breaks, asked=asked))
            for breaks, asked in (
                ("bind_attempts.main", TRYING), ("bind_test._places", TRYING_ELSEWHERE), ("stacks._here", LOOKING_ELSEWHERE),
            )
        )  # fmt: skip
    assert child.out.decode().splitlines() == [f"1|trying as user nobody (65534:65534) failed (127): {OURS}"] * 3, child.err
    for done in elsewhere:
        assert done.out.decode().splitlines() == [f"1|{OURS}", "1|the child that went from one namespace to the next ended early"], done.err


def test_an_error_of_ours_in_a_program_that_was_started_is_told_as_ours() -> None:
    code = Path(bind_attempts.__file__).read_text().replace("    close_to_others()\n    with", '    raise KeyError("plan")\n    with')
    with host() as made:
        done = made.run(made.interpreter, "-I", "-c", code, user=WEB)
    assert (done.code, done.err.split("\n")[0]) == (1, "our error, not the host's: KeyError: 'plan'")


def test_of_what_a_program_complains_the_first_line_is_told_and_not_all_of_it() -> None:
    code = "import sys; sys.exit('\\n' + 'x' * 999 + '\\nmore')"
    with host() as made:
        made.write(f"{made.stage}/loud.py", code)
        tried = Tried(made, "--launcher", f"{made.interpreter} -I {made.stage}/loud.py", "--python", made.interpreter)
    (gap,) = stack(tried.snapshot).measured.gaps
    assert gap.why.endswith(f"(1): {'x' * 200}")


def test_where_ipv6_has_no_address_what_cannot_be_bound_is_not_compared() -> None:
    with host() as made:
        made.sysctl("net.ipv6.conf.all.disable_ipv6", "1")
        tried = Tried(made)
    compared = tried.compared()
    assert {where for where, one in compared.items() if one.absent} == {"tcp/[::1]", "udp/[::1]"}
    tried.as_promised()
    assert b"there is no such address or family (EADDRNOTAVAIL)" in tried.done.out
