"""What systemd's manager says of the services that it has loaded, and what it was built with. Of no service its command lines: they hold
secrets."""

from __future__ import annotations

from auditor.child import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evidence import Answer

PROPERTIES = (
    "Id", "LoadState", "ActiveState", "FragmentPath", "DropInPaths", "User", "Group", "DynamicUser", "AmbientCapabilities",
    "CapabilityBoundingSet", "NoNewPrivileges", "SocketBindAllow", "SocketBindDeny", "PrivateNetwork", "NetworkNamespacePath",
    "PrivateUsers", "RestrictAddressFamilies", "NeedDaemonReload",
)  # fmt: skip
SERVICES = ("systemctl", "show", "--all", "--type=service", "--no-pager", "--property=" + ",".join(PROPERTIES))
MANAGER = ("systemctl", "show", "--no-pager", "--property=Version,Features")
_SECONDS = 30


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """The answers of SERVICES and of MANAGER; the second is not asked where the first had none. Only what is loaded is told: to ask for a
    unit by its name would load it."""
    services = run("units-manager", SERVICES, _SECONDS)
    yield services
    if services.status == "0":
        yield run("units-manager", MANAGER, _SECONDS)
