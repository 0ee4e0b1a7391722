"""Errors about us: a bad policy, an unreadable file, a broken plugin.

What a host did (a missing command, no permission, an odd line) is never one of these: it is a gap or an unknown fact, and
ends in the report. These end at the command line, which prints the message, then `advice`, and exits with `exit_code`.
"""


class AuditorError(Exception):
    """Something about us that a person must mend. `advice` is the next thing to do, as one sentence."""

    exit_code = 2

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class PolicyError(AuditorError):
    """A policy that does not say what it seems to say; the message starts with file:line:column."""


class TableError(AuditorError):
    """A table (IANA, vendor ranges) that is missing, broken or not what its head claims."""


class SourceError(AuditorError):
    """A bundle or snapshot that cannot be read at all."""


class PluginError(AuditorError):
    """A plugin that does not import, defines nothing, or takes a name that is taken."""


class OutputError(AuditorError):
    """A report or bundle could not be written where it was asked for."""

    exit_code = 74
