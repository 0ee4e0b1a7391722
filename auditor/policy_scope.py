"""What a policy's verdict speaks about, and which hosts the policy is for."""

from __future__ import annotations

from typing import Any

from auditor.errors import PolicyError
from auditor.model import FACTS, Socket, Stack
from auditor.policy_keys import Glob, Reader, glob, one_of, one_or_more, text, wrong
from auditor.yaml_nodes import Node, Scalar

JUDGE, INVENTORY = "judge", "inventory"


class Scope:
    """`must_see`: the kinds of facts without which a verdict is incomplete. `loopback` and `containers`: the rules that judge loopback
    listeners and the stacks that are not the host's own; what the others find there is inventory. None is everything, of each."""

    __slots__ = ("containers", "loopback", "must_see")

    def __init__(
        self, must_see: frozenset[str] | None = None, loopback: frozenset[str] | None = None, containers: frozenset[str] | None = None
    ) -> None:  # fmt: skip
        self.must_see = must_see
        self.loopback = loopback
        self.containers = containers

    def judges(self, rule: str, stack: Stack, thing: object) -> bool:
        """Whether what a rule finds of a thing in a stack is part of the verdict. A socket that may reach further than loopback is."""
        if self.containers is not None and stack.shown.get("kind") != "host" and rule not in self.containers:
            return False
        on_loopback = isinstance(thing, Socket) and thing.shown.get("reach") == "loopback"
        return self.loopback is None or not on_loopback or rule in self.loopback

    def must_know(self, fact: str | None) -> bool:
        """Whether a verdict is incomplete without such facts; None is some other fact, of which nothing was said. Where listeners must be
        seen, so must the stacks that have them, unless containers are inventory."""
        if self.must_see is None or fact is None or fact in self.must_see:
            return True
        return fact == "stacks" and "listeners" in self.must_see and self.containers != frozenset()


class AppliesTo:
    """The hosts that a policy is for: `systems` in lower letters, `groups` of the inventory, `hosts` by name. None is any, of each."""

    __slots__ = ("groups", "hosts", "systems")

    def __init__(
        self, systems: tuple[str, ...] | None = None, groups: tuple[str, ...] | None = None, hosts: tuple[Glob, ...] | None = None
    ) -> None:  # fmt: skip
        self.systems = systems
        self.groups = groups
        self.hosts = hosts

    @property
    def says_nothing(self) -> bool:
        """Whether the policy is for every host."""
        return self.systems is None and self.groups is None and self.hosts is None


def scope_keys(rule: Reader[str]) -> dict[str, Reader[Any]]:
    """The keys of `scope`, where `rule` reads the name of a rule."""
    judged = _judged(rule)
    return {"must_see": _must_see, "loopback": judged, "containers": judged}


def _must_see(node: Node) -> frozenset[str]:
    return frozenset(one_or_more(one_of(*FACTS), "kinds of facts")(node))


def _judged(rule: Reader[str]) -> Reader[frozenset[str] | None]:
    """`judge`, `inventory`, or the rules that judge."""

    def read(node: Node) -> frozenset[str] | None:
        if isinstance(node, Scalar) and node.text in (JUDGE, INVENTORY):
            return None if node.text == JUDGE else frozenset()
        if not isinstance(node, Scalar):
            return frozenset(one_or_more(rule, "rules")(node))
        try:
            return frozenset({rule(node)})
        except PolicyError as error:
            raise wrong(node, f"{JUDGE}, {INVENTORY} or names of rules", error.advice) from None

    return read


def _systems(node: Node) -> tuple[str, ...]:
    return tuple(word.lower() for word in one_or_more(text, "systems")(node))


APPLIES_TO_KEYS: dict[str, Reader[Any]] = {"systems": _systems, "groups": one_or_more(text, "groups"), "hosts": one_or_more(glob, "hosts")}
