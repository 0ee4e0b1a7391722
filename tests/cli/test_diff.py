"""`port-auditor diff` as a person types it, on bundles as `collect` writes them."""

from __future__ import annotations

import io
import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cli import main
from auditor.facts import Facts, Gap
from auditor.host_pairs import compare_hosts
from auditor.model import Snapshot, Socket, Stack
from auditor.snapshot_differences import differences
from tests.bundles import (
    EPHEMERAL,
    INIT,
    NGINX,
    NO_RIGHTS,
    ON_A_LAN,
    RESERVED,
    SSHD,
    WEB_CONTAINER,
    Host,
    Process,
    changed,
    container,
    host,
    port,
    rich,
    service,
    stack_of,
    with_sockets,
)  # fmt: skip

EVIDENCE = Path(__file__).resolve().parent.parent / "evidence"
WEB = host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", NGINX))
Diff = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def diff(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Diff:
    """The exit code of comparing two sources and the lines printed; a Host or bytes is kept as a file first."""

    def compared(before: object, after: object, *options: str) -> tuple[int, list[str]]:
        paths = [given if isinstance(given, str) else str(kept(tmp_path, name, given)) for name, given in (("a", before), ("b", after))]
        code = main(["diff", *paths, *options])
        return code, capsys.readouterr().out.splitlines()

    return compared


def kept(folder: Path, name: str, given: Any) -> Path:
    if isinstance(given, Path):
        return given
    path = folder / f"{name}.evidence"
    path.write_bytes(
        given.bundle() if isinstance(given, Host) else json.dumps(given.to_json()).encode() if isinstance(given, Snapshot) else given
    )
    return path


def named(of: Host, name: str, machine: str | None = "0123456789abcdef0123456789abcdef") -> bytes:
    """A host's bundle under another name and machine id; None shows none."""
    line = b"" if machine is None else f"% machine-id {machine}\n".encode()
    return replace(of, name=name).bundle().replace(b"% machine-id 0123456789abcdef0123456789abcdef\n", line)


def folder(path: Path, *bundles: bytes) -> Path:
    path.mkdir()
    for number, content in enumerate(bundles):
        (path / f"{number}.evidence").write_bytes(content)
    return path


def marked(lines: Iterable[str]) -> list[str]:
    """The lines that say a change."""
    return [line for line in lines if re.match(r"[-+~?] ", line)]


def test_a_host_of_which_everything_was_seen_is_the_same_as_itself(diff: Diff) -> None:
    code, lines = diff(WEB, WEB)
    assert (code, lines) == (0, ["SAME: nothing differs; 1 host, 1 stack, 2 sockets in view"])


def test_the_bundles_in_the_repository_are_the_same_as_themselves_and_differ_from_each_other(diff: Diff) -> None:
    for name in ("web1.evidence", "quiet.evidence"):
        assert diff(EVIDENCE / name, EVIDENCE / name)[0] == 0
    code, lines = diff(EVIDENCE / "web1.evidence", EVIDENCE / "quiet.evidence")
    assert code == 1
    assert "~ privileged: 1-79 -> 1-1023" in lines
    assert "web1, stack host" in lines


def test_quiet_prints_nothing_only_where_all_is_the_same(diff: Diff) -> None:
    assert diff(WEB, WEB, "-q") == (0, [])
    assert diff(WEB, host(), "-q")[1]


def test_a_listener_that_came_and_one_that_went_are_said_with_who_holds_them(diff: Diff) -> None:
    code, lines = diff(WEB, host(port("tcp/0.0.0.0:22", SSHD), port("tcp/*:8080", NGINX)))
    assert code == 1
    assert marked(lines) == [
        "+ socket tcp/*:8080: listening, reach private, held by /usr/sbin/nginx user www-data unit nginx.service",
        "- socket tcp/0.0.0.0:80: listening, reach private, held by /usr/sbin/nginx user www-data unit nginx.service",
    ]
    assert lines[0] == "DIFFERENT: 2 differences; 1 host, 1 stack, 2 sockets in view"


def test_what_a_restart_changes_is_no_difference(diff: Diff) -> None:
    again = replace(NGINX, pid=31000)
    workers = [replace(NGINX, pid=pid) for pid in range(31001, 31009)]
    assert diff(WEB, host(port("tcp/0.0.0.0:22", replace(SSHD, pid=77)), port("tcp/0.0.0.0:80", again, *workers, inode=9)))[0] == 0
    client = service(700, "avahi-daemon", 0)
    one, other = (host(port(f"udp/0.0.0.0:{number}", client)) for number in (45000, 51234))
    assert diff(one, other)[0] == 0
    logins = [Process(5, "/usr/bin/redis", 0, f"/user.slice/user-0.slice/session-{n}.scope") for n in (3, 41)]
    assert diff(*(host(port("tcp/0.0.0.0:6379", login)) for login in logins))[0] == 0


@pytest.mark.parametrize(
    ("after", "line"),
    [
        (port("tcp/0.0.0.0:80", replace(NGINX, uid=0)), "owners: /usr/sbin/nginx user www-data unit nginx.service"
         " -> /usr/sbin/nginx user root unit nginx.service"),
        (port("tcp/0.0.0.0:80", replace(NGINX, executable="/opt/nginx")), "owners: /usr/sbin/nginx user www-data unit nginx.service"
         " -> /opt/nginx user www-data unit nginx.service"),
        (port("tcp/0.0.0.0:80", NGINX, state="bound"), "state: listening -> bound"),
        (port("tcp/0.0.0.0:80", NGINX, uid=33), "creator: 0 -> 33"),
        (port("tcp/0.0.0.0:80"), "owners: /usr/sbin/nginx user www-data unit nginx.service -> nobody in view"),
    ],
)  # fmt: skip
def test_a_listener_that_is_not_what_it_was_is_said_aspect_by_aspect(diff: Diff, after: Any, line: str) -> None:
    code, lines = diff(host(port("tcp/0.0.0.0:80", NGINX)), host(after))
    assert (code, marked(lines)) == (1, [f"~ socket tcp/0.0.0.0:80, {line}"])


def test_a_socket_that_became_dual_stack_is_one_socket_and_not_two(diff: Diff) -> None:
    assert marked(diff(host(port("tcp/[::]:80", NGINX)), host(port("tcp/*:80", NGINX)))[1]) == [
        "~ socket tcp/[::]:80, reach: loopback -> private", "~ socket tcp/[::]:80, v6only: yes -> no",
    ]  # fmt: skip


def test_how_far_a_socket_reaches_is_compared(diff: Diff) -> None:
    _, lines = diff(WEB, replace(WEB, net=replace(WEB.net, addresses=(*ON_A_LAN[:2], ("eth0", None, "9.9.9.9", 24)))))
    assert "~ socket tcp/0.0.0.0:22, reach: private -> public" in lines
    assert "- address 10.0.0.5 on eth0: /24" in lines
    assert "+ address 9.9.9.9 on eth0: /24" in lines


def test_sockets_that_share_a_subject_are_counted_and_none_is_dropped(diff: Diff) -> None:
    shared = [port("udp/0.0.0.0:53", service(60 + n, f"dns{n}")) for n in range(3)]
    code, lines = diff(host(*shared), host(*shared[:2]))
    assert code == 1
    assert "~ socket udp/0.0.0.0:53, how many: 3 -> 2" in lines
    assert diff(host(*shared), host(*reversed(shared)))[0] == 0
    _, lines = diff(host(), host(*shared))
    assert [line.partition(":53")[2].partition(":")[0] for line in marked(lines)] == [" (3 of them)"]


def test_the_same_values_on_other_sockets_of_a_subject_are_a_difference(diff: Diff) -> None:
    one, other = service(60, "one"), service(61, "other")
    before = host(port("udp/0.0.0.0:53", one, uid=1), port("udp/0.0.0.0:53", other, uid=2))
    after = host(port("udp/0.0.0.0:53", one, uid=2), port("udp/0.0.0.0:53", other, uid=1))
    code, lines = diff(before, after)
    assert code == 1
    assert marked(lines)[0].startswith("~ socket udp/0.0.0.0:53, which has what: ")


def test_ranges_settings_and_what_the_next_boot_sets_are_compared(diff: Diff) -> None:
    before = host(settings={EPHEMERAL: "32768\t60999", RESERVED: "8080,9100-9102"}, files={"/etc/sysctl.conf": f"{RESERVED} = 8080\n"})
    after = host(settings={EPHEMERAL: "10000\t60999", RESERVED: ""}, files={"/etc/sysctl.d/9.conf": f"{RESERVED} = 8080\n"})
    code, lines = diff(before, after)
    assert code == 1
    assert marked(lines) == [
        "~ ephemeral: 32768-60999 -> 10000-60999",
        "- reserved: 8080, 9100-9102",
        f"~ setting {EPHEMERAL}: 32768 60999 -> 10000 60999",
        f"~ setting {RESERVED}: 8080,9100-9102 -> ''",
        f"- persisted {RESERVED} in /etc/sysctl.conf: 8080",
        f"+ persisted {RESERVED} in /etc/sysctl.d/9.conf: 8080",
    ]


def test_a_list_of_ports_that_is_written_in_another_way_is_the_same_range(diff: Diff) -> None:
    before, after = host(settings={RESERVED: "9100,9101,9102"}), host(settings={RESERVED: "9100-9102"})
    assert marked(diff(before, after)[1]) == [f"~ setting {RESERVED}: 9100,9101,9102 -> 9100-9102"]


def test_a_new_release_is_said_of_the_host_itself(diff: Diff) -> None:
    code, lines = diff(WEB, replace(WEB, release="6.12.9"))
    assert (code, lines[1:]) == (1, ["", "web1", "~ release: 6.12.1 -> 6.12.9"])


def test_a_release_that_one_bundle_does_not_show_could_not_be_compared(diff: Diff) -> None:
    code, lines = diff(WEB, replace(WEB, release=None))
    assert code == 1
    assert "? release: 6.12.1 in A; could not be compared: in B it is not shown" in lines


def test_a_stack_that_came_is_said_with_its_listeners(diff: Diff) -> None:
    app = Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{WEB_CONTAINER}.scope")
    boxed = replace(WEB, others=(container(WEB_CONTAINER, port("tcp/0.0.0.0:80", app)),), containers={WEB_CONTAINER: "shop"})
    code, lines = diff(WEB, boxed)
    assert code == 1
    assert lines[2] == "web1, stack container:shop"
    assert [line[:40] for line in marked(lines)] == ["+ stack container:shop: netns, 1 socket", "+ socket tcp/0.0.0.0:80: listening, reac"]
    assert marked(diff(boxed, WEB)[1])[0] == "- stack container:shop: netns, 1 socket"


def test_a_stack_that_may_be_hidden_is_not_called_gone(diff: Diff) -> None:
    boxed = replace(WEB, others=(container(WEB_CONTAINER),))
    hiding = replace(WEB, rights={**NO_RIGHTS, "hidepid": "2"})
    code, lines = diff(boxed, hiding)
    assert code == 1
    assert not [line for line in marked(lines) if line.startswith("- ")]
    assert any(
        line.startswith("? stack container:") and "could not be compared: in B not all was seen: /proc may hide" in line for line in lines
    )


def test_a_socket_is_not_called_gone_where_a_gap_covers_it(diff: Diff) -> None:
    both = (port("udp/[::]:514", INIT), port("udp/0.0.0.0:514", INIT))
    before = changed(host(*both).snapshot())
    after = changed(host().snapshot(), listening=Facts([], "sock_diag", [Gap("refused", protocol="udp", family="ipv6")]))
    code, lines = diff(before, after)
    assert code == 1
    assert any(line.startswith("? socket udp/[::]:514: ") and line.endswith("in B not all was seen: refused") for line in lines)
    assert any(line.startswith("- socket udp/0.0.0.0:514: ") for line in lines)
    assert "? listening (udp ipv6): could not be compared: in B not all was seen: refused" in lines
    assert diff(after, before)[0] == 1


def test_two_hosts_that_are_alike_but_for_a_gap_are_never_called_the_same(diff: Diff) -> None:
    gap = Facts([], "sock_diag", [Gap("refused", protocol="udp")])
    code, lines = diff(changed(host(), listening=gap), changed(host(), listening=gap))
    assert code == 1
    assert lines[0] == "NOT KNOWN: no certain difference, but 1 could not be compared; 1 host, 1 stack, 0 sockets in view"
    assert "in A and in B not all was seen: refused" in lines[-1]


def test_owners_that_could_not_be_read_are_neither_the_same_nor_others(diff: Diff) -> None:
    unprivileged = host(port("tcp/0.0.0.0:80"), rights=NO_RIGHTS, unreadable=(900,))
    code, lines = diff(host(port("tcp/0.0.0.0:80", NGINX)), unprivileged)
    assert code == 1
    assert [line for line in marked(lines) if line.startswith("~")] == []
    assert any(line.startswith("? socket tcp/0.0.0.0:80, owners: /usr/sbin/nginx") for line in lines)
    assert diff(unprivileged, unprivileged)[0] == 1


def test_an_owner_that_was_not_there_before_is_certain_although_others_may_be_unseen(diff: Diff) -> None:
    after = host(port("tcp/0.0.0.0:80", service(7, "redis")), rights=NO_RIGHTS, unreadable=(900,))
    _, lines = diff(host(port("tcp/0.0.0.0:80", NGINX)), after)
    assert any(line.startswith("~ socket tcp/0.0.0.0:80, owners: ") for line in lines)


def test_many_sockets_that_could_not_be_compared_for_one_reason_are_one_line_and_all_in_json(diff: Diff) -> None:
    many = [f"tcp/0.0.0.0:{number}" for number in range(1000, 1010)]
    seen, unseen = host(*(port(at, NGINX) for at in many)), host(*map(port, many), rights=NO_RIGHTS, unreadable=(900,))
    _, lines = diff(seen, unseen)
    assert len([line for line in lines if "owners" in line]) == 1
    assert any("owners of 10: could not be compared" in line and line.endswith("1002 and 7 more") for line in lines)
    _, plain = diff(seen, unseen, "--format", "json")
    assert len([change for change in json.loads("\n".join(plain))["changes"] if change["aspect"] == "owners"]) == 10


def test_what_a_poorer_method_cannot_show_is_not_called_gone(diff: Diff) -> None:
    held = host(port("tcp/127.0.0.1:5000", NGINX, state="bound"), port("tcp/127.0.0.1:5001", NGINX))
    code, lines = diff(held, replace(host(), release="6.1.0"))
    assert code == 1
    assert any(line.startswith("? socket tcp/127.0.0.1:5000: bound") and "Before Linux 6.8" in line for line in lines)
    assert any(line.startswith("- socket tcp/127.0.0.1:5001: ") for line in lines)


@pytest.mark.parametrize(
    ("away", "subject"),
    [({"v6only": ...}, "tcp/*:80"), ({"family": "unknown", "address": "*"}, "tcp/*:80"), ({"device": ...}, "udp/0.0.0.0%virbr0:67"),
     ({"kernel_given": ...}, "udp/0.0.0.0:45000"), ({"owner_state": "unreadable", "owners_seen": []}, "udp/0.0.0.0:45000")],
)  # fmt: skip
def test_a_socket_of_which_less_is_shown_may_be_the_same_and_is_not_gone(diff: Diff, away: dict[str, Any], subject: str) -> None:
    whole = host(port(subject, NGINX))
    for sides in ((whole, with_sockets(whole, **away)), (with_sockets(whole, **away), whole)):
        code, lines = diff(*sides)
        assert code == 1
        assert {line[0] for line in marked(lines)} == {"?"}


def test_a_host_that_is_richly_used_differs_from_a_quiet_one_and_is_named_stack_by_stack(diff: Diff) -> None:
    code, lines = diff(rich(), host())
    assert code == 1
    assert {line for line in lines if line.startswith("web1, stack")} >= {
        "web1, stack host",
        "web1, stack container:web",
        "web1, stack blue",
    }
    assert all(re.match(r"[-+~?] |web1|DIFFERENT: |$", line) for line in lines)


def test_what_a_host_says_cannot_break_the_output(diff: Diff) -> None:
    hostile = Process(9, "/opt/a\x1b[31m\n- socket tcp/0.0.0.0:22: gone\u202e", 0, "/system.slice/x.service", "x")
    _, lines = diff(WEB, host(port("tcp/0.0.0.0:22", SSHD), port("tcp/0.0.0.0:80", hostile)))
    assert len(marked(lines)) == 1
    assert "\\x1b[31m\\n- socket" in lines[-1]
    assert "\\u202e" in lines[-1]


def test_json_is_one_document_of_its_schema_with_every_change(diff: Diff) -> None:
    code, lines = diff(WEB, host(port("tcp/0.0.0.0:22", SSHD)), "--format", "json")
    plain = json.loads("\n".join(lines))
    assert (code, plain["schema"], plain["notes"]) == (1, "port-auditor/diff/1", [])
    (change,) = plain["changes"]
    assert (change["change"], change["host"], change["stack"], change["kind"], change["subject"]) == (
        "removed", "web1", "host", "socket", "tcp/0.0.0.0:80")  # fmt: skip
    assert (change["after"], change["why"], change["count"]) == (None, None, 1)
    assert json.loads("\n".join(diff(WEB, WEB, "--format", "json")[1]))["changes"] == []


def test_two_sources_of_one_host_each_are_compared_whatever_they_are_called_and_that_is_said(diff: Diff) -> None:
    code, lines = diff(named(WEB, "web1", "a" * 32), named(WEB, "web2", "b" * 32))
    assert code == 0
    assert lines[1] == "note: A's web1 is compared with B's web2, as each has exactly one host"


def test_a_host_that_was_renamed_is_known_by_its_machine_id(diff: Diff, tmp_path: Path) -> None:
    before = folder(tmp_path / "before", named(WEB, "old", "a" * 32), named(host(), "db", "b" * 32))
    after = folder(tmp_path / "after", named(host(), "db", "b" * 32), named(WEB, "new", "a" * 32))
    code, lines = diff(before, after)
    assert (code, lines[1:]) == (1, ["", "new", "~ host name: old -> new"])


def test_hosts_that_show_no_machine_id_are_known_by_their_names(diff: Diff, tmp_path: Path) -> None:
    before = folder(tmp_path / "before", named(WEB, "web", None), named(host(), "db", "b" * 32))
    after = folder(tmp_path / "after", named(host(), "db", None), named(WEB, "web", "c" * 32), named(host(), "new", None))
    code, lines = diff(before, after)
    assert (code, marked(lines)) == (1, ["+ host new: 1 stack, 0 sockets"])


def test_a_host_of_another_machine_id_is_another_host_whatever_its_name(diff: Diff, tmp_path: Path) -> None:
    before = folder(tmp_path / "before", named(WEB, "web", "a" * 32), named(host(), "db", "b" * 32))
    after = folder(tmp_path / "after", named(WEB, "web", "c" * 32), named(host(), "db", "b" * 32))
    code, lines = diff(before, after)
    assert code == 1
    assert marked(lines) == ["- host web: 1 stack, 2 sockets", "+ host web: 1 stack, 2 sockets"]
    assert f"web ({'a' * 32})" in lines


def test_machines_cloned_with_their_machine_id_are_told_apart_by_name(diff: Diff, tmp_path: Path) -> None:
    before = folder(tmp_path / "before", named(WEB, "one"), named(host(), "two"))
    after = folder(tmp_path / "after", named(host(), "two"), named(WEB, "one"))
    assert diff(before, after)[0] == 0


def test_a_host_that_cannot_be_told_from_another_is_not_called_gone(diff: Diff, tmp_path: Path) -> None:
    before = folder(tmp_path / "before", named(WEB, "one"), named(WEB, "two"))
    after = folder(tmp_path / "after", named(WEB, "three"), named(WEB, "four"))
    code, lines = diff(before, after)
    assert code == 1
    assert {line[0] for line in marked(lines)} == {"?"}
    assert len(marked(lines)) == 4


def test_a_host_that_a_source_has_twice_is_not_guessed_at(diff: Diff, tmp_path: Path) -> None:
    before = folder(tmp_path / "before", named(WEB, "web", "a" * 32), named(host(), "db", "b" * 32))
    after = folder(tmp_path / "after", *[named(WEB, "web", "a" * 32)] * 2, named(host(), "db", "b" * 32))
    for sides in ((before, after), (after, before)):
        code, lines = diff(*sides)
        assert code == 1
        assert any("has 2 snapshots of it: give one" in line for line in lines)
        assert {line[0] for line in marked(lines)} == {"?"}


def test_a_source_that_cannot_be_read_is_trouble_and_its_hosts_are_not_gone(
    diff: Diff, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = folder(tmp_path / "before", named(WEB, "web", "a" * 32), named(host(), "db", "b" * 32))
    after = folder(tmp_path / "after", named(WEB, "web", "a" * 32), b"not a bundle")
    code, lines = diff(before, after)
    assert code == 2
    assert marked(lines) == ["? host db: 1 stack, 0 sockets in A; could not be compared: 1 of B could not be read"]
    (after / "1.evidence").write_bytes(named(host(), "db", "b" * 32))
    (before / "2.evidence").write_bytes(b"not a bundle")
    code, lines = diff(before, after)
    assert code == 2
    assert lines[0].startswith("NOT KNOWN: no certain difference, but 1 source could not be read")


def test_a_source_of_which_nothing_can_be_read_is_an_error_with_advice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = kept(tmp_path, "a", WEB)
    for words in (["diff", str(path), str(tmp_path / "none")], ["diff", str(tmp_path / "none"), str(path)], ["diff", "-", "-"]):
        assert main(words) == 2
        assert "what to do: " in capsys.readouterr().err


def test_one_side_may_come_from_stdin(diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(WEB.bundle())))
    assert diff(WEB, "-")[0] == 0


def test_a_snapshot_and_the_bundle_it_was_made_from_are_the_same(diff: Diff) -> None:
    assert diff(WEB, WEB.snapshot())[0] == 0


def test_the_order_of_the_hosts_and_of_their_sockets_does_not_matter(diff: Diff, tmp_path: Path) -> None:
    hosts = [named(WEB, f"web{n}", f"{n:032x}") for n in range(5)]
    gone = [named(host(port("tcp/0.0.0.0:80", NGINX)), f"web{n}", f"{n:032x}") for n in range(5)]
    outputs = [diff(folder(tmp_path / f"a{turn}", *hosts[turn:], *hosts[:turn]), folder(tmp_path / f"b{turn}", *gone)) for turn in range(3)]
    assert outputs[0] == outputs[1] == outputs[2]
    assert len(marked(outputs[0][1])) == 5


def test_bs_hosts_pass_by_one_at_a_time() -> None:
    alive: list[int] = []

    class Counted(Snapshot):
        __slots__ = ("__weakref__",)

        def __del__(self) -> None:
            alive.pop()

    def snapshots(kind: type[Snapshot]) -> Iterable[Snapshot]:
        for number in range(20):
            if kind is Counted:
                alive.append(number)
                assert len(alive) <= 2
            yield kind(host=f"h{number}", system="Linux", release="6", stacks=Facts([], "made"))

    assert len(compare_hosts(snapshots(Snapshot), snapshots(Counted), {"A": [], "B": []})) == 20


SUBJECTS = ("tcp/0.0.0.0:22", "tcp/*:22", "tcp/[::]:22", "udp/0.0.0.0:45000", "udp/0.0.0.0:45001", "udp/0.0.0.0%br0:67")
SHOWN_IN_FULL = [
    one
    for held in itertools.product(SUBJECTS, (SSHD, NGINX), (0, 33))
    for one in stack_of(host(port(held[0], held[1], uid=held[2]))).listening.seen
]
KEYS = ("v6only", "device", "state", "reach", "owner_state", "owners_seen", "kernel_given", "family", "address", "port", "protocol")
QUIET = host().snapshot()


def listings() -> st.SearchStrategy[list[Socket]]:
    """The sockets of a host as a bundle shows them."""
    return st.lists(st.sampled_from(SHOWN_IN_FULL), max_size=5)


@st.composite
def less_shown(draw: st.DrawFn, sockets: list[Socket]) -> list[Socket]:
    """The same sockets in another order, some keys of some of them not shown."""
    found = []
    for one in draw(st.permutations(sockets)):
        away = draw(st.sets(st.sampled_from(KEYS), max_size=2))
        shown = {key: value for key, value in one.shown.items() if key not in away}
        if "owners_seen" in away:
            shown["owner_state"] = "unreadable"
        if "address" in away:
            shown |= {"address": "*", "family": "unknown"} if one.address in ("0.0.0.0", "::") else {}
        found.append(Socket(**shown))
    return found


def snapshot_with(sockets: list[Socket], *gaps: Gap) -> Snapshot:
    return changed(QUIET, listening=Facts(sockets, "made", gaps))


def portraits(sockets: list[Socket]) -> Counter[Any]:
    """What is compared of sockets of which everything is shown."""
    return Counter((one.subject, one.state, one.reach, one.uid, one.owners_seen[0].executable) for one in sockets)


@given(listings(), listings())
def test_sockets_that_are_shown_in_full_are_the_same_where_they_are_and_else_differ_for_certain(
    before: list[Socket], after: list[Socket]
) -> None:
    told = differences(snapshot_with(before), snapshot_with(after))
    assert "?" not in {change.sign for change in told}
    assert (not told) == (portraits(before) == portraits(after))


@given(listings(), st.data())
def test_showing_less_of_a_host_never_makes_a_certain_difference(sockets: list[Socket], data: st.DataObject) -> None:
    less = data.draw(less_shown(sockets))
    for sides in ((sockets, less), (less, sockets), (less, data.draw(less_shown(sockets)))):
        assert {change.sign for change in differences(*map(snapshot_with, sides))} <= {"?"}
    if any({"state", "reach", "owner_state"} - one.shown.keys() for one in less):
        assert differences(snapshot_with(less), snapshot_with(less))


@given(listings(), st.data())
def test_a_socket_that_a_gap_hides_is_never_called_gone_or_new(sockets: list[Socket], data: st.DataObject) -> None:
    seen = [one for one in sockets if data.draw(st.booleans())]
    told = differences(snapshot_with(sockets), snapshot_with(seen, Gap("cut")))
    assert {change.sign for change in told} == {"?"}
    assert {change.sign for change in differences(snapshot_with(seen, Gap("cut")), snapshot_with(sockets))} == {"?"}


@given(listings(), listings())
def test_a_comparison_and_its_reverse_say_the_same_the_other_way_round(before: list[Socket], after: list[Socket]) -> None:
    turned = {"+": "-", "-": "+"}
    forth = differences(snapshot_with(before), snapshot_with(after))
    back = differences(snapshot_with(after), snapshot_with(before))
    assert sorted((c.sign, c.aspect, c.count) for c in forth) == sorted((turned.get(c.sign, c.sign), c.aspect, c.count) for c in back)


def test_facts_that_a_snapshot_does_not_show_at_all_could_not_be_compared() -> None:
    bare = Snapshot(host="a", system="Linux", release="6", stacks=Facts([Stack(name="host", kind="host")], "made"))
    told = differences(bare, bare)
    assert {change.sign for change in told} == {"?"}
    assert len(told) == 7
