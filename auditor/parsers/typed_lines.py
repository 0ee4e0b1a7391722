"""What a terminal's text has besides a command's output: prompts, and the command itself as it was typed.

`# ndd /dev/tcp NAME`, `root@host:~# no -a`, `[admin@host ~]$ ss -tln`, `host:~ user$ netstat -an`, `C:\\>netstat -ano`.
"""

from __future__ import annotations

import re

_PLACE = r"\[[^\]\n]{1,80}\]|[\w.-]{1,64}@[\w.-]{1,64}[^\s#$%>]{0,80}"
_PROMPT = re.compile(
    rf"(?:(?:PS )?[A-Za-z]:\\[^<>|]{{0,200}}>|(?:\([\w.-]{{1,40}}\)\s{{0,2}})?(?:(?:{_PLACE})(?: [^\s#$%>]{{1,80}})?"
    r"|(?:[\w.@:~/()-]{1,80} ){0,2}[\w.@:~/()-]{0,80})\s{0,2}[#$%])\s{0,4}"
)
_BARE = re.compile(rf"(?:{_PLACE})\s{{0,2}}[#$%]|[$#]|(?:PS )?[A-Za-z]:\\[^<>|]{{0,200}}>")
"""A prompt alone must name a host or a drive: `100%` is none."""
_WRAPPER = r"(?:sudo|doas|busybox)\s{1,4}(?:-\S{1,40}\s{1,4}(?:[\w.-]{1,40}\s{1,4})??){0,6}"
_PATH = r"(?:[\w./:\\-]{0,80}[/\\])?"


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
