"""Recognition, segmentation and panoptic quality of instances (Kirillov et al., CVPR 2019, arXiv 1801.00868).

Every instance counts, also one that the border cuts, as in panoptica (Kofler et al., arXiv 2312.02608).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wirbel.core.boxes import label_boxes
from wirbel.core.evaluation.metrics.empty_masks import EMPTY
from wirbel.core.evaluation.metrics.overlap import joint_histogram
from wirbel.core.evaluation.metrics.surfaces import TOLERANCE_MM, mask_scores
from wirbel.core.labels import DISC_OFFSET, ENDPLATE_OFFSET, LEVEL_NAMES, SACRUM

MATCHING_IOU = 0.5
"""A predicted instance is a reference's if their IoU is larger. Above 0.5 no instance can have two partners."""
GROUPS: dict[str, Callable[[int], bool]] = {
    "vertebra": lambda label: label in LEVEL_NAMES and label != SACRUM,
    "disc": lambda label: DISC_OFFSET < label < ENDPLATE_OFFSET,
    "endplate": lambda label: label > ENDPLATE_OFFSET,
}
"""Kind of instance -> whether a label of the vertebra map is one."""
PANOPTIC_METRICS = ("rq", "sq", "pq", "sq_dice", "pq_dice", "sq_assd_mm")


def panoptic_quality(
    reference: np.ndarray,
    prediction: np.ndarray,
    spacing_mm: Sequence[float] | np.ndarray,
    *,
    threshold: float = MATCHING_IOU,
    tolerance_mm: float = TOLERANCE_MM,
) -> dict[str, Any]:
    """Match the instances of two maps by IoU and return the qualities.

    Parameters
    ----------
    reference, prediction : ndarray of int, shape (i, j, k)
        Instance maps on one grid; 0 is background. Numbers need not agree.
    spacing_mm : sequence of three float
        Voxel size along each axis.
    threshold : float
        Smallest IoU of a match, exclusive; pairs are taken by falling IoU.
    tolerance_mm : float
        Of the NSD of matched pairs.

    Returns
    -------
    dict
        `tp`, `fp`, `fn`; `rq` = tp / (tp + fp/2 + fn/2); `sq` = mean IoU of matched pairs; `pq` = rq * sq;
        `sq_dice` and `sq_assd_mm` = mean Dice and ASSD of matched pairs; `pq_dice` = rq * sq_dice; None where `EMPTY`
        says so, and the `sq` of nothing matched. `pairs`: the matches, each a dict with `reference`, `predicted`,
        `iou` and the scores of both masks.
    """
    joint = joint_histogram(reference, prediction)
    mine = [label for label in range(1, joint.shape[0]) if joint[label].any()]
    theirs = [label for label in range(1, joint.shape[1]) if joint[:, label].any()]
    found = _matches(joint, mine, theirs, threshold)
    boxes = label_boxes(reference), label_boxes(prediction)
    pairs = []
    for one, other, iou in found:
        box = _around(boxes[0][one], boxes[1][other])
        masks = reference[box] == one, prediction[box] == other
        scores = mask_scores(*masks, spacing_mm, tolerance_mm)
        pairs.append({"reference": one, "predicted": other, "iou": iou, **scores})
    counts = {"tp": len(pairs), "fp": len(theirs) - len(pairs), "fn": len(mine) - len(pairs)}
    return {**counts, **_qualities(counts, pairs), "pairs": pairs}


def only(group: str, labels: np.ndarray) -> np.ndarray:
    """Return a vertebra map with nothing but the instances of one of `GROUPS`."""
    kept = [label for label in range(256) if GROUPS[group](label)]
    return np.where(np.isin(labels, kept), labels, 0)


def _matches(
    joint: np.ndarray, mine: Sequence[int], theirs: Sequence[int], threshold: float
) -> list[tuple[int, int, float]]:
    """Return (reference, predicted, IoU) by falling IoU, each instance once."""
    sizes = joint.sum(1), joint.sum(0)
    scores = [
        (
            float(joint[one, other] / (sizes[0][one] + sizes[1][other] - joint[one, other])),
            one,
            other,
        )
        for one in mine
        for other in theirs
        if joint[one, other]
    ]
    found: list[tuple[int, int, float]] = []
    for iou, one, other in sorted(scores, key=lambda score: -score[0]):
        taken = any(one == a or other == b for a, b, _ in found)
        if iou > threshold and not taken:
            found.append((one, other, iou))
    return sorted(found)


def _qualities(counts: dict[str, int], pairs: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    tp, fp, fn = counts["tp"], counts["fp"], counts["fn"]
    if tp == 0:
        state = (
            (True, True) if fp + fn == 0 else (False, True)
        )  # without a match, as if none was found
        return {name: EMPTY[name][state] for name in PANOPTIC_METRICS}
    rq = tp / (tp + fp / 2 + fn / 2)
    sq, sq_dice, sq_assd = (
        float(np.mean([pair[name] for pair in pairs])) for name in ("iou", "dice", "assd_mm")
    )
    return {
        "rq": rq,
        "sq": sq,
        "pq": rq * sq,
        "sq_dice": sq_dice,
        "pq_dice": rq * sq_dice,
        "sq_assd_mm": sq_assd,
    }


def _around(one: tuple[slice, ...], other: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
