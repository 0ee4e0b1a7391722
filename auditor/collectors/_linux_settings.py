"""The port settings of a namespace, and those of the host's files for the next boot."""

from __future__ import annotations

from collections.abc import Callable

from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_stacks import Namespace
from auditor.facts import Facts, Gap
from auditor.model import Persisted, Range, Setting
from auditor.parsers import port_list, rows, sysctl_conf
from auditor.port_range import PORT_MAX, PortRange

THRESHOLD = "net.ipv4.ip_unprivileged_port_start"
RANGE = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
NAMES = (THRESHOLD, RANGE, RESERVED, "net.ipv4.ip_autobind_reuse", "sunrpc.min_resvport", "sunrpc.max_resvport")
THRESHOLD_SINCE = (4, 11)
"""The release that made the threshold a setting; before, it is PROT_SOCK, 1024 (include/net/sock.h)."""
PROT_SOCK = 1024
_ABSENT_OK = ("net.ipv4.ip_autobind_reuse", "sunrpc.min_resvport", "sunrpc.max_resvport")


class Settings:
    """What the files under /proc/sys say in one namespace: values by name, and why one is not known."""

    def __init__(self, evidence: LinuxEvidence, namespace: Namespace) -> None:
        label, host = namespace.label, namespace.kind == "host"
        self.whole = [*evidence.whole, *namespace.doubt]
        self.values: dict[str, str] = {}
        self.gaps: dict[str, Gap] = {}
        not_entered = evidence.not_entered(label)
        files = evidence.files("settings", label) | (evidence.files("host-settings") if host else {})
        for name in NAMES if host else NAMES[:4]:
            path = "/proc/sys/" + name.replace(".", "/")
            answer = files.get(path)
            if answer is None:
                self.gaps[name] = Gap(not_entered or f"{name} was not read")
            elif answer.status == "absent" and name in _ABSENT_OK:
                continue
            elif answer.trouble:
                self.gaps[name] = Gap(f"{name}: {answer.trouble}" if answer.status != "absent" else f"{path} is not there")
            elif not answer.text.endswith("\n"):
                self.gaps[name] = Gap(f"{name}: the answer is empty or cut", answer.text[:200])
            elif not _is_of(name, answer.text):
                self.gaps[name] = Gap(f"{name} cannot be read", answer.text[:200])
            else:
                self.values[name] = " ".join(answer.text.split())
        self.absent = {name for name in NAMES if (a := files.get("/proc/sys/" + name.replace(".", "/"))) and a.status == "absent"}

    def facts(self) -> Facts[Setting]:
        """Every setting as it runs."""
        return Facts([Setting(name=n, value=v) for n, v in self.values.items()], "/proc/sys", [*self.gaps.values(), *self.whole])

    def privileged(self, release: str) -> Facts[Range]:
        """Ports below the threshold need CAP_NET_BIND_SERVICE; port 0 is a request to choose and needs nothing."""
        if THRESHOLD in self.absent and (known := version(release)) and known < THRESHOLD_SINCE:
            return Facts([self._below(PROT_SOCK)], f"PROT_SOCK of Linux {release}", self.whole, "derived")
        return self._ranges(THRESHOLD, lambda text: [self._below(_number(text))] if _number(text) > 1 else [])

    def _below(self, threshold: int) -> Range:
        return Range(first=1, last=threshold - 1, protocol="any", family="any", wildcard_exempt=False, needs="CAP_NET_BIND_SERVICE")

    def ephemeral(self) -> Facts[Range]:
        """The range for bind(0) and connect, of all protocols and both families."""
        return self._ranges(RANGE, lambda text: [self._range(port_list.pair(text), role="default", descending=False)])

    def reserved(self) -> Facts[Range]:
        """Ports the kernel never chooses by itself."""
        return self._ranges(RESERVED, lambda text: [self._range(r) for r in port_list.comma_list(text)])

    def _range(self, ports: PortRange, **more: object) -> Range:
        return Range(first=ports.first, last=ports.last, protocol="any", family="any", **more)

    def _ranges(self, name: str, read: Callable[[str], list[Range]]) -> Facts[Range]:
        if name in self.values:
            try:
                return Facts(read(self.values[name]), name, self.whole)
            except ValueError:
                gap = Gap(f"{name} cannot be read", self.values[name][:200])
        else:
            gap = self.gaps.get(name, Gap(f"{name} is not shown"))
        return Facts([], name, [gap, *self.whole])


def _is_of(name: str, text: str) -> bool:
    """Whether this is what the kernel prints of that setting: one line, of ports or of a number."""
    try:
        if text.count("\n") != 1:
            return False
        (port_list.pair if name == RANGE else port_list.comma_list if name == RESERVED else _number)(text.strip())
    except ValueError:
        return False
    return True


def _number(text: str) -> int:
    number = rows.number(text, PORT_MAX + 1)
    if number is None:
        raise ValueError(text)
    return number


def version(release: str) -> tuple[int, int] | None:
    """The first two numbers of a kernel release; None where they cannot be read."""
    parts = release.partition("-")[0].split(".")
    first, second = (rows.number(part) for part in (*parts, "", "")[:2])
    return None if first is None or second is None else (first, second)


def persisted(evidence: LinuxEvidence, namespace: Namespace) -> Facts[Persisted]:
    """The port settings in sysctl.d and sysctl.conf, in the order in which they are applied: what a glob sets yields to what is set
    by name (sysctl.d(5)). A host's files set nothing in other namespaces than its own."""
    if namespace.kind != "host":
        return Facts([], "a host's files set nothing in other namespaces", namespace.doubt)
    listing, gaps = evidence.table("persisted", "path real state", "builtin:sysctl-files")
    files = evidence.files("persisted")
    by_glob: list[Persisted] = []
    by_name: list[Persisted] = []
    excluded: set[str] = set()
    for path, _, state in listing:
        if state in ("masked", "ignored by systemd"):
            continue
        answer = files.get(path or "") if state == "read" else None
        if answer is None or answer.trouble or path is None:
            gaps.append(Gap((answer.trouble if answer else None) or f"{path}: {state if state != 'read' else 'was not read'}"))
            continue
        assignments, trouble = sysctl_conf.parse(answer.text, path)
        gaps += trouble
        for one in assignments:
            for name in NAMES:
                if one.value is not None and one.sets(name):
                    entry = Persisted(name=name, value=" ".join(one.value.split()), file=path, line=one.line)
                    (by_name if one.name == name else by_glob).append(entry)
                elif one.name == name:  # "-name": neither a glob nor an earlier line sets it
                    excluded.add(name)
                    by_name = [entry for entry in by_name if entry.name != name]
    return Facts([e for e in by_glob if e.name not in excluded] + by_name, "sysctl.d", gaps + evidence.whole)


def bindresvport_blacklist(evidence: LinuxEvidence) -> tuple[list[Setting], list[Gap]]:
    """/etc/bindresvport.blacklist as a setting: the ports that libtirpc's bindresvport leaves alone, a number a line, # a comment."""
    path = "/etc/bindresvport.blacklist"
    answer = evidence.files("bindresvport").get(path)
    if answer is None or (answer.trouble and answer.status != "absent"):
        return [], [Gap((answer.trouble if answer else None) or f"{path} was not read")]
    if answer.status == "absent":
        return [], []
    ports, gaps = [], []
    for number, line in enumerate(answer.text.split("\n"), 1):
        word = line.partition("#")[0].strip()
        if rows.number(word, PORT_MAX) is not None:
            ports.append(word)
        elif word:
            gaps.append(Gap(f"{path}:{number}: not a port", line[:200]))
    return [Setting(name=path, value=",".join(ports))] if ports or not gaps else [], gaps
