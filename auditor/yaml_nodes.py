"""YAML text as nodes that remember where they were written, and nothing more than YAML's small, plain part.

Scalars stay the text they were: `22:30`, `off`, `010` and `no` mean what they look like, and whoever reads a node says what it
expects there. Anchors, aliases, tags, directives, duplicate keys and second documents are refused, because none of them is
needed and each can make a file say something else than a reader sees. What goes wrong is a PolicyError `file:line:column: ...`.
"""

from __future__ import annotations

import os
import stat
from typing import Any

from auditor.errors import PolicyError

SIZE_MAX = 1 << 20
"""Bytes a file may have."""
DEPTH_MAX = 32
"""Mappings and sequences that may lie inside each other."""
NODES_MAX = 100_000
_SHOWN_MAX = 80
_ODD_LETTERS = "\u2028\u2029\ufffe\uffff"
"""Ends of lines to YAML and to nobody else, and what is no character."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.@+-*= ")
_NOT_FIRST = frozenset("*-@=+ ")


class Node:
    """Where something was written: `file` as it may be shown, `line` and `column` from 1; line 0 of what stands in no file, as a word of
    the command line."""

    __slots__ = ("column", "file", "line")

    def __init__(self, file: str, line: int, column: int) -> None:
        self.file = file
        self.line = line
        self.column = column

    @property
    def where(self) -> str:
        """As `policies/web.yaml:12:5`."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @property
    def origin(self) -> str:
        """As `policies/web.yaml:12`."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def found(self) -> str:
        """How an error names what it found here."""
        return "a list"

    def error(self, message: str, advice: str) -> PolicyError:
        """A PolicyError about this place, to be raised."""
        return PolicyError(f"{self.where}: {message}", advice)


class Scalar(Node):
    """A text, exactly as written; `plain` says that it stood without quotes."""

    __slots__ = ("plain", "text")

    def __init__(self, text: str, file: str, line: int, column: int, plain: bool = True) -> None:
        self.text = text
        self.plain = plain
        self.file = file
        self.line = line
        self.column = column

    @property
    def found(self) -> str:
        return quoted(self.text) if self.text or not self.plain else "nothing"


class Sequence(Node):
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(self, file: str, line: int, column: int) -> None:
        super().__init__(file, line, column)
        self.items: list[Node] = []


class Mapping(Node):
    """Keys in the order in which they were written; each has the node of the key itself and that of its value."""

    __slots__ = ("items",)

    def __init__(self, file: str, line: int, column: int) -> None:
        super().__init__(file, line, column)
        self.items: dict[str, tuple[Scalar, Node]] = {}

    @property
    def found(self) -> str:
        return "a mapping"


def quoted(text: str) -> str:
    """`text` for a message: in quotes, cut to a line, and with nothing in it that a terminal would obey."""
    return repr(text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "...")


def printable(text: str) -> str:
    """`text` as it is if a terminal would show it as it is, else escaped."""
    return text if text.isprintable() else repr(text)[1:-1]


def flow(node: Node) -> str:
    """`node` as YAML on one line, which reads as the same texts again."""
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(value)}" for key, value in node.items.values()) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(flow(item) for item in node.items) + "]"
    return scalar(node.text) if isinstance(node, Scalar) else ""


def joined(nodes: list[Node]) -> Node:
    """One node as it is; several as one list of them and of their items."""
    if len(nodes) == 1:
        return nodes[0]
    whole = Sequence(nodes[0].file, nodes[0].line, nodes[0].column)
    whole.items = [item for node in nodes for item in (node.items if isinstance(node, Sequence) else [node])]
    return whole


def scalar(text: str) -> str:
    """`text` as a YAML scalar on one line, without quotes where it needs none."""
    if text and text[0] not in _NOT_FIRST and text[-1] != " " and all(letter in _PLAIN for letter in text):
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else f"\\U{ord(letter):08x}"


def load(path: str, shown: str | None = None) -> tuple[Mapping, bytes]:
    """Read one file: its mapping and its bytes. `shown` is what errors call the file (default: `path`). Raises PolicyError."""
    file = printable(path if shown is None else shown)
    content = content_of(path, file)
    return parse(content, file), content


def parse(content: bytes, file: str) -> Mapping:
    """The one mapping that `content` is. Raises PolicyError."""
    import re

    import yaml

    text = text_of(content, file)
    directive = re.search(r"(?:^|[\n\r])%", text) if "%" in text else None
    if directive:
        raise _at(text[: directive.end() - 1], file).error("a YAML directive", "remove the line; a text that begins with % needs quotes")
    try:
        top = _build(_parser(text).get_event, file)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Node(file, mark.line + 1, mark.column + 1) if mark else Node(file, 1, 1)
        raise place.error(f"not YAML: {printable(error.problem or error.context or 'broken')}", _syntax_advice(text, place)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        first = str(error).partition("\n")[0]
        raise PolicyError(f"{file}:1:1: not YAML: {printable(first)}", "look for an escape that is no character") from None
    if not isinstance(top, Mapping):
        raise top.error(f"expected keys and values, found {top.found}", "a policy begins with the line 'policy: 1'")
    return top


def _parser(text: str) -> Any:
    """PyYAML's parser in C, about ten times as fast, or the one in Python where there is no libyaml."""
    import yaml

    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)


def content_of(path: str, file: str, what: str = "YAML") -> bytes:
    """The bytes of a regular file; one more than SIZE_MAX where it is larger. Raises PolicyError, which calls it `file`."""
    advice = f"give the path of a {what} file that you may read"
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
    try:
        descriptor = os.open(path, flags)
    except ValueError:
        raise PolicyError(f"{file}: not a path", advice) from None
    except OSError as error:
        raise PolicyError(f"{file}: cannot be read: {error.strerror}", advice) from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise PolicyError(f"{file}: is {'a directory' if stat.S_ISDIR(mode) else 'not a regular file'}", advice)
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            content = stream.read(SIZE_MAX + 1)
    except OSError as error:
        raise PolicyError(f"{file}: cannot be read: {error.strerror}", advice) from None
    finally:
        os.close(descriptor)
    return content


def text_of(content: bytes, file: str, split: str = "split it, and let one file name the others in 'extends'") -> str:
    """A file's text without a byte order mark; refuses, before a parser sees it, what has no place in a text. `split` is what to do with
    a file that is too large. Raises PolicyError."""
    import re

    if len(content) > SIZE_MAX:
        raise PolicyError(f"{file}: is larger than {SIZE_MAX} bytes", split)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8")  # error.object: the bytes without the mark
        raise _at(before, file).error(f"not UTF-8: byte 0x{error.object[error.start]:02x}", "save the file as UTF-8") from None
    odd = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text)
    places = [odd.start()] if odd else [text.index(letter) for letter in _ODD_LETTERS if letter in text]
    if places:
        advice = "remove it; only line ends and tabs are allowed"
        raise _at(text[: min(places)], file).error(f"a control character, {quoted(text[min(places)])}", advice)
    return text


def _at(before: str, file: str) -> Node:
    """The place just after the text `before`."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Node(file, len(lines), len(lines[-1]) + 1)


def _syntax_advice(text: str, place: Node) -> str:
    lines = text.splitlines()
    if place.line <= len(lines) and "\t" in lines[place.line - 1]:
        return "indent with spaces: YAML allows no tabs there"
    return "indent with spaces; quote a text that begins with one of * & ! % @ or holds ': ' or ' #'"


def _build(next_event: Any, file: str) -> Node:
    """One pass over the parser's events. Does not recurse, and stops at the first thing it refuses."""
    from yaml import events

    scalar, mapping, sequence, alias = events.ScalarEvent, events.MappingStartEvent, events.SequenceStartEvent, events.AliasEvent
    ends = (events.MappingEndEvent, events.SequenceEndEvent)
    top: Node | None = None
    open_nodes: list[Mapping | Sequence] = []
    keys: list[Scalar | None] = []  # for each open node: the key that waits for its value
    count = 0
    while True:
        event = next_event()
        kind = type(event)
        if kind is not scalar and kind is not mapping and kind is not sequence and kind is not alias:
            if kind in ends:
                open_nodes.pop()
                keys.pop()
            elif kind is events.StreamEndEvent:
                break
            elif kind is events.DocumentStartEvent and top is not None:
                raise _place(event, file).error("a second document", "one file is one policy: remove this line and what follows")
            continue
        if event.anchor is not None or event.tag is not None:
            raise _refused(event, kind is alias, file)  # an alias has its anchor's name
        mark = event.start_mark
        node: Node
        if kind is scalar:
            node = Scalar(event.value, file, mark.line + 1, mark.column + 1, not event.style)
        else:
            node = (Mapping if kind is mapping else Sequence)(file, mark.line + 1, mark.column + 1)
        count += 1
        if count > NODES_MAX:
            raise node.error(f"more than {NODES_MAX} keys and values", "split the policy, and join the files by 'extends'")
        inner = open_nodes[-1] if open_nodes else None
        if inner is None:
            top = node
        elif isinstance(inner, Sequence):
            inner.items.append(node)
        elif (key := keys[-1]) is None:
            keys[-1] = _key(node, inner)
        else:
            inner.items[key.text] = (key, node)
            keys[-1] = None
        if kind is not scalar and isinstance(node, (Mapping, Sequence)):
            if len(open_nodes) == DEPTH_MAX:
                raise node.error(f"more than {DEPTH_MAX} levels deep", "no policy needs this: write it flatter")
            open_nodes.append(node)
            keys.append(None)
    if top is None or (isinstance(top, Scalar) and top.plain and not top.text):
        raise PolicyError(f"{file}:1:1: the file is empty", "a policy begins with the line 'policy: 1'")
    return top


def _place(event: Any, file: str) -> Node:
    return Node(file, event.start_mark.line + 1, event.start_mark.column + 1)


def _key(node: Node, inside: Mapping) -> Scalar:
    if not isinstance(node, Scalar) or not node.text:
        raise node.error(f"a key must be a text, found {node.found}", "write 'key: value'")
    if node.text in inside.items:
        first = inside.items[node.text][0]
        raise node.error(f"duplicate key {quoted(node.text)}", f"it stands in line {first.line} already: keep one of the two")
    return node


def _refused(event: Any, alias: bool, file: str) -> PolicyError:
    if event.anchor is None:
        return _place(event, file).error(f"a tag, {quoted(event.tag)}", "remove it: what a value is follows from its key")
    what, mark = ("an alias", "*") if alias else ("an anchor", "&")
    advice = f"put a text that begins with {mark} in quotes; else write it out"
    return _place(event, file).error(f"{what}, {quoted(mark + event.anchor)}", advice)
