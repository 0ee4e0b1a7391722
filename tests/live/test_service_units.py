"""Service units in the folders of a made host: what is read of them, what systemd reads of the same files, and what the kernel grants."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import pytest

from auditor.binding import Grant
from auditor.live.service_units import programs
from auditor.live.unit_files import logical_lines
from tests.hosts import NEEDED, NOBODY, WEB, Host, as_if_initial, host, interpreted, stack

pytestmark = NEEDED
ETC, RUN, VENDOR = "/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"
SYSTEMD = "/lib/systemd/systemd"
SHOP = """\
[Unit]
Description=the shop, token=hunter2
[Service]
Environment=PASSWORD=hunter2
User=web
AmbientCapabilities=CAP_NET_BIND_SERVICE
ExecStart=-/usr/sbin/shop --password=hunter2 "a ; +hunter2" ; @/bin/other hunter2
"""


def grants(made: Host, user: int | None = None) -> dict[str, Grant]:
    found = stack(interpreted(as_if_initial(made.collect(user=user)))).grants
    return {one.subject: one for one in found.seen if one.path in ("unit", "socket-unit")}


def write(made: Host, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        made.write(path, text)


def test_a_service_that_may_and_the_socket_of_one_that_needs_not() -> None:
    with host() as made:
        write(made, {
            f"{ETC}/shop.service": SHOP,
            f"{VENDOR}/log.service": "[Service]\nUser=web\nExecStart=/usr/sbin/log\n",
            f"{VENDOR}/log.socket": "[Socket]\nListenDatagram=514\nListenStream=5140\n",
            f"{VENDOR}/root.service": "[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nExecStart=/usr/sbin/root\n",
        })  # fmt: skip
        made.link(f"{ETC}/sockets.target.wants/log.socket", f"{VENDOR}/log.socket")
        found = grants(made)
        assert sorted(found) == ["shop.service as user web", "udp/[::]:514 of log.socket for log.service as user web"]
        shop, log = found.values()
        assert (shop.uid, shop.user, shop.unit, [str(ports) for ports in shop.ports]) == (WEB, "web", "shop.service", ["1-1023"])
        assert (log.executable, log.protocol, [str(ports) for ports in log.ports]) == ("/usr/sbin/log", "udp", ["514"])
        assert {subject: one.to_json() for subject, one in grants(made, NOBODY).items()} == {s: one.to_json() for s, one in found.items()}


def test_nothing_of_a_unit_file_but_named_directives_and_programs_is_in_the_bundle() -> None:
    with host() as made:
        made.write(f"{ETC}/shop.service", SHOP)
        made.write(f"{ETC}/shop.service.d/more.conf", "[Service]\nEnvironment=KEY=hunter2\nExecStart=+/bin/more \\\n  hunter2\n")
        bundle = made.collect()
    assert b"shop.service\t/etc/systemd/system/shop.service\t7\tExecStart\t-/usr/sbin/shop\n" in bundle
    assert b"shop.service\t/etc/systemd/system/shop.service\t7\tExecStart\t@/bin/other\n" in bundle
    assert b"/etc/systemd/system/shop.service.d/more.conf\t3\tExecStart\t+/bin/more\n" in bundle
    assert b"hunter2" not in bundle


@pytest.mark.parametrize("unread", ["shop.service", "shop.service.d/a.conf", "shop.service.d"])
def test_a_unit_that_may_not_be_read_is_a_gap_and_the_others_are_told(unread: str) -> None:
    with host() as made:
        made.write(f"{ETC}/shop.service", SHOP)
        made.write(f"{ETC}/shop.service.d/a.conf", "[Service]\nUser=nobody\n")
        made.write(f"{ETC}/mill.service", SHOP)
        made.run("chmod", "700", f"{ETC}/{unread}", check=True)
        found = stack(interpreted(as_if_initial(made.collect(user=NOBODY)))).grants
        assert [one.subject for one in found.seen if one.path == "unit"] == ["mill.service as user web"]
        assert sum(f"{ETC}/{unread}" in gap.why and "says of services" in gap.why for gap in found.gaps) == 1
        assert sorted(grants(made)) == ["mill.service as user web", "shop.service as user nobody"]


def test_a_mask_an_alias_and_a_link_to_nothing_are_no_services() -> None:
    with host() as made:
        for name in ("off", "gone", "shop"):
            made.write(f"{VENDOR}/{name}.service", SHOP)
        made.link(f"{ETC}/off.service", "/dev/null")
        made.link(f"{ETC}/gone.service", "/nonexistent/gone.service")
        made.link(f"{ETC}/www.service", f"{VENDOR}/shop.service")
        made.write(f"{ETC}/www.service.d/a.conf", "[Service]\nUser=nobody\n")
        made.write(f"{ETC}/ghost.service.d/a.conf", SHOP)
        assert list(grants(made)) == ["shop.service as user nobody"]


def test_what_a_service_gets_binds_a_low_port_under_no_new_privs_and_what_it_does_not_get_binds_none() -> None:
    bind = "import socket; socket.socket().bind(('127.0.0.1', 82))"
    user = (f"--reuid={WEB}", f"--regid={WEB}", "--clear-groups")
    with host() as made:
        ambient = made.run("setpriv", *user, "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", "--no-new-privs",
                           made.interpreter, "-S", "-c", bind)  # fmt: skip
        assert ambient.code == 0, ambient.err
        assert "PermissionError" in made.run("setpriv", *user, made.interpreter, "-S", "-c", bind).err
        unbounded = made.run("setpriv", "--bounding-set=-net_bind_service", "--inh-caps=+net_bind_service",
                             "--ambient-caps=+net_bind_service", *user, made.interpreter, "-S", "-c", bind)  # fmt: skip
        assert unbounded.code != 0


FILES = {
    f"{VENDOR}/one.service": "[Service]\nUser=bin\nAmbientCapabilities=CAP_NET_BIND_SERVICE\nExecStart=/bin/vendor x\n",
    f"{ETC}/one.service": "[Service]\nUser=daemon\nAmbientCapabilities = CAP_CHOWN\nExecStart=/bin/ours x\n",
    f"{VENDOR}/one.service.d/b.conf": "[Service]\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n",
    f"{ETC}/one.service.d/a.conf": "[Service]\nAmbientCapabilities=\nUser=games\n",
    f"{VENDOR}/one.service.d/a.conf": "[Service]\nUser=sys\n",
    f"{RUN}/service.d/z.conf": "[Service]\nSocketBindDeny=ipv4:tcp:1-99\n",
    f"{VENDOR}/two-three.service": "[Service]\nExecStart=/bin/a x ; +/bin/b \\; y ; -!/bin/c\nType=oneshot\nUser=mail\n",
    f"{ETC}/two-.service.d/a.conf": "[Service]\nExecStart=@/bin/d e\nUser=man\n",
    f"{VENDOR}/two-.service.d/a.conf": "[Service]\nExecStart=\n",
    f"{VENDOR}/four@.service": "[Service]\nUser=news\nExecStart=/bin/four %i\n",
    f"{ETC}/four@x.service.d/a.conf": "[Service]\nUser=lp\n",
    f"{ETC}/five.service": (
        "[Service]\nAmbientCapabilities=\\\n # no \\\n CAP_KILL \\\n\nUser=uucp\nExecStart=\\\n  /bin/five \\\n  ; x\n"
    ),
    f"{ETC}/six.service": (
        "[Install]\nUser=bin\n[Service]\nType=oneshot\nUser=proxy\\\n"
        '\nExecStart=\'/bin/s i x\' "; +/bin/no" ; "/bin/s"ix\n[Unit]\nUser=sys\n'
    ),
    f"{ETC}/seven.service": (
        "\ufeff[Service]\r\nUser=www-data\r\nAmbientCapabilities=cap_net_bind_service 1 CAP_TYPO\r\nExecStart=/bin/seven\r\n"
    ),
    f"{ETC}/eight.service": (
        "User=bin\n[service]\nUser=sys\n[Service]\nExecStart=-:/bin/eight\nExecStart=\nExecStart=:-/bin/ate\n user=bin\n"
    ),
    f"{ETC}/nine.service": (
        "[Service]\nExecStart=/bin/nine\nSocketBindAllow=80\nSocketBindAllow=\nSocketBindAllow=TCP: 81\nSocketBindDeny=any\n"
    ),
}
LINKS = {f"{ETC}/also.service": "one.service", f"{ETC}/one.service.d/b.conf": "/dev/null"}
UNITS = (
    "also.service",
    "two-three.service",
    "four@x.service",
    "five.service",
    "six.service",
    "seven.service",
    "eight.service",
    "nine.service",
)


@pytest.mark.skipif(not os.access(SYSTEMD, os.X_OK), reason="needs systemd (package systemd)")
def test_what_is_read_of_files_in_many_folders_is_what_systemd_reads_of_them() -> None:
    with host() as made:
        write(made, FILES)
        for path, target in LINKS.items():
            made.link(path, target)
        made.write(f"{ETC}/these.target", f"[Unit]\nDefaultDependencies=no\nWants={' '.join(UNITS)}\n")
        made.link(f"{ETC}/these.target.wants/four@x.service", f"{VENDOR}/four@.service")
        done = made.run(SYSTEMD, "--test", "--system", "--unit=these.target", "--no-pager", "--log-target=console", user=NOBODY)
        assert done.code == 0, done.err
        bundle = made.collect()
    systemds, ours = as_systemd_says(done.out.decode()), as_we_say(bundle)
    assert {name: ours.get(name) for name in systemds} == systemds
    assert len(systemds) == len(UNITS)


Said = tuple[str, list[str], list[str], list[str]]
"""A unit's user, its ambient capabilities, its rules for bind(2), and its programs."""


def as_systemd_says(dump: str) -> dict[str, Said]:
    """Of the dump of `systemd --test`."""
    found: dict[str, Said] = {}
    for part in re.split(r"^\t?-> Unit ", dump.partition("-> By jobs")[0], flags=re.M)[1:]:
        name = part.partition(":\n")[0]
        if name.endswith(".service") and "Unit Load State: loaded" in part:
            values = {key: re.findall(rf"^\t+{key}: (.*)$", part, re.M) for key in ("User", "AmbientCapabilities", "Command Line")}
            rules = [words for key in ("SocketBindAllow", "SocketBindDeny") for words in re.findall(rf"^\t+{key}: (.*)$", part, re.M)]
            lines = [re.match(r'"([^"]*)"|(\S+)', line) for line in values["Command Line"]]
            started = [one[1] or one[2] for one in lines if one]
            found[name] = "".join(values["User"]), sorted(" ".join(values["AmbientCapabilities"]).split()), rules, started
    return found


def as_we_say(bundle: bytes) -> dict[str, Said]:
    from auditor.collectors._linux_evidence import LinuxEvidence
    from auditor.collectors._linux_service_units import ServiceUnits
    from auditor.evidence import load

    found = {}
    for name, unit in ServiceUnits(LinuxEvidence(load(bundle))).units.items():
        rules = [" ".join(reversed([f"{rule.family + ':' if rule.family else ''}{rule.protocol + ':' if rule.protocol else ''}"
                                    f"{'any' if len(rule.ports) > 65534 else rule.ports}" for rule in rules]))
                 for rules in (unit.allow, unit.deny) if rules]  # fmt: skip
        # of a command with @ the dump shows the words that it is given alone, the program left out
        started = ["e" if "@" in one.prefix else one.program or "" for one in unit.commands]
        found[name] = unit.user, sorted(unit.ambient), rules, started
    return found


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"/bin/a b c", [b"/bin/a"]),
        (b"-+/bin/a", [b"-+/bin/a"]),
        (b"/bin/a;b c", [b"/bin/a;b"]),
        (b"/bin/a ; /bin/b ; ;/bin/c", [b"/bin/a", b"/bin/b", b";/bin/c"]),
        (b'/bin/a \\; ";" x;', [b"/bin/a"]),
        (b"'/bin/a b' c", [b"/bin/a b"]),
        (b'+"/bin/a \\" ; b" c', [b'+/bin/a \\" ; b']),
        (b'/bin/a "secret ; /bin/b', [b"/bin/a"]),
        (b'"/bin/a secret', [None]),
        (b"", [b""]),
        (b" ; ", []),
    ],
)
def test_the_programs_of_a_command_line(line: bytes, told: list[bytes | None]) -> None:
    assert programs(line) == told


def test_a_line_goes_on_behind_a_backslash_but_not_behind_two() -> None:
    text = b"a=1 \\\n# no\n  2\nb=3 \\\\\nc=4 \\ \n\\\n"
    assert list(logical_lines(text)) == [(1, b"a=1  2"), (4, b"b=3 \\\\"), (5, b"c=4 \\ "), (6, b" ")]
