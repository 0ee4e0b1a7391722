"""Hosts of which commands' output was saved, for their collectors' tests: a real bundle in, a snapshot out, its parts in words."""

from __future__ import annotations

from typing import Any

from auditor.binding import Grant
from auditor.evidence import Answer, made_of
from auditor.facts import Facts
from auditor.model import Finding, Range, Snapshot, Stack
from tests import bundles
from tests.bundles import interpreted

Told = tuple[str, str]


def host(system: str, *told: Told, release: str | None = None, stack: str | None = None, **head: str) -> Snapshot:
    """What is known of a host from commands and their output."""
    return bundled(
        system, *(Answer("saved", command, text.encode(), "unknown", stack=stack) for command, text in told), release=release, **head
    )


def bundled(system: str, *answers: Answer, release: str | None = None, **head: str) -> Snapshot:
    """The same, of answers as `collect` writes them."""
    given = {"system": system, "host": "old1", "taken": "2026-11-20T23:00:00Z", **head}
    return interpreted(b"".join(made_of(given if release is None else {**given, "release": release}, answers)))


def own(snapshot: Snapshot) -> Stack:
    """The host's own stack; the first of several."""
    return next(stack for stack in snapshot.stacks.seen if stack.kind == "host")


def spans(known: Facts[Range]) -> list[str]:
    """As "tcp 49152-65535" or "tcp/ipv4 1-3": the ranges in order, without the words for all."""
    words = []
    for one in known.seen:
        scope = "/".join(word for word in (one.protocol, one.family) if word != "any")
        words.append(f"{scope} {one}".strip())
    return sorted(words)


def open_questions(known: Facts[Any]) -> list[str]:
    """The scope of each gap, as "udp 1024", "" for one about everything."""
    return sorted(" ".join(str(word) for word in (gap.protocol, gap.family, gap.ports) if word) for gap in known.gaps)


def whys(known: Facts[Any]) -> str:
    return "; ".join(gap.why for gap in known.gaps)


def judged(snapshot: Snapshot, by: str, *names: str) -> list[Finding]:
    """What some rules say where the rule that tells of unseen stacks is asked too, so that they need not."""
    return [finding for finding in bundles.judged(snapshot, by, *names, "evidence-incomplete") if finding.rule in names]


def ways(known: Facts[Grant]) -> dict[str, str]:
    """Each grant by its name: who has it, and which ports, "?" where they are not shown."""
    return {str(one): f"{one.scope}: {_ports(one)}" for one in known.seen}


def _ports(one: Grant) -> str:
    if "ports" not in one.shown:
        return "?"
    words = ", ".join(map(str, one.ports)) or "none"
    return words if one.protocol == "any" else f"{words} ({one.protocol})"


def steps(known: Facts[Grant], name: str) -> str:
    """The reasoning of one grant."""
    return "; ".join(next(one.via for one in known.seen if str(one) == name))
