"""Real daemons on made hosts leave the machine as it was: no process, no shared memory, no file."""

from __future__ import annotations

import os
from pathlib import Path

from tests import daemons
from tests.hosts import host

pytestmark = daemons.needed("sshd", "nginx", "postgres")
FOLDERS = ("/etc/ssh", "/etc/nginx", "/run/sshd", "/run/postgresql", "/var/lib/nginx", "/var/lib/postgresql", "/var/log/nginx")


def files() -> dict[str, list[str]]:
    return {folder: sorted(os.listdir(folder)) for folder in FOLDERS if os.path.isdir(folder)}


def test_what_ran_is_gone_with_its_host_and_what_it_wrote_was_the_hosts_own() -> None:
    before = files(), Path("/proc/sysvipc/shm").read_text()
    with host() as made:
        daemons.furnish(made)
        running = [daemons.sshd(made), daemons.nginx(made, "80"), daemons.postgresql(made)]
        outside = [daemon.outside for daemon in running]
        assert [os.readlink(f"/proc/{pid}/exe") for pid in outside] == [daemons.program(name) for name in ("sshd", "nginx", "postgres")]
        running[0].stop()
        assert ("tcp", 22) not in daemons.held(made)
        assert {("tcp", 80), ("tcp", 5432)} <= daemons.held(made)
    assert not [pid for pid in outside if os.path.exists(f"/proc/{pid}")]
    assert (files(), Path("/proc/sysvipc/shm").read_text()) == before
