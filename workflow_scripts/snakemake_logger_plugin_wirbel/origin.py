"""Who wrote a record: Snakemake and its plugins tell their own doings, which help nobody who waits for scans."""

from __future__ import annotations

from functools import cache
from pathlib import Path

OWN = "snakemake"


@cache
def is_snakemakes_own(pathname: str) -> bool:
    """Return whether a source file belongs to Snakemake or a plugin of it; rules and Wirbel do not."""
    try:
        return Path(pathname).relative_to(_packages()).parts[0].startswith(OWN)
    except ValueError:
        return False


@cache
def _packages() -> Path:
    import snakemake

    return Path(snakemake.__file__).parents[1]
