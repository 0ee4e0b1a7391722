"""The HTML page and the text: what a reader sees, and what a hostile host cannot make them see."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import html5lib
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EVIDENCE = ROOT / "tests" / "evidence"
HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-alert(1)-'", "{{7*7}}", "{% for x in y %}", "]]>", "-->",
    "\x1b[2J\x1b]0;owned\x07", "\x9b31m", "a\x08\x08b", "\u202egnp.exe", "\u2028line", 'a",pid=1,fd=3)', "b) R 1 (c", "</style><b>",
]  # fmt: skip


def audit(evidence: str | bytes, form: str, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "auditor", "audit", "-", "-f", form, "-p", str(EVIDENCE / "web1.yaml"), "--today", "2026-11-21", *words],
        input=evidence if isinstance(evidence, bytes) else evidence.encode("utf-8", "surrogateescape"),
        capture_output=True, check=False, env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode in (0, 1, 3), done.stderr
    return done.stdout.decode("utf-8")


def web1() -> str:
    return (EVIDENCE / "web1.evidence").read_text()


def hostile(name: str) -> str:
    """The web server with `name` wherever a host may choose one."""
    field = name.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return (
        web1()
        .replace("\tsshd\t", f"\t{field}\t")
        .replace("/usr/bin/redis-server", f"/tmp/{field}")  # noqa: S108 - a name, not a file
        .replace("session-3.scope", f"{field.replace('/', '_')}.scope")
        .replace("% host web1", f"% host {name}")
        .replace("eth0", field)
    )


@pytest.fixture(scope="module")
def page() -> str:
    return audit(web1(), "html")


def test_the_page_is_one_document_without_a_parse_error(page: str) -> None:
    parser = html5lib.HTMLParser(strict=True)
    assert parser.parse(page) is not None
    assert page.startswith("<!doctype html>")
    assert '<html lang="en"' in page


def test_the_page_asks_for_nothing_and_runs_nothing(page: str) -> None:
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    assert not tree.findall(".//script")
    for element in tree.iter():
        assert not [name for name in element.attrib if str(name).startswith("on") or name == "style"], element.tag
        for name in ("src", "href", "action", "data", "srcset"):
            assert element.attrib.get(name, "#").startswith("#"), (element.tag, element.attrib)
    assert "url(" not in page
    assert "@import" not in page


def test_the_content_policy_allows_the_one_style_and_nothing_else(page: str) -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", page, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    directives = dict(part.strip().split(" ", 1) for part in policy.replace("&#39;", "'").split(";") if part.strip())
    assert directives["default-src"] == "'none'"
    assert directives["style-src"] == f"'sha256-{digest}'"


def test_verdict_visibility_findings_with_remedies_ranges_and_every_listener_are_on_the_page(page: str) -> None:
    text = " ".join(" ".join(html5lib.parse(page, namespaceHTMLElements=False).itertext()).split())
    for said in (
        "FAIL", "3 open, 2 high, 1 medium", "the host firewall and the network path were not examined", "CAP_SYS_PTRACE",
        "any user may bind 80-1023", "privileged: 1-79", "vendor table, linux-4.2-plus",
        "sysctl -w net.ipv4.ip_unprivileged_port_start=1024",
        "49152-65535", "32768-60999", "/usr/sbin/nginx", "redis-server", "nginx.service", "www-data", "Landlock",
    ):  # fmt: skip
        assert said in text, said
    for port in (22, 80, 6379):
        assert re.search(rf"\b{port}\b", text)


def test_what_was_not_checked_stands_on_the_page_with_its_reason(page: str) -> None:
    text = " ".join(" ".join(html5lib.parse(page, namespaceHTMLElements=False).itertext()).split())
    assert "the policy expects no ephemeral range" in text
    assert "listener-on-wildcard-address" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_host_becomes_markup_or_reaches_the_page_raw(name: str, page: str) -> None:
    shown = audit(hostile(name), "html")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown)
    html5lib.HTMLParser(strict=True).parse(shown)
    tree = html5lib.parse(shown, namespaceHTMLElements=False)
    assert not tree.findall(".//script")
    assert not tree.findall(".//img")
    assert {element.tag for element in tree.iter()} == {element.tag for element in html5lib.parse(page, namespaceHTMLElements=False).iter()}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_host_reaches_the_terminal_raw(name: str) -> None:
    shown = audit(hostile(name), "text")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown)


def test_names_that_are_not_utf_8_are_shown_escaped_in_every_format() -> None:
    evidence = web1().encode().replace(b"/usr/bin/redis-server", b"/usr/bin/redis\xff\xfeserver")
    assert "redis\\xff\\xfeserver" in audit(evidence, "text")
    assert "redis\\xff\\xfeserver" in audit(evidence, "html")
    assert "redis\\\\xff\\\\xfeserver" in audit(evidence, "json")


def test_a_bundle_in_which_nothing_can_be_read_makes_a_page_that_says_so() -> None:
    shown = audit("port-auditor evidence 1\n% system Linux\n.\n", "html")
    assert "INCOMPLETE" in shown
    html5lib.HTMLParser(strict=True).parse(shown)


def test_the_text_tells_the_verdict_first_and_fits_100_columns() -> None:
    lines = audit(web1(), "text").splitlines()
    assert lines[0].startswith("FAIL: 3 open")
    assert max(map(len, lines)) <= 110


@pytest.mark.skipif(shutil.which("chromium") is None, reason="Debian's chromium is not installed")
def test_chromium_opens_the_page_without_a_console_message_and_prints_it(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page)
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr",
    ]  # fmt: skip
    pdf = tmp_path / "page.pdf"
    done = subprocess.run(
        [*command, f"--print-to-pdf={pdf}", (tmp_path / "page.html").as_uri()], capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert pdf.read_bytes().startswith(b"%PDF")
    assert "CONSOLE" not in done.stderr
