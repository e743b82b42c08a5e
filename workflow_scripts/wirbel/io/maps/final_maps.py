"""Write the two final label maps of a scan, each with its sidecar, and the tables of what all maps' numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from wirbel import __version__
from wirbel.core.agreement.figures import Agreement
from wirbel.core.geometry import Volume
from wirbel.core.labels import SUBREGION_NAMES
from wirbel.core.levels.naming import Levels
from wirbel.core.merging.maps import FinalMaps
from wirbel.core.pictures.lookups import subregion_colours, vertebra_colours, vertebra_names
from wirbel.io.maps.colour_tables import FOLDER, SUFFIXES, write_colour_tables
from wirbel.io.nifti.volumes import LABELS, Header, read_header, write_volume
from wirbel.io.sidecars import write_json, write_lookup

UNKNOWN = "unknown"
TOY_WEIGHTS = "(toy weights)"
"""Appended to the name of networks that only serve to try the software."""
HEADER_CONFLICT_KEY = "HeaderConflict"
"""Sidecar entry: one sentence about each contradiction in the scan's header."""
AGREEMENT_KEY = "Agreement"
"""Entry of a vertebra map's sidecar, by label of the map: `wirbel.core.agreement.figures.Agreement`."""
AGREEMENT_DECIMALS = 4
_SUBREGIONS = (
    "Substructures of the spine",
    SUBREGION_NAMES,
    subregion_colours(),
)
VERTEBRAE = (
    "Vertebrae by level; 100 + v is the disc below vertebra v, 200 + v both endplates of that disc",
    vertebra_names(),
    vertebra_colours(),
)
_KINDS = {"subregion": _SUBREGIONS, "vertebra": VERTEBRAE}
LOOKUPS = {**_KINDS, "reviewed": VERTEBRAE}
"""Kind of map -> what its numbers mean; `reviewed` is the vertebra map as a reader renamed it."""


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
            f"{stem}_desc-subregion_dseg", maps.subregion, _SUBREGIONS, provenance, placement
        ),
        *write_map(f"{stem}_desc-vertebra_dseg", maps.vertebra, VERTEBRAE, described, placement),
    ]


def write_colours(output_dir: Path) -> None:
    """Write the colour tables of both kinds of maps for viewers, once for all scans."""
    for kind, (_, names, colours) in _KINDS.items():
        write_colour_tables(output_dir / FOLDER, kind, names, colours)


def colour_files(output_dir: Path) -> list[Path]:
    """Return the files that `write_colours` writes."""
    folder = output_dir / FOLDER
    return [folder / f"{kind}{suffix}" for kind in _KINDS for suffix in SUFFIXES.values()]


def write_lookups(output_dir: Path) -> None:
    """Write the table of each kind of map, which by BIDS' inheritance principle holds for all scans below."""
    for path, (_, names, colours) in zip(lookup_files(output_dir), LOOKUPS.values(), strict=True):
        write_lookup(path, names, colours)


def lookup_files(output_dir: Path) -> list[Path]:
    """Return the files that `write_lookups` writes."""
    return [output_dir / f"desc-{kind}_dseg.tsv" for kind in LOOKUPS]


def raw_uri(participant_id: str, session_id: str, path: str | Path, *, own: bool = False) -> str:
    """Return a scan's BIDS URI, as derivatives name their sources.

    Parameters
    ----------
    participant_id, session_id : str
        "sub-01"; "ses-a" or "".
    path : str or Path
        The scan. Of a file that does not lie where BIDS has it (a table of scans named it) the URI has
        the name only.
    own : bool
        The scan lies in the derivatives' data set itself, which converted it. Default: in the raw one.

    Returns
    -------
    str
        The URI.

    Examples
    --------
    >>> raw_uri("sub-01", "", "in/sub-01/anat/sub-01_T2w.nii.gz")
    'bids:raw:sub-01/anat/sub-01_T2w.nii.gz'
    >>> raw_uri("sub-01", "", "deliveries/a7.nii.gz")
    'bids:raw:a7.nii.gz'
    >>> raw_uri("sub-01", "", "out/sub-01/anat/sub-01_T2w.nii.gz", own=True)
    'bids::sub-01/anat/sub-01_T2w.nii.gz'
    """
    path = Path(path)
    folders = [part for part in (participant_id, session_id, "anat") if part]
    if path.parts[-len(folders) - 1 : -1] != tuple(folders):
        folders = []
    return ("bids::" if own else "bids:raw:") + "/".join([*folders, path.name])


def made_by(sidecar: Mapping[str, Any]) -> dict[str, str]:
    """Return the networks and version from a map's sidecar, as columns of the table of scans."""
    models = sidecar.get("Models") or {}
    names = {kind: str(part.get("Name")) for kind, part in models.items()}
    one = len(set(names.values())) == 1
    told = next(iter(names.values())) if one else ", ".join(f"{k}: {n}" for k, n in names.items())
    toy = any(part.get("ToyWeights") for part in models.values())
    versions = [part.get("Version") for part in sidecar.get("GeneratedBy") or ()]
    return {
        "model": (told or UNKNOWN) + (f" {TOY_WEIGHTS}" if toy else ""),
        "wirbel_version": str(next(filter(None, versions), UNKNOWN)),
    }


def levels_entry(levels: Levels) -> dict:
    """Return the sidecar entry about how the levels were named."""
    return {
        "confidence": levels.confidence,
        "method": levels.method,
        "agree": levels.agree,
        "flags": list(levels.flags),
        "alternative": levels.alternative,
        "set_aside": levels.set_aside,
    }


def agreement_entry(agreement: Agreement) -> dict[str, dict[str, float]]:
    """Return the sidecar entry about how well the networks agree; `agreement_from` reverses it."""
    return {
        kind: {str(n): round(value, AGREEMENT_DECIMALS) for n, value in sorted(values.items())}
        for kind, values in vars(agreement).items()
    }


def agreement_from(entry: Mapping[str, Mapping[str, Any]]) -> Agreement:
    """Reverse `agreement_entry`; {} stands for maps that came without."""
    by_label = {kind: {int(n): v for n, v in values.items()} for kind, values in entry.items()}
    return Agreement(**by_label)


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


def map_sidecar(description: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a label map's sidecar; `more` may say that the map is `Manual`."""
    generator = {"Name": "wirbel", "Version": __version__}
    content = {"Description": description, "GeneratedBy": [generator], **more}
    content |= {"Manual": more.get("Manual", False)}
    if more.get("Sources"):  # the map lies on the scan's own grid
        content |= {"SpatialReference": more["Sources"][0]}
    return content
