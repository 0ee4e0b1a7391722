"""The port map's values: what is drawn where, as what, and that the words beside it say the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import port_axis
from auditor.facts import Facts, Gap
from auditor.host_report import VendorDefault
from auditor.listener_outcomes import KINDS, ListenerOutcomes, gravest
from auditor.model import Finding, Range, Socket, Stack
from auditor.port_axis import HIGH, LOW, PANELS, merged, spans, spread
from auditor.port_map import port_maps
from auditor.port_range import PORT_MAX, PortRange
from tests import bundles
from tests.bundles import judged, rich
from tests.reports import IANA, LINUX, finding, listener, ports, report, snapshot, stack

WHOLE = [(LOW.left, LOW.width), (HIGH.left, HIGH.width)]
WAIVER = {"reason": "a migration", "owner": "ann", "expires": "2027-01-31", "origin": "web.yaml:9"}


def maps(*stacks: Stack, found: tuple[Finding, ...] = (), vendor: VendorDefault | None = LINUX, **shown: Any) -> list[dict[str, Any]]:
    made = report(*found, of=snapshot(*stacks), vendor=vendor, **shown)
    return port_maps(made.hosts[0], IANA, ListenerOutcomes(made.hosts[0], made.state))


def drawn(*stacks: Stack, **more: Any) -> dict[str, Any]:
    return maps(*stacks, **more)[0]


def lane(drawing: dict[str, Any], protocol: str = "tcp") -> dict[str, Any]:
    (found,) = [one for one in drawing["lanes"] if one["protocol"] == protocol]
    return dict(found)


def marks(drawing: dict[str, Any], protocol: str = "tcp") -> list[tuple[str, str]]:
    return [(mark["label"], mark["kind"]) for mark in lane(drawing, protocol)["marks"]]


def rows(drawing: dict[str, Any], kind: str) -> list[tuple[str, list[str]]]:
    return [(of, words) for name, of, words in drawing["ranges_in_words"] if name == kind]


def bars(drawing: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {row["of"]: row for group in drawing["groups"] if group["kind"] == kind for row in group["rows"]}


def at(port: int) -> Socket:
    return listener(port)


def named(port: int) -> str:
    return listener(port).numbered_subject


# the axis


def test_every_port_has_a_place_and_a_higher_one_stands_to_the_right_of_a_lower_one() -> None:
    places = [panel.middle(port) for panel in PANELS for port in range(panel.ports.first, panel.ports.last + 1)]
    assert len(places) == PORT_MAX + 1
    assert places == sorted(places)
    assert len(set(places)) == len(places)
    assert 0 < places[0] < places[-1] < port_axis.WIDTH


def test_between_the_two_scales_there_is_a_gap_in_which_nothing_is_drawn() -> None:
    (low, high) = spans([PortRange(0, PORT_MAX)])
    assert low[0] + low[1] == LOW.right < HIGH.left == high[0]


def test_the_low_ports_are_enlarged_as_the_picture_says() -> None:
    low, high = LOW.edge(101) - LOW.edge(100), HIGH.edge(2001) - HIGH.edge(2000)
    assert low / high == pytest.approx(port_axis.ENLARGED, abs=0.5)
    assert port_axis.ENLARGED > 10


def test_one_port_is_wide_enough_to_be_seen_wherever_it_is() -> None:
    for port in (0, 1023, 1024, PORT_MAX):
        ((x, width),) = spans([PortRange(port, port)])
        panel = LOW if port in LOW.ports else HIGH
        assert width > 2
        assert panel.left <= x <= x + width <= panel.right


def test_thousands_of_ranges_are_drawn_as_no_more_than_there_is_room_for() -> None:
    assert len(spans(PortRange(port, port) for port in range(0, PORT_MAX, 2))) < 20


@given(st.lists(st.integers(0, 1023), min_size=1, max_size=LOW.most_marks), st.sampled_from(PANELS))
def test_no_mark_stands_on_another_or_outside_its_panel(some: list[int], panel: port_axis.Panel) -> None:
    wanted = [panel.middle(panel.ports.first + port) for port in sorted(some)]
    placed = spread(panel, wanted)
    assert len(placed) == len(wanted)
    assert all(after - before >= 13.9 for before, after in pairwise(placed))
    assert panel.left <= placed[0] - 6.9
    assert placed[-1] + 6.9 <= panel.right


def test_a_mark_that_has_room_stands_over_its_port() -> None:
    wanted = [LOW.middle(40), LOW.middle(443), LOW.middle(900)]
    assert spread(LOW, wanted) == pytest.approx(wanted, abs=0.1)


def test_ports_are_put_together_only_where_there_are_too_many_and_none_is_lost() -> None:
    assert merged([22, 23, 24], 3) == [[22], [23], [24]]
    groups = merged(list(range(0, 60000, 7)), 25)
    assert 15 <= len(groups) <= 25
    assert [port for group in groups for port in group] == list(range(0, 60000, 7))


# listeners


def test_each_listener_bears_the_gravest_of_what_was_found_on_it() -> None:
    found = [
        finding("a", named(22), severity="low"), finding("b", named(22), severity="critical"), finding("c", named(22), "unknown"),
        finding("a", named(80), "waived", waiver=WAIVER), finding("b", named(80), "unknown"),
        finding("a", named(443), severity="info"), finding("a", named(444), inventory=True), finding("a", named(445), "error"),
        finding("a", named(500), "pass"), finding("a", named(501), "notchecked"), finding("a", named(600), "waived", waiver=WAIVER),
    ]  # fmt: skip
    drawing = drawn(stack(*map(at, (22, 80, 443, 444, 445, 500, 501, 600, 700))), found=tuple(found))
    assert marks(drawing) == [("22", "critical"), ("80", "unknown"), ("443", "inventory"), ("444", "inventory"), ("445", "unknown"),
                              ("500", "none"), ("501", "none"), ("600", "waived"), ("700", "none")]  # fmt: skip


def test_what_is_unknown_stays_unknown_where_the_policy_accepts_it_or_leaves_it_out() -> None:
    found = (finding("a", named(22), "unknown", waiver=WAIVER), finding("a", named(80), "unknown", inventory=True))
    assert marks(drawn(stack(at(22), at(80)), found=found)) == [("22", "unknown"), ("80", "unknown")]


def test_info_is_open_only_where_the_audit_was_asked_to_fail_on_it() -> None:
    found = (finding("a", named(22), severity="info"),)
    assert marks(drawn(stack(at(22)), found=found)) == [("22", "inventory")]
    assert marks(drawn(stack(at(22)), found=found, fail_on="info")) == [("22", "info")]


def test_a_finding_of_another_stack_marks_nothing_here() -> None:
    first, second = maps(stack(at(22)), stack(at(22), name="shop", kind="netns"), found=(finding("a", named(22), stack="shop"),))
    assert (marks(first), marks(second)) == ([("22", "none")], [("22", "medium")])


def test_kinds_are_in_the_order_of_their_gravity() -> None:
    assert KINDS == ("critical", "high", "medium", "low", "info", "unknown", "waived", "inventory", "none")
    assert gravest(KINDS) == "critical"


def test_a_finding_of_many_listeners_marks_all_of_them_and_not_its_examples_alone() -> None:
    """Nobody could be seen to hold any of the twelve: for reading, the finding names five of them."""
    host = bundles.host(*(bundles.port(f"tcp/0.0.0.0:{5000 + 2000 * number}") for number in range(12))).snapshot()
    found = judged(host, "", "executable-deleted")
    assert [(one.outcome, one.count, len(one.examples)) for one in found] == [("unknown", 12, 5)]
    drawing = drawn(*host.stacks.seen, found=tuple(found))
    assert [kind for _, kind in marks(drawing)] == ["unknown"] * 12


def test_a_finding_under_the_name_of_a_file_marks_the_listeners_that_it_is_of() -> None:
    gone = bundles.Process(700, "/usr/sbin/app (deleted)", 0, "/system.slice/app.service")
    host = bundles.host(*(bundles.port(f"tcp/0.0.0.0:{5000 + 2000 * number}", gone) for number in range(7)), bundles.port("tcp/0.0.0.0:22"))
    (found,) = [one for one in judged(host, "", "executable-deleted") if one.outcome == "fail"]
    assert (found.count, found.subject) == (7, "/usr/sbin/app (deleted)")
    assert [kind for _, kind in marks(drawn(*host.snapshot().stacks.seen, found=(found,)))] == ["none"] + ["medium"] * 7


def test_marks_that_would_cover_one_another_are_one_that_says_how_many_and_is_the_gravest() -> None:
    many = range(2000, 62000, 10)
    found = (finding("a", named(30000), severity="high"),)
    drawing = drawn(stack(*map(at, many)), found=found)
    drawn_marks = lane(drawing)["marks"]
    assert len(drawn_marks) <= HIGH.most_marks
    (open_one,) = [mark for mark in drawn_marks if mark["kind"] == "high"]
    assert open_one["label"].startswith("1 of ")
    assert open_one["several"]
    assert "1 open (high); " in open_one["outcomes"]
    assert all(mark["label"].startswith("\N{MULTIPLICATION SIGN}") for mark in drawn_marks if mark is not open_one)
    assert sum(int(mark["ports"].split(" ports of ")[0]) for mark in drawn_marks) == len(many)


def test_a_map_of_twenty_thousand_listeners_is_of_bounded_size() -> None:
    drawing = drawn(stack(*map(at, range(1, 20001)), *(listener(port, protocol="udp") for port in range(1, 60000, 3))))
    assert sum(len(one["marks"]) for one in drawing["lanes"]) <= 2 * (LOW.most_marks + HIGH.most_marks)
    assert len(str(drawing)) < 100_000


def test_listeners_of_one_port_are_one_mark_that_names_them() -> None:
    drawing = drawn(stack(at(22), listener(22, address="::", family="ipv6", v6only=True)))
    assert marks(drawing) == [("22 (2)", "none")]
    assert drawing["shared"]
    assert not drawn(stack(at(22)))["shared"]
    assert drawing["listeners_in_words"][0] == ("tcp", "22", ["tcp/0.0.0.0:22", "tcp/[::]:22"], "2 without a finding")


def test_protocols_have_a_lane_each_and_those_that_nobody_expects_share_one() -> None:
    drawing = drawn(stack(at(22), listener(53, protocol="udp"), listener(36412, protocol="sctp"), listener(1, protocol="<b>")))
    assert [one["protocol"] for one in drawing["lanes"]] == ["tcp", "udp", "other"]
    assert marks(drawing, "other") == [("1", "none"), ("36412", "none")]
    assert [one["protocol"] for one in drawn(stack())["lanes"]] == ["tcp", "udp"]


def test_a_stack_on_which_nothing_listens_says_none_and_one_that_was_not_seen_does_not() -> None:
    quiet, unseen = drawn(stack()), drawn(stack(without=("listening",)))
    assert [(one["said"], one["doubts"]) for one in quiet["lanes"]] == [("none", [])] * 2
    assert quiet["told"] == ["Nothing listens here."]
    assert [(one["said"], one["doubts"]) for one in unseen["lanes"]] == [("? not known", WHOLE)] * 2
    assert unseen["told"] == ["It is not known what listens here."]
    assert unseen["listeners_in_words"] == [(protocol, "?", ["not known"], "the evidence does not show listening")
                                            for protocol in ("tcp", "udp")]  # fmt: skip


def test_a_gap_of_one_protocol_leaves_the_other_without_doubt() -> None:
    drawing = drawn(stack(listening=Facts([at(22)], "ss", [Gap("refused", protocol="udp", family="ipv6")])))
    assert (lane(drawing)["said"], lane(drawing)["doubts"]) == ("", [])
    assert (lane(drawing, "udp")["said"], lane(drawing, "udp")["doubts"]) == ("? not known", WHOLE)
    assert ("udp", "?", ["not known"], "refused (ipv6)") in drawing["listeners_in_words"]
    assert drawing["told"] == ["1 listener: without a finding. There may be more: not everything could be seen."]


def test_a_gap_of_some_ports_is_drawn_there_alone() -> None:
    drawing = drawn(stack(listening=Facts([at(22)], "ss", [Gap("odd", ports=PortRange(0, 511))])))
    assert lane(drawing)["doubts"] == [(LOW.left, LOW.width / 2)]
    assert lane(drawing)["said"] == "? perhaps more"


def test_a_listener_without_a_port_is_told_of_and_leaves_its_protocol_in_doubt() -> None:
    hidden = Socket(protocol="tcp", address="0.0.0.0")
    drawing = drawn(stack(hidden))
    assert (lane(drawing)["said"], lane(drawing)["doubts"]) == ("? not known", WHOLE)
    assert ("tcp", "?", ["not known"], "of 1 listener the evidence does not show the port") in drawing["listeners_in_words"]
    assert drawing["told"][0].startswith("1 listener: ")


def test_open_findings_that_are_on_no_listener_are_counted_as_not_drawn() -> None:
    found = (finding("a", named(22)), finding("b", "net.ipv4.ip_local_port_range"), finding("c", "tcp/0.0.0.0:99"))
    drawing = drawn(stack(at(22)), found=found)
    assert drawing["told"] == [
        "1 listener: open (medium).",
        "2 open findings of this stack are on no listener and on no range, and not drawn.",
    ]


def test_what_is_open_on_a_range_stands_with_it_the_gravest_first() -> None:
    found = (finding("a", "low (tcp)"), finding("b", "low", severity="high"), finding("c", "low (tcp)", "pass"), finding("d", "lowest"))
    drawing = drawn(stack(privileged=Facts([Range(first=1, last=79)], "low")), found=found)
    assert {group["kind"]: [one.rule for one in group["found"]] for group in drawing["groups"]} == {
        "privileged": ["b", "a"], "ephemeral": [], "reserved": [],
    }  # fmt: skip
    assert drawing["told"][1:] == ["1 open finding of this stack is on no listener and on no range, and not drawn."]


def test_a_change_of_a_range_stands_with_the_range() -> None:
    drawing = drawn(stack(), found=(finding("setting-changed", "ephemeral"),))
    assert {group["kind"]: len(group["found"]) for group in drawing["groups"]} == {"privileged": 0, "ephemeral": 1, "reserved": 0}


def test_a_finding_on_a_setting_that_says_several_ranges_is_on_none_of_them() -> None:
    drawing = drawn(stack(), found=(finding("a", "a setting"),))
    assert not any(group["found"] for group in drawing["groups"])
    assert "1 open finding of this stack is on no listener and on no range, and not drawn." in drawing["told"]


# ranges


def test_own_ranges_stand_beside_the_vendors_and_ianas() -> None:
    drawing = drawn(stack(ephemeral=ports(10000, 65535, protocol="any")))
    assert rows(drawing, "ephemeral") == [("this stack", ["10000-65535 (55536 ports)"]), ("as shipped", ["32768-60999 (28232 ports)"])]
    assert rows(drawing, "IANA") == [("System Ports", ["0-1023"]), ("User Ports", ["1024-49151"]), ("Dynamic Ports", ["49152-65535"])]
    own, shipped = bars(drawing, "ephemeral").values()
    assert (own["own"], shipped["own"]) == (True, False)
    assert own["drawn"] == spans([PortRange(10000, 65535)])
    assert [name for *_, name in drawing["ruler"]["boxes"]] == ["System Ports", "User Ports", "Dynamic Ports"]


def test_what_the_vendor_does_not_state_is_not_what_it_has_none_of() -> None:
    silent = drawn(stack())
    none = drawn(stack(), vendor=VendorDefault("x", "X", "high", privileged=[], ephemeral=[], reserved=[]))
    nobody = drawn(stack(), vendor=None)
    assert (bars(silent, "reserved")["as shipped"]["said"], bars(silent, "reserved")["as shipped"]["doubts"]) == ("? not stated", WHOLE)
    assert rows(none, "reserved")[1] == ("as shipped", ["none"])
    assert (bars(none, "privileged")["as shipped"]["said"], bars(none, "privileged")["as shipped"]["doubts"]) == ("none", [])
    for kind in ("privileged", "ephemeral", "reserved"):
        assert rows(nobody, kind)[1] == ("as shipped", ["not stated: the vendor table has no row for this system"])


def test_a_range_that_was_not_seen_is_drawn_as_unknown_and_never_as_empty() -> None:
    drawing = drawn(stack(without=("privileged",), ephemeral=Facts[Range]([], "x", [Gap("refused")])))
    assert rows(drawing, "privileged")[0] == ("this stack", ["not known: the evidence does not show privileged"])
    assert rows(drawing, "ephemeral")[0] == ("this stack", ["not known: refused"])
    for kind in ("privileged", "ephemeral"):
        assert (bars(drawing, kind)["this stack"]["said"], bars(drawing, kind)["this stack"]["doubts"]) == ("? not known", WHOLE)
    assert (bars(drawing, "reserved")["this stack"]["said"], bars(drawing, "reserved")["this stack"]["doubts"]) == ("none", [])


def test_protocols_that_differ_have_a_row_each_and_a_gap_concerns_its_own_alone() -> None:
    known = Facts([Range(first=32768, last=60999, protocol="tcp", family="any")], "x", [Gap("refused", protocol="udp")])
    drawing = drawn(stack(ephemeral=known))
    assert rows(drawing, "ephemeral")[:2] == [
        ("this stack, tcp", ["32768-60999 (28232 ports)"]),
        ("this stack, udp", ["not known: refused"]),
    ]
    assert bars(drawing, "ephemeral")["this stack, tcp"]["doubts"] == []
    assert bars(drawing, "ephemeral")["this stack, udp"]["drawn"] == []


def test_what_is_known_of_a_range_is_not_hatched_and_the_rest_is() -> None:
    known = Facts([Range(first=0, last=1023, protocol="any", family="any")], "x", [Gap("more hidden")])
    row = bars(drawn(stack(privileged=known)), "privileged")["this stack"]
    assert (row["drawn"], row["doubts"], row["said"]) == ([WHOLE[0]], [WHOLE[1]], "? perhaps more")
    assert row["words"] == ["0-1023 (1024 ports)", "perhaps more: more hidden"]


def test_four_equal_ranges_of_each_protocol_and_family_are_one_row() -> None:
    same = [Range(first=49152, last=65535, protocol=p, family=f) for p in ("tcp", "udp") for f in ("ipv4", "ipv6")]
    assert rows(drawn(stack(ephemeral=Facts(same, "netsh"))), "ephemeral")[0] == ("this stack", ["49152-65535 (16384 ports)"])


def test_roles_have_rows_of_their_own() -> None:
    some = [Range(first=first, last=last, protocol="any", family="any", role=role, descending=role == "low")
            for first, last, role in ((10000, 65535, "default"), (49152, 65535, "high"), (600, 1023, "low"), (1, 2, "<odd>"))]  # fmt: skip
    assert rows(drawn(stack(ephemeral=Facts(some, "sysctl"))), "ephemeral")[:4] == [
        ("this stack", ["10000-65535 (55536 ports)"]), ("this stack, high", ["49152-65535 (16384 ports)"]),
        ("this stack, low", ["600-1023 (424 ports)", "descending"]), ("this stack, other role", ["1-2 (2 ports)"]),
    ]  # fmt: skip


def test_ranges_and_gaps_of_other_protocols_are_not_lost() -> None:
    known = Facts([Range(first=5, last=9, protocol="sctp", family="any")], "x", [Gap("no dccp", protocol="dccp")])
    drawing = drawn(stack(reserved=known))
    assert rows(drawing, "reserved")[:2] == [("this stack", ["none"]), ("this stack, others", ["5-9 (5 ports)", "perhaps more: no dccp"])]


def test_a_range_that_is_none_leaves_its_row_in_doubt() -> None:
    drawing = drawn(stack(ephemeral=Facts([Range(first=5, last=1)], "x")))
    assert rows(drawing, "ephemeral")[0] == ("this stack", ["not known: it says 5-1, which is no range"])
    assert bars(drawing, "ephemeral")["this stack"]["doubts"] == WHOLE


def test_what_narrows_a_range_or_was_not_read_from_the_host_is_said() -> None:
    some = [Range(first=1, last=1023, protocol="any", family="any", wildcard_exempt=True),
            Range(first=5555, last=5555, protocol="any", family="any", wildcard_exempt=False)]  # fmt: skip
    drawing = drawn(stack(privileged=Facts(some, "table", basis="documented")))
    assert rows(drawing, "privileged")[0][1] == [
        "1-1023, 5555 (1024 ports)", "not for the wildcard address: 1-1023 (1023 ports)", "as documented, not read from the host"
    ]  # fmt: skip


def test_nothing_stands_on_anything_else_from_top_to_bottom() -> None:
    drawing = drawn(*judged_stacks()[:1])
    heights = [lane["floor"] for lane in drawing["lanes"]] + [row["y"] for group in drawing["groups"] for row in group["rows"]]
    assert heights == sorted(set(heights))
    assert heights[-1] < drawing["height"]


def judged_stacks() -> list[Stack]:
    return list(rich().snapshot().stacks.seen)


def test_of_a_host_with_containers_each_stack_has_its_own_map_with_every_listener_on_it() -> None:
    host = rich().snapshot()
    made = report(of=host)
    made.hosts[0].findings = judged(host)
    drawings = port_maps(made.hosts[0], IANA, ListenerOutcomes(made.hosts[0], made.state))
    assert len(drawings) == len(host.stacks.seen) > 2
    for one, drawing in zip(host.stacks.seen, drawings, strict=True):
        there = {str(socket.port) for socket in one.facts("listening").seen}
        assert {label.split(" (")[0] for named in drawing["lanes"] for label, _ in marks(drawing, named["protocol"])} == there
