"""A station that is a scan of its own, read from its final maps, their sidecar, and the sidecar of the scan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wirbel.core.geometry import Volume
from wirbel.core.joining.stations import Station, body_centroids
from wirbel.io.maps.ingest_sidecar import ABOVE, ingest_sidecar
from wirbel.io.nifti.volumes import read_volume
from wirbel.io.sidecars import read_json


def read_station(name: str, anat: Path, scan: Path, scan_id: str) -> Station:
    """Return a station from its files.

    Parameters
    ----------
    name : str
        Of the setting `stations`.
    anat : Path
        Folder of its final maps.
    scan : Path
        The scan itself; its sidecar lies beside it.
    scan_id : str
        The scan's name, without suffix.
    """
    stem = f"{scan_id}_desc"
    subregion = read_volume(anat / f"{stem}-subregion_dseg.nii.gz")
    vertebra = read_volume(anat / f"{stem}-vertebra_dseg.nii.gz")
    levels = read_json(anat / f"{stem}-vertebra_dseg.json").get("Levels", {})
    return station_from(name, scan, subregion, vertebra, levels)


def station_from(
    name: str, scan: Path, subregion: Volume, vertebra: Volume, levels: Mapping[str, Any]
) -> Station:
    """Return a station whose maps are read already.

    Parameters
    ----------
    name : str
        Of the setting `stations`.
    scan : Path
        The scan itself; its sidecar lies beside it.
    subregion, vertebra : Volume
        Its final maps, on one grid.
    levels : mapping
        What the sidecar of the maps says of the names: confidence, method, alternative.
    """
    above = ingest_sidecar(scan, Path(scan).parent).get(ABOVE, {})
    return Station(
        name,
        body_centroids(subregion, vertebra),
        float(levels.get("confidence") or 0.0),
        levels.get("method") or "unknown",
        levels.get("alternative") or "",
        above.get("upper", ""),
        np.array(above.get("motion", np.eye(4)), float),
    )
