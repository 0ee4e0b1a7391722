"""Every policy that ships loads, judges its kind of host without an error of ours, and finds there what its comments say."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from functools import cache

import pytest

from auditor import plugins
from auditor.evaluate import evaluate
from auditor.model import Finding, Snapshot
from auditor.places import shipped, shipped_names
from auditor.policy import Policy, load
from auditor.policy_lints import problems
from tests.bundles import (
    EPHEMERAL,
    IN_A_CONTAINER,
    NGINX,
    ON_THE_INTERNET,
    RESERVED,
    SSHD,
    TABLES,
    THRESHOLD,
    TODAY,
    WEB_CONTAINER,
    Host,
    Net,
    Process,
    container,
    host,
    interpreted,
    port,
    rules,
    service,
)
from tests.saved_hosts import DARWIN, FREEBSD, FTX, HPUX, OPENBSD, SavedHost

PACKS = shipped_names("policies")
USED = ("container-host", "firewall", "kubernetes-node", "legacy", "server", "strict", "workstation")
DEVICE_AIRPLAY = Process(612, "/usr/libexec/rapportd", 1000)


@cache
def pack(name: str) -> Policy:
    return load(name, plugins.rule_parameters())


def snapshot(of: Host | SavedHost) -> Snapshot:
    return of.snapshot() if isinstance(of, Host) else interpreted(of.bundle())


def judged(by: str, of: Host | SavedHost, *names: str, today: datetime.date = TODAY) -> list[Finding]:
    return evaluate(snapshot(of), pack(by), TABLES, [rules()[name] for name in names or rules()], today)


def told(findings: Iterable[Finding]) -> list[str]:
    """What is open or inventory: rule, severity, stack, subject."""
    return sorted(f"{f.rule} {f.severity} {f.stack} {f.subject}" for f in findings if f.outcome == "fail" and not f.inventory)


def forbidden(by: str, of: Host | SavedHost) -> list[str]:
    return sorted(f.subject for f in judged(by, of, "listener-forbidden") if f.outcome == "fail" and not f.inventory)


def outcome(by: str, of: Host | SavedHost, rule: str) -> list[str]:
    return sorted({f.outcome for f in judged(by, of, rule)})


def quiet(*ports: object, **more: object) -> Host:
    return host(port("tcp/0.0.0.0:22", SSHD), *ports, **more)  # type: ignore[arg-type]


HOSTS: dict[str, Host | SavedHost] = {
    "baseline": quiet(),
    "container-host": quiet(others=[container(WEB_CONTAINER, port("tcp/0.0.0.0:80", service(4001, "app")), settings={THRESHOLD: "0"})],
                            containers={WEB_CONTAINER: "web"}),
    "firewall": OPENBSD,
    "kubernetes-node": quiet(port("tcp/*:10250", service(700, "kubelet"))),
    "legacy": HPUX,
    "server": quiet(port("tcp/*:443", NGINX)),
    "strict": quiet(),
    "workstation": DARWIN,
}  # fmt: skip


def test_there_is_a_host_for_every_pack() -> None:
    assert set(PACKS) == set(HOSTS) == {"baseline", *USED}


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_loads_says_why_and_stays_short(name: str) -> None:
    policy = pack(name)
    assert policy.name == name
    with open(shipped("policies", f"{name}.yaml"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert lines[0].startswith(f"# {name}: ")
    assert len(lines) <= 80
    if name != "baseline":
        assert policy.files == ["baseline.yaml", f"{name}.yaml"]
    assert all(entry.why and entry.name for entry in policy.forbidden)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_judges_its_host_without_an_error_of_ours(name: str) -> None:
    findings = judged(name, HOSTS[name])
    assert not [f"{f.rule}: {f.message}" for f in findings if f.outcome == "error"]
    assert {finding.rule for finding in findings} == set(rules())


@pytest.mark.parametrize("name", [name for name in PACKS if isinstance(HOSTS[name], Host) and name != "strict"])
def test_on_a_quiet_well_kept_host_of_its_kind_a_pack_opens_nothing(name: str) -> None:
    assert [line for line in told(judged(name, HOSTS[name])) if " info " not in line] == []


def test_policy_check_finds_nothing_odd_in_a_pack_but_that_legacy_gives_up_on_owners() -> None:
    rules = plugins.rule_parameters()
    found = [problem for name in PACKS for problem in problems(load(name, rules), TODAY)]
    assert [problem.message for problem in found] == ["owner-not-visible is off, and a review rests on it"]
    assert found[0].origin.startswith("legacy.yaml:")


def test_no_policy_ships_with_an_opinion_on_what_a_site_approves() -> None:
    assert not [name for name in PACKS if pack(name).approved_given or pack(name).waivers or pack(name).gaps]
    assert os.path.isdir(shipped("policies", "controls"))


# server


def test_a_server_shows_no_screen_and_answers_no_discovery() -> None:
    vnc, mdns = service(800, "Xvnc"), service(801, "avahi-daemon")
    on = quiet(port("tcp/0.0.0.0:5901", vnc), port("udp/0.0.0.0:5353", mdns), port("tcp/127.0.0.1:6010", SSHD))
    assert forbidden("server", on) == ["tcp/0.0.0.0:5901", "udp/0.0.0.0:5353"]
    assert {f.severity for f in judged("server", on, "listener-forbidden")} == {"medium"}


def test_what_only_a_server_itself_can_reach_is_listed_and_not_judged_but_where_it_runs_from_an_open_folder() -> None:
    on = quiet(port("tcp/127.0.0.1:6379", Process(950, "/tmp/redis", 110)), port("tcp/127.0.0.1:40000", NGINX))  # noqa: S108 - on purpose
    assert [line for line in told(judged("server", on)) if " info " not in line] == ["executable-in-writable-folder high host /tmp/redis"]


def test_a_server_whose_range_was_widened_differs_from_what_the_policy_expects() -> None:
    wide = quiet(settings={EPHEMERAL: "1024\t65535"})
    assert outcome("server", wide, "ephemeral-range-differs-from-policy") == ["fail"]
    assert outcome("server", quiet(), "ephemeral-range-differs-from-policy") == ["pass"]


# workstation


def test_each_sharing_service_of_macos_is_named() -> None:
    named = {entry.name: entry for entry in pack("workstation").forbidden}
    wanted = {"remote-login": 22, "screen-sharing": 5900, "file-sharing": 445, "printer-sharing": 631, "remote-apple-events": 3031,
              "airplay-receiver": 7000, "http-server": 80, "nfs-server": 2049, "remote-management": 3283}  # fmt: skip
    for name, number in wanted.items():
        assert any(number in ports for ports in named[name].ports), name
    on = host(*(port(f"tcp/0.0.0.0:{number}", DEVICE_AIRPLAY) for number in wanted.values()))
    assert forbidden("workstation", on) == sorted(f"tcp/0.0.0.0:{number}" for number in wanted.values())


def test_an_airplay_receiver_is_found_on_a_mac_and_cups_on_loopback_is_not() -> None:
    found = [f for f in judged("workstation", DARWIN, "listener-forbidden") if f.outcome == "fail"]
    assert [(f.subject, f.severity) for f in found] == [("tcp/*:5000", "medium")]
    assert "AirPlay Receiver" in found[0].message


# container-host


def test_a_container_in_the_hosts_own_network_is_found_and_one_behind_a_bridge_is_inventory() -> None:
    app = Process(4001, "/usr/bin/app", 0, f"/system.slice/docker-{WEB_CONTAINER}.scope")
    boxed = Net((port("tcp/0.0.0.0:23", app),), holder=app, addresses=IN_A_CONTAINER, settings={THRESHOLD: "0"})
    on = quiet(port("tcp/0.0.0.0:9000", app), others=[boxed], containers={WEB_CONTAINER: "web"})
    assert [line for line in told(judged("container-host", on)) if " info " not in line] == [
        "listener-forbidden high host tcp/0.0.0.0:9000"
    ]


def test_an_engine_that_every_user_of_the_host_can_reach_is_found() -> None:
    on = quiet(port("tcp/127.0.0.1:2375", service(600, "dockerd")))
    assert forbidden("container-host", on) == ["tcp/127.0.0.1:2375"]


# kubernetes-node


def test_node_ports_that_the_kernel_may_hand_out_are_found_until_they_are_reserved() -> None:
    wide = {EPHEMERAL: "20000\t60999"}
    for rule in ("nodeport-range-in-ephemeral-range", "reserved-ports-incomplete"):
        assert outcome("kubernetes-node", quiet(settings=wide), rule) == ["fail"], rule
        assert outcome("kubernetes-node", quiet(settings={**wide, RESERVED: "30000-32767"}), rule) == ["pass"], rule
        assert outcome("kubernetes-node", quiet(), rule) == ["pass"], rule


def test_a_node_without_a_kubelet_is_none_and_its_etcd_is_not_the_worlds() -> None:
    assert outcome("kubernetes-node", quiet(), "required-listener-absent") == ["fail"]
    for addresses, found in ((ON_THE_INTERNET, ["tcp/*:2379"]), ((), [])):
        more = {"addresses": addresses} if addresses else {}
        assert forbidden("kubernetes-node", quiet(port("tcp/*:2379", service(710, "etcd")), **more)) == found


# firewall


def test_a_firewall_offers_nothing_outside_but_vpns_and_routing() -> None:
    ports = ("tcp/0.0.0.0:22", "udp/0.0.0.0:500", "udp/0.0.0.0:51820", "tcp/0.0.0.0:179", "tcp/127.0.0.1:8080")
    on = host(*(port(at, SSHD) for at in ports), addresses=ON_THE_INTERNET)
    assert forbidden("firewall", on) == ["tcp/0.0.0.0:22"]


@pytest.mark.parametrize("of", [OPENBSD, FREEBSD], ids=["openbsd", "freebsd"])
def test_a_firewalls_ranges_are_compared_with_the_vendors(of: SavedHost) -> None:
    assert outcome("firewall", of, "ephemeral-range-differs-from-policy") in (["pass"], ["fail"])
    assert outcome("firewall", of, "privileged-range-lowered") == ["pass"]
    assert "error" not in {f.outcome for f in judged("firewall", of)}


def test_a_firewalls_policy_is_not_for_other_systems() -> None:
    assert outcome("firewall", quiet(), "host-without-policy") == ["fail"]
    assert "fail" not in outcome("firewall", OPENBSD, "host-without-policy")


# legacy


def test_what_a_host_that_cannot_be_asked_never_tells_leaves_its_verdict_complete() -> None:
    findings = judged("legacy", HPUX)
    assert not [f"{f.rule}: {f.message}" for f in findings if f.leaves_open]
    assert {f.outcome for f in findings if f.rule in ("owner-not-visible", "setting-not-persisted")} == {"notselected"}


def test_saved_output_of_last_year_is_stale_and_a_release_without_a_row_is_told() -> None:
    assert outcome("legacy", HPUX, "evidence-stale") == ["pass"]
    late = judged("legacy", HPUX, "evidence-stale", today=datetime.date(2027, 6, 1))
    assert [(f.outcome, f.severity) for f in late] == [("fail", "medium")]
    odd = SavedHost("HP-UX", "A.07.00", HPUX.texts)
    assert [(f.outcome, f.severity) for f in judged("legacy", odd, "release-without-vendor-row")] == [("fail", "medium")]


def test_telnet_on_an_old_system_is_a_finding_like_any_other() -> None:
    found = {f.outcome for f in judged("legacy", FTX, "cleartext-listener")}
    assert found & {"fail", "unknown"}
    assert "pass" not in found


# strict


def test_strict_turns_on_everything_that_baseline_has_off() -> None:
    off = {name for name, setting in pack("baseline").rules.items() if setting.off}
    assert off
    assert not [name for name in off if pack("strict").rules[name].off]
    assert not [setting for setting in pack("strict").rules.values() if setting.off]


def test_by_strict_a_service_in_a_home_and_one_on_every_address_are_told() -> None:
    on = quiet(port("tcp/10.0.0.5:8080", Process(1500, "/home/ann/bin/server", 1000)))
    found = told(judged("strict", on))
    assert "executable-in-writable-folder high host /home/ann/bin/server" in found
    assert "listener-on-wildcard-address low host tcp/0.0.0.0:22" in found
    assert "executable-in-writable-folder high host /home/ann/bin/server" not in told(judged("baseline", on))


def test_strict_forgets_no_folder_of_baseline() -> None:
    folders = [set(pack(name).rules["executable-in-writable-folder"].parameters["folders"]) for name in ("baseline", "strict")]
    assert folders[0] < folders[1]
