"""An RPC client may take the port of an approved service before the service starts.

Why it matters
--------------
Clients of NFS, NIS and other RPC services send from a port below 1024, to show that root opened it, and take any that is free: a mount at
boot that has port 873 or 993 keeps rsync or IMAP from starting. bindresvport(3) of libtirpc looks in 600-1023 (the parameter
`library_window`; in 512-599 only when all of these are taken, which is not counted) and leaves alone what /etc/bindresvport.blacklist
names. The kernel's own client takes any from sunrpc.min_resvport to sunrpc.max_resvport, and reads no such file; nor does glibc's
bindresvport(3). An entry that names all of a window fixes no port, and is passed over.

Remedy
------
Keep the port from both.

Linux: `echo PORT >> /etc/bindresvport.blacklist` for the library. For the kernel, `sysctl -w sunrpc.min_resvport=PORT` with a port above
the approved ones, and the same line in a file of /etc/sysctl.d; or mount with `noresvport`, where the server allows it.
"""

from collections.abc import Iterator

from auditor.facts import UnknownFact
from auditor.policy_entries import Entry
from auditor.port_range import PortRange
from auditor.port_scopes import ports_in_words
from auditor.rule import Breach, Case, NotChecked, Rule

_KERNEL = ("sunrpc.min_resvport", "sunrpc.max_resvport")
_BLACKLIST = "/etc/bindresvport.blacklist"
_OF_POLICY = "policy, rules: bindresvport-may-take-approved-port"


def check(case: Case, entry: Entry) -> Iterator[Breach]:
    if not _of_this_stack(case, entry) or not {"tcp", "udp"} & entry.wanted.get("protocol", {"tcp", "udp"}):
        return
    library = case.parameters.get("library_window")
    why: UnknownFact | None = None
    try:
        if library is not None and (taken := PortRange.joined(_in(entry, library), without=_spared(case))):
            yield _breach(f"bindresvport may take {ports_in_words(taken)}, not in {_BLACKLIST},", library, _OF_POLICY)
    except UnknownFact as unknown:
        why = unknown
    kernel = _kernels(case)
    if kernel is not None and (taken := _in(entry, kernel)):
        yield _breach(f"an RPC client of the kernel may take {ports_in_words(taken)}", kernel, ", ".join(_KERNEL))
    if kernel is None and library is None:
        raise NotChecked("the policy gives no `library_window`, and the kernel has no sunrpc settings")
    if why is not None:
        raise why


def _of_this_stack(case: Case, entry: Entry) -> bool:
    """Whether it fixes a port here: not one that the kernel chooses, nor one in other stacks alone."""
    stacks = entry.wanted.get("stack")
    return bool(entry.ports) and (stacks is None or any(pattern.fits(case.stack.name) for pattern in stacks))


def _in(entry: Entry, window: PortRange) -> list[PortRange]:
    """The ports of an entry that are in a window. One that names all of it fixes no port."""
    return [both for ports in entry.ports if window.minus([ports]) and (both := ports.overlap(window))]


def _spared(case: Case) -> list[PortRange]:
    """What the library leaves alone; none where the file is not there."""
    return [ports for one in case.stack.settings if one.name == _BLACKLIST for ports in _ports(one.value)]


def _kernels(case: Case) -> PortRange | None:
    """What the kernel's client takes; None where its module is not loaded."""
    ends: dict[str, str] = {}
    for one in case.stack.settings:
        if one.name in _KERNEL:
            ends[one.name] = one.value
        if len(ends) == len(_KERNEL):
            return _ports("-".join(ends[name] for name in _KERNEL))[0]
    return None


def _ports(text: str) -> list[PortRange]:
    try:
        return [PortRange.parse(part) for part in text.split(",") if part]
    except ValueError:
        raise UnknownFact(f"these are no ports: {text!r:.60}", "settings") from None


def _breach(message: str, window: PortRange, source: str) -> Breach:
    return Breach(
        f"{message} before the service starts",
        observed=f"taken from {window} ({source})",
        expected="approved ports outside it, or left alone",
        source=source,
    )


RULE = Rule(
    each="approved", severity="medium", stacks="host", systems=("Linux",), needs=("approved",),
    parameters={"library_window": PortRange}, check=check,
)  # fmt: skip
