"""Fuse all sources of one scan into both maps; mark disagreement and ignored voxels, and score each source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wirbel.core.fusion.agreement import agreement_rows
from wirbel.core.fusion.combining import Combined, Ways, combine
from wirbel.core.fusion.instances import Instances, fuse_instances
from wirbel.core.fusion.rules import forbidden
from wirbel.core.fusion.statements import Source, statements_of
from wirbel.core.geometry import Grid, Volume
from wirbel.core.labels import SACRUM, VERTEBRA_SUBREGIONS
from wirbel.core.levels.certainty import NO_SACRUM
from wirbel.core.levels.naming import Levels, apply_levels
from wirbel.core.merging.reconciliation import reconcile

IGNORE = 255
"""Number of voxels that a training leaves out."""


@dataclass(frozen=True)
class Fused:
    """The fused annotation of a scan, on the scan's grid.

    Attributes
    ----------
    subregion : Volume
        Fused map of uint8, complete: the best guess everywhere.
    vertebra : Volume or None
        Vertebrae, discs (100 + v) and endplates (200 + v); None if no source names vertebrae.
    training : Volume
        The subregion map with `IGNORE` where the sources do not decide or a rule was broken.
    disagreement : Volume
        float32, 0 (all agree) to 1.
    broken : dict of str to int
        Rule -> voxels that broke it.
    rows : list of dict
        The agreement table: one row per structure and source.
    levels : list of dict
        One per vertebra: label and the share of trust behind its name.
    """

    subregion: Volume
    vertebra: Volume | None
    training: Volume
    disagreement: Volume
    broken: dict[str, int]
    rows: list[dict[str, Any]]
    levels: list[dict[str, Any]]


def fuse(sources: Sequence[Source], grid: Grid, ways: Ways | None = None) -> Fused:
    """Combine the sources of one scan.

    Parameters
    ----------
    sources : sequence of Source
        In order of priority where trust is equal; each on a grid of its own.
    grid : Grid
        The scan's.
    ways : Ways, optional
        Methods and thresholds. Default: STAPLE for all structures.

    Raises
    ------
    UnknownLabelError
        If a map has a number that its scheme does not list.
    """
    statements = [statements_of(source, grid) for source in sources]
    weights = np.stack([source.weights() for source in sources])
    like = Volume(statements[0].places, grid.affine)
    combined = combine(statements, weights, like, ways or Ways())
    labels = like.with_data(combined.labels.copy())
    trust = [float(weight[1:].mean()) for weight in weights]
    maps = [source.vertebra_map(grid) for source in sources]
    bone = np.isin(labels.data, VERTEBRA_SUBREGIONS)
    instances = fuse_instances(maps, trust, bone, grid.affine)
    broken = forbidden(labels, None if instances is None else instances.numbers)
    vertebra = None
    for mask in broken.values():
        labels.data[mask] = 0
    if instances is not None:
        labels, vertebra = _numbered(labels, instances)
    return _result(sources, statements, combined, labels, vertebra, broken, instances)


def _numbered(labels: Volume, instances: Instances) -> tuple[Volume, Volume]:
    """Return both maps with numbered discs and endplates; those without a vertebra are in the subregion map only."""
    bone = np.isin(labels.data, VERTEBRA_SUBREGIONS)
    _, counters = reconcile(labels, np.where(bone, instances.numbers, 0))
    flags = () if (labels.data == SACRUM).any() else (NO_SACRUM,)
    named = apply_levels(counters, Levels(instances.labels, 1.0, "counted", None, flags))
    return labels, labels.with_data(named)


def _result(
    sources: Sequence[Source],
    statements: Sequence,
    combined: Combined,
    labels: Volume,
    vertebra: Volume | None,
    broken: dict[str, np.ndarray],
    instances: Instances | None,
) -> Fused:
    ignored = combined.ignored | (labels.data != combined.labels)
    names = [source.name for source in sources]
    told = [] if instances is None else zip(instances.labels, instances.agreement, strict=True)
    return Fused(
        subregion=labels,
        vertebra=vertebra,
        training=labels.with_data(np.where(ignored, np.uint8(IGNORE), labels.data)),
        disagreement=labels.with_data(combined.disagreement),
        broken={rule: int(mask.sum()) for rule, mask in broken.items()},
        rows=agreement_rows(names, statements, labels.data, ignored),
        levels=[{"label": label, "agreement": share} for label, share in told],
    )
