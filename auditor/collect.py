"""Run a collector's probes on this host and give the bundle, piece by piece."""

from __future__ import annotations

import os
import sys
import time

from auditor import __version__
from auditor.child import run
from auditor.collector import Collector, Probe
from auditor.errors import AuditorError
from auditor.evidence import ENDING, Answer, opening

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


_RESTING_ON_OTHERS = frozenset({"grants", "endpoints", "bind-test"})
_OTHERS = frozenset({"ports", "units"})
"""Parts that mean nothing without the threshold, the stacks and the units: who asks for them asks for these too."""


def parts(collector: Collector) -> dict[str, bool]:
    """The names `--only` takes, and whether each is asked only when named."""
    return {probe.part: probe.opt_in for probe in collector.probes}


def bundle(
    collector: Collector, only: frozenset[str] | None = None, also: frozenset[str] = frozenset(), trouble: list[str] | None = None,
    options: dict[str, object] | None = None,
) -> Iterator[bytes]:  # fmt: skip
    """The evidence of this host. `only` are the parts to ask about (None: all that are not opt-in), `also` opt-in ones to add; `options`
    are what probes find in their notebook from the start, by the probe's name for it.

    What could not be seen is said in the bundle; `trouble` is a list to which each such reason is added as well.
    """
    known = parts(collector)
    if unknown := (set(only or ()) | also) - known.keys():
        raise AuditorError(
            f"no part is called {', '.join(sorted(unknown))}", f"the parts of {collector.name} are: {', '.join(sorted(known))}"
        )
    chosen = set(only) if only is not None else {part for part, opt_in in known.items() if not opt_in}
    if (chosen | also) & _RESTING_ON_OTHERS:
        chosen |= _OTHERS & known.keys()
    yield opening(_head(collector, sorted((set(chosen) | also) & known.keys())))
    notebook: dict[str, object] = {"parts": set(chosen) | also, **(options or {})}
    for probe in collector.probes:
        if probe.part in chosen or probe.part in also:
            for answer in _ask(probe, notebook):
                if trouble is not None and answer.status != "absent" and not probe.optional and (why := answer.trouble):
                    trouble.append(why)
                yield answer.to_bytes()
    yield ENDING


def _head(collector: Collector, asked: list[str]) -> dict[str, str]:
    name = os.uname()
    head = {
        "system": name.sysname,
        "release": name.release,
        "host": name.nodename,
        "taken": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "uid": str(os.geteuid()),
        "byteorder": sys.byteorder,
        "collector": f"{collector.name} {__version__}",
        "asked": ",".join(asked),
    }
    for key, path in (("machine-id", "/etc/machine-id"), ("boot-id", "/proc/sys/kernel/random/boot_id")):
        try:
            with open(path, encoding="ascii", errors="replace") as file:
                value = file.read(64).strip()
        except OSError:
            continue
        if value:
            head[key] = value
    return head


def _ask(probe: Probe, notebook: dict[str, object]) -> Iterator[Answer]:
    if probe.ask:
        module, _, name = probe.ask.partition(":")
        yield from getattr(__import__(module, fromlist=[name]), name)(notebook)
    else:
        yield run(probe.name, probe.argv, probe.timeout)
