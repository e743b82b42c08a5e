"""Columns that say how well the networks agree about a vertebra or a disc, from what `merge` noted in the sidecar."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from wirbel.core.agreement.figures import Agreement
from wirbel.core.labels import DISC_OFFSET
from wirbel.core.measures import status as S
from wirbel.core.plausibility.scan_flags import LOW_AGREEMENT, LOW_INSTANCE, LOW_MARGIN, SURE_MARGIN


def agreement_columns(
    vertebrae: list[dict], discs: list[dict], found: Agreement, cut: Collection[int]
) -> dict:
    """Add the columns to the rows of vertebrae and discs; return those of the scan.

    Parameters
    ----------
    vertebrae, discs : list of dict
        Rows with `label` and `label_above`; changed in place.
    found : Agreement
        What the networks agree about.
    cut : collection of int
        Labels of the vertebra map that the border cuts otherwise than at a flank.

    Returns
    -------
    dict
        Columns of the scan's row.
    """
    for row in vertebrae:
        row |= _vertebra(row["label"], found, row["label"] not in cut)
    for row in discs:
        label = DISC_OFFSET + row["label_above"]
        row |= _disc(label, found, label not in cut)
    rows = [*vertebrae, *discs]
    return {
        "lowest_instance_agreement": _lowest(row["instance_agreement"] for row in vertebrae),
        "lowest_body_margin": _lowest(row["body_margin"] for row in vertebrae),
        "lowest_disc_margin": _lowest(row["semantic_margin"] for row in discs),
        "low_agreement_rows": sum(bool(row[LOW_AGREEMENT]) for row in rows)
        if _known(found)
        else None,
        "agreement_status": S.OK if _known(found) else S.NOT_RECORDED,
    }


def _vertebra(label: int, found: Agreement, in_view: bool) -> dict:
    dice, body = found.instance.get(label), found.body_margin.get(label)
    votes = found.votes.get(label, 0)
    state = S.OK if dice is not None else S.ONE_VOTE if _known(found) else S.NOT_RECORDED
    return {
        "instance_agreement": dice,
        "instance_votes": votes if _known(found) else None,
        "semantic_margin": found.margin.get(label),
        "body_margin": body,
        "agreement_status": state,
        LOW_AGREEMENT: in_view and _is_low(dice, body) if _known(found) else None,
    }


def _disc(label: int, found: Agreement, in_view: bool) -> dict:
    margin = found.margin.get(label)
    state = S.OK if margin is not None else S.ADDED_LATER if _known(found) else S.NOT_RECORDED
    return {
        "semantic_margin": margin,
        "agreement_status": state,
        LOW_AGREEMENT: in_view and _is_low(None, margin) if _known(found) else None,
    }


def _known(found: Agreement) -> bool:
    """Whether anything was noted: maps from elsewhere come without."""
    return bool(found.votes or found.margin)


def _is_low(dice: float | None, margin: float | None) -> bool:
    """Return whether the margin is low, or the votes differ about what the network is not sure of."""
    if margin is not None and (margin < LOW_MARGIN or margin >= SURE_MARGIN):
        return margin < LOW_MARGIN
    return dice is not None and dice < LOW_INSTANCE


def _lowest(values: Iterable[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)
