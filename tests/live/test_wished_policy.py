"""A policy that uses the whole language, on a host that was made to keep it, and on the same host once it does not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests import daemons
from tests.hosts import WEB, Host, as_if_initial, host, listener

pytestmark = daemons.needed("sshd", "nginx", "rpcbind", "rpc.statd")
EVIDENCE = "/run/shop.evidence"
PHP, ROGUE = "/var/lib/php/php-fpm", "/var/lib/rogue/php-fpm"
HOUSE = """\
policy: 1                                   # house-linux.yaml: what every server of the house has
extends: [baseline]
defaults: {owner: operations, approved_by: m.roe, ticket: CHG-100, review_by: 2027-03-01}
privileged:
  granted_to:
    - {executable: /usr/sbin/sshd, user: root}
    - {executable: /usr/sbin/rpcbind, user: _rpc}
    - {executable: /usr/sbin/rpc.statd, user: statd}
listening:
  approved:
    - {name: ssh, port: 22, protocol: tcp, address: 10.0.0.0/8, unit: [sshd.service, ssh.service, ssh.socket], purpose: administration}
    - {name: rpcbind, port: 111, protocol: [tcp, udp], executable: /usr/sbin/rpcbind, user: _rpc, purpose: NFS}
"""
WEB_SERVER = f"""\
policy: 1                                   # web.yaml: a role
extends: [house-linux]
applies_to: {{groups: [web]}}
defaults: {{owner: web-platform, approved_by: j.doe, ticket: CHG-4711, review_by: 2027-03-01}}
must_have: [purpose, owner, approved_by, ticket, review_by]
scope:
  must_see: [listeners, owners]
  loopback: inventory
  containers: [listener-not-approved, privileged-range-lowered]
ephemeral: {{expect: vendor-default, reserved_must_include: [40000-40099]}}
privileged: {{expect: 0-1023, granted_to: [{{executable: /usr/sbin/nginx, user: [root, www-data]}}]}}
listening:
  approved:
    - {{name: https, port: 443, protocol: [tcp, udp], interface: bond0, executable: /usr/sbin/nginx, user: [root, www-data],
       unit: nginx.service, purpose: public web shop}}
    - {{name: statd, port: kernel-given, executable: /usr/sbin/rpc.statd, at_most: 4, purpose: NFS locks}}
    - name: cart
      container: {{image: "registry.example/cart@*", name: "cart-*"}}
      port: 8080
      user: {{not: root}}
      purpose: cart backend behind nginx
  required: [https, ssh]
  forbidden:
    - {{port: [23, 512-514, 2375], protocol: tcp, except: {{executable: /usr/sbin/rsyslogd}}, why: cleartext or unauthenticated root}}
    - {{port: any, executable: ["/tmp/*", "/dev/shm/*", "/home/*", deleted], why: not an installed service}}
rules: {{listener-on-wildcard-address: high, listener-in-ephemeral-range: {{severity: low}}}}
gaps:
  - {{fact: privileged, stack: "container:*", reason: timer runs without CAP_SYS_ADMIN, owner: sre, approved_by: ciso, expires: 2027-03-31}}
waivers:
  - {{id: EXC-118, rule: listener-not-approved, hosts: [made-host], subject: "tcp/10.1.4.7:9000", executable: {PHP},
     reason: socket migration, compensated_by: bond0 ACL 88, owner: web-platform, approved_by: ciso, ticket: RSK-2041, expires: 2027-01-31}}
  - {{id: EXC-119, rule: listener-on-wildcard-address, executable: [/usr/sbin/rpcbind, /usr/sbin/rpc.statd], reason: NFS listens on all,
     owner: operations, expires: 2027-01-31}}
"""
SITE = """\
site: 1
inventory: hosts.ini
roles:
  web: {groups: [web], policy: web.yaml}
"""
WITHOUT_ADMIN = ("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin", "--")
"""As the timer runs that collects: it enters no other namespace."""
Found = list[tuple[str, str | None, str]]


@pytest.fixture
def shop() -> Iterator[Host]:
    """A web server before its web server is up: bond0, NFS, and the cart in a container."""
    with host() as made:
        daemons.furnish(made)
        daemons.interface(made, "bond0", "10.1.4.7/24")
        made.sysctl("net.ipv4.ip_local_reserved_ports", "40000-40099")
        made.write("/etc/sysctl.d/50-ports.conf", "net.ipv4.ip_local_reserved_ports = 40000-40099\n")
        made.write("/etc/house-linux.yaml", HOUSE)
        made.write("/etc/web.yaml", WEB_SERVER)
        made.write("/etc/hosts.ini", "[web]\nmade-host\n")
        made.write("/etc/site.yaml", SITE)
        daemons.rpcbind(made)
        daemons.statd(made)
        daemons.container(made, 8080, image="registry.example/cart@sha256:0123")
        yield made


class Audit:
    """What the program says of the host as it is now, by the policy as it stands there."""

    def __init__(self, shop: Host) -> None:
        shop.write("/run/made-host.evidence", as_if_initial(shop.collect(prefix=WITHOUT_ADMIN)))
        done = shop.auditor("audit", "--site", "/etc/site.yaml", "--today", "2026-11-21", "-f", "json", "/run/made-host.evidence")
        assert done.code in (0, 1, 3), done.err
        self.code = done.code
        self.said: dict[str, Any] = json.loads(done.out)
        self.findings: list[dict[str, Any]] = self.said["findings"]

    def of(self, *outcomes: str) -> Found:
        """Findings with one of these outcomes that the verdict speaks of."""
        counted = [one for one in self.findings if one["outcome"] in outcomes and one["severity"] != "info" and not one["inventory"]]
        return sorted((one["rule"], one["stack"], one["subject"]) for one in counted)

    def observed(self, rule: str, subject: str) -> str:
        (one,) = [one for one in self.findings if (one["rule"], one["subject"], one["outcome"]) == (rule, subject, "fail")]
        return str(one["observed"])


def test_a_host_that_keeps_it_passes_for_the_declared_scope_with_its_exceptions(shop: Host) -> None:
    checked = shop.auditor("policy", "check", "/etc/web.yaml")
    assert checked.code == 0, checked.err
    daemons.nginx(shop, "10.1.4.7:443")
    daemons.sshd(shop, "10.1.4.7")
    shop.start(listener("tcp", "10.1.4.7", 9000), run=[shop.program(PHP)], user=WEB)
    audit = Audit(shop)
    assert audit.of("fail", "error", "unknown") == []
    assert audit.code == 0
    statement = audit.said["statement"]
    assert statement.startswith(
        "PASS for the declared scope: nothing open, 7 waived (6 high, 1 medium); 13 listeners in 2 network stacks of made-host seen at "
    )
    assert "scope: listeners, owners must be seen; loopback: inventory, not judged; containers: judged by " in statement
    assert "1 accepted gap" in statement
    waived = Counter((rule, subject.rpartition(":")[2] in ("111", "9000")) for rule, _, subject in audit.of("waived"))
    assert waived == {
        ("listener-not-approved", True): 1,  # EXC-118
        ("listener-on-wildcard-address", True): 4,  # rpcbind
        ("listener-on-wildcard-address", False): 2,  # statd, TCP; of UDP a port that the kernel gave is no choice of its own
    }


def test_each_thing_that_the_host_does_not_keep_is_found_and_nothing_else(shop: Host) -> None:
    daemons.interface(shop, "eth1", "192.168.7.7/24")
    daemons.nginx(shop, "10.1.4.7:443", "192.168.7.7:443")  # on another interface too
    shop.start(listener("tcp", "10.1.4.7", 9000), run=[shop.program(ROGUE)], user=WEB)  # where php-fpm's waiver is
    shop.start(listener("tcp", "10.1.4.7", 23), run=[shop.program("/var/lib/rogue/telnetd")])
    shop.start(listener("tcp", "127.0.0.1", 514), run=[shop.program("/var/lib/rogue/rshd")])
    shop.start(listener("tcp", "0.0.0.0", 9443), run=[shop.program("shop")], user=WEB)  # a folder below /tmp
    shop.write("/etc/web.yaml", WEB_SERVER.replace("at_most: 4", "at_most: 3").replace("cart@*", "cart:*"))
    audit = Audit(shop)
    assert audit.code == 1
    assert audit.of("error", "unknown") == []
    assert audit.of("fail") == [
        ("cleartext-listener", "host", "tcp/10.1.4.7:23"),
        ("executable-in-writable-folder", "host", f"{shop.stage}/shop"),
        ("listener-count-above-approved", "host", "statd"),
        ("listener-forbidden", "host", "tcp/0.0.0.0:9443"),
        ("listener-forbidden", "host", "tcp/10.1.4.7:23"),
        ("listener-not-approved", "container:cart-1", "tcp/0.0.0.0:8080"),
        ("listener-not-approved", "host", "tcp/0.0.0.0:9443"),
        ("listener-not-approved", "host", "tcp/10.1.4.7:23"),
        ("listener-not-approved", "host", "tcp/10.1.4.7:9000"),
        ("listener-not-approved", "host", "tcp/192.168.7.7:443"),
        ("listener-on-wildcard-address", "host", "tcp/0.0.0.0:9443"),
        ("privileged-port-held-by-others", "host", "tcp/10.1.4.7:23"),
        ("required-listener-absent", "host", "ssh"),
        ("waiver-unused", None, "EXC-118"),
    ]
    assert f"executable {ROGUE}, user web" in audit.observed("listener-not-approved", "tcp/10.1.4.7:9000")
    assert "container cart-1, image registry.example/cart@sha256:0123" in audit.observed("listener-not-approved", "tcp/0.0.0.0:8080")
    inventory = {(one["rule"], one["subject"]) for one in audit.findings if one["inventory"] and one["outcome"] == "fail"}
    assert ("listener-forbidden", "tcp/127.0.0.1:514") in inventory
