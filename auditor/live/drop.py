"""To become an unprivileged user, for good, in a child; and to see that no privilege is left, and that nothing of ours is in its reach."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from auditor.live import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SETGID, _SETUID = 1 << 6, 1 << 7
"""CAP_SETGID and CAP_SETUID of include/uapi/linux/capability.h."""
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_DUMPABLE, _PR_SET_KEEPCAPS = 4, 8
"""Of include/uapi/linux/prctl.h."""
_SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")
_MOST_SAID = 8 << 20
_CHUNK, _CHUNKS = 1 << 16, 64
"""How much is read at once, and how often before the clock is looked at."""
_PASSWD_LIMIT = 1 << 22
_POLL = 0.005
_WHY_MAX = 200


class Unable(Exception):
    """No such user, or none that this run may become."""


class User:
    """A user and a group, by number."""

    __slots__ = ("gid", "name", "uid")

    def __init__(self, uid: int, gid: int, name: str = "") -> None:
        self.uid = uid
        self.gid = gid
        self.name = name

    @classmethod
    def named(cls, text: str) -> User:
        """Of `uid:gid`, or of a name in /etc/passwd alone: a name service could ask the network. Unable where it is neither, or root."""
        uid, colon, gid = text.partition(":")
        user = cls(int(uid), int(gid)) if colon and _is_id(uid) and _is_id(gid) else cls._of_name(text)
        if user.uid == 0:
            raise Unable(f"user {text!r} is root, who may take any port")
        return user

    @classmethod
    def _of_name(cls, name: str) -> User:
        try:
            text = files.content("/etc/passwd", _PASSWD_LIMIT).decode("utf-8", "surrogateescape")
        except OSError as error:
            raise Unable(f"/etc/passwd: {error.strerror}") from error
        for line in text.split("\n"):
            entry = line.split(":")
            if len(entry) > 3 and entry[0] == name and _is_id(entry[2]) and _is_id(entry[3]):
                return cls(int(entry[2]), int(entry[3]), name)
        raise Unable(f"no user {name!r} in /etc/passwd")

    def __str__(self) -> str:
        return f"user {self.name} ({self.uid}:{self.gid})" if self.name else f"user {self.uid}:{self.gid}"


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 0xFFFFFFFF


def may_become(wanted: User | None, default: str) -> User:
    """Who to try as: `wanted`, or without one the user called `default`; a run that may become nobody else tries as itself. Unable where it
    may not, or is root itself."""
    if _capabilities()["CapEff"] & (_SETUID | _SETGID) == _SETUID | _SETGID:
        return wanted or User.named(default)
    own = User(os.geteuid(), os.getegid())
    if wanted is not None and (wanted.uid, wanted.gid) != (own.uid, own.gid):
        raise Unable(f"this run may not become {wanted}: that needs root (CAP_SETUID and CAP_SETGID)")
    if own.uid == 0:
        raise Unable("this run is root and may become nobody else: it lacks CAP_SETUID or CAP_SETGID")
    return own


def _capabilities() -> dict[str, int]:
    """The sets of this process, by their names in /proc/self/status."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        told = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    return {name: int(told.get(name, "0"), 16) for name in _SETS}


def become(user: User) -> None:
    """Drop to a user, for good, with no group but its own. PermissionError where a privilege is left; OSError where that is refused.

    The memory is root's until a program is started: other processes of that user are kept from it. Where fs.suid_dumpable is 1, a change
    of the user opens it to them (commit_creds, kernel/cred.c), but to none that has fewer capabilities (cap_ptrace_access_check,
    security/commoncap.c): so the permitted ones are kept until it is closed."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if os.getresuid() != (user.uid,) * 3 or os.getresgid() != (user.gid,) * 3:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "the memory could not be closed to other processes, so nothing was tried")
    if any(_capabilities().values()):
        _give_up_capabilities()
    left = {name: bits for name, bits in _capabilities().items() if bits}
    if left or os.getresuid() != (user.uid,) * 3 or os.getresgid() != (user.gid,) * 3 or user.uid == 0:
        told = ", ".join(f"{name} {bits:x}" for name, bits in left.items()) or "ids"
        raise PermissionError(1, f"a privilege is left ({told}), so nothing was tried")


def _give_up_capabilities() -> None:
    """capset(2) of none at all; the ambient ones go with the permitted ones."""
    import ctypes

    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Said:
    """What a child gave; `status` as an Answer has it."""

    __slots__ = ("status", "stderr", "stdout")

    def __init__(self, status: str, stdout: bytes, stderr: bytes) -> None:
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    @property
    def why(self) -> str:
        """The first line of its complaint."""
        lines = [line.strip() for line in self.stderr.decode("utf-8", "backslashreplace").split("\n")]
        return next((line[:_WHY_MAX] for line in lines if line), "it said nothing")


def run_as(
    user: User, argv: list[str] | None, task: Callable[[], None], stdin: bytes, seconds: float, environment: Mapping[str, str]
) -> Said:  # fmt: skip
    """Run a program as a user, or `task` in a fork of this process where there is none; after so many seconds its process group is killed.
    It reads a sealed file in memory, which nobody may write, and is heard through pipes that are ours: no other process of that user may
    open them by /proc/PID/fd."""
    import ctypes  # noqa: F401 - the user may not be able to read these
    import fcntl
    import resource  # noqa: F401

    given = os.memfd_create("stdin", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    pipes = [os.pipe(), os.pipe()]
    readers, writers = [pipe[0] for pipe in pipes], [pipe[1] for pipe in pipes]
    try:
        _write(given, stdin)
        os.lseek(given, 0, os.SEEK_SET)
        fcntl.fcntl(given, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
        child = os.fork()
        if not child:
            _become_and_run(user, argv, task, [given, *writers], environment)
        try:
            return _heard(child, readers, seconds)
        except BaseException:
            with suppress(ChildProcessError):
                _kill(child)
            raise
    finally:
        for descriptor in (given, *readers, *writers):
            os.close(descriptor)


def _become_and_run(
    user: User, argv: list[str] | None, task: Callable[[], None], streams: list[int], environment: Mapping[str, str]
) -> None:  # fmt: skip
    """In the child; never returns."""
    import resource

    status = 127
    try:
        os.setsid()
        _keep_only(streams)
        os.chdir("/")
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        become(user)
        if argv is not None:
            os.execvpe(argv[0], argv, dict(environment))  # noqa: S606 - the words are those that a person gave
        task()
        status = 0
    except OSError as error:
        where = f"{argv[0]}: " if argv else ""
        _write(2, f"{where}{error.strerror or error}\n".encode("utf-8", "backslashreplace"))
    except Exception as error:
        _write(2, f"our error, not the host's: {type(error).__name__}: {error}\n".encode("utf-8", "backslashreplace"))
        raise
    finally:
        os._exit(status)


def _keep_only(streams: list[int]) -> None:
    """Have them as descriptors 0, 1 and 2, and no other: what a run was started with may be root's."""
    import fcntl

    above = [fcntl.fcntl(stream, fcntl.F_DUPFD, 3) for stream in streams]
    for number, stream in enumerate(above):
        os.dup2(stream, number)
    os.closerange(3, max(map(int, os.listdir("/proc/self/fd"))) + 1)


def _write(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]


def _heard(child: int, readers: list[int], seconds: float) -> Said:
    """What it says until it ends: not until the pipes do, which others may hold."""
    deadline = time.monotonic() + seconds
    texts = [bytearray() for _ in readers]
    for reader in readers:
        os.set_blocking(reader, False)
    status = None
    while status is None:
        status = _ended(child)
        for reader, text in zip(readers, texts, strict=True):
            _hear(reader, text)
        if status is None and time.monotonic() > deadline:
            _kill(child)
            status = f"timeout {seconds:.0f}"
        elif status is None:
            time.sleep(_POLL)
    return Said(status, *map(bytes, texts))


def _hear(reader: int, text: bytearray) -> None:
    for _ in range(_CHUNKS):
        try:
            chunk = os.read(reader, _CHUNK)
        except BlockingIOError:
            return
        if not chunk:
            return
        text += chunk[: _MOST_SAID - len(text)]


def _ended(child: int) -> str | None:
    pid, ended = os.waitpid(child, os.WNOHANG)
    if not pid:
        return None
    code = os.waitstatus_to_exitcode(ended)
    return str(code) if code >= 0 else f"signal {-code}"


def _kill(child: int) -> None:
    """With its process group; but what made itself root is root's to kill."""
    for kill in (os.killpg, os.kill):
        try:
            kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
        except PermissionError:
            return
    os.waitpid(child, 0)
