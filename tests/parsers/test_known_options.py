"""An option that is not known may leave rows out, so that no listing of sockets is whole with it."""

from __future__ import annotations

import pytest

from auditor.parsers import (
    fstat,
    lsof,
    netstat_aix,
    netstat_bsd,
    netstat_hpux,
    netstat_linux,
    netstat_macos,
    netstat_solaris,
    netstat_windows,
    proc_net_text,
    sockstat,
    ss,
)
from auditor.reading import Output
from tests.parsers.listings import FSTAT, IPV6_SERVERS, LINUX, LSOF, MACOS, PROC, SERVERS, SOCKSTAT, Parse

BSDS = (netstat_bsd.parse_freebsd, netstat_bsd.parse_dragonfly, netstat_bsd.parse_openbsd, netstat_bsd.parse_netbsd)
HEADED: dict[Parse, str] = {
    sockstat.parse: SOCKSTAT,
    ss.parse: "Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess\n",
    netstat_linux.parse: LINUX,
    lsof.parse: LSOF,
    fstat.parse: FSTAT,
    netstat_aix.parse: SERVERS + MACOS,
    netstat_hpux.parse: SERVERS + MACOS + IPV6_SERVERS,
    netstat_solaris.parse: "UDP: IPv4\nUDP: IPv6\nTCP: IPv4\nTCP: IPv6\n",
    netstat_windows.parse: "  Proto  Local Address          Foreign Address        State\n"
    "  TCP    [::]:7703  [::]:0  LISTENING\n  UDP    [::]:7703  *:*\n",
    proc_net_text.parse: PROC,
}


def doubts(parse: Parse, command: str) -> set[str]:
    """Why pairs are not covered that speaks of options."""
    covers = parse(Output(command, "\n", status="0")).covers
    assert covers
    return {why for why in covers.values() if why and "option" in why}


@pytest.mark.parametrize(
    ("parse", "command", "option"),
    [
        (sockstat.parse, "sockstat -46lz", "-z"), (sockstat.parse, "sockstat -46l --libxo=json", "--libxo=json"),
        (sockstat.parse, "sockstat \N{EN DASH}4l", "\N{EN DASH}4l"),
        (ss.parse, "ss -tulpn --no-such", "--no-such"), (ss.parse, "ss -tulpnQ", "-Q"), (ss.parse, "ss -tulpn --bpf-maps", "--bpf-maps"),
        (netstat_linux.parse, "netstat -tulpnY", "-Y"), (netstat_linux.parse, "netstat -tuln --ipx", "--ipx"),
        (netstat_linux.parse, "netstat -tulnf", "-f"),
        (lsof.parse, "lsof -nPy -i", "-y"), (lsof.parse, "lsof -nP +y -i", "+y"), (lsof.parse, "lsof --all -i", "--all"),
        (fstat.parse, "fstat -nz", "-z"),
        *((parse, "netstat -any", "-y") for parse in BSDS), *((parse, "netstat -an --all", "--all") for parse in BSDS),
        (netstat_bsd.parse_dragonfly, "netstat -anx", "-x"), (netstat_bsd.parse_openbsd, "netstat -anS", "-S"),
        (netstat_bsd.parse_netbsd, "netstat -anW", "-W"),
        (netstat_macos.parse, "netstat -any", "-y"), (netstat_macos.parse, "netstat -anB", "-B"),
        (netstat_solaris.parse, "netstat -any", "-y"), (netstat_hpux.parse, "netstat -any", "-y"),
        (netstat_aix.parse, "netstat -anu", "-u"),
        (netstat_windows.parse, "netstat -anoz", "-z"), (netstat_windows.parse, "netstat /ano /c", "-c"),
        (netstat_windows.parse, "netstat -ano --all", "-"),
        (proc_net_text.parse, "cat -z /proc/net/tcp", "-z"),
    ],
)  # fmt: skip
def test_an_option_that_is_not_known_leaves_nothing_covered(parse: Parse, command: str, option: str) -> None:
    covers = parse(Output(command, HEADED.get(parse, "\n"), status="0")).covers
    assert covers
    assert set(covers.values()) == {f"the option {option} is not known here: rows may be missing"}


@pytest.mark.parametrize(
    ("parse", "command"),
    [
        (sockstat.parse, "sockstat -46AbCfIilnSsUvw"), (sockstat.parse, "sockstat -4lfinet6"), (sockstat.parse, "sockstat -ln -f inet"),
        (ss.parse, "ss -tulpneomiZzHOb --cgroup --tos --inet-sockopt"), (ss.parse, "ss --tcp --udp --listening --proc --num"),
        (netstat_linux.parse, "netstat -tulpneeovWZ --numeric-ports"),
        (netstat_linux.parse, "netstat --tcp --udp --listen --prog --symbolic"),
        (lsof.parse, "lsof -nPlbOwR -T fqs +c 0 +M -i"), (fstat.parse, "fstat -nosv"),
        (netstat_bsd.parse_freebsd, "netstat -46AaCnPSW -f inet"), (netstat_bsd.parse_dragonfly, "netstat -AaPnSW -f inet6"),
        (netstat_bsd.parse_openbsd, "netstat -AaBnv -T 3"), (netstat_bsd.parse_netbsd, "netstat -AanvLV -f inet"),
        (netstat_macos.parse, "netstat -AalnvvW -p tcp"), (netstat_solaris.parse, "netstat -anuvR -P tcp"),
        (netstat_hpux.parse, "netstat -Aanv -f inet"), (netstat_aix.parse, "netstat -Aan -f inet"),
        (netstat_windows.parse, "netstat -abnoqfty -p TCP"), (netstat_windows.parse, "NETSTAT /A /N /O"),
        (proc_net_text.parse, "cat -vET /proc/net/tcp"),
    ],
)  # fmt: skip
def test_options_that_change_the_form_alone_cost_nothing(parse: Parse, command: str) -> None:
    assert doubts(parse, command) == set()
