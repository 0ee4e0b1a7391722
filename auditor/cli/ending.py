"""A scheduler that ends this run (SIGTERM), or a terminal that is gone (SIGHUP): what is half written is cleared away as after Ctrl-C, then
the process dies by that signal."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEEDED = (signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """This run is to end, by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def heeded() -> Iterator[None]:
    """Within the block the first of the signals raises Ended, and more of them are ignored, so that the clearing away is not disturbed:
    timeout(1) sends its own twice. One that is ignored from the start (nohup) stays so. Forked children die by a signal at once."""
    ours = os.getpid()

    def end(number: int, _: object) -> None:
        if os.getpid() != ours:
            die_by(number)
        for one in taken:
            signal.signal(one, signal.SIG_IGN)
        raise Ended(number)

    taken = [number for number in _HEEDED if signal.getsignal(number) is signal.SIG_DFL]
    for number in taken:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def die_by(number: int) -> int:
    """Does not return, but where the signal cannot end us (the first process of a container): then gives the exit code that shells show."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    return 128 + number
