"""The column `complete`: whether all of a row's structure is in view, so that its volume is that of all of it."""

from __future__ import annotations

from wirbel.core.measures import status as S
from wirbel.core.measures.coverage.counts import cut_off
from wirbel.core.measures.label_maps import LabelMaps

SHARED = ("canal_status", "cord_status")
"""Status of what the vertebrae of a scan share between them."""


def add_complete(
    maps: LabelMaps, vertebrae: list[dict], discs: list[dict], levels: list[dict]
) -> None:
    """Add the column `complete` to the rows of a scan, in place.

    Parameters
    ----------
    maps : LabelMaps
        The scan's label maps.
    vertebrae, discs, levels : list of dict
        Rows with the status of their volumes.
    """
    for row in vertebrae:
        row["complete"] = row["body_status"] == row["vertebra_status"] == S.OK
    for row in discs:
        row["complete"] = row["disc_status"] == S.OK
    _mark_shares(maps, levels)
    for row in levels:
        row["complete"] = row["canal_status"] == S.OK and row["cord_status"] in (S.OK, S.ABSENT)


def _mark_shares(maps: LabelMaps, levels: list[dict]) -> None:
    """Mark canal and cord of levels beside a body that is cut off.

    A level's share ends half-way between body centres, and the centre of half a body is not its own.
    """
    labels = [row["label"] for row in levels]
    cut = [cut_off(maps.body(label)) for label in labels]
    for at, row in enumerate(levels):
        if any(cut[max(at - 1, 0) : at + 2]):
            row |= {name: S.TOUCHES_BORDER for name in SHARED if row[name] == S.OK}
