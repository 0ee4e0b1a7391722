"""What a policy has every report say of itself: whose it is, and how it is classified."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import plugins
from auditor.cli import main
from auditor.errors import PolicyError
from auditor.policy import load
from tests.bundles import SSHD, host, policy, port


def audited(folder: Path, text: str, form: str) -> str:
    (folder / "site.yaml").write_text(text)
    (folder / "web1.evidence").write_bytes(host(port("tcp/0.0.0.0:22", SSHD)).bundle())
    out = folder / f"out.{form}"
    main(["audit", "-p", str(folder / "site.yaml"), str(folder / "web1.evidence"), "-f", f"{form}={out}"])
    return out.read_text()


def test_a_policy_that_says_nothing_has_no_banner() -> None:
    shown = policy().shown
    assert (shown.organisation, shown.banner) == (None, None)


def test_the_extending_file_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text("policy: 1\nreport: {organisation: Example Bank, banner: INTERNAL}\n")
    (tmp_path / "web.yaml").write_text("policy: 1\nextends: all\nreport: {banner: SECRET}\n")
    shown = load(str(tmp_path / "web.yaml"), plugins.rule_parameters()).shown
    assert (shown.organisation, shown.banner) == ("Example Bank", "SECRET")


@pytest.mark.parametrize(
    ("text", "why"),
    [("{}", "says nothing; write at least one of organisation, banner"), ("{logo: x}", "unknown key 'logo'"),
     ("{banner: [a]}", "expected a text, found a list"), ("{banner: ''}", "expected a text, found ''")],
)  # fmt: skip
def test_what_says_nothing_or_is_not_text_is_refused(text: str, why: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy(f"report: {text}\n")
    assert why in f"{refused.value}; {refused.value.advice}"


@pytest.mark.parametrize("form", ["html", "text", "markdown"])
def test_people_read_both_in_every_format_for_them(tmp_path: Path, form: str) -> None:
    said = audited(tmp_path, "policy: 1\nreport: {organisation: Example Bank, banner: INTERNAL USE}\n", form)
    assert "Example Bank" in said
    assert "INTERNAL USE" in said


def test_the_json_has_both(tmp_path: Path) -> None:
    said = audited(tmp_path, "policy: 1\nreport: {organisation: Example Bank, banner: INTERNAL USE}\n", "json")
    assert '"organisation": "Example Bank"' in said
    assert '"banner": "INTERNAL USE"' in said


def test_hosts_of_a_site_with_several_banners_bear_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("[web]\nweb1\n[db]\ndb1\n")
    for role in ("web", "db"):
        (tmp_path / f"{role}.yaml").write_text(f"policy: 1\nreport: {{organisation: Bank, banner: {role} only}}\n")
        (tmp_path / f"{role}1.evidence").write_bytes(host(name=f"{role}1").bundle())
    roles = "roles: {web: {policy: web.yaml, groups: [web]}, db: {policy: db.yaml, groups: [db]}}\n"
    (tmp_path / "site.yaml").write_text(f"site: 1\ninventory: hosts.ini\n{roles}")
    out = tmp_path / "out.json"
    main(["audit", "--site", str(tmp_path / "site.yaml"), *map(str, tmp_path.glob("*.evidence")), "-f", f"json={out}"])
    assert '"banner": "web only / db only"' in out.read_text()
    assert '"organisation": "Bank"' in out.read_text()
