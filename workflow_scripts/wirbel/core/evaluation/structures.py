"""Rows about structures: their scores against references in our numbers, or in those of a label scheme."""

from __future__ import annotations

from typing import Any

import numpy as np

from wirbel.core.evaluation.metrics.overlap import STRUCTURES, check_shapes
from wirbel.core.evaluation.metrics.surfaces import TOLERANCE_MM, mask_scores
from wirbel.core.geometry import Volume
from wirbel.core.label_schemes import BACKGROUND, LabelScheme, is_inside, is_undecided

Row = dict[str, Any]


def structure_rows(
    scan_id: str, reference: Volume, prediction: np.ndarray, tolerance_mm: float = TOLERANCE_MM
) -> list[Row]:
    """Return one row per structure that the reference or the prediction holds; see `mask_scores`.

    Parameters
    ----------
    scan_id : str
        For the rows.
    reference : Volume
        Subregion map.
    prediction : ndarray of int, shape (i, j, k)
        Subregion map on its grid.
    tolerance_mm : float
        Of the NSD.
    """
    check_shapes(reference.data, prediction)
    rows = []
    for name, labels in STRUCTURES.items():
        masks = np.isin(reference.data, labels), np.isin(prediction, labels)
        scores = mask_scores(*masks, reference.spacing_mm, tolerance_mm)
        if scores["dice"] is not None:
            rows.append({"scan_id": scan_id, "structure": name, **scores})
    return rows


def partial_rows(
    scan_id: str,
    reference: Volume,
    scheme: LabelScheme,
    prediction: np.ndarray,
    tolerance_mm: float = TOLERANCE_MM,
) -> list[Row]:
    """Return the scores of every structure that a label scheme tells apart.

    A prediction counts for a structure of theirs if its label is one that the structure covers. Voxels in which the
    reference does not say whether they belong to it (ignored ones, for example) count in neither mask.

    Parameters
    ----------
    scan_id : str
        For the rows.
    reference : Volume
        The reference's own numbers.
    scheme : LabelScheme
        What they mean.
    prediction : ndarray of int, shape (i, j, k)
        Our subregion labels on the same grid.
    tolerance_mm : float
        Of the NSD.
    """
    places = scheme.read(reference.data, scan_id)
    rows = []
    for name, labels in scheme.compared.items():
        inside = np.array([is_inside(one, labels) for one in scheme.sets])[places]
        known = np.array([not is_undecided(one, labels) for one in scheme.sets])[places]
        found = np.isin(prediction, list(labels - {BACKGROUND})) & known
        scores = mask_scores(inside & known, found, reference.spacing_mm, tolerance_mm)
        if scores["dice"] is not None:
            rows.append({"scan_id": scan_id, "structure": name, **scores})
    return rows
