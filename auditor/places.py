"""Where the files that ship with the program are: policies, tables, templates, schemas.

In a wheel they lie inside the package (hatchling's force-include puts them there); in a checkout, beside it.
"""

import os

_HERE = os.path.dirname(os.path.abspath(__file__))


def shipped(*parts: str) -> str:
    """The path of a shipped file or folder, as shipped("policies", "tables")."""
    inside = os.path.join(_HERE, *parts)
    return inside if os.path.exists(inside) else os.path.join(os.path.dirname(_HERE), *parts)


def shipped_names(*parts: str) -> list[str]:
    """The names of the YAML files in a shipped folder, without suffix and sorted."""
    folder = shipped(*parts)
    return sorted(name.removesuffix(".yaml") for name in os.listdir(folder) if name.endswith(".yaml")) if os.path.isdir(folder) else []
