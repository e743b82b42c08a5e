"""Compare a segmentation with a reference: overlap, instances, surfaces.

Both maps are arrays on one grid. What happens if a mask is empty is a table, not a branch hidden in
a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from wirbel.core.geometry import grow_box
from wirbel.core.labels import (
    BODY_LABELS,
    LEVEL_NAMES,
    LEVELS_TOP_DOWN,
    SACRUM,
    SUBREGION_NAMES,
)

EMPTY_MASK_DICE: dict[tuple[bool, bool], float | None] = {
    (True, True): None,
    (True, False): 0.0,
    (False, True): 0.0,
}
"""(reference is empty, prediction is empty) -> Dice; None means there is nothing to score."""
MATCHING_DICE = 0.5
"""A vertebra counts as found if a prediction overlaps it with a larger Dice."""

STRUCTURES: dict[str, tuple[int, ...]] = {
    **{SUBREGION_NAMES[label]: (label,) for label in SUBREGION_NAMES if label not in BODY_LABELS},
    "vertebral_body": BODY_LABELS,
}
"""Structure -> its labels in the subregion map; both labels of the body are one structure."""


@dataclass(frozen=True)
class Match:
    """A reference vertebra and the prediction that overlaps it best.

    Attributes
    ----------
    reference : int
        Label in the reference.
    predicted : int or None
        Label of the prediction; None if no overlap exceeds `MATCHING_DICE`.
    dice : float
        Dice of the best overlap, in either case.
    in_order : bool
        Whether the predicted vertebrae are in the same order as the reference's.
    """

    reference: int
    predicted: int | None
    dice: float
    in_order: bool

    @property
    def found(self) -> bool:
        """Whether the vertebra was found in its right place among its neighbours."""
        return self.predicted is not None and self.in_order


def dice(reference: np.ndarray, prediction: np.ndarray) -> float | None:
    """Return the Dice coefficient of two masks, 2 |A and B| / (|A| + |B|) (Dice, Ecology 1945;26:297).

    Parameters
    ----------
    reference, prediction : ndarray of bool
        Masks of one shape.

    Returns
    -------
    float or None
        None if both masks are empty.

    Examples
    --------
    >>> dice(np.array([1, 1, 0, 0]), np.array([0, 1, 1, 0]))
    0.5
    """
    sizes = int(np.count_nonzero(reference)), int(np.count_nonzero(prediction))
    if 0 in sizes:
        return EMPTY_MASK_DICE[sizes[0] == 0, sizes[1] == 0]
    common = np.count_nonzero(np.logical_and(reference, prediction))
    return 2.0 * int(common) / sum(sizes)


def structure_dice(reference: np.ndarray, prediction: np.ndarray) -> dict[str, float | None]:
    """Return the Dice of every structure (`STRUCTURES`) of two subregion maps.

    Parameters
    ----------
    reference, prediction : ndarray of int, shape (i, j, k)
        Subregion maps on one grid.

    Returns
    -------
    dict of str to float or None
        None for a structure that both maps lack.
    """
    joint = _joint_histogram(reference, prediction)
    scores: dict[str, float | None] = {}
    for name, labels in STRUCTURES.items():
        mine = joint[_rows(labels, joint.shape[0])].sum()
        theirs = joint[:, _rows(labels, joint.shape[1])].sum()
        common = joint[_rows(labels, joint.shape[0])][:, _rows(labels, joint.shape[1])].sum()
        if mine == 0 or theirs == 0:
            scores[name] = EMPTY_MASK_DICE[bool(mine == 0), bool(theirs == 0)]
        else:
            scores[name] = float(2 * common / (mine + theirs))
    return scores


def match_vertebrae(reference: np.ndarray, prediction: np.ndarray) -> list[Match]:
    """Match the vertebrae of two vertebra maps by overlap, whatever their numbers.

    Pairs are formed by falling Dice, each vertebra once, down to `MATCHING_DICE`.

    Parameters
    ----------
    reference, prediction : ndarray of int, shape (i, j, k)
        Vertebra maps on one grid.

    Returns
    -------
    list of Match
        One for each vertebra of the reference, from the top down.
    """
    joint = _joint_histogram(reference, prediction)
    mine = [v for v in vertebra_order(joint.shape[0]) if joint[v].any()]
    theirs = [v for v in vertebra_order(joint.shape[1]) if joint[:, v].any()]
    if not mine:
        return []
    scores = np.zeros((len(mine), max(len(theirs), 1)))
    for i, one in enumerate(mine):
        for k, other in enumerate(theirs):
            total = joint[one].sum() + joint[:, other].sum()
            scores[i, k] = 2 * joint[one, other] / total
    pairs = _best_pairs(scores)
    ordered = _longest_rising([(i, pairs[i]) for i in sorted(pairs)])
    return [
        Match(
            reference=one,
            predicted=theirs[pairs[i]] if i in pairs else None,
            dice=float(scores[i, pairs[i]] if i in pairs else scores[i].max()),
            in_order=i in ordered,
        )
        for i, one in enumerate(mine)
    ]


def invented_vertebrae(
    reference: np.ndarray,
    prediction: np.ndarray,
    matches: Sequence[Match],
    *,
    complete_reference: bool = True,
) -> list[int]:
    """Return the predicted vertebrae that match no vertebra of the reference.

    Parameters
    ----------
    reference, prediction : ndarray of int, shape (i, j, k)
        Vertebra maps on one grid.
    matches : sequence of Match
        From `match_vertebrae`.
    complete_reference : bool
        If False, the reference shows only some vertebrae, and a prediction counts as invented only
        if at least half of it lies on a vertebra of the reference.
    """
    matched = {match.predicted for match in matches}
    joint = _joint_histogram(reference, prediction)
    free = [v for v in vertebra_order(joint.shape[1]) if joint[:, v].any() and v not in matched]
    if complete_reference:
        return free
    rows = vertebra_order(joint.shape[0])
    return [v for v in free if joint[rows, v].sum() >= 0.5 * joint[:, v].sum()]


def surface_distance_mm(
    reference: np.ndarray, prediction: np.ndarray, spacing_mm: Sequence[float] | np.ndarray
) -> float | None:
    """Return the average symmetric surface distance of two masks.

    The surface of a mask is its voxels with a face neighbour outside it (Heimann et al., IEEE Trans
    Med Imaging 2009;28:1251).

    Parameters
    ----------
    reference, prediction : ndarray of bool, shape (i, j, k)
        Masks on one grid.
    spacing_mm : sequence of three float
        Voxel size along each axis.

    Returns
    -------
    float or None
        In mm; None if a mask is empty.

    Examples
    --------
    >>> mask = np.zeros((5, 5, 5), bool)
    >>> mask[2, 2, 2] = True
    >>> surface_distance_mm(mask, np.roll(mask, 1, axis=0), (3.0, 1.0, 1.0))
    3.0
    """
    both = np.logical_or(reference, prediction)
    if not (np.any(reference) and np.any(prediction)):
        return None
    box = grow_box(ndimage.find_objects(both.astype(np.int8))[0], 1, both.shape)
    surfaces = [_surface(mask[box]) for mask in (reference, prediction)]
    total = sum(
        ndimage.distance_transform_edt(~there, sampling=spacing_mm)[here].sum()
        for here, there in (surfaces, surfaces[::-1])
    )
    return float(total / sum(int(surface.sum()) for surface in surfaces))


def vertebra_order(size: int = 256) -> list[int]:
    """Return the labels of presacral vertebrae below `size`, from the top down."""
    return [v for v in LEVELS_TOP_DOWN if v != SACRUM and v < size]


def level_name(label: int | None) -> str | None:
    """Return the level of a vertebra label, or None for None."""
    return None if label is None else LEVEL_NAMES[label]


def bodies_only(vertebra: np.ndarray, subregion: np.ndarray) -> np.ndarray:
    """Return the vertebra map with everything except vertebral bodies set to background."""
    return np.where(np.isin(subregion, BODY_LABELS), vertebra, 0)


def _surface(mask: np.ndarray) -> np.ndarray:
    mask = np.pad(np.asarray(mask, bool), 1)
    inner = ndimage.binary_erosion(mask)
    return (mask & ~inner)[1:-1, 1:-1, 1:-1]


def _joint_histogram(reference: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return counts[a, b]: the number of voxels that are a in the reference and b in the prediction."""
    if reference.shape != prediction.shape:
        raise ValueError(f"cannot compare maps of shapes {reference.shape} and {prediction.shape}")
    rows, columns = int(reference.max(initial=0)) + 1, int(prediction.max(initial=0)) + 1
    index = reference.astype(np.int64).ravel() * columns + prediction.ravel()
    return np.bincount(index, minlength=rows * columns).reshape(rows, columns)


def _rows(labels: Sequence[int], size: int) -> list[int]:
    return [label for label in labels if label < size]


def _best_pairs(scores: np.ndarray) -> dict[int, int]:
    """Return {row: column} by falling score above `MATCHING_DICE`, each row and column once."""
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        i, k = divmod(int(flat), scores.shape[1])
        if scores[i, k] <= MATCHING_DICE:
            break
        if i not in pairs and k not in used:
            pairs[i] = k
            used.add(k)
    return pairs


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Return the rows of the longest run of pairs (row, column) whose columns rise with the rows."""
    best: list[list[int]] = []
    for at, (row, column) in enumerate(pairs):
        before = [best[k] for k in range(at) if pairs[k][1] < column]
        longest: list[int] = max(before, key=lambda run: len(run), default=[])
        best.append([*longest, row])
    longest_of_all: list[int] = max(best, key=lambda run: len(run), default=[])
    return set(longest_of_all)
