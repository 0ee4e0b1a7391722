"""What a rule's document says is to be done, by system."""

from __future__ import annotations

import re

import pytest

from auditor import plugins
from auditor.remedy import SYSTEMS, Remedy
from auditor.rule import Rule

RULES = plugins.rules()

WRITTEN = """\
Bind it to 127.0.0.1.

Note that
it may come back.

Linux: Set
`a`.

FreeBSD, HP-UX: `b`"""
GENERAL = "Bind it to 127.0.0.1.\n\nNote that\nit may come back."


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        (["Linux"], "Set\n`a`."),
        (["Linux", "Linux"], "Set\n`a`."),
        (["HP-UX"], "`b`"),
        (["FreeBSD", "HP-UX"], "FreeBSD, HP-UX: `b`"),
        (["HP-UX", "OpenBSD"], "FreeBSD, HP-UX: `b`"),
        (["Linux", "FreeBSD"], "Linux: Set\n`a`.\n\nFreeBSD, HP-UX: `b`"),
        ([None], "Linux: Set\n`a`.\n\nFreeBSD, HP-UX: `b`"),
        ([None, "AIX"], "Linux: Set\n`a`.\n\nFreeBSD, HP-UX: `b`"),
        (["AIX"], ""),
        (["linux"], ""),
        (["HP"], ""),
    ],
)
def test_a_remedy_says_what_holds_everywhere_and_what_is_for_the_system(systems: list[str | None], said: str) -> None:
    assert Remedy(WRITTEN).on(*systems) == f"{GENERAL}\n\n{said}".strip()


@pytest.mark.parametrize("text", ["Linuxes: `a`", "See Linux: `a`", "Note: `a`", "Linux:`a`", "Linux, Note: `a`", "Linux `a`: b"])
def test_a_paragraph_that_begins_with_no_systems_name_holds_everywhere(text: str) -> None:
    assert Remedy(text).on("AIX") == text
    assert Remedy(text).by_system == []


def test_a_label_may_stand_on_a_line_of_its_own() -> None:
    assert Remedy("VOS:\n`a`").on("VOS") == "`a`"


def test_the_remedies_of_systems_are_told_one_by_one() -> None:
    assert Remedy(WRITTEN).by_system == [("Linux", "Set\n`a`."), ("FreeBSD", "`b`"), ("HP-UX", "`b`")]


def test_every_system_that_is_collected_from_may_have_a_remedy_of_its_own() -> None:
    collected = {system for collector in plugins.collectors().values() for system in collector.systems}
    assert set(SYSTEMS) == collected - {"ftServer"}, "ftServer is Windows by its other name"


def test_a_rule_tells_its_remedy_by_system() -> None:
    rule = Rule(each="stack", severity="low", check=lambda case, stack: iter(()))
    rule.doc = f"It is wrong.\n\nRemedy\n------\n{WRITTEN}"
    assert rule.remedy("HP-UX") == f"{GENERAL}\n\n`b`"
    assert rule.remedy(None) == WRITTEN
    rule.doc = ""
    assert rule.remedy("Linux") == rule.remedy(None) == ""


@pytest.mark.parametrize("name", RULES)
def test_each_system_gets_its_own_commands_of_every_rule_and_none_of_another(name: str) -> None:
    remedy = Remedy(RULES[name].section("Remedy"))
    labels = re.compile(rf"^(?:(?:{'|'.join(SYSTEMS)})(?:, )?)+:\s", re.MULTILINE)
    assert not [paragraph for paragraph in remedy.paragraphs if len(labels.findall(paragraph)) > 1], "a blank line stands between two"
    everywhere = remedy.on("")
    assert not labels.search(everywhere), "a label begins its paragraph"
    for system, text in remedy.by_system:
        assert remedy.on(system) == f"{everywhere}\n\n{text}".strip()


@pytest.mark.parametrize("name", RULES)
def test_who_is_told_to_stop_a_unit_is_told_of_what_runs_without_one(name: str) -> None:
    told = RULES[name].remedy("Linux")
    if re.search(r"systemctl (?:stop|disable --now) UNIT`", told):
        assert "`kill PID`" in told
        assert told.index("`ps -o lstart,ppid,user -p PID`") < told.index("`kill PID`"), "afterwards there is nothing to look at"
