"""Turn the network's predictions into the two final maps as SPINEPS 2.1.3 does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from wirbel.core.geometry import Grid, Volume, reorient, stored_like
from wirbel.core.inference_config import InferenceConfig
from wirbel.core.instances.cutouts import cut_out
from wirbel.core.instances.network_results import Found
from wirbel.core.labels import BODY, BODY_BORDER, SACRUM
from wirbel.core.levels.naming import Levels
from wirbel.core.merging.map_types import CountedMaps, FinalMaps
from wirbel.core.spineps.components import REFERENCE_MM, REFERENCE_MM3, voxels_of_mm3
from wirbel.core.spineps.grids import box_of, resample, rescaled_grid, rounded, zooms
from wirbel.core.spineps.instances.body_centres import body_centres
from wirbel.core.spineps.instances.couples import merge_predictions
from wirbel.core.spineps.merging.numbering import from_the_top, number_rest
from wirbel.core.spineps.merging.reconciliation import move_posterior_pieces, reconcile
from wirbel.core.spineps.preparation import prepared_grid
from wirbel.errors import ScanError

CROP_MARGIN_MM = 5 * min(REFERENCE_MM)
POST_MARGIN_MM = 2 * min(REFERENCE_MM)
SMALLEST_MM3 = 40 * REFERENCE_MM3
"""Cleaning thresholds are never smaller."""
STEP_DOWN = 5
"""Voxels by which a cut-out's centre moves down until it lies in a vertebra."""


def instance_grid(labels: Volume, instance: InferenceConfig) -> Volume:
    """Return the map on the instance model's grid, axes (P, I, R)."""
    flat = reorient(labels)
    i, j, k = (float(size) for size in zooms(flat.affine))
    return resample(flat, rescaled_grid(flat.grid, instance.spacing_for((i, j, k))), order=0)


def cut_outs(
    labels: Volume, instance: InferenceConfig
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return cut-outs of the map on the instance grid, their origins and their centres (world mm), top
    down.

    Raises
    ------
    ScanError
        "no_spine_found" if there is no body.
    """
    spacing_mm = zooms(labels.affine)
    crop = _crop(labels.data, spacing_mm)
    low = np.array([s.start for s in crop])
    part = labels.data[crop]
    fewest = _threshold(instance.corpus_size_cleaning, instance, spacing_mm)
    centres = body_centres(part, spacing_mm, fewest)[::-1]
    if not centres:
        raise ScanError("no_spine_found", "the segmentation has no vertebral body")
    inside = np.isin(part, [label for label, channel in instance.mapping.items() if channel])
    places = np.array([_moved_into(inside, centre) for centre in centres]) + low
    found = [cut_out(labels.data, place, instance.cutout_size) for place in places]
    blocks, origins = (np.stack(parts) for parts in zip(*found, strict=True))
    return blocks, origins, labels.grid.to_world(places)


def merge(found: Found, semantic: InferenceConfig, instance: InferenceConfig) -> FinalMaps:
    """Return both maps on the scan's grid; raise ScanError if no vertebra is left."""
    return numbered(unnumbered(found, semantic, instance), semantic)


def unnumbered(found: Found, semantic: InferenceConfig, instance: InferenceConfig) -> CountedMaps:
    """Return both maps before discs and endplates get numbers, so that a labelling network can name
    the vertebrae.

    The vertebrae are counted from the top for the time being. Raises ScanError if no vertebra is
    left.
    """
    labels, scan_grid = found.labels, found.scan_grid
    grid = instance_grid(labels, instance)
    spacing_mm = zooms(grid.affine)
    fewest = _threshold(instance.vert_size_threshold, instance, spacing_mm)
    crop = _crop(grid.data, spacing_mm)
    merged = merge_predictions(found.predictions, grid.data.shape, crop, fewest)
    if not merged.any():
        raise ScanError("no_spine_found", "no prediction of a vertebra was left after merging")
    given = Volume(labels.data, model_grid(scan_grid, labels))
    on_scan = [
        resample(Volume(volume.data.copy(), volume.affine), rounded(scan_grid), order=0)
        for volume in (given, _same_grid(grid.with_data(merged.astype(np.uint16)), given))
    ]
    subregion, vertebra = (volume.data for volume in on_scan)
    subregion[subregion == BODY] = BODY_BORDER
    vertebra[subregion == 0] = 0
    spacing_mm = zooms(scan_grid.affine)
    box = box_of(subregion > 0, int(POST_MARGIN_MM / min(spacing_mm)))
    reconcile(subregion[box], vertebra[box], spacing_mm)
    turned = [reorient(volume) for volume in on_scan]
    target = turned[0].affine
    subregion, vertebra = (volume.data for volume in turned)
    move_posterior_pieces(subregion, vertebra)
    counted = from_the_top(vertebra, semantic.topmost_vertebra)
    final, vertebrae = (
        stored_like(Volume(data, target), scan_grid) for data in (subregion, counted)
    )
    levels = _levels(counted, semantic)
    return CountedMaps(final, vertebrae, levels, levels.labels, box)


def numbered(
    found: CountedMaps, semantic: InferenceConfig, names: Mapping[int, int] | None = None
) -> FinalMaps:
    """Return the final maps of what `unnumbered` left; `names` is number -> label, 0 for those it does
    not have.
    """
    subregion, vertebra = found.subregion, found.vertebra
    if names is not None:
        table = np.zeros(256, np.uint8)
        table[list(names)] = list(names.values())
        vertebra = vertebra.with_data(table[vertebra.data])
    turned = [reorient(volume.with_data(volume.data.copy())) for volume in (subregion, vertebra)]
    final = number_rest(turned[0].data, turned[1].data, semantic.sacrum_ids, semantic.metal)
    return FinalMaps(
        stored_like(turned[0], found.vertebra.grid),
        stored_like(turned[1].with_data(final), found.vertebra.grid),
        found.levels if names is not None else _levels(final, semantic),
    )


def model_grid(scan_grid: Grid, labels: Volume) -> np.ndarray:
    """Return the affine of a map on the model grid, without the rounding of the file it was stored in."""
    i, j, k = (float(size) for size in zooms(labels.affine))
    exact = prepared_grid(scan_grid, labels.axes, (i, j, k))
    near = exact.shape == labels.data.shape and np.allclose(exact.affine, labels.affine, atol=1e-2)
    return exact.affine if near else labels.affine


def _same_grid(volume: Volume, other: Volume) -> Volume:
    """Return `volume` with the affine of `other` if both have the same voxels."""
    turned = reorient(other)
    near = turned.data.shape == volume.data.shape
    near = near and np.allclose(turned.affine, volume.affine, atol=1e-2)
    return Volume(volume.data, turned.affine) if near else volume


def _levels(final: np.ndarray, semantic: InferenceConfig) -> Levels:
    present = [int(n) for n in np.unique(final) if semantic.topmost_vertebra <= n < SACRUM]
    return Levels(tuple(present), 0.0, "counted", None, ())


def _crop(data: np.ndarray, spacing_mm: np.ndarray) -> tuple[slice, ...]:
    return box_of(data > 0, int(CROP_MARGIN_MM / min(spacing_mm)))


def _threshold(voxels: float, instance: InferenceConfig, spacing_mm: np.ndarray) -> int:
    """Return a threshold of the model's settings in voxels of the grid that is used."""
    i, j, k = (float(size) for size in spacing_mm)
    used = instance.spacing_for((i, j, k))
    scaled = int(voxels * np.prod(instance.spacing_mm) / (used[0] * used[1] * used[2]))
    return max(scaled, voxels_of_mm3(SMALLEST_MM3, np.array(used)))


def _moved_into(inside: np.ndarray, centre: np.ndarray) -> np.ndarray:
    place = np.array([int(position) for position in centre])
    for row in range(place[1], inside.shape[1], STEP_DOWN):
        if inside[place[0], row, place[2]]:
            return np.array([place[0], row, place[2]])
    return place
