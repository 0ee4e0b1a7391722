"""auditor.site: who has which role, and whose evidence lies at a path."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import plugins
from auditor.errors import PolicyError
from auditor.identity import first_label, names_in_path, same_host, same_machine
from auditor.policy_keys import Glob
from auditor.site import Assignment, Site, is_site, load, note_doubles

HOSTS = """\
mail-01
[web]
web-07
web-08.bank.example
shop-1
[db]
db-01.bank.example machine_id=0123456789abcdef0123456789abcdef
db-01.other.example
shop-1
10.0.0.5
"""
SITE = """\
site: 1
name: Example Bank
inventory: hosts.ini
roles:
  web: {policy: roles/web.yaml, groups: [web], hosts: ["SHOP-*"]}
  db: {policy: roles/db.yaml, groups: db}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a site in it, which is where the test is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roles").mkdir()
    for name in ("web", "db"):
        (tmp_path / "roles" / f"{name}.yaml").write_text(f"policy: 1\nextends: baseline\n# {name}\n")
    (tmp_path / "hosts.ini").write_text(HOSTS)
    (tmp_path / "site.yaml").write_text(SITE)
    return tmp_path


@pytest.fixture
def site(folder: Path) -> Site:
    return load("site.yaml")


def refused(text: str, hosts: str = HOSTS, name: str = "hosts.ini") -> list[str]:
    Path("site.yaml").write_text(text)
    Path(name).write_text(hosts)
    with pytest.raises(PolicyError) as caught:
        load("site.yaml").policies(plugins.rule_parameters())
    assert caught.value.advice
    return str(caught.value).split("\n")


def roles(site: Site) -> dict[str, str]:
    return {host.name: " ".join(site.roles_of[key]) for key, host in site.hosts.items()}


def test_advice_that_lists_a_few_words_says_how_many_there_are_more(folder: Path) -> None:
    groups = "".join(f"[g{n}]\nx{n}\n" for n in range(10))
    for group, near in (("zzzz", "allowed here: all, db, g0 and 11 more"), ("wbe", "did you mean 'web'? allowed here: web and 13 more")):
        (told,) = refused(SITE.replace("groups: db", f"groups: {group}"), HOSTS + groups)
        assert told.endswith(f"no inventory has a group '{group}'")
        with pytest.raises(PolicyError) as caught:
            load("site.yaml")
        assert caught.value.advice == near


def test_a_policy_is_no_site_and_is_told_where_it_goes(folder: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        load("roles/web.yaml")
    assert str(caught.value) == "roles/web.yaml:1:1: this is a policy, and no site file"
    assert caught.value.advice == "give it with -p; a site file begins with the line 'site: 1'"


# Roles


def test_a_host_has_every_role_that_fits_it_by_group_or_by_name(site: Site) -> None:
    assert roles(site) == {
        "mail-01": "",
        "web-07": "web",
        "web-08.bank.example": "web",
        "shop-1": "web db",
        "db-01.bank.example": "db",
        "db-01.other.example": "db",
        "10.0.0.5": "db",
    }
    assert (site.name, site.files) == ("Example Bank", ["site.yaml", "hosts.ini"])


def test_the_fingerprint_of_a_site_is_that_of_its_file_and_of_its_inventory(folder: Path) -> None:
    before = load("site.yaml").sha256
    (folder / "hosts.ini").write_text(HOSTS + "x\n")
    assert load("site.yaml").sha256 != before


def test_several_inventories_are_one_and_a_csv_may_name_the_role(folder: Path) -> None:
    (folder / "more.csv").write_text("Name,Class,Machine,Role\nWEB-07,edge,00AB,\nnew-1,,,db\nmail-01,,,\n")
    (folder / "more.yaml").write_text("edge: {hosts: {web-07: {machine_id: 00-ab}}}\n")
    text = (
        SITE.replace("hosts.ini", "[hosts.ini, more.csv, more.yaml]")
        + "columns: {host: name, groups: class, machine_id: Machine, role: Role}\n"
    )
    (folder / "site.yaml").write_text(text)
    site = load("site.yaml")
    assert roles(site)["new-1"] == "db"
    assert sorted(site.hosts["web-07"].groups) == ["all", "edge", "web"]
    assert len(site.hosts) == 8


def test_one_policy_that_several_roles_share_is_read_once_and_a_shipped_one_goes_by_its_name(folder: Path) -> None:
    (folder / "site.yaml").write_text(SITE.replace("roles/db.yaml", "roles/web.yaml") + "  rest: {policy: baseline, hosts: [mail-*]}\n")
    policies = load("site.yaml").policies(plugins.rule_parameters())
    assert {name: policy.name for name, policy in policies.items()} == {"web": "web", "db": "web", "rest": "baseline"}
    assert policies["web"] is policies["db"]


def test_a_site_elsewhere_finds_its_inventory_and_policies_beside_itself(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        site = load(str(folder / "site.yaml"))
        assert len(site.hosts) == 7
        assert site.policies(plugins.rule_parameters())["web"].files[-1].endswith("roles/web.yaml")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("site: 1", "site: 2"), "site.yaml:1:7: expected 1, found '2'"),
        (("name: Example Bank", "nmae: x"), "site.yaml:2:1: unknown key 'nmae'"),
        (("inventory: hosts.ini\n", ""), "site.yaml:1:1: 'inventory' is missing"),
        (("inventory: hosts.ini", "inventory: []"), "site.yaml:3:12: an empty list of inventories"),
        (("hosts.ini", "gone.ini"), "site.yaml:3:12: gone.ini: cannot be read"),
        (("groups: db", "group: db"), "site.yaml:6:31: unknown key 'group'"),
        (("groups: db", "groups: dv"), "site.yaml:6:39: no inventory has a group 'dv'"),
        (("{policy: roles/db.yaml, groups: db}", "{groups: db}"), "site.yaml:6:7: 'policy' is missing"),
        (("{policy: roles/db.yaml, groups: db}", "{policy: baseline}"), "site.yaml:6:3: the role 'db' fits no host"),
        (("roles/db.yaml", "roles/gone.yaml"), "role 'db', site.yaml:6: roles/gone.yaml: cannot be read"),
        (("roles/db.yaml", "nothing"), "role 'db', site.yaml:6: no policy 'nothing' ships with this program"),
        (("name: Example Bank", "columns: {host: x}"), "site.yaml:2:1: no inventory is a CSV"),
        (("name: Example Bank", "columns: {hsot: x}"), "site.yaml:2:11: unknown key 'hsot'"),
    ],
)
def test_what_a_site_cannot_mean_is_refused_by_line(folder: Path, change: tuple[str, str], says: str) -> None:
    (told,) = refused(SITE.replace(*change))
    assert told.startswith(says)


def test_all_that_is_wrong_is_told_at_once(folder: Path) -> None:
    (folder / "roles" / "web.yaml").write_text("policy: 1\nextnds: baseline\n")
    (folder / "roles" / "db.yaml").write_text("policy: 1\nrules: {listener-not-aproved: off}\n")
    told = refused(SITE)
    assert [line.partition(";")[0] for line in told] == [
        "role 'web', site.yaml:5: roles/web.yaml:2:1: unknown key 'extnds'",
        "role 'db', site.yaml:6: roles/db.yaml:2:9: unknown rule 'listener-not-aproved'",
    ]


@pytest.mark.parametrize(
    ("second", "says"),
    [
        (
            "host,machine_id\ndb-01.bank.example,99\n",
            "two.csv:2:1: another machine_id for 'db-01.bank.example', first listed at hosts.ini:7",
        ),
        ("host,role\nweb-07,wbe\n", "two.csv:2:1: 'web-07' has the role 'wbe', which the site does not have"),
        ("host\n", "site.yaml:6:3: the role 'db' fits no host"),
    ],
)
def test_inventories_that_contradict_each_other_or_the_site_are_refused(folder: Path, second: str, says: str) -> None:
    text = SITE.replace("hosts.ini", "[hosts.ini, two.csv]")
    text = text.replace(", groups: db", "") if "fits" in says else text
    told = refused(text, second, "two.csv")
    assert says in "\n".join(told)


def test_a_site_is_known_by_its_key_and_a_policy_is_none(folder: Path) -> None:
    assert is_site("site.yaml")
    assert not is_site("roles/web.yaml")
    assert not is_site("gone.yaml")
    assert not is_site("baseline")


# Whose evidence lies at a path


@pytest.mark.parametrize(
    ("path", "host"),
    [
        ("web-07.evidence", "web-07"),
        ("fetched/WEB-07.evidence.gz", "web-07"),
        ("fetched/web-07.json", "web-07"),
        ("fetched/web-07-2026-11-20T230000Z.evidence", "web-07"),
        ("fetched/web-07-20261120T230000Z-2.evidence", "web-07"),
        ("fetched/web-07-unknown-0123456789ab.evidence", "web-07"),
        ("fetched/web-07/h.evidence", "web-07"),
        ("fetched/web-07/var/lib/port-auditor/h.evidence", "web-07"),
        ("./fetched/x/../web-07/h.evidence", "web-07"),
        ("../web-07/h.evidence", "web-07"),
        ("web-08.evidence", "web-08.bank.example"),
        ("web-08.bank.example.evidence", "web-08.bank.example"),
        ("web-07.bank.example.evidence", "web-07"),
        ("db-01.other.example/h.evidence", "db-01.other.example"),
        ("db-01.other.example/db-01.evidence", "db-01.other.example"),
        ("10.0.0.5.evidence", "10.0.0.5"),
        ("shop-1.evidence", "shop-1"),
    ],
)
def test_the_path_says_of_which_host_the_evidence_is(site: Site, path: str, host: str) -> None:
    one = site.assign(path, path)
    assert (one.host, one.rivals) == (host, ())
    assert one.identified == f"from the path {path}"
    assert one.origin.startswith("hosts.ini:")
    assert one.roles == site.roles_of[host]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("x.evidence", "the path x.evidence names no host of the inventory"),
        ("web-08.evil.example.evidence", "names no host"),
        ("web-0.evidence", "names no host"),
        ("10.evidence", "names no host"),
        ("10.0.0.6.evidence", "names no host"),
        ("db-01.evidence", "may mean 2 hosts of the inventory"),
        ("", "names no host"),
        (".evidence", "names no host"),
    ],
)
def test_a_path_that_does_not_tell_leaves_the_host_unknown(site: Site, path: str, why: str) -> None:
    one = site.assign(path, path)
    assert one.host is None
    assert one.roles == ()
    assert why in one.identified


def test_one_of_several_in_a_file_has_no_path_and_so_no_identity(site: Site) -> None:
    one = site.assign(None, "web-07.jsonl:3")
    assert (one.host, one.place) == (None, "web-07.jsonl:3")
    assert "no path of its own" in one.identified


def test_a_path_that_names_two_hosts_goes_by_the_innermost_and_tells_of_the_other(site: Site) -> None:
    """Who fetches a file by the name that the host gave it lets the host choose."""
    one = site.assign("fetched/web-07/mail-01.evidence", "x")
    assert (one.host, one.rivals) == ("mail-01", ("web-07",))
    other = site.assign("fetched/web-07/db-01.evidence", "x")
    assert (other.host, other.rivals) == ("web-07", ("db-01.bank.example", "db-01.other.example"))


def test_this_host_is_known_by_its_kernels_word(site: Site) -> None:
    assert site.assign_itself("web-07.bank.example", "this host").host == "web-07"
    one = site.assign_itself("devbox", "this host")
    assert (one.host, one.identified) == (None, "its own name devbox names no host of the inventory")


def test_a_host_of_which_nothing_tells_is_not_called_by_the_name_that_it_claims(site: Site) -> None:
    assert site.assign("x.evidence", "fetched/x.evidence").called("web-07") == "unidentified web-07 (fetched/x.evidence)"
    assert site.assign(None, "stdin:1").called(None) == "unidentified host (stdin:1)"
    assert site.assign("web-07.evidence", "x").called("devbox") == "web-07"


def test_the_hosts_that_are_expected_may_be_chosen(site: Site) -> None:
    assert len(site.expected(None)) == 7
    assert site.expected((Glob("WEB-*"), Glob("mail-01"))) == ["mail-01", "web-07", "web-08.bank.example"]


# Names


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("web-07", "WEB-07", True),
        ("web-07", "web-07.bank.example", True),
        ("web-07.bank.example.", "web-07.bank.example", True),
        ("web-07.bank.example", "web-07.evil.example", False),
        ("web-07", "web-08", False),
        ("web-07", "web-07x", False),
        ("10.0.0.5", "10", False),
        ("10", "10.0.0.5", False),
        ("", "web-07", False),
        ("localhost", "web-07", False),
    ],
)
def test_two_names_are_one_hosts_where_one_is_the_others_first_label(one: str, other: str, same: bool) -> None:
    assert same_host(one, other) is same
    assert same_host(other, one) is same


def test_a_machine_id_is_the_same_as_a_uuid() -> None:
    assert same_machine("0123456789abcdef0123456789abcdef", "{01234567-89AB-CDEF-0123-456789ABCDEF}")
    assert not same_machine("0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdee")


@given(st.text("abc.-/0123456789TZ:", max_size=40))
def test_any_path_may_be_asked_for_names(path: str) -> None:
    for names in names_in_path(path):
        assert names
        assert not any("/" in name for name in names)
        assert all(first_label(name) in name for name in names)


# What one audit's evidence says of another's


def seen(host: str | None, machine_id: str | None, place: str) -> tuple[Assignment, str | None]:
    return Assignment(host=host, identified="a test", place=place), machine_id


def test_a_machine_id_on_two_hosts_is_told_to_both_and_one_host_with_two_as_well() -> None:
    found = [seen("a", "01", "a.evidence"), seen("b", "0-1", "b.evidence")]
    found += [seen("c", "02", "c1"), seen("c", "03", "c2"), seen("c", "02", "c3"), seen(None, "02", "x")]
    found += [seen("d", "04", "d1"), seen("d", "04", "d2"), seen("e", None, "e"), seen("f", "", "f"), seen("g", "", "g")]
    note_doubles(found)
    told = {one.place: (one.clones, one.strangers) for one, _ in found if one.clones or one.strangers}
    assert told == {
        "a.evidence": (("b (b.evidence)",), ()),
        "b.evidence": (("a (a.evidence)",), ()),
        "c1": ((), ("c (c2)",)),
        "c2": ((), ("c (c1)", "c (c3)")),
        "c3": ((), ("c (c2)",)),
    }


def test_a_thousand_clones_are_not_each_told_of_all_others() -> None:
    found = [seen(f"h{n}", "01", f"p{n}") for n in range(1000)]
    note_doubles(found)
    assert {len(one.clones) for one, _ in found} == {3}
    assert found[0][0].clones == ("h1 (p1)", "h2 (p2)", "h3 (p3) and 996 more")
    machines = [seen("web", f"{n:02}", f"m{n}") for n in range(1, 7)] + [seen("web", "01", "again")]
    note_doubles(machines)
    assert machines[0][0].strangers == ("web (m2)", "web (m3)", "web (m4) and 2 more")
    assert machines[-2][0].strangers == ("web (m1)", "web (again)", "web (m2) and 3 more")
