"""Rules that tests make up, and what such a rule may do with what it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from auditor.rule import Breach, Case, Rule

NAME = "cleartext-listener"
"""Made-up rules bear a real one's name, so that a policy may speak of them."""


def rule(check: Callable[[Case, Any], Any], *, each: str = "socket", severity: str = "low", name: str = NAME, **more: Any) -> Rule:
    made = Rule(each=each, severity=severity, check=check, **more)
    made.name = name
    return made


def breach(case: Case, thing: Any) -> Iterator[Breach]:
    yield Breach(f"{thing} is wrong", observed="this", expected="that", source="a test")


def content(case: Case, thing: Any) -> Iterator[Breach]:
    yield from ()
