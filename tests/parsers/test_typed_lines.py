from __future__ import annotations

import pytest

from auditor.parsers.typed_lines import typed


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("# ndd -get /dev/tcp tcp_smallest_anon_port", "ndd -get /dev/tcp tcp_smallest_anon_port"),
        ("#ndd /dev/tcp x", "ndd /dev/tcp x"),
        ("root@coop:~# ndd /dev/udp x", "ndd /dev/udp x"),
        ("[ann@coop ~]$ sudo /usr/sbin/ndd /dev/udp x", "sudo /usr/sbin/ndd /dev/udp x"),
        ("  $ /usr/sbin/ndd /dev/udp x", "/usr/sbin/ndd /dev/udp x"),
        ("C:\\Users\\Ann Lee>ndd.exe x", "ndd.exe x"),
        ("PS C:\\> ndd", "ndd"),
        ("ndd -get /dev/tcp x", "ndd -get /dev/tcp x"),
        ("root@coop:~#", ""),
        ("#", ""),
        ("C:\\>", ""),
    ],
)
def test_a_prompt_and_what_was_typed(line: str, command: str) -> None:
    assert typed(line, "ndd") == command


@pytest.mark.parametrize(
    "line", ["", "49152", "# a remark", "root@coop:~# netstat -an", "100%", "cost 5 $", "nddx y", "allow_unpriv_bind$", "> ndd", "see ndd"]
)
def test_anything_else_is_none(line: str) -> None:
    assert typed(line, "ndd") is None


def test_one_of_several_programs() -> None:
    assert typed("$ rmsock 1 tcpcb", "netstat", "rmsock") == "rmsock 1 tcpcb"
