"""An approved list in a CSV says what it seems to say, or is refused with its line and column."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from auditor.errors import PolicyError
from auditor.policy import Policy, load
from auditor.policy_csv import ROWS_MAX
from auditor.policy_keys import PolicyErrors
from auditor.yaml_nodes import SIZE_MAX, flow
from tests import bundles

REGISTER = """\
Boundary,Port,Protocol,Service,Justification,POC
1,443,TCP,https,"public shop, and its API",web-platform
1,22,tcp,ssh,administration,ops
"""
COLUMNS = "{port: Port, protocol: Protocol, name: Service, purpose: Justification, owner: POC}"


def read(tmp_path: Path, csv: str | bytes, given: str = "", more: str = "", name: str = "clsa.csv") -> Policy:
    """The policy whose approved list is that CSV; `given` are the keys of approved_from beside `file`."""
    (tmp_path / name).write_bytes(csv if isinstance(csv, bytes) else csv.encode())
    (tmp_path / "site.yaml").write_text(f"policy: 1\n{more}\nlistening:\n  approved_from: {{file: {name}{given}}}\n")
    return load(str(tmp_path / "site.yaml"), {})


def refusals(tmp_path: Path, csv: str | bytes, given: str = "") -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(tmp_path, csv, given)
    parts = caught.value.parts if isinstance(caught.value, PolicyErrors) else [caught.value]
    told = [f"{part}; {part.advice}".replace(f"{tmp_path}/", "") for part in parts]
    assert all(line.isprintable() for line in told)
    return told


def refusal(tmp_path: Path, csv: str | bytes, given: str = "") -> str:
    (told,) = refusals(tmp_path, csv, given)
    return told


def written(tmp_path: Path, csv: str | bytes, given: str = "") -> list[str]:
    return [flow(entry.written) for entry in read(tmp_path, csv, given).approved]


# What is read


def test_each_row_is_an_entry_that_says_where_it_stands(tmp_path: Path) -> None:
    policy = read(tmp_path, REGISTER, f", columns: {COLUMNS}")
    assert [(str(entry), entry.origin.rpartition("/")[2], entry.purpose, entry.owner) for entry in policy.approved] == [
        ("https", "clsa.csv:2", "public shop, and its API", "web-platform"),
        ("ssh", "clsa.csv:3", "administration", "ops"),
    ]
    assert policy.approved_given


def test_the_bytes_and_the_name_of_the_file_are_part_of_the_policys_identity(tmp_path: Path) -> None:
    policy = read(tmp_path, REGISTER, f", columns: {COLUMNS}")
    assert [file.rpartition("/")[2] for file in policy.files] == ["site.yaml", "clsa.csv"]
    assert policy.sha256 == sha256((tmp_path / "site.yaml").read_bytes() + REGISTER.encode()).hexdigest()


def test_its_rows_judge_listeners_as_entries_in_yaml_do(tmp_path: Path) -> None:
    policy = read(tmp_path, "name,port,protocol,executable\nssh,22,tcp,/usr/sbin/sshd\n")
    host = bundles.host(bundles.port("tcp/0.0.0.0:22", bundles.SSHD), bundles.port("tcp/0.0.0.0:23", bundles.SSHD))
    own = bundles.stack_of(host)
    ssh, telnet = own.listening.seen
    assert policy.approved[0].matches(ssh, own)
    assert not policy.approved[0].matches(telnet, own)


def test_its_entries_can_be_required_by_name_and_get_the_files_defaults(tmp_path: Path) -> None:
    (tmp_path / "clsa.csv").write_text("name,port,owner\nssh,22,\nweb,80,web-platform\n")
    (tmp_path / "site.yaml").write_text(
        "policy: 1\ndefaults: {owner: ops, ticket: CHG-1}\nlistening: {approved_from: clsa.csv, required: [ssh]}\n"
    )
    policy = load(str(tmp_path / "site.yaml"), {})
    assert [(entry.owner, entry.ticket) for entry in policy.approved] == [("ops", "CHG-1"), ("web-platform", "CHG-1")]
    assert [str(entry) for entry in policy.required] == ["ssh"]


def test_several_files_are_read_in_their_order_behind_what_is_written_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "one.csv").write_text("name,port\na,1\n")
    (tmp_path / "two.csv").write_text("Dienst;Port\nb;2\n")
    (tmp_path / "site.yaml").write_text(
        "policy: 1\nlistening:\n  approved: [{name: z, port: 9}]\n"
        "  approved_from: [lists/one.csv, {file: two.csv, columns: {name: dienst, port: port}}]\n"
    )
    assert [str(entry) for entry in load(str(tmp_path / "site.yaml"), {}).approved] == ["z", "a", "b"]


def test_a_file_of_the_header_alone_approves_nothing(tmp_path: Path) -> None:
    policy = read(tmp_path, "name,port\n")
    assert (policy.approved, policy.approved_given) == ((), True)


def test_rows_have_their_lines_for_names_where_no_column_has_names(tmp_path: Path) -> None:
    policy = read(tmp_path, "port,protocol\n80,tcp\n80,udp\n")
    assert [str(entry).rpartition("/")[2] for entry in policy.approved] == ["clsa.csv:2", "clsa.csv:3"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_as_spreadsheets_export_it(tmp_path: Path, newline: str, mark: str, delimiter: str) -> None:
    rows = [["Port ", '"name"', " PURPOSE"], ["443", "https", '"two\nlines, ""quoted""; and a \t tab"'], ["", "", ""], ["22", "ssh", ""]]
    csv = mark + newline.join(delimiter.join(row) for row in rows)
    policy = read(tmp_path, csv)
    https, ssh = policy.approved
    assert (https.purpose, ssh.purpose) == ('two\nlines, "quoted"; and a \t tab', None)
    assert [entry.origin.rpartition(":")[2] for entry in (https, ssh)] == ["2", "5"]


def test_the_delimiter_can_be_said(tmp_path: Path) -> None:
    assert written(tmp_path, "port\tname\n80\tweb\n", ", delimiter: tab") == ["{port: 80, name: web}"]
    assert "has no column 'port'" in refusal(tmp_path, "port\tname\n80\tweb\n", ", delimiter: ';', columns: {port: port}")
    assert "expected one of ,, ;, tab, found '|'" in refusal(tmp_path, "port\n80\n", ", delimiter: '|'")


@pytest.mark.parametrize(
    ("cell", "protocol", "read_as"),
    [
        ("443", "", "{port: 443, name: x}"),
        ("8000-8099", "TCP", "{port: 8000-8099, protocol: tcp, name: x}"),
        ("80,443", "tcp", "{port: [80, 443], protocol: tcp, name: x}"),
        ("80; 443", "TCP/UDP", "{port: [80, 443], protocol: [tcp, udp], name: x}"),
        ("80\n443", "tcp,udp", "{port: [80, 443], protocol: [tcp, udp], name: x}"),
        ("1, 433", "tcp udp", "{port: [1, 433], protocol: [tcp, udp], name: x}"),
        ("22,80,443", "", "{port: [22, 80, 443], name: x}"),
        ("tcp/443", "", "{port: 443, name: x, protocol: tcp}"),
        ("53/UDP, 5353/udp", "", "{port: [53, 5353], name: x, protocol: udp}"),
        ("Kernel-Given", "Any", "{port: kernel-given, protocol: any, name: x}"),
    ],
)
def test_ports_and_protocols_as_people_write_them(tmp_path: Path, cell: str, protocol: str, read_as: str) -> None:
    assert written(tmp_path, f'port,protocol,name\n"{cell}","{protocol}",x\n') == [read_as]


@pytest.mark.parametrize(
    ("cell", "protocol"),
    [
        ("tcp/443", "udp"),
        ("80/tcp, 53/udp", ""),
        ("80/tcp, 443", ""),
        ("tcp/443/udp", ""),
        ("443.0", ""),
        ("8000 - 8099", ""),
        ("8099-8000", ""),
        ("65536", ""),
        ("80 443", ""),
        ("=443", ""),
        ("+443", ""),
        ("-443", ""),
        ("@443", ""),
        ("٤٤٣", ""),
        ("443", "both"),
        ("443", "6"),
        (",", ""),
    ],
)
def test_what_is_not_clear_is_refused_with_its_row_and_column(tmp_path: Path, cell: str, protocol: str) -> None:
    told = refusals(tmp_path, f'name,port,protocol\nssh,22,tcp\nx,"{cell}","{protocol}"\n')
    assert told[0].startswith("clsa.csv:3:3: expected" if protocol in ("both", "6") else "clsa.csv:3:2: expected")


@pytest.mark.parametrize(("cell", "number"), [("8,080", 8080), ("49,152", 49152), ("22,443", 22443)])
def test_a_mark_between_thousands_is_not_taken_for_a_list(tmp_path: Path, cell: str, number: int) -> None:
    assert f"clsa.csv:2:2: '{cell}' may be two ports, or {number}" in refusal(tmp_path, f'name,port\nx,"{cell}"\n')


def test_formulas_are_text(tmp_path: Path) -> None:
    policy = read(tmp_path, 'name,port,purpose,user\n@x,22,"=cmd|\' /C calc\'!A0","a; b"\n')
    assert (policy.approved[0].name, policy.approved[0].purpose) == ("@x", "=cmd|' /C calc'!A0")
    assert flow(policy.approved[0].written).endswith("user: [a, b]}")


# What is refused


def test_a_column_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    told = refusals(tmp_path, REGISTER, ", columns: {port: Prot, protocol: Protocol, name: Service, purpose: Why}")
    columns = "allowed here: Boundary, Port, Protocol, Service, Justification, POC"
    assert told == [
        f"site.yaml:4:51: clsa.csv has no column 'Prot'; {columns}",
        f"site.yaml:4:101: clsa.csv has no column 'Why'; {columns}",
    ]


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "unknown key 'prupose'; did you mean 'purpose'?" in refusal(tmp_path, REGISTER, ", columns: {port: Port, prupose: POC}")


def test_without_a_mapping_every_column_must_have_our_word_so_that_none_is_lost(tmp_path: Path) -> None:
    told = refusal(tmp_path, "port,name,purpse\n1,a,b\n")
    assert told.startswith("clsa.csv:1:1: the column 'purpse' is none of name, purpose,")
    assert "its columns: port, name, purpse; say which is which: approved_from: {file: ..., columns:" in told


def test_two_columns_of_one_name_are_refused_only_where_they_are_used(tmp_path: Path) -> None:
    csv = "Port,Note,note,name\n1,a,b,x\n"
    assert written(tmp_path, csv, ", columns: {port: port, name: name}") == ["{port: 1, name: x}"]
    assert "several columns are called 'NOTE'" in refusal(tmp_path, csv, ", columns: {port: port, name: name, purpose: NOTE}")


def test_errors_in_rows_are_told_together_each_with_its_place(tmp_path: Path) -> None:
    told = refusals(tmp_path, "name,port,address,review_by\na,x,10.0.0.1/8,\n,1,,\nc,,,\nd,4,,soon\ne,5,,2027-02-30\n")
    assert [line.partition(": ")[0] for line in told] == ["clsa.csv:3:1", "clsa.csv:4:2"]
    told = refusals(tmp_path, "name,port,address,review_by\na,x,10.0.0.1/8,\nd,4,,soon\ne,5,,2027-02-30\n")
    assert [line.partition(": ")[0] for line in told] == ["clsa.csv:2:2", "clsa.csv:2:3", "clsa.csv:3:4", "clsa.csv:4:4"]


def test_names_must_differ_as_in_yaml(tmp_path: Path) -> None:
    told = refusal(tmp_path, "name,port\nweb,80\nweb,443\n")
    assert told.startswith("clsa.csv:3:1: the name 'web' is taken; it stands at clsa.csv:2 already")


@pytest.mark.parametrize(
    ("csv", "says"),
    [
        (b"", "clsa.csv:1:1: no column is called 'port'"),
        (b"name,prt\n", "clsa.csv:1:1: the column 'prt' is none of"),
        (b"name\n", "clsa.csv:1:1: no column is called 'port'"),
        (b"\xff\xfename,port\n", "clsa.csv:1:1: not UTF-8: byte 0xff"),
        (b"name,port\n\x00,1\n", "clsa.csv:2:1: a control character"),
        (b'name,port\n"a"b,1\n', "clsa.csv:2:1: not CSV: "),
        (b'name,port\n"a,1\n', "clsa.csv:2:1: not CSV: "),
        (b"name,port\na,1,2\n", "clsa.csv:2:1: 3 cells, where the first row has 2"),
        (b"name,port\n" + b"x" * 200_000 + b",1\n", "clsa.csv:2:1: not CSV: field larger than field limit"),
        (b"name,port\n" + b"\n" * SIZE_MAX, f"clsa.csv: is larger than {SIZE_MAX} bytes; split it, and list the parts in 'approved_from'"),
        (b"name,port\n" + b"a,1\n" * (ROWS_MAX + 1), f"clsa.csv:{ROWS_MAX + 2}:1: more than {ROWS_MAX} rows"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, csv: bytes, says: str) -> None:
    assert refusal(tmp_path, csv).startswith(says)


def test_trailing_delimiters_of_a_spreadsheet_do_no_harm(tmp_path: Path) -> None:
    assert written(tmp_path, "name,port,,\na,1,,,,\n,,,\n") == ["{name: a, port: 1}"]


def test_a_file_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("policy: 1\nlistening: {approved_from: [gone.csv, ../../dev/zero]}\n")
    with pytest.raises(PolicyErrors) as caught:
        load(str(tmp_path / "site.yaml"), {})
    assert "site.yaml:2:29: " in str(caught.value.parts[0])
    assert "gone.csv: cannot be read: No such file or directory" in str(caught.value.parts[0])
    assert caught.value.parts[0].advice == "give the path of a CSV file that you may read"


def test_a_device_is_no_such_file(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("policy: 1\nlistening: {approved_from: /dev/zero}\n")
    with pytest.raises(PolicyError, match="/dev/zero: is not a regular file"):
        load(str(tmp_path / "site.yaml"), {})


def test_a_csv_is_no_policy_by_itself(tmp_path: Path) -> None:
    (tmp_path / "clsa.csv").write_text(REGISTER)
    with pytest.raises(PolicyError, match="a CSV file is part of a policy, and none by itself"):
        load(str(tmp_path / "clsa.csv"), {})
