"""`port-auditor bind-test`: what is promised to an unprivileged user who binds, beside what binding really gives."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from auditor.bind_prediction import Comparison
from auditor.bind_view import Row, address, compared, left_out, who
from auditor.child import CHILD_ENVIRONMENT
from auditor.collect import bundle, parts
from auditor.display import harmless
from auditor.errors import AuditorError
from auditor.evidence import load as load_evidence
from auditor.model import Stack
from auditor.plugins import collector_for, rule_parameters
from auditor.policy import Policy, load
from auditor.policy_entries import Entry
from auditor.port_range import PORT_MAX
from auditor.sources import this_host
from auditor.tables import Tables

if TYPE_CHECKING:
    from auditor.live.drop import User

HELP = """\
Really bind ports of this host in a child that drops to an unprivileged user for good; nothing is listened on, and each port is let go at
once. Prints what the facts promise beside what binding gave, for each network stack that may be entered. Ports that are in use, or that
the policy or a unit file names, are never tried. Exit code 1 where it differs, 3 where something is unknown or could not be tried."""
EXAMPLE = """\
examples:
  sudo port-auditor bind-test -p web.yaml
  sudo port-auditor bind-test --user www-data --launcher 'authbind --deep' --python /usr/bin/python3
  sudo port-auditor bind-test --every --stack host"""
_PARTS = frozenset({"ports", "units", "grants", "bind-test"})
_DIFFERS, _UNKNOWN = 1, 3
_HOST = "host"
"""The stack that launchers and other programs of a host are tried in: what its files grant is told of that one."""
_NO_STACK = "nothing was tried: no network stack was seen"
_NOTHING_TRIED = "nothing was tried: no port was asked for at any address, so this says nothing of who may bind"
_PORT_OF_SUBJECT = re.compile(r":([0-9]{1,5})$")
_ASKED = "import sys; print(sys.version_info >= (3, 7))"
_SECONDS = 10
"""How long a Python may take to answer that."""
WIDTH, LABEL = 100, 24
"""Columns of a line, and of an address before what stands beside it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-p", "--policy", default="baseline", metavar="NAME|FILE", help="try no port that this policy names (default: baseline)")
    add("--user", metavar="USER", help="as this user, a name or UID:GID (default: nobody; without root, yourself)")
    add("--launcher", metavar="WORDS", help="by a Python that these words start, as 'authbind --deep'")
    add("--python", metavar="FILE", help="by this Python, started anew: as one that has file capabilities")
    add("--every", action="store_true", help="try every port up to 1024, not the border and some ports beside it alone")
    add("--stack", metavar="NAME", help="in this network stack only (default: all; with --launcher or --python: host)")
    add("-o", "--output", metavar="FILE", help="write the evidence bundle there too")


def run(parsed: argparse.Namespace) -> int:
    policy = load(parsed.policy, rule_parameters())
    told = options([policy], user=parsed.user, launcher=parsed.launcher, python=parsed.python, every=parsed.every)
    chosen = parsed.stack or (_HOST if told["launcher"] or told["python"] else None)
    if chosen is not None:
        told["stacks"] = [_label(chosen)]
    source = this_host(Tables(), only=_PARTS, options={"bind-test": told, **_search(told)})
    if parsed.output is not None and source.evidence is not None:
        from auditor.output import write

        write(parsed.output, [source.evidence])
    known = source.snapshot.stacks
    stacks = [stack for stack in known.seen if chosen in (None, stack.name)]
    beside = {stack.name: compared(stack) for stack in stacks}
    user = _becomes(parsed.user)
    named = {user.uid: user.name} if user.name else {}
    print("\n".join(line for stack in stacks for line in _of_stack(stack, beside[stack.name], named)) or _NO_STACK)
    every = [one for of in beside.values() for one in of]
    if any(one.differs for one in every):
        return _DIFFERS
    unseen = known.gaps and chosen is None
    untried = not stacks or any(_untried(stack, beside[stack.name]) for stack in stacks)
    return _UNKNOWN if unseen or untried or any(one.doubt for one in every) else 0


def options(
    policies: Iterable[Policy], *, user: str | None = None, launcher: str | None = None, python: str | None = None, every: bool = False
) -> dict[str, object]:  # fmt: skip
    """What the probe `bind-test` finds in its notebook. AuditorError where this host has no such probe, or it could not begin."""
    system = os.uname().sysname
    if "bind-test" not in parts(collector_for(system)):
        raise AuditorError(f"there is no bind test for {system} yet", "it is there for Linux; on other systems the facts alone are shown")
    who_tries, words = _becomes(user), _launcher(launcher)
    return {
        "user": user, "avoid": [ports for policy in policies for ports in named_in(policy)], "every": every,
        "launcher": words, "python": _python(who_tries, python) if python is not None or words else None,
    }  # fmt: skip


def _becomes(user: str | None) -> User:
    """Who tries. AuditorError where this run may not become that."""
    from auditor.live.bind_test import DEFAULT_USER
    from auditor.live.drop import Unable, User, may_become

    try:
        return may_become(None if user is None else User.named(user), DEFAULT_USER)
    except Unable as why:
        raise AuditorError(f"bind-test: {why}", "name another with --user, as NAME or UID:GID; as root it may be any but root") from why


def _python(user: User, name: str | None) -> str:
    """The Python of that name; or, where a launcher was given alone, the first that the user may run of the host's own and ours."""
    hint = "name one that this user may run, with --python"
    if name is not None:
        path = _program(name, "--python")
        if why := _why_no_python(user, path):
            raise AuditorError(f"--python {name} is no Python (3.7 or later) that {user} can run: {why}", hint)
        return path
    known = (shutil.which("python3", path=CHILD_ENVIRONMENT["PATH"]), os.path.realpath("/proc/self/exe"))
    found = next((path for path in known if path is not None and not _why_no_python(user, path)), None)
    if found is None:
        raise AuditorError(f"--launcher: no Python (3.7 or later) was found that {user} can run", hint)
    return found


def _why_no_python(user: User, path: str) -> str | None:
    """What a program says when that user asks it for its version; None where it is one of use. Root never runs it."""
    from auditor.live.drop import run_as

    said = run_as(user, [path, "-I", "-c", _ASKED], lambda: None, b"", _SECONDS, CHILD_ENVIRONMENT)
    return None if (said.status, said.stdout) == ("0", b"True\n") else f"{said.why} ({said.status})"


def named_in(policy: Policy) -> Iterator[tuple[int, int]]:
    """First and last of all ports that a policy names: of listeners, of what must be reserved, and of what was accepted."""
    entries: list[Entry] = [*policy.approved, *policy.required, *policy.forbidden]
    for entry in entries:
        entries += entry.exceptions
        yield from ((ports.first, ports.last) for ports in entry.ports)
    yield from ((ports.first, ports.last) for ports in policy.reserved_must_include)
    for subjects in (*(waiver.subjects for waiver in policy.waivers), *(gap.subjects for gap in policy.gaps)):
        for subject in subjects or ():
            if (port := _PORT_OF_SUBJECT.search(subject.pattern)) and int(port[1]) <= PORT_MAX:
                yield int(port[1]), int(port[1])


def _launcher(words: str | None) -> list[str] | None:
    if words is None:
        return None
    try:
        found = shlex.split(words)
    except ValueError as why:
        raise AuditorError(f"--launcher {words!r}: {why}", "quote it as a shell would, as --launcher 'authbind --deep'") from why
    if not found:
        raise AuditorError("--launcher has no word", "name a program, as --launcher 'authbind --deep'")
    return [_program(found[0], "--launcher"), *found[1:]]


def _program(name: str, option: str) -> str:
    """Its path. AuditorError where there is no such program."""
    path = shutil.which(os.path.abspath(name) if "/" in name else name, path=CHILD_ENVIRONMENT["PATH"])
    if path is None:
        raise AuditorError(f"{option} {name}: no such program", f"name one by its path, or one in {CHILD_ENVIRONMENT['PATH']}")
    return path


def _search(told: dict[str, object]) -> dict[str, object]:
    """Where to look for file capabilities beside the usual places: where the given programs lie."""
    launcher = told["launcher"]
    programs = [told["python"], *(launcher[:1] if isinstance(launcher, list) else [])]
    folders = {os.path.dirname(os.path.realpath(str(program))) for program in programs if program}
    from auditor.live.file_search import SEARCH_PATH

    roots = sorted(folders - {os.path.realpath(folder) for folder in SEARCH_PATH})
    return {"search": {"roots": roots}} if roots else {}


def _label(name: str) -> str:
    """What the probes call the network stack of that name. AuditorError where there is none."""
    from auditor.collectors._linux_evidence import LinuxEvidence
    from auditor.collectors._linux_measured import labels

    evidence = load_evidence(b"".join(bundle(collector_for(os.uname().sysname), frozenset({"ports"}))))
    known = labels(LinuxEvidence(evidence))
    if name not in known:
        raise AuditorError(f"no stack is called {name!r}", f"the stacks seen are: {', '.join(sorted(known))}")
    return known[name]


def _of_stack(stack: Stack, tried: list[Comparison], named: Mapping[int, str]) -> Iterator[str]:
    yield harmless(stack.name)
    if tried:
        yield from _filled(who(tried[0].measured, named))
        yield f"  {'':{LABEL}} promised  taken    bind(0) gave"
    for one in tried:
        yield from _row(one)
    messages: dict[str, list[str]] = {}
    for one in tried:
        if one.differs:
            messages.setdefault(one.message, []).append(address(one.measured))
    for message, where in messages.items():
        yield from _filled(f"{', '.join(where)}: {message}")
    for why in dict.fromkeys(str(one.doubt) for one in tried if one.doubt):
        yield from _filled(f"not known: {why}")
    for why in dict.fromkeys(gap.why for gap in stack.measured.gaps):
        yield from _filled(why)
    if not any(one.tried for one in tried) and not stack.measured.gaps:
        yield from _filled(_NOTHING_TRIED)
    for line in [*(left_out(tried[0].measured) if tried else ()), *_limits(stack)]:
        yield from _filled(line)


def _untried(stack: Stack, tried: list[Comparison]) -> bool:
    """Whether something of a stack was not tried, or nothing at all was."""
    return bool(stack.measured.gaps) or not any(one.tried for one in tried)


def _limits(stack: Stack) -> list[str]:
    from auditor.collectors._linux_measured import limits

    return limits(stack.measured)


def _row(one: Comparison) -> list[str]:
    row = Row(one)
    label = harmless(row.address)
    beside = row.verdict if one.absent is not None else f"{row.promised:<9} {row.taken:<8} {row.automatic:<40} {row.verdict}"
    return [f"  {label:<{LABEL}} {beside}"] if len(label) <= LABEL else [f"  {label}", f"  {'':{LABEL}} {beside}"]


def _filled(text: str) -> list[str]:
    return textwrap.wrap(harmless(text), WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip
