"""Network namespaces of made hosts: each is found, told from the host's own, named, and nothing of one is taken for another's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.cli import main
from auditor.model import Snapshot
from auditor.stack_pairs import StackPairs
from tests.hosts import NEEDED, NOBODY, WEB, Host, as_if_initial, host, interpreted, listener, sockets, stack

pytestmark = NEEDED
CONTAINER = "5f" * 32


def names(snapshot: Snapshot) -> list[str]:
    return [one.name for one in snapshot.stacks.seen]


@pytest.mark.parametrize("user", [None, NOBODY])
def test_a_thread_in_a_namespace_of_its_own_is_not_taken_for_the_host(user: int | None) -> None:
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080), how="own-namespace")
        made.start(listener("tcp", "127.0.0.1", 22))
        bundle = made.collect(user=user)
    listing = bundle.partition(b"@ namespaces\n")[2].partition(b"\n@ ")[0].decode().split("\n")
    assert [line.split("\t")[2] for line in listing if line.startswith(("| netns:", "| procnet:"))] == ["1", "0"]
    snapshot = interpreted(as_if_initial(bundle))
    assert list(sockets(snapshot)) == ["tcp/127.0.0.1:22"]
    (other,) = [one for one in snapshot.stacks.seen if one.name != "host"]
    assert [str(one) for one in other.listening.seen] == ["tcp/127.0.0.1:8080"]


def test_a_namespace_of_a_process_whose_first_thread_ended_is_found_and_named_by_its_executable() -> None:
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), how="zombie-leader", namespace=True)
        snapshot = made.snapshot()
        name = "process:" + made.python.rpartition("/")[2]
    assert names(snapshot) == ["host", name]
    assert [owner.pid for owner in sockets(snapshot, name)["tcp/127.0.0.1:8080"].owners] == [process.pid]


def test_a_container_is_named_as_its_runtime_names_it_and_nothing_else_of_its_state_is_kept() -> None:
    state = {"Name": "/shop", "ID": CONTAINER, "Config": {"Image": "shop:1.2", "Env": ["PASSWORD=hunter2"], "Cmd": ["--token=hunter2"]}}
    with host() as made:
        made.write(f"/var/lib/docker/containers/{CONTAINER}/config.v2.json", json.dumps(state))
        made.start(listener("tcp", "0.0.0.0", 80), namespace=True, group=f"docker-{CONTAINER}.scope")
        bundle = made.collect()
    snapshot = interpreted(as_if_initial(bundle))
    assert names(snapshot) == ["host", "container:shop"]
    (owner,) = sockets(snapshot, "container:shop")["tcp/0.0.0.0:80"].owners
    assert (owner.container, owner.image) == ("shop", "shop:1.2")
    assert b"hunter2" not in bundle


PODMAN = "/var/lib/containers/storage/overlay-containers/containers.json"
CONTAINERD = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"


def test_podman_and_kubernetes_containers_have_the_name_and_the_image_that_their_runtime_gave_them() -> None:
    pod = "6a" * 32
    annotations = {
        "io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.sandbox-name": "web-1", "io.kubernetes.cri.sandbox-namespace": "prod",
        "io.kubernetes.cri.image-name": "registry.example/web:3",
    }  # fmt: skip
    with host() as made:
        podman = [{"id": CONTAINER, "names": ["shop"], "metadata": json.dumps({"image-name": "registry.example/shop:1.2"})}]
        made.write(PODMAN, json.dumps(podman))
        made.write(f"{CONTAINERD}/{pod}/config.json", json.dumps({"annotations": annotations, "process": {"env": ["TOKEN=hunter2"]}}))
        made.start(listener("tcp", "0.0.0.0", 80), namespace=True, group=f"machine.slice/libpod-{CONTAINER}.scope")
        made.start(listener("tcp", "0.0.0.0", 81), namespace=True, group=f"kubepods.slice/cri-containerd-{pod}.scope")
        bundle = made.collect()
    snapshot = interpreted(as_if_initial(bundle))
    seen = {
        (owner.container, owner.image)
        for name in ("container:shop", "container:prod/web-1/web")
        for one in sockets(snapshot, name).values()
        for owner in one.owners
    }
    assert seen == {("shop", "registry.example/shop:1.2"), ("prod/web-1/web", "registry.example/web:3")}
    assert b"hunter2" not in bundle


def test_a_container_of_which_the_runtime_names_no_image_has_an_unknown_one() -> None:
    with host() as made:
        made.write(f"/var/lib/docker/containers/{CONTAINER}/config.v2.json", json.dumps({"Name": "/shop", "ID": CONTAINER, "Config": {}}))
        made.start(listener("tcp", "0.0.0.0", 80), namespace=True, group=f"docker-{CONTAINER}.scope")
        snapshot = made.snapshot()
    (owner,) = sockets(snapshot, "container:shop")["tcp/0.0.0.0:80"].owners
    assert owner.container == "shop"
    assert "image" not in owner.shown


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("container:web", "process:container_web"), ("host", "process:host"), ("ssh.service", "process:ssh.service"),
        ("host (2)", "process:host__2_"), ("netns:1", "process:netns_1"), ("caf\u00e9", "process:caf_"),
        ("web-server_2.1", "process:web-server_2.1"), ("vpn", "process:vpn"), ("process:vpn", "process:process_vpn"),
        ("namespace without a visible process", "process:namespace_without_a_visible_process"),
    ],
)  # fmt: skip
def test_a_program_cannot_call_its_namespace_a_container_a_mount_a_unit_or_the_host(program: str, name: str) -> None:
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080), namespace=True, user=WEB, run=[made.program(program)])
        assert names(made.snapshot()) == ["host", name]


def test_a_program_does_not_take_the_name_of_a_mounted_namespace_that_is_found_later() -> None:
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080), namespace=True, user=WEB, run=[made.program("blue")])
        made.order("mounted namespace", name="blue", sysctls={"net.ipv4.ip_unprivileged_port_start": "80"})
        snapshot = made.snapshot()
    assert sorted(names(snapshot)) == ["blue", "host", "process:blue"]
    assert [str(one) for one in stack(snapshot, "blue").privileged] == ["1-79"]
    assert list(sockets(snapshot, "process:blue")) == ["tcp/127.0.0.1:8080"]


@pytest.mark.parametrize("below", [f"docker-{CONTAINER}.scope", "machine-shop.scope", "lxc.payload.shop"])
def test_below_an_ordinary_users_manager_nothing_is_a_container_and_the_user_is_named(below: str) -> None:
    with host() as made:
        group = f"user.slice/user-{WEB}.slice/user@{WEB}.service/{below}"
        made.start(listener("tcp", "127.0.0.1", 8080), namespace=True, user=WEB, group=group)
        made.start(listener("tcp", "127.0.0.1", 8081), user=WEB, group=group)
        snapshot = made.snapshot()
    assert names(snapshot) == ["host", f"user@{WEB}.service"]
    (owner,) = sockets(snapshot)["tcp/127.0.0.1:8081"].owners
    assert (owner.container, owner.unit, owner.user) == (None, f"user@{WEB}.service", "web")


@pytest.mark.parametrize("group", ["user/web/0/ssh.service", "lxc/x/ssh.service", "user.slice/delegated/system.slice/ssh.service"])
def test_a_group_that_was_given_to_a_user_does_not_make_a_unit(group: str) -> None:
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 8080), namespace=True, user=WEB, group=group, run=[made.program("vpn")])
        made.start(listener("tcp", "127.0.0.1", 8081), user=WEB, group=group)
        snapshot = made.snapshot()
    (owner,) = sockets(snapshot)["tcp/127.0.0.1:8081"].owners
    assert owner.unit is None
    assert names(snapshot)[1:] == [f"container:{owner.container}" if owner.container else "process:vpn"]


def test_namespaces_of_one_unit_are_told_apart() -> None:
    with host() as made:
        for port in (8080, 8081):
            made.start(listener("tcp", "127.0.0.1", port), namespace=True, group="shop.service")
        snapshot = made.snapshot()
    assert sorted(names(snapshot)) == ["host", "shop.service", "shop.service (2)"]
    assert sorted(len(stack(snapshot, name).listening.seen) for name in names(snapshot)) == [0, 1, 1]


def test_a_run_inside_a_container_calls_its_own_stack_the_host() -> None:
    """Process 1 is what tells: a collector that was moved to another namespace of the host still calls that one by its own name."""
    with host() as made:
        process = made.start(listener("tcp", "127.0.0.1", 8080), namespace=True, group="shop.service")
        made.start(listener("tcp", "127.0.0.1", 22))
        bundle = made.collect(prefix=["nsenter", f"--target={process.pid}", "--net", "--"])
    snapshot = interpreted(as_if_initial(bundle))
    assert list(sockets(snapshot)) == ["tcp/127.0.0.1:22"]
    assert list(sockets(snapshot, "shop.service")) == ["tcp/127.0.0.1:8080"]


WITHOUT_RIGHTS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all"]


@pytest.mark.parametrize(("user", "prefix"), [(None, WITHOUT_RIGHTS), (NOBODY, [])])
def test_a_namespace_that_is_called_otherwise_without_rights_is_compared_as_the_same(
    user: int | None, prefix: list[str], tmp_path: Path
) -> None:
    with host() as made:
        made.start(listener("tcp", "0.0.0.0", 7777), namespace=True, name=b"web", user=WEB)
        before = as_if_initial(made.collect())
        after = made.collect(user=user, prefix=prefix)
        made.start(listener("tcp", "0.0.0.0", 7778), namespace=True, name=b"web", user=WEB)
        later = made.collect(user=user, prefix=prefix)
    one, other = interpreted(before), interpreted(after)
    assert names(one)[1:] != names(other)[1:] == ["process:web"]
    assert StackPairs(one, other, "before").unsure == frozenset()
    assert appeared_or_gone(before, after, tmp_path) == []
    assert appeared_or_gone(before, later, tmp_path) == [("listener-appeared", "process:web (2)", "tcp/0.0.0.0:7778")]


def appeared_or_gone(before: bytes, after: bytes, folder: Path) -> list[tuple[str, str, str]]:
    for name, bundle in (("before", before), ("after", after)):
        (folder / f"{name}.evidence").write_bytes(bundle)
    out = folder / "out.json"
    main(["audit", "--baseline", f"{folder}/before.evidence", f"{folder}/after.evidence", "-f", f"json={out}"])
    found = [one for one in json.loads(out.read_text())["findings"] if one["outcome"] == "fail"]
    return [(one["rule"], one["stack"], one["subject"]) for one in found if one["rule"] in ("listener-appeared", "listener-disappeared")]


def reaches(made: Host, name: str = "host") -> dict[str, str]:
    return {subject: one.reach for subject, one in sockets(made.snapshot(), name).items()}


def test_how_far_a_listener_reaches_goes_by_the_addresses_of_its_own_namespace() -> None:
    with host() as made:
        made.start(listener("tcp", "0.0.0.0", 80), listener("tcp", "::", 81, v6only=True), listener("tcp", "::", 85, v6only=False))
        assert reaches(made) == {"tcp/0.0.0.0:80": "loopback", "tcp/[::]:81": "loopback", "tcp/*:85": "loopback"}
        made.ip("link", "add", "lan0", "type", "veth", "peer", "name", "far0")
        made.ip("link", "set", "lan0", "addrgenmode", "none", "up")
        made.ip("addr", "add", "fe80::1/64", "dev", "lan0", "nodad")
        assert reaches(made) == {"tcp/0.0.0.0:80": "loopback", "tcp/[::]:81": "link", "tcp/*:85": "link"}
        made.ip("addr", "add", "10.0.0.5/24", "dev", "lan0")
        assert reaches(made) == {"tcp/0.0.0.0:80": "private", "tcp/[::]:81": "link", "tcp/*:85": "private"}
        made.ip("addr", "add", "9.9.9.9/32", "dev", "lan0")
        made.start(
            listener("tcp", "9.9.9.9", 82), listener("tcp", "10.0.0.5", 82), listener("tcp", "127.0.0.9", 82), listener("tcp", "::1", 82),
            listener("tcp", "fe80::1", 82, scope="lan0"), listener("tcp", "::ffff:10.0.0.5", 83), listener("udp", "224.0.0.251", 84),
        )  # fmt: skip
        assert reaches(made) == {
            "tcp/0.0.0.0:80": "public", "tcp/[::]:81": "link", "tcp/*:85": "public", "tcp/9.9.9.9:82": "public",
            "tcp/10.0.0.5:82": "private", "tcp/127.0.0.9:82": "loopback", "tcp/[::1]:82": "loopback", "tcp/[fe80::1%lan0]:82": "link",
            "tcp/[::ffff:10.0.0.5]:83": "private", "udp/224.0.0.251:84": "public",
        }  # fmt: skip
        inside = made.start(listener("tcp", "0.0.0.0", 80), listener("tcp", "127.0.0.1", 81), namespace=True, group="shop.service")
        made.ip("link", "set", "far0", "netns", str(inside.pid))
        for words in (("addr", "add", "172.17.0.2/16", "dev", "far0"), ("link", "set", "far0", "up")):
            made.run("nsenter", f"--target={inside.pid}", "--net", "--", "ip", *words, check=True)
        assert reaches(made, "shop.service") == {"tcp/0.0.0.0:80": "container", "tcp/127.0.0.1:81": "loopback"}


def test_an_ordinary_user_gets_one_line_on_owners_for_each_stack_and_the_settings_of_others_are_unknown() -> None:
    with host() as made:
        made.start(listener("tcp", "127.0.0.1", 22), listener("tcp", "127.0.0.1", 25), user=WEB)
        made.start(listener("tcp", "0.0.0.0", 80), listener("udp", "0.0.0.0", 53), namespace=True, group="shop.service")
        said = json.loads(made.auditor("audit", "-f", "json", user=NOBODY).out)["findings"]
    unknown = {(one["stack"], one["rule"], one["count"]) for one in said if one["outcome"] == "unknown"}
    assert {one for one in unknown if one[1] == "owner-not-visible"} == {
        ("host", "owner-not-visible", 2),
        ("shop.service", "owner-not-visible", 2),
    }
    assert ("shop.service", "privileged-range-lowered", 1) in unknown
    assert not [one for one in said if one["outcome"] in ("fail", "pass") and one["rule"] == "privileged-range-lowered"
                and one["stack"] == "shop.service"]  # fmt: skip
    assert not any(one["outcome"] == "error" for one in said)
