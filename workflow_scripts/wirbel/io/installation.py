"""Where the workflow's own files are: Snakefile, rules, settings, profiles and embedded networks.

In a checkout they lie beside `workflow_scripts`. A wheel carries the same tree as package data, in `wirbel/workflow`
(see `setup.py`), so that every relative path holds in both.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]


def in_checkout() -> bool:
    """Return whether this code runs from a checkout of the repository, not from an installed wheel."""
    return PACKAGE.parent.name == "workflow_scripts" and (CHECKOUT / "Snakefile").is_file()


WORKFLOW = CHECKOUT if in_checkout() else PACKAGE / "workflow"
"""The folder that holds `Snakefile`, `rules`, `config`, `profiles`, `envs` and `models`."""


def fetched_models_folder(root: Path = WORKFLOW) -> Path:
    """Return where fetched networks are kept by default.

    In a checkout that is `models/fetched`. An installed package may be read-only and goes with its environment, so
    there it is a folder of the user's own (`$XDG_DATA_HOME/wirbel/models`, usually below `~/.local/share`).
    """
    if in_checkout() or root != WORKFLOW:
        return root / "models" / "fetched"
    data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(data) / "wirbel" / "models"
