"""The names of containers, from the state files their runtimes keep. Of each file only the id, the name and the image are kept."""

from __future__ import annotations

import os

from auditor.evidence import Answer
from auditor.live import files, rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

COLUMNS = "id runtime name image"
_DOCKER = "/var/lib/docker/containers"
_PODMAN = "/var/lib/containers/storage/overlay-containers"
_CONTAINERD = "/run/containerd/io.containerd.runtime.v2.task"
_STATE_LIMIT = 1 << 24
_KUBERNETES = (
    ("io.kubernetes.cri.container-name", "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.sandbox-namespace",
     "io.kubernetes.cri.image-name"),
    ("io.kubernetes.container.name", "io.kubernetes.pod.name", "io.kubernetes.pod.namespace", "io.kubernetes.cri-o.ImageName"),
)  # fmt: skip


def ask(notebook: dict[str, object]) -> Iterator[Answer]:
    """Rows of id, runtime, name and image. A runtime's folder that is not there is no runtime; what may not be read is said."""
    lines: list[bytes] = []
    failures: list[bytes] = []
    for folder, read in ((_DOCKER, _docker), (_PODMAN, _podman), (_CONTAINERD, _containerd)):
        try:
            names = os.listdir(folder)
        except FileNotFoundError:
            continue
        except OSError as error:
            failures.append(f"{folder}: {error.strerror}\n".encode())
            continue
        for name in names:
            try:
                found = read(name)
            except FileNotFoundError:
                continue
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                failures.append(f"{folder}/{name}: {error}\n".encode("utf-8", "replace"))
                continue
            lines += [b"\t".join(rows.field(part.encode("utf-8", "replace")) for part in row) for row in found]
    yield Answer("containers", "builtin:containers", rows.table(COLUMNS, lines), "1" if failures else "0", stderr=b"".join(failures))


def _state(path: str) -> dict[str, Any]:
    import json

    state = json.loads(files.content(path, _STATE_LIMIT))
    return state if isinstance(state, dict) else {"list": state}


def _docker(name: str) -> list[tuple[str, ...]]:
    state = _state(f"{_DOCKER}/{name}/config.v2.json")
    return [(name, "docker", str(state["Name"]).lstrip("/"), str(state.get("Config", {}).get("Image", "")))]


def _podman(name: str) -> list[tuple[str, ...]]:
    import json

    if name != "containers.json":
        return []
    found: list[tuple[str, ...]] = []
    for state in _state(f"{_PODMAN}/{name}")["list"]:
        image = json.loads(state.get("metadata") or "{}").get("image-name", "")
        found.append((str(state["id"]), "podman", str((state.get("names") or [""])[0]), str(image)))
    return found


def _containerd(namespace: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name in os.listdir(f"{_CONTAINERD}/{namespace}"):
        annotations = _state(f"{_CONTAINERD}/{namespace}/{name}/config.json").get("annotations") or {}
        for container, pod, space, image in _KUBERNETES:
            if pod in annotations:
                parts = (annotations.get(space), annotations[pod], annotations.get(container))
                found.append((name, "containerd", "/".join(str(part) for part in parts if part), str(annotations.get(image, ""))))
                break
        else:
            found.append((name, "containerd", str(annotations.get("nerdctl/name", "")), ""))
    return found
