"""The shell script on made hosts: in every shell its bundle means what the live one means, and no name that a process chose forges it."""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor import plugins
from auditor.evaluate import evaluate
from auditor.evidence import load as load_evidence
from auditor.model import Snapshot
from auditor.policy import load
from auditor.script import script
from auditor.tables import Tables
from tests.hosts import NEEDED, NOBODY, WEB, Done, Host, as_if_initial, host, interpreted, listener, owners, sockets, stack
from tests.shells import SHELLS, argv, missing, with_path

pytestmark = NEEDED
EVERY_SHELL = pytest.mark.parametrize("shell", [
    pytest.param(name, marks=pytest.mark.skipif(missing(name), reason=f"{name} is not installed")) for name in SHELLS
])  # fmt: skip
HERE_ONLY = ("source", "mptcp")
"""What a socket's record says of the method, or the script cannot show."""
NOT_BY_SCRIPT = ("endpoints", "bind-programs")
"""What rules need that the script does not ask: a name with a line feed forges lines of /proc/net/unix, and no command calls bpf(2)."""
ROOTS = ("processes", "via")
"""Of root's grant what says how many processes it has: the shell that hands the script over is one of them."""
NEEDS_RIGHTS = ("BPF programs at the bind hooks", "which user namespace owns this network namespace was not told")
"""Gaps of an ordinary user: the built-in may not ask; where a name with a line feed stops lsns, root alone can have it alone with itself.
Of processes with capabilities it is then not known whether they count (capability-retained-after-bind)."""
TOOLS = (
    "cat", "cmp", "date", "find", "getcap", "getconf", "grep", "id", "ip", "ls", "lsns", "nsenter", "od", "readlink", "sed", "sort", "ss",
    "timeout", "tr", "uname", "uniq", "unshare",
)  # fmt: skip


def initial(bundle: bytes) -> bytes:
    """The bundle, with the number of the first PID namespace in place of the made host's (see `as_if_initial`)."""
    found, count = re.subn(rb"(\| /proc/self/ns/pid )pid:\[\d+\]", rb"\1pid:[4026531836]", bundle)
    assert count == 1
    return found


def run(made: Host, shell: str = "dash", *, user: int | None = None, text: str | None = None) -> Done:
    """Run the script inside, read from stdin as ssh gives it."""
    made.write("/run/collect.sh", text or script(plugins.collectors().values()))
    return made.run("/bin/sh", "-c", 'cat /run/collect.sh | "$@"', "-", *argv(shell), user=user)


def taken(made: Host, shell: str = "dash", *, user: int | None = None, text: str | None = None) -> bytes:
    done = run(made, shell, user=user, text=text)
    assert (done.code, done.err) == (0, "")
    assert load_evidence(done.out).gaps == []
    return done.out


def snapshot(made: Host, shell: str = "dash", **more: Any) -> Snapshot:
    bundle = taken(made, shell, **more)
    return interpreted(initial(bundle) if b"/proc/self/ns/pid" in bundle else bundle)


def findings(seen: Snapshot) -> set[tuple[str, ...]]:
    policy = load("baseline", plugins.rule_parameters())
    rules = [rule for rule in plugins.rules().values() if not set(rule.needs) & set(NOT_BY_SCRIPT)]
    found = evaluate(seen, policy, Tables(), rules, datetime.date(2026, 11, 21))
    return {(one.rule, str(one.stack), one.subject, one.outcome, str(one.message), str(one.observed)) for one in found}


def facts(seen: Snapshot) -> dict[str, Any]:
    """What two ways of looking must agree on: every stack's facts, without what says how they were had. How many processes an ordinary user
    may not look into is left out: some shells leave dead children, which process 1 of a made host does not bury."""
    stacks = json.loads(re.sub(r"\b\d+ process(es)?\b", "some processes", json.dumps(seen.to_json()["stacks"])))
    found: dict[str, Any] = {"gaps": stacks["gaps"]}
    for one in stacks["seen"]:
        for kind, told in one.items():
            if kind in NOT_BY_SCRIPT:
                continue
            if isinstance(told, dict):
                records = [record for record in told["seen"] if kind != "grants" or record["path"] != "program"]
                unlike = [HERE_ONLY + (ROOTS if record.get("path") == "root" else ()) for record in records]
                kept = [{k: v for k, v in record.items() if k not in keys} for record, keys in zip(records, unlike, strict=True)]
                gaps = [gap for gap in told["gaps"] if kind != "grants" or not gap["why"].startswith(NEEDS_RIGHTS)]
                found[f"{one['name']} {kind}"] = (sorted(kept, key=repr), gaps)
            else:
                found[f"{one['name']} {kind}"] = told
    return found


def differences(live: Snapshot, script: Snapshot) -> dict[str, Any]:
    left, right = facts(live), facts(script)
    return {key: (left.get(key), right.get(key)) for key in left.keys() | right.keys() if left.get(key) != right.get(key)}


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    """A host with something of everything."""
    with host() as one:
        one.sysctl("net.ipv4.ip_unprivileged_port_start", "80")
        one.sysctl("net.ipv4.ip_local_reserved_ports", "41000-41002,42000")
        one.ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
        one.ip("link", "set", "lan0", "addrgenmode", "none", "up")
        one.ip("addr", "add", "10.0.0.5/24", "dev", "lan0")
        one.ip("addr", "add", "fe80::1/64", "dev", "lan0", "nodad")
        one.start(listener("tcp", "0.0.0.0", 23), listener("udp", "0.0.0.0", 50000), name=b"x\n\x1b[2J", user=WEB)
        one.start(listener("tcp", "::", 8080, v6only=False), listener("tcp", "::", 8081, v6only=True), users=[0, WEB, NOBODY])
        one.start(listener("tcp", "fe80::1", 82, scope="lan0"), listener("udp", "0.0.0.0", 67, device="lan0"), group="shop.service")
        one.start(listener("tcp", "127.0.0.1", 9001), how="passed")
        one.start(listener("tcp", "127.0.0.1", 9002), how="own-table")
        one.start(listener("tcp", "127.0.0.1", 9003), how="zombie-leader")
        one.start(listener("tcp", "127.0.0.1", 9004), how="in-flight")
        one.start(listener("tcp", "127.0.0.1", 9005), how="own-namespace", thread_sysctls={"net.ipv4.ip_unprivileged_port_start": "7"})
        one.start(listener("mptcp", "127.0.0.1", 9006))
        inside = one.start(
            listener("tcp", "::", 6379), listener("tcp", "127.0.0.1", 81), namespace=True, group="redis.service",
            sysctls={"net.ipv4.ip_local_port_range": "10000 20000"},
        )  # fmt: skip
        one.ip("link", "set", "far0", "netns", str(inside.pid))
        for words in (("addr", "add", "172.17.0.2/16", "dev", "far0"), ("link", "set", "far0", "up")):
            one.run("nsenter", f"--target={inside.pid}", "--net", "--", "ip", *words, check=True)
        one.order("mounted namespace", name="blue", sysctls={"net.ipv4.ip_unprivileged_port_start": "70"})
        vendor = "/usr/lib/sysctl.d" if os.path.isdir("/usr/lib/sysctl.d") else "/run/sysctl.d"
        one.write(f"{vendor}/10-same.conf", "net.ipv4.ip_local_port_range = 1024 2048\n")
        one.write("/etc/sysctl.d/10-same.conf", "# comment\n\n-net/ipv4/ip_local_port_range = 20000  30000\n")
        one.write(f"{vendor}/30-masked.conf", "net.ipv4.ip_local_port_range = 5000 6000\n")
        one.link("/etc/sysctl.d/30-masked.conf", "/dev/null")
        one.write("/etc/sysctl.conf", "net.ipv4.ip_unprivileged_port_start = 90")
        one.link("/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf")
        one.write("/etc/bindresvport.blacklist", "631 # cups\n")
        unit = "[Socket]\n ListenStream = 7015\nEnvironment=PASSWORD=hunter2\nService=shop-web.service\n"
        one.write("/etc/systemd/system/shop.socket", unit)
        one.write("/etc/systemd/system/shop.socket.d/more.conf", "[Socket]\nListenStream=\nListenStream=7016\n")
        one.write("/run/systemd/system/shop.socket", "[Socket]\nListenStream=1\n")
        one.write("/run/systemd/system/twin.socket", "[Socket]\nListenStream=127.0.0.1:7016\nReusePort=no\n")
        one.write("/etc/systemd/system/shop-.socket.d/none.conf", "[Socket]\nListenStream=2\n")
        one.write("/run/systemd/system/in-it.socket", "[Socket]\nListenStream=7017\n")
        one.write("/run/systemd/system/in-.socket.d/more.conf", "[Socket]\nListenStream=\nListenStream=7018\n")
        one.write("/run/systemd/system/in-.socket.d/empty.conf", "")
        one.write("/run/systemd/system/socket.d/empty.conf", "[Socket]\nListenStream=3\n")
        one.write("/run/systemd/system/socket.d/every.conf", "[Socket]\nListenDatagram=7019\n")
        for link, target in LINKS.items():
            one.link(link, target)
        one.order("hold", sockets=[listener("tcp", "0.0.0.0", 7016)])
        yield one


LINKS = {
    "/etc/systemd/system/sockets.target.wants/shop.socket": "../shop.socket",
    "/etc/systemd/system/sockets.target.wants/gone.socket": "/nonexistent/gone.socket",
    "/etc/systemd/system/sockets.target.wants/off.socket": "/dev/null",
    "/etc/systemd/system/other-name.socket": "shop.socket",
    "/run/systemd/system/x.service.requires/twin.socket": "/run/systemd/system/twin.socket",
}
"""Of socket units: enabled, enabled and gone, masked, and another name."""


@pytest.mark.parametrize("user", [None, NOBODY])
@EVERY_SHELL
def test_the_scripts_bundle_and_the_live_one_mean_the_same(made: Host, shell: str, user: int | None) -> None:
    """Stated differences: MPTCP; what NOT_BY_SCRIPT, ROOTS and NEEDS_RIGHTS say; the words in which nsenter says that it may not enter a
    mounted namespace."""
    live = interpreted(as_if_initial(made.collect(user=user)))
    found = snapshot(made, shell, user=user)
    if user:
        assert {key for key in differences(live, found) if not key.startswith("blue ")} == set()
        told, expected = ({one[:4] for one in findings(seen) if one[0] != "capability-retained-after-bind"} for seen in (found, live))
        assert told == expected
    else:
        assert differences(live, found) == {}
        assert findings(found) == findings(live)
        assert not [gap for one in found.stacks.seen for gap in one.grants.gaps]
    assert any("shell script" in limit for limit in found.limits)
    assert found.shown["visibility"]["rights"] == live.shown["visibility"]["rights"]
    assert bool(found.shown["visibility"]["processes"]["unreadable"]) == bool(user)


def test_what_it_says_of_sockets_is_what_is_there(made: Host) -> None:
    seen = snapshot(made)
    found = sockets(seen)
    assert found["tcp/*:8080"].shown["v6only"] is False
    assert found["tcp/[fe80::1%lan0]:82"].shown["device"] == "lan0"
    assert found["tcp/127.0.0.1:9004"].shown["owner_state"] == "none"
    declared = found["tcp/0.0.0.0:7016"].shown
    assert (declared["socket_unit"], declared["activates"]) == ("shop.socket", "shop-web.service")
    units = [(one.unit, one.address, one.port, one.enabled) for one in stack(seen).socket_units]
    assert units == [
        ("in-it.socket", "::", 7018, False), ("shop.socket", "::", 7016, True), ("twin.socket", "127.0.0.1", 7016, True),
        ("twin.socket", "::", 3, True), ("twin.socket", "::", 7019, True),
    ]  # fmt: skip
    assert seen.stacks.seen[0].name == "host"
    assert {"redis.service", "blue"} < {one.name for one in seen.stacks.seen}


def test_no_secret_and_no_argument_is_in_the_bundle(made: Host) -> None:
    path = made.program("server")
    process = made.start(listener("tcp", "127.0.0.1", 9007), run=[path, "--password=hunter2"])
    bundle = taken(made)
    process.stop()
    assert b":%04X " % 9007 in bundle
    assert b"hunter2" not in bundle
    stat = [line for line in bundle.split(b"\n") if line.startswith(b"| /proc/") and b"/stat:" in line]
    assert stat
    told = max(len(line.rpartition(b")")[2].split()) for line in stat)
    assert told == 20, "what follows the moment it began, addresses in its memory too, stays on the host"


NAMES = [
    b'a",pid=1,fd=3)', b"b) R 1 (c", b"x\n1\t0\t0", b"a) S 1 1 1 1 1", b"\n\n) Z 1 2 3", b"= end\n= x", b"back\\n", b"\\\\n",
    b"\xff\xfe", b"-", b"/proc/1/stat:1",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_process_that_gave_itself_a_clever_name_is_still_itself(made: Host, name: bytes, shell: str) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9008), name=name, user=WEB)
    live = sockets(made.snapshot())["tcp/127.0.0.1:9008"]
    one = sockets(snapshot(made, shell))["tcp/127.0.0.1:9008"]
    process.stop()
    (owner,) = one.shown["owners_seen"]
    (expected,) = live.shown["owners_seen"]
    assert owner.to_json() == expected.to_json()
    assert (owner.pid, owner.uid) == (process.pid, WEB)


PATHS = ["a b", "new\nline", "x -> y", "x\n/proc/1/exe -> y", "back\\slash\\n", "caf\u00e9", "tab\there", "what?", "\x1b[2J",
         "x\nlrwxrwxrwx 1 0 0 0 Nov 21 07:13 exe -> y", "= end", "'quoted\""]  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_an_executable_at_a_clever_path_is_shown_as_what_it_is(made: Host, name: str) -> None:
    folder = os.path.dirname(name)
    if folder:
        Path(f"/proc/{made.pid}/root{made.stage}/{folder}").mkdir(parents=True, exist_ok=True)
    path = made.program(name)
    process = made.start(listener("tcp", "127.0.0.1", 9009), run=[path])
    live = sockets(made.snapshot())["tcp/127.0.0.1:9009"].shown["owners_seen"][0]
    owner = sockets(snapshot(made))["tcp/127.0.0.1:9009"].shown["owners_seen"][0]
    text = with_path(script(plugins.collectors().values()), busybox_tools(made))
    plain = sockets(snapshot(made, text=text))["tcp/127.0.0.1:9009"].shown["owners_seen"][0]
    process.stop()
    shown, expected = owner.to_json(), live.to_json()
    if shown["executable_file"].get("folders") is None:
        assert not re.fullmatch(r"[\w./]*", os.path.dirname(path)), "the script says nothing of folders with clever names"
        del expected["executable_file"]["folders"]
    assert shown == expected
    assert owner.executable == path
    assert plain.shown.get("executable", path) == path


def busybox_tools(made: Host) -> Path:
    """A host whose tools are busybox' own."""
    if missing("busybox"):
        pytest.skip("busybox is not installed")
    folder = Path(f"{made.stage}/busybox")
    outside = Path(f"/proc/{made.pid}/root{folder}")
    if not outside.exists():
        outside.mkdir()
        for name in TOOLS:
            (outside / name).symlink_to(argv("busybox")[0])
    return folder


def test_a_descriptor_at_a_clever_path_makes_nobody_the_holder_of_a_socket(made: Host) -> None:
    victim = made.start(listener("tcp", "127.0.0.1", 9010))
    table = Path(f"/proc/{victim.outside}/net/tcp").read_text().split("\n")
    (inode,) = [line.split()[9] for line in table if f":{9010:04X} " in line]
    names = [f"a -> socket:[{inode}]", f"socket:[{inode}]", f"3 -> socket:[{inode}]",
             f"x\n/proc/1/fd:\ntotal 0\nlrwx------ 1 0 0 64 Nov 21 07:13 3 -> socket:[{inode}]"]  # fmt: skip
    program = (
        "import os, sys\n"
        "os.chdir(sys.argv[1])\nheld = []\n"
        "for name in sys.argv[2:]:\n"
        "    os.makedirs(os.path.dirname(name) or '.', exist_ok=True)\n"
        "    held.append(open(name, 'w'))\n"
        "print('up', flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    with made.running(made.interpreter, "-S", "-c", program, made.stage, *names) as clever:
        for text in (None, with_path(script(plugins.collectors().values()), busybox_tools(made)), without(made, "sed")):
            one = sockets(snapshot(made, text=text))["tcp/127.0.0.1:9010"]
            assert owners(one) == [victim.pid], text
    victim.stop()
    assert clever.said == "up"


def test_a_program_laid_over_anothers_path_is_not_taken_for_it(made: Host) -> None:
    approved, rogue = made.program("approved"), made.program("rogue")
    opens = "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',9011)); s.listen(); print('up',flush=True); time.sleep(60)"
    lay_over = 'mount --bind "$1" "$2" && PYTHONHOME="$4" exec "$2" -S -c "$3"'
    prefix = sys.base_prefix if sys.base_prefix == "/usr" else f"{made.stage}/python"
    shells = [name for name in SHELLS if not missing(name)]
    with (
        made.running("unshare", "--mount", "sh", "-c", lay_over, "-", rogue, approved, opens, prefix) as laid,
        made.running("unshare", "--mount", made.interpreter, "-S", "-c", opens.replace("9011", "9012")) as honest,
    ):
        seen = [sockets(snapshot(made, shell)) for shell in shells]
    assert laid.said == honest.said == "up"
    for found in seen:
        assert found["tcp/127.0.0.1:9011"].shown["owners_seen"][0].executable == f"{approved} (in another mount namespace)"
        assert not found["tcp/127.0.0.1:9012"].shown["owners_seen"][0].executable.endswith(")")


def test_no_process_has_so_many_threads_that_the_namespace_of_one_is_lost() -> None:
    with host() as other:
        try:
            process = other.start(listener("tcp", "127.0.0.1", 9013), how="own-namespace", threads=6000)
        except RuntimeError as error:
            pytest.skip(f"so many threads may not be made here: {error}")
        other.write("/run/collect.sh", "ulimit -s 256\n" + script(plugins.collectors().values()))
        done = other.run("/bin/sh", "-c", "cat /run/collect.sh | /bin/sh -s")
        process.stop()
    assert b"too long" not in done.out
    (found,) = [one for one in interpreted(initial(done.out)).stacks.seen if one.name != "host"]
    assert [one.numbered_subject for one in found.listening.seen] == ["tcp/127.0.0.1:9013"]


def test_an_interface_of_many_addresses_is_no_long_line_and_all_of_them_are_read(made: Host) -> None:
    inside = made.start(listener("tcp", "127.0.0.1", 9014), namespace=True)
    many = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(1000)]
    made.write("/run/many", "".join(f"addr add {address}/32 dev lo\n" for address in many))
    made.run("nsenter", f"--target={inside.pid}", "--net", "--", "ip", "-batch", "/run/many", check=True)
    bundle = taken(made)
    inside.stop()
    (found,) = [
        one for one in interpreted(initial(bundle)).stacks.seen if "tcp/127.0.0.1:9014" in {s.numbered_subject for s in one.listening}
    ]
    assert {one.address for one in found.addresses} >= set(many)
    assert max(map(len, bundle.split(b"\n"))) < 8192


def without(made: Host, *names: str) -> str:
    """The script on a host that lacks these programs."""
    folder = Path(f"{made.stage}/without-{'-'.join(names)}")
    outside = Path(f"/proc/{made.pid}/root{folder}")
    if not outside.exists():
        outside.mkdir()
        for name in set(TOOLS) - set(names):
            (outside / name).symlink_to(argv_of(name))
    return with_path(script(plugins.collectors().values()), folder)


def argv_of(name: str) -> str:
    found = next((f"{folder}/{name}" for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin") if os.path.exists(f"{folder}/{name}")), None)
    assert found, name
    return found


ALL_BUT_LS_AND_SS = ("sed", "grep", "sort", "uniq", "cat", "date", "id", "od", "getconf", "uname")


@pytest.mark.parametrize(
    ("shell", "lacking"), [*((shell, ALL_BUT_LS_AND_SS) for shell in SHELLS), ("dash", ("sed",)), ("dash", ("grep",))], ids=str
)
def test_without_its_tools_it_finds_the_same_listeners_and_their_holders(made: Host, shell: str, lacking: tuple[str, ...]) -> None:
    """A thread's own descriptors are then not searched for, and that is said; a namespace that is only mounted is not entered."""
    seen = snapshot(made, shell, text=without(made, *lacking))
    whole = snapshot(made, shell)
    found, expected = sockets(seen), sockets(whole)
    assert found.keys() == expected.keys()
    for subject, one in found.items():
        assert owners(one) == owners(expected[subject]) or subject == "tcp/127.0.0.1:9002"
        assert one.shown["owner_state"] == expected[subject].shown["owner_state"] or one.shown["owner_state"] in ("partial", "unreadable")
    readable = not {"cat", "sed"} <= set(lacking)
    assert ([str(one) for one in stack(seen).privileged.seen], bool(stack(seen).privileged.gaps)) == (["1-79"] * readable, not readable)


def test_without_ls_no_holder_is_seen_and_no_socket_is_called_without_one(made: Host) -> None:
    seen = snapshot(made, text=without(made, "ls"))
    assert sockets(seen)
    assert all(one.shown["owner_state"] == "unreadable" for one in sockets(seen).values())


def test_without_ss_v6only_and_the_device_are_unknown(made: Host) -> None:
    found = sockets(snapshot(made, text=without(made, "ss")))
    assert "v6only" not in found["tcp/[::]:8081"].shown
    assert not any("device" in one.shown for one in found.values())


def test_without_ip_addresses_come_from_the_files_of_its_own_namespace(made: Host) -> None:
    seen = snapshot(made, text=without(made, "ip"))
    here = {one.address for one in stack(seen).addresses}
    assert here == {one.address for one in stack(snapshot(made)).addresses}
    assert sockets(seen)["tcp/0.0.0.0:23"].reach == "private"
    assert sockets(seen, "redis.service")["tcp/*:6379"].reach == "unknown"


def test_without_nsenter_the_settings_of_other_namespaces_are_unknown(made: Host) -> None:
    seen = snapshot(made, text=without(made, "nsenter"))
    assert "tcp/[::]:6379" in sockets(seen, "redis.service")
    assert "could not be entered" in stack(seen, "redis.service").ephemeral.gaps[0].why
    assert stack(seen).ephemeral.gaps == ()


def test_inside_a_pid_namespace_owners_are_never_called_all(made: Host) -> None:
    one = sockets(interpreted(taken(made)))["tcp/127.0.0.1:9001"]
    assert one.shown["owner_state"] == "partial"
    assert "PID namespace" in one.shown["owner_reason"]


def test_a_bundle_cut_anywhere_is_incomplete_and_passes_nothing_that_the_whole_one_did_not(made: Host) -> None:
    whole = initial(taken(made))
    rules, tables, policy = plugins.rules(), Tables(), load("baseline", plugins.rule_parameters())

    def outcomes(bundle: bytes) -> dict[tuple[str, str | None], set[str]]:
        found: dict[tuple[str, str | None], set[str]] = {}
        for one in evaluate(interpreted(bundle), policy, tables, rules.values(), datetime.date(2026, 11, 21)):
            found.setdefault((one.rule, one.stack), set()).add(one.outcome)
        return found

    expected = outcomes(whole)
    lines = [at + 1 for at, byte in enumerate(whole) if byte == 0x0A]
    first = whole.index(b"\n% system Linux\n") + len(b"\n% system Linux\n")
    ended = whole.index(b"\n| = end\n", whole.index(b"sh-proc\n"))
    answers = [at for at in range(first, len(whole)) if whole.startswith(b"\n? ", at)]
    for at in [*lines[10::29], *range(len(whole) // 2, len(whole) - 1, 1511), len(whole) - 1]:
        if at < first or at >= len(whole):
            continue
        rest = next((end for end in answers if end >= at), None)
        for cut in [whole[:at], *([whole[:at] + whole[rest + 1 :]] if rest and at < ended and whole[at - 1] == 0x0A else [])]:
            told = outcomes(cut)
            assert "unknown" in told["evidence-incomplete", "host"], at
            for (rule, name), said in told.items():
                assert "pass" not in said or "pass" in expected.get((rule, name), set()), (at, rule, name)
                assert "error" not in said, (at, rule, name)


def test_in_a_storm_of_processes_nobody_is_called_the_holder_of_anothers_socket() -> None:
    with host() as made:
        lasting = made.start(listener("tcp", "127.0.0.1", 7000))
        made.order("storm", each=0.4, every=0.01)
        named = 0
        for _ in range(6):
            found = stack(snapshot(made)).listening.seen
            assert [owners(one) for one in found if one.port == 7000] == [[lasting.pid]]
            for one in found:
                for owner in one.shown.get("owners_seen", []):
                    if match := re.fullmatch(r"port(\d+)", owner.shown.get("process", "")):
                        assert int(match[1]) == one.port
                        named += 1
        assert named, "the storm was never caught in the act"


@pytest.mark.parametrize("folder", ["shop.socket.d", "shop-.socket.d", "socket.d"])
def test_a_folder_of_drop_ins_that_may_not_be_read_leaves_the_units_unknown(folder: str) -> None:
    with host() as one:
        one.write(f"/etc/systemd/system/{folder}/a.conf", "[Socket]\nListenStream=80\n")
        one.run("chmod", "700", f"/etc/systemd/system/{folder}", check=True)
        units = stack(interpreted(run(one, user=NOBODY).out)).socket_units
    assert {f"/etc/systemd/system/{folder}: may not be read" in gap.why for gap in units.gaps} == {True}
