"""Write the two final label maps of a scan, each with its sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from wirbel.core.agreement.figures import Agreement
from wirbel.core.geometry import Volume
from wirbel.core.merging.map_types import FinalMaps
from wirbel.io.maps.lookup_tables import SUBREGIONS, VERTEBRAE
from wirbel.io.maps.sidecar_entries import (
    AGREEMENT_KEY,
    HEADER_CONFLICT_KEY,
    agreement_entry,
    levels_entry,
    map_sidecar,
    raw_uri,
)
from wirbel.io.nifti.volumes import LABELS, Header, read_header, write_volume
from wirbel.io.sidecars import write_json


class OfScan(Protocol):
    """What is asked of a scan whose maps are written."""

    @property
    def scan_id(self) -> str: ...
    @property
    def participant_id(self) -> str: ...
    @property
    def session_id(self) -> str: ...
    @property
    def path(self) -> Path: ...


def write_maps_of(
    scan: OfScan, folder: Path, maps: FinalMaps, agreement: Agreement, more: Mapping[str, Any]
) -> list[Path]:
    """Write a scan's maps into a folder as `write_final_maps` does; the sidecars name the scan, and hold `more`.

    Parameters
    ----------
    scan : OfScan
        The scan; its header's transforms are kept.
    folder : Path
        Where the maps go.
    maps : FinalMaps
        Label maps on the scan's own grid.
    agreement : Agreement
        How well the networks agree; goes into the vertebra map's sidecar.
    more : mapping
        Further sidecar entries.

    Returns
    -------
    list of Path
        The four files.
    """
    own = Path(scan.path).parent == Path(folder)
    source = raw_uri(scan.participant_id, scan.session_id, scan.path, own=own)
    provenance = {"Sources": [source], **more}
    return write_final_maps(
        folder / scan.scan_id, maps, provenance, read_header(scan.path), agreement
    )


def write_final_maps(
    stem: Path,
    maps: FinalMaps,
    provenance: dict,
    scan: Header | None = None,
    agreement: Agreement | None = None,
) -> list[Path]:
    """Write `<stem>_desc-{subregion,vertebra}_dseg` with sidecars.

    Parameters
    ----------
    stem : Path
        Path of the results without `_desc-...`.
    maps : FinalMaps
        Label maps on the scan's own grid, shape (i, j, k) in the scan's axis order, and how the vertebrae were named,
        which goes into the sidecar.
    provenance : dict
        Further sidecar entries.
    scan : Header, optional
        The scan's header. If given, the maps keep both of its transforms and their codes, so that
        every viewer overlays them on the scan, and the sidecars list the header's contradictions.
    agreement : Agreement, optional
        How well the networks agree about the vertebra map's structures; goes into its sidecar.

    Returns
    -------
    list of Path
        The four files.
    """
    if scan is not None and scan.notes:
        provenance = {**provenance, HEADER_CONFLICT_KEY: list(scan.notes)}
    described = {**provenance, "Levels": levels_entry(maps.levels)}
    if agreement is not None:
        described[AGREEMENT_KEY] = agreement_entry(agreement)
    placement = None if scan is None else scan.placement
    return [
        *write_map(
            f"{stem}_desc-subregion_dseg", maps.subregion, SUBREGIONS, provenance, placement
        ),
        *write_map(f"{stem}_desc-vertebra_dseg", maps.vertebra, VERTEBRAE, described, placement),
    ]


def write_map(
    stem: str,
    volume: Volume,
    described: tuple,
    more: dict,
    placement: Mapping[str, np.ndarray] | None = None,
) -> list[Path]:
    """Write one label map and its sidecar; return both files.

    What its numbers mean stands in a table for all scans (`write_lookups`); one beside the map, as earlier versions
    wrote it, is removed, so that the same numbers are not named twice.

    Parameters
    ----------
    stem : str
        Path without suffixes.
    volume : Volume
        The map, on the scan's own grid.
    described : tuple
        Description, names and colours of its numbers.
    more : dict
        Further sidecar entries.
    placement : mapping, optional
        The scan's transforms and their codes, kept as they are.

    Returns
    -------
    list of Path
        Map and sidecar.
    """
    image, table, sidecar = (Path(f"{stem}{suffix}") for suffix in (".nii.gz", ".tsv", ".json"))
    write_volume(image, volume, "uint8", placement, intent=LABELS)
    table.unlink(missing_ok=True)
    write_json(sidecar, map_sidecar(described[0], more))
    return [image, sidecar]
