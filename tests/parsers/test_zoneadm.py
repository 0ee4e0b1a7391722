"""zoneadm list -cp and zonename: the zones of Solaris and illumos."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from auditor.parsers import zoneadm
from auditor.reading import Output, Read
from tests.parsers import laws

LIST = """\
0:global:running:/::ipkg:shared
3:web:running:/zones/web:5b2c1f0e-0000-4000-8000-000000000003:ipkg:excl
-:spare:installed:/zones/a\\:b::ipkg:shared
"""


def test_each_line_is_a_zone_with_its_fields() -> None:
    read = zoneadm.parse(output := Output("zoneadm list -cp", LIST))
    laws.accounted(output, read)
    assert [(z["id"], z["name"], z["state"], z["path"], z["ip"]) for z in read.found] == [
        ("0", "global", "running", "/", "shared"),
        ("3", "web", "running", "/zones/web", "excl"),
        ("-", "spare", "installed", "/zones/a:b", "shared"),
    ]


def test_an_old_release_has_fewer_fields() -> None:
    (zone,) = zoneadm.parse(Output("zoneadm list -cp", "0:global:running:/\n")).found
    assert "ip" not in zone


@pytest.mark.parametrize("line", ["  ID NAME STATUS PATH", "x:web:running:/zones/web", "3:we b:running:/", "3:web:running", "garbage"])
def test_a_line_that_is_no_zone_is_a_gap(line: str) -> None:
    read = zoneadm.parse(output := Output("zoneadm list -cp", LIST + line + "\n"))
    laws.accounted(output, read)
    assert (len(read.found), [gap.line for gap in read.gaps]) == (3, [line])


def test_no_zone_at_all_is_a_gap() -> None:
    assert zoneadm.parse(Output("zoneadm list -cp", "\n")).gaps


def test_zonename_prints_one_name() -> None:
    read = zoneadm.parse_zonename(output := Output("zonename", "web\n"))
    laws.accounted(output, read)
    assert read.name == "web"
    assert zoneadm.parse_zonename(Output("zonename", "")).name is None
    assert zoneadm.parse_zonename(Output("zonename", "web\nzonename: oops\n")).gaps


@pytest.mark.parametrize("parse", [zoneadm.parse, zoneadm.parse_zonename])
def test_whatever_the_text_is_it_is_read(parse: Callable[[Output], Read]) -> None:
    laws.total(parse, "zoneadm list -cp", LIST)
