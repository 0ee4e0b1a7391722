"""Who may bind, as the shell script sees it: in every shell what the built-in probes see, but where its own limits say otherwise."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from auditor import plugins
from auditor.live.authbind import HELPERS
from auditor.model import Snapshot
from auditor.script import script
from tests.bundles import judged
from tests.hosts import NEEDED, NOBODY, WEB, Host, as_if_initial, host, interpreted, listener, stack
from tests.live.test_capabilities import AMBIENT, as_user, running
from tests.live.test_script import EVERY_SHELL, snapshot, taken, without

pytestmark = NEEDED
needs_setcap = pytest.mark.skipif(not (shutil.which("setcap") and shutil.which("getcap")), reason="needs setcap (package libcap2-bin)")
needs_authbind = pytest.mark.skipif(not os.path.exists(HELPERS[0]), reason="needs authbind (package authbind)")
ETC, RUN = "/etc/systemd/system", "/run/systemd/system"
LOCAL = "/usr/local/bin"
NO_OWNER = "who owns the user namespace that owns this network namespace was not told"
"""lsns tells which one owns it, and not who owns that one."""
NEVER = ("namespace-owner", "program")
"""What no command tells: of programs at the bind hooks another test may have one just now."""
SERVICES = {
    f"{ETC}/shop.service": "[Unit]\nDescription=token=hunter2\n[Service]\nEnvironment=PASSWORD=hunter2\nUser=web\n"
    "AmbientCapabilities=CAP_SYS_TIME \\\n# hunter2\n  CAP_NET_BIND_SERVICE\n"
    'ExecStart=-/usr/sbin/shop --password=hunter2 "a ; +hunter2" ; @/bin/other hunter2\n',
    f"{ETC}/shop.service.d/more.conf": "[Service]\nExecStart=\nExecStart='/opt/a b/shop' hunter2\n",
    f"{RUN}/shop.service": "[Service]\nUser=root\n",
    f"{RUN}/keeps.service": "[Service]\nUser=web\nExecStart=+/usr/sbin/keeps hunter2\nNoNewPrivileges=yes\nSocketBindDeny=any\n",
    f"{RUN}/dynamic@.service": "[Service]\nDynamicUser=yes\nAmbientCapabilities=cap_net_bind_service\nExecStart=/usr/bin/%i\n",
    f"{RUN}/apart.service": "[Service]\nUser=web\nPrivateNetwork=yes\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nExecStart=/bin/apart\n",
    f"{RUN}/root.service": "[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nExecStart=/bin/root\n",
    f"{RUN}/masked.service": "[Service]\nUser=web\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n",
    f"{RUN}/service.d/every.conf": "\ufeff[Service]\nRestrictAddressFamilies=AF_INET AF_UNIX\n",
    f"{RUN}/log.service": "[Service]\nUser=web\nExecStart=/usr/sbin/log\n",
    f"{RUN}/log.socket": "[Socket]\nListenDatagram=514\n\\\nListenStream=5140\nDescription=hunter2\n",
}
AUTHBIND = {"byport/80": 0o777, "byport/81": 0o700, "byport/!600": 0o755, "byport/x y": 0o777, "byaddr/127.0.0.1,82": 0o755}
RULES = "0.0.0.0/0:90-99 # hunter2\n0.0.0.0/0,90-99\n\n# hunter2\n::/0,100\n"


def grants(seen: Snapshot, name: str = "host") -> dict[str, dict[str, Any]]:
    found = stack(seen, name).grants.seen
    assert len({str(one) for one in found}) == len(found)
    return {str(one): told(one.to_json()) for one in found}


def told(grant: dict[str, Any]) -> dict[str, Any]:
    """What two ways of looking must agree on. Beside how root's processes are counted, of which one hands the script over: getcap does not
    tell the revision of the attribute."""
    if grant["path"] == "root":
        return {key: value for key, value in grant.items() if key not in ("processes", "via")}
    return grant | {"via": [step.replace("revision 2, ", "").replace("revision 3, ", "") for step in grant["via"]]}


def live(made: Host, user: int | None = None) -> Snapshot:
    return interpreted(as_if_initial(made.collect(user=user)))


def shell_gaps(seen: Snapshot, name: str = "host") -> list[str]:
    """How many processes a user may not look into is left out: shells leave children that process 1 of a made host does not bury."""
    return [re.sub(r"\b\d+ processes\b|: \d+ could not be looked at.*", "some", gap.why) for gap in stack(seen, name).grants.gaps]


@pytest.fixture(scope="module")
def made() -> Iterator[Host]:
    """A host where others than root may bind in every way that can be made."""
    with host() as one, contextlib.ExitStack() as held:
        one.write("/etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\nweb:x:33:33::/:/bin/sh\n")
        for path, text in SERVICES.items():
            one.write(path, text)
        one.link(f"{ETC}/masked.service", "/dev/null")
        one.link(f"{ETC}/multi-user.target.wants/shop.service", f"{ETC}/shop.service")
        one.link(f"{ETC}/multi-user.target.wants/dynamic@x.service", f"{RUN}/dynamic@.service")
        one.link(f"{ETC}/other-name.service", f"{ETC}/shop.service")
        one.link(f"{ETC}/sockets.target.wants/log.socket", f"{RUN}/log.socket")
        held.enter_context(running(one, *as_user(NOBODY, *AMBIENT)))
        held.enter_context(running(one, *as_user(WEB, *AMBIENT), "unshare", "--user", "--map-root-user", "--net", "--"))
        one.start(listener("tcp", "127.0.0.1", 9003), how="zombie-leader")
        one.start(listener("tcp", "127.0.0.1", 9005), how="own-namespace")
        yield one


@EVERY_SHELL
@pytest.mark.parametrize("user", [None, NOBODY])
def test_processes_and_services_are_the_grants_that_the_built_in_probes_see(made: Host, shell: str, user: int | None) -> None:
    expected, seen = live(made, user), snapshot(made, shell, user=user)
    names = {one.name for one in expected.stacks.seen}
    assert {one.name for one in seen.stacks.seen} == names
    for name in names:
        known = {subject: one for subject, one in grants(expected, name).items() if one["path"] not in NEVER}
        assert grants(seen, name) == known
        unowned = [NO_OWNER] * any(one["path"] == "namespace-owner" for one in grants(expected, name).values())
        assert set(shell_gaps(seen, name)) == {why for why in shell_gaps(expected, name) if not why.startswith("BPF programs")} | {*unowned}
    found = grants(seen)
    assert "socket-unit udp/[::]:514 of log.socket for log.service as user web" in found
    assert {"unit shop.service as user web", "unit /usr/sbin/keeps as user root in keeps.service"} < found.keys()
    assert user or f"process {made.interpreter} as user nobody" in found


def test_no_argument_of_a_unit_leaves_the_host(made: Host) -> None:
    bundle = taken(made)
    assert b"ExecStart=/opt/a b/shop" in bundle
    assert b"hunter2" not in bundle


def test_who_owns_a_network_namespace_is_told_though_a_name_breaks_lsns(made: Host) -> None:
    process = made.start(listener("tcp", "127.0.0.1", 9006), name=b"x\nb) R", namespace=True, group="redis.service")
    seen = snapshot(made)
    process.stop()
    assert grants(seen, "redis.service").keys() == {"root root"}
    assert shell_gaps(seen, "redis.service") == []


def test_without_lsns_the_owner_of_a_network_namespace_is_not_known(made: Host) -> None:
    seen = snapshot(made, text=without(made, "lsns"))
    assert "which user namespace owns this network namespace was not told" in shell_gaps(seen)
    assert not [one for one in grants(seen) if one.startswith("process ")]


@contextlib.contextmanager
def files() -> Iterator[Host]:
    """A host with files that have capabilities: in the search path, and among the programs of a unit and of a process."""
    with host() as one:
        apps = f"{one.stage}/apps"
        one.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", LOCAL, check=True)
        one.run("mkdir", "-m", "755", apps, f"{apps}/a b", f"{apps}/nosuid", check=True)
        one.run("mount", "-t", "tmpfs", "-o", "mode=755,nosuid", "tmpfs", f"{apps}/nosuid", check=True)
        wanted = {
            f"{LOCAL}/plain": "cap_net_bind_service=ep", f"{LOCAL}/with blank": "cap_net_bind_service=p",
            f"{LOCAL}/other": "cap_net_raw=ep", f"{LOCAL}/inherits": "cap_net_bind_service=ei", f"{LOCAL}/every": "=ep",
            f"{apps}/a b/unit": "cap_net_bind_service=ep", f"{apps}/nosuid/unit": "cap_net_bind_service=ep",
            f"{apps}/x=y": "cap_net_bind_service=ep", f"{LOCAL}/z cap_chown=ep": "cap_net_raw,cap_net_bind_service=ep",
        }  # fmt: skip
        for path, capability in wanted.items():
            one.run("cp", "/bin/true", path, check=True)
            one.run("setcap", capability, path, check=True)
        one.run("cp", os.path.realpath("/usr/bin/python3"), f"{LOCAL}/twin", check=True)
        one.run("setcap", "cap_net_bind_service=ep", f"{LOCAL}/twin", check=True)
        one.run("setcap", "-n", "1000", "cap_net_bind_service=ep", f"{LOCAL}/inherits", check=True)
        one.run("chmod", "4770", f"{LOCAL}/plain", check=True)
        one.run("setcap", "cap_net_bind_service=ep", f"{LOCAL}/plain", check=True)
        one.write(
            f"{ETC}/a.service",
            f'[Service]\nExecStart="{apps}/a b/unit" x\nExecStop={apps}/nosuid/unit\nExecReload=-{apps}/x=y\nExecStartPre=/opt/%i\n',
        )
        yield one


@needs_setcap
@pytest.mark.parametrize("user", [None, NOBODY])
def test_files_with_capabilities_are_found_and_judged_alike(user: int | None) -> None:
    with files() as made:
        program = made.program("served")
        made.run("setcap", "cap_net_bind_service=ep", program, check=True)
        made.start(listener("tcp", "127.0.0.1", 9007), run=[program])
        expected = grants(live(made, user))
        seen = snapshot(made, user=user)
        found = grants(seen)
        assert [line for line in seen.limits if line.startswith("A program that")] == [
            f"A program that a systemd unit names by a specifier or an escape was not looked at: {ETC}/a.service."
        ]
    assert {name for name in expected if name.startswith("file-cap")} == {name for name in found if name.startswith("file-cap")}
    unshown = 0
    for name, grant in found.items():
        theirs = expected[name]
        if " " in grant["subject"] and grant["path"] == "file-capability":
            unshown += 1
            assert "file" not in grant or "folders" not in grant["file"]
            keys = ("ports", "interpreter", "root")
            assert [grant.get(key) for key in keys] == [theirs.get(key) for key in keys]
        elif user is None or grant["path"] == "file-capability":
            assert grant == theirs | ({"interpreter": grant["interpreter"]} if "interpreter" in grant else {})
    assert unshown == 3
    assert found[f"file-capability {LOCAL}/twin"]["interpreter"] == "python"


@needs_setcap
@pytest.mark.parametrize("name", ["x\n/usr/bin/env cap_net_bind_service=ep", "x cap_net_raw=ep\n/usr/local/bin/plain"])
def test_a_file_with_a_line_feed_in_its_name_is_nobody_elses_capability_and_is_not_lost(name: str) -> None:
    with host() as made:
        made.run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", LOCAL, check=True)
        made.run("mkdir", "-p", os.path.dirname(f"{LOCAL}/{name}"), check=True)
        for path in (f"{LOCAL}/plain", f"{LOCAL}/{name}"):
            made.run("cp", "/bin/true", path, check=True)
        made.run("setcap", "cap_net_bind_service=ep", f"{LOCAL}/{name}", check=True)
        seen = snapshot(made)
    assert not [one for one in grants(seen) if one.startswith("file-capability")]
    assert any("what getcap says cannot be read" in why for why in shell_gaps(seen))


def test_without_getcap_files_with_capabilities_are_unknown_and_it_is_said_what_to_install(made: Host) -> None:
    (why,) = [why for why in shell_gaps(snapshot(made, text=without(made, "getcap"))) if "capabilities" in why]
    assert "getcap is not installed (libcap2-bin of Debian" in why


@needs_authbind
@EVERY_SHELL
def test_what_authbind_allows_is_read_alike(authbound: Host, shell: str) -> None:
    expected = {name: one for name, one in grants(live(authbound)).items() if name.startswith("authbind")}
    seen = snapshot(authbound, shell)
    assert {name: one for name, one in grants(seen).items() if name.startswith("authbind")} == expected
    assert {"authbind byport/80", "authbind byuid/33"} < expected.keys()
    assert shell_gaps(seen) == []


@pytest.fixture(scope="module")
def authbound() -> Iterator[Host]:
    with host() as one:
        one.run("mkdir", "-p", *(f"/etc/authbind/{name}" for name in ("byport", "byaddr", "byuid")), check=True)
        for name, mode in AUTHBIND.items():
            one.write(f"/etc/authbind/{name}", "", mode)
        one.write("/etc/authbind/byuid/33", RULES)
        one.run("chown", f"{WEB}:0", "/etc/authbind/byport/81", check=True)
        yield one


@needs_authbind
def test_nothing_but_rules_of_a_byuid_file_leaves_the_host(authbound: Host) -> None:
    assert b"hunter2" not in taken(authbound)


@needs_authbind
def test_a_link_of_authbinds_is_not_followed_and_that_is_said() -> None:
    with host() as made:
        made.run("mkdir", "-p", "/etc/authbind/byport", check=True)
        made.link("/etc/authbind/byport/80", "/etc/passwd")
        assert any("/etc/authbind/byport/80: it is a link" in why for why in shell_gaps(snapshot(made)))


def test_what_the_script_cannot_see_of_binding_is_said(made: Host) -> None:
    seen = snapshot(made)
    assert any("BPF programs at the bind hooks" in limit and "a shell script cannot call bpf(2)" in limit for limit in seen.limits)
    assert "endpoints" not in stack(seen).shown
    assert script(plugins.collectors().values(), frozenset({"ports"})).count("\nauthbind\n") == 0
    told = [one for one in judged(seen) if one.rule in ("bind-program-unexplained", "packet-socket-held")]
    assert {one.outcome for one in told} == {"notchecked"}
    assert any("cannot ask the kernel for BPF programs" in str(one.message) for one in told)
