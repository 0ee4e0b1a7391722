"""What a command says beside what it prints: on stderr, which may be full or gone, and that costs nothing else."""

from __future__ import annotations

import os
import sys


def say(*lines: str) -> None:
    """Each as one line."""
    from auditor.display import harmless

    try:
        sys.stderr.write("".join(f"{harmless(line)}\n" for line in lines))
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # takes what is still buffered, which would change the exit code at the end
