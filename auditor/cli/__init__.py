"""The command line: parse, call, print. The only place that prints to a terminal or exits."""

from __future__ import annotations

import os
import sys

from auditor import __version__
from auditor.cli import ending, standard_streams
from auditor.cli.notices import say
from auditor.errors import AuditorError

COMMANDS = {
    "audit": "audit this host, or saved evidence, against a policy",
    "collect": "write this host's evidence bundle",
    "script": "print a shell script that takes a bundle on a host without Python",
    "bundle": "make a bundle of saved command output",
    "snapshot": "print what evidence means, as JSON",
    "diff": "print what changed between two sources",
    "rules": "list the rules, or show one rule's document",
    "port": "print everything known of a port",
    "bind-test": "really bind on this host, as an unprivileged user, beside what is promised",
    "suggest-port": "print ports that no chosen system uses by itself and nobody is assigned",
    "policy": "check a policy, show it as merged, or draft one from what listens",
    "tables": "list, import or check the tables that hosts are compared with",
}
EXIT_CODES = """\
exit codes:
  0    audited; nothing open at or above --fail-on
  1    open findings at or above --fail-on
  2    usage, configuration or policy error; nothing was audited
  3    incomplete: something is unknown, or there was nothing to audit
  70   internal error
  74   output could not be written
  130  interrupted"""
_WIDTH = 100
_INTERNAL, _OUTPUT, _INTERRUPTED, _USAGE = 70, 74, 130, 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code. What SIGTERM or SIGHUP ends dies by it, once what is half written is cleared away."""
    standard_streams.stand_in()
    try:
        with ending.heeded():
            return _code(sys.argv[1:] if argv is None else argv)
    except ending.Ended as ended:
        say(f"port-auditor: ended by signal {ended.number}")
        return ending.die_by(ended.number)


def _code(arguments: list[str]) -> int:
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except AuditorError as error:
        _flush_stdout()
        say(*f"port-auditor: {error}\n  what to do: {error.advice}".split("\n"))
        return error.exit_code
    except BrokenPipeError:
        _drop_stdout()
        return _OUTPUT
    except KeyboardInterrupt:
        say("port-auditor: interrupted")
        return _INTERRUPTED
    except OSError as error:
        _drop_stdout()
        say(f"port-auditor: {error}")
        say("  what to do: see whether the place that was written to is full or gone")
        return _OUTPUT
    except Exception as error:
        _internal(error)
        return _INTERNAL


def _flush_stdout() -> None:
    """What was told comes before what went wrong; and where it has nowhere to go, that is not what went wrong."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_stdout()


def _drop_stdout() -> None:
    """What is still buffered has nowhere to go: let the interpreter's last flush find a place that takes it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _internal(error: Exception) -> None:
    """One line for the person, and where it happened: no traceback, which is only shown to those who ask for it."""
    if os.environ.get("PORT_AUDITOR_TRACEBACK"):
        raise error
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    at = f" ({where.tb_frame.f_code.co_filename.rpartition('/')[2]}:{where.tb_lineno})" if where else ""
    say(f"port-auditor: internal error: {type(error).__name__}: {error}{at}")
    say("  what to do: report it; PORT_AUDITOR_TRACEBACK=1 in the environment shows where it comes from")


def _run(arguments: list[str]) -> int:
    import argparse

    def formatter(prog: str) -> argparse.HelpFormatter:
        return argparse.RawDescriptionHelpFormatter(prog, width=_WIDTH)  # argparse would import shutil to ask the terminal

    if arguments and arguments[0] in COMMANDS:
        name = arguments[0]
        command = __import__(f"auditor.cli.{name.replace('-', '_')}", fromlist=["run"])
        parser = argparse.ArgumentParser(
            prog=f"port-auditor {name}", description=command.HELP, epilog=command.EXAMPLE, allow_abbrev=False,
            formatter_class=formatter,
        )  # fmt: skip
        command.arguments(parser)
        parsed = parser.parse_args(arguments[1:])
        return int(command.run(parsed))
    listing = "\n".join(f"  {name:{max(map(len, COMMANDS))}} {what}" for name, what in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="port-auditor", usage="port-auditor [--help] [--version] COMMAND ...",
        description="Audit what listens on hosts, and what their kernels hand out, against port policy.",
        epilog=f"commands (each has --help):\n{listing}\n\n{EXIT_CODES}", formatter_class=formatter,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"port-auditor {__version__}")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    named = parser.parse_args(arguments).command
    if named is not None:
        from difflib import get_close_matches

        near = get_close_matches(named, COMMANDS, 1)
        raise AuditorError(f"there is no command {named!r}", f"did you mean '{near[0]}'?" if near else "port-auditor --help lists them")
    parser.print_help(sys.stderr)
    return _USAGE
