"""The pages that these tests open: made by the program itself, of bundles in the repository and of hosts that tests/bundles.py makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.bundles import STRICT, Host, Net, Process, container, host, port, rich, service
from tests.hostile import HOSTILE, hostile_host, hostile_policy
from tests.saved_hosts import SAVED_HOSTS

ROOT = Path(__file__).resolve().parent.parent.parent
EVIDENCE = ROOT / "tests" / "evidence"
TODAY, STAMP = "2026-11-21", "1795248000"
BANNER = "INTERNAL: of a made-up shop"
SHOWN = f"report: {{organisation: A made-up shop, banner: '{BANNER}'}}\n"
LISTENERS = 10_000
MEBIBYTES = 1 << 20


def crowded(listeners: int = LISTENERS) -> Host:
    """A host with very many listeners, of a hundred services."""
    services = [service(2000 + n, f"service-{n}", n) for n in range(100)]
    ports = [port(f"tcp/10.{n // 60_000}.{n % 250}.5:{1024 + n}", services[n % 100]) for n in range(listeners)]
    return Host(Net(ports), name="crowded")


def shop() -> Host:
    """A small web host with something of most kinds in it: what the pictures show."""
    nginx, app = service(900, "nginx", 33), Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{'ab' * 32}.scope")
    named = Process(1303, "/tmp/named (deleted)", 110, "/system.slice/named.service")  # noqa: S108 - of a made-up host
    return host(
        port("tcp/0.0.0.0:22", service(812, "sshd")),
        port("tcp/*:80", nginx),
        port("tcp/*:443", nginx),
        port("tcp/0.0.0.0:23", Process(1, "/usr/lib/systemd/systemd", 0, "/init.scope", "systemd")),
        port("tcp/10.0.0.5:6379", service(950, "redis-server", 110, "/usr/bin"), uid=110),
        port("udp/9.9.9.9:53", named, uid=110),
        port("tcp/0.0.0.0:40123", service(555, "agent")),
        port("udp/0.0.0.0:45000", service(700, "avahi-daemon", 108), uid=108),
        others=[container("ab" * 32, port("tcp/0.0.0.0:8080", app))],
        containers={"ab" * 32: "web"},
        name="web1",
    )  # fmt: skip


MADE = {
    "web1": (["web1.evidence"], None),
    "rich": ({"rich": rich}, SHOWN + STRICT),
    "shop": ({"shop": shop}, SHOWN + "extends: [baseline]\n"),
    "several": ({"shop": shop, "freebsd": lambda: SAVED_HOSTS["freebsd"], "windows": lambda: SAVED_HOSTS["windows"]}, SHOWN + STRICT),
    "crowded": ({"crowded": crowded}, STRICT),
    "hostile": ({"hostile": lambda: hostile_host(*HOSTILE)}, "report: {banner: '</div><b>'}\n" + hostile_policy()),
}
"""Each page's hosts and its policy's text; web1 is the bundle in the repository with the policy beside it."""


class Made:
    """A page at `path`, and the same report for programs in `report`."""

    def __init__(self, path: Path, report: dict[str, object]) -> None:
        self.path = path
        self.report = report

    @property
    def url(self) -> str:
        return self.path.as_uri()


def made(name: str, folder: Path) -> Made:
    """The page of that name, written into a folder by `port-auditor audit`."""
    hosts, text = MADE[name]
    policy = EVIDENCE / "web1.yaml"
    if text is not None:
        policy = folder / f"{name}.yaml"
        policy.write_text("policy: 1\n" + text, encoding="utf-8")
    if isinstance(hosts, dict):
        bundles = folder / name
        bundles.mkdir()
        for stem, host_of in hosts.items():
            (bundles / f"{stem}.evidence").write_bytes(host_of().bundle())
        sources = [str(bundles)]
    else:
        sources = [str(EVIDENCE / one) for one in hosts]
    page, data = folder / f"{name}.html", folder / f"{name}.json"
    command = [
        sys.executable,
        "-m",
        "auditor",
        "audit",
        *sources,
        "-p",
        str(policy),
        "--today",
        TODAY,
        "-f",
        f"html={page}",
        "-f",
        f"json={data}",
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": STAMP}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"{name}: exit code {done.returncode}: {done.stderr}")
    return Made(page, json.loads(data.read_bytes()))
