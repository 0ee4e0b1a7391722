"""macOS: root, everybody on the wildcard address since 10.14, and the restricted port."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.binding import Grant
from auditor.facts import Facts
from tests.bundles import interpreted
from tests.collectors.told import bundled, own, steps, ways, whys
from tests.saved_hosts import DARWIN

WILDCARD = "wildcard 0.0.0.0 and ::"


def grants(release: str = "24.1.0", **texts: str) -> Facts[Grant]:
    return own(interpreted(replace(DARWIN, release=release, texts=DARWIN.texts | texts).bundle())).grants


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("17.7.0", {"root root": "root: 1-1023"}),
        ("18.0.0", {"root root": "root: 1-1023", WILDCARD: "everyone, on the wildcard address: 1-1023"}),
    ],
)
def test_since_10_14_everybody_may_on_the_wildcard_address(release: str, expected: dict[str, str]) -> None:
    known = grants(release)
    assert (ways(known), known.gaps) == (expected, ())
    assert known.basis == "documented", "the release decides, no setting"


def test_the_exemption_says_what_it_does_not_give() -> None:
    (wildcard,) = (one for one in grants().seen if one.path == "wildcard")
    assert (wildcard.everyone, wildcard.root) == (True, False)
    assert wildcard.via[-1] == "so any user may take these ports on the wildcard address, and only root on one address"


def test_the_restricted_port_is_apples_own_and_not_roots() -> None:
    known = grants()
    assert ways(known)["privilege an entitlement of Apple's own"] == "programs that Apple signed for it: 55555 (tcp)"
    assert "being root does not help" in steps(known, "privilege an entitlement of Apple's own")
    off = grants(**{"sysctl net.restricted_port.enforced": "net.restricted_port.enforced: 0\n"})
    assert set(ways(off)) == {"root root", WILDCARD}


def test_without_the_release_nobody_can_say() -> None:
    known = own(bundled("Darwin", *DARWIN.answers())).grants
    assert known.seen == ()
    assert "the release decides which ports are privileged" in whys(known)


def test_where_not_all_privileged_ports_are_known_which_ones_are_given_is_not_said() -> None:
    known = grants(**{"sysctl net.restricted_port.enforced": "net.restricted_port.enforced: yes\n"})
    assert ways(known) == {"root root": "root: ?", WILDCARD: "everyone, on the wildcard address: ?"}
    assert "net.restricted_port.enforced is no number" in whys(known)
