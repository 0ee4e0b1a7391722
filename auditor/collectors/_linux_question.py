"""What a source of grants is asked, and what it says (`_linux_grants` puts them together)."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.binding import Grant
from auditor.collectors._linux_evidence import LinuxEvidence
from auditor.collectors._linux_owners import Owners
from auditor.collectors._linux_stacks import Namespace
from auditor.facts import Facts, Gap
from auditor.model import Range, Socket
from auditor.tables import Tables


class Question:
    """What a source of grants is asked about: one stack of a host, with what is known of its ports already."""

    __slots__ = ("linux", "listening", "namespace", "owners", "privileged", "tables")

    def __init__(
        self, linux: LinuxEvidence, tables: Tables, namespace: Namespace, owners: Owners, privileged: Facts[Range],
        listening: Facts[Socket],
    ) -> None:  # fmt: skip
        self.linux = linux
        self.tables = tables
        self.namespace = namespace
        self.owners = owners
        self.privileged = privileged
        self.listening = listening


class Granted:
    """What a source says: `gaps` are what this run failed to see, `limits` what this way of looking never shows."""

    __slots__ = ("gaps", "grants", "limits")

    def __init__(self, grants: Iterable[Grant] = (), gaps: Iterable[Gap] = (), limits: Iterable[str] = ()) -> None:
        self.grants = list(grants)
        self.gaps = list(gaps)
        self.limits = list(limits)
