"""`port-auditor port` as a person types it."""

from __future__ import annotations

import argparse
import re

import pytest

from auditor.cli import port as command
from auditor.errors import AuditorError
from auditor.tables import Tables


def shown(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    parser = argparse.ArgumentParser("port-auditor port")
    command.arguments(parser)
    assert command.run(parser.parse_args([text])) == 0
    return capsys.readouterr().out


def classes(out: str) -> dict[str, str]:
    """{class: the records under it} of what was printed."""
    parts = re.split(r"^  ([a-z ]+): .*$", out.partition("as shipped:\n")[2].partition("\nOn this host:")[0], flags=re.MULTILINE)
    return {name: " ".join(records.split()) for name, records in zip(parts[1::2], parts[2::2], strict=True)}


def test_port_80_tcp_is_a_system_port_and_http_for_iana(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown("80/tcp", capsys)
    assert out.startswith("80/tcp\n")
    assert "system ports, 0-1023" in out
    assert "assigned: http, www, www-http" in out
    assert "IANA udp" not in out


def test_a_port_alone_is_shown_for_tcp_and_udp_and_for_others_that_the_registry_assigns(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown("8080", capsys).startswith("8080/tcp,udp\n")
    assert shown("80", capsys).startswith("80/tcp,udp,sctp\n")


def test_every_vendor_record_stands_under_its_class_for_the_port(capsys: pytest.CaptureFixture[str]) -> None:
    found = classes(shown("49999/tcp", capsys))
    assert "linux-4.2-plus" in found["ephemeral"].split(", ")
    assert "openbsd-current" in found["on request"].split(", ")
    assert "stratus-tcp_os" in found["neither"].split(", ")
    named = [name for records in found.values() for name in records.split(", ")]
    assert sorted(named) == sorted(record.id for record in Tables().vendor_records)


def test_a_record_about_one_protocol_says_which_where_both_are_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    found = classes(shown("60000", capsys))
    assert "stratus-stcp-udp (udp)" in found["ephemeral"]
    assert "other protocol" not in found


def test_a_port_of_the_container_of_docker_needs_no_privilege(capsys: pytest.CaptureFixture[str]) -> None:
    found = classes(shown("80/tcp", capsys))
    assert "linux-container-docker" in found["neither"]
    assert "linux-4.2-plus" in found["privileged"]


def test_unauthorised_use_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "unauthorised use reported" in shown("6003/tcp", capsys)
    assert "unauthorised use" not in shown("6004/tcp", capsys)


def test_a_notable_port_is_shown_with_reason_exception_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    out = " ".join(shown("514/tcp", capsys).split())
    assert "cleartext by its usual service (514/tcp rsh)" in out
    assert "not where it is /usr/sbin/rsyslogd" in out
    assert "[rshd(8)]" in out
    assert "unauthenticated" in shown("2375/tcp", capsys)
    assert "unauthenticated" not in shown("2375/udp", capsys)


def test_a_service_name_is_shown_as_its_port(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown("https/tcp", capsys).startswith("443/tcp\n")
    assert shown("syslog", capsys).startswith("514/udp\n")


def test_a_dynamic_port_is_never_assigned(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown("65535/udp", capsys)
    assert "dynamic ports, 49152-65535" in out
    assert re.search(r"IANA udp +dynamic$", out, re.MULTILINE)


def test_it_fits_on_a_screen_of_100_columns_beside_a_line_for_each_stack(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("80", "514", "1024", "2049", "60000"):
        everywhere, _, here = shown(text, capsys).partition("\nOn this host:")
        assert max(map(len, (everywhere + here).splitlines())) <= 100
        assert len(everywhere.splitlines()) <= 45


@pytest.mark.parametrize(
    "text", ["99999", "65536", "-1", "80/foo", "80/", "/tcp", "", "no-such-service", "80/tcp/x", "٨٠", " 80", "8" * 5000]
)
def test_anything_else_is_refused_with_what_is_accepted(text: str) -> None:
    with pytest.raises(AuditorError) as refused:
        command.asked(text, Tables())
    assert refused.value.exit_code == 2
    assert len(str(refused.value)) < 200
    assert "0 to 65535" in refused.value.advice
    assert "tcp, udp, sctp, dccp" in refused.value.advice
