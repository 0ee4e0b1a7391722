"""Which of systemd's services may take privileged ports, by which directives, and which only seem to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from auditor.binding import Grant
from auditor.facts import UnknownFact
from tests.bundles import THRESHOLD, Host, Net, Process, host, port, stack_of
from tests.made_services import Services, shown

ETC, VENDOR = "/etc/systemd/system", "/usr/lib/systemd/system"
AMBIENT = "AmbientCapabilities=CAP_NET_BIND_SERVICE"


def of(*lines: str, unit: str = "web.service", more: Mapping[str, str | None] | None = None, **services: Any) -> Host:
    """A host with a service of these lines."""
    files = {f"{ETC}/{unit}": "\n".join(("[Service]", *lines, "ExecStart=/usr/sbin/web")) + "\n", **(more or {})}
    return host(service_units=Services(files, **services))


def grants(made: Host, name: str = "host") -> list[Grant]:
    return [one for one in stack_of(made, name).grants.seen if one.path in ("unit", "socket-unit")]


def the(made: Host) -> Grant:
    (found,) = grants(made)
    return found


def gaps(made: Host) -> list[str]:
    return [gap.why for gap in stack_of(made).grants.gaps]


def ports(grant: Grant) -> list[str]:
    return [str(one) for one in grant.ports]


def test_a_service_of_another_user_than_root_with_the_capability_may_take_privileged_ports() -> None:
    made = of("User=www-data", AMBIENT, "NoNewPrivileges=yes")
    grant = the(made)
    assert str(grant) == "unit web.service as user www-data"
    assert (grant.user, grant.uid, grant.unit, grant.executable, grant.protocol) == ("www-data", 33, "web.service", "/usr/sbin/web", "any")
    assert (grant.scope, grant.everyone, grant.root) == ("user www-data, as the service web.service", False, False)
    assert (ports(grant), grant.source) == (["1-1023"], f"{ETC}/web.service")
    assert grant.via == [
        f"User=www-data ({ETC}/web.service:2)",
        f"AmbientCapabilities= has CAP_NET_BIND_SERVICE: what it starts has it, root or not ({ETC}/web.service:3)",
        f"NoNewPrivileges=yes takes nothing from it: ambient capabilities stay (capabilities(7)) ({ETC}/web.service:4)",
        "so web.service may bind these ports as user www-data",
    ]
    assert gaps(made) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("User=www-data",),
        (AMBIENT,),
        ("User=root", AMBIENT),
        ("User=0", AMBIENT),
        ("User=toor", AMBIENT),
        ("User=www-data", AMBIENT, "AmbientCapabilities="),
        ("User=www-data", AMBIENT, "AmbientCapabilities=~CAP_NET_BIND_SERVICE"),
        ("User=www-data", "AmbientCapabilities=CAP_NET_RAW"),
        ("User=www-data", AMBIENT, "CapabilityBoundingSet=CAP_NET_RAW"),
        ("User=www-data", AMBIENT, "CapabilityBoundingSet=~CAP_NET_BIND_SERVICE"),
        ("User=www-data", AMBIENT, "CapabilityBoundingSet="),
        ("User=www-data", AMBIENT, "PrivateUsers=yes"),
        ("User=www-data", AMBIENT, "PrivateUsers=full"),
        ("User=www-data", AMBIENT, "User="),
        ("CapabilityBoundingSet=~CAP_NET_BIND_SERVICE", "SocketBindDeny=any"),
        ("User=www-data", "[Install]", AMBIENT),
        ("User=www-data", "ambientcapabilities=CAP_NET_BIND_SERVICE"),
        ("User=www-data", f"# {AMBIENT}"),
    ],
)
def test_what_leaves_a_service_without_it_or_root_is_no_grant_of_its_own(lines: tuple[str, ...]) -> None:
    made = of(*lines)
    made = Host(service_units=made.service_units, users={0: "root", 33: "www-data"} if "User=toor" not in lines else {0: "toor"})
    assert grants(made) == []
    assert gaps(made) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("AmbientCapabilities=~CAP_SYS_ADMIN",),
        ("AmbientCapabilities=~",),
        ("AmbientCapabilities=10",),
        ("AmbientCapabilities=cap_net_raw cap_net_bind_service",),
        ("AmbientCapabilities=CAP_NET_RAW", AMBIENT),
        ("AmbientCapabilities=CAP_NET_RAW \\", "# no", "  CAP_NET_BIND_SERVICE"),
        (AMBIENT, "CapabilityBoundingSet=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"),
        (AMBIENT, "CapabilityBoundingSet=~CAP_SYS_ADMIN"),
        (AMBIENT, "CapabilityBoundingSet=", "CapabilityBoundingSet=~"),
        (AMBIENT, "PrivateUsers=maybe"),
    ],
)
def test_each_way_of_writing_it_is_read(lines: tuple[str, ...]) -> None:
    assert ports(the(of("User=www-data", *lines))) == ["1-1023"]


def test_users_by_number_of_no_list_and_of_a_specifier() -> None:
    assert (the(of("User=33", AMBIENT)).user, the(of("User=33", AMBIENT)).uid) == ("www-data", 33)
    unlisted = the(of("User=ldap-user", AMBIENT))
    assert unlisted.user == "ldap-user"
    with pytest.raises(UnknownFact):
        _ = unlisted.uid
    specifier = the(of("User=%i", AMBIENT, unit="web@.service"))
    assert specifier.scope == "a user that only systemd can resolve, as the service web@.service"
    with pytest.raises(UnknownFact):
        _ = specifier.user
    assert the(of("DynamicUser=yes", AMBIENT)).user == "web"
    assert the(of("DynamicUser=yes", "User=ann", AMBIENT)).uid == 1000


def test_what_holds_a_privileged_port_of_a_service_is_told() -> None:
    web = Process(900, "/usr/sbin/web", 33, "/system.slice/web.service")
    stranger = Process(901, "/usr/sbin/web", 33, "/system.slice/other.service")
    services = of("User=www-data", AMBIENT).service_units
    made = host(port("tcp/0.0.0.0:80", web), port("tcp/0.0.0.0:81", stranger), port("tcp/0.0.0.0:8080", web), service_units=services)
    assert the(made).bound == ["tcp/0.0.0.0:80"]


def test_a_command_that_stays_root_is_a_grant_to_root() -> None:
    made = of("User=www-data", "ExecStart=-/usr/bin/check", "ExecStart=@+/usr/sbin/setup name --key=hunter2")
    grant = the(made)
    assert str(grant) == "unit /usr/sbin/setup as user root in web.service"
    assert (grant.root, grant.uid, grant.executable) == (True, 0, "/usr/sbin/setup")
    assert grant.via[:2] == [
        f"User=www-data ({ETC}/web.service:2)",
        f"the prefix + of ExecStart= keeps this command root: User= does not count for it ({ETC}/web.service:4)",
    ]
    assert "hunter2" not in str(grant.to_json())


@pytest.mark.parametrize(
    ("line", "lines", "found"),
    [
        ("ExecStart=!/bin/a", (), ["root"]),
        ("ExecStart=!!/bin/a", (), []),
        ("ExecStart=-:/bin/a", (), []),
        ("ExecStart=!/bin/a", ("CapabilityBoundingSet=CAP_NET_RAW",), []),
        ("ExecStart=+/bin/a", ("CapabilityBoundingSet=CAP_NET_RAW",), ["root"]),
        ("ExecStart=+/bin/a", ("PrivateUsers=yes",), ["root"]),
        ("ExecStart=!/bin/a", ("PrivateUsers=yes",), []),
        ("ExecStart=/bin/a", (AMBIENT,), ["www-data"]),
        ("ExecStart=!!/bin/a", (AMBIENT,), ["www-data"]),
        ("ExecStart=+/bin/a", (AMBIENT,), ["www-data", "root"]),
    ],
)
def test_which_prefixes_leave_a_command_root(line: str, lines: tuple[str, ...], found: list[str]) -> None:
    assert [one.user for one in grants(of("User=www-data", *lines, line))] == found


@pytest.mark.parametrize(
    "lines", ["ExecStart=/bin/a\nExecStart=/bin/b\n", "ExecStart=%h/bin/a\n", "ExecStart=/bin/a\\x20b\n", 'ExecStart="/bin/a\n', ""]
)
def test_a_program_that_is_one_of_several_or_that_only_systemd_can_name_is_not_told(lines: str) -> None:
    made = host(service_units=Services({f"{ETC}/web.service": f"[Service]\nUser=www-data\n{AMBIENT}\n{lines}"}))
    with pytest.raises(UnknownFact):
        _ = the(made).executable


def test_an_empty_line_takes_back_the_programs_before_it() -> None:
    assert the(of("User=www-data", AMBIENT, "ExecStart=/bin/other", "ExecStart=")).executable == "/usr/sbin/web"


RULES = ("User=www-data", AMBIENT, "SocketBindDeny=any", "SocketBindAllow=tcp:80-90", "SocketBindAllow=ipv6:443")


def test_rules_for_bind_leave_the_ports_that_they_allow() -> None:
    tcp, udp = grants(of(*RULES))
    assert (tcp.subject, tcp.protocol, ports(tcp)) == ("web.service as user www-data, tcp", "tcp", ["80-90", "443"])
    assert (udp.subject, udp.protocol, ports(udp)) == ("web.service as user www-data, udp", "udp", ["443"])
    assert tcp.via[2] == (
        f"SocketBindDeny= and SocketBindAllow= leave it fewer ports ({ETC}/web.service:4, {ETC}/web.service:6), of SCTP all: "
        "a BPF program at bind(2) does that, which SCTP does not ask"
    )


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (("SocketBindDeny=tcp", "SocketBindDeny=udp"), ["any none"]),
        (("SocketBindDeny=any",), ["any none"]),
        (("SocketBindDeny=1-1000",), ["any 1001-1023"]),
        (("SocketBindDeny=ipv4",), ["any 1-1023"]),
        (("SocketBindDeny=ipv4", "SocketBindDeny=ipv6:udp"), ["tcp 1-1023"]),
        (("SocketBindAllow=80",), ["any 1-1023"]),
        (("SocketBindDeny=any", "SocketBindAllow=80", "SocketBindAllow="), ["any none"]),
        (("SocketBindDeny=any", "SocketBindAllow=8080"), ["any none"]),
        (("SocketBindDeny=tcp80",), ["any 1-1023"]),
        (("SocketBindDeny=IPV4",), ["any 1-1023"]),
        (("SocketBindDeny=any", "SocketBindAllow=80 443"), ["any none"]),
        (("SocketBindDeny=any", "RestrictAddressFamilies=AF_INET", "SocketBindAllow=ipv6:80", "SocketBindAllow=ipv4:81"), ["any 81"]),
    ],
)
def test_what_rules_for_bind_leave(rules: tuple[str, ...], left: list[str]) -> None:
    found = grants(of("User=www-data", AMBIENT, *rules))
    assert [f"{one.protocol} {', '.join(ports(one)) or 'none'}" for one in found] == left


def test_rules_for_bind_do_nothing_where_systemd_was_built_without_what_they_need() -> None:
    made = of(*RULES, framework=False)
    assert ports(the(made)) == ["1-1023"]
    assert the(made).via[2].endswith("are ignored: this systemd was built without BPF_FRAMEWORK, which they need")
    assert gaps(made) == []


@pytest.mark.parametrize("services", [{"framework": None}, {"manager": None}])
def test_whether_rules_for_bind_are_enforced_may_not_be_shown(services: dict[str, Any]) -> None:
    made = of(*RULES, **services)
    assert gaps(made) == ["whether systemd enforces SocketBindDeny= of web.service is not shown, and so which ports it leaves"]
    with pytest.raises(UnknownFact):
        _ = the(made).ports
    without = of("User=www-data", AMBIENT, **services)
    assert (ports(the(without)), gaps(without)) == (["1-1023"], [])


@pytest.mark.parametrize(
    ("line", "left", "step"),
    [
        ("AF_UNIX", [], "no sockets of IP"),
        ("none", [], "no sockets of IP"),
        ("~AF_INET AF_INET6", [], "no sockets of IP"),
        ("AF_UNIX AF_INET", ["1-1023"], "IPv4 alone"),
        ("AF_INET AF_INET6", ["1-1023"], None),
        ("~AF_PACKET", ["1-1023"], None),
    ],
)
def test_a_service_without_sockets_of_ip_has_no_ports(line: str, left: list[str], step: str | None) -> None:
    grant = the(of("User=www-data", AMBIENT, f"RestrictAddressFamilies={line}"))
    assert ports(grant) == left
    said = [words for words in grant.via if words.startswith("RestrictAddressFamilies=")]
    assert said == ([] if step is None else [f"RestrictAddressFamilies= leaves it {step} ({ETC}/web.service:4)"])


def test_a_service_with_a_network_namespace_of_its_own_has_its_grant_there() -> None:
    private = Net(holder=Process(4000, "/usr/sbin/web", 33, "/system.slice/web.service"), settings={THRESHOLD: "80"})
    blue = Net(mounted="/run/netns/blue", holder=Process(7000, "/usr/bin/sleep"))
    files = {
        f"{ETC}/web.service": f"[Service]\nUser=www-data\n{AMBIENT}\nPrivateNetwork=yes\n",
        f"{ETC}/mill.service": f"[Service]\nUser=ann\n{AMBIENT}\nNetworkNamespacePath=/var/run/netns/blue\n",
        f"{ETC}/lone.service": f"[Service]\nUser=ann\n{AMBIENT}\nPrivateNetwork=yes\n",
    }
    made = Host(others=(private, blue), service_units=Services(files))
    assert grants(made) == []
    (web,), (mill,) = grants(made, "web.service"), grants(made, "blue")
    assert (str(web), ports(web)) == ("unit web.service as user www-data", ["1-79"])
    assert f"PrivateNetwork=yes: in this network namespace, and not in the host's own ({ETC}/web.service:4)" in web.via
    assert (str(mill), ports(mill)) == ("unit mill.service as user ann", ["1-1023"])
    told = "lone.service, mill.service, web.service have network namespaces of their own"
    assert any(limit.startswith(told) for limit in made.snapshot().limits)


def test_drop_ins_aliases_masks_and_instances() -> None:
    files = {
        f"{VENDOR}/web.service": f"[Service]\nUser=www-data\n{AMBIENT}\nExecStart=/bin/vendor\n",
        f"{ETC}/web.service.d/a.conf": "[Service]\nUser=ann\n",
        f"{VENDOR}/service.d/z.conf": "[Service]\nExecStart=\nExecStart=/bin/all\n",
        f"{VENDOR}/off.service": f"[Service]\nUser=ann\n{AMBIENT}\n",
        f"{ETC}/off.service": "",
        f"{VENDOR}/mill@.service": f"[Service]\nUser=ann\n{AMBIENT}\n",
        f"{ETC}/mill@b.service.d/a.conf": "[Service]\nUser=www-data\n",
    }
    links = [
        (f"{ETC}/off.service", "/dev/null"),
        (f"{ETC}/www.service", f"{VENDOR}/web.service"),
        *((f"{ETC}/x.target.wants/mill@{name}.service", f"{VENDOR}/mill@.service") for name in "ab"),
    ]
    found = {one.subject: one for one in grants(Host(service_units=Services(files, links)))}
    assert sorted(found) == ["mill@.service as user ann", "mill@b.service as user www-data", "web.service as user ann"]
    assert found["web.service as user ann"].executable == "/bin/all"
    assert found["web.service as user ann"].via[0] == f"User=ann ({ETC}/web.service.d/a.conf:2)"


def test_the_word_of_the_manager_counts_before_that_of_the_files() -> None:
    said = {"User": "www-data", "AmbientCapabilities": "cap_net_bind_service"}
    agreed = of("User=www-data", AMBIENT, manager=shown("web.service", **said))
    assert the(agreed).to_json() == the(of("User=www-data", AMBIENT)).to_json()
    other = the(of("User=ann", AMBIENT, manager=shown("web.service", **said, NeedDaemonReload="yes")))
    assert (str(other), other.uid, other.source) == ("unit web.service as user www-data", 33, "systemctl show")
    assert other.via[2:4] == [
        "this is the word of systemd's manager; the unit's files say otherwise now",
        "the files were changed since systemd read them (NeedDaemonReload=yes)",
    ]
    assert grants(of("User=www-data", AMBIENT, manager=shown("web.service", User="www-data"))) == []
    resolved = the(of("User=%i", AMBIENT, unit="web@a.service", manager=shown("web@a.service", **said)))
    assert (resolved.user, "files say otherwise" in str(resolved.via)) == ("www-data", False)
    for state in ("masked", "bad-setting", "error"):
        assert grants(of("User=www-data", AMBIENT, manager=shown("web.service", LoadState=state))) == []
    assert len(grants(of("User=www-data", AMBIENT, manager=shown("web.service", LoadState="not-found")))) == 1
    unseen = the(of(manager=shown("run-u1.service", **said)))
    assert unseen.via[2] == "this is the word of systemd's manager; no file of the unit says so"


def test_without_a_manager_the_files_count_and_that_is_said() -> None:
    made = of("User=www-data", AMBIENT, manager=None)
    assert ports(the(made)) == ["1-1023"]
    assert gaps(made) == []
    why = "System has not been booted with systemd as init system (PID 1). Can't operate."
    assert f"systemd's manager did not answer ({why}): services are told of as their files have them." in made.snapshot().limits


def test_half_of_what_the_manager_says_is_a_gap_and_the_files_count() -> None:
    made = of("User=www-data", AMBIENT, manager=shown("web.service").replace("User=\n", ""))
    assert ports(the(made)) == ["1-1023"]
    assert gaps(made) == ["a unit of systemctl show cannot be read (web.service): it shows no User"]


def test_a_file_that_may_not_be_read_is_a_gap_for_its_unit_alone() -> None:
    more = {f"{ETC}/mill.service": None, f"{ETC}/other.service": None}
    made = of("User=www-data", AMBIENT, more=more, manager=shown("other.service", User="ann", AmbientCapabilities="cap_net_bind_service"))
    assert sorted(map(str, grants(made))) == ["unit other.service as user ann", "unit web.service as user www-data"]
    assert gaps(made) == [f"{ETC}/{name}.service: Permission denied: what it says of services is not known" for name in ("mill", "other")]


SHOP = {f"{ETC}/shop.service": "[Service]\nUser=ann\nExecStart=/usr/sbin/shop\n", f"{ETC}/root.service": "[Service]\nExecStart=/bin/r\n"}


def test_a_socket_on_a_privileged_port_for_a_service_of_another_user() -> None:
    units = (
        ("shop.socket", "ListenStream", "127.0.0.1:81"), ("shop.socket", "ListenDatagram", "514"), ("shop.socket", "ListenStream", "8080"),
        ("root.socket", "ListenStream", "82"), ("gone.socket", "ListenStream", "83"),
    )  # fmt: skip
    links = ((f"{ETC}/sockets.target.wants/shop.socket", f"{ETC}/shop.socket"),)
    made = host(service_units=Services(SHOP), units=units, links=links)
    tcp, udp = grants(made)
    assert (str(tcp), tcp.protocol, ports(tcp)) == (
        "socket-unit tcp/127.0.0.1:81 of shop.socket for shop.service as user ann",
        "tcp",
        ["81"],
    )
    assert (str(udp), udp.protocol, ports(udp)) == ("socket-unit udp/[::]:514 of shop.socket for shop.service as user ann", "udp", ["514"])
    assert (tcp.user, tcp.uid, tcp.unit, tcp.executable) == ("ann", 1000, "shop.service", "/usr/sbin/shop")
    assert tcp.scope == "user ann, as the service shop.service, by a socket that process 1 opened"
    assert tcp.via == [
        f"shop.socket has process 1, which is root, open tcp/127.0.0.1:81 ({ETC}/shop.socket:1)",
        f"shop.service gets that socket, and runs as user ann ({ETC}/shop.service:2)",
        "so user ann serves tcp/127.0.0.1:81 without a right to bind it",
    ]
    assert gaps(made) == []
    idle = grants(host(service_units=Services(SHOP), units=units))
    assert idle[0].via[1] == "shop.socket is not enabled: it does so once something starts it"


def test_a_socket_of_which_the_service_is_a_template_another_one_or_apart() -> None:
    services = Services({f"{ETC}/echo@.service": "[Service]\nDynamicUser=yes\n", **SHOP})
    one = ("echo.socket", "ListenStream", "7")
    accepting = host(service_units=services, units=(one, ("echo.socket", "Accept", "yes")))
    assert (the(accepting).user, the(accepting).unit) == ("echo", "echo@.service")
    assert the(host(service_units=services, units=(one, ("echo.socket", "Service", "shop.service")))).user == "ann"
    assert grants(host(service_units=services, units=(one, ("echo.socket", "Service", "root.service")))) == []
    apart = host(service_units=services, units=(one, ("echo.socket", "Accept", "yes"), ("echo.socket", "PrivateNetwork", "yes")))
    assert grants(apart) == []
    assert stack_of(apart).socket_units.seen == ()


def test_where_no_port_is_privileged_no_unit_gives_any_and_where_that_is_not_known_there_is_a_gap() -> None:
    services = of("User=www-data", AMBIENT, more=SHOP).service_units
    made = {
        value: host(service_units=services, settings={THRESHOLD: value}, units=(("shop.socket", "ListenStream", "81"),))
        for value in ("0", "80", "1024", None)
    }
    assert [len(grants(one)) for one in made.values()] == [0, 1, 2, 0]
    assert ports(the(made["80"])) == ["1-79"]
    assert [bool(gaps(one)) for one in made.values()] == [False, False, False, True]
