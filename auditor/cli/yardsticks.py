"""Whether a policy and the tables fit together: the one names ranges of the other."""

from __future__ import annotations

from auditor.errors import PolicyError, TableError
from auditor.policy import VENDOR_DEFAULT, Policy
from auditor.tables import Tables


def check_tables(policy: Policy, tables: Tables) -> None:
    """PolicyError where the policy expects the range of a table that does not have it."""
    expected = policy.ephemeral
    if expected is None or expected.table in (None, VENDOR_DEFAULT):
        return
    try:
        tables.range_named(str(expected.table))
    except TableError as error:
        raise PolicyError(f"{expected.origin}: {error}", error.advice) from error
