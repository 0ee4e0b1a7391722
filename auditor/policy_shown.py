"""The keys of `report`: what a policy has every report say of itself."""

from __future__ import annotations

from typing import Any

from auditor.policy_keys import Reader, text


class Shown:
    """Whose reports they are (`organisation`) and how they are classified (`banner`, as `INTERNAL`); None where the policy does not say."""

    __slots__ = ("banner", "organisation")

    def __init__(self) -> None:
        self.banner: str | None = None
        self.organisation: str | None = None


REPORT_KEYS: dict[str, Reader[Any]] = {"organisation": text, "banner": text}
