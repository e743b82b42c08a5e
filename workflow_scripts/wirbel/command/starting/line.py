"""Snakemake's command line for what is wanted: the same Snakefile, profiles and settings as without `wirbel`."""

from __future__ import annotations

import sys
from pathlib import Path

from wirbel.command.common.mistake import Mistake
from wirbel.command.starting.known import protected
from wirbel.command.starting.words import Wanted
from wirbel.io.installation import WORKFLOW

PROFILES = WORKFLOW / "profiles"
PATHS = (
    "bids_dir",
    "output_dir",
    "models_dir",
    "container",
    "reference",
    "scans",
    "annotate",
    "translate",
)
"""Settings whose text is a path, whatever characters it holds."""


def snakemake_line(wanted: Wanted) -> list[str]:
    """Return the program and its arguments.

    `-P` keeps Python from importing what happens to lie in the working directory.
    """
    line = [sys.executable, "-P", "-m", "snakemake", "--snakefile", str(WORKFLOW / "Snakefile")]
    line += ["--config", *map("=".join, as_given(wanted).items())]
    line += [word for name in (wanted.configfiles,) if name for word in ("--configfile", *name)]
    line += ["--profile", str(profile_folder(wanted.profile))]
    line += ["--cores", wanted.cores] if wanted.cores else []
    line += ["--dry-run"] * wanted.dry_run
    line += ["--quiet", "all"] if wanted.quiet and not wanted.dry_run else []
    return line + list(wanted.after)


def as_given(wanted: Wanted) -> dict[str, str]:
    """Return the settings as they are handed to Snakemake."""
    return {key: protected(text) if key in PATHS else text for key, text in wanted.settings.items()}


def profile_folder(name: str) -> Path:
    """Return the folder of a profile: one that comes with Wirbel, or the user's own; raises Mistake."""
    own = Path(name).expanduser()
    for folder in (own, PROFILES / name) if "/" in name else (PROFILES / name, own):
        if (folder / "config.yaml").is_file():
            return folder.absolute()
    raise Mistake(
        f"there is no profile {name!r}: expected {' or '.join(shipped_profiles())}, or a folder with a config.yaml "
        "(wirbel profile slurm FOLDER makes one to edit)"
    )


def shipped_profiles() -> list[str]:
    """Return the names of the profiles that come with Wirbel."""
    return sorted(path.parent.name for path in PROFILES.glob("*/config.yaml"))
