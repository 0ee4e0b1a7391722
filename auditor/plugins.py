"""Find plugins: a module in the right folder, or an entry point of another distribution. Place and name are the registration."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from auditor.errors import PluginError, SourceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from auditor.collector import Collector
    from auditor.reporter import Reporter
    from auditor.rule import Rule

_MEND = "mend it, or uninstall the distribution it came with"
_LOAD_ERRORS = (ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, RuntimeError, SyntaxError,
                TypeError, ValueError)  # fmt: skip
"""Whatever a module can raise while it is imported; not Exception, which only the house's three places catch."""
_HERE = os.path.dirname(os.path.abspath(__file__))


def collectors() -> dict[str, Collector]:
    """Every collector, by name."""
    return {name: _stamped(plugin, name) for name, plugin, _ in _found("collectors", "COLLECTOR", "_")}


def collector_for(system: str) -> Collector:
    """The collector of a system, as `uname -s` prints it, case ignored. SourceError where there is none. The one that is called like the
    system is asked first: most often no other is imported."""
    known: list[str] = []
    for name, load in sorted(_names("collectors", "_"), key=lambda found: found[0] != system.lower()):
        collector: Collector = _stamped(_checked(load, "COLLECTOR", name)[0], name)
        if system.lower() in (one.lower() for one in collector.systems):
            return collector
        known += collector.systems
    raise SourceError(
        f"no collector knows the system {system!r}",
        f"the systems that can be audited are: {', '.join(sorted(known))}; macOS is Darwin, Solaris and illumos are SunOS",
    )


def rules() -> dict[str, Rule]:
    """Every rule, by name: its module's with - for _. The first line of the module's docstring is its title."""
    found = {}
    for name, rule, module in _found("rules", "RULE", "-"):
        _stamped(rule, name)
        rule.doc = (module.__doc__ or "").strip()
        rule.title = rule.doc.partition("\n")[0].rstrip(".")
        found[name] = rule
    return found


def rule_parameters() -> dict[str, dict[str, type]]:
    """What a policy may set of each rule."""
    return {name: dict(rule.parameters) for name, rule in rules().items()}


def reporter(name: str) -> Reporter:
    """The reporter of a format's name; only it is imported."""
    for known, load in _names("reporters", "_"):
        if known == name:
            plugin, _ = _checked(load, "REPORTER", name)
            return _stamped(plugin, name)  # type: ignore[no-any-return]
    raise PluginError(f"there is no format '{name}'", f"the formats are: {', '.join(sorted(formats()))}")


def formats() -> list[str]:
    """The names of all formats."""
    return [name for name, _ in _names("reporters", "_")]


def _stamped(plugin: Any, name: str) -> Any:
    plugin.name = name
    return plugin


def _found(kind: str, attribute: str, joint: str) -> Iterator[tuple[str, Any, ModuleType]]:
    for name, load in _names(kind, joint):
        plugin, module = _checked(load, attribute, name)
        yield name, plugin, module


def _checked(load: str, attribute: str, name: str) -> tuple[Any, ModuleType]:
    module_name, _, given = load.partition(":")
    try:
        module = import_module(module_name)
        plugin = getattr(module, given or attribute)
    except _LOAD_ERRORS as error:
        raise PluginError(f"plugin '{name}' ({load}) does not load: {type(error).__name__}: {error}", _MEND) from error
    kind = attribute.capitalize()
    if not isinstance(plugin, getattr(import_module(f"auditor.{kind.lower()}"), kind)):
        raise PluginError(f"plugin '{name}' ({load}) is no {kind} but {type(plugin).__name__}", _MEND)
    return plugin, module


def _names(kind: str, joint: str) -> list[tuple[str, str]]:
    """(name, module or module:attribute) of each plugin of a kind, sorted by name."""
    found: dict[str, str] = {}
    for file in os.listdir(os.path.join(_HERE, kind)):
        stem, dot, suffix = file.partition(".")
        if suffix == "py" and dot and not stem.startswith("_"):
            found[stem.replace("_", joint)] = f"auditor.{kind}.{stem}"
    for name, load in _entry_points(f"port_auditor.{kind}"):
        if found.setdefault(name, load) != load:
            raise PluginError(f"two plugins are called '{name}': {found[name]} and {load}", "uninstall one of the distributions")
    return sorted(found.items())


def _entry_points(group: str) -> list[tuple[str, str]]:
    """Entry points of a group. importlib.metadata takes long to import, and is asked only where some distribution names the group."""
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            if name.endswith((".dist-info", ".egg-info")) and _names_group(os.path.join(folder, name, "entry_points.txt"), group):
                from importlib.metadata import entry_points

                return sorted({(point.name, point.value) for point in entry_points(group=group)})
    return []


def _names_group(path: str, group: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return f"[{group}]" in file.read()
    except OSError:
        return False
