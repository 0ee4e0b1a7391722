"""`port-auditor bind-test`: what it asks for, and what it says where it cannot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from auditor.bind_prediction import Comparison
from auditor.bind_view import summary
from auditor.child import CHILD_ENVIRONMENT
from auditor.cli import bind_test, main
from auditor.errors import AuditorError
from auditor.facts import Facts
from auditor.model import Snapshot, Stack
from auditor.sources import Source
from tests.bundles import THRESHOLD, Tried, host, policy, stack_of

LINUX = pytest.mark.skipif(os.uname().sysname != "Linux", reason="the bind test is there for Linux alone")
PYTHON = str(shutil.which("python3", path=CHILD_ENVIRONMENT["PATH"]))
OF_THE_HOST = pytest.mark.skipif(os.uname().sysname != "Linux" or PYTHON == "None", reason="needs a Linux with a python3 of its own")
NOBODY = 65534
AS_PROMISED = ("tcp/0.0.0.0:0 40001", "tcp/0.0.0.0:0 33001", "tcp/0.0.0.0:80 EACCES", "tcp/0.0.0.0:1023 EACCES", "tcp/0.0.0.0:1024 ok")


def told(*tries: str, about: dict[str, str | None] | None = None, threshold: str | None = "1024") -> list[str]:
    snapshot: Snapshot = host(settings={THRESHOLD: threshold}, bind_tests=[Tried(tries, about or {})]).snapshot()
    stack: Stack = stack_of(snapshot)
    return list(bind_test._of_stack(stack, [Comparison(stack, one) for one in stack.measured.seen], {NOBODY: "nobody"}))


def test_what_is_promised_stands_beside_what_was_taken_and_what_the_kernel_gave() -> None:
    assert told(*AS_PROMISED, about={"in_use": "22,5000-5010", "in_policy": "443"}) == [
        "host",
        "  as user nobody (65534), groups 65534",
        "                           promised  taken    bind(0) gave",
        "  tcp/0.0.0.0              1024      1024     33001-40001, odd, falling                as promised",
        "  left out, in use: 22, 5000-5010",
        "  left out, named in the policy: 443",
    ]


def test_a_difference_is_told_once_for_all_addresses_that_share_it() -> None:
    rows = [*AS_PROMISED[:2], "tcp/0.0.0.0:80 ok", *AS_PROMISED[3:]]
    lines = told(*rows, *[one.replace("0.0.0.0", "127.0.0.1") for one in rows])
    assert [line.split()[-1] for line in lines[3:5]] == ["DIFFERS", "DIFFERS"]
    said = " ".join(line.strip() for line in lines[5:])
    assert said.startswith("tcp/0.0.0.0, tcp/127.0.0.1: user 65534: 1 port could be taken that nothing promises, 80 the lowest")
    assert said.count("could be taken") == 1


def test_what_is_not_known_is_told_with_its_reason() -> None:
    lines = told(*AS_PROMISED, threshold=None)
    assert lines[3].split()[1] == "?"
    assert lines[3].endswith("not known")
    assert any(line.startswith(f"  not known: /proc/sys/{THRESHOLD.replace('.', '/')} is not there") for line in lines)


def test_an_address_that_is_not_there_is_told_as_such() -> None:
    lines = told(*AS_PROMISED, "udp/[::1]:0 EAFNOSUPPORT")
    assert lines[4] == "  udp/[::1]                not tried: there is no such address or family (EAFNOSUPPORT)"


NOWHERE = ("tcp/0.0.0.0:0 EADDRNOTAVAIL", "udp/[::1]:0 EAFNOSUPPORT")


def snapshot_of(*tries: str, failed: str | None = None) -> Snapshot:
    return host(settings={THRESHOLD: "1024"}, bind_tests=[Tried(tries, failed=failed)]).snapshot()


def without_stacks() -> Snapshot:
    of = snapshot_of(*AS_PROMISED)
    return Snapshot(**{**of.shown, "stacks": Facts([], of.stacks.source)})


NOTHING = "nothing was tried: no port was asked for at any address, so this says nothing of who may bind"


@LINUX
@pytest.mark.parametrize(
    ("of", "code", "said"),
    [
        (snapshot_of(*AS_PROMISED), 0, None),
        (snapshot_of(*AS_PROMISED, *NOWHERE[1:]), 0, None),
        (snapshot_of(*NOWHERE), 3, NOTHING),
        (snapshot_of(), 3, NOTHING),
        (snapshot_of(failed="the time for the test is over"), 3, "no bind was tried: builtin:bind-test: the time for the test is over"),
        (without_stacks(), 3, "nothing was tried: no network stack was seen"),
    ],
)
def test_where_nothing_was_tried_nothing_is_as_promised(
    of: Snapshot, code: int, said: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bind_test, "this_host", lambda *given, **more: Source(of, "this host"))
    assert main(["bind-test"]) == code
    told = " ".join(capsys.readouterr().out.split())
    assert ("nothing was tried" in told or "no bind was tried" in told) is (said is not None)
    assert told.count(said or "host") == 1


def test_one_port_of_the_kernels_choice_has_no_order() -> None:
    lines = told("tcp/0.0.0.0:0 40003", "tcp/0.0.0.0:0 40003", *AS_PROMISED[2:])
    assert lines[3] == "  tcp/0.0.0.0              1024      1024     40003, odd, one port                     as promised"


def test_a_user_of_another_number_than_the_named_one_has_no_name() -> None:
    assert told(*AS_PROMISED, about={"uid": "1000", "gids": "1000"})[1] == "  as user 1000, groups 1000"


def test_what_a_program_that_was_started_tells_is_told_with_its_limit() -> None:
    started = {"executed": "1", "in_use": None}
    said = " ".join(line.strip() for line in told(*AS_PROMISED, about=started))
    assert "only as honest as that user's other processes let it be" in said
    assert "honest" not in " ".join(told(*AS_PROMISED))
    limits = [host(bind_tests=[Tried(AS_PROMISED, about)]).snapshot().limits for about in (started, {})]
    assert [any("only as honest as" in limit for limit in of) for of in limits] == [True, False]


def test_a_stack_is_told_in_a_line() -> None:
    def line(*tries: str, about: dict[str, str | None] | None = None, failed: str | None = None) -> list[str]:
        return summary(stack_of(host(settings={THRESHOLD: "1024"}, bind_tests=[Tried(tries, about or {}, failed)]).snapshot()))

    more = [one.replace("0.0.0.0", "127.0.0.1") for one in AS_PROMISED]
    assert line(*AS_PROMISED) == ["tried as user 65534: 1 address as promised; 0 differ; left out, in use: 22"]
    assert line(*AS_PROMISED, *more, about={"in_use": None}) == ["tried as user 65534: 2 addresses as promised; 0 differ"]
    told_ = line(*AS_PROMISED, more[0], "tcp/127.0.0.1:80 ok", *more[3:], "udp/[::1]:0 EADDRNOTAVAIL", about={"in_policy": "443"})
    assert told_ == [
        "tried as user 65534: 1 address as promised; 1 differ; 1 not there; left out, in use: 22; left out, named in the policy: 443"
    ]
    assert line(*AS_PROMISED[:2]) == ["tried as user 65534: 0 addresses as promised; 0 differ; 1 not known; left out, in use: 22"]
    (nothing,) = line(failed="the time for the test is over")
    assert nothing.startswith("nothing was tried: ")
    assert nothing.endswith("the time for the test is over")
    assert summary(stack_of(host().snapshot())) == []


def test_a_long_address_has_a_line_of_its_own() -> None:
    lines = told(*[one.replace("0.0.0.0", "[2001:db8:1111:2222:3333:4444:5555:6666]") for one in AS_PROMISED])
    assert lines[3:5] == [
        "  tcp/[2001:db8:1111:2222:3333:4444:5555:6666]",
        "                           1024      1024     33001-40001, odd, falling                as promised",
    ]


def test_what_comes_from_the_host_is_made_harmless() -> None:
    lines = told(*AS_PROMISED, about={"launcher": "x\x1b[2J", "launcher_program": "/x", "executed": "1"})
    assert "\x1b" not in "".join(lines)
    assert "through x\\x1b[2J" in lines[1]


def test_the_ports_of_a_policy_are_those_of_its_lists_their_exceptions_and_what_was_accepted() -> None:
    text = """
ephemeral: {reserved_must_include: [30000-30009]}
listening:
  approved: [{name: web, port: [80, 443]}]
  required: [{name: dns, port: 53, protocol: udp}]
  forbidden: [{name: old, port: 20-23, why: x, except: {port: 22, executable: /usr/sbin/sshd}}]
waivers:
- {rule: listener-on-wildcard-address, subject: "tcp/0.0.0.0:8080", reason: x, owner: y, expires: 2027-01-01}
"""
    ports = {port for first, last in bind_test.named_in(policy(text)) for port in range(first, last + 1)}
    assert ports == {80, 443, 53, 20, 21, 22, 23, 8080, *range(30000, 30010)}


@OF_THE_HOST
def test_the_probe_is_told_what_was_asked_for(tmp_path: Path) -> None:
    launcher = tmp_path / "launcher"
    launcher.touch(0o755)
    options = bind_test.options(
        [policy("listening: {approved: [{name: web, port: 80}]}")], launcher=f"{launcher} --deep 'a b'", python=PYTHON
    )
    assert options == {
        "user": None, "avoid": [(80, 80)], "every": False, "launcher": [str(launcher), "--deep", "a b"], "python": PYTHON,
    }  # fmt: skip


@OF_THE_HOST
def test_without_a_named_one_a_launcher_starts_the_hosts_own_python_which_any_user_may_run() -> None:
    assert bind_test.options([], launcher="/usr/bin/env")["python"] == PYTHON
    assert bind_test.options([])["python"] is None


@LINUX
def test_where_there_is_no_python_for_the_user_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bind_test, "_why_no_python", lambda user, path: "Permission denied (127)")
    with pytest.raises(AuditorError, match=r"no Python \(3\.7 or later\) was found that user") as raised:
        bind_test.options([], launcher="/usr/bin/env")
    assert "name one that this user may run, with --python" in raised.value.advice


@LINUX
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"user": "root"}, "is root, who may take any port"),
        ({"user": "0:0"}, "is root, who may take any port"),
        ({"user": "nobody-at-all"}, "no user 'nobody-at-all' in /etc/passwd"),
        ({"user": "-1:5"}, "no user '-1:5' in /etc/passwd"),
        ({"launcher": ""}, "--launcher has no word"),
        ({"launcher": "authbind 'x"}, "No closing quotation"),
        ({"launcher": "no-such-launcher --x"}, "--launcher no-such-launcher: no such program"),
        ({"python": "/bin/ls"}, r"--python /bin/ls is no Python \(3\.7 or later\) that user .* can run: [^\n]{1,200} \(2\)$"),
        ({"python": "/bin/true"}, r"--python /bin/true is no Python \(3\.7 or later\) .*it said nothing \(0\)$"),
        ({"python": "/bin/echo"}, r"--python /bin/echo is no Python \(3\.7 or later\) .*it said nothing \(0\)$"),
        ({"python": "/no/such/python"}, "--python /no/such/python: no such program"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_tried(given: dict[str, str], said: str) -> None:
    with pytest.raises(AuditorError, match=said):
        bind_test.options([], **given)  # type: ignore[arg-type]


def test_on_a_system_without_it_the_command_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    real = os.uname()
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("FreeBSD", *real[1:])))
    assert main(["bind-test"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "there is no bind test for FreeBSD yet" in err
    assert "it is there for Linux" in err


@LINUX
def test_a_stack_that_is_not_there_is_an_error_that_names_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bind-test", "--stack", "no-such-stack"]) == 2
    assert "the stacks seen are: " in capsys.readouterr().err
