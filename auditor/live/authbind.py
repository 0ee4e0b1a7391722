"""authbind: the setuid helper, and the files in /etc/authbind by whose names, modes and lines it lets others than root bind.

What decides is authbind(1) and helper.c of authbind 2.1: names that the helper never asks for are left out, as are lines that are no rule.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct

from auditor.evidence import Answer
from auditor.live import files, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HELPERS = ("/usr/lib/authbind/helper", "/usr/local/lib/authbind/helper")
"""As packages install it, and as its own Makefile does."""
ROOT = "/etc/authbind"
NAMES = {
    "byport": re.compile(r"!?[0-9]{1,5}"),
    "byaddr": re.compile(r"!?[0-9A-Fa-f.:]+[,:][0-9]{1,5}"),
    "byuid": re.compile(r"!?[0-9]{1,10}"),
}
COLUMNS = "path state kind rights folders mount link"
RULE_COLUMNS = "path line rule"
_MOST_NAMES = 20_000
_MOST_BYTES = 1 << 18
_LINE = 298
"""The helper reads so many bytes at a time: fgets(3) with a buffer of 300, less 1, less the NUL."""
_RULE = re.compile(rb"[0-9A-Fa-f.:/,+\- \t\n\v\f\r]*")
_ACCESS_LIST = "system.posix_acl_access"
_HAS_NONE = (errno.ENODATA, errno.ENOTSUP)
_ACL_TAGS = {2: b"u%d", 4: b"g", 8: b"g%d", 16: b"m"}
"""ACL_USER, ACL_GROUP_OBJ, ACL_GROUP and ACL_MASK of include/uapi/linux/posix_acl.h; owner and others are in the mode."""


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Rows of what is there: `state` is `there`, `none`, or why it could not be looked at, listed or read; `kind` is file, folder or other;
    `rights` are MODE:UID:GID, with an access control list as +u33=5,g=5,g4=1,m=5 behind it (`?`: it could not be read); `folders` those of
    the folders that must be searched to get there, besides the one it is in; `mount` which of nosuid and noexec it is mounted with; `link`
    what a link leads to. And rows of the lines of byuid files that can be rules."""
    lines = [_row(helper, _above(helper)) for helper in HELPERS]
    rules: list[bytes] = []
    lines.append(_row(ROOT))
    for folder, names in NAMES.items():
        at = f"{ROOT}/{folder}"
        try:
            found = [name for name in sorted(os.listdir(at)) if names.fullmatch(name)]
        except OSError as problem:
            lines.append(_row(at, state=None if isinstance(problem, FileNotFoundError) else problem.strerror))
            continue
        many = len(found) > _MOST_NAMES
        lines.append(_row(at, state=f"only {_MOST_NAMES} of {len(found)} names were looked at" if many else None))
        for name in found[:_MOST_NAMES]:
            path = f"{at}/{name}"
            failure = _rules(path, rules) if folder == "byuid" else None
            lines.append(_row(path, _of_link(path), failure))
    yield Answer("authbind", "builtin:authbind", rows.table(COLUMNS, lines))
    yield Answer("authbind", "builtin:authbind-rules", rows.table(RULE_COLUMNS, rules))


def _row(path: str, folders: list[str] | None = None, state: str | None = None) -> bytes:
    name = rows.field(os.fsencode(path))
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return name + b"\tnone" + b"\t-" * 5
    except OSError as problem:
        return name + b"\t" + rows.field(os.fsencode(state or problem.strerror or str(problem))) + b"\t" * 5
    kind = b"folder" if stat.S_ISDIR(status.st_mode) else b"file" if stat.S_ISREG(status.st_mode) else b"other"
    link = rows.field(os.fsencode(os.path.realpath(path))) if os.path.islink(path) else b"-"
    searched = b" ".join(_rights(folder) for folder in folders) if folders else b"-"
    return b"\t".join((name, rows.field(os.fsencode(state or "there")), kind, _rights(path), searched, _mount(path), link))


def _rights(path: str) -> bytes:
    try:
        status = os.stat(path)
    except OSError:
        return b"?"
    return b"%04o:%d:%d" % (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) + _access_list(path)


def _access_list(path: str) -> bytes:
    """acl(5), as include/uapi/linux/posix_acl_xattr.h lays it out."""
    try:
        packed = os.getxattr(path, _ACCESS_LIST)
    except OSError as problem:
        return b"" if problem.errno in _HAS_NONE else b"?"
    entries = struct.iter_unpack("<HHI", packed[4:]) if len(packed) % 8 == 4 else ()
    told = [
        (_ACL_TAGS[tag] % who if b"%" in _ACL_TAGS[tag] else _ACL_TAGS[tag]) + b"=%d" % may for tag, may, who in entries if tag in _ACL_TAGS
    ]
    return b"+" + b",".join(told) if told else b"?"


def _mount(path: str) -> bytes:
    try:
        flags = os.statvfs(path).f_flag
    except OSError:
        return b""
    return b",".join(name for name, flag in ((b"nosuid", os.ST_NOSUID), (b"noexec", os.ST_NOEXEC)) if flags & flag) or b"-"


def _above(path: str) -> list[str]:
    """The folders above a path."""
    found = []
    while path != "/":
        path = os.path.dirname(path)
        found.append(path)
    return found


def _of_link(path: str) -> list[str] | None:
    """The folders that a link leads through: all above its target, or where it is relative and stays in /etc/authbind, those below that."""
    if not os.path.islink(path):
        return None
    target = os.path.realpath(path)
    above = _above(target)
    if os.readlink(path).startswith("/") or not target.startswith(ROOT + "/"):
        return above
    return [folder for folder in above if folder.startswith(ROOT + "/")] or None


def _rules(path: str, into: list[bytes]) -> str | None:
    """Adds the lines of a byuid file that can be rules; why it could not be read."""
    try:
        text = files.content(path, _MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as problem:
        return problem.strerror or str(problem)
    for number, line in enumerate(text.split(b"\n"), 1):
        for start in range(0, len(line), _LINE):
            rule = line[start : start + _LINE].partition(b"\0")[0]
            if b"," in rule and _RULE.fullmatch(rule):
                into.append(b"\t".join((rows.field(os.fsencode(path)), b"%d" % number, rows.field(rule))))
    return "it is longer than is read" if len(text) > _MOST_BYTES else None
