"""auditor.inventory_ansible and auditor.inventory_csv: the same hosts and groups that Ansible and a reader of the table would see."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import PolicyError
from auditor.inventory import HOSTS_MAX, Inventory
from auditor.inventory_ansible import ini, yaml
from auditor.inventory_csv import rows
from auditor.yaml_nodes import parse

SECRET = "hunter2"


def groups(inventory: Inventory) -> dict[str, str]:
    return {host.name: " ".join(sorted(host.groups)) for host in inventory.hosts.values()}


def from_yaml(text: str) -> Inventory:
    return yaml(parse(text.encode(), "hosts.yaml"))


def csv(text: str, **columns: str) -> Inventory:
    return rows(text, "hosts.csv", columns)


def refused(read: object, text: str, **more: str) -> str:
    with pytest.raises(PolicyError) as caught:
        read(text, **more)  # type: ignore[operator]
    assert caught.value.advice
    assert SECRET not in str(caught.value) + caught.value.advice
    return str(caught.value)


def from_ini(text: str) -> Inventory:
    return ini(text, "hosts.ini")


BANK = """\
# the bank
mail-01 ansible_host=10.0.0.1
[web]
web-[08:10].bank:2222  ansible_password="hun ter2" machine_id=0123456789abcdef0123456789abcdef
; old
db-a   # shared
[db]
db-[a:c] x='1 # 2'
[prod:children]
web
db     # both
[prod:vars]
ansible_password=hunter2
this is = anything [at all
[spare]
"""


def test_an_ini_inventory_has_hosts_ranges_children_and_those_in_no_group() -> None:
    found = from_ini(BANK.replace(" machine_id=0123456789abcdef0123456789abcdef", ""))
    assert groups(found) == {
        "mail-01": "all ungrouped",
        "web-08.bank": "all prod web",
        "web-09.bank": "all prod web",
        "web-10.bank": "all prod web",
        "db-a": "all db prod web",
        "db-b": "all db prod",
        "db-c": "all db prod",
    }
    assert found.groups == {"web", "db", "prod", "spare", "all", "ungrouped"}
    assert found.hosts["web-09.bank"].place.origin == "hosts.ini:4"


def test_a_yaml_inventory_has_the_same() -> None:
    found = from_yaml("""\
all:
  hosts:
    mail-01:
  children:
    prod:
      vars: {ansible_password: hunter2}
      children:
        web:
          hosts:
            web-[08:10].bank: {ansible_password: hunter2, deep: {er: [1]}}
            db-a:
        db:
          hosts: {"db-[a:c]": null}
    spare:
ungrouped: {}
""")
    assert groups(found) == groups(from_ini(BANK.replace(" machine_id=0123456789abcdef0123456789abcdef", "")))
    assert found.groups >= {"web", "db", "prod", "spare", "all", "ungrouped"}


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("web1", ["web1"]),
        ("web1:22", ["web1"]),
        ("10.0.0.1:22", ["10.0.0.1"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("[2001:db8::1]:22", ["2001:db8::1"]),
        ("n[1:3]", ["n1", "n2", "n3"]),
        ("n[:2]", ["n0", "n1", "n2"]),
        ("n[01:10:3]x", ["n01x", "n04x", "n07x", "n10x"]),
        ("n[9:11]", ["n9", "n10", "n11"]),
        ("r[a:b]-[1:2]", ["ra-1", "ra-2", "rb-1", "rb-2"]),
        ("n[1:2]:22", ["n1", "n2"]),
        ("n[0:0]", ["n0"]),
        ("n[y:B]", ["ny", "nz", "nA", "nB"]),
    ],
)
def test_a_pattern_means_the_hosts_that_it_means_to_ansible(pattern: str, hosts: list[str]) -> None:
    assert [host.name for host in from_ini(f"[g]\n{pattern}\n").hosts.values()] == hosts


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("n[2:1]", "range that is none"),
        ("n[01:100]", "not alike"),
        ("n[a:9]", "not alike"),
        ("n[1:9:0]", "range that is none"),
        ("n[1:999999999]", f"more than {HOSTS_MAX} hosts"),
        ("n[1:9999999999]", "name of a host"),
        ("n[1:1000][1:1000]", f"more than {HOSTS_MAX} hosts"),
        ("n" + "[1:2]" * 9, "more than 8 ranges"),
        ("n[1-3]", "name of a host"),
        ("ansible_password=hunter2", "name of a host"),
        ("web1 hunter2", "NAME=VALUE"),
        ("web1 = hunter2", "NAME=VALUE"),
        ("web1 x='hunter2", "quotation"),
        ("n[1:3] machine_id=hunter2", "one machine_id for 3 hosts"),
        ("web1 machine_id=", "machine_id of 'web1'"),
        ("web1 machine_id=a\nweb1 machine_id=hunter2", "first listed at hosts.ini:2"),
        ("[x:hunt]", "kind 'hunt'"),
        ("[g:children]\nno such thing", "name of a group"),
        ("[g:children]\nwbe\n[web]", "'wbe', which is no group"),
        ("[a:children]\na", "a cycle: 'a' is within itself"),
    ],
)
def test_what_an_ini_inventory_cannot_mean_is_refused_by_line_and_no_variable_is_quoted(line: str, says: str) -> None:
    told = refused(from_ini, f"[g]\n{line}\n")
    assert says in told
    assert told.startswith(("hosts.ini:2:1: ", "hosts.ini:3:1: "))


def test_a_cycle_names_a_line_that_is_on_it() -> None:
    told = refused(from_ini, "[top:children]\na\n[a:children]\nb\n[b:children]\nc\n[c:children]\na\nd\n[d]\n")
    assert told in (
        "hosts.ini:4:1: a cycle: 'b' is within itself, by 'a'",
        "hosts.ini:6:1: a cycle: 'c' is within itself, by 'b'",
        "hosts.ini:8:1: a cycle: 'a' is within itself, by 'c'",
    )
    assert "a cycle: 'g' is within itself, by 'all'" in refused(from_yaml, "all: {children: {g: {children: {all: {}}}}}")


def test_groups_may_lie_in_each_other_as_deep_as_anyone_needs_and_no_deeper() -> None:
    chain = "".join(f"[g{n}:children]\ng{n + 1}\n" for n in range(32))
    assert "g0" in from_ini(f"{chain}[g32]\nh\n").hosts["h"].groups
    assert "more than 32 levels" in refused(from_ini, f"[x:children]\ng0\n{chain}[g32]\nh\n")


def test_hosts_are_the_same_whatever_the_case_and_keep_the_first_spelling() -> None:
    assert groups(from_ini("[a]\nWeb1\n[b]\nweb1\nWEB1.\n")) == {"Web1": "a all b"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("plugin: aws_ec2\n", "hosts.yaml:1:1: a plugin's settings"),
        ("g:\n  host: {a: }\n", "hosts.yaml:2:3: unknown key 'host'"),
        ("g:\n  hosts: [a]\n", "hosts.yaml:2:10: expected names of hosts, each with a colon, found a list"),
        ("g: {hosts: {a: {machine_id: [hunter2]}}}\n", "expected a text as machine_id"),
        ("g: {hosts: {a: {machine_id: x}}}\nh: {hosts: {a: {machine_id: hunter2}}}", "hosts.yaml:2:13: another machine_id for 'a'"),
        ("g: {hosts: {'a b': }}\n", "hosts.yaml:1:13: expected the name of a host"),
    ],
)
def test_what_a_yaml_inventory_cannot_mean_is_refused_by_line(text: str, says: str) -> None:
    assert says in refused(from_yaml, text)


def test_a_nearest_word_is_offered_for_a_key_and_for_a_group() -> None:
    with pytest.raises(PolicyError) as key:
        from_yaml("g: {childs: {}}\n")
    with pytest.raises(PolicyError) as group:
        from_ini("[g:children]\nwbe\n[web]\n")
    assert "did you mean 'children'" in key.value.advice
    assert "did you mean 'web'" in group.value.advice


# CSV

TABLE = 'host,groups,machine_id,role\nweb-01,"web, prod",0123,\n\ndb-01,db;prod,,db\n'


def test_a_csv_has_a_row_for_each_host() -> None:
    found = csv(TABLE)
    assert {h.name: (sorted(h.groups), h.machine_id, h.role, h.place.origin) for h in found.hosts.values()} == {
        "web-01": (["prod", "web"], "0123", None, "hosts.csv:2"),
        "db-01": (["db", "prod"], None, "db", "hosts.csv:4"),
    }
    assert found.groups == {"web", "db", "prod"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_columns_are_found_by_their_words_in_any_case_and_by_any_delimiter_that_spreadsheets_write(delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(row) for row in (("Location", '"Name"', "Class"), ("cellar", "web-01", "web"))) + "\r\n"
    found = csv(text, host="name", groups="CLASS")
    assert groups(found) == {"web-01": "web"}


def test_a_cell_may_hold_lines_and_the_rows_after_it_keep_their_number() -> None:
    found = csv('host,note\n"web-01","two\nlines"\ndb-01,\n')
    assert [h.place.origin for h in found.hosts.values()] == ["hosts.csv:2", "hosts.csv:4"]


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        ("host\na\nb\nA\n", {}, "hosts.csv:4:1: 'a' is listed twice, first at hosts.csv:2"),
        ("name\na\n", {}, "hosts.csv:1:1: no column is called 'host'"),
        ("host\na\n", {"role": "Rolle"}, "hosts.csv:1:1: no column is called 'Rolle'"),
        ("host,host\na,b\n", {}, "hosts.csv:1:1: 2 columns are called 'host'"),
        ("host,note\na\n", {}, "hosts.csv:2:1: 1 cells, where the head has 2"),
        ("host,note\na,hunter2,x\n", {}, "hosts.csv:2:1: 3 cells"),
        ('host\na\n"b"hunter2\n', {}, "hosts.csv:3:1: not CSV"),
        ('host\na\n"hunter2', {}, "hosts.csv:3:1: not CSV"),
        ("host,note\n,x\n", {}, "hosts.csv:2:1: expected the name of a host"),
        ("", {}, "hosts.csv:1:1: no column is called 'host'"),
        ("host,x\na," + "y" * 200_000, {}, "hosts.csv:2:1: not CSV"),
    ],
)
def test_what_a_csv_cannot_mean_is_refused_by_line(text: str, columns: dict[str, str], says: str) -> None:
    assert refused(csv, text, **columns).startswith(says)


# Whatever is in it

LINES = st.lists(
    st.text("ab[]:,;#='\" \t=-*0123ü", max_size=14) | st.sampled_from(["[g]", "[g:children]", "[a:vars]", "g", "h[1:3]", "x=1"]),
    max_size=12,
)


@given(LINES)
def test_any_text_is_an_inventory_or_an_error_with_its_line(lines: list[str]) -> None:
    for read, file in ((from_ini, "hosts.ini"), (csv, "hosts.csv")):
        try:
            found = read("\n".join(lines))
        except PolicyError as error:
            told = str(error)
        else:
            told = f"{file}: {len(found.hosts)} hosts"
            assert all(name == name.lower() and host.place.file == file for name, host in found.hosts.items())
        assert told.startswith(f"{file}:")


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 7))
def test_a_range_of_numbers_has_both_ends_and_every_step(first: int, more: int, step: int) -> None:
    names = [host.name for host in from_ini(f"[g]\nn[{first:04}:{first + more:04}:{step}]\n").hosts.values()]
    assert names == [f"n{number:04}" for number in range(first, first + more + 1, step)]


def test_a_megabyte_takes_no_more_than_a_few_seconds() -> None:
    began = time.monotonic()
    assert len(from_ini("[g]\n" + "".join(f"host-{n} a=1 b=2\n" for n in range(40_000))).hosts) == 40_000
    assert len(csv("host,groups\n" + "".join(f"host-{n},g\n" for n in range(60_000))).hosts) == 60_000
    refused(from_ini, "[g]\n" + "a" * 500_000 + " " + "b" * 500_000)
    refused(from_ini, "[g]\n" + "[" * 1_000_000)
    refused(from_ini, "[g]\n" + "[1:2" * 250_000)
    assert time.monotonic() - began < 20
