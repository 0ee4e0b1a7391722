"""Whether a policy and the tables fit together: the one names ranges of the other."""

from __future__ import annotations

from auditor.errors import PolicyError, TableError
from auditor.policy import Policy
from auditor.policy_expected import VENDOR_DEFAULT
from auditor.tables import Tables


def check_tables(policy: Policy, tables: Tables) -> None:
    """PolicyError where the policy expects the range of a table that does not have it."""
    for expectation in policy.ephemeral.all if policy.ephemeral is not None else ():
        if expectation.table in (None, VENDOR_DEFAULT):
            continue
        try:
            tables.range_named(str(expectation.table))
        except TableError as error:
            raise PolicyError(f"{expectation.origin}: {error}", error.advice) from error
