"""How well the sources agree, structure by structure, and which scans a reader should correct first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wirbel.core.evaluation.metrics.overlap import dice
from wirbel.core.fusion.statements import CLASSES, Statements
from wirbel.core.label_schemes import BACKGROUND, Labels
from wirbel.core.labels import (
    BODY,
    BODY_BORDER,
    CANAL,
    CORD,
    ENDPLATE,
    SUBREGION_NAMES,
    VERTEBRA_SUBREGIONS,
)

Row = dict[str, Any]

ALL = "all sources"
"""Name of the rows about all sources together."""
VERTEBRA = frozenset(VERTEBRA_SUBREGIONS) - {BODY}
UNIONS: dict[Labels, str] = {
    VERTEBRA: "whole_vertebra",
    VERTEBRA | {ENDPLATE}: "whole_vertebra_with_endplates",
    frozenset({CORD, CANAL}): "spinal_canal_with_cord",
}
"""How unions of structures are called; others by their parts."""


def agreement_rows(
    names: Sequence[str], statements: Sequence[Statements], fused: np.ndarray, ignored: np.ndarray
) -> list[Row]:
    """Return how each source agrees with the fused map in each structure or union that it states.

    Parameters
    ----------
    names : sequence of str
        Of the sources.
    statements : sequence of Statements
        Of the sources, on the grid of `fused`.
    fused : ndarray of int, shape (i, j, k)
        Subregion map.
    ignored : ndarray of bool, shape (i, j, k)
        Where the sources do not decide.

    Returns
    -------
    list of dict
        `structure`, `source`, `dice` (where the source says whether a voxel is of the structure) and, for all sources
        together, `dice` as the mean and `undecided`: the share of the structure that is ignored.
    """
    rows: list[Row] = []
    for structure, members in _structures(statements).items():
        mine = np.isin(fused, list(members))
        scores = [_score(one, members, mine) for one in statements]
        known = [score for score in scores if score is not None]
        if not known:
            continue
        named = zip(names, scores, strict=True)
        rows += [
            {"structure": structure, "source": name, "dice": score}
            for name, score in named
            if score is not None
        ]
        undecided = float(ignored[mine].mean()) if mine.any() else None
        mean = {"dice": float(np.mean(known)), "undecided": undecided, "sources": len(known)}
        rows.append({"structure": structure, "source": ALL, **mean})
    return rows


def worth_correcting(rows: Iterable[Row], corrected: Mapping[str, bool]) -> list[Row]:
    """Return the scans, those with the lowest agreement of the sources first.

    Parameters
    ----------
    rows : iterable of dict
        Agreement rows of all scans, with `scan_id`.
    corrected : mapping of str to bool
        Scan -> whether a reader has corrected it; those come last.

    Returns
    -------
    list of dict
        `rank` (1 is the most worth correcting; None if corrected), `scan_id`, `agreement` (mean over structures of the
        sources' mean Dice), `worst_structure`, `worst_dice`, `corrected`.
    """
    by_scan: dict[str, list[Row]] = {}
    for row in rows:
        if row["source"] == ALL and row["sources"] > 1:
            by_scan.setdefault(row["scan_id"], []).append(row)
    listed: list[Row] = []
    for scan in corrected:
        mine = by_scan.get(scan, [])
        worst = min(mine, key=lambda row: row["dice"], default={})
        listed.append(
            {
                "scan_id": scan,
                "agreement": float(np.mean([row["dice"] for row in mine])) if mine else None,
                "worst_structure": worst.get("structure"),
                "worst_dice": worst.get("dice"),
                "corrected": corrected[scan],
            }
        )
    listed.sort(key=lambda row: (row["corrected"], _least_first(row["agreement"]), row["scan_id"]))
    return [
        {"rank": None if row["corrected"] else place, **row}
        for place, row in enumerate(listed, start=1)
    ]


def _least_first(agreement: float | None) -> float:
    return 2.0 if agreement is None else agreement


def _structures(statements: Sequence[Statements]) -> dict[str, Labels]:
    """Return name -> classes of every single structure, and of every set of structures that a source states."""
    found: dict[str, Labels] = {}
    for label in CLASSES[1:]:
        name = "vertebral_body" if label == BODY_BORDER else SUBREGION_NAMES[label]
        found[name] = frozenset({label})
    stated = {labels for one in statements for labels in one.sets}
    for labels in sorted(stated, key=sorted):
        if len(labels) > 1 and BACKGROUND not in labels:
            found[UNIONS.get(labels) or "+".join(map(str, sorted(labels)))] = labels
    return found


def _score(statements: Statements, members: Labels, fused: np.ndarray) -> float | None:
    """Return the Dice of one source where it decides about a structure; None if it never states it, or a part of it."""
    inside = [labels <= members for labels in statements.sets]
    decides = [labels <= members or not labels & members for labels in statements.sets]
    if not any(inside):
        return None
    said = np.array(inside)[statements.places]
    known = np.array(decides)[statements.places]
    return dice(said, fused & known)
