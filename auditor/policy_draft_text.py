"""A draft as the text of a policy. Whatever a host said stands in a YAML scalar or, made harmless and on one line, in a comment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.display import harmless
from auditor.in_words import counted
from auditor.policy_draft import Draft, Proposal, Seen
from auditor.yaml_nodes import scalar

HOSTS_NAMED = 5
LINES_MAX = 500
"""Comments of a kind; a draft of a fleet must still be a file that loads."""
_LONGEST = 300


def text(draft: Draft, extends: str, made: str) -> str:
    """The policy that `draft` proposes on top of `extends`; `made` says of what it was made and when."""
    return "\n".join(_lines(draft, extends, made)) + "\n"


def _lines(draft: Draft, extends: str, made: str) -> Iterator[str]:
    yield _comment(f"A draft by `port-auditor policy init`, {made}. Nobody has approved it.")
    fill_in = "".join(f", fill in each `{key}`" for key in draft.to_fill[1:])
    yield _comment(
        f"Say in each `purpose` what it is for{fill_in}, and delete what should not be there; `policy check` refuses this file until then."
    )
    yield from _few([f"{host} may listen on more than was seen: {why}" for host, why in draft.gaps])
    if draft.already:
        yield _comment(f"{counted(draft.already, 'listener')} not listed here: what this extends approves them already.")
    yield "policy: 1"
    yield f"extends: [{scalar(extends)}]"
    yield "listening:"
    yield "  approved:" if draft.proposed else "  approved: []"
    for proposal in draft.proposed:
        yield "    " + _comment("; ".join([_share(proposal, draft), *proposal.notes]))
        yield from _entry(proposal, draft.to_fill)
    if draft.rare:
        yield ""
        yield _comment(f"On fewer than {draft.share} % of the hosts, and so not proposed:")
        by_share = sorted(draft.rare, key=lambda proposal: -len(proposal.hosts))
        yield from _few([f"  {_told(proposal)}: {_share(proposal, draft)}: {_some(proposal.hosts)}" for proposal in by_share])
    if draft.refused:
        yield ""
        yield _comment("Not proposed:")
        yield from _few(list(_refused(draft.refused)))


def _entry(proposal: Proposal, to_fill: Iterable[str]) -> Iterator[str]:
    dash = "- "
    for key, values in proposal.values.items():
        said = scalar(values[0]) if len(values) == 1 else f"[{', '.join(map(scalar, values))}]"
        yield f"    {dash}{key}: {said}"
        dash = "  "
    yield from (f"      {key}:" for key in to_fill)


def _comment(said: str) -> str:
    """One line, whatever is said."""
    plain = harmless(said)
    return "# " + (plain if len(plain) <= _LONGEST else plain[:_LONGEST] + " ...")


def _few(comments: list[str]) -> Iterator[str]:
    yield from map(_comment, comments[:LINES_MAX])
    if len(comments) > LINES_MAX:
        yield _comment(f"  and {len(comments) - LINES_MAX} more")


def _share(proposal: Proposal, draft: Draft) -> str:
    return f"on {len(proposal.hosts)} of {counted(draft.hosts, 'host')}"


def _told(proposal: Proposal) -> str:
    return ", ".join(f"{key} {' '.join(values)}" for key, values in proposal.values.items())


def _refused(refused: Iterable[tuple[str, Seen]]) -> Iterator[str]:
    alike: dict[tuple[str, str, str], list[str]] = {}
    for why, seen in refused:
        where = "" if seen.stack.shown.get("kind") == "host" else f" in {seen.stack.name}"
        held = {str(owner.shown.get("executable") or owner.shown.get("process", "?")) for owner in seen.socket.shown.get("owners_seen", [])}
        by = f", held by {' and '.join(sorted(held))}" if held else ""
        alike.setdefault((seen.socket.numbered_subject + where, by, why), []).append(seen.host)
    for (what, by, why), hosts in alike.items():
        yield f"  {what}{by}: {why}; on {_some(list(dict.fromkeys(hosts)))}"


def _some(hosts: list[str]) -> str:
    more = f" and {len(hosts) - HOSTS_NAMED} more" if len(hosts) > HOSTS_NAMED else ""
    return ", ".join(hosts[:HOSTS_NAMED]) + more
