"""The rules by which this network namespace translates addresses, asked so that nothing is changed: to ask nf_tables or ip_tables where the
kernel has none of its kind would have it load a module, so each is asked only where it is there already."""

from __future__ import annotations

import os

from auditor.child import run
from auditor.evidence import Answer
from auditor.live import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = "backend there"
_NFT = ("nft", "-j", "list", "ruleset")
_LEGACY = (("ip_tables", "iptables"), ("ip6_tables", "ip6tables"))
_IN_NFT = ("iptables-nft-save", "ip6tables-nft-save")
_SYMBOL = b" nft_do_chain"
"""A function of nf_tables itself, wherever it is: in a module or in the kernel."""
_TIMEOUT = 60


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Which of the two the kernel has (`1`, `0`, or nothing where that cannot be seen), and the rules of each that is there. JSON of nft is
    given a line an object; of what iptables made in nf_tables, which nft does not print whole, iptables-nft-save tells."""
    there: list[tuple[bytes, bool | None]] = [(b"nf_tables", _nf_tables())]
    failures: list[bytes] = []
    there += [(name.encode(), _has_nat(f"/proc/thread-self/net/{name}_names", failures)) for name, _ in _LEGACY]
    lines = [backend + b"\t" + (b"" if known is None else b"%d" % known) for backend, known in there]
    yield Answer("nat", "builtin:nat", rows.table(COLUMNS, lines), "1" if failures else "0", stderr=b"".join(failures))
    if there[0][1]:
        ruleset = run("nat", _NFT, _TIMEOUT)
        made_by_iptables = b'{"xt":' in ruleset.stdout
        ruleset.stdout = ruleset.stdout.replace(b', {"', b',\n{"')  # never inside a string, where a quote is escaped
        yield ruleset
        if made_by_iptables:
            yield from (run("nat", (program, "-t", "nat"), _TIMEOUT) for program in _IN_NFT)
    for (_, known), (_, program) in zip(there[1:], _LEGACY, strict=True):
        if known:
            legacy = run("nat", (f"{program}-legacy-save", "-t", "nat"), _TIMEOUT)
            yield legacy if legacy.status != "absent" else run("nat", (f"{program}-save", "-t", "nat"), _TIMEOUT)


def _nf_tables() -> bool | None:
    """Whether nf_tables is in the kernel; None where that cannot be seen."""
    if os.path.exists("/sys/module/nf_tables"):
        return True
    try:
        with open("/proc/kallsyms", "rb") as symbols:
            read = False
            for line in symbols:
                read = True
                if _SYMBOL in line:
                    return True
    except OSError:
        return None
    return False if read else None


def _has_nat(path: str, failures: list[bytes]) -> bool | None:
    """Whether ip_tables has a table `nat` in this namespace; where there is no such file there is no ip_tables."""
    try:
        with open(path, "rb") as names:
            return b"nat" in names.read().split()
    except FileNotFoundError:
        return False if os.path.exists("/proc/thread-self/net/dev") else None
    except OSError as error:
        failures.append(f"{path}: {error.strerror}\n".encode())
        return None
