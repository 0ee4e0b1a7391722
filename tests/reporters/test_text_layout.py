"""How the text is laid out: within the columns of its terminal, in colours that can be read, and the same words with and without."""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.display import harmless
from auditor.host_report import HostReport
from auditor.model import OUTCOMES, SEVERITIES, Finding
from auditor.presentation import Presentation
from auditor.report import Report
from auditor.terminal import cells as measuring
from auditor.terminal.cells import CUT, cells, cut, padded, wrapped
from auditor.terminal.layout import COLOURS
from tests.bundles import STRICT, host, judged, port, rich
from tests.hostile import HOSTILE, RAW_CONTROLS, hostile_bundle, hostile_report
from tests.reports import Origin, finding, listener, owner, policy, rendered, report, snapshot, stack

SGR = re.compile(r"\x1b\[([0-9;]*)m")
CJK = "主機データ주컴퓨터"
ACCENTED = "e\u0301" * 40
WIDTHS = (40, 57, 80, 133, 200)


def shown(made: Report, width: int | None, *, colour: bool = False) -> str:
    made.shown_as = Presentation(width=width, colour=colour, banner=CJK + " CONFIDENTIAL", organisation="Bank")
    return rendered("text", made)


def wide_report() -> Report:
    """Names that are long, wide, combining and hostile in every place."""
    words = [CJK, ACCENTED, "/" + "a" * 4095, "two words", *HOSTILE]
    found = [finding(f"rule-{n}", word, OUTCOMES[n % 8], host=word, message=word, observed=word, severity=SEVERITIES[n % 5])
             for n, word in enumerate(words)]  # fmt: skip
    sockets = [listener(n, owner(n, executable=word, user=word), address=word, reach=word) for n, word in enumerate(words, 1)]
    one = HostReport(Origin(snapshot(stack(*sockets, name=CJK), host=CJK, limits=words)), policy(), found)
    return report(hosts=[one], bad_sources=[(word, word) for word in words], narrowed=words)


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal_by_somebody_elses_measure(width: int) -> None:
    measure = pytest.importorskip("rich.cells", reason="rich comes with the other formats' tests: pip install '.[formats]'").cell_len
    many = report(hosts=[wide_report().hosts[0] for _ in range(9)])
    for made in (wide_report(), many, hostile_report(*HOSTILE), hostile_bundle()):
        lines = shown(made, width).splitlines()
        assert not [line for line in lines if measure(line) > width]


@pytest.mark.parametrize("width", [None, *WIDTHS])
def test_colour_adds_no_word_and_takes_none_away(width: int | None) -> None:
    for made in (wide_report(), report(*judged(rich(), STRICT), of=rich().snapshot())):
        coloured = shown(made, width, colour=True)
        assert SGR.search(coloured)
        assert SGR.sub("", coloured) == shown(made, width)


def test_a_terminal_is_given_our_colours_alone_whatever_a_host_says() -> None:
    for made in (hostile_report(*HOSTILE), hostile_bundle(), wide_report()):
        coloured = shown(made, 80, colour=True)
        assert {*SGR.findall(coloured)} <= {*COLOURS.values(), "0", "1"}
        assert not RAW_CONTROLS.search(SGR.sub("", coloured))


def test_colour_goes_around_our_words_alone() -> None:
    coloured = re.findall(r"\x1b\[[1-9][0-9;]*m(.*?)\x1b\[0m", shown(wide_report(), 80, colour=True))
    ours = r"FAIL|INCOMPLETE|PASS|INFO|LOW|MEDIUM|HIGH|CRITICAL|info|low|medium|high|critical|[A-Z][a-z ,:]+"
    assert coloured
    assert all(re.fullmatch(ours, words) for words in coloured)


XTERM = ("000000", "cd0000", "00cd00", "cdcd00", "0000ee", "cd00cd", "00cdcd", "e5e5e5",
         "7f7f7f", "ff0000", "00ff00", "ffff00", "5c5cff", "ff00ff", "00ffff", "ffffff")  # fmt: skip
"""xterm's palette (XTerm-col.ad); bold makes the first eight the others (its resource boldColors)."""


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("bold_is_bright", [True, False])
@pytest.mark.parametrize("ground", ["000000", "ffffff"], ids=["dark", "light"])
@pytest.mark.parametrize("word", COLOURS)
def test_every_colour_can_be_read_on_dark_and_on_light(word: str, ground: str, bold_is_bright: bool) -> None:
    codes = list(map(int, COLOURS[word].split(";")))
    bright = 8 if 1 in codes and bold_is_bright else 0
    (letters,) = (XTERM[code - 30 + bright] for code in codes if code // 10 == 3)
    behind = next((XTERM[code - 40] for code in codes if code // 10 == 4), ground)
    assert contrast(letters, behind) >= 3


@pytest.mark.parametrize(("verdict", "found"), [
    ("FAIL", finding()), ("INCOMPLETE", finding(outcome="unknown")), ("PASS", finding(outcome="pass")),
])  # fmt: skip
def test_the_verdict_has_a_colour_of_its_own(verdict: str, found: Finding) -> None:
    made = report(found)
    made.shown_as = Presentation(width=80, colour=True)
    assert rendered("text", made).startswith(f"\x1b[{COLOURS[verdict]}m{verdict}\x1b[0m")
    assert len({COLOURS[word] for word in ("FAIL", "INCOMPLETE", "PASS")}) == 3


def screen(made: Report) -> list[str]:
    """What stands before the findings and the hosts."""
    made.shown_as = Presentation(width=80)
    return re.split(r"^(?:Open|Unknown|Hosts) \(", rendered("text", made), maxsplit=1, flags=re.MULTILINE)[0].splitlines()


def test_of_an_ordinary_host_all_that_a_manager_asks_stands_on_one_screen_of_24_rows() -> None:
    quiet = host(port("tcp/0.0.0.0:22"))
    busy = rich()
    assert len(screen(report(*judged(quiet, ""), of=quiet.snapshot()))) < 24
    assert len(screen(report(*judged(busy, ""), of=busy.snapshot()))) <= 26


def test_listeners_stand_in_columns_and_a_long_owner_stays_in_its_own() -> None:
    program = "/opt/" + "long " * 30
    sockets = [listener(22, owner(7)), listener(8080, owner(8, executable=program)), listener(9, owner(9), address="2001:db8::1")]
    made = report(of=snapshot(stack(*sockets)))
    lines = [line for line in shown(made, 80).splitlines() if re.match(" {6}tcp| {20,}[a-z]", line)]
    starts = {found.start() for line in lines if (found := re.compile('"?/').search(line, 10 if "tcp" in line else 0))}
    assert len(starts) == 1
    (column,) = starts
    assert all(line[:column].strip() == "" for line in lines if "tcp" not in line)
    assert " ".join(" ".join(line[column:] for line in lines).split()).count("long") == 30


def test_where_there_is_no_room_for_a_column_owners_stand_beneath_their_listener() -> None:
    said = shown(report(of=snapshot(stack(listener(8080, owner(8, executable="/usr/sbin/some-server"))))), 40)
    assert "      tcp/0.0.0.0:8080  private\n        /usr/sbin/some-server[8] root\n" in said


@given(st.text(st.characters(codec="utf-8")).map(harmless), st.integers(40, 90), st.sampled_from(["", "  - ", "    listeners approved: "]))
def test_wrapping_loses_no_letter_and_stays_within_the_width(text: str, width: int, lead: str) -> None:
    lines = wrapped(text, width, lead=lead, hang="    ")
    assert "".join(" ".join(lines).split()) == "".join((lead + text).split())
    assert all(cells(line) <= width for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])


@given(st.text(st.characters(codec="utf-8")).map(harmless), st.integers(10, 60))
def test_a_cut_is_marked_and_fits(text: str, width: int) -> None:
    short = cut(text, width)
    assert cells(short) <= width
    assert short == text or (short.endswith(CUT) and text.startswith(short.removesuffix(CUT)))


def test_wide_letters_take_two_cells_and_combining_ones_none() -> None:
    assert (cells("web1"), cells("主機"), cells("e\u0301"), cells("é")) == (4, 4, 1, 1)
    assert padded("主", 4) == "主  "
    assert cut("主機主機", 7) == "主 ..."
    assert wrapped("主機 主機", 5) == ["主機", "  主", "  機"]


@pytest.mark.parametrize("text", ["主" * 300_000, "主機 " * 100_000, "\u0301 " * 150_000], ids=["wide", "words", "none"])
def test_of_a_long_text_each_letter_is_measured_a_few_times_and_not_for_each_line(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = Counter[str]()

    def measure(letter: str) -> int:
        measured["letters"] += 1
        if measured["letters"] > 6 * len(text):
            pytest.fail("the rest is measured again and again")
        return measured_before(letter)

    measured_before = measuring._cells
    monkeypatch.setattr(measuring, "_cells", measure)
    lines = wrapped(text, 80)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize("text", ["a" + " " * 300_000, " " * 300_000, "a" + " " * 300_000 + "b"], ids=["after", "alone", "between"])
def test_spaces_are_looked_at_once(text: str) -> None:
    """Thirty times the spaces are about thirty times the work; it was nine hundred times."""

    def seconds(of: str) -> float:
        taken = []
        for _ in range(5):
            begun = time.perf_counter()
            wrapped(of, 80)
            taken.append(time.perf_counter() - begun)
        return min(taken)

    few = text.replace(" " * 300_000, " " * 10_000)
    assert seconds(text) < 200 * seconds(few)
    assert "".join(wrapped(text, 80)).split() == text.split()


def test_a_word_that_fits_a_line_is_not_broken() -> None:
    address = "https://example.org/" + "a" * 16
    assert wrapped(f"see {address} there", 40, lead="  source: ", hang="    ") == ["  source: see", f"    {address}", "    there"]
    assert wrapped(address, 40, lead="  source: ", hang="    ") == ["  source:", f"    {address}"]
