"""A command of this host, run as a child: without a shell, with a fixed PATH and locale, its input closed."""

from __future__ import annotations

from auditor.evidence import Answer, quoted

CHILD_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


def run(probe: str, argv: tuple[str, ...], timeout: int) -> Answer:
    """What the command gave, as an answer to `probe`; `timeout` is in seconds."""
    import subprocess

    command = " ".join(quoted(word) for word in argv)
    try:
        done = subprocess.run(  # noqa: S603 - argv comes from our own modules, never from a host
            argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, env=CHILD_ENVIRONMENT, check=False
        )
    except FileNotFoundError:
        return Answer(probe, command, b"", "absent")
    except subprocess.TimeoutExpired as expired:
        return Answer(probe, command, expired.stdout or b"", f"timeout {timeout}", stderr=expired.stderr or b"")
    except OSError as error:
        return Answer(probe, command, b"", "unknown", stderr=f"{error.strerror}\n".encode())
    status = str(done.returncode) if done.returncode >= 0 else f"signal {-done.returncode}"
    return Answer(probe, command, done.stdout, status, stderr=done.stderr)
