"""`systemctl show` of systemd 252, as a real manager printed it of the units whose files lie beside it, and what may become of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.collectors._linux_service_unit import ServiceUnit
from auditor.live import rows as writer
from auditor.live.service_units import SERVICE
from auditor.live.unit_files import COLUMNS, counted, directives
from auditor.parsers import rows
from auditor.parsers.systemctl_show import features, parse
from auditor.reading import Output
from tests.made_services import FEATURES, shown
from tests.parsers.laws import accounted, total

EVIDENCE = Path(__file__).resolve().parent.parent / "evidence"
SHOW = (EVIDENCE / "services-systemd-252.show").read_text()
FILES = dict(part.split("\n", 1) for part in (EVIDENCE / "services-systemd-252.units").read_text().split("== ")[1:])
COMMAND = "systemctl show --all --type=service"


def show(text: str) -> Output:
    return Output(COMMAND, text)


def from_file(name: str) -> ServiceUnit:
    path = f"/etc/systemd/system/{name}"
    told = [counted(name, path), *directives(SERVICE, name, path, FILES[name].encode())]
    found, gaps = rows.parse(writer.table(COLUMNS, told).decode(), COLUMNS, "units")
    assert not gaps
    return ServiceUnit(name, found)


def test_every_unit_of_a_real_manager_is_read() -> None:
    read = parse(show(SHOW))
    assert read.gaps == []
    assert read.units.keys() == FILES.keys()
    assert read.units["bind.service"]["SocketBindAllow"] == ["udp53", "ipv4:tcp80-90"]
    assert read.units["f3.service"]["RestrictAddressFamilies"] == [""]
    accounted(show(SHOW), read)


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_read_of_a_unit_file_is_what_systemd_read_of_it(name: str) -> None:
    properties = parse(show(SHOW)).units[name]
    if properties["LoadState"] != ["loaded"]:
        assert properties["LoadState"] == ["bad-setting"]
        return
    ours, systemds = from_file(name), from_file(name)
    systemds.take(properties)
    assert ours.essence() == systemds.essence()
    assert (ours.ambient, ours.bounding) == (systemds.ambient, systemds.bounding)
    assert systemds.differs == []


def test_a_unit_is_read_whole_or_not_at_all() -> None:
    one, other = shown("a.service", User="ann"), shown("b.service")
    read = parse(show(f"{one}\n{other.replace('User=', 'Usr=')}"))
    assert list(read.units) == ["a.service"]
    assert [gap.why for gap in read.gaps] == ["a unit of systemctl show cannot be read (b.service): it shows no User"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (shown("a.service") + shown("b.service"), "it shows CapabilityBoundingSet twice"),
        (shown("a.service") + "\n" + shown("a.service", User="ann"), "it is shown twice, and not the same"),
        (shown("a.service").removesuffix("\n"), "its last line was cut"),
        (shown("a.service") + "Failed to get properties\n", "no property: 'Failed to get properties'"),
    ],
)
def test_what_may_be_of_two_units_or_of_half_a_one_is_a_gap(text: str, why: str) -> None:
    read = parse(show(text))
    assert read.units == {}
    assert [gap.why for gap in read.gaps] == [f"a unit of systemctl show cannot be read (a.service): {why}"]


def test_a_unit_that_is_shown_twice_alike_is_one() -> None:
    read = parse(show(shown("a.service") + "\n\n" + shown("a.service")))
    assert (list(read.units), read.gaps) == (["a.service"], [])


def test_no_text_makes_it_raise_or_lose_a_line() -> None:
    total(lambda output: parse(output), COMMAND, shown("a.service", SocketBindDeny="any") + "\n" + shown("b.service"))


def test_what_a_manager_was_built_with() -> None:
    assert features(show(FEATURES.format("-")))["BPF_FRAMEWORK"] is False
    assert features(show(FEATURES.format("+")))["BPF_FRAMEWORK"] is True
    assert features(show("Version=247\n")) == {}
