"""To look at network namespaces from inside."""

from __future__ import annotations

import marshal
import os

from auditor.live import rights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from auditor.live.namespaces import Namespace

_CLONE_NEWNET = 0x40000000


def from_inside(namespaces: list[Namespace], look: Callable[[Namespace], Any]) -> Iterator[tuple[Namespace, Any, str]]:
    """What `look` gives in each of them, which must be what marshal can write: from one child that moves from one to the next. None, and
    why, where one could not be entered, or the child broke off before it had looked there."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        _look_inside(reader, writer, namespaces, look)
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as pipe:
            for namespace in namespaces:
                try:
                    seen, why = marshal.load(pipe)  # noqa: S302 - written by our own child
                except (EOFError, ValueError, TypeError):
                    seen, why = None, "the child that went from one namespace to the next ended early"
                yield namespace, seen, why
    finally:
        os.waitpid(child, 0)


def _look_inside(reader: int, writer: int, namespaces: list[Namespace], look: Callable[[Namespace], Any]) -> None:
    """What the child does; it never returns. What it raises it tells first."""
    status = 1
    try:
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            for namespace in namespaces:
                try:
                    why = _why_not_entered(namespace)
                    marshal.dump((None if why else look(namespace), why), pipe)
                except Exception as error:
                    marshal.dump((None, f"our error, not the host's: {type(error).__name__}: {error}"), pipe)
                    raise
                pipe.flush()
        status = 0
    finally:
        os._exit(status)


def _why_not_entered(namespace: Namespace) -> str:
    """Empty where this process is in it now."""
    if namespace.inode is None:
        return f"the namespace could not be entered: its ns/net may not be read: {rights.why_refused('CAP_SYS_PTRACE', 'CAP_SYS_ADMIN')}"
    try:
        enter(namespace)
    except OSError as error:
        return f"the namespace could not be entered: {error.strerror or error}"
    return ""


def enter(namespace: Namespace) -> None:
    """Move this process into it; never to be undone, so only ever in a child. OSError where that is refused."""
    failure: OSError = FileNotFoundError(2, "no entrance was found")
    for path in namespace.entrances:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            failure = error
            continue
        try:
            if os.fstat(descriptor).st_ino != namespace.inode:
                continue
            _setns(descriptor)
            return
        except OSError as error:
            failure = error
        finally:
            os.close(descriptor)
    raise failure


def _setns(descriptor: int) -> None:
    if hasattr(os, "setns"):
        os.setns(descriptor, _CLONE_NEWNET)
        return
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
