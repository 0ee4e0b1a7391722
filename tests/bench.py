"""How fast `port-auditor collect --only ports` is, as a ratio to `ss -H -tulnp` in the same run. `make bench` runs it.

Loads are made here: processes with listeners on 127.0.0.0/8, connections between them and ordinary open files. The two commands take
turns; quoted are the medians, and the median of the ratios of each turn: absolute times drift on a shared machine, ratios do not.
Then a policy of 2,000 lines is loaded, as a ratio to yaml.CSafeLoader reading the same file, and its register of approvals is made for
10,000 listeners. Last, where there is a Chromium and playwright, the first paint of a page of 10,000 open listeners beside that of an empty
page. Nothing is asserted.
"""

from __future__ import annotations

import datetime
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

LOADS = {  # processes, listeners, UDP sockets, established connections (two sockets each), open files; turns
    "small": (20, 60, 20, 50, 500, 31),
    "medium": (300, 3_000, 600, 10_000, 16_000, 9),
    "large": (1_000, 20_000, 2_000, 50_000, 80_000, 5),
}
OURS = [str(Path(sys.executable).parent / "port-auditor"), "collect", "--only", "ports", "--quiet"]
THEIRS = ["ss", "-H", "-tulnp"]


def inhabitant(number: int, listeners: int, datagrams: int, connections: int, files: int) -> list[object]:
    """What one process of the load holds open."""
    address = f"127.{1 + number // 250}.{number % 250}.1"
    held: list[object] = []
    for port in range(1024, 1024 + max(listeners, 1)):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(1024)
        held.append(listener)
    for _ in range(datagrams):
        datagram = socket.socket(type=socket.SOCK_DGRAM)
        datagram.bind((address, 0))
        held.append(datagram)
    for _ in range(connections):
        client = socket.create_connection((address, 1024))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        held += [client, held[0].accept()[0]]  # type: ignore[attr-defined]
    held += [os.open(os.devnull, os.O_RDONLY) for _ in range(files)]
    return held


@contextmanager
def load(processes: int, listeners: int, datagrams: int, connections: int, files: int) -> Iterator[None]:
    """The load, while the block runs."""
    children = []
    hold_reader, hold_writer = os.pipe()
    try:
        for number in range(processes):
            reader, writer = os.pipe()
            child = os.fork()
            if not child:
                os.close(hold_writer)
                shares = [total // processes + (number < total % processes) for total in (listeners, datagrams, connections, files)]
                held = inhabitant(number, *shares)
                os.write(writer, b".")
                os.read(hold_reader, 1)
                held.clear()
                os._exit(0)
            children.append(child)
            os.close(writer)
            if os.read(reader, 1) != b".":
                raise SystemExit("bench: the load could not be made (too many open files?)")
            os.close(reader)
        yield
    finally:
        os.close(hold_writer)
        os.close(hold_reader)
        for child in children:
            os.kill(child, signal.SIGTERM)
            os.waitpid(child, 0)


def timed(command: list[str]) -> float:
    """Seconds that a command takes as a whole process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, env=environment)
    return time.perf_counter() - begun


def peak(command: list[str]) -> int:
    """The largest memory of a command or of a child it waited for, in KiB."""
    measure = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3, stderr=-3); \
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    return int(subprocess.run([sys.executable, "-c", measure, *command], capture_output=True, text=True, check=True).stdout)


def written(lines: int) -> str:
    """A policy of so many lines, nine an entry."""
    entries = (
        f"    - name: service-{n}\n      port: {1000 + n}\n      protocol: [tcp, udp]\n      executable: /usr/sbin/service-{n}\n"
        f"      user: root\n      unit: service-{n}.service\n      purpose: what it is for\n      owner: team\n"
        "      review_by: 2027-03-01\n"
        for n in range((lines - 3) // 9)
    )
    return "policy: 1\nlistening:\n  approved:\n" + "".join(entries)


def policy(turns: int = 21) -> None:
    """A policy's loading beside that of the same YAML, and what approves 10,000 listeners by it."""
    import yaml

    from auditor.approvals import approvals
    from auditor.facts import Facts
    from auditor.model import Snapshot, Socket, Stack
    from auditor.owner import Owner
    from auditor.policy import load

    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "bench.yaml")
        path.write_text(text := written(2000))
        for _ in range(turns):
            begun = time.perf_counter()
            yaml.load(text, yaml.CSafeLoader)
            between = time.perf_counter()
            loaded = load(str(path), {})
            pairs.append((between - begun, time.perf_counter() - between))
        path.write_text(written(18_003))
        entries = load(str(path), {})
    theirs, ours = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in pairs)
    print(
        f"policy of {len(text.splitlines())} lines, {len(loaded.approved)} entries: CSafeLoader {theirs:.1f} ms, {ours:.1f} ms, {ratio:.2f}"
    )
    owner = Owner(executable="/usr/sbin/service-1", user="root", uid=0, unit="service-1.service")
    sockets = [
        Socket(protocol="tcp", address="127.0.0.1", family="ipv4", port=1000 + n % 4000, owner_state="known", owners_seen=[owner])
        for n in range(10_000)
    ]
    host = Snapshot(host="bench", stacks=Facts([Stack(name="host", kind="host", listening=Facts(sockets, "made"))], "made"))
    begun = time.perf_counter()
    approvals(host, entries, datetime.date(2026, 11, 20))
    took = time.perf_counter() - begun
    print(f"approvals of {len(sockets)} listeners by {len(entries.approved)} entries: {took * 1000:.0f} ms")


def page(turns: int = 5) -> None:
    """When the page of 10,000 listeners, each of them open, is first painted, beside an empty page in the same browser."""
    sys.path.append(str(Path(__file__).resolve().parent.parent))
    from tests.browser.chromium import CHROMIUM, Opened, launched
    from tests.browser.pages import LISTENERS, made

    if CHROMIUM is None or find_spec("playwright") is None:
        print("page: no chromium is here, or no playwright (pip install '.[browser]'): its first paint is not measured")
        return
    painted = "() => performance.getEntriesByType('paint')[0]?.startTime"
    pairs = []
    with tempfile.TemporaryDirectory() as folder, launched(Path(folder)) as browser:
        empty = Path(folder, "empty.html")
        empty.write_text("<!doctype html><title>empty</title><p>empty")
        crowded = made("crowded", Path(folder))
        for _ in range(turns):
            times = []
            for url in (empty.as_uri(), crowded.url):
                one = Opened(browser, url)
                times.append(one.page.wait_for_function(painted).json_value())
                one.close()
            pairs.append(times)
        size = crowded.path.stat().st_size / 1e6
    theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(ours / theirs for theirs, ours in pairs)
    print(f"page of {LISTENERS} open listeners, {size:.1f} MB: first paint {ours:.0f} ms, of an empty page {theirs:.0f} ms, {ratio:.1f}")


def main() -> int:
    alone = {"policy": policy, "page": page}
    if len(sys.argv) == 2 and sys.argv[1] in alone:
        alone[sys.argv[1]]()
        return 0
    if shutil.which("ss") is None:
        print("bench: ss is not here to be compared with; install iproute2")
        return 1
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"{'load':8} {'ss -H -tulnp':>14} {'port-auditor':>14} {'ratio':>7} {'least':>7} {'most':>7} {'peak':>9}")
    for name in sys.argv[1:] or LOADS:
        *size, turns = LOADS[name]
        with load(*size):
            timed(THEIRS), timed(OURS)
            pairs = [(timed(THEIRS), timed(OURS)) for _ in range(turns)]
            memory = peak(OURS)
        ratios = [ours / theirs for theirs, ours in pairs]
        theirs, ours = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
        print(
            f"{name:8} {theirs:11.1f} ms {ours:11.1f} ms {statistics.median(ratios):7.2f} {min(ratios):7.2f} {max(ratios):7.2f} "
            f"{memory / 1024:5.0f} MiB", flush=True,
        )  # fmt: skip
    policy()
    page()
    return 0


if __name__ == "__main__":
    sys.exit(main())
