from __future__ import annotations

from auditor.parsers import tasklist
from auditor.reading import Output, Processes
from tests.parsers import laws

TABLE = (
    "\r\nImage Name                     PID Session Name        Session#    Mem Usage\r\n"
    "========================= ======== ================ =========== ============\r\n"
    "System Idle Process              0 Services                   0          8 K\r\n"
    "owl d.exe                     4120 Services                   0     18,204 K\r\n"
)
CSV = '"Abbildname","PID","Sitzungsname","Sitz.-Nr.","Speichernutzung"\r\n"owl ""d"", new.exe","4120","Services","0","18.204 K"\r\n'
VERBOSE = (
    '"owld.exe","4120","Services","0","18,204 K","Unknown","COOP\\svc_owl","0:00:01","N/A"\r\n'
    '"System","4","Services","0","20 K","Unknown","N/A","0:13:01","N/A"\r\n'
)


def read(text: str, command: str = "tasklist") -> Processes:
    output = Output(command, text)
    processes = tasklist.parse(output)
    laws.accounted(output, processes)
    return processes


def test_a_table_is_read_by_the_widths_of_its_rule() -> None:
    processes = read(TABLE)
    assert processes.by_pid == {0: {"process": "System Idle Process"}, 4120: {"process": "owl d.exe"}}
    assert not processes.gaps


def test_csv_gives_names_whole_under_a_header_of_any_language() -> None:
    processes = read(CSV, "tasklist /FO CSV")
    assert processes.by_pid == {4120: {"process": 'owl "d", new.exe'}}
    assert not processes.gaps


def test_v_shows_users_where_they_are_known() -> None:
    assert read(VERBOSE, "tasklist /v /fo csv /nh").by_pid == {
        4120: {"process": "owld.exe", "user": "COOP\\svc_owl"}, 4: {"process": "System"}}  # fmt: skip
    assert read(VERBOSE, "tasklist /fo csv /nh").by_pid[4120] == {"process": "owld.exe"}


def test_services_on_a_further_line_are_passed_over() -> None:
    text = (
        "Image Name                     PID Services\r\n"
        "========================= ======== ============================================\r\n"
        "svchost.exe                    912 CoopSvc,\r\n"
        "                                   OwlSvc\r\n"
    )
    processes = read(text, "tasklist /svc")
    assert processes.by_pid == {912: {"process": "svchost.exe"}}
    assert not processes.gaps


def test_what_cannot_be_read_is_a_gap() -> None:
    assert [gap.line for gap in read(TABLE + "owld.exe    what\r\n").gaps] == ["owld.exe    what"]
    assert [gap.line for gap in read("owl d.exe                     4120 Services\r\n").gaps] == [
        "owl d.exe                     4120 Services"
    ]
    assert len(read(TABLE + TABLE.replace("owl d", "owl e").splitlines()[-1]).gaps) == 1


def test_no_cut_and_no_strange_text_breaks_it() -> None:
    laws.total(tasklist.parse, "tasklist", TABLE)
    laws.total(tasklist.parse, "tasklist /v /fo csv", CSV + VERBOSE)
