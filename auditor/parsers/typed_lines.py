"""What a terminal's text has besides a command's output: prompts, and the command itself as it was typed.

`# ndd /dev/tcp NAME`, `root@host:~# no -a`, `[admin@host ~]$ ss -tln`, `host:~ user$ netstat -an`, `C:\\>netstat -ano`.
"""

from __future__ import annotations

import re

from auditor.reading import Read

_PLACE = r"\[[^\]\n]{1,80}\]|[\w.-]{1,64}@[\w.-]{1,64}[^\s#$%>]{0,80}"
_PROMPT = re.compile(
    rf"(?:(?:PS )?[A-Za-z]:\\[^<>|]{{0,200}}>|(?:\([\w.-]{{1,40}}\)\s{{0,2}})?(?:(?:{_PLACE})(?: [^\s#$%>]{{1,80}})?"
    r"|(?:[\w.@:~/()-]{1,80} ){0,2}[\w.@:~/()-]{0,80})\s{0,2}[#$%])\s{0,4}"
)
_BARE = re.compile(rf"(?:{_PLACE})\s{{0,2}}[#$%]|[$#]|(?:PS )?[A-Za-z]:\\[^<>|]{{0,200}}>")
"""A prompt alone must name a host or a drive: `100%` is none."""
_WRAPPER = r"(?:sudo|doas|busybox)\s{1,4}(?:-\S{1,40}\s{1,4}(?:[\w.-]{1,40}\s{1,4})??){0,6}"
_PATH = r"(?:[\w./:\\-]{0,80}[/\\])?"

_HOST = re.compile(
    r"(?:\([\w.-]{1,40}\)\s{0,2})?(?:\[?[\w.-]{1,64}@(?P<at>[\w.-]{1,64})|(?P<bare>(?!\w{0,4}sh-[\d.]{1,9}[#$])[A-Za-z0-9][\w.-]{0,63})(?=:[~/]|\s?[#$%]))"
)
"""The host in a prompt: `ann@web`, `web:~ ann$`, `web#`; not `bash-5.2$`."""


def pass_over_echo(read: Read, line: str) -> None:
    """Pass over a line that is an echo; where its prompt is of another host than an earlier one's it is a gap."""
    named = _HOST.match(line.strip())
    host = ((named["at"] or named["bare"]) if named else "").lower()
    if host and read.host and not _same_host(host, read.host):
        read.gap("the prompts of two hosts", line)
        return
    read.host = read.host or host or None
    read.pass_over(line, "a prompt or the command itself")


def _same_host(one: str, other: str) -> bool:
    """With or without its domain."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def typed(line: str, *programs: str) -> str | None:
    """What was typed, where the line is surely an echo of one of these programs ("" for a bare prompt); None where it is not.

    A line that begins with the program itself, without a prompt, is an echo too: ask it only of outputs that begin no line so.
    """
    text = line.strip()
    prompt = _PROMPT.match(text)
    if prompt and prompt.end() == len(text):
        return "" if _BARE.fullmatch(text) else None
    rest = text[prompt.end() :] if prompt else text
    return rest if _runs(rest, programs) else None


def is_echo(line: str, *programs: str) -> bool:
    """Whether the line is surely a prompt with one of these commands after it, or a prompt alone."""
    text = line.strip()
    prompt = _PROMPT.match(text)
    if prompt is None:
        return False
    return _runs(text[prompt.end() :], programs) if prompt.end() < len(text) else _BARE.fullmatch(text) is not None


def _runs(rest: str, programs: tuple[str, ...]) -> bool:
    named = "|".join(re.escape(program) for program in programs)
    return re.match(rf"(?:{_WRAPPER})?{_PATH}(?:{named})(?:\.exe)?(?:\s|\Z)", rest, re.ASCII | re.IGNORECASE) is not None
