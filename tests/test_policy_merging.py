"""What `extends` makes of several files, whatever they say: lists are joined in order, of single values the last word counts."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.cli.policy import lines
from auditor.model import FACTS, SEVERITIES
from auditor.plugins import rule_parameters
from auditor.policy import Policy, load

RULES = rule_parameters()
NAMES = sorted(name for name, parameters in RULES.items() if not parameters)[:4]
RANGES = st.builds(lambda first, more: f"{first}-{min(first + more, 65535)}", st.integers(0, 65535), st.integers(0, 999))
COUNTER = itertools.count()
"""Names of entries, which may not stand twice in a policy."""


def entries(port: int) -> dict[str, Any]:
    return {"name": f"e{next(COUNTER)}", "port": str(port)}


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


FILES = optional(
    applies_to=optional(groups=st.lists(st.sampled_from(["web", "db", "lab"]), min_size=1, max_size=2)),
    must_have=st.lists(st.sampled_from(["purpose", "owner", "ticket"]), min_size=1, unique=True),
    scope=optional(
        must_see=st.lists(st.sampled_from(FACTS), min_size=1, unique=True),
        loopback=st.sampled_from(["judge", "inventory"]),
        containers=st.one_of(st.sampled_from(["judge", "inventory"]), st.lists(st.sampled_from(NAMES), min_size=1, unique=True)),
    ),
    privileged=st.fixed_dictionaries({"expect": st.one_of(RANGES, st.just("vendor-default"))}),
    ephemeral=st.fixed_dictionaries({"reserved_must_include": st.lists(RANGES, min_size=1, max_size=2)}),
    listening=optional(
        approved=st.lists(st.integers(0, 65535).map(entries), max_size=3),
        forbidden=st.lists(st.integers(0, 65535).map(lambda port: {"port": str(port)}), max_size=2),
    ),
    rules=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["on", "off", *SEVERITIES]), max_size=3),
    gaps=st.lists(
        st.builds(lambda fact: {"fact": fact, "reason": "r", "owner": "o", "expires": "2027-01-31"}, st.sampled_from(FACTS)), max_size=2
    ),
)


def merged(files: list[dict[str, Any]]) -> Policy:
    """The policy of a chain of files, each of which extends the one before it."""
    with tempfile.TemporaryDirectory() as folder:
        for at, file in enumerate(files):
            above = {"extends": [f"f{at - 1}"]} if at else {}
            Path(folder, f"f{at}.yaml").write_text(yaml.safe_dump({"policy": 1, **above, **file}, sort_keys=False))
        return load(str(Path(folder, f"f{len(files) - 1}.yaml")), RULES)


def said(policy: Policy) -> list[str]:
    """A policy's own words without where they stand."""
    return [line.partition("  # ")[0] for line in lines(policy)][1:]


def last(files: list[dict[str, Any]], section: str, key: str) -> Any:
    return next((file[section][key] for file in reversed(files) if key in file.get(section, {})), None)


@settings(max_examples=60, deadline=None)
@given(st.lists(FILES, min_size=1, max_size=3))
def test_lists_are_joined_in_order_and_of_values_the_last_word_counts(files: list[dict[str, Any]]) -> None:
    policy = merged(files)
    assert [entry.name for entry in policy.approved] == [
        entry["name"] for file in files for entry in file.get("listening", {}).get("approved", [])
    ]
    assert len(policy.forbidden) == sum(len(file.get("listening", {}).get("forbidden", [])) for file in files)
    assert policy.approved_given is any("approved" in file.get("listening", {}) for file in files)
    assert len(policy.gaps) == sum(len(file.get("gaps", [])) for file in files)
    reserved = [word for file in files for word in file.get("ephemeral", {}).get("reserved_must_include", [])]
    ends = [word.split("-") for word in reserved]
    assert [(ports.first, ports.last) for ports in policy.reserved_must_include] == [(int(first), int(end)) for first, end in ends]
    assert list(policy.must_have) == list(dict.fromkeys(word for file in files for word in file.get("must_have", [])))
    seen = last(files, "scope", "must_see")
    assert policy.scope.must_see == (None if seen is None else frozenset(seen))
    assert (policy.scope.loopback is None) is (last(files, "scope", "loopback") in (None, "judge"))
    groups = last(files, "applies_to", "groups")
    assert policy.applies_to.groups == (None if groups is None else tuple(groups))
    for name in NAMES:
        word = last([{"rules": file.get("rules", {})} for file in files], "rules", name)
        assert (name in policy.rules and policy.rules[name].off) is (word == "off")


@settings(max_examples=60, deadline=None)
@given(st.lists(FILES, min_size=1, max_size=3))
def test_what_show_prints_of_any_policy_is_a_policy_that_says_the_same(files: list[dict[str, Any]]) -> None:
    policy = merged(files)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "shown.yaml").write_text("\n".join(lines(policy)) + "\n")
        assert said(load(str(Path(folder, "shown.yaml")), RULES)) == said(policy)


@settings(max_examples=30, deadline=None)
@given(FILES, FILES)
def test_a_file_that_two_packs_extend_counts_once(one: dict[str, Any], two: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, file in (
            ("root", one), ("left", {**two, "extends": ["root"]}), ("right", {"extends": ["root"]}), ("top", {"extends": ["left", "right"]})
        ):  # fmt: skip
            Path(folder, f"{name}.yaml").write_text(yaml.safe_dump({"policy": 1, **file}, sort_keys=False))
        top, left = (load(str(Path(folder, f"{name}.yaml")), RULES) for name in ("top", "left"))
    assert said(top) == said(left)
