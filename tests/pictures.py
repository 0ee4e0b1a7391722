"""The pictures in README.md: Chromium's, of the page that the program makes of a bundle in the repository. `make pictures` takes them anew,
and the same page gives the same bytes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "reports" / "pictures"
WIDTH = 1270
PICTURES = {"verdict.png": ("#verdict", 640), "findings.png": ("#open", 625), "port-map.png": ("#map", 915)}
"""Of each, the element that it begins with, and its height; both of tests/evidence/web1.evidence by the policy beside it."""


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.browser.chromium import CHROMIUM, Opened, launched
    from tests.browser.pages import made

    if CHROMIUM is None:
        sys.stderr.write("pictures: no chromium is here: apt-get install chromium\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, launched(Path(folder)) as browser:
        url = made("web1", Path(folder)).url
        for name, (begin, height) in PICTURES.items():
            one = Opened(browser, url, size=(WIDTH, height), color_scheme="light", reduced_motion="reduce")
            one.page.evaluate("selector => document.querySelector(selector).scrollIntoView()", begin)
            path = FOLDER / name
            one.page.screenshot(path=path, animations="disabled", caret="hide")
            one.close()
            sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1000:.0f} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
