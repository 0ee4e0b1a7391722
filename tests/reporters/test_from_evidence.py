"""From a real bundle to the page and the text that people read, by the program itself."""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def page() -> str:
    return audit(web1(), "html")


def test_the_page_is_one_document_without_a_parse_error(page: str) -> None:
    parser = html5lib.HTMLParser(strict=True)
    assert parser.parse(page) is not None
    assert page.startswith("<!doctype html>")
    assert '<html lang="en"' in page


def test_verdict_visibility_findings_with_remedies_ranges_and_every_listener_are_on_the_page(page: str) -> None:
    text = " ".join(" ".join(html5lib.parse(page, namespaceHTMLElements=False).itertext()).split())
    for said in (
        "FAIL", "3 open findings (2 high, 1 medium)", "the host firewall and the network path were not examined", "CAP_SYS_PTRACE",
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
    assert max(len(line) for line in lines if not line.startswith("answers: ")) <= 100


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
