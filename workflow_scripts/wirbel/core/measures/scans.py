"""The row of a scan; keys are the columns declared in `wirbel.core.dictionary.scans`."""

from __future__ import annotations

import numpy as np

from wirbel.core.labels import CANAL, CORD, DISC_OFFSET, LEVEL_LABELS, LEVEL_NAMES, SACRUM
from wirbel.core.measures import status as S
from wirbel.core.measures.cord.centreline import Centreline
from wirbel.core.measures.coverage.contiguity import Contiguity
from wirbel.core.measures.coverage.counts import count_columns
from wirbel.core.measures.coverage.presence import presence
from wirbel.core.measures.curvature.alignment import alignment_columns
from wirbel.core.measures.label_maps import LabelMaps
from wirbel.core.measures.shape.solids import Solid

USUAL_PRESACRAL = 24
"""Presacral vertebrae of most people: 7 cervical, 12 thoracic, 5 lumbar."""
STRUCTURES = (
    (CANAL, "canal_volume_mm3", "canal_status"),
    (CORD, "cord_volume_mm3", "cord_status"),
    (SACRUM, "sacrum_volume_mm3", "sacrum_status"),
)
"""Structures that are measured as a whole, each with the columns of its volume and of its status."""
NUMBERS = {"C": (7, 7), "T": (11, 13), "L": (4, 6)}
"""Fewest and most vertebrae of each region (Thawait et al., Radiol Clin North Am 2012;50:587). Other numbers mean that
vertebrae are missing from the map, or that it counts them without naming their levels."""


def scan_row(
    maps: LabelMaps, solids: dict[int, Solid], line: Centreline | None, order: Contiguity
) -> dict:
    """Measure a scan as a whole: what is in view, volumes, and the spine's alignment.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    solids : dict
        Label -> body, and 100 + label -> the disc below it.
    line : Centreline or None
        The canal's centreline.
    order : Contiguity
        Which vertebrae follow each other.
    """
    spacing = np.sort(maps.subregion.spacing_mm)
    row = count_columns(maps) | {
        "in_plane_spacing_mm": float(spacing[:2].mean()),
        "slice_spacing_mm": float(spacing[2]),
    }
    for label, volume, status in STRUCTURES:
        region = maps.structure(label)
        row[volume] = region.volume_mm3 if region else None
        row[status] = presence(region)
    row |= _enumeration_columns(maps, order) | _coverage_columns(maps)
    return row | alignment_columns(solids, line, order)


def _enumeration_columns(maps: LabelMaps, order: Contiguity) -> dict:
    """Count cervical, thoracic and lumbar vertebrae where all are in view; C1 has no label but counts.

    All are in view when each is followed by the next one down to the sacrum.
    """
    names = {"C1", *(LEVEL_NAMES[v] for v in maps.vertebrae)}
    counts = [sum(name[0] == region for name in names) for region in NUMBERS]
    usual = all(low <= n <= high for n, (low, high) in zip(counts, NUMBERS.values(), strict=True))
    flags = {"numbering_flags": ";".join(_numbering_flags(names, order))}
    unbroken = order.unbroken()
    if not usual or SACRUM not in maps.boxes or not unbroken:
        columns = dict.fromkeys(("presacral_vertebrae", "enumeration_type")) | flags
        return columns | {"enumeration_status": S.NOT_IN_VIEW if unbroken else S.VERTEBRA_MISSING}
    return flags | {
        "presacral_vertebrae": sum(counts),
        "enumeration_type": "C{} T{} L{}".format(*counts),
        "enumeration_status": S.OK,
    }


def _numbering_flags(names: set[str], order: Contiguity) -> list[str]:
    """Return what is unusual about the numbers of the vertebrae that the map holds."""
    found = {
        "gap": not order.unbroken(),
        "thirteen_thoracic": "T13" in names,
        "eleven_thoracic": "T11" in names
        and order.below(LEVEL_LABELS["T11"]) == LEVEL_LABELS["L1"],
        "six_lumbar": "L6" in names,
        "four_lumbar": "L4" in names and order.below(LEVEL_LABELS["L4"]) == SACRUM,
    }
    return [flag for flag, true in found.items() if true]


def _coverage_columns(maps: LabelMaps) -> dict:
    """Count the bodies that lie wholly in view, and what part of the spine from C2 to S1 that is."""
    bodies = [maps.body(v) for v in maps.vertebrae]
    complete = sum(body is not None and not body.touches_border for body in bodies)
    sacrum = SACRUM in maps.boxes and not _cut_above(maps)
    usual = max(USUAL_PRESACRAL - 1, len(bodies)) + 1
    return {"bodies_complete": complete, "coverage_percent": 100 * (complete + sacrum) / usual}


def _cut_above(maps: LabelMaps) -> bool:
    """Whether the sacrum is in view without the disc above it: then its upper end may be missing."""
    lumbar = [v for v in maps.discs if v >= LEVEL_LABELS["L1"] and v < SACRUM]
    return not lumbar or DISC_OFFSET + lumbar[-1] not in maps.boxes
