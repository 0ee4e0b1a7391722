"""The pictures in the README are those that tests/pictures.py takes, and are there."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from tests.pictures import FOLDER, PICTURES, ROOT, WIDTH

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = [Path(path) for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)]


def test_the_readme_shows_the_pictures_that_the_script_takes_and_no_other() -> None:
    assert [ROOT / path for path in SHOWN] == [FOLDER / name for name in PICTURES]


def test_each_picture_is_there_of_its_size_and_light_enough_for_a_readme() -> None:
    for name, (_, height) in PICTURES.items():
        png = (FOLDER / name).read_bytes()
        assert png.startswith(b"\x89PNG\r\n\x1a\n"), name
        assert struct.unpack(">II", png[16:24]) == (WIDTH, height), name
        assert len(png) <= 300_000, name
