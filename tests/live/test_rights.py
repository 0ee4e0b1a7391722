"""What is said where the kernel refuses: it goes by what the run has, and names no lack that is none."""

from __future__ import annotations

import pytest

from auditor.live import rights
from tests.hosts import NEEDED, NOBODY, host, interpreted, listener, sockets

NEITHER = "this run lacks CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which may be why, or a security module refused"


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (b"0", NEITHER),
        (b"0000000000080000", "this run lacks CAP_DAC_READ_SEARCH, which may be why, or a security module refused"),
        (b"0000000000000002", "this run lacks CAP_SYS_PTRACE, which may be why, or a security module refused"),
        (
            b"000001ffffffffff",
            "this run has CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, so a security module refused, or they do not count in the user namespace "
            "there",
        ),
        (b"", "that needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, which this run may not have, or a security module refused"),
    ],
)
def test_the_cause_is_a_lack_only_where_there_is_one(held: bytes, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "_effective", lambda: held)
    assert rights.why_refused("CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH") == said


@NEEDED
def test_descriptors_and_namespaces_that_are_refused_are_told_with_what_the_run_lacks() -> None:
    with host() as made:
        made.start(listener("tcp", "0.0.0.0", 9011))
        made.start(listener("tcp", "0.0.0.0", 9010), namespace=True)
        alone = interpreted(made.collect(user=NOBODY))
        without_ptrace = interpreted(made.collect(prefix=("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "--")))
    assert sockets(alone)["tcp/0.0.0.0:9011"].shown["owner_reason"].endswith(f" may not be read: {NEITHER}")
    (other,) = [one for one in alone.stacks.seen if one.name != "host"]
    assert other.ephemeral.gaps[0].why.endswith(
        "the namespace could not be entered: its ns/net may not be read: "
        "this run lacks CAP_SYS_PTRACE and CAP_SYS_ADMIN, which may be why, or a security module refused"
    )
    assert without_ptrace.shown["visibility"]["rights"]["CAP_SYS_PTRACE"] is False
