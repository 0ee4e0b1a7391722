"""The schema that editors use knows every key that the program reads, takes what it takes, and refuses what is misspelt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from auditor import controls
from auditor.places import shipped
from auditor.plugins import rule_parameters
from auditor.policy_schema import schema
from tests.bundles import STRICT

SCHEMA = schema(rule_parameters(), [framework.key for framework in controls.load()])
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def wrong(text: str) -> list[str]:
    """What the schema has against a policy, as an editor would read it."""
    return [error.message for error in VALIDATOR.iter_errors(plain(yaml.safe_load("policy: 1\n" + text)))]


def plain(value: Any) -> Any:
    """As JSON has it: an editor's reader has no dates."""
    if isinstance(value, dict):
        return {("on" if key is True else str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, str)) or value is None else str(value)


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", sorted(Path(shipped("policies")).glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_policy_fits_it(path: Path) -> None:
    assert not list(VALIDATOR.iter_errors(plain(yaml.safe_load(path.read_text()))))


@pytest.mark.parametrize(
    "text",
    [
        STRICT,
        "extends: baseline\nrules: {cleartext-listener: off, listener-not-approved: high, ephemeral-range-small: {at_least: 9}}\n",
        "applies_to: {systems: Linux, groups: [web], hosts: 'web-*'}\nmust_have: [purpose, owner]\n",
        "scope: {must_see: [listeners, owners], loopback: inventory, containers: [listener-not-approved]}\n",
        "privileged: {expect: {Linux: 0-1023, Windows: none}, granted_to: [{executable: /usr/sbin/nginx, user: {not: root}}]}\n",
        "ephemeral: {expect: {Linux: [32768-60999], FreeBSD: vendor-default}, reserved_must_include: 30000-32767}\n",
        "listening: {approved: [{name: cart, port: [80, 8000-8099, kernel-given], container: {image: 'r/cart@*', name: 'cart-*'}}]}\n",
        "listening: {approved_from: [a.csv, {file: b.csv, delimiter: tab, columns: {port: Port, purpose: Why}}]}\n",
        "listening: {forbidden: [{port: 514, except: {executable: /usr/sbin/rsyslogd}, why: rsh}], required: [ssh]}\n",
        "gaps: [{fact: [owners, privileged], stack: 'container:*', reason: r, owner: o, expires: 2027-01-31}]\n",
    ],
)
def test_what_the_program_takes_it_takes(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "scop: {}\n",
        "rules: {listener-not-aproved: high}\n",
        "rules: {ephemeral-range-small: {atleast: 9}}\n",
        "listening: {approved: [{port: 80}]}\n",
        "listening: {approved: [{name: x, port: -1}]}\n",
        "listening: {approved: [{name: x, port: 80, proces: nginx}]}\n",
        "waivers: [{rule: listener-not-approved, reason: r, owner: o}]\n",
        "waivers: [{rule: listener-not-approved, reason: r, owner: o, expires: soon}]\n",
        "gaps: [{fact: firewall, reason: r, owner: o, expires: 2027-01-31}]\n",
        "scope: {must_see: sockets}\n",
        "privileged: {expect: 1023}\n",
        "privileged: {expect: {Linux: '1023'}}\n",
        "waivers: [{rule: waiver-unused, reason: r, owner: o, expires: 2027-01-31}]\n",
    ],
)
def test_what_is_misspelt_it_refuses(text: str) -> None:
    assert wrong(text)
