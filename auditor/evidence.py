"""The evidence bundle: a host's answers, kept word for word (grammar: `port-auditor evidence 1`).

Bytes throughout; a line ends at LF only. Writing needs nothing but this file; reading is total: what cannot be understood
becomes a gap with the line in it, never an exception.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC = b"port-auditor evidence 1\n"
_UTF_8, _UTF_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
MAX_LINE = 1 << 20
MAX_BUNDLE = 64 << 20
MAX_HEAD = 1 << 10
"""Characters of a key of the head and its value: a host's name, which every finding repeats, has 255 at most (RFC 1035)."""
_QUOTING = frozenset("'\"\\")
_ANSI_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"e": b"\x1b", b"f": b"\f", b"v": b"\v"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")


class Answer:
    """What one question gave. `stdout` and `stderr` are bytes as they came; `status` is an exit code or `signal N`, `timeout S`,
    `absent`, `cut BYTES`, `unknown`; `stack` labels the network stack it speaks of (None: the one that was asked from)."""

    __slots__ = ("command", "probe", "stack", "status", "stderr", "stdout")

    def __init__(
        self, probe: str, command: str, stdout: bytes, status: str = "0", *, stderr: bytes = b"", stack: str | None = None
    ) -> None:
        self.probe = probe
        self.command = command
        self.stdout = stdout
        self.status = status
        self.stderr = stderr
        self.stack = stack

    @property
    def text(self) -> str:
        """stdout as text; bytes that are not UTF-8 become \\xNN. What begins with a byte order mark is in the encoding that it tells."""
        if self.stdout.startswith(_UTF_16):
            return self.stdout.decode("utf-16", "backslashreplace")
        return self.stdout.removeprefix(_UTF_8).decode("utf-8", "backslashreplace")

    @property
    def trouble(self) -> str | None:
        """Why this answer is no good as it stands, or None."""
        if self.status == "0":
            return None
        said = self.stderr.decode("utf-8", "backslashreplace").strip()
        return f"{self.command}: {said or 'status ' + self.status}"

    def to_bytes(self) -> bytes:
        """This answer as the bundle has it, its `@` line included."""
        at = f"@ {self.probe}" + (f" stack={quoted(self.stack)}" if self.stack is not None else "")
        return b"".join((
            at.encode(), b"\n$ ", self.command.encode("utf-8", "surrogateescape"), b"\n",
            _prefixed(b"| ", self.stdout), _prefixed(b"! ", self.stderr), b"? ", self.status.encode(), b"\n",
        ))  # fmt: skip


class Evidence:
    """A loaded bundle: `head` (the % lines), `answers` in order, `gaps` as (why, line), `sha256` of its uncompressed bytes."""

    __slots__ = ("answers", "gaps", "head", "sha256")

    def __init__(self, head: dict[str, str], answers: list[Answer], gaps: list[tuple[str, str | None]], sha256: str) -> None:
        self.head = head
        self.answers = answers
        self.gaps = gaps
        self.sha256 = sha256


def quoted(word: str) -> str:
    """One word as a shell would quote it, on one line whatever it holds."""
    if word and _PLAIN.issuperset(word):
        return word
    if word.isprintable():
        return "'" + word.replace("'", "'\\''") + "'"
    raw = word.encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(b) if 0x20 <= b < 0x7F and b not in b"\\'" else f"\\x{b:02x}" for b in raw) + "'"


def words(command: str) -> list[str]:
    """The words of a `$` line; a quoting that does not close is read as plain words."""
    if not _QUOTING.intersection(command):
        return command.replace("\t", " ").split()
    import re

    token = re.compile(r"""([ \t]+)|\$'((?:[^'\\]|\\.)*)'|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^ \t'"\\$]+|\$)""", re.DOTALL)
    found: list[str] = []
    word: str | None = None
    at = 0
    while at < len(command):
        match = token.match(command, at)
        if match is None or (match[6] == "$" and command[match.end() : match.end() + 1] == "'"):
            return command.split()
        at = match.end()
        blank, ansi, single, double, escaped, plain = match.groups()
        if blank is not None:
            found += [] if word is None else [word]
            word = None
        elif ansi is not None:
            word = (word or "") + _unescaped(ansi)
        else:
            word = (word or "") + (re.sub(r'\\(["$`\\])', r"\1", double) if double is not None else single or escaped or plain or "")
    return found if word is None else [*found, word]


def _unescaped(ansi: str) -> str:
    """What stands in a shell's $'...': \\xNN and \\NNN are bytes."""
    import re

    def byte(match: re.Match[bytes]) -> bytes:
        code = match[1]
        if code[:1] in b"x01234567" and len(code) > (code[:1] == b"x"):
            return bytes([int(code.lstrip(b"x"), 16 if code[:1] == b"x" else 8) & 0xFF])
        return _ANSI_LETTERS.get(code, code)

    raw = re.sub(rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", byte, ansi.encode("utf-8", "surrogateescape"), flags=re.DOTALL)
    return raw.decode("utf-8", "surrogateescape")


def _prefixed(prefix: bytes, stream: bytes) -> bytes:
    if not stream:
        return b""
    body, ending = (stream[:-1], b"\n") if stream.endswith(b"\n") else (stream, b"\n\\\n")
    return prefix + body.replace(b"\n", b"\n" + prefix) + ending


def opening(head: dict[str, str]) -> bytes:
    """The first lines of a bundle; a value's line breaks and control characters are escaped."""
    return MAGIC + b"".join(
        b"%% %s %s\n" % (k.encode(), "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in v).encode("utf-8", "backslashreplace"))
        for k, v in head.items()
    )


ENDING = b".\n"


def made_of(head: dict[str, str], answers: Iterable[Answer]) -> Iterator[bytes]:
    """A whole bundle, piece by piece."""
    yield opening(head)
    for answer in answers:
        yield answer.to_bytes()
    yield ENDING


def load(bundle: bytes) -> Evidence:
    """Read a bundle. Total: a line that fits nowhere, a bundle cut short, text after its end: each is a gap."""
    from hashlib import sha256

    reader = _Reader()
    if len(bundle) > MAX_BUNDLE:
        reader.gap(f"the bundle is longer than {MAX_BUNDLE} bytes; the rest was not read")
    digest = sha256(bundle).hexdigest()
    lines = bundle[:MAX_BUNDLE].split(b"\n")
    last = lines.pop()
    if last:
        reader.gap("the last line of the bundle is cut", last)
    if not lines or lines[0] + b"\n" != MAGIC:
        reader.gap("the bundle does not begin with its format line", lines[0] if lines else None)
    for line in lines[1:]:
        reader.line(line)
    reader.finish()
    return Evidence(reader.head, reader.answers, reader.gaps, digest)


class _Reader:
    def __init__(self) -> None:
        self.head: dict[str, str] = {}
        self.answers: list[Answer] = []
        self.gaps: list[tuple[str, str | None]] = []
        self._probe: tuple[str, str | None] | None = None
        self._command: str | None = None
        self._streams: tuple[list[bytes], list[bytes]] = ([], [])
        self._last: list[bytes] | None = None
        self._ended = False
        self._said_after = False

    def gap(self, why: str, line: bytes | None = None) -> None:
        self.gaps.append((why, None if line is None else line[:500].decode("utf-8", "backslashreplace")))

    def line(self, line: bytes) -> None:
        if self._ended:
            if not self._said_after:
                self.gap("something was added after the bundle's end", line)
                self._said_after = True
            return
        if len(line) > MAX_LINE:
            self.gap(f"a line is longer than {MAX_LINE} bytes and was cut", line)
            line = line[:MAX_LINE]
        mark, content = line[:1], line[2:]
        if mark in (b"|", b"!") and line[1:2] in (b" ", b"") and self._command is not None:
            stream = self._streams[0 if mark == b"|" else 1]
            if stream and not stream[-1].endswith(b"\n"):
                self.gap("a line follows one that was said to be the last", line)
                stream.append(b"\n")
            stream.append(content + b"\n")
            self._last = stream
        elif line == b"\\" and self._last and self._last[-1].endswith(b"\n"):
            self._last[-1] = self._last[-1][:-1]
        elif line == b".":
            self._close("unknown")
            self._ended = True
        elif mark == b"$" and self._probe is not None and line[1:2] == b" ":
            self._close("unknown")
            self._command = content.decode("utf-8", "surrogateescape")
        elif mark == b"?" and self._command is not None and line[1:2] == b" ":
            self._close(content.decode("ascii", "replace").strip())
        elif mark == b"@" and line[1:2] == b" ":
            self._close("unknown")
            self._at(content.decode("utf-8", "backslashreplace"))
        elif mark == b"%" and line[1:2] == b" ":
            self._percent(content.decode("utf-8", "backslashreplace"), line)
        elif line.strip():
            self.gap("a line of the bundle is of no known kind", line)

    def _at(self, text: str) -> None:
        name, _, rest = text.partition(" ")
        stack = None
        for word in words(rest):
            if word.startswith("stack="):
                stack = word[6:]
        self._probe = (name, stack)

    def _percent(self, text: str, line: bytes) -> None:
        key, _, value = text.partition(" ")
        if key in self.head:
            self.gap(f"the bundle says '{key}' twice", line)
        elif len(text) > MAX_HEAD:
            self.gap(f"the bundle's '{key[:20]}' is longer than {MAX_HEAD} characters and was not read")
        else:
            self.head[key] = value

    def _close(self, status: str) -> None:
        if self._command is not None and self._probe is not None:
            out, err = self._streams
            probe, stack = self._probe
            self.answers.append(Answer(probe, self._command, b"".join(out), status or "unknown", stderr=b"".join(err), stack=stack))
        self._command = None
        self._streams = ([], [])
        self._last = None

    def finish(self) -> None:
        if not self._ended:
            self._close("unknown")
            self.gap("the bundle was cut: its last line '.' is missing")
