"""Hosts of other systems, as bundles of their own commands' output: made up, in the forms that the commands' sources print."""

# ruff: noqa: E501 - the commands' lines are as wide as they are

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor import plugins
from auditor.collector import Probe
from auditor.evidence import Answer, made_of, quoted

TAKEN = "2026-11-20T23:00:00Z"


@dataclass(frozen=True)
class SavedHost:
    """`texts` by command line; a probe of the collector that is not among them fails as `missing` says (its stderr), with status 1.
    `unseen` are the kinds of facts that no command of the system shows, or none that is read."""

    system: str
    release: str
    texts: Mapping[str, str]
    missing: Mapping[str, str] = field(default_factory=dict)
    uid: str = "0"
    host: str = "elsewhere"
    stack: str | None = None
    unseen: tuple[str, ...] = ()

    def head(self) -> dict[str, str]:
        return {"system": self.system, "release": self.release, "host": self.host, "taken": TAKEN, "uid": self.uid}

    def answers(self) -> list[Answer]:
        asked = {" ".join(quoted(word) for word in probe.argv): probe.name for probe in self.probes()}
        found = [Answer(asked.get(command, "saved"), command, text.encode(), stack=self.stack) for command, text in self.texts.items()]
        for command, probe in asked.items():
            if command not in self.texts:
                why = self.missing.get(command, f"{command.partition(' ')[0]}: no such thing\n")
                found.append(Answer(probe, command, b"", "1", stderr=why.encode()))
        return found

    def probes(self) -> list[Probe]:
        return [probe for probe in plugins.collector_for(self.system).probes if not probe.opt_in]

    def bundle(self) -> bytes:
        return b"".join(made_of(self.head(), self.answers()))


def settings(form: str, values: Mapping[str, str]) -> dict[str, str]:
    """`sysctl NAME` for each, printed in the system's `form`."""
    return {f"sysctl {name}": f"{form.format(name=name, value=value)}\n" for name, value in values.items()}


SERVICES = "# made up\nssh\t22/tcp\nsmtp\t25/tcp\t\tmail\ndomain\t53/tcp\ndomain\t53/udp\nsyslog\t514/udp\n"
PORTRANGE = {f"net.inet.ip.portrange.{name}": value for name, value in (
    ("first", "49152"), ("last", "65535"), ("hifirst", "49152"), ("hilast", "65535"), ("lowfirst", "1023"), ("lowlast", "600"))}  # fmt: skip
NETSTAT_BSD = "Active Internet connections (including servers)\nProto Recv-Q Send-Q Local Address          Foreign Address        (state)\n"

FREEBSD = SavedHost(
    "FreeBSD", "14.1-RELEASE", {
        **settings("{name}: {value}", {
            **PORTRANGE, "net.inet.ip.portrange.first": "10000", "net.inet.ip.portrange.reservedlow": "0",
            "net.inet.ip.portrange.reservedhigh": "1023", "net.inet.ip.portrange.randomized": "1", "security.bsd.see_other_uids": "1",
            "security.bsd.see_other_gids": "1", "security.bsd.see_jail_proc": "1", "security.jail.jailed": "0", "security.jail.vnet": "0",
        }),
        "sockstat -46l": (
            "USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
            "root     sshd        901  4   tcp6   *:22                  *:*\n"
            "root     sshd        901  5   tcp4   *:22                  *:*\n"
            "www      shopd      1200  7   tcp46  *:8443                *:*\n"
            "www      shopd      1201  7   tcp46  *:8443                *:*\n"
            "ntpd     ntpd        870  20  udp4   198.51.100.7:123      *:*\n"
            "?        ?          ?     ?   udp4   *:2049                *:*\n"
        ),
        "netstat -anW -f inet": NETSTAT_BSD + (
            "tcp4       0      0 *.22                   *.*                    LISTEN     \n"
            "tcp46      0      0 *.8443                 *.*                    LISTEN     \n"
            "tcp4       0      0 198.51.100.7.22        203.0.113.9.50122      ESTABLISHED\n"
            "udp4       0      0 198.51.100.7.123       *.*                               \n"
            "udp4       0      0 *.2049                 *.*                               \n"
        ),
        "netstat -anW -f inet6": NETSTAT_BSD + (
            "tcp6       0      0 *.22                   *.*                    LISTEN     \n"
            "tcp46      0      0 *.8443                 *.*                    LISTEN     \n"
        ),
        "ps -axwwo pid,uid,user,comm": "  PID   UID USER     COMMAND\n  870   123 ntpd     ntpd\n  901     0 root     sshd\n 1200    80 www      shopd\n"
                                     " 1201    80 www      shopd\n",
        "procstat -ab": "  PID COMM                OSREL PATH\n  870 ntpd              1401000 /usr/sbin/ntpd\n  901 sshd              1401000 /usr/sbin/sshd\n"
                        " 1200 shopd             1401000 /usr/local/sbin/shopd\n 1201 shopd             1401000 /usr/local/sbin/shopd\n",
        "ifconfig -a": (
            "em0: flags=1008843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,LOWER_UP> metric 0 mtu 1500\n"
            "\tether 02:00:00:00:00:01\n\tinet 198.51.100.7 netmask 0xffffff00 broadcast 198.51.100.255\n"
            "\tinet6 fe80::1%em0 prefixlen 64 scopeid 0x1\n\tmedia: Ethernet autoselect (1000baseT <full-duplex>)\n\tstatus: active\n"
            "lo0: flags=1008049<UP,LOOPBACK,RUNNING,MULTICAST,LOWER_UP> metric 0 mtu 16384\n"
            "\tinet6 ::1 prefixlen 128\n\tinet 127.0.0.1 netmask 0xff000000\n\tgroups: lo\n"
        ),
        "jls -n jid name vnet": "jid=1 name=build vnet=inherit\n",
        "jls -n jid name allow.reserved_ports": "jid=1 name=build allow.reserved_ports\n",
        "cat /etc/services": SERVICES,
        "cat /etc/sysctl.conf": "# kept\nnet.inet.ip.portrange.first=10000\n",
    },
    missing={
        **{f"sysctl security.mac.{name}": f"sysctl: unknown oid 'security.mac.{name}'\n"
           for name in ("portacl.enabled", "portacl.port_high", "portacl.suser_exempt", "portacl.autoport_exempt", "portacl.rules",
                        "ntpd.enabled", "ntpd.uid")},
        "cat /etc/sysctl.conf.local": "cat: /etc/sysctl.conf.local: No such file or directory\n",
    },
)  # fmt: skip

OPENBSD = SavedHost(
    "OpenBSD", "7.6", {
        **settings("{name}={value}", {
            "net.inet.ip.portfirst": "1024", "net.inet.ip.portlast": "49151", "net.inet.ip.porthifirst": "49152",
            "net.inet.ip.porthilast": "65535", "net.inet.tcp.baddynamic": "587,749,750,751,853,871,2049,6000-6010",
            "net.inet.udp.baddynamic": "623,664,749,750,751,2049,3784,3785,7784", "net.inet.tcp.rootonly": "2049",
            "net.inet.udp.rootonly": "2049",
        }),
        "netstat -an -f inet": (
            "Active Internet connections (including servers)\n"
            "Proto   Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
            "tcp          0      0  127.0.0.1.25           *.*                    LISTEN\n"
            "tcp          0      0  *.22                   *.*                    LISTEN\n"
            "tcp          0      0  198.51.100.8.22        203.0.113.9.40000      ESTABLISHED\n"
            "Active Internet connections (including servers)\n"
            "Proto   Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
            "udp          0      0  *.514                  *.*                   \n"
        ),
        "netstat -anv -f inet6": (
            "Active Internet connections (including servers)\n"
            "Proto   Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
            "tcp6         0      0  *.22                   *.*                    LISTEN\n"
            "Active Internet connections (including servers)\n"
            "Proto   Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
            "udp6         0      0  ::1.53                 *.*                   \n"
        ),
        "fstat -n": (
            "USER     CMD          PID   FD  DEV      INUM        MODE   R/W    SZ|DV\n"
            "root     sshd       40111 text  4,5      51998   100555     r   802304\n"
            "root     sshd       40111    3* internet6 stream tcp 0xfffffd8000000001 *:22\n"
            "root     sshd       40111    4* internet stream tcp 0xfffffd8000000002 *:22\n"
            "root     sshd       51222    4* internet stream tcp 0xfffffd8000000009 198.51.100.8:22 <-- 203.0.113.9:40000\n"
            "_smtpd   smtpd      30999    5* internet stream tcp 0xfffffd8000000003 127.0.0.1:25\n"
            "_syslogd syslogd    20111    6* internet dgram udp *:514\n"
            "_unbound unbound    20555    7* internet6 dgram udp [::1]:53\n"
            "_unbound unbound    20555    8* unix dgram 0xfffffd8000000004\n"
        ),
        "ps -axwwo pid,uid,user,comm": (
            "  PID   UID USER     COMMAND\n20111    73 _syslogd syslogd\n20555    53 _unbound unbound\n30999    95 _smtpd   smtpd\n"
            "40111     0 root     sshd\n51222     0 root     sshd\n"
        ),
        "ifconfig -a": (
            "lo0: flags=2008049<UP,LOOPBACK,RUNNING,MULTICAST,LRO> mtu 32768\n\tindex 3 priority 0 llprio 3\n\tgroups: lo\n"
            "\tinet6 ::1 prefixlen 128\n\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x3\n\tinet 127.0.0.1 netmask 0xff000000\n"
            "em0: flags=808843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST,AUTOCONF4> mtu 1500\n\tlladdr 02:00:00:00:00:02\n"
            "\tindex 1 priority 0 llprio 3\n\tgroups: egress\n\tmedia: Ethernet autoselect (1000baseT full-duplex)\n\tstatus: active\n"
            "\tinet 198.51.100.8 netmask 0xffffff00 broadcast 198.51.100.255\n"
        ),
        "netstat -R": "Rdomain 0\n  Interfaces: lo0 em0\n  Routing table: 0\n\n",
        "cat /etc/services": SERVICES,
    },
    missing={"cat /etc/sysctl.conf": "cat: /etc/sysctl.conf: No such file or directory\n"},
)  # fmt: skip

NETBSD = SavedHost(
    "NetBSD", "10.0", {
        **settings("{name} = {value}", {
            f"net.{family}.{name}": value for family in ("inet.ip", "inet6.ip6") for name, value in (
                ("anonportmin", "49152"), ("anonportmax", "65535"), ("lowportmin", "600"), ("lowportmax", "1023"),
                ("anonportalgo.selected", "bsd"), ("anonportalgo.reserve", "50000,50005"))
        } | {"security.curtain": "0"}),
        "sockstat -46ln": (
            "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
            "root     sshd       512   3  tcp6   *.22                  *.*\n"
            "root     sshd       512   4  tcp    *.22                  *.*\n"
            "root     dhcpcd     300   9  udp    *.68                  *.*\n"
        ),
        "netstat -an -f inet": (
            "Active Internet connections (including servers)\n"
            "Proto Recv-Q Send-Q  Local Address          Foreign Address        State\n"
            "tcp        0      0  *.22                   *.*                    LISTEN\n"
            "tcp        0      0  *.2222                 *.*                    CLOSED\n"
            "udp        0      0  *.68                   *.*                   \n"
        ),
        "netstat -anv -f inet6": (
            "Active Internet6 connections (including servers)\n"
            "Proto Recv-Q Send-Q  Local Address                               Foreign Address                             (state)\n"
            "tcp6       0      0  *.22                                        *.*                                         LISTEN\n"
        ),
        "ps -axwwo pid,uid,user,comm": "  PID UID USER     COMMAND\n  300   0 root     dhcpcd\n  512   0 root     sshd\n",
        "ifconfig -a": (
            "wm0: flags=0x8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\taddress: 02:00:00:00:00:03\n"
            "\tstatus: active\n\tinet 10.1.2.3/24 broadcast 10.1.2.255 flags 0\n"
            "lo0: flags=0x8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 33624\n\tinet6 ::1/128 flags 0x20<NODAD>\n\tinet 127.0.0.1/8 flags 0\n"
        ),
        "cat /etc/services": SERVICES,
        "cat /etc/sysctl.conf": "#!/sbin/sysctl -f\nnet.inet.ip.anonportmin?=49152\n",
    },
    missing={"sysctl security.models.bsd44.curtain":
             "sysctl: second level name 'models' in 'security.models.bsd44.curtain' is invalid\n"},
)  # fmt: skip

DRAGONFLY = SavedHost(
    "DragonFly", "6.4-RELEASE", {
        **settings("{name}: {value}", PORTRANGE | {"net.inet.ip.portrange.first": "1024", "net.inet.ip.portrange.last": "5000"}),
        "sockstat -46l": (
            "USER     COMMAND    PID   FD PROTO  LOCAL ADDRESS         FOREIGN ADDRESS\n"
            "root     sshd       700   3  tcp4   *:22                  *:*\n"
            "root     syslogd    500   6  udp4   *:514                 *:*\n"
        ),
        "netstat -anW -f inet": NETSTAT_BSD + (
            "tcp4       0      0 *.22                   *.*                    LISTEN\n"
            "udp4       0      0 *.514                  *.*                   \n"
        ),
        "netstat -anW -f inet6": "",
        "ps -axwwo pid,uid,user,comm": "  PID   UID USER     COMMAND\n  500     0 root     syslogd\n  700     0 root     sshd\n",
        "ifconfig -a": (
            "em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\tinet 10.1.2.4 netmask 0xffffff00 broadcast 10.1.2.255\n"
            "\tether 02:00:00:00:00:04\n\tstatus: active\n"
            "lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384\n\tinet6 ::1 prefixlen 128\n\tinet 127.0.0.1 netmask 0xff000000\n"
        ),
        "cat /etc/services": SERVICES,
        "cat /etc/sysctl.conf": "\n",
    },
)  # fmt: skip

DARWIN = SavedHost(
    "Darwin", "24.1.0", {
        **settings("{name}: {value}", PORTRANGE | {"net.restricted_port.enforced": "1", "net.inet.tcp.randomize_ports": "0",
                                                   "net.inet.udp.randomize_ports": "1"}),
        "netstat -anvl -p tcp": (
            "Active Internet connections (including servers)\n"
            "Proto Recv-Q Send-Q  Local Address                                 Foreign Address                               (state)      "
            "rxbytes      txbytes  rhiwat  shiwat    pid   epid state  options           gencnt    flags   flags1 usecnt rtncnt fltrs\n"
            "tcp46      0      0  *.5000                                        *.*                                           LISTEN       "
            "      0            0  131072  131072    612      0 00180 00000006 0000000000001234 00000000 00000900      1      0 000000\n"
            "tcp4       0      0  127.0.0.1.631                                 *.*                                           LISTEN       "
            "      0            0  131072  131072      1      0 00180 00000006 0000000000001235 00000000 00000900      1      0 000000\n"
        ),
        "netstat -anvl -p udp": (
            "Active Internet connections (including servers)\n"
            "Proto Recv-Q Send-Q  Local Address                                 Foreign Address                               (state)      "
            "rxbytes      txbytes  rhiwat  shiwat    pid   epid state  options           gencnt    flags   flags1 usecnt rtncnt fltrs\n"
            "udp4       0      0  *.5353                                        *.*                                                        "
            "      0            0  786896    9216    388      0 00100 00000004 0000000000001236 00000000 00000900      1      0 000000\n"
        ),
        "lsof -nP +c 0 -iTCP -sTCP:LISTEN": (
            "COMMAND         PID           USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME\n"
            "launchd           1           root   10u  IPv4 0x0000000000000001      0t0  TCP 127.0.0.1:631 (LISTEN)\n"
            "rapportd        612          robin    9u  IPv6 0x0000000000000002      0t0  TCP *:5000 (LISTEN)\n"
        ),
        "lsof -nP +c 0 -iUDP": (
            "COMMAND         PID           USER   FD   TYPE             DEVICE SIZE/OFF NODE NAME\n"
            "mDNSResponder   388 _mdnsresponder    8u  IPv4 0x0000000000000003      0t0  UDP *:5353\n"
        ),
        "ps -axwwo pid,uid,user,comm": (
            "  PID   UID USER             COMM\n    1     0 root             /sbin/launchd\n"
            "  388    65 _mdnsresponder   /usr/sbin/mDNSResponder\n"
            "  612   501 robin            /usr/libexec/rapportd\n"
        ),
        "ifconfig -a": (
            "lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384\n\toptions=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>\n"
            "\tinet 127.0.0.1 netmask 0xff000000\n\tinet6 ::1 prefixlen 128 \n\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x1 \n"
            "\tnd6 options=201<PERFORMNUD,DAD>\n"
            "en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500\n\tether 02:00:00:00:00:05 \n"
            "\tinet 192.168.7.9 netmask 0xffffff00 broadcast 192.168.7.255\n\tmedia: autoselect\n\tstatus: active\n"
        ),
        "cat /etc/services": SERVICES,
    },
    missing={"cat /etc/sysctl.conf": "cat: /etc/sysctl.conf: No such file or directory\n"},
)  # fmt: skip


def properties(protocol: str) -> str:
    rows = (
        ("smallest_anon_port", "32768"),
        ("largest_anon_port", "65535"),
        ("smallest_nonpriv_port", "1024"),
        ("extra_priv_ports", "2049,4045"),
    )
    return "PROTO PROPERTY              PERM CURRENT      PERSISTENT   DEFAULT      POSSIBLE\n" + "".join(
        f"{protocol:5} {name:21} rw   {value:12} --           {value:12} --\n" for name, value in rows
    )


IPADM = "ipadm show-prop -p smallest_anon_port,largest_anon_port,smallest_nonpriv_port,extra_priv_ports"
SOLARIS_RULE = "-------------------- -------------------- ------- ------ ------- ------ -----------\n"
SUNOS = SavedHost(
    "SunOS", "5.11", {
        **{f"{IPADM} {protocol}": properties(protocol) for protocol in ("tcp", "udp")},
        "netstat -an -f inet -f inet6": (
            "UDP: IPv4\n   Local Address        Remote Address      State\n-------------------- -------------------- ----------\n"
            "      *.514                               Idle\n\n"
            "UDP: IPv6\n   Local Address                     Remote Address                   State      If\n"
            "--------------------------------- --------------------------------- ---------- -----\n"
            "      *.546                                                         Idle       \n\n"
            "TCP: IPv4\n   Local Address        Remote Address     Swind  Send-Q  Rwind  Recv-Q    State\n" + SOLARIS_RULE +
            "      *.22                 *.*                  0      0  128000      0 LISTEN\n"
            "10.9.8.7.22          10.9.8.1.50000       64240      0  128872      0 ESTABLISHED\n\n"
            "TCP: IPv6\n   Local Address                     Remote Address                 Swind  Send-Q  Rwind  Recv-Q   State      If\n"
            "--------------------------------- --------------------------------- ------- ------ ------- ------ ----------- -----\n"
            "      *.22                              *.*                             0      0  128000      0 LISTEN      \n\n"
        ),
        "ps -eo pid,uid,user,comm": "  PID   UID     USER COMMAND\n  402     0     root /usr/lib/ssh/sshd\n",
        "ifconfig -a": (
            "lo0: flags=2001000849<UP,LOOPBACK,RUNNING,MULTICAST,IPv4,VIRTUAL> mtu 8232 index 1\n\tinet 127.0.0.1 netmask ff000000 \n"
            "net0: flags=100001000843<UP,BROADCAST,RUNNING,MULTICAST,IPv4,PHYSRUNNING> mtu 1500 index 2\n"
            "\tinet 10.9.8.7 netmask ffffff00 broadcast 10.9.8.255\n\tether 2:0:0:0:0:6 \n"
            "lo0: flags=2002000849<UP,LOOPBACK,RUNNING,MULTICAST,IPv6,VIRTUAL> mtu 8252 index 1\n\tinet6 ::1/128 \n"
        ),
        "zonename": "global\n",
        "zoneadm list -cp": "0:global:running:/::ipkg:shared\n",
        "cat /etc/user_attr": "#\nroot::::auths=solaris.*;profiles=All;type=role\nwebservd::::defaultpriv=basic,net_privaddr\nann::::roles=root\n",
        "cat /etc/security/policy.conf": "#\nAUTHS_GRANTED=\nPROFS_GRANTED=Basic Solaris User\n#PRIV_DEFAULT=basic\n",
        "cat /etc/services": SERVICES,
    },
    unseen=("persisted",),
)  # fmt: skip

HPUX = SavedHost(
    "HP-UX", "B.11.31", {
        **{f"ndd -get /dev/{protocol} {protocol}_{name}": f"{value}\n" for protocol in ("tcp", "udp") for name, value in (
            ("smallest_anon_port", 49152), ("largest_anon_port", 65535), ("smallest_nonpriv_port", 1024))},
        "netstat -an -f inet": NETSTAT_BSD + (
            "tcp        0      0  *.22                   *.*                     LISTEN\n"
            "tcp        0      0  127.0.0.1.49433        *.*                     LISTEN\n"
            "udp        0      0  *.514                  *.*\n"
        ),
        "netstat -an -f inet6": (
            "Active Internet connections (IPv6, including servers)\n"
            "Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)\n"
            "tcp6       0      0  *.22                   *.*                     LISTEN\n"
            "udp6       0      0  *.514                  *.*\n"
        ),
        "ps -eo pid,uid,user,comm": "  PID   UID USER     COMMAND\n  402     0 root     sshd\n",
        "cat /etc/services": SERVICES,
    },
    unseen=("persisted", "addresses", "grants"),
)  # fmt: skip

AIX = SavedHost(
    "AIX", "2", {
        **{f"no -o {protocol}_ephemeral_{end}": f"{protocol}_ephemeral_{end} = {value}\n" for protocol in ("tcp", "udp")
           for end, value in (("low", 32768), ("high", 65535))},
        "netstat -an -f inet": NETSTAT_BSD + (
            "tcp4       0      0  *.22                   *.*                    LISTEN\n"
            "udp4       0      0  *.514                  *.*\n"
        ),
        "netstat -an -f inet6": NETSTAT_BSD + (
            "tcp6       0      0  *.22                   *.*                    LISTEN\n"
            "udp6       0      0  *.514                  *.*\n"
        ),
        "ps -eo pid,uid,user,comm": "    PID     UID     USER COMMAND\n    402       0     root sshd\n",
        "ifconfig -a": (
            "en0: flags=1e084863,480<UP,BROADCAST,NOTRAILERS,RUNNING,SIMPLEX,MULTICAST,GROUPRT,64BIT,CHECKSUM_OFFLOAD(ACTIVE),CHAIN>\n"
            "        inet 10.9.8.9 netmask 0xffffff00 broadcast 10.9.8.255\n         tcp_sendspace 262144 tcp_recvspace 262144 rfc1323 1\n"
            "lo0: flags=e08084b,c0<UP,BROADCAST,LOOPBACK,RUNNING,SIMPLEX,MULTICAST,GROUPRT,64BIT,LARGESEND,CHAIN>\n"
            "        inet 127.0.0.1 netmask 0xff000000 broadcast 127.255.255.255\n        inet6 ::1%1/128\n"
        ),
        "cat /etc/services": SERVICES,
    },
    unseen=("persisted", "grants"),
)  # fmt: skip


def netsh(family: str, protocol: str) -> dict[str, str]:
    return {
        f"netsh int {family} show dynamicport {protocol}": (
            f"\r\nProtocol {protocol} Dynamic Port Range\r\n---------------------------------\r\n"
            "Start Port      : 49152\r\nNumber of Ports : 16384\r\n\r\n"
        ),
        f"netsh int {family} show excludedportrange protocol={protocol}": (
            f"\r\nProtocol {protocol} Port Exclusion Ranges\r\n\r\nStart Port    End Port      \r\n----------    --------      \r\n"
            "     50000       50059     *\r\n\r\n* - Administered port exclusions.\r\n\r\n"
        ),
    }


WINDOWS = SavedHost(
    "Windows", "10.0", {
        **{command: text for family in ("ipv4", "ipv6") for protocol in ("tcp", "udp") for command, text in netsh(family, protocol).items()},
        "netstat -ano": (
            "\r\nActive Connections\r\n\r\n  Proto  Local Address          Foreign Address        State           PID\r\n"
            "  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       904\r\n"
            "  TCP    [::]:135               [::]:0                 LISTENING       904\r\n"
            "  UDP    0.0.0.0:500            *:*                                    1180\r\n"
            "  UDP    [::]:500               *:*                                    1180\r\n"
        ),
        "tasklist /FO CSV": '"Image Name","PID","Session Name","Session#","Mem Usage"\r\n"svchost.exe","904","Services","0","9,100 K"\r\n'
                            '"svchost.exe","1180","Services","0","8,204 K"\r\n',
    },
    unseen=("persisted", "addresses"),
)  # fmt: skip

VOS = SavedHost(
    "VOS", "15.2", {"display_external_variable allow_unpriv_bind$": "allow_unpriv_bind$ = 0\n"},
    stack="TCP_OS", unseen=("listening", "addresses", "grants"),
)  # fmt: skip

FTX = SavedHost(
    "FTX", "3.4", {
        "ndd -get /dev/tcp tcp_smallest_anon_port": "49152\n", "ndd -get /dev/tcp tcp_largest_anon_port": "65535\n",
        "ndd -get /dev/tcp tcp_smallest_nonpriv_port": "1024\n",
        "ndd -get /dev/udp udp_smallest_anon_port": "49152\n", "ndd -get /dev/udp udp_largest_anon_port": "65535\n",
        "ndd -get /dev/udp udp_smallest_nonpriv_port": "1024\n",
        "netstat -an": NETSTAT_BSD + "tcp        0      0  *.23                   *.*                     LISTEN\n",
    },
    unseen=("listening", "persisted", "addresses", "grants"),
)  # fmt: skip

SAVED_HOSTS = {
    "freebsd": FREEBSD, "openbsd": OPENBSD, "netbsd": NETBSD, "dragonfly": DRAGONFLY, "darwin": DARWIN, "sunos": SUNOS, "hpux": HPUX,
    "aix": AIX, "windows": WINDOWS, "vos": VOS, "ftx": FTX,
}  # fmt: skip
"""A rich host of each collector, by its name."""
