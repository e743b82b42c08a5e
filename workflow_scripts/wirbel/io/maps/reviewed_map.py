"""The vertebra map with the level names that a reader corrected: `desc-reviewed`, beside the software's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from wirbel.core.geometry import Volume
from wirbel.io.maps.final_maps import write_map
from wirbel.io.maps.lookup_tables import VERTEBRAE
from wirbel.io.nifti.volumes import read_header

SUFFIXES = (".nii.gz", ".tsv", ".json")


def naming_map(outputs: Iterable[str]) -> str:
    """Return which map has the names that were measured: `reviewed` if the outputs of `features` hold one, else
    `vertebra`.
    """
    return (
        "reviewed" if any("_desc-reviewed_" in Path(name).name for name in outputs) else "vertebra"
    )


def reviewed_stem(anat: Path, scan_id: str) -> Path:
    """Return the path of a scan's reviewed map, without its suffix."""
    return anat / f"{scan_id}_desc-reviewed_dseg"


def write_reviewed_map(
    anat: Path, scan_id: str, scan: Path, vertebra: Volume, described: Mapping[str, Any]
) -> list[Path]:
    """Write the map and its sidecar, which holds `described`; return the files.

    Parameters
    ----------
    anat : Path
        Folder of the scan's results.
    scan_id : str
        The scan's name, without suffix.
    scan : Path
        The scan's own file, whose transforms are kept.
    vertebra : Volume
        The corrected map, on the scan's own grid.
    described : mapping
        Entries of the sidecar.

    Returns
    -------
    list of Path
        Map and sidecar.
    """
    stem = reviewed_stem(anat, scan_id)
    return write_map(str(stem), vertebra, VERTEBRAE, dict(described), read_header(scan).placement)


def forget_reviewed_map(anat: Path, scan_id: str) -> None:
    """Remove a map of an earlier review that no longer holds."""
    stem = reviewed_stem(anat, scan_id)
    for suffix in SUFFIXES:
        stem.with_name(stem.name + suffix).unlink(missing_ok=True)
