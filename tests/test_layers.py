"""The house's layers, kept by reading the imports; and what a start of the program may load."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "auditor"

POLICY = (
    "policy policy_csv policy_entries policy_expected policy_index policy_keys policy_rules policy_scope policy_shown policy_waivers "
    "policy_wants"
)
CONTROLS = "control_doubts control_statement control_view"
FACTS = "days facts in_words port_range"
REPORT = "report coverage host_report presentation"
MODEL = f"{FACTS} owner binding model"
MAY_IMPORT = {
    # values
    "errors": "",
    "places": "",
    "remedy": "",
    FACTS: "",
    "model binding owner": FACTS,
    "display": MODEL,
    "markdown_words": "display",
    "port_scopes": MODEL,
    "who_may_bind": MODEL,
    "authbind_grants bind_prediction bind_view": MODEL,
    # the host's side
    "evidence": "",
    "child": "evidence",
    "live": "child evidence",
    "collector": f"{MODEL} evidence tables",
    "collect script": "child collector errors evidence",
    "command": "",
    "reading": f"{FACTS} command",
    "parsers": f"{MODEL} command reading",
    "collectors": f"{MODEL} collector command evidence parsers reading tables vendor_ranges",
    # the yardsticks
    "yaml_nodes": "errors",
    "tables iana_import iana_registry interpreters table_checks table_files vendor_ranges": f"{MODEL} errors places yaml_nodes",
    POLICY: f"{MODEL} errors places yaml_nodes",
    "policy_schema": f"{MODEL} policy policy_csv policy_entries policy_rules policy_scope policy_shown policy_waivers",
    "approvals": f"{MODEL} policy policy_entries policy_keys policy_wants",
    "policy_containment policy_wider": f"{FACTS} policy_entries policy_keys policy_wants",
    "policy_lints": f"{FACTS} approvals policy policy_containment policy_entries policy_keys policy_waivers policy_wider remedy yaml_nodes",
    "policy_draft policy_draft_text policy_draft_values": f"{MODEL} display errors policy policy_entries tables yaml_nodes",
    "controls": f"{FACTS} errors places policy_keys yaml_nodes",
    "identity inventory inventory_ansible inventory_csv site": "errors policy policy_keys policy_rules yaml_nodes",
    # judging
    "rule socket_users": f"{MODEL} display policy remedy site tables",
    "rules": f"{MODEL} bind_prediction differences identity policy_entries policy_expected policy_waivers policy_wants port_scopes rule",
    "verdict": f"{MODEL} display policy policy_waivers rule",
    "evaluate": f"{MODEL} differences policy policy_rules policy_waivers rule site snapshot_differences stack_pairs tables verdict",
    # telling
    f"{REPORT} {CONTROLS} totals verdict_line": f"{MODEL} approvals controls differences policy remedy site",
    "redaction redaction_meeting": f"{MODEL} {REPORT} redacted_names redaction_words",
    "redacted_names redaction_words": f"{MODEL} display",
    "figures": f"{MODEL} {REPORT} stamps",
    "lacking nist_controls stamps": f"control_view {REPORT}",
    "foremost": f"{MODEL} lacking {REPORT}",
    "oscal_values xml_text": "display",
    "sarif_places sarif_rules": f"{MODEL} display remedy {REPORT}",
    "listener_outcomes port_axis port_map": f"{MODEL} port_scopes {REPORT}",
    "page": (
        f"{MODEL} approvals bind_view control_view differences display foremost lacking listener_outcomes port_map {REPORT} totals "
        "who_may_bind"
    ),
    "reporter": REPORT,
    "terminal": f"{MODEL} bind_view differences display foremost port_scopes {REPORT} who_may_bind",
    "reporters": (
        f"{MODEL} bind_view control_view differences display errors figures foremost lacking listener_outcomes markdown_words "
        f"nist_controls oscal_values page places port_scopes {REPORT} reporter sarif_places sarif_rules stamps terminal "
        "who_may_bind xml_text"
    ),
    "output": "errors",
    # putting together
    "plugins": "collector errors reporter rule",
    "sources": f"{MODEL} collect errors evidence plugins tables",
    "baseline": f"{MODEL} errors",
    "since_baseline": f"{MODEL} totals",
    # asking
    "differences host_pairs snapshot_differences socket_differences stack_pairs words_index": MODEL,
    "free_ports": f"{MODEL} errors tables vendor_ranges",
}
"""Every module and package at the top of auditor/, but cli and __main__: what it may import of ours. Those in one row are one room and may
import each other; other rooms see only what is named here. A new module gets a row, or a place in one."""

MAY_IMPORT_FROM_OUTSIDE = {
    "jinja2": {"reporters"},
    "markupsafe": {"reporters"},
    "psutil": {"live"},
    "yaml": {"table_files", "yaml_nodes"},
}
BROAD_EXCEPTS = Counter({"cli": 1, "sources": 1, "verdict": 1})
"""Around a command, around a rule, around `interpret`. One that only cleans up and raises again is not broad."""

WORDS_OF_NO_MEANING = {"manager", "handler", "utils", "helper", "base", "common", "data", "info"}
SLOW_TO_IMPORT = {"dataclasses", "importlib.metadata", "jinja2", "json", "psutil", "yaml"}
INTERPRETING = {"auditor.facts", "auditor.model", "auditor.parsers", "auditor.tables"}


def sources(*under: str) -> list[Path]:
    return sorted(path for folder in under or ("",) for path in (TOOL / folder).rglob("*.py"))


def room(path: Path) -> str:
    """The module or package at the top of auditor/ that a file is or belongs to; "" for auditor/__init__.py."""
    first = path.relative_to(TOOL).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, anywhere in it; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            within = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            prefix = ".".join((*within, *([node.module] if node.module else [])))
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def imported_rooms(path: Path) -> set[str]:
    rooms = {room_name for rows in MAY_IMPORT for room_name in rows.split()} | {"cli", "__main__"} | {room(p) for p in sources()} - {""}
    return {parts[1] for name in imported(path) if (parts := name.split("."))[0] == "auditor" and len(parts) > 1 and parts[1] in rooms}


def allowed(name: str) -> set[str] | None:
    """What a room may import, itself included; None where it has no row. A rule and a reporter stand alone."""
    for row, others in MAY_IMPORT.items():
        if name in row.split():
            return {*others.split(), *([] if name in ("rules", "reporters") else row.split())}
    return None


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}"


def nodes(paths: list[Path]) -> Iterator[tuple[Path, ast.AST]]:
    return ((path, node) for path in paths for node in ast.walk(ast.parse(path.read_bytes())))


def last_name(node: ast.AST) -> list[str]:
    return [node.attr] if isinstance(node, ast.Attribute) else [node.id] if isinstance(node, ast.Name) else []


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute)) else ""


def test_every_module_has_a_place_in_the_layers() -> None:
    homeless = {room(path) for path in sources() if allowed(room(path)) is None} - {"", "__main__", "cli"}
    assert not homeless, f"give each a row, or a place in one, in MAY_IMPORT: {', '.join(sorted(homeless))}"


def test_no_row_of_the_layers_names_a_module_that_is_gone() -> None:
    gone = {name for row, others in MAY_IMPORT.items() for name in (row + " " + others).split()} - {room(path) for path in sources()}
    assert not gone


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_lies_below_it(path: Path) -> None:
    name = room(path)
    if name == "cli":
        return
    may = {"cli"} if name == "__main__" else allowed(name) or set()
    astray = imported_rooms(path) - may
    assert not astray, f"{name or 'auditor'} may import {', '.join(sorted(may)) or 'nothing of ours'}; not {', '.join(sorted(astray))}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_from_outside_only_what_is_its_to_use(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - {"auditor"}
    astray = {name for name in outside if room(path) not in MAY_IMPORT_FROM_OUTSIDE.get(name, ())}
    assert not astray


def test_only_the_command_line_prints_exits_or_sets_up_logging() -> None:
    forbidden = {"print", "exit", "quit", "sys.exit", "SystemExit", "logging.basicConfig", "logging.StreamHandler"}
    quiet = [path for path in sources() if room(path) not in ("cli", "__main__")]
    astray = [
        f"{where(path, node)} {dotted(node.func)}"
        for path, node in nodes(quiet)
        if isinstance(node, ast.Call) and (dotted(node.func) in forbidden or dotted(node.func).endswith((".addHandler", ".dictConfig")))
    ]
    assert not astray


def is_broad(node: ast.ExceptHandler) -> bool:
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    only_cleans_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
    return not only_cleans_up and any(kind is None or dotted(kind) in ("Exception", "BaseException") for kind in caught)


def test_no_error_is_swallowed_but_in_the_three_places_that_the_house_names() -> None:
    broad = Counter(room(path) for path, node in nodes(sources()) if isinstance(node, ast.ExceptHandler) and is_broad(node))
    assert broad == BROAD_EXCEPTS


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = [path.stem if path.stem != "__init__" else path.parent.name for path in sources()]
    assert not [name for name in names if WORDS_OF_NO_MEANING & set(name.split("_"))]


def test_rules_never_look_past_what_is_unknown() -> None:
    """`.seen` and `.gaps` would let a rule conclude from part of the facts, and `except` would let it drop one."""
    astray = [
        where(path, node)
        for path, node in nodes(sources("rules"))
        if (isinstance(node, ast.Attribute) and node.attr in ("seen", "gaps")) or (isinstance(node, ast.ExceptHandler) and is_broad(node))
    ]
    assert not astray


def test_rules_never_call_the_clock() -> None:
    clock = {"now", "utcnow", "today", "localtime", "gmtime"}
    calls = [
        where(path, node) for path, node in nodes(sources("rules")) if isinstance(node, ast.Call) and clock & set(last_name(node.func))
    ]
    imports = [str(path.relative_to(ROOT)) for path in sources("rules") if any(name.split(".")[0] == "time" for name in imported(path))]
    assert not calls + imports


def loaded_by(code: str) -> set[str]:
    """The modules that are loaded once `code` has run in a fresh interpreter."""
    script = f"import sys\n{code}\nsys.stderr.write('\\nloaded: ' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=60, check=True)
    return set(done.stderr.rpartition("loaded: ")[2].split())


START = """
from auditor.cli import main
try:
    main({argv})
except SystemExit:
    pass
"""


@pytest.mark.parametrize("argv", [["--version"], ["collect", "--help"], ["collect", "--only", "ports", "-o", "/dev/null"]], ids=" ".join)
def test_a_start_of_the_program_loads_nothing_slow(argv: list[str]) -> None:
    assert not loaded_by(START.format(argv=argv)) & SLOW_TO_IMPORT


@pytest.mark.parametrize("path", [p for p in sources("collectors") if not p.name.startswith("_")], ids=lambda path: path.stem)
def test_a_collectors_probes_are_importable_without_its_interpreter(path: Path) -> None:
    loaded = loaded_by(f"import auditor.collectors.{path.stem}")
    assert f"auditor.collectors.{path.stem}" in loaded
    assert not loaded & (SLOW_TO_IMPORT | INTERPRETING)
