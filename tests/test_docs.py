"""README.md and the rules' documents say what the program does."""

from __future__ import annotations

import ast
import datetime
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from auditor import errors, plugins
from auditor.cli import COMMANDS
from auditor.model import FACTS
from auditor.policy import load, top_keys
from auditor.policy_entries import APPROVED_KEYS, FORBIDDEN_KEYS
from auditor.policy_lints import problems
from auditor.yaml_nodes import parse
from tests.systems_table import table

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RULES = sorted(path for path in (ROOT / "auditor" / "rules").glob("*.py") if not path.name.startswith("_"))


def section(heading: str) -> str:
    """The text under a heading of the README, up to the next of its level."""
    return re.split(r"^## ", README.partition(f"\n## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def help_text() -> str:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "auditor", "--help"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=True).stdout


def exit_codes(table: str) -> set[int]:
    return {int(code) for code in re.findall(r"^\|? *(\d+) ", table, flags=re.MULTILINE)}


def test_the_readmes_help_is_the_programs() -> None:
    assert section("`port-auditor --help`").strip() == f"```text\n{help_text().rstrip()}\n```"


def test_the_readmes_table_of_systems_is_the_collectors() -> None:
    assert table() in section("Systems")


def test_every_probe_is_in_the_table_of_systems() -> None:
    for collector in plugins.collectors().values():
        assert {probe.name for probe in collector.probes} == {name for reads in collector.reads for name in reads.probes}, collector.name


def test_the_output_in_the_readme_is_what_the_program_prints_of_the_bundle_in_the_repository() -> None:
    shown = re.search(r"^```text\n\$ port-auditor ([^\n]*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert shown
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "auditor", *shown[1].split()]
    printed = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT / "tests" / "evidence", env=environment, timeout=60, check=False
    )
    assert printed.stdout.startswith("FAIL: ")
    assert printed.stdout == shown[2]


def test_the_readmes_exit_codes_are_the_programs() -> None:
    written = exit_codes(section("Exit codes"))
    assert written == exit_codes(help_text())
    assert written >= {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}


def test_the_readme_says_of_every_command_what_it_does() -> None:
    rows = re.findall(r"^\| `port-auditor ([a-z-]+)` \| \S", section("Two commands"), flags=re.MULTILINE)
    assert rows == list(COMMANDS)


def test_the_readmes_two_commands_are_targets_of_the_makefile() -> None:
    commands = re.findall(r"^    make (\w+)", section("Two commands"), flags=re.MULTILINE)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert commands == ["audit", "test"]
    assert set(commands) <= set(targets)


def test_every_policy_in_the_readme_loads(tmp_path: Path) -> None:
    policies = re.findall(r"^```yaml\n(policy: 1\n.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert policies
    for text in policies:
        path = tmp_path / "readme.yaml"
        path.write_text(text, encoding="utf-8")
        assert load(str(path), plugins.rule_parameters())


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rules_document_says_why_it_matters_and_what_to_do(path: Path) -> None:
    doc = (ast.get_docstring(ast.parse(path.read_bytes())) or "").split("\n")
    for heading in ("Why it matters", "Remedy"):
        assert heading in doc, f"{path.stem}'s docstring has no heading {heading!r}"
        below = doc[doc.index(heading) + 1 :]
        assert below[0] == "-" * len(heading)
        assert any(line.strip() for line in below[1:2]), f"{path.stem} says nothing under {heading!r}"


def test_no_page_has_a_link_that_leads_nowhere() -> None:
    links = [link for page in ROOT.glob("*.md") for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))]
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.parametrize("system", ["linux", "macos", "freebsd", "openbsd", "netbsd"])
def test_public_ci_runs_the_suite_and_audits_the_machine_itself_and_keeps_the_evidence(system: str) -> None:
    job = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"][system]
    ran = "\n".join(step.get("run") or step.get("with", {}).get("run", "") for step in job["steps"])
    assert re.search(r"make .*test|make test|\.ci/run", ran)
    assert "sh .ci/audit-here" in ran
    assert any("upload-artifact" in step.get("uses", "") and step["with"]["path"] == "*.evidence" for step in job["steps"])
    assert (ROOT / ".ci" / "audit-here").exists()


LANGUAGE = (ROOT / "policies" / "policy-language.md").read_text(encoding="utf-8")


def test_the_policy_that_explains_the_language_is_one_and_leaves_out_no_key(tmp_path: Path) -> None:
    written = re.search(r"```yaml\n(.*?)```", LANGUAGE, flags=re.DOTALL)
    assert written
    (tmp_path / "web.yaml").write_text(written[1])
    rules = plugins.rule_parameters()
    policy = load(str(tmp_path / "web.yaml"), rules)
    assert [str(problem) for problem in problems(policy, datetime.date(2026, 11, 21))] == []
    said = parse(written[1].encode(), "web.yaml").items.keys()
    assert said == top_keys(rules).keys()
    for word in (*APPROVED_KEYS, *FORBIDDEN_KEYS, *FACTS[:3]):
        assert re.search(rf"\b{word}\b", LANGUAGE), word
