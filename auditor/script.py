"""The POSIX sh script that asks what the collectors' probes ask: one script, all systems that have a shell.

`script.sh` beside this module is what every system needs; a collector's own shell functions are in the files that it names.
"""

from __future__ import annotations

import os

from auditor import __version__
from auditor.errors import AuditorError
from auditor.evidence import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.collector import Collector, Probe

_HERE = os.path.dirname(os.path.abspath(__file__))
_TITLE = f"""\
#!/bin/sh
# port-auditor {__version__}: prints an evidence bundle of this host. It reads, and writes nothing but its output.
#
#     ssh HOST sh -s < this-script > HOST.evidence
#
# As root it sees whose every socket is. Solaris 10's /bin/sh is no POSIX shell: `ssh HOST /usr/xpg4/bin/sh -s` there.

if (eval 'x=$(:) && [ "${{x#y}}" = "" ]') >/dev/null 2>&1; then :; else
    echo "port-auditor: this is no POSIX shell; on Solaris run /usr/xpg4/bin/sh -s" >&2
    exit 2
fi

"""
_MAIN = """\
if [ -z "$known" ]; then
    say "port-auditor: this script does not know the system ${system:-that this is}" >&2
    exit 2
fi
"""


def script(collectors: Iterable[Collector], only: frozenset[str] | None = None) -> str:
    """The whole script. `only` are the parts to ask about (None: all that are not opt-in)."""
    told = [(one, probes) for one in collectors if (probes := _askable(one))]
    known = {probe.part for _, probes in told for probe in probes}
    if unknown := set(only or ()) - known:
        raise AuditorError(f"no part is called {', '.join(sorted(unknown))}", f"the parts are: {', '.join(sorted(known))}")
    chosen = [(one, [probe for probe in probes if (probe.part in only if only is not None else not probe.opt_in)]) for one, probes in told]
    functions = "\n".join(_function(one, probes) for one, probes in chosen)
    return "".join((_TITLE, _text(os.path.join(_HERE, "script.sh")), "\n", functions, "\n", *_choice(one for one, _ in chosen), _MAIN))


def _askable(collector: Collector) -> list[Probe]:
    """The probes that a shell can ask: commands, and built-ins that have a shell function as well."""
    return [probe for probe in collector.probes if probe.argv or probe.sh]


def _text(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


def _name(collector: Collector) -> str:
    return "on_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in collector.name)


def _function(collector: Collector, probes: list[Probe]) -> str:
    """What to do on a collector's systems: its own functions, the head, and every probe."""
    parts = ",".join(sorted({probe.part for probe in probes}))
    own = "".join(f"{_text(path)}\n" for path in collector.sh_files)
    asked = "".join(f"{_call(probe)}\n" for probe in probes)
    return f"{_name(collector)}() {{\n{own}begin {_word(f'{collector.name} {__version__} script')} {_word(parts)}\n{asked}say .\n}}\n"


def _call(probe: Probe) -> str:
    if probe.sh:
        return probe.sh
    words = " ".join(_word(word) for word in probe.argv)
    return f"answer {_word(probe.name)} {probe.timeout} {_word(' '.join(quoted(word) for word in probe.argv))} {words}"


def _word(text: str) -> str:
    """A word as sh takes it, whatever it holds."""
    from shlex import quote

    return quote(text)


def _choice(collectors: Iterable[Collector]) -> Iterator[str]:
    """Which function to call; stdin is the script itself and must be kept from the commands."""
    yield "known=yes\ncase $system in\n"
    for collector in collectors:
        systems = " | ".join(_word(system) for system in collector.systems)
        yield f"    ({systems}) {_name(collector)} 5>&1 </dev/null ;;\n"
    yield "    (*) known='' ;;\nesac\n"
