"""Which programs a unit file starts: read as systemd reads it, by the same code that reads the services themselves."""

from __future__ import annotations

import pytest

from auditor.live.unit_programs import UnresolvedError, started

UNRESOLVED = "?"


def programs(text: str) -> list[str]:
    found = []
    try:
        for program in started(text.encode("utf-8", "surrogateescape")):
            found.append(program)
    except UnresolvedError:
        found.append(UNRESOLVED)
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Service]\nExecStart=/bin/a --token=hunter2\n", ["/bin/a"]),
        ("[Service]\n ExecStart = -@/bin/a hunter2\nExecStop=+!/bin/b\nExecReload=:|/bin/c x\n", ["/bin/a", "/bin/b", "/bin/c"]),
        ("[Service]\nExecStartPre=+\"/opt/a b\" hunter2\nExecCondition='-/opt/c d'\n", ["/opt/a b", "/opt/c d"]),
        ("[Service]\nExecStart=\\\n  /bin/a \\\n# ExecStop=/bin/no \\\n  hunter2\nExecStop=/bin/b", ["/bin/a", "/bin/b"]),
        ("\ufeff[Service]\r\nExecStart=/bin/a\r\n", ["/bin/a"]),
        ("[Service]\nExecStart=/bin/a x ; +/bin/b \\; y ; -!/bin/c\n", ["/bin/a", "/bin/b", "/bin/c"]),
        ("[Service]\nExecStart=\nExecStart=sleep 1\nEnvironment=/bin/no\n", []),
        ("ExecStart=/bin/no\n[Install]\nExecStart=/bin/no\n[Service]\n#ExecStart=/bin/no\n;ExecStart=/bin/no\n", []),
        ("[Service]\nExecStart=/opt/%i/run\nExecStop=/bin/b\n", ["/bin/b", UNRESOLVED]),
        ("[Service]\nExecStart=/opt/a\\x20b\n", [UNRESOLVED]),
        ("[Service]\nExecStart='/bin/a hunter2\nExecStop=/bin/b\n", ["/bin/b", UNRESOLVED]),
        ("[Service]\nExecStart=/opt/\udcff\n", ["/opt/\udcff"]),
        ("", []),
    ],
)
def test_each_command_of_a_services_section_names_its_program(text: str, expected: list[str]) -> None:
    assert programs(text) == expected
