"""The JSON Schemas that ship: they hold of every document that the program writes, describe every key of it, and refuse what is none."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from auditor import binding, model, owner, places
from auditor.approvals import approvals
from auditor.controls import load as load_controls
from auditor.evidence import Answer
from auditor.facts import Facts
from auditor.figures import OWNER_STATES, REACHES
from auditor.host_report import HostReport
from auditor.model import FACTS, OUTCOMES, SEVERITIES, Snapshot, Stack
from auditor.report import FAIL_ON, Report
from auditor.sources import Source, from_bytes, from_path
from tests.bundles import RICH, STRICT, TABLES, TODAY, bundle, earlier, host, judged, policy, rich
from tests.hostile import HOSTILE, STAMPS, hostile_bundle, hostile_report
from tests.reports import finding, rendered, report

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not installed: pip install '.[formats]'")
referencing = pytest.importorskip("referencing", reason="referencing is not installed: pip install '.[formats]'")

ROOT = Path(__file__).resolve().parent.parent.parent
EVIDENCE = ROOT / "tests" / "evidence"
FILES = sorted(Path(places.shipped("reports", "schemas")).glob("*.schema.json"))
NAMES = ["report-1", "snapshot-1", "summary-1"]


def schema(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(Path(places.shipped("reports", "schemas", f"{name}.schema.json")).read_text(encoding="utf-8"))
    return read


def closed(part: Any) -> Any:
    """A schema that allows no key that it does not describe."""
    if isinstance(part, list):
        return [closed(item) for item in part]
    if not isinstance(part, dict):
        return part
    again = {key: closed(item) for key, item in part.items()}
    return {**again, "unevaluatedProperties": False} if part.get("type") == "object" and "properties" in part else again


@cache
def validator(document: str, *, strict: bool = False) -> Any:
    """Of documents that say `document`, as "port-auditor/report/1". References are looked up in the files that ship, nowhere else."""
    read = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
    if strict:
        read = {name: closed(one) for name, one in read.items()}
    registry = referencing.Registry().with_resources((name, referencing.Resource.from_contents(one)) for name, one in read.items())
    _, name, version = document.split("/")
    return jsonschema.Draft202012Validator(read[f"{name}-{version}.schema.json"], registry=registry)


def told(errors: Iterator[Any]) -> list[str]:
    return [f"{error.json_path}: {error.message:.200}" for error in errors]


def wrong(document: Any, *, strict: bool = True) -> list[str]:
    """What the schema that a document names has against it; `strict`: and keys that it does not describe."""
    return told(validator(document["schema"], strict=strict).iter_errors(document))


def made(*snapshots: Snapshot, by: str = "", **more: Any) -> Report:
    """A report of hosts, as the program makes it."""
    hosts = []
    for one in snapshots:
        known = {key: more[key] for key in ("baseline",) if key in more}
        hosts.append(HostReport(Source(one, "a test", evidence=b"x", sha256="0" * 64), policy(by), judged(one, by, **known)))
        hosts[-1].approvals = approvals(one, policy(by), TODAY) if by else None
        hosts[-1].baseline = more.get("baseline")
    return Report(hosts, tables=TABLES.provenance(), frameworks=load_controls(), **STAMPS)


def as_json(of: Report) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(rendered("json", of))
    return read


@cache
def valid() -> dict[str, Any]:
    """A document with something of everything."""
    return as_json(made(rich().snapshot(), by=STRICT, baseline=earlier()))


def objects(part: Any, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, dict):
        yield name, part
        for key, item in part.items():
            yield from objects(item, f"{name}.{key}")
    elif isinstance(part, list):
        for item in part:
            yield from objects(item, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_says_what_it_is_of(name: str) -> None:
    read = schema(name)
    jsonschema.Draft202012Validator.check_schema(read)
    kind, version = name.split("-")
    assert read["properties"]["schema"]["const"] == read["title"] == f"port-auditor/{kind}/{version}"
    assert read["$id"] == f"{name}.schema.json"
    assert [file.name for file in FILES] == [f"{one}.schema.json" for one in NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_every_key_says_of_what_type_it_is_and_what_it_means(name: str) -> None:
    silent = []
    for where, part in objects(schema(name), name):
        for key, one in part.get("properties", {}).items() if not where.endswith(".properties") else ():
            shaped = {"type", "enum", "const", "$ref", "anyOf"} & one.keys()
            if where.endswith((".then", ".if")) or key == "seen":
                continue
            if not shaped or not ("$ref" in one or one.get("description", "").endswith(".")):
                silent.append(f"{where}.{key}")
    assert not silent


def test_enumerations_are_the_programs_own() -> None:
    report_1, snapshot_1 = schema("report-1"), schema("snapshot-1")
    finding_1 = report_1["$defs"]["finding"]["properties"]
    assert set(finding_1["outcome"]["enum"]) == set(OUTCOMES) == set(report_1["properties"]["counts"]["propertyNames"]["enum"])
    assert finding_1["severity"]["enum"] == list(SEVERITIES)
    assert report_1["properties"]["fail_on"]["enum"] == list(FAIL_ON)
    assert set(finding_1["facts"]["items"]["enum"]) == set(FACTS)
    parts = snapshot_1["$defs"]
    assert set(parts["grant"]["properties"]["path"]["enum"]) == set(parts["gap"]["properties"]["path"]["enum"]) == set(binding.GRANT_PATHS)
    assert set(parts["socket"]["properties"]["reach"]["enum"]) == set(REACHES)
    assert set(parts["socket"]["properties"]["owner_state"]["enum"]) == set(OWNER_STATES)


@pytest.mark.parametrize("name", RICH)
def test_a_rich_hosts_snapshot_and_report_are_described_whole(name: str) -> None:
    (source,) = from_bytes(RICH[name]().bundle(), "a test", TABLES)
    assert isinstance(source, Source)
    assert not wrong(json.loads(json.dumps(source.snapshot.to_json())))
    assert not wrong(as_json(made(source.snapshot, by=STRICT)))


def failed(status: str) -> Snapshot:
    """A host of which no answer came."""
    of = rich()
    answers = [Answer(one.probe, one.command, b"", status, stderr=b"why\n", stack=one.stack) for one in of.answers()]
    (source,) = from_bytes(bundle(answers, of.head()), "a test", TABLES)
    assert isinstance(source, Source)
    return source.snapshot


SNAPSHOTS: dict[str, Callable[[], Snapshot]] = {
    "quiet": lambda: host().snapshot(),
    "nothing could be run": lambda: failed("absent"),
    "everything failed": lambda: failed("1"),
    "everything was cut": lambda: failed("cut 100"),
    **{file.name: lambda file=file: next(iter(from_path(str(file), TABLES))).snapshot for file in EVIDENCE.glob("*.evidence")},
}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_snapshot_and_its_report_are_valid(name: str) -> None:
    one = SNAPSHOTS[name]()
    assert not wrong(json.loads(json.dumps(one.to_json())))
    assert not wrong(as_json(made(one)))


def test_a_report_of_no_host_and_one_of_several_and_one_with_a_baseline_are_valid() -> None:
    assert not wrong(as_json(report(hosts=[], bad_sources=[("a", "cut")])))
    assert not wrong(as_json(made(host().snapshot(), host().snapshot(), by=STRICT)))
    assert not wrong(valid())
    assert valid()["hosts"][0]["baseline"] is not None
    assert {one["outcome"] for one in valid()["findings"]} >= {"fail", "waived", "unknown", "pass"}


def test_a_host_that_says_least_is_valid() -> None:
    bare = Snapshot(stacks=Facts([Stack(name="s")], ""))
    assert not wrong(json.loads(json.dumps(bare.to_json())))
    assert not wrong(as_json(report(of=bare)))


def test_a_host_that_calls_everything_by_hostile_names_is_valid() -> None:
    assert not wrong(as_json(hostile_bundle()))


def test_hostile_words_break_no_shape_and_stand_for_no_word_of_ours() -> None:
    """A report of which every single text is one: what the schema has against it is where it wants a word of its own."""
    errors = list(validator("port-auditor/report/1", strict=True).iter_errors(as_json(hostile_report(*HOSTILE))))
    assert {error.validator for error in errors} == {"enum", "pattern", "anyOf"}
    inside = {one.validator for error in errors for one in error.context}
    assert inside <= {"enum", "pattern", "type"}
    keys = {str(error.absolute_path[-1]) for error in errors}
    assert {"kind", "state", "owner_state", "reach", "family", "role"} <= keys
    assert not {"name", "process", "executable", "message", "subject", "address", "source", "why"} & keys


def test_every_line_of_json_lines_is_valid_and_the_last_is_the_summary() -> None:
    of = made(host().snapshot(), rich().snapshot(), by=STRICT)
    lines = [json.loads(line) for line in rendered("jsonl", of).splitlines()]
    assert [line["schema"] for line in lines] == ["port-auditor/report/1"] * 2 + ["port-auditor/summary/1"]
    for line in lines:
        assert not wrong(line)


def run(folder: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", "auditor", *words], capture_output=True, cwd=folder, check=False, timeout=120,
                          env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.returncode in (0, 1, 3), done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


SITE = """\
site: 1
name: Example Bank
inventory: hosts.ini
roles: {web: {policy: web.yaml, groups: [web]}}
"""


def test_what_the_program_itself_writes_of_a_site_and_of_a_baseline_is_valid(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    (tmp_path / "hosts.ini").write_text("[web]\nweb1\nweb2\n")
    (tmp_path / "web.yaml").write_text(f"policy: 1\n{STRICT}")
    (tmp_path / "web1.evidence").write_bytes(rich().bundle())
    of_site = run(tmp_path, "audit", "web1.evidence", "--site", "site.yaml", "-f", "json", "--today", "2026-11-21")
    assert not wrong(of_site)
    assert of_site["site"]["missing"] == ["web2"]
    assert of_site["hosts"][0]["assignment"]["host"] == "web1"
    (tmp_path / "then.evidence").write_bytes(host().bundle())
    since = run(tmp_path, "audit", "web1.evidence", "-b", "then.evidence", "-f", "json", "--today", "2026-11-21")
    assert not wrong(since)
    assert since["drift"]["compared"] == 1
    assert "new" in {one["baseline_state"] for one in since["findings"]}
    assert not wrong(run(tmp_path, "snapshot", "web1.evidence"))


def test_keys_that_a_later_version_adds_are_allowed() -> None:
    later = copy.deepcopy(valid())
    for _, part in list(objects(later, "")):
        if not part.keys() <= {*OUTCOMES, *later["tables"], *later["hosts"][0]["settings"]}:
            part["added_later"] = {"x": [1, None]}
    assert not wrong(later, strict=False)
    assert wrong(later)


@cache
def small() -> dict[str, Any]:
    """The valid document with a few of each list."""

    def few(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: few(item) for key, item in part.items()}
        return [few(item) for item in part[:2]] if isinstance(part, list) else part

    again: dict[str, Any] = few(valid())
    return again


def changed(path: str, value: Any) -> dict[str, Any]:
    """The small document with another value at a path; ... takes the key away."""
    again = copy.deepcopy(small())
    *way, last = [int(word) if word.isdigit() else word for word in path.split("/")]
    at: Any = again
    for word in way:
        at = at[word]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return again


STACK = "hosts/0/stacks/seen/0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "port-auditor/summary/1"),
        ("schema", ...),
        ("verdict", "PASS"),
        ("verdict", ...),
        ("complete", "true"),
        ("complete", ...),
        ("evidence", "full"),
        ("counts", {"passed": 1}),
        ("counts/pass", -1),
        ("counts/pass", "1"),
        ("started", "yesterday"),
        ("finished", ""),
        ("evaluated_on", "21.11.2026"),
        ("tool/name", "other"),
        ("tables/iana-ranges/sha256", "ab"),
        ("fail_on", "urgent"),
        ("narrowed", "a clause"),
        ("site", {"name": "x"}),
        ("drift", {}),
        ("bad_sources", [{"source": "a"}]),
        ("hosts", {}),
        ("hosts/0/stacks", ...),
        ("hosts/0/stacks", None),
        ("hosts/0/self_assessed", 1),
        ("hosts/0/policy/sha256", "xyz"),
        ("hosts/0/evidence_sha256", ""),
        ("hosts/0/evidence_sha256", ...),
        ("hosts/0/settings", {"a": 1}),
        ("hosts/0/limits", "one"),
        ("hosts/0/approvals/listeners/who", ...),
        ("hosts/0/approvals/entries/0/strength", "strong"),
        ("hosts/0/approvals/entries/0/review_by", "soon"),
        ("hosts/0/visibility/owners/known", "4"),
        ("hosts/0/visibility/namespaces/not_entered", [1]),
        ("hosts/0/stacks/basis", "guessed"),
        ("hosts/0/stacks/gaps", ...),
        ("hosts/0/stacks/gaps", [{"line": "x"}]),
        (f"{STACK}/name", ...),
        (f"{STACK}/kind", "moon"),
        (f"{STACK}/listening/seen", ...),
        (f"{STACK}/listening/seen", [[]]),
        (f"{STACK}/listening/seen/0/port", 65536),
        (f"{STACK}/listening/seen/0/port", "22"),
        (f"{STACK}/listening/seen/0/port", -1),
        (f"{STACK}/listening/seen/0/state", "open"),
        (f"{STACK}/listening/seen/0/reach", "moon"),
        (f"{STACK}/listening/seen/0/address", None),
        (f"{STACK}/listening/seen/0/owner_state", "all"),
        (f"{STACK}/listening/seen/0/owners/0/pid", True),
        (f"{STACK}/listening/seen/0/owners/0/executable_file/at_path", "there"),
        (f"{STACK}/listening/seen/0/owners/0/root", []),
        (f"{STACK}/privileged/seen/0/first", 70000),
        (f"{STACK}/ephemeral/seen/0/role", "odd"),
        (f"{STACK}/grants/seen/0/path", "magic"),
        (f"{STACK}/grants/seen/0/ports", [[1, 2, 3]]),
        (f"{STACK}/grants/seen/0/ports", [1]),
        (f"{STACK}/endpoints/seen/0/kind", "tcp"),
        (f"{STACK}/measured/seen/0/attempts", [{"port": 1, "result": "perhaps"}]),
        (f"{STACK}/persisted/seen/0/line", 0),
        (f"{STACK}/addresses/seen/0/prefix", 129),
        ("findings/0/outcome", "passed"),
        ("findings/0/severity", "High"),
        ("findings/0/fingerprint", "0"),
        ("findings/0/fingerprint", ...),
        ("findings/0/count", -1),
        ("findings/0/waiver", {}),
        ("findings/0/waiver", ...),
        ("findings/0/baseline_state", "old"),
        ("findings/0/facts", ["weather"]),
        ("findings/0/examples", None),
        ("findings/0/outcome", "waived"),
        ("controls/0/result", "compliant"),
        ("controls/0/result", "satisfied"),
        ("controls/0/evidence", "full"),
        ("controls/0/rules", ...),
        ("controls/0/rules/0/relation", "proves"),
        ("controls/0/rules/0/state", "met"),
    ],
)
def test_a_document_with_one_thing_wrong_is_refused(path: str, value: Any) -> None:
    assert told(validator("port-auditor/report/1").iter_errors(changed(path, value)))


def test_the_document_that_these_are_made_of_is_valid() -> None:
    assert not wrong(small())
    assert len(list(objects(small(), ""))) > 100


@pytest.mark.parametrize("document", [None, [], 1, "x", {}, {"schema": "port-auditor/report/1"}])
def test_what_is_no_document_is_refused(document: Any) -> None:
    for name in NAMES:
        assert told(validator("port-auditor/" + name.replace("-", "/")).iter_errors(document))


def test_a_snapshot_without_stacks_or_of_another_version_is_refused() -> None:
    plain = json.loads(json.dumps(host().snapshot().to_json()))
    assert not wrong(plain)
    for key in ("schema", "stacks"):
        assert told(validator("port-auditor/snapshot/1").iter_errors({name: item for name, item in plain.items() if name != key}))
    assert told(validator("port-auditor/snapshot/1").iter_errors({**plain, "schema": "port-auditor/snapshot/2"}))


def test_every_key_that_the_readers_know_is_described() -> None:
    """Those too that no bundle of the tests happens to show."""
    parts = {"stack": model.Stack, "socket": model.Socket, "address": model.Address, "setting": model.Setting,
             "persisted_setting": model.Persisted, "witnessed": model.Witnessed, "socket_unit": model.DeclaredUnit,
             "service_name": model.ServiceName, "translation": model.Translation, "grant": binding.Grant, "endpoint": binding.Endpoint,
             "measured": binding.Measured, "attempt": binding.Attempt, "owner": owner.Owner, "identity": owner.Identity,
             "folder": owner.Folder, "file": owner.File}  # fmt: skip
    described = schema("snapshot-1")
    for name, record in parts.items():
        keys = {"owners" if key == "owners_seen" else key for key in record.keys}
        assert described["$defs"][name]["properties"].keys() == keys, name
    ranges = [described["$defs"][name]["properties"].keys() for name in ("range", "privileged_range", "ephemeral_range")]
    assert set().union(*ranges) == model.Range.keys.keys()
    assert described["properties"].keys() == {*model.Snapshot.keys, "schema"}
    assert finding().to_json().keys() == schema("report-1")["$defs"]["finding"]["properties"].keys()
