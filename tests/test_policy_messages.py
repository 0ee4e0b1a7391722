"""What a policy's author is told, to the letter: where, what was found, what was expected, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.model import FACTS
from auditor.places import shipped_names
from auditor.policy import load
from auditor.policy_keys import ERRORS_MAX, PolicyErrors, nearest
from auditor.port_range import PortRange

RULES: dict[str, dict[str, type]] = {
    "listener-not-approved": {},
    "ephemeral-range-small": {"at_least": int},
    "made-up": {"strictly": bool, "word": str, "ports": PortRange, "tiers": list},
}
LISTS = {
    "<facts>": FACTS,
    "<policies>": shipped_names("policies"),
    "<frameworks>": shipped_names("policies", "controls"),
}
"""What grows with the program, and how policy_refusals.txt writes it."""


def spelt_out(line: str) -> str:
    for name, words in LISTS.items():
        line = line.replace(name, ", ".join(words))
    return line


def table() -> dict[str, list[str]]:
    """policy_refusals.txt: the line of a policy, and below it, further in, all that is said about it."""
    told: dict[str, list[str]] = {}
    written = ""
    for line in (Path(__file__).parent / "policy_refusals.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            told[written].append(spelt_out(f"p.yaml:{line.strip()}"))
        else:
            written = line
            told[written] = []
    return told


REFUSALS = table()


def refusals(folder: Path, text: str) -> list[str]:
    """Each error and its advice, without the folder."""
    (folder / "p.yaml").write_text(text)
    with pytest.raises(PolicyError) as caught:
        load(str(folder / "p.yaml"), RULES)
    parts = caught.value.parts if isinstance(caught.value, PolicyErrors) else [caught.value]
    return [f"{part}; {part.advice}".replace(f"{folder}/", "") for part in parts]


@pytest.mark.parametrize("line", REFUSALS)
def test_each_error_says_where_what_was_found_what_was_expected_and_what_to_do(tmp_path: Path, line: str) -> None:
    above = "" if line.startswith(("policy: ", "- ", "rules: {made-up: on}")) else "policy: 1\n"
    assert refusals(tmp_path, f"{above}{line}\n") == REFUSALS[line]


def test_a_cycle_is_told_at_the_line_that_closes_it(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("policy: 1\nextends: p\n")
    assert refusals(tmp_path, "policy: 1\nextends: q\n") == [
        "q.yaml:2:10: a cycle: 'p.yaml' extends this file, itself or by others; remove one of the two 'extends'"
    ]


@pytest.mark.parametrize(("files", "refused"), [(31, False), (32, True)])
def test_a_policy_may_have_32_files(tmp_path: Path, files: int, refused: bool) -> None:
    for number in range(files):
        extends = f"extends: f{number + 1}\n" if number + 1 < files else ""
        (tmp_path / f"f{number}.yaml").write_text(f"policy: 1\n{extends}")
    if refused:
        assert refusals(tmp_path, "policy: 1\nextends: f0\n") == ["f31.yaml: a policy of more than 32 files; join some of them"]
    else:
        (tmp_path / "p.yaml").write_text("policy: 1\nextends: f0\n")
        assert len(load(str(tmp_path / "p.yaml"), RULES).files) == 32


SHIPPED = "allowed here: <policies>; a file needs a slash or a suffix"
IN_A_POLICY = "name it in one: `listening: {approved_from: {file: ...}}`; `port-auditor policy check FILE.csv` says what is wrong in it"


@pytest.mark.parametrize(
    ("name", "said", "advice"),
    [
        ("basline", "no policy 'basline' ships with this program", f"did you mean 'baseline'? {SHIPPED}"),
        ("BASELINE", "no policy 'BASELINE' ships with this program", f"did you mean 'baseline'? {SHIPPED}"),
        ("a\0b", "no policy 'a\\x00b' ships with this program", SHIPPED),
        ("list.csv", "list.csv: a CSV file is part of a policy, and none by itself", IN_A_POLICY),
        ("LIST.CSV", "LIST.CSV: a CSV file is part of a policy, and none by itself", IN_A_POLICY),
    ],
)
def test_what_cannot_be_loaded_is_told_with_what_can(name: str, said: str, advice: str) -> None:
    with pytest.raises(PolicyError) as caught:
        load(name, RULES)
    assert (str(caught.value), caught.value.advice) == (said, spelt_out(advice))


def test_several_errors_are_told_line_by_line_each_with_its_advice(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("policy: 1\nzzz: 1\nprivileged: {}\n")
    with pytest.raises(PolicyErrors) as caught:
        load(str(tmp_path / "p.yaml"), RULES)
    words = (
        "policy, extends, report, applies_to, controls, defaults, must_have, scope, privileged, ephemeral, listening, rules, gaps, waivers"
    )
    assert str(caught.value).replace(f"{tmp_path}/", "") == (
        f"p.yaml:2:1: unknown key 'zzz'; allowed here: {words}\np.yaml:3:13: says nothing; write at least one of expect, granted_to"
    )
    assert caught.value.advice == "mend these 2 places, then try `port-auditor policy check`"


def test_as_many_errors_as_are_told_at_once_are_told_without_a_rest() -> None:
    parts = [PolicyError(f"error {number}", "mend it") for number in range(ERRORS_MAX)]
    assert str(PolicyErrors(parts)).splitlines()[-1] == f"error {ERRORS_MAX - 1}; mend it"
    assert str(PolicyErrors([*parts, *parts])).splitlines()[ERRORS_MAX:] == [f"and {ERRORS_MAX} more"]


def test_the_nearest_word_is_looked_for_whatever_its_case_and_length() -> None:
    assert nearest("OWNR", ("owner", "power")) == "did you mean 'owner'? allowed here: owner, power"
    assert nearest("owner" * 1000, ("owner",)) == "allowed here: owner"
