"""What somebody sees who runs port-auditor for the first time on a busy, well-kept server, measured.

`pytest tests/live/test_first_run.py -s` prints the report.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import daemons
from tests.hosts import NOBODY, Host, as_if_initial, host

pytestmark = daemons.needed("sshd", "nginx", "postgres", "rpcbind", "rpc.statd", "avahi-daemon", "cupsd")
Finding = dict[str, Any]
MOST = 5
"""How many open findings somebody reads, and acts on."""


@pytest.fixture(scope="module")
def server() -> Iterator[Host]:
    """A web server with a database, NFS, printing, mDNS and a container, on a public address and a private one."""
    with host() as made:
        daemons.furnish(made)
        daemons.interface(made, "eth0", "192.31.196.7/24")  # in AS112-v4: public by the registry, nobody's host
        daemons.interface(made, "eth1", "10.0.0.5/24")
        daemons.sshd(made)
        daemons.nginx(made, "80", "[::]:80", "443", "[::]:443")
        daemons.postgresql(made)
        daemons.rpcbind(made)
        daemons.statd(made)
        daemons.avahi(made)
        daemons.cupsd(made)
        daemons.container(made, 8080)
        made.write("/run/server.evidence", as_if_initial(made.collect()))
        yield made


def audit(server: Host, form: str) -> bytes:
    done = server.auditor("audit", "--today", "2026-11-21", "-f", form, "/run/server.evidence")
    assert done.code in (0, 1), done.err
    return done.out


def findings(report: bytes) -> list[Finding]:
    found: list[Finding] = json.loads(report)["findings"]
    return found


def opened(report: bytes) -> list[tuple[str, str | None, str]]:
    """Rule, stack and subject of what is open."""
    return [
        (one["rule"], one["stack"], one["subject"]) for one in findings(report) if one["outcome"] == "fail" and one["severity"] != "info"
    ]


WORTH_ACTING_ON = [
    # rpcbind answers whoever asks, from the public address too, and lends its 7 to 28 fold answer to floods of others; nobody mounts NFS
    # over the Internet: bind it to eth1, or stop it.
    ("udp-amplifier-exposed", "host", "udp/0.0.0.0:111"),
]


def test_a_first_run_opens_these_findings_and_no_other(server: Host) -> None:
    print(audit(server, "text").decode())
    assert opened(audit(server, "json")) == WORTH_ACTING_ON
    assert len(WORTH_ACTING_ON) <= MOST


def test_a_first_run_as_an_ordinary_user_opens_the_same_and_gives_few_reasons_for_what_it_could_not_see(server: Host) -> None:
    server.write("/run/user.evidence", server.collect(user=NOBODY))
    done = server.auditor("audit", "--today", "2026-11-21", "-f", "json", "/run/user.evidence")
    assert done.code == 1
    assert opened(done.out) == WORTH_ACTING_ON
    reasons = {one["message"] for one in findings(done.out) if one["outcome"] == "unknown"}
    # the container, the owners, what they hold, their programs, BPF programs, and the PID namespace of this test
    assert len(reasons) == 6, reasons


def test_a_first_run_leaves_nothing_unknown_and_every_daemon_was_seen_with_its_own_user_and_executable(server: Host) -> None:
    said = json.loads(audit(server, "json"))
    assert not [one for one in said["findings"] if one["outcome"] in ("unknown", "error")]
    (seen,) = said["hosts"]
    holders = {
        (stack["name"], owner["executable"].rpartition("/")[2], owner.get("user", owner["uid"]))
        for stack in seen["stacks"]["seen"]
        for socket in stack["listening"]["seen"]
        for owner in socket["owners"]
    }
    assert holders == {
        ("host", "sshd", "root"), ("host", "nginx", "root"), ("host", "nginx", "www-data"), ("host", "postgres", "postgres"),
        ("host", "rpcbind", "_rpc"), ("host", "rpc.statd", "statd"), ("host", "avahi-daemon", "avahi"), ("host", "cupsd", "root"),
        ("container:cart-1", "cart (in another mount namespace)", 10001),
    }  # fmt: skip
