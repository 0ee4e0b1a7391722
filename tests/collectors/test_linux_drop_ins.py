"""Of which folders a socket unit has drop-ins, and of two of one name which counts: systemd.unit(5), src/shared/dropin.c."""

from __future__ import annotations

import pytest

from auditor.collectors._linux_drop_ins import UnitFiles

ETC, RUN, VENDOR = "/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system"


def said(name: str, *paths: str, other_names: tuple[str, ...] = ()) -> list[str]:
    """The drop-ins that count for a unit with a file, in their order."""
    own = f"{VENDOR}/{name}"
    first, *parts = files(name, own, *paths, other_names=other_names)
    assert first == own
    return parts


def files(name: str, *paths: str, other_names: tuple[str, ...] = ()) -> list[str]:
    """The files that count for a unit, in their order."""
    found = []
    for path in paths:
        folder, _, file = path.rpartition("/")
        unit = file if file.endswith(".socket") else folder.rpartition("/")[2].removesuffix(".d")
        found += [(unit, path, "0", None, None), (unit, path, "1", "ListenStream", "80")]
    counting = [row[1] or "" for row in UnitFiles(found).said(name, list(other_names))]
    assert counting[::2] == counting[1::2]
    return counting[::2]


@pytest.mark.parametrize(
    ("name", "folders"),
    [
        ("foo.socket", "foo"),
        ("foo-bar-baz.socket", "foo-bar-baz foo-bar- foo-"),
        ("foo-bar@x.socket", "foo-bar@x foo-bar@ foo- foo-@x foo-@"),
        ("foo@x-y.socket", "foo@x-y foo@"),
        ("foo@.socket", "foo@"),
        ("foo-.socket", "foo-"),
        ("foo--.socket", "foo-- foo-"),
        ("-foo.socket", "-foo"),
    ],
)
def test_the_nearest_folder_counts_of_those_a_unit_has_and_the_one_of_all_units_last(name: str, folders: str) -> None:
    near = [f"{VENDOR}/{one}.socket.d/a.conf" for one in folders.split()] + [f"{VENDOR}/socket.d/a.conf"]
    strangers = [f"{VENDOR}/{one}.socket.d/a.conf" for one in ("fo", "fo-", "foo-b", "foo-ba-", "bar", "@x", "-", "foo@y", "socket")]
    while near:
        assert said(name, *reversed(near), *strangers) == [near.pop(0)]
    assert said(name, *strangers) == []


def test_drop_ins_are_applied_by_their_names_after_the_unit() -> None:
    paths = [f"{VENDOR}/{at}" for at in ("a-b.socket.d/3.conf", "socket.d/1.conf", "a-.socket.d/2.conf", "a-b.socket")]
    assert files("a-b.socket", *paths) == [paths[3], paths[1], paths[2], paths[0]]


def test_the_administrators_folder_counts_before_the_vendors_nearer_one_but_not_for_all_units() -> None:
    near, far, every = f"{VENDOR}/a-b.socket.d/1.conf", f"{ETC}/a-.socket.d/1.conf", f"{ETC}/socket.d/1.conf"
    assert said("a-b.socket", far, near) == [far]
    assert said("a-b.socket", every, near) == [near]
    assert said("a-b.socket", every, f"{RUN}/socket.d/1.conf") == [every]


def test_a_folder_of_many_units_is_no_unit_and_one_with_its_own_file_is() -> None:
    rows = [(name, f"{ETC}/{name}.d/a.conf", "1", "ListenStream", "80") for name in ("socket", "a-.socket", "b-.socket", "c.socket")]
    assert UnitFiles([*rows, ("b-.socket", f"{ETC}/b-.socket", "0", None, None)]).names == {"b-.socket", "c.socket"}


def test_an_instance_has_its_own_file_or_else_its_templates() -> None:
    own, template, more = f"{ETC}/a@x.socket", f"{ETC}/a@.socket", f"{ETC}/a@.socket.d/1.conf"
    assert files("a@x.socket", own, template, more) == [own, more]
    assert files("a@y.socket", own, template, more) == [template, more]


def test_a_name_without_a_file_has_no_drop_ins_but_its_own() -> None:
    every, many, own = f"{ETC}/socket.d/1.conf", f"{ETC}/a-.socket.d/1.conf", f"{ETC}/a-b.socket.d/2.conf"
    assert files("a-b.socket", every, many) == []
    assert files("a-b.socket", every, many, own) == [own]


def test_the_drop_ins_of_its_other_names_are_a_units_too() -> None:
    own, other, both = f"{ETC}/a.socket.d/1.conf", f"{ETC}/b-c.socket.d/1.conf", f"{ETC}/b-.socket.d/2.conf"
    assert said("a.socket", other, own, both, other_names=("b-c.socket",)) == [own, both]
    assert said("a.socket", other, own, both) == [own]


def test_a_name_that_systemd_would_not_take_costs_nothing() -> None:
    assert said("-a" * 100_000 + "@x.socket", f"{ETC}/socket.d/1.conf") == [f"{ETC}/socket.d/1.conf"]
