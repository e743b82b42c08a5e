"""Slips on Snakemake's command line that it takes without a word."""

from __future__ import annotations

from collections.abc import Sequence

CONFIG = ("--config", "-C")
FORCED = (
    "--force, --forceall and --forcerun do not compute scans again whose results are valid: name them instead, as in "
    "--config recompute=sub-01,sub-02"
)


def repeated_config(argv: Sequence[str]) -> str:
    """Return why settings were lost, where there is more than one `--config`: Snakemake takes the last one only."""
    given = [word for word in argv if word in CONFIG or word.startswith("--config=")]
    if len(given) < 2:
        return ""
    return (
        f"--config is given {len(given)} times, of which Snakemake would take the last one only: write all settings "
        "behind one --config, as in --config bids_dir=IN output_dir=OUT"
    )
