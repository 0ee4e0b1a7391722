"""Linux from the text of ordinary commands: settings of each release, namespaces, containers, and who sees whose processes."""

from __future__ import annotations

import pytest

from auditor.evidence import Answer
from auditor.model import Snapshot, Socket
from tests.bundles import stack_of
from tests.collectors.told import Told, bundled, host, judged, open_questions, own, spans, whys

THRESHOLD, RANGE, RESERVED = (
    f"net.ipv4.{name}" for name in ("ip_unprivileged_port_start", "ip_local_port_range", "ip_local_reserved_ports")
)
HEAD = "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
SSH = 'tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*    users:(("sshd",pid=612,fd=3))\n'
BARE = "tcp   LISTEN 0      128          0.0.0.0:22        0.0.0.0:*\n"
NFS = "tcp   LISTEN 0      64           0.0.0.0:2049      0.0.0.0:*\n"
SS: Told = ("ss -tulnp", HEAD + SSH + NFS)


def settings(threshold: str = "1024", ephemeral: str = "32768\t60999", reserved: str = "") -> Told:
    return (f"sysctl {THRESHOLD} {RANGE} {RESERVED}", f"{THRESHOLD} = {threshold}\n{RANGE} = {ephemeral}\n{RESERVED} = {reserved}\n")


def by_subject(snapshot: Snapshot, stack: str = "host") -> dict[str, Socket]:
    return {one.numbered_subject: one for one in stack_of(snapshot, stack).listening.seen}


# Settings


def test_the_settings_say_what_is_privileged_handed_out_and_kept() -> None:
    stack = own(host("Linux", settings(ephemeral="20000\t30000", reserved="25000-25002,25010"), release="6.12.1"))
    assert (spans(stack.privileged), spans(stack.ephemeral)) == (["1-1023"], ["20000-30000"])
    assert spans(stack.reserved) == ["25000-25002", "25010"]
    assert stack.privileged.gaps == stack.ephemeral.gaps == stack.reserved.gaps == ()
    assert stack.privileged.seen[0].needs == "CAP_NET_BIND_SERVICE"


@pytest.mark.parametrize(
    ("threshold", "privileged", "outcome"), [("1024", ["1-1023"], "pass"), ("80", ["1-79"], "fail"), ("0", [], "fail")]
)
def test_a_lowered_threshold_is_found(threshold: str, privileged: list[str], outcome: str) -> None:
    snapshot = host("Linux", settings(threshold=threshold), release="6.12.1")
    assert spans(own(snapshot).privileged) == privileged
    assert [one.outcome for one in judged(snapshot, "", "privileged-range-lowered")] == [outcome]


@pytest.mark.parametrize(
    ("release", "known"),
    [("2.6.32-754.el6.x86_64", True), ("4.10.17", True), ("4.11.0", False), ("6.12.1", False), (None, False), ("nonsense", False)],
)
def test_the_limit_was_a_constant_before_linux_4_11_and_must_be_read_since(release: str | None, known: bool) -> None:
    stack = own(host("Linux", (f"sysctl {RANGE}", f"{RANGE} = 32768\t61000\n"), release=release))
    assert (spans(stack.privileged), not stack.privileged.gaps) == (["1-1023"] if known else [], known)


def test_nothing_was_kept_back_before_linux_2_6_35() -> None:
    stack = own(host("Linux", SS, release="2.6.32-754.el6"))
    assert (spans(stack.reserved), stack.reserved.gaps) == ([], ())
    assert own(host("Linux", SS, release="2.6.36")).reserved.gaps


@pytest.mark.parametrize("value", ["65537", "-1", "\uff11\uff10\uff12\uff14", "lots"])
def test_a_threshold_that_is_none_is_unknown(value: str) -> None:
    stack = own(host("Linux", settings(threshold=value), release="4.4.0"))
    assert spans(stack.privileged) == []
    assert stack.privileged.gaps


@pytest.mark.parametrize("value", ["32768", "60999\t32768", "0 0 0", "a b"])
def test_a_range_that_is_none_is_unknown(value: str) -> None:
    stack = own(host("Linux", settings(ephemeral=value), release="6.12.1"))
    assert spans(stack.ephemeral) == []
    assert stack.ephemeral.gaps


def test_files_of_proc_sys_say_the_same() -> None:
    answers = [(f"cat /proc/sys/{name.replace('.', '/')}", f"{value}\n") for name, value in ((THRESHOLD, "80"), (RANGE, "1024\t2000"))]
    stack = own(host("Linux", *answers, release="6.12.1"))
    assert (spans(stack.privileged), spans(stack.ephemeral)) == (["1-79"], ["1024-2000"])


@pytest.mark.parametrize("path", ["/etc/sysctl.conf", "/etc/sysctl.d/90-ports.conf"])
def test_one_file_of_settings_is_not_all_that_the_next_boot_reads(path: str) -> None:
    snapshot = host("Linux", settings(reserved="9100"), (f"cat {path}", f"{RESERVED} = 9100\n"), release="6.12.1")
    (line,) = own(snapshot).persisted.seen
    assert (line.name, line.value, line.file, line.line) == (RESERVED, "9100", path, 1)
    assert "which other files the next boot reads" in whys(own(snapshot).persisted)
    assert "pass" not in [one.outcome for one in judged(snapshot, "", "setting-not-persisted")]


# Sockets and who holds them


@pytest.mark.parametrize(("head", "sshd", "nfs"), [({"uid": "0"}, "known", "none"), ({"uid": "1000"}, "partial", "unreadable"),
                                                   ({}, "partial", "unreadable")])  # fmt: skip
def test_only_root_sees_every_holder(head: dict[str, str], sshd: str, nfs: str) -> None:
    sockets = by_subject(host("Linux", SS, **head))
    assert (sockets["tcp/0.0.0.0:22"].owner_state, sockets["tcp/0.0.0.0:2049"].owner_state) == (sshd, nfs)


@pytest.mark.parametrize(
    ("command", "text", "uid"),
    [
        ("id", "uid=0(root) gid=0(root) groups=0(root)\n", 0),
        ("id -u", "0\n", 0),
        ("id", "uid=1000(ann) gid=1000(ann) euid=0(root) groups=1000(ann)\n", 0),
        ("id", "uid=1000(x euid=0) gid=0(wheel)\n", 1000),
        ("id", "uid=1000(ann) gid=1000(ann) groups=1000(ann),0( euid=0)\n", 1000),
        ("id", "uid=\uff10(root) gid=0(root)\n", None),
        ("id -u", "\uff10\n", None),
        ("id -g", "0\n", None),
        ("id -G", "0\n", None),
        ("id root", "uid=0(root) gid=0(root)\n", None),
        ("id -u root", "0\n", None),
        ("id | sed s/1000/0/", "uid=0(ann)\n", None),
        ("docker exec shop id", "uid=0(root) gid=0(root)\n", None),
    ],
)
def test_id_says_who_ran_the_commands_if_it_speaks_of_them(command: str, text: str, uid: int | None) -> None:
    snapshot = host("Linux", (command, text), SS)
    assert snapshot.visibility["rights"] == ({} if uid is None else {"uid": uid})
    assert (by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == "known") is (uid == 0)


def test_two_users_are_none_and_an_id_that_says_nothing_is_told() -> None:
    both = host("Linux", ("id -u", "0\n"), SS, ("id -u", "1000\n"))
    assert by_subject(both)["tcp/0.0.0.0:22"].owner_state == "partial"
    assert host("Linux", ("id -g", "0\n"), SS).visibility["not_read"] == ["id -g: it does not say who ran the commands"]


def test_the_user_of_another_stack_is_not_the_hosts() -> None:
    snapshot = bundled(
        "Linux", Answer("saved", "id -u", b"0\n", "unknown", stack="blue"), Answer("saved", SS[0], SS[1].encode(), "unknown")
    )
    assert by_subject(snapshot)["tcp/0.0.0.0:22"].owner_state == "partial"


def test_without_p_no_holder_is_asked_for() -> None:
    socket = by_subject(host("Linux", ("ss -tuln", HEAD + BARE), uid="0"))["tcp/0.0.0.0:22"]
    assert socket.owner_state == "unreadable"


def test_ports_by_name_are_the_systems_own_before_ianas() -> None:
    text = HEAD + SSH.replace(":22 ", ":heron ") + NFS.replace(":2049", ":https")
    names: Told = ("cat /etc/services", "heron 7022/tcp\n")
    sockets = by_subject(host("Linux", ("ss -tulp", text), names))
    assert {subject: one.port_from_name for subject, one in sockets.items()} == {"tcp/0.0.0.0:7022": True, "tcp/0.0.0.0:443": True}
    assert "no port is known by this name: heron" in whys(own(host("Linux", ("ss -tulp", text))).listening)


def test_names_that_two_files_give_to_different_ports_are_a_gap() -> None:
    text = HEAD + SSH.replace(":22 ", ":heron ")
    files: list[Told] = [("cat /etc/services", "heron 7022/tcp\n"), ("cat /usr/local/etc/services", "heron 7023/tcp\n")]
    stack = own(host("Linux", ("ss -tlp", text), *files))
    assert stack.listening.seen == ()
    assert "several ports have this name: heron" in whys(stack.listening)


# Other namespaces


def test_whether_there_are_other_namespaces_is_never_known() -> None:
    assert "other network namespaces" in whys(host("Linux", SS, settings(), uid="0", release="6.12.1").stacks)


@pytest.mark.parametrize(
    ("command", "stack"),
    [
        ("ip netns exec blue ss -tulnp", "blue"),
        ("ss -N blue -tulnp", "blue"),
        ("ss -tulnp --net=blue", "blue"),
        ("nsenter --net=/run/netns/blue ss -tulnp", "blue"),
        ("nsenter -t 4711 -n ss -tulnp", "process 4711"),
        ("nsenter --net=/proc/4711/ns/net ss -tulnp", "process 4711"),
        ("docker exec shop ss -tulnp", "container:shop"),
        ("kubectl exec -n prod shop-1 -- ss -tulnp", "container:shop-1"),
        ("ip netns exec host ss -tulnp", "netns:host"),
        ("ss -N host -tulnp", "netns:host"),
        ("nsenter --net=/run/netns/host ss -tulnp", "netns:host"),
    ],
)
def test_a_command_that_was_run_elsewhere_says_nothing_of_the_host(command: str, stack: str) -> None:
    snapshot = host("Linux", (command, SS[1]), uid="0")
    assert [(one.name, one.kind) for one in snapshot.stacks.seen] == [(stack, "netns")]
    assert "no answer speaks of the host's own network stack" in whys(snapshot.stacks)
    assert snapshot.settings == {}


@pytest.mark.parametrize("command", ["nsenter -t 1 -n ss -tulnp", "nsenter --net=/proc/1/ns/net ss -tulnp"])
def test_process_1_is_in_the_hosts_own(command: str) -> None:
    assert [one.kind for one in host("Linux", (command, SS[1])).stacks.seen] == ["host"]


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("ip netns exec blue ss -tulnp", "known"),
        ("nsenter -t 4711 -n ss -tulnp", "known"),
        ("nsenter -t 4711 -a ss -tulnp", "partial"),
        ("nsenter -t 4711 --net --pid ss -tulnp", "partial"),
        ("docker exec -u root shop ss -tulnp", "partial"),
        ("podman exec shop ss -tulnp", "partial"),
        ("kubectl exec shop-1 -- ss -tulnp", "partial"),
    ],
)
def test_a_container_shows_its_own_processes_alone_even_to_root(command: str, state: str) -> None:
    (stack,) = host("Linux", (command, SS[1]), uid="0").stacks.seen
    assert {one.port: one.owner_state for one in stack.listening.seen} == {22: state, 2049: "none" if state == "known" else "unreadable"}


@pytest.mark.parametrize(
    ("command", "stack"),
    [
        ("cat /proc/net/tcp", "host"),
        ("cat /proc/1/net/tcp", "host"),
        ("cat /proc/4711/net/tcp", "process 4711"),
        ("cat /proc/4711/net/tcp /proc/4712/net/tcp", "process 4711, 4712"),
    ],
)
def test_tables_of_proc_net_are_of_their_processs_namespace(command: str, stack: str) -> None:
    table = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4400 1 0000000000000000 100 0 0 10 0\n"
    )
    assert [one.name for one in host("Linux", (command, table)).stacks.seen] == [stack]


def test_the_first_lines_of_a_table_are_not_the_table() -> None:
    table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    assert open_questions(own(host("Linux", ("cat /proc/net/tcp", table))).listening) == ["tcp ipv6", "udp"]
    assert open_questions(own(host("Linux", ("head /proc/net/tcp", table))).listening) == ["tcp ipv4", "tcp ipv6", "udp"]


# Address translation, and names of ports

REDIRECTED = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 8443\nCOMMIT\n"
LEGACY = "# Generated by iptables-save v1.8.9 on Sat Nov 21 10:16:59 2026\n"
IN_NFT = "# Generated by iptables-save v1.8.9 (nf_tables) on Sat Nov 21 10:16:59 2026\n"
TABLES = [f"no answer has the rules of {backend}" for backend in ("nf_tables", "ip_tables", "ip6_tables")]
RULESET = """\
table ip nat {
\tchain PREROUTING {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t\ttcp dport 443 counter packets 0 bytes 0
\t}
}
table inet mill {
\tchain pre {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t\tudp dport 53 redirect to :5353
\t}
}
"""


def translated(*told: Told) -> tuple[list[str], list[str]]:
    facts = own(host("Linux", *told)).translations
    return [f"{one} to {one.to}" for one in facts.seen], [gap.why for gap in facts.gaps]


def test_saved_rules_of_address_translation_are_read_and_what_may_be_beside_them_is_a_gap() -> None:
    web = ["tcp/any:443 to port 8443 of this host"]
    assert translated(("sudo iptables-save -t nat", LEGACY + REDIRECTED)) == (web, [TABLES[0], TABLES[2]])
    assert translated(("iptables-save", IN_NFT + REDIRECTED)) == (web, TABLES)
    nothing = LEGACY.replace("iptables", "ip6tables") + "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"
    all_three = (("nft -j list ruleset", '{"nftables": []}\n'), ("iptables-legacy-save", REDIRECTED), ("ip6tables-legacy-save", nothing))
    assert translated(*all_three) == (web, [])
    empty = "ip6tables-legacy-save: it printed nothing, and whether it ended well is not known"
    assert translated(*all_three[:2], ("ip6tables-legacy-save", "")) == (web, [empty])


def test_what_nft_does_not_print_iptables_save_tells() -> None:
    unread = "what a rule of table ip nat does cannot be read"
    names = ["udp/any:53 to port 5353 of this host"]
    assert translated(("nft list ruleset", RULESET)) == (names, [*TABLES[1:], unread])
    both = translated(("nft list ruleset", RULESET), ("iptables-save -t nat", IN_NFT + REDIRECTED))
    assert both == ([*names, "tcp/any:443 to port 8443 of this host"], TABLES[1:])
    cut = translated(("nft list ruleset", RULESET), ("iptables-save -t nat", IN_NFT + REDIRECTED.removesuffix("COMMIT\n")))
    assert unread in cut[1]


def test_rules_that_were_filtered_or_refused_are_a_gap() -> None:
    assert "its output was filtered, by grep DNAT" in str(translated(("iptables-save -t nat | grep DNAT", REDIRECTED)))
    refused = ("nft list ruleset", "Operation not permitted (you must be root)\n")
    assert "a line of nft cannot be read" in translated(refused)[1]


def test_without_such_output_nothing_is_said_of_it() -> None:
    shown = own(host("Linux", SS)).shown
    assert not {"translations", "service_names", "socket_units"} & set(shown)


def test_names_of_ports_have_their_lines() -> None:
    names = own(host("Linux", ("cat /etc/services", "# names\n\nssh 22/tcp\nhttp 8081/tcp www\n"))).service_names
    assert [(str(one), one.alias, one.file, one.line) for one in names] == [
        ("ssh 22/tcp", False, "/etc/services", 3),
        ("http 8081/tcp", False, "/etc/services", 4),
        ("www 8081/tcp", True, "/etc/services", 4),
    ]
