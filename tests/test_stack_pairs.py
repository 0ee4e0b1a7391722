"""Which network namespace of one audit is which of another: by the kernel's word, by a name that nobody can give himself, or not told."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.differences import IN_A_AND_B
from auditor.facts import Facts, Gap
from auditor.model import Setting, Snapshot, Socket, Stack
from auditor.owner import Owner
from auditor.snapshot_differences import differences
from auditor.stack_pairs import StackPairs

BOOT, ANOTHER_BOOT = "boot-1", "boot-2"


def listening(port: int, user: str = "alice") -> Socket:
    return Socket(
        protocol="tcp", family="ipv4", address="0.0.0.0", port=port, state="listening", reach="private", owner_state="known",
        owners_seen=[Owner(executable="/usr/bin/web", user=user)],
    )  # fmt: skip


def stack(name: str, *sockets: Socket, identities: tuple[str, ...] = (), threshold: str = "1024", gaps: tuple[Gap, ...] = ()) -> Stack:
    kinds: dict[str, Any] = {kind: Facts((), "made") for kind in ("privileged", "ephemeral", "reserved", "persisted", "addresses")}
    settings = Facts([Setting(name="ip_unprivileged_port_start", value=threshold)], "made")
    return Stack(
        name=name, kind="host" if name == "host" else "netns", identities=list(identities), listening=Facts(sockets, "made", gaps),
        settings=settings, **kinds,
    )  # fmt: skip


def host(*stacks: Stack, boot: str | None = BOOT, gaps: tuple[Gap, ...] = ()) -> Snapshot:
    told = {"boot_id": boot} if boot is not None else {}
    return Snapshot(host="web1", system="Linux", release="6.1", stacks=Facts([stack("host"), *stacks], "made", gaps), limits=[], **told)


def changes(before: Snapshot, after: Snapshot) -> list[tuple[str, str | None, str]]:
    return [(change.sign, change.stack, change.what) for change in differences(before, after)]


WEB = "socket tcp/0.0.0.0:80"
ALICES, MALLORYS = ("netns:11", "procnet:12"), ("netns:21", "procnet:22")


@pytest.mark.parametrize("name", ["process:web", "namespace without a visible process", "procnet:12", "container:shop", "shop.service"])
def test_a_namespace_that_is_called_otherwise_is_the_same_where_the_kernel_says_so(name: str) -> None:
    before = host(stack("process:web-1.2", listening(80), identities=ALICES))
    after = host(stack(name, listening(80), identities=("procnet:12",)))
    assert changes(before, after) == changes(after, before) == []
    assert StackPairs(before, after, "then").before.stacks.seen[1].name == name


def test_another_namespace_of_one_boot_is_new_whatever_it_is_called() -> None:
    before, after = (
        host(stack("process:web", listening(80), identities=ALICES)),
        host(stack("process:web", listening(80), identities=MALLORYS)),
    )
    assert changes(before, after) == [
        ("+", "process:web", "stack process:web"), ("+", "process:web", WEB),
        ("-", "process:web (in A)", "stack process:web (in A)"), ("-", "process:web (in A)", WEB),
    ]  # fmt: skip


@pytest.mark.parametrize("identities", [("netns:11", "procnet:22"), ("netns:21", "procnet:12")])
def test_a_number_that_the_kernel_gave_again_alone_makes_no_namespace_the_same(identities: tuple[str, str]) -> None:
    before = host(stack("process:web", listening(80), identities=ALICES))
    after = host(stack("process:web", listening(80), identities=identities))
    assert [sign for sign, _, what in changes(before, after) if what == WEB] == ["+", "-"]


def test_numbers_that_tell_equal_names_apart_may_be_dealt_anew() -> None:
    names = "process:web", "process:web (2)"
    before = host(*map(lambda name, port, ids: stack(name, listening(port), identities=ids), names, (80, 81), (ALICES, MALLORYS)))
    after = host(*map(lambda name, port, ids: stack(name, listening(port), identities=ids), names, (81, 80), (MALLORYS, ALICES)))
    assert changes(before, after) == []


def test_nobody_hides_a_listener_behind_the_name_of_anothers_namespace() -> None:
    before = host(stack("process:web", listening(80), identities=ALICES))
    stolen = stack("process:web", listening(80, "mallory"), identities=MALLORYS)
    after = host(stolen, stack("process:web (2)", listening(80), identities=ALICES))
    assert changes(before, after) == [("+", "process:web", "stack process:web"), ("+", "process:web", WEB)]


def test_a_number_that_the_kernel_gave_again_makes_no_container_another() -> None:
    before, after = (host(stack(f"container:{name}", listening(80), identities=ALICES)) for name in ("shop", "mail"))
    assert [sign for sign, _, what in changes(before, after) if what == WEB] == ["+", "-"]


@pytest.mark.parametrize("boot", [BOOT, ANOTHER_BOOT, None])
def test_what_a_container_a_mount_or_a_unit_names_is_the_same_after_a_restart(boot: str | None) -> None:
    before = host(stack("container:shop", listening(80), identities=ALICES), boot=boot)
    after = host(stack("container:shop", listening(80), listening(81), identities=MALLORYS))
    assert changes(before, after) == [("+", "container:shop", "socket tcp/0.0.0.0:81")]


def test_a_container_is_the_same_whether_its_name_or_its_id_could_be_read() -> None:
    before = host(stack("container:shop", listening(80), identities=(f"container:{'5f' * 32}", "netns:11")))
    after = host(stack("container:5f5f5f5f5f5f", listening(80), identities=(f"container:{'5f' * 32}",)), boot=ANOTHER_BOOT)
    assert changes(before, after) == []


@pytest.mark.parametrize(
    ("boot", "identities"),
    [(ANOTHER_BOOT, ("procnet:12",)), (None, ("procnet:12",)), (BOOT, ()), (BOOT, ("netns:11",)), ("", ("procnet:12",))],
)
class TestWhereNothingTellsWhichIsWhich:
    """The earlier snapshot is of `boot` and shows `identities`; the later one is of BOOT and shows inodes of net/tcp alone."""

    def before(self, boot: str | None, identities: tuple[str, ...], *stacks: Stack, gaps: tuple[Gap, ...] = ()) -> Snapshot:
        return host(*(Stack(**{**one.shown, "identities": list(identities)}) for one in stacks), boot=boot, gaps=gaps)

    def after(self, *stacks: Stack) -> Snapshot:
        return host(*(Stack(**{**one.shown, "identities": [f"procnet:{number}"]}) for number, one in enumerate(stacks, 90)))

    def test_what_listened_under_another_name_is_neither_new_nor_gone(self, boot: str | None, identities: tuple[str, ...]) -> None:
        before = self.before(boot, identities, stack("process:web-1.2", listening(80)), stack("process:mail", listening(25)))
        after = self.after(stack("process:web", listening(25)), stack("process:web (2)", listening(80)))
        assert changes(before, after) == []

    def test_what_listened_in_none_of_them_is_new_and_what_listens_in_none_is_gone(
        self, boot: str | None, identities: tuple[str, ...]
    ) -> None:
        before = self.before(boot, identities, stack("process:web", listening(80)), stack("process:mail", listening(25)))
        after = self.after(stack("process:a", listening(80)), stack("process:b", listening(4444)))
        assert changes(before, after) == [("+", "process:b", "socket tcp/0.0.0.0:4444"), ("-", "process:mail", "socket tcp/0.0.0.0:25")]

    def test_one_more_of_a_kind_and_another_holder_are_told(self, boot: str | None, identities: tuple[str, ...]) -> None:
        before = self.before(boot, identities, stack("process:web", listening(80)))
        after = self.after(stack("process:web", listening(80, "mallory")), stack("process:web (2)", listening(80)))
        assert ("~", "process:web (2)", f"{WEB}, how many") in changes(before, after)
        assert ("~", "process:web (2)", f"{WEB}, owners") in changes(before, after)
        assert ("~", None, "stacks, how many that nothing tells apart") in changes(before, after)
        replaced = self.after(stack("process:web", listening(80, "mallory")))
        assert changes(before, replaced) == [("~", "process:web", f"{WEB}, owners")]

    def test_other_settings_cannot_be_compared(self, boot: str | None, identities: tuple[str, ...]) -> None:
        before, after = self.before(boot, identities, stack("process:web", threshold="80")), self.after(stack("process:web"))
        assert changes(before, after) == [("?", "process:web", "settings")]

    def test_where_not_all_was_seen_nothing_is_new(self, boot: str | None, identities: tuple[str, ...]) -> None:
        whole = stack("process:web", listening(80))
        not_all_of_one = self.before(boot, identities, stack("process:mail", gaps=(Gap("refused"),)))
        not_all_of_them = self.before(boot, identities, stack("process:mail"), gaps=(Gap("hidepid"),))
        for before in (not_all_of_one, not_all_of_them):
            assert {sign for sign, *_ in changes(before, self.after(whole))} == {"?"}
            assert ("?", "process:web", WEB) in changes(before, self.after(whole))

    def test_a_lone_one_is_new(self, boot: str | None, identities: tuple[str, ...]) -> None:
        assert ("+", "process:web", WEB) in changes(self.before(boot, identities), self.after(stack("process:web", listening(80))))

    def test_their_names_are_said_to_be_unsure(self, boot: str | None, identities: tuple[str, ...]) -> None:
        before, after = self.before(boot, identities, stack("process:web")), self.after(stack("process:web"))
        assert StackPairs(before, after, IN_A_AND_B[0]).unsure == {"process:web", "process:web (in A)"}


def test_two_namespaces_of_one_unit_are_not_taken_for_each_other() -> None:
    names = "shop.service", "shop.service (2)"
    before, after = (
        host(*map(stack, names, map(listening, ports)), boot=boot) for ports, boot in (((80, 81), BOOT), ((81, 80), ANOTHER_BOOT))
    )
    assert changes(before, after) == []


def test_one_of_two_namespaces_of_a_unit_that_ended_is_missed() -> None:
    before = host(stack("shop.service", listening(80)), stack("shop.service (2)", listening(81)))
    after = host(stack("shop.service", listening(81)), boot=ANOTHER_BOOT)
    assert ("-", "shop.service (in A)", WEB) in changes(before, after)
    assert not any(sign == "+" for sign, *_ in changes(before, after))


@pytest.mark.parametrize("boot", [BOOT, ANOTHER_BOOT, None])
def test_a_namespace_that_is_mounted_as_host_is_never_taken_for_the_hosts_own_stack(boot: str | None) -> None:
    before = host(stack("host (2)", listening(9090), identities=ALICES))
    after = host(boot=boot)
    after.stacks.seen[0].shown["listening"] = Facts([listening(9090)], "made")
    assert ("+", "host", "socket tcp/0.0.0.0:9090") in changes(before, after)
    assert not StackPairs(before, after, "then").unsure
