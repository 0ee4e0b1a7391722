"""A site's own templates over the page's: what they may do, what they may not, and what is said of a broken one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auditor.errors import AuditorError
from auditor.presentation import Presentation
from tests.reporters.test_html import Page, digest
from tests.reports import finding, rendered, report


def with_templates(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return rendered("html", report(finding(message="<b>it</b>\x1b"), shown_as=Presentation(templates=str(folder))))


def test_a_template_of_the_site_stands_in_for_ours_and_the_others_stay(tmp_path: Path) -> None:
    page = with_templates(tmp_path, limits__html="<p>Ask {{ report.hosts[0].name }} about it.</p>")
    assert "<p>Ask web1 about it.</p>" in page
    assert 'id="limits"' not in page
    assert 'id="open"' in page


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert with_templates(tmp_path) == rendered("html", report(finding(message="<b>it</b>\x1b")))


def test_the_content_policy_goes_with_the_sites_own_style_and_script(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("body { color: teal; }\n")
    (tmp_path / "report.js").write_text("void 0;\n")
    page = Page(report(shown_as=Presentation(templates=str(tmp_path))))
    (style,), (script,) = page.all(".//style"), page.all(".//script")
    assert "teal" in (style.text or "")
    assert script.text == "\nvoid 0;\n"
    (meta,) = page.all(".//meta[@http-equiv='Content-Security-Policy']")
    assert f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}';" in meta.attrib["content"]


@pytest.mark.parametrize(
    "template",
    [
        "{{ report.findings[0].message }}",
        "{% autoescape false %}{{ report.findings[0].message }}{% endautoescape %}",
        "{% set said %}{{ report.findings[0].message }}{% endset %}{{ said }}",
        "{{ report.findings[0].message|replace('it', '<i>') }}",
        "{{ [report.findings[0].message, '<i>']|join }}",
        "{{ '%s'|format(report.findings[0].message) }}",
        "{{ report.findings[0].message|e }}",
        "{{ {'title': report.findings[0].message}|xmlattr }}",
        "{{ [report.findings[0].message|e, '-']|join }}",
        "{{ '%s'|e|format(report.findings[0].message) }}",
        "{{ report.findings[0].message ~ '<i>'|e }}",
        "{% macro said(x) %}{{ x }}{% endmacro %}{{ said(report.findings[0].message) }}",
    ],
)
def test_what_a_host_said_is_escaped_whatever_a_template_says_of_it(template: str, tmp_path: Path) -> None:
    page = with_templates(tmp_path, limits__html=f"<p>here: {template}</p>")
    said = page.partition("here: ")[2].partition("</p>")[0]
    assert "lt;b" in said
    assert "<b>" not in said
    assert "<i>" not in said
    assert said.isprintable()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("\n{% if %}", "limits.html:2: TemplateSyntaxError: "),
        ("\n\n{{ nothing }}", "limits.html:3: UndefinedError: 'nothing' is undefined"),
        ("{{ report.nothing }}", "limits.html:1: UndefinedError: "),
        ("{{ report.findings|safe }}", "limits.html:1: TemplateAssertionError: No filter named 'safe'."),
        ("{{ report.findings[0].message|urlize }}", "limits.html:1: TemplateAssertionError: No filter named 'urlize'."),
        ("{{ lipsum() }}", "limits.html:1: UndefinedError: 'lipsum' is undefined"),
        ("\n{{ report.hosts[0].snapshot.machine_id }}", "limits.html:2: UnknownFact: "),
        ("{{ report.__class__.__mro__ }}", "limits.html:1: SecurityError: access to attribute '__class__'"),
        ("{{ report.hosts.clear() }}", "limits.html:1: SecurityError: "),
        ("{{ ''.__class__ }}", "limits.html:1: SecurityError: "),
        ("{{ 1 // 0 }}", "limits.html:1: ZeroDivisionError: "),
        ("{{ report.findings[0] + 1 }}", "limits.html:1: TypeError: "),
        ("{% include '../../../etc/passwd' %}", "limits.html:1: TemplateNotFound: "),
        ("{% include 'limits.html' %}", "limits.html:1: RecursionError: "),
        ("{% for n in range(10**9) %}{% endfor %}", "limits.html:1: OverflowError: "),
    ],
)
def test_a_broken_template_is_an_error_that_names_its_line(template: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AuditorError) as raised:
        with_templates(tmp_path, limits__html=template)
    assert f"the templates do not work: {tmp_path}{os.sep}{said}" in str(raised.value)
    assert "--templates" in raised.value.advice


@pytest.mark.parametrize(
    "call",
    [
        "report.add(report.hosts[0])",
        "report.totals.add(report.hosts[0])",
        "report.to_json()",
        "report.hosts[0].to_json()",
        "(report|attr('add'))(report.hosts[0])",
        "report.hosts.append(1)",
        "report.hosts[0].snapshot.shown.update(a=1)",
        "report.documents.clear()",
        "dict.fromkeys('ab')",
        "'{0.message}'.format(report.findings[0])",
        "('{b}'|e).translate({123: '<', 125: '>'})",
    ],
)
def test_a_template_calls_nothing_that_is_not_known_to_change_nothing(call: str, tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match="SecurityError: "):
        with_templates(tmp_path, limits__html=f"{{% set x = {call} %}}")


def test_a_template_calls_what_only_reads(tmp_path: Path) -> None:
    page = with_templates(
        tmp_path,
        limits__html="{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% block one %}{{ twice('a'.upper()) }}{% endblock %}{{ self.one() }}"
        "{{ report.qualifications().index(clauses[0]) }}{{ report.state(report.findings[0]) }}{{ report.standing(report.findings[0]) }}"
        "{% set ns = namespace(n=dict(a=1)) %}{{ ns.n.get('a') }}{% set next = joiner('+') %}{{ next() }}{{ cycler('c', 'd').next() }}"
        "{% for n in [[1]] recursive %}{{ loop.cycle('x') }}{% if n is iterable %}{{ loop(n) }}{% endif %}{% endfor %}"
        "{% for n in range(2) %}{{ systems([])|length }}{% endfor %}.",
    )
    assert "AAAA0openNone1cxx00." in page


def test_style_and_script_stand_as_they_are_and_other_markup_without_control_characters(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_text("p::after { content: '\u202e\x01'; }\n", encoding="utf-8")
    page = with_templates(tmp_path, limits__html="{% macro said() %}<i>\u202e\x07\ta\nb“</i>{% endmacro %}{{ said() }}")
    assert "content: '\u202e\x01'" in page
    assert "<i>\\u202e\\x07\ta\nb“</i>" in page


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "own", tmp_path / "own-not"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "secret").write_text("root:$6$")
    (folder / "away").symlink_to(elsewhere)
    for name, target in {"report.css": elsewhere / "secret", "limits.html": Path("away/secret")}.items():
        (folder / name).symlink_to(target)
        with pytest.raises(AuditorError, match=f"{name} is a link that leads out of its folder, to .*secret"):
            with_templates(folder)
        (folder / name).unlink()
    with pytest.raises(AuditorError, match="leads out of its folder"):
        with_templates(folder, limits__html="{% include 'away/secret' ignore missing %}")


def test_a_link_within_the_folder_and_a_folder_that_is_a_link_are_followed(tmp_path: Path) -> None:
    """As Kubernetes mounts a ConfigMap."""
    (tmp_path / "own" / "..2026").mkdir(parents=True)
    (tmp_path / "own" / "..2026" / "limits.html").write_text("<p>ours</p>")
    (tmp_path / "own" / "..data").symlink_to("..2026")
    (tmp_path / "own" / "limits.html").symlink_to("..data/limits.html")
    (tmp_path / "link").symlink_to("own")
    assert "<p>ours</p>" in with_templates(tmp_path / "link")


def test_what_is_no_regular_file_is_refused_and_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "limits.html")
    with pytest.raises(AuditorError, match=r"limits\.html is no regular file"):
        with_templates(tmp_path)


def own_folder(folder: Path) -> Path:
    (folder / "own" / "parts").mkdir(parents=True)
    (folder / "own" / "limits.html").write_text("{% include 'parts/one.html' %}")
    (folder / "own" / "parts" / "one.html").write_text("<p>one</p>")
    return folder / "own"


AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has files of root's, and can give one away")
ANYWHERE = pytest.mark.parametrize("name", [".", "limits.html", "parts", "parts/one.html"])


@AS_ROOT
@ANYWHERE
@pytest.mark.parametrize("more", [0o020, 0o002])
def test_root_takes_no_template_that_others_may_write(name: str, more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = own_folder(tmp_path) / name
    changed.chmod(changed.stat().st_mode | more)
    with pytest.raises(AuditorError, match=r"may be written by its group or by others \(mode 0[67][0-7]{2}\)") as raised:
        with_templates(tmp_path / "own")
    assert f"`chmod go-w {changed}`" in raised.value.advice
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "<p>one</p>" in with_templates(tmp_path / "own"), "others may run it with what they like"


@AS_ROOT
@ANYWHERE
def test_root_takes_no_template_of_another_user(name: str, tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    assert "<p>one</p>" in with_templates(folder)
    os.chown(folder / name, 65534, 65534)
    with pytest.raises(AuditorError, match="belongs to the user with uid 65534") as raised:
        with_templates(folder)
    assert "`chown root " in raised.value.advice


def test_a_macro_that_ours_miss_is_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match=r"report\.html:\d+: UndefinedError: .*has no attribute 'badge'"):
        with_templates(tmp_path, macros__html="")


def test_nothing_may_end_the_style_or_the_script(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match=r"report\.js holds </script, which would end it"):
        with_templates(tmp_path, report__js="'</SCRIPT>'")


def test_a_template_that_is_not_utf_8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "report.css").write_bytes(b"\xff")
    with pytest.raises(AuditorError, match="UnicodeDecodeError"):
        with_templates(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AuditorError, match=r"there is no folder of templates at .*missing"):
        rendered("html", report(shown_as=Presentation(templates=str(tmp_path / "missing"))))


def test_nothing_is_written_of_a_page_that_breaks_off(tmp_path: Path) -> None:
    import io

    from auditor import plugins

    (tmp_path / "appendix.html").write_text("{{ nothing }}")
    stream = io.StringIO()
    with pytest.raises(AuditorError):
        plugins.reporter("html").render(report(shown_as=Presentation(templates=str(tmp_path))), stream)
    assert stream.getvalue() == ""
