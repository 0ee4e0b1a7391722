"""What a policy can ask of a socket or of a process that holds it: each key's reader, and its judge.

A judge says whether the evidence shows what is wanted, or raises UnknownFact (by reading what is not shown). Where several things
are wanted, one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING

from auditor.facts import UnknownFact
from auditor.model import Socket, Stack
from auditor.owner import DELETED, FORGEABLE, UNPROVEN, Owner, without_unproven
from auditor.policy_keys import RANGE_EXPECTED, Glob, glob, mapping, one_of, one_or_more, text, wrong
from auditor.port_range import PortRange
from auditor.yaml_nodes import Mapping, Node, Scalar

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - names them, binds nothing
_ADDRESS_WORDS = ("any", "*", "loopback", *WILDCARDS)


def any_of(questions: Iterable[Callable[[], bool]]) -> bool:
    """True if one is true; else UnknownFact if one is unknown; else false."""
    why: UnknownFact | None = None
    for question in questions:
        try:
            if question():
                return True
        except UnknownFact as unknown:
            why = why or unknown
    if why is not None:
        raise why
    return False


class Ports:
    """Ports that are wanted: any of `ranges`, or, if `kernel_given`, one that the kernel chose."""

    __slots__ = ("_joined", "kernel_given", "ranges")

    def __init__(self, ranges: tuple[PortRange, ...], kernel_given: bool) -> None:
        self.ranges = ranges
        self.kernel_given = kernel_given
        self._joined: tuple[PortRange, ...] | None = None

    @property
    def joined(self) -> tuple[PortRange, ...]:
        """The same ports in as few ranges as there can be, in order."""
        if self._joined is None:
            self._joined = tuple(PortRange.joined(self.ranges))
        return self._joined


def ports(node: Node) -> Ports | None:
    """Read `port`; None for any."""
    expected = f"{RANGE_EXPECTED}, any or kernel-given"

    def one(item: Node) -> PortRange | str:
        if isinstance(item, Scalar) and item.text in ("any", "kernel-given"):
            return item.text
        if not isinstance(item, Scalar):
            raise wrong(item, expected)
        try:
            return PortRange.parse(item.text)
        except ValueError:
            raise wrong(item, expected, "write digits only, the lower port first") from None

    wanted = one_or_more(one, "ports")(node)
    if "any" in wanted:
        return None
    return Ports(tuple(item for item in wanted if isinstance(item, PortRange)), "kernel-given" in wanted)


def port_fits(want: Ports, socket: Socket, stack: Stack) -> bool:
    def named() -> bool:
        port = socket.port
        return any(port in ports for ports in want.ranges)

    def chosen() -> bool:
        return _chosen_by_the_kernel(socket, stack)

    if not want.kernel_given:
        return named()
    return any_of([named, chosen] if want.ranges else [chosen])


def _chosen_by_the_kernel(socket: Socket, stack: Stack) -> bool:
    """As derived for UDP. Of TCP nothing tells a port that the kernel chose from a fixed one: any that it hands out, and no unit declares,
    will do."""
    if socket.protocol != "tcp" or "kernel_given" in socket.shown:
        return socket.kernel_given
    if socket.shown.get("socket_unit"):
        return False
    family, port = socket.family, socket.port
    kept = any(port in ports.ports and ports.speaks_of("tcp", family) for ports in stack.reserved.about("tcp", family, port))
    return not kept and any(port in ports.ports and ports.speaks_of("tcp", family) for ports in stack.ephemeral.about("tcp", family, port))


def protocols(node: Node) -> frozenset[str] | None:
    """Read `protocol`; None for any."""
    wanted = frozenset(one_or_more(one_of("tcp", "udp", "sctp", "udplite", "dccp", "any"), "protocols")(node))
    return None if "any" in wanted else wanted


def protocol_fits(want: frozenset[str], socket: Socket, stack: Stack) -> bool:
    return socket.protocol in want


class Addresses:
    """Bound addresses that are wanted: `words` as written, and networks (one address is the smallest network)."""

    __slots__ = ("networks", "words")

    def __init__(self, words: frozenset[str], networks: tuple[IPv4Network | IPv6Network, ...]) -> None:
        self.words = words
        self.networks = networks


def addresses(node: Node) -> Addresses | None:
    """Read `address`: an IP address, a CIDR block, `loopback`, `*` (the wildcard address), `any`, or a list; None for any."""
    wanted = one_or_more(_address_or_word, "addresses")(node)
    if "any" in wanted:
        return None
    words = frozenset(item for item in wanted if isinstance(item, str))
    return Addresses(words, tuple(item for item in wanted if not isinstance(item, str)))


def _address_or_word(node: Node) -> str | IPv4Network | IPv6Network:
    from ipaddress import IPv4Network, ip_network

    expected = 'an IP address, a block as 10.0.0.0/8, loopback, any, or "*" for the wildcard address'
    written = node.text if isinstance(node, Scalar) else ""
    if written in _ADDRESS_WORDS:
        return written
    address, slash, prefix = written.partition("/")
    if slash and not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 3):
        raise wrong(node, expected, "write the number of leading bits behind the slash")
    if "%" in address or "[" in address:
        raise wrong(node, expected, "write the address without brackets and zone, and add 'interface: NAME'")
    try:
        network = ip_network(written)
    except ValueError as error:
        advice = f"the block that holds it is {ip_network(written, strict=False)}" if "host bits" in str(error) else ""
        raise wrong(node, expected, advice) from None
    if not isinstance(network, IPv4Network) and network.prefixlen >= 96 and (mapped := network.network_address.ipv4_mapped) is not None:
        if network.prefixlen == 128 and int(mapped) == 0:
            return WILDCARDS[0]
        return IPv4Network((mapped, network.prefixlen - 96))
    if network.num_addresses == 1 and network.network_address.is_unspecified:
        return WILDCARDS[network.version == 6]
    return network


def _bound(address: str) -> IPv4Address | IPv6Address:
    """A socket's address as a value; `::ffff:a.b.c.d` is a.b.c.d."""
    from ipaddress import ip_address

    try:
        value = ip_address(address.partition("%")[0])
    except ValueError:
        raise UnknownFact(f"the evidence gives an address that is none: {address!r}", "listeners") from None
    return getattr(value, "ipv4_mapped", None) or value


def _bound_address(socket: Socket) -> IPv4Address | IPv6Address | None:
    """Its address, or None for a wildcard of which the evidence does not tell the family."""
    if socket.shown.get("address_cut"):
        raise UnknownFact("the evidence shows only the beginning of the address", "listeners")
    return None if socket.address == "*" else _bound(socket.address)


def address_fits(want: Addresses, socket: Socket, stack: Stack) -> bool:
    """A socket on the wildcard address fits `*` or just that address, and never a block, even if that be 0.0.0.0/0."""
    bound = _bound_address(socket)
    if bound is None:
        if "*" in want.words or want.words.issuperset(WILDCARDS):
            return True
        if want.words.intersection(WILDCARDS):
            raise UnknownFact("the evidence does not tell the family of its wildcard address", "listeners")
        return False
    if bound.is_unspecified:
        return "*" in want.words or str(bound) in want.words
    return ("loopback" in want.words and bound.is_loopback) or any(bound in network for network in want.networks)


def family_fits(want: str, socket: Socket, stack: Stack) -> bool:
    """The family of the traffic it serves: a dual-stack wildcard serves both."""
    address = socket.shown.get("address", "*")
    if address.startswith("::ffff:") and not socket.shown.get("address_cut"):
        return want == f"ipv{_bound(address).version}"
    family = socket.family
    if family not in ("ipv4", "ipv6"):
        raise UnknownFact("the evidence does not tell the family", "listeners")
    if family == want:
        return True
    if family == "ipv4" or socket.address != "::":
        return False
    return not socket.v6only


def reach_fits(want: tuple[str, ...], socket: Socket, stack: Stack) -> bool:
    if socket.reach == "unknown":
        raise UnknownFact("the evidence does not tell from where it can be reached", "addresses")
    return socket.reach in want


def interface_fits(want: tuple[str, ...], socket: Socket, stack: Stack) -> bool:
    """Bound to the device; or, where it is bound to none, to an address that belongs to it."""

    def by_device() -> bool:
        return socket.device in want

    def by_address() -> bool:
        bound = _bound_address(socket)
        if bound is None or bound.is_unspecified:
            return False
        if bound.is_link_local and "zone" in socket.shown:
            return socket.zone in want
        return any(item.device in want and _bound(item.address) == bound for item in stack.addresses)

    return by_device() if socket.shown.get("device") is not None else any_of([by_device, by_address])


def stack_fits(want: tuple[Glob, ...], socket: Socket, stack: Stack) -> bool:
    return any(pattern.fits(stack.name) for pattern in want)


def process_fits(want: tuple[Glob, ...], owner: Owner, socket: Socket) -> bool:
    """The name that the process gave itself, which proves nothing."""
    return any(pattern.fits(owner.process) for pattern in want)


def executables(node: Node) -> tuple[Glob, ...]:
    """Read `executable`: absolute paths in which `*` stands for anything, or `deleted`."""

    def one(item: Node) -> Glob:
        written = text(item)
        if written != "deleted" and written[0] not in "/*":
            raise wrong(item, "an absolute path or deleted", "the name that a process gives itself is 'process'")
        return Glob(written)

    return one_or_more(one, "executables")(node)


class AnotherFile(UnknownFact):
    """Only the path fits: enough for what is forbidden, too little for what is approved."""


def executable_fits(want: tuple[Glob, ...], owner: Owner, socket: Socket) -> bool:
    """The program that the kernel has for it. Its mark for a file that is gone is no part of the path; `deleted` asks for the mark. Where
    another file than the one at that path runs, or may run, a path asks for its mark too; one that ends in `*`, or names the program that
    the process may have chosen, raises AnotherFile."""
    path = owner.executable
    if path is None:
        return False
    marked = without_unproven(path)
    bare = marked.removesuffix(DELETED)
    another = False
    for asked in want:
        if asked.pattern == "deleted":
            fits = bare != marked
        elif marked == path:
            fits = asked.fits(path) or asked.fits(bare)
        else:
            fits = asked.fits(path)
            if fits and asked.pattern.strip("*") and asked.pattern.endswith("*") and not any(mark in asked.pattern for mark in UNPROVEN):
                fits, another = False, True
            elif path.endswith(FORGEABLE) and (asked.fits(marked) or asked.fits(bare)):
                another = True
        if fits:
            return True
    if another:
        raise AnotherFile("another file than the one at its path runs, or may", "owners")
    return False


class Users:
    """Users that are wanted, by name or number, or, if `others`, all but these."""

    __slots__ = ("names", "others")

    def __init__(self, names: tuple[str, ...], others: bool) -> None:
        self.names = names
        self.others = others


def users(node: Node) -> Users:
    """Read `user`: a name, a number, a list of them, or `{not: ...}`."""
    names = one_or_more(_user, "users")
    if not isinstance(node, Mapping):
        return Users(names(node), False)
    return Users(mapping(node, {"not": names}, required=("not",))["not"], True)


def _user(node: Node) -> str:
    name = text(node)
    if name.isdigit() and (not name.isascii() or len(name) > 10):
        raise wrong(node, "a user's name or number")
    return name


def user_fits(want: Users, owner: Owner, socket: Socket) -> bool:
    """By name, by number; root is whoever has the number 0, where that is shown."""

    def one(name: str) -> bool:
        if name.isascii() and name.isdigit():
            return owner.uid == int(name)
        if name == "root" and "uid" in owner.shown:
            return owner.uid == 0
        return owner.user == name

    return any_of(partial(one, name) for name in want.names) is not want.others


def unit_fits(want: tuple[Glob, ...], owner: Owner, socket: Socket) -> bool:
    """The systemd unit it runs in; for process 1, which holds sockets for others, the socket unit or the service that gets it."""

    def fits(unit: str | None) -> bool:
        return unit is not None and any(pattern.fits(unit) for pattern in want)

    def own() -> bool:
        return fits(owner.unit)

    def held_for_another() -> bool:
        if owner.shown.get("pid", 1) != 1:
            return False
        return any_of([lambda: fits(socket.socket_unit), lambda: fits(socket.activates)]) and owner.pid == 1

    return any_of([own, held_for_another])


class Containers:
    """Containers that are wanted, by `names` and by `images`; None is any, of each."""

    __slots__ = ("images", "names")

    def __init__(self, names: tuple[Glob, ...] | None, images: tuple[Glob, ...] | None) -> None:
        self.names = names
        self.images = images


def containers(node: Node) -> Containers:
    """Read `container`: a name, a list of them, or `{name: ..., image: ...}`."""
    globs = one_or_more(glob, "containers")
    if not isinstance(node, Mapping):
        return Containers(globs(node), None)
    asked = mapping(node, {"name": globs, "image": one_or_more(glob, "images")})
    if not asked:
        raise node.error("asks nothing of a container", "name at least one of name, image")
    return Containers(asked.get("name"), asked.get("image"))


def container_fits(want: Containers, owner: Owner, socket: Socket) -> bool:
    """A process in no container fits none."""
    if owner.container is None:
        return False
    if want.names is not None and not any(pattern.fits(owner.container) for pattern in want.names):
        return False
    if want.images is None:
        return True
    return owner.image is not None and any(pattern.fits(owner.image) for pattern in want.images)
