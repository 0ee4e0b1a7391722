"""What binding gave beside what was promised, in words: one row for each protocol, family and address, for reporters and commands alike."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.bind_prediction import Comparison
from auditor.binding import Measured
from auditor.facts import UnknownFact
from auditor.model import Stack


class Row:
    """A comparison for a reader: `address`, the lowest port `promised` and `taken`, what bind(0) gave (`automatic`), and the `verdict`: as
    promised, DIFFERS, not known, or not tried."""

    __slots__ = ("address", "automatic", "promised", "taken", "verdict")

    def __init__(self, one: Comparison) -> None:
        self.address = address(one.measured)
        self.promised = _promised(one)
        self.taken = _taken(one.measured)
        self.automatic = _automatic(one.measured.shown.get("automatic", []))
        self.verdict = "DIFFERS" if one.differs else "not known" if one.doubt else "as promised"
        if one.absent is not None:
            self.verdict = f"not tried: there is no such address or family ({one.absent})"


def compared(stack: Stack) -> list[Comparison]:
    """Each measurement of a stack beside its prediction."""
    return [Comparison(stack, one) for one in stack.facts("measured").seen]


def who(measured: Measured, named: Mapping[int, str] | None = None) -> str:
    """As whom it was tried, and by what; `named` are users whose names are known."""
    shown = measured.shown
    groups = ", ".join(map(str, shown.get("gids", []))) or "not shown"
    by = f", by {shown.get('python', '?')}" if shown.get("executed") else ""
    through = f", through {shown['through']}" if shown.get("through") else ""
    return f"as {_user(measured, named or {})}, groups {groups}{by}{through}"


def address(measured: Measured) -> str:
    """As `tcp/127.0.0.1`."""
    return str(measured).partition(" through ")[0].removeprefix("bind ")


def left_out(measured: Measured) -> list[str]:
    """Which ports were never tried, and why, a line each."""
    return [f"left out, {reason}" for reason in measured.shown.get("left_out", [])]


def summary(stack: Stack) -> list[str]:
    """All of a stack's bind test in a line: as whom, how many addresses are as promised, how many differ; or why nothing was tried. No
    line where none was asked for."""
    if "measured" not in stack.shown:
        return []
    gaps = list(dict.fromkeys(gap.why.removeprefix("no bind was tried: ") for gap in stack.measured.gaps))
    rows = compared(stack)
    if not rows:
        return [f"nothing was tried: {'; '.join(gaps) or 'the evidence shows no attempt'}"]
    verdicts = [Row(one).verdict for one in rows]
    promised, differ, unknown = (verdicts.count(verdict) for verdict in ("as promised", "DIFFERS", "not known"))
    first = rows[0].measured
    through = f" through {first.through}" if first.shown.get("through") else ""
    said = [f"tried as {_user(first, {})}{through}: {promised} address{'' if promised == 1 else 'es'} as promised", f"{differ} differ"]
    said += [f"{unknown} not known"] if unknown else []
    absent = len(rows) - promised - differ - unknown
    said += [f"{absent} not there"] if absent else []
    return ["; ".join([*said, *left_out(first), *(f"not known: {why}" for why in gaps)])]


def _user(measured: Measured, named: Mapping[int, str]) -> str:
    uid = measured.shown.get("uid", "not shown")
    return f"user {named[uid]} ({uid})" if uid in named else f"user {uid}"


def _promised(one: Comparison) -> str:
    try:
        return str(one.prediction.lowest or "none")
    except UnknownFact:
        return "?"


def _taken(measured: Measured) -> str:
    try:
        return str(measured.lowest or "none")
    except UnknownFact:
        return "?"


def _automatic(ports: list[int]) -> str:
    """As `32801-60999, odd, no order`; or `40003, odd, one port`."""
    if not ports:
        return "none"
    parities = {port % 2 for port in ports}
    parity = "odd and even" if len(parities) > 1 else "odd" if 1 in parities else "even"
    if len(set(ports)) == 1:
        return f"{ports[0]}, {parity}, one port"
    order = "rising" if ports == sorted(ports) else "falling" if ports == sorted(ports, reverse=True) else "no order"
    return f"{min(ports)}-{max(ports)}, {parity}, {order}"
