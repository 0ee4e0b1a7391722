"""services-file-differs-from-iana: names and ports of /etc/services beside the registry's, in one finding."""

from __future__ import annotations

import pytest

from auditor.facts import Facts, Gap
from tests.bundles import changed, host, interpreted, judged, outcomes, stack_of
from tests.saved_hosts import SAVED_HOSTS

NAME = "services-file-differs-from-iana"


def found(*lines: str) -> list[str]:
    """What the finding lists."""
    (finding,) = judged(host(services="".join(f"{line}\n" for line in lines)), "", NAME)
    if finding.outcome == "pass":
        return []
    assert (finding.outcome, finding.severity, finding.subject) == ("fail", "low", "/etc/services")
    assert finding.count == len(finding.examples)
    return list(finding.examples)


def test_all_that_differs_is_one_finding_with_its_number() -> None:
    text = "# names\n\nssh 22/tcp\nhttp 8081/tcp\nbbs 7000/tcp\nmill 46001/tcp\n"
    (finding,) = judged(host(services=text), "", NAME)
    assert (finding.severity, finding.count, finding.source) == ("low", 2, "/etc/services")
    assert finding.message == "names of ports are not those that IANA gives them; that a port is listed reserves nothing"
    assert finding.examples == (
        "http 8081/tcp (line 4; IANA: http is 80/tcp)",
        "bbs 7000/tcp (line 5; IANA: 7000/tcp is afs3-fileserver)",
    )
    assert finding.observed == ", ".join(finding.examples)


@pytest.mark.parametrize("line", ["ssh 22/tcp", "HTTP 80/tcp www", "www-http 80/tcp", "rtmp 1/ddp", "mill 46001/udp", "http 80/sctp"])
def test_a_name_that_iana_gives_the_port_or_has_nothing_to_say_of_passes(line: str) -> None:
    assert found(line) == []


def test_an_alias_differs_only_where_iana_has_it_elsewhere() -> None:
    assert found("smtp 25/tcp mail") == []
    assert found("acr-nema 104/tcp dicom") == ["dicom 104/tcp (line 1; IANA: dicom is 11112/tcp)"]


def test_a_line_that_cannot_be_read_leaves_the_rest_judged() -> None:
    findings = judged(host(services="http 8081/tcp\nwhat is this\n"), "", NAME)
    assert outcomes(findings) == ["fail low host /etc/services", "unknown host"]
    assert [f.message for f in findings if f.outcome == "unknown"] == ["a line of /etc/services cannot be read"]


def test_a_host_without_the_file_has_no_names_of_its_own() -> None:
    of = host(services="")
    missing = of.bundle().replace(b"$ cat /etc/services\n? 0", b"$ cat /etc/services\n! cat: /etc/services: No such file or directory\n? 1")
    assert outcomes(judged(interpreted(missing), "", NAME)) == ["pass host"]
    refused = of.bundle().replace(b"$ cat /etc/services\n? 0", b"$ cat /etc/services\n! cat: /etc/services: Permission denied\n? 1")
    (finding,) = judged(interpreted(refused), "", NAME)
    assert (finding.outcome, finding.message) == ("unknown", "cat /etc/services: cat: /etc/services: Permission denied")


def test_where_it_was_not_asked_for_nothing_is_checked() -> None:
    (finding,) = judged(host(), "", NAME)
    assert (finding.outcome, finding.message) == ("notchecked", "the names of ports were not asked for (collect --only ...,services)")


def test_names_that_were_not_all_seen_are_unknown() -> None:
    whole = host(services="ssh 22/tcp\n").snapshot()
    names = stack_of(whole).service_names
    assert outcomes(judged(changed(whole, service_names=Facts(names.seen, names.source, [Gap("cut")])), "", NAME)) == ["unknown host"]


@pytest.mark.parametrize("system", ["freebsd", "openbsd", "darwin", "sunos", "aix"])
def test_other_systems_names_are_judged_as_well(system: str) -> None:
    assert outcomes(judged(interpreted(SAVED_HOSTS[system].bundle()), "", NAME))[0].split()[0] in ("fail", "pass")
