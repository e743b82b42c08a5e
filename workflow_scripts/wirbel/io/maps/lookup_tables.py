"""What the numbers of label maps mean: tables beside the maps, and colour tables for viewers, once for all scans."""

from __future__ import annotations

from pathlib import Path

from wirbel.core.labels import SUBREGION_NAMES
from wirbel.core.pictures.lookups import subregion_colours, vertebra_colours, vertebra_names
from wirbel.io.maps.colour_tables import FOLDER, SUFFIXES, write_colour_tables
from wirbel.io.sidecars import write_lookup

SUBREGIONS = (
    "Substructures of the spine",
    SUBREGION_NAMES,
    subregion_colours(),
)
VERTEBRAE = (
    "Vertebrae by level; 100 + v is the disc below vertebra v, 200 + v both endplates of that disc",
    vertebra_names(),
    vertebra_colours(),
)
_KINDS = {"subregion": SUBREGIONS, "vertebra": VERTEBRAE}
LOOKUPS = {**_KINDS, "reviewed": VERTEBRAE}
"""Kind of map -> what its numbers mean; `reviewed` is the vertebra map as a reader renamed it."""


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
