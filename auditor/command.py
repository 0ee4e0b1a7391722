"""What was run, read from a bundle's `$` line: the program and its arguments, in which stack it ran, what its output went through."""

from __future__ import annotations

from collections import deque
from functools import lru_cache

_PUNCTUATION = frozenset("|&;<>()")
_GROUPING = frozenset("|()")
_WRAPPERS = {
    "sudo": "ugCDhpRrTU", "doas": "uC", "env": "uCS", "nice": "n", "nohup": "", "time": "f", "timeout": "ks", "stdbuf": "ioe",
    "busybox": "", "toybox": "", "command": "", "exec": "", "pfexec": "P",
}  # fmt: skip
"""Programs that run another one, each with the letters of its options that take a word of their own."""
_ELSEWHERE = {"jexec": ("jail", "vnet", "uU"), "zlogin": ("zone", "zone", "l"), "setfib": ("fib", "rdomain", "F")}
SS_TAKING = "fADFN"
"""The letters of ss(8)'s options that have a value."""
_NESTED = 32
"""More wrappers than anybody puts around a command; what has more of them is not taken apart."""
_LONGEST = 1 << 14
"""Characters of a command line that is taken apart: shlex takes time by the square of a word's length."""
_OF_OTHERS = frozenset("apm")
"""Letters of nsenter(1) with which other processes are seen than from outside."""
_OF_USERS = ("sudo", "doas")
_OF_PROCESSES = ("jexec", "zlogin")
_CONTAINERS = ("docker", "podman", "nerdctl", "crictl", "kubectl", "lxc", "incus")


class Command:
    """`program` without path, wrapper and `.exe`; `arguments` as they were; `stack` a label of the stack it was run in and `kind` of
    that (netns, vnet, rdomain, zone), None for the host's own; `inside` that label where it was run in a jail, a zone or a container,
    which shows its own processes alone; `user` who it was run as where that was not root; `filters` are the programs that its output
    went through."""

    __slots__ = ("arguments", "filters", "inside", "kind", "program", "stack", "text", "user")

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack: str | None = None
        self.kind: str | None = None
        self.inside: str | None = None
        self.user: str | None = None
        first, self.filters = _parts(text)
        prompt = first[:1] in (("#",), ("$",), ("%",))  # copied with it
        words = self._unwrapped(list(first[prompt:]))
        self.program = words[0].replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe") if words else ""
        self.arguments = tuple(words[1:])
        if self.stack is None and (label := self._stack_by_argument()):
            self.stack, self.kind = label, "netns"

    def option(self, letter: str, taking: str) -> str | None:
        """The last value of an option of one letter, as in `-p tcp`, `-ptcp` or `-anp tcp`; None where there is none. `taking` as `given`
        has it."""
        return (self.given(taking).get(letter) or [""])[-1] or None

    def given(self, taking: str) -> dict[str, list[str]]:
        """The options of one letter as getopt(3) reads them, each with its values, none for a flag; a letter of `taking` takes a value.
        A word after two dashes stands as it is, without values."""
        found: dict[str, list[str]] = {}
        words = iter(self.arguments)
        for word in words:
            if word == "--":
                break
            if word.startswith("--"):
                found.setdefault(word, [])
            if len(word) < 2 or word[0] != "-" or word[1] == "-":
                continue
            for at, letter in enumerate(word[1:], 2):
                values = found.setdefault(letter, [])
                if letter in taking:
                    values.append(word[at:] or next(words, ""))
                    break
        return found

    def _stack_by_argument(self) -> str | None:
        """`ss -N NAME`, and files of /proc/PID/net, which are of the namespace of that process; process 1 is in the host's own."""
        if self.program == "ss":
            words = iter(self.arguments)
            named = [next(words, "") if word == "--net" else word[len("--net=") :] for word in words if word[:6] in ("--net", "--net=")]
            return named[-1] if named else self.option("N", SS_TAKING)
        pids = {word.split("/")[2] for word in self.arguments if word.startswith("/proc/") and "/net/" in word and word.count("/") > 3}
        others = sorted(pid for pid in pids if pid.isdigit() and pid != "1")
        return f"process {', '.join(others)}" if others else None

    def _unwrapped(self, words: list[str]) -> list[str]:
        for _ in range(_NESTED):
            words = words[next((at for at, word in enumerate(words) if not _is_assignment(word)), len(words)) :]
            name = words[0].rpartition("/")[2] if words else ""
            if name in _WRAPPERS:
                self.user = _as_user(words) if name in _OF_USERS else self.user
                words = _after_options(words[1:], _WRAPPERS[name])
                if name == "timeout":
                    words = words[1:]
            elif name in _ELSEWHERE:
                label, kind, taking = _ELSEWHERE[name]
                words = self._enter(_after_options(words[1:], taking), label, kind)
                self.inside = self.stack if name in _OF_PROCESSES else self.inside
            elif name == "ip" and words[1:3] == ["netns", "exec"] and len(words) > 3:
                words = self._enter(words[3:], "", "netns")
            elif name == "ip" and words[1:3] == ["vrf", "exec"] and len(words) > 3:
                words = words[4:]  # a VRF is a routing table of its stack: ss lists the sockets of all of that
            elif name == "route" and words[1:2] == ["-T"] and words[3:4] == ["exec"]:
                words = words[4:] if words[2] == "0" else self._enter([words[2], *words[4:]], "rdomain", "rdomain")
            elif name == "nsenter":
                words = self._entered_by_process(words)
            elif name in _CONTAINERS and "exec" in words[:4]:
                inside = _after_options(words[words.index("exec") + 1 :], "unewc")
                words = self._enter([inside[0], *inside[2:]] if inside[1:2] == ["--"] else inside, "container", "netns")
                self.inside = self.stack
            else:
                break
        return words

    def _enter(self, words: list[str], label: str, kind: str) -> list[str]:
        if words:
            self.stack, self.kind = f"{label}:{words[0]}" if label else words[0], kind
        return words[1:]

    def _entered_by_process(self, words: list[str]) -> list[str]:
        """nsenter(1): `-t PID -n`, or `--net=FILE` as `ip netns` and container runtimes have them."""
        target = file = None
        apart = False
        rest = deque(words[1:])
        while rest and rest[0].startswith("-") and rest[0] != "--":
            word = rest.popleft()
            apart = apart or word in ("--all", "--pid", "--mount") or (word[1] != "-" and bool(_OF_OTHERS & set(word)))
            if word in ("-t", "--target") and rest:
                target = rest.popleft()
            elif word.startswith(("--target=", "-t")):
                target = word.partition("=")[2] or word[2:]
            elif word.startswith(("--net=", "-n")) and len(word) > 2:
                file = word.partition("=")[2] or word[2:]
        words_of_file = (file or "").split("/")
        if words_of_file[1:2] == ["proc"] and words_of_file[3:] == ["ns", "net"]:
            file, target = None, words_of_file[2]
        if file:
            self.stack, self.kind = file.rpartition("/")[2], "netns"
        elif target and target != "1":
            self.stack, self.kind = f"process {target}", "netns"
        self.inside = self.stack if apart else self.inside
        after = list(rest)
        return after[1:] if after[:1] == ["--"] else after


def _is_assignment(word: str) -> bool:
    name, equals, _ = word.partition("=")
    return bool(equals) and name.isidentifier()


def _as_user(words: list[str]) -> str | None:
    """The user that `sudo -u NAME`, `sudo -uNAME` or `doas -u NAME` runs a command as; None for root."""
    at = next((at for at, word in enumerate(words[1:], 1) if word.startswith("-u") or not word.startswith("-")), len(words))
    named = [words[at][2:] or "".join(words[at + 1 : at + 2])] if at < len(words) and words[at].startswith("-u") else []
    return next((name for name in named if name not in ("root", "0", "#0")), None)


def _after_options(words: list[str], taking: str) -> list[str]:
    """What follows the options of a wrapper; a letter of `taking` takes the next word too."""
    at = 0
    while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        if not word.startswith("--") and word[-1] in taking:
            at += 1
    return words[at:]


@lru_cache(maxsize=1024)
def _parts(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of the first command of a line, and what its output went through: the programs of pipes, the commands that came after, a
    file (`> FILE`), the background (`&`). Redirections of stderr and stdin are left out."""
    import shlex

    if len(text) > _LONGEST:
        return tuple(text.split()), (f"what stands in a command line of more than {_LONGEST} characters",)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.escape = ""  # a Windows path keeps its backslashes
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        words = text.split()
    commands: list[list[str]] = [[]]
    elsewhere: list[str] = []
    left_out = False
    for word in words:
        if left_out:
            left_out = False
        elif word and _PUNCTUATION.issuperset(word):
            if word[0] in "<>":
                left_out = True
                number = commands[-1].pop() if commands[-1] and commands[-1][-1] in ("1", "2") else "1"
                if word[0] == ">" and number == "1":
                    elsewhere.append(word)
            else:
                commands.append([])
                if (word != "|&" and not _GROUPING.issuperset(word)) or word == "||":
                    elsewhere.append(word)
        else:
            commands[-1].append(word)
    commands = [command for command in commands if command]
    return tuple(commands[0]) if commands else (), (*(" ".join(command) for command in commands[1:]), *elsewhere)
