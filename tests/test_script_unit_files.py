"""Unit files as the shell script reads them: in every shell what the built-in reads, and of a command no more than its program."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

import auditor
from auditor.live import unit_files
from auditor.live.service_units import SERVICE
from tests.shells import SHELLS, argv, missing

HERE = Path(auditor.__file__).parent
NAMED = (b"User", b"Group", b"AmbientCapabilities", b"ExecStart")
FILES = [
    b"[Service]\nExecStart=/bin/a --password=hunter2\n", b"\xef\xbb\xbf[Service]\nUser=x\n",
    b"[Unit]\nUser=no\n[Service]\n User = y \nUser=z", b"[Service]\r\nUser=x\r\nExecStart=/bin/a b\r\n",
    b"[Service]\nExecStart=\"/opt/a b\" x\nExecStart='/opt/q' y\nExecStart=/a ; /b c ; \"/c d\"\nExecStart=;\nExecStart=\n",
    b"[Service]\nExecStart=/a;b c\n",
    b'[Service]\nExecStart="/unclosed hunter2\nExecStart=-@!!/bin/x y\nExecStart=/a\\ b c\nExecStart=/a\\\nExecStart=no\nUser=q\n',
    b"[Service]\nAmbientCapabilities=CAP_A \\\n# hunter2\n  CAP_NET_BIND_SERVICE \\\n;c\n CAP_B\nUser=a\\\\\nGroup=b\\\\\\\nx\n",
    b"[Service\nUser=x\n[Service] \nUser=y\n", b"[Service]\nUser Group=x\nUser=*\nUser=a=b\nUser=\\n\n", b"[Service]\nUser=x\\",
    b"[Service]\nExecStart=/a '\"' \"'\" ; /b\nExecStart='a\"b' c\nExecStart=a'b c'd e\n", b"[Service]\n=x\nUser\n  \n\t\nUser=\t v \t\n",
    b"[Service]\nExecStart=  /a  ;  /b ;\nExecStart=; /x\nExecStart=/a ;\t/b\n", b"", b"\n\n", b"\\\n[Service]\nUser=x",
    b"[Service]\nExecStart=\"\" x\nExecStart=\"/a\\\"b\" c\nExecStart=$FOO `id` $(id) *\nUser=$(id)`id`*?[a]\n",
]  # fmt: skip
PIECES = (b"a", b"/", b" ", b"\t", b"'", b'"', b"\\", b";", b"\n", b"=", b"[", b"]", b"User=", b"\nExecStart=", b"[Service]\n", b"#", b"-",
          b"*", b"$x", b"\r", b"\\\n", b"!", b"b")  # fmt: skip
NO_CHARACTERS = b"[Service]\nDescription=caf\xc3\xa9 \xff\nUser=x\xff\nExecStart=/caf\xc3\xa9 hunter2\nGroup=ok\n"
EVERY_SHELL = pytest.mark.parametrize("shell", [
    pytest.param(name, marks=pytest.mark.skipif(missing(name), reason=f"{name} is not installed")) for name in SHELLS
])  # fmt: skip


def made_up(many: int) -> list[bytes]:
    chosen = random.Random(20261121)  # noqa: S311 - the same files each time
    return [b"[Service]\n" + b"".join(chosen.choice(PIECES) for _ in range(chosen.randrange(60))) for _ in range(many)]


def read(shell: str, files: list[bytes], folder: Path) -> list[list[bytes]]:
    """What the script's functions say of each file."""
    for number, text in enumerate(files):
        (folder / str(number)).write_bytes(text)
    names = " ".join(name.decode() for name in NAMED if name != b"ExecStart")
    functions = (HERE / "script.sh").read_text() + (HERE / "collectors" / "linux_units.sh").read_text()
    each = "; do say '= file'; into " + f"{folder}/$number directives '[Service]' '{names}' ExecStart; done\n"
    order = f"{functions}\nfor number in {' '.join(map(str, range(len(files))))}{each}"
    done = subprocess.run(argv(shell), input=order.encode(), capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    return [part.split(b"\n")[:-1] for part in done.stdout.split(b"= file\n")[1:]]


def expected(text: bytes) -> list[bytes]:
    """What the built-in reads, as the script writes it."""
    found: list[bytes] = []
    section = b""
    for number, line in unit_files.logical_lines(text):
        name, equals, value = line.partition(b"=")
        directive = name.strip(b" \t\r")
        if line.startswith(b"["):
            section = line.strip(b" \t\r")
        elif equals and section == SERVICE.section and directive in NAMED:
            for told in SERVICE.told(directive, value.strip(b" \t\r")):
                found.append(b"%d?%s" % (number, directive) if told is None else b"%d %s=%s" % (number, directive, told))
    return found


@EVERY_SHELL
def test_a_unit_file_is_read_as_the_built_in_reads_it(shell: str, tmp_path: Path) -> None:
    files = FILES + made_up(150)
    for text, said in zip(files, read(shell, files, tmp_path), strict=True):
        assert said == expected(text), text
        assert b"hunter2" not in b"".join(said)


@EVERY_SHELL
def test_bytes_that_are_no_characters_hide_nothing_that_comes_after_them(shell: str, tmp_path: Path) -> None:
    (said,) = read(shell, [NO_CHARACTERS], tmp_path)
    user, program, group = expected(NO_CHARACTERS)
    marked = [bytes(1 if byte > 127 else byte for byte in line) for line in (user, program)]
    assert said in ([user, program, group], [*marked, group])
