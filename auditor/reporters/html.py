"""For people who read, print, sign and file it: one page that needs no script and asks nothing of any network.

The templates only lay out plain values. Whatever they print passes the environment's `finalize`: it is made harmless and escaped, whatever
a template says of escaping. Markup is made harmless too, but not escaped again: no host's string ever is markup, as there is no `safe`
filter.

A folder of a site's own templates may overlay those that are shipped. They run in a sandbox that calls nothing but what it knows to
change nothing, and what is wrong with one is an error that names its line.
"""

from __future__ import annotations

import os
import re
import stat
import traceback
from collections.abc import Mapping
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any, TextIO

from auditor.display import harmless
from auditor.errors import AuditorError
from auditor.facts import UnknownFact
from auditor.in_words import counted
from auditor.page.contents import contents
from auditor.places import shipped
from auditor.report import Report
from auditor.reporter import Reporter

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment
    from markupsafe import Markup

_TEMPLATE_ERRORS = (ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError, SyntaxError, TypeError,
                    UnknownFact, ValueError)  # fmt: skip
"""What a template can raise beside jinja2's own errors; not Exception, which only the house's three places catch."""
_READERS = {"Remedy.on", "Report.qualifications", "Report.standing", "Report.state"}
_READERS_OF_A_DICT = {"get", "items", "keys", "values"}
_READERS_OF_A_LIST = {"count", "index"}
"""The methods that a template may call; those of texts beside, but for these."""
_MAKERS_OF_MARKUP = {"translate"}
_NOT_PLAIN = re.compile("[^\n\t -~]")
_OURS = shipped("reports", "templates")
_STYLES = ("report.css", "port_map.css")
_SCRIPT = "report.js"
_LEAVE_OUT = "leave --templates out: the page's own templates need nothing"
_MEND = f"mend it, or {_LEAVE_OUT}"


class _Asset:
    """A style sheet or script, which is printed as it stands: the content policy has its hash."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def render(report: Report, stream: TextIO) -> None:
    """The whole report as one HTML document, or nothing: AuditorError where a site's own template is broken."""
    from jinja2 import TemplateError

    folder = report.shown_as.templates
    if folder is not None and not os.path.isdir(folder):
        raise AuditorError(f"there is no folder of templates at {harmless(folder)}", "name a folder after --templates, or leave it out")
    values = contents(report)
    try:
        document = _document(values, folder)
    except (TemplateError, *_TEMPLATE_ERRORS) as error:
        if folder is None:
            raise
        words = harmless(f"{_where(error, folder)}{type(error).__name__}: {error}")
        raise AuditorError(f"the templates do not work: {words}", _MEND) from error
    stream.writelines(document)


def _document(values: dict[str, Any], folder: str | None) -> list[str]:
    """jinja2 is loaded here: other formats do not need it."""
    from jinja2 import FileSystemLoader

    loader = FileSystemLoader(_OURS) if folder is None else _overlaid(folder)
    environment = _environment(loader, [value for value in values.values() if callable(value)])
    style = "\n" + "\n".join(_asset(loader, environment, name, "</style") for name in _STYLES)
    script = "\n" + _asset(loader, environment, _SCRIPT, "</script")
    embedded = {"style": _Asset(style), "style_hash": _digest(style), "script": _Asset(script), "script_hash": _digest(script)}
    try:
        return [*environment.get_template("report.html").generate(**values, **embedded), "\n"]
    except UnknownFact:
        environment.handle_exception()  # as jinja2 does with every Exception: it raises it again, with the template's lines


def _environment(loader: BaseLoader, functions: list[Any]) -> Environment:
    """A sandbox in which nothing can be called but `functions`, what jinja2 makes, and methods that only read."""
    from jinja2 import StrictUndefined
    from jinja2.runtime import BlockReference, LoopContext, Macro, Undefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from jinja2.utils import Cycler, Joiner

    class Sandbox(ImmutableSandboxedEnvironment):
        def is_safe_callable(self, obj: Any) -> bool:
            if isinstance(obj, (MethodType, BuiltinMethodType)):
                return _only_reads(obj) or isinstance(obj.__self__, (Cycler, LoopContext))
            ours = isinstance(obj, (BlockReference, Joiner, LoopContext, Macro, Undefined))
            return ours or any(obj is one for one in (*functions, *self.globals.values()))

    environment = Sandbox(
        loader=loader, autoescape=True, undefined=StrictUndefined, finalize=_printed, trim_blocks=True, lstrip_blocks=True
    )
    del environment.filters["safe"], environment.filters["urlize"], environment.globals["lipsum"]
    environment.filters["counted"] = counted
    return environment


def _only_reads(method: MethodType | BuiltinMethodType) -> bool:
    owner = method.__self__
    if isinstance(owner, (str, Mapping)):
        return method.__name__ not in _MAKERS_OF_MARKUP if isinstance(owner, str) else method.__name__ in _READERS_OF_A_DICT
    return method.__qualname__ in _READERS or (isinstance(owner, (list, tuple)) and method.__name__ in _READERS_OF_A_LIST)


def _printed(value: object) -> Markup:
    """What `{{ value }}` prints. Markup is what a macro printed, or what a filter made of a host's text: it is not escaped again, but
    nothing in it may be obeyed."""
    from markupsafe import Markup, escape

    if isinstance(value, _Asset):
        return Markup(value.text)  # noqa: S704 - ours, or the site's
    if not isinstance(value, Markup):
        return escape(harmless(value))
    if not _NOT_PLAIN.search(value):
        return value
    escapes = {ord(letter): harmless(letter) for letter in {*value} - {"\n", "\t"}}
    return Markup(value.translate(escapes))  # noqa: S704 - it was before


def _overlaid(folder: str) -> BaseLoader:
    """The site's templates over ours."""
    from jinja2 import ChoiceLoader, FileSystemLoader, FunctionLoader
    from jinja2.loaders import split_template_path

    def of_the_site(name: str) -> tuple[str, str, None] | None:
        path = os.path.join(folder, *split_template_path(name))
        try:
            return _read(path, os.path.realpath(folder)), path, None
        except FileNotFoundError:
            return None

    _trust(folder, os.stat(folder))
    return ChoiceLoader([FunctionLoader(of_the_site), FileSystemLoader(_OURS)])


def _read(path: str, folder: str) -> str:
    """A template of the site's; AuditorError where it is no regular file of the folder, or root should not trust it."""
    real = os.path.realpath(path)
    inside = os.path.relpath(real, folder).split(os.sep)
    if inside[0] == os.pardir:
        raise AuditorError(f"{harmless(path)} is a link that leads out of its folder, to {harmless(real)}",
                           f"put a copy there, or {_LEAVE_OUT}")  # fmt: skip
    for depth in range(1, len(inside)):
        above = os.path.join(folder, *inside[:depth])
        _trust(above, os.stat(above))
    if not stat.S_ISREG(os.stat(real).st_mode):
        raise AuditorError(f"the template {harmless(path)} is no regular file", f"put a file there, or {_LEAVE_OUT}")
    with open(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), encoding="utf-8") as file:
        _trust(path, os.fstat(file.fileno()))
        return file.read()


def _trust(path: str, status: os.stat_result) -> None:
    """Root follows no template that another user could have written; AuditorError says which."""
    if os.geteuid() != 0:
        return
    told, name = [], harmless(path)
    if status.st_uid != 0:
        told.append((f"belongs to the user with uid {status.st_uid}", f"`chown root {name}`"))
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        told.append((f"may be written by its group or by others (mode {stat.S_IMODE(status.st_mode):04o})", f"`chmod go-w {name}`"))
    if told:
        seen, mend = (" and ".join(words) for words in zip(*told, strict=True))
        raise AuditorError(
            f"root takes no template that another user may change: {name} {seen}", f"{mend} once you have read it, or {_LEAVE_OUT}"
        )


def _asset(loader: BaseLoader, environment: Environment, name: str, end: str) -> str:
    """A style sheet or script as it stands; nothing in it may end its element."""
    text, path, _ = loader.get_source(environment, name)
    if end in text.lower():
        raise ValueError(f"{path} holds {end}, which would end it")
    return text


def _digest(text: str) -> str:
    from base64 import b64encode
    from hashlib import sha256

    return b64encode(sha256(text.encode()).digest()).decode("ascii")


def _where(error: BaseException, folder: str) -> str:
    """`file:line: ` of the last place in the site's templates that an error went through, else in ours."""
    named = getattr(error, "filename", None)
    places = [(named, getattr(error, "lineno", None))] if named else []
    places += [(frame.filename, frame.lineno) for frame in reversed(traceback.extract_tb(error.__traceback__))]
    for beginning in (folder, _OURS):
        for file, line in places:
            if file.startswith(os.path.join(beginning, "")):
                return f"{file}:{line}: "
    return ""


REPORTER = Reporter(suffix="html", media_type="text/html", render=render)
