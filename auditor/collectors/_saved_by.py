"""How a collector of commands' output interprets: by its own `SYSTEM`, imported only then, so that its probes stay cheap to import."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.evidence import Evidence
    from auditor.model import Snapshot
    from auditor.tables import Tables


def saved_by(name: str) -> Callable[[Evidence, Tables], Snapshot]:
    """The interpreter of the collector `name`: what its host's evidence means, by SYSTEM of the module `_name`; total."""

    def interpret(evidence: Evidence, tables: Tables) -> Snapshot:
        from importlib import import_module

        from auditor.collectors._saved import snapshot

        return snapshot(evidence, tables, import_module(f"auditor.collectors._{name}").SYSTEM)

    return interpret
